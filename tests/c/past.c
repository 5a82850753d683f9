// What entries were before, and what they refer to.
#include "test.h"

void test_past(place at);

static const char *project = "c-past";

static void versions(sprongus_store *store) {
    sprongus_error *error = NULL;
    OK(sprongus_aux_create(store, project, "assets", "{\"title\":\"a\"}", 13, "a-1", NULL, &error));
    OK(sprongus_aux_update(store, project, "assets", "a-1", "{\"title\":\"b\",\"year\":3}", 22, 0, 0, NULL, &error));
    sprongus_entry *entry = NULL;
    OK(sprongus_aux_get(store, project, "assets", "a-1", &entry, &error));
    char second[64];
    snprintf(second, sizeof second, "%s", sprongus_entry_last_updated(entry));
    sprongus_entry_free(entry);
    OK(sprongus_aux_delete(store, project, "assets", "a-1", NULL, NULL, &error));

    sprongus_buf *out = NULL;
    OK(sprongus_aux_history(store, project, "assets", "a-1", &out, &error));
    CHECK(test_holds(sprongus_buf_data(out), "\"changeSummary\":\"updated: title, year\""));
    CHECK(test_holds(sprongus_buf_data(out), "\"snapshot\":null"));
    sprongus_buf_free(out);
    OK(sprongus_aux_diff(store, project, "assets", "a-1", "1", "2", &out, &error));
    CHECK(test_holds(sprongus_buf_data(out), "\"path\":\"/year\""));
    CHECK(test_holds(sprongus_buf_data(out), "\"op\":\"added\""));
    sprongus_buf_free(out);
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_aux_diff(store, project, "assets", "a-1", "1", "9", &out, &error));
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_aux_history(store, project, "assets", "never", &out, &error));

    sprongus_entry_list *then = NULL;
    OK(sprongus_aux_as_of(store, project, "assets", second, &then, &error));
    CHECK(sprongus_entry_list_count(then) == 1);
    CHECK_TEXT(sprongus_entry_payload(sprongus_entry_list_at(then, 0)), "{\"title\":\"b\",\"year\":3}");
    sprongus_entry_list_free(then);
    OK(sprongus_aux_as_of(store, project, "assets", "2020-01-01T00:00:00Z", &then, &error));
    CHECK(sprongus_entry_list_count(then) == 0);
    sprongus_entry_list_free(then);

    OK(sprongus_aux_restore(store, project, "assets", "a-1", 1, &entry, &error));
    CHECK(sprongus_entry_version(entry) == 4);
    CHECK_TEXT(sprongus_entry_payload(entry), "{\"title\":\"a\"}");
    sprongus_entry_free(entry);
    FAILS(SPRONGUS_ERR_INVALID_STATE, sprongus_aux_restore(store, project, "assets", "a-1", 3, NULL, &error));
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_aux_restore(store, project, "assets", "a-1", 99, NULL, &error));
}

static void references(sprongus_store *store) {
    sprongus_error *error = NULL;
    const char *row = "{\"assetIds\":[\"a-1\",\"gone\"]}";
    sprongus_entry *entry = NULL;
    OK(sprongus_aux_create(store, project, "storyboard", row, strlen(row), "s-1", &entry, &error));
    CHECK(test_holds(sprongus_entry_warnings(entry), "dangling_ref"));
    sprongus_entry_free(entry);
    sprongus_buf *out = NULL;
    OK(sprongus_aux_referrers(store, project, "assets", "a-1", &out, &error));
    CHECK_TEXT(sprongus_buf_data(out), "[{\"table\":\"storyboard\",\"id\":\"s-1\",\"field\":\"assetIds[]\"}]");
    sprongus_buf_free(out);
    const char *ids[] = {"gone", "a-1"};
    OK(sprongus_aux_resolve_refs(store, project, "assets", ids, 2, &out, &error));
    CHECK_TEXT(sprongus_buf_data(out), "[{\"id\":\"gone\",\"missing\":true,\"label\":null,\"url\":null},"
                                       "{\"id\":\"a-1\",\"missing\":false,\"label\":\"a\",\"url\":null}]");
    sprongus_buf_free(out);
    OK(sprongus_aux_resolve_refs(store, project, "assets", NULL, 0, &out, &error));
    CHECK_TEXT(sprongus_buf_data(out), "[]");
    sprongus_buf_free(out);
    FAILS(SPRONGUS_ERR_REFERENCED, sprongus_aux_delete(store, project, "assets", "a-1", NULL, NULL, &error));
}

static void the_store(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_buf *out = NULL;
    OK(sprongus_store_stats(store, &out, &error));
    CHECK(test_holds(sprongus_buf_data(out), "\"tableName\":\"assets\""));
    CHECK(test_holds(sprongus_buf_data(out), "\"deleted\":1"));
    sprongus_buf_free(out);
    for (int deep = 0; deep < 2; ++deep) {
        OK(sprongus_store_doctor(store, deep, &out, &error));
        CHECK(test_holds(sprongus_buf_data(out), "\"code\":\"dangling_ref"));
        CHECK(test_holds(sprongus_buf_data(out), "\"fix\":\"create or restore the entries"));
        sprongus_buf_free(out);
    }
    sprongus_store *scoped = NULL;
    OK(sprongus_store_scoped(store, project, NULL, 0, &scoped, &error));
    FAILS(SPRONGUS_ERR_PERMISSION_DENIED, sprongus_store_doctor(scoped, 0, &out, &error));
    sprongus_store_free(scoped);
}

void test_past(place at) {
    sprongus_store *store = test_open(at);
    versions(store);
    references(store);
    the_store(store);
    sprongus_store_free(store);
}
