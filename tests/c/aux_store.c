// Entries of the aux store through their typed functions.
#include "test.h"

void test_aux(place at);

static const char *project = "c-aux";

static void one_entry(sprongus_store *store) {
    sprongus_error *error = NULL;
    const char *json = "{\"title\": \"Coburg\", \"note\": \"x\"}";
    sprongus_entry *entry = NULL;
    OK(sprongus_aux_create(store, project, "assets", json, strlen(json), "a-1", &entry, &error));
    CHECK_TEXT(sprongus_entry_id(entry), "a-1");
    CHECK_TEXT(sprongus_entry_project_id(entry), project);
    CHECK_TEXT(sprongus_entry_table_name(entry), "assets");
    CHECK(sprongus_entry_version(entry) == 1);
    CHECK(test_holds(sprongus_entry_payload(entry), "\"title\":\"Coburg\""));
    CHECK(test_holds(sprongus_entry_last_updated(entry), "Z"));
    CHECK_TEXT(sprongus_entry_warnings(entry), "[]");
    CHECK(test_holds(sprongus_entry_to_json(entry), "\"tableName\":\"assets\""));
    sprongus_entry_free(entry);
    FAILS(SPRONGUS_ERR_CONFLICT, sprongus_aux_create(store, project, "assets", json, strlen(json), "a-1", &entry, &error));

    const char *patch = "{\"note\": null, \"year\": 1900}";
    OK(sprongus_aux_update(store, project, "assets", "a-1", patch, strlen(patch), 0, 1, &entry, &error));
    CHECK(sprongus_entry_version(entry) == 2);
    CHECK(!test_holds(sprongus_entry_payload(entry), "note"));
    sprongus_entry_free(entry);
    FAILS(SPRONGUS_ERR_CONFLICT, sprongus_aux_update(store, project, "assets", "a-1", "{}", 2, 0, 1, &entry, &error));

    OK(sprongus_aux_upsert(store, project, "assets", "{\"title\": \"Gotha\"}", 18, "a-1", SPRONGUS_REPLACE, &entry, &error));
    CHECK(!test_holds(sprongus_entry_payload(entry), "year"));
    sprongus_entry_free(entry);
    OK(sprongus_aux_get(store, project, "assets", "a-1", &entry, &error));
    CHECK(sprongus_entry_version(entry) == 3);
    sprongus_entry_free(entry);
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_aux_get(store, "other", "assets", "a-1", &entry, &error));

    sprongus_buf *referrers = NULL;
    OK(sprongus_aux_delete(store, project, "assets", "a-1", NULL, &referrers, &error));
    CHECK_TEXT(sprongus_buf_data(referrers), "[]");
    sprongus_buf_free(referrers);
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_aux_delete(store, project, "assets", "a-1", "force", NULL, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_aux_delete(store, project, "assets", "a-1", "perhaps", NULL, &error));
}

static void violations(sprongus_store *store) {
    sprongus_error *error = NULL;
    int32_t status = sprongus_aux_create(store, project, "assets", "{\"title\": 5}", 12, NULL, NULL, &error);
    CHECK(status == SPRONGUS_ERR_VALIDATION);
    CHECK_TEXT(sprongus_error_name(error), "validation");
    CHECK(test_holds(sprongus_error_details(error), "\"path\":\"/title\""));
    CHECK(!sprongus_error_retryable(error));
    CHECK(test_holds(sprongus_error_to_json(error), "\"code\":\"validation\""));
    sprongus_error_free(error);
    error = NULL;
    FAILS(SPRONGUS_ERR_VALIDATION, sprongus_aux_create(store, project, "assets", "{\"a\":1,\"a\":2}", 13, NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_RESERVED_FIELD,
          sprongus_aux_create(store, project, "assets", "{\"title\":\"a\",\"projectId\":\"z\"}", 29, NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_aux_create(store, project, "unbound", "{}", 2, NULL, NULL, &error));
}

static void lists(sprongus_store *store) {
    sprongus_error *error = NULL;
    const char *items = "[{\"id\":\"1\",\"title\":\"Ärger\",\"year\":3},{\"id\":\"2\",\"title\":\"b\",\"year\":2},"
                        "{\"id\":\"3\",\"title\":\"c\",\"year\":1}]";
    sprongus_buf *report = NULL;
    OK(sprongus_aux_bulk_upsert(store, project, "assets", items, strlen(items), 0, NULL, NULL, &report, &error));
    CHECK(test_holds(sprongus_buf_data(report), "\"created\":3"));
    sprongus_buf_free(report);

    const char *sort = "year";
    sprongus_aux_query query;
    SPRONGUS_INIT(query);
    query.sort = &sort;
    query.sort_count = 1;
    query.filter = "{\"year\": {\"lte\": 2}}";
    sprongus_entry_list *entries = NULL;
    OK(sprongus_aux_list(store, project, "assets", &query, &entries, &error));
    CHECK(sprongus_entry_list_count(entries) == 2);
    CHECK_TEXT(sprongus_entry_id(sprongus_entry_list_at(entries, 0)), "3");
    CHECK(sprongus_entry_list_next_cursor(entries) == NULL);
    CHECK(test_holds(sprongus_entry_list_to_json(entries), "\"nextCursor\":null"));
    sprongus_entry_list_free(entries);

    SPRONGUS_INIT(query);
    query.q = "äRGER";
    OK(sprongus_aux_list(store, project, "assets", &query, &entries, &error));
    CHECK(sprongus_entry_list_count(entries) == 1);
    sprongus_entry_list_free(entries);
    query.filter = "{\"year\": {\"near\": 2}}";
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_aux_list(store, project, "assets", &query, &entries, &error));
    uint64_t count = 0;
    OK(sprongus_aux_count(store, project, "assets", NULL, "{\"year\": 1}", &count, &error));
    CHECK(count == 1);
}

static void files(sprongus_store *store, place at) {
    sprongus_error *error = NULL;
    char path[200];
    const char *folder = getenv("SPRONGUS_TEST_TMP");
    CHECK(folder != NULL);
    snprintf(path, sizeof path, "%s/%s.csv", folder, at.schema ? "postgres" : "sqlite");
    uint64_t count = 0;
    OK(sprongus_aux_export(store, project, "assets", path, NULL, 0, NULL, NULL, &count, &error));
    CHECK(count == 3);
    sprongus_buf *report = NULL;
    OK(sprongus_aux_import(store, project, "assets", path, "csv", NULL, SPRONGUS_REPLACE, NULL, NULL, &report, &error));
    CHECK(test_holds(sprongus_buf_data(report), "\"unchanged\":3"));
    sprongus_buf_free(report);
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT,
          sprongus_aux_import(store, project, "assets", folder, "csv", NULL, 0, NULL, NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_NOT_FOUND,
          sprongus_aux_import(store, project, "assets", "/no/such/file.csv", NULL, NULL, 0, NULL, NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT,
          sprongus_aux_import(store, project, "assets", path, "xlsx", NULL, 0, NULL, NULL, NULL, &error));
}

void test_aux(place at) {
    sprongus_store *store = test_open(at);
    one_entry(store);
    violations(store);
    lists(store);
    files(store, at);
    sprongus_store_free(store);
}
