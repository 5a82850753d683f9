// Projects, the workspace data model, settings.
#include "test.h"

void test_projects(place at);

static void records(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_project *project = NULL;
    OK(sprongus_projects_create(store, "C Projects", "c-p1", NULL, "ada", &project, &error));
    CHECK_TEXT(sprongus_project_id(project), "c-p1");
    CHECK_TEXT(sprongus_project_name(project), "C Projects");
    CHECK_TEXT(sprongus_project_slug(project), "c-projects");
    CHECK_TEXT(sprongus_project_owner(project), "ada");
    CHECK_TEXT(sprongus_project_status(project), "active");
    CHECK(test_holds(sprongus_project_created_at(project), "Z"));
    CHECK_TEXT(sprongus_project_updated_at(project), sprongus_project_created_at(project));
    CHECK(test_holds(sprongus_project_to_json(project), "\"slug\":\"c-projects\""));
    sprongus_project *again = NULL;
    OK(sprongus_projects_get(store, "c-p1", &again, &error));
    CHECK_TEXT(sprongus_project_to_json(again), sprongus_project_to_json(project));
    sprongus_project_free(again);
    sprongus_project_free(project);

    OK(sprongus_projects_update(store, "c-p1", NULL, NULL, "", "archived", &project, &error));
    CHECK(sprongus_project_owner(project) == NULL);
    CHECK_TEXT(sprongus_project_name(project), "C Projects");
    CHECK_TEXT(sprongus_project_status(project), "archived");
    sprongus_project_free(project);
    OK(sprongus_projects_update(store, "c-p1", "Other", "other", "ada", NULL, NULL, &error));
    OK(sprongus_projects_create(store, "Another", NULL, "c-another", "ada", &project, &error));
    CHECK(strlen(sprongus_project_id(project)) == 26);

    FAILS(SPRONGUS_ERR_CONFLICT, sprongus_projects_create(store, "x", "c-p1", NULL, NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_CONFLICT, sprongus_projects_create(store, "x", NULL, "other", NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_projects_create(store, "", NULL, NULL, NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_projects_create(store, "x", NULL, "A b", NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_projects_get(store, "c-none", &again, &error));
    CHECK(again == NULL);
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_projects_update(store, "c-none", "x", NULL, NULL, NULL, NULL, &error));

    sprongus_project_list *list = NULL, *rest = NULL;
    OK(sprongus_projects_list(store, "ada", 1, NULL, &list, &error));
    CHECK(sprongus_project_list_count(list) == 1);
    const sprongus_project *newest = sprongus_project_list_at(list, 0);
    CHECK_TEXT(sprongus_project_slug(newest), "c-another");
    OK(sprongus_projects_list(store, "ada", 1, sprongus_project_list_next_cursor(list), &rest, &error));
    CHECK_TEXT(sprongus_project_id(sprongus_project_list_at(rest, 0)), "c-p1");
    CHECK(sprongus_project_list_next_cursor(rest) == NULL && sprongus_project_list_at(rest, 1) == NULL);
    CHECK(test_holds(sprongus_project_list_to_json(rest), "\"nextCursor\":null"));
    sprongus_project_list_free(rest);
    sprongus_project_list_free(list);
    CHECK(sprongus_project_slug(newest) == NULL);  // it went with its list
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_projects_list(store, NULL, 1001, NULL, &list, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_projects_list(store, NULL, 0, "x", &list, &error));
    OK(sprongus_projects_delete(store, sprongus_project_id(project), 0, &error));
    sprongus_project_free(project);
    CHECK(sprongus_project_id(project) == NULL);
    sprongus_project_free(project);
}

// A file is ingested twice, and the project goes with all it has.
static void workspace(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_buf *tables = NULL;
    OK(sprongus_projects_install(store, "c-p1", &tables, &error));
    CHECK(test_holds(sprongus_buf_data(tables), "\"project_files\""));
    sprongus_buf_free(tables);
    OK(sprongus_projects_install(store, "c-p1", &tables, &error));
    CHECK_TEXT(sprongus_buf_data(tables), "[]");
    sprongus_buf_free(tables);
    OK(sprongus_projects_install(store, "c-p1", NULL, &error));
    FAILS(SPRONGUS_ERR_VALIDATION, sprongus_aux_create(store, "c-p1", "project_files", "{}", 2, NULL, NULL, &error));

    const char *asset = "{\"title\":\"x\"}";
    OK(sprongus_aux_create(store, "c-p1", "assets", asset, strlen(asset), "a", NULL, &error));
    OK(sprongus_config_set(store, "theme", "\"dark\"", 6, "c-p1", &error));
    CHECK(sprongus_projects_delete(store, "c-p1", 0, &error) == SPRONGUS_ERR_REFERENCED);
    CHECK(test_holds(sprongus_error_details(error), "{"));
    sprongus_error_free(error);
    error = NULL;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_projects_delete(store, "c-p1", SPRONGUS_FORCE, &error));
    sprongus_tx *tx = NULL;
    OK(sprongus_tx_begin(store, &tx, &error));
    OK(sprongus_projects_delete(tx, "c-p1", SPRONGUS_CASCADE, &error));
    OK(sprongus_tx_rollback(tx, &error));
    sprongus_tx_free(tx);
    uint64_t count = 0;
    OK(sprongus_aux_count(store, "c-p1", "assets", NULL, NULL, &count, &error));
    CHECK(count == 1);
    OK(sprongus_projects_delete(store, "c-p1", SPRONGUS_CASCADE, &error));
    OK(sprongus_aux_count(store, "c-p1", "assets", NULL, NULL, &count, &error));
    CHECK(count == 0);
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_projects_delete(store, "c-p1", SPRONGUS_CASCADE, &error));
}

static void settings(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_buf *value = NULL;
    OK(sprongus_config_get(store, "c.theme", NULL, &value, &error));
    CHECK(value == NULL);
    OK(sprongus_config_set(store, "c.theme", "{ \"b\": 1, \"a\": null }", 21, NULL, &error));
    OK(sprongus_config_get(store, "c.theme", NULL, &value, &error));
    CHECK_TEXT(sprongus_buf_data(value), "{\"a\":null,\"b\":1}");
    sprongus_buf_free(value);
    OK(sprongus_config_set(store, "c.theme", "null", 4, NULL, &error));
    OK(sprongus_config_get(store, "c.theme", NULL, &value, &error));
    CHECK_TEXT(sprongus_buf_data(value), "null");
    sprongus_buf_free(value);
    OK(sprongus_config_get(store, "c.theme", "c-p2", &value, &error));
    CHECK(value == NULL);
    OK(sprongus_config_set(store, "c.theme", "1", 1, "c-p2", &error));
    OK(sprongus_config_set(store, "c.other", "2", 1, "c-p2", &error));
    OK(sprongus_config_list(store, NULL, "c-p2", &value, &error));
    CHECK_TEXT(sprongus_buf_data(value), "{\"c.other\":2,\"c.theme\":1}");
    sprongus_buf_free(value);
    OK(sprongus_config_list(store, "c.t", NULL, &value, &error));
    CHECK_TEXT(sprongus_buf_data(value), "{\"c.theme\":null}");
    sprongus_buf_free(value);
    OK(sprongus_config_unset(store, "c.theme", NULL, &error));
    OK(sprongus_config_unset(store, "c.theme", NULL, &error));
    OK(sprongus_config_get(store, "c.theme", NULL, &value, &error));
    CHECK(value == NULL);
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_config_set(store, "C theme", "1", 1, NULL, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_config_set(store, "a\xff", "1", 1, NULL, &error));
    FAILS(SPRONGUS_ERR_VALIDATION, sprongus_config_set(store, "c.bad", "{", 1, NULL, &error));
    FAILS(SPRONGUS_ERR_VALIDATION, sprongus_config_set(store, "c.bad", "", 0, NULL, &error));

    const char *scopes[] = {"aux:read"};
    sprongus_store *scoped = NULL;
    OK(sprongus_store_scoped(store, "c-p2", scopes, 1, &scoped, &error));
    OK(sprongus_config_get(scoped, "c.theme", NULL, &value, &error));
    CHECK_TEXT(sprongus_buf_data(value), "1");
    sprongus_buf_free(value);
    FAILS(SPRONGUS_ERR_PERMISSION_DENIED, sprongus_config_set(scoped, "c.theme", "1", 1, NULL, &error));
    FAILS(SPRONGUS_ERR_PERMISSION_DENIED, sprongus_config_get(scoped, "c.theme", "c-p1", &value, &error));
    FAILS(SPRONGUS_ERR_PERMISSION_DENIED, sprongus_projects_create(scoped, "x", NULL, NULL, NULL, NULL, &error));
    sprongus_store_free(scoped);
}

void test_projects(place at) {
    sprongus_store *store = test_open(at);
    records(store);
    workspace(store);
    settings(store);
    sprongus_store_free(store);
}
