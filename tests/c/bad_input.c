// What a caller can get wrong: NULL, bad UTF-8, wrong lengths, structs of other versions. Each is an answer.
#include "test.h"

void test_bad_input(place at);

static const char *bad_utf8 = "a\xff";

// Nothing at all, everywhere.
static void nothing(void) {
    sprongus_error *error = NULL;
    const int32_t invalid = SPRONGUS_ERR_INVALID_ARGUMENT;
    FAILS(invalid, sprongus_store_open(NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_store_close(NULL, &error));
    FAILS(invalid, sprongus_store_migrate(NULL, NULL, &error));
    FAILS(invalid, sprongus_store_acting_as(NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_store_scoped(NULL, NULL, NULL, 0, NULL, &error));
    FAILS(invalid, sprongus_store_snapshot(NULL, NULL, &error));
    FAILS(invalid, sprongus_migration_sql(NULL, NULL, &error));
    FAILS(invalid, sprongus_query(NULL, NULL, NULL, 0, NULL, &error));
    FAILS(invalid, sprongus_execute(NULL, NULL, NULL, 0, NULL, &error));
    FAILS(invalid, sprongus_tx_begin(NULL, NULL, &error));
    FAILS(invalid, sprongus_tx_savepoint(NULL, NULL, &error));
    FAILS(invalid, sprongus_tx_acting_as(NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_tx_commit(NULL, &error));
    FAILS(invalid, sprongus_tx_rollback(NULL, &error));
    FAILS(invalid, sprongus_attach(NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_row_sink_column(NULL, NULL, &error));
    FAILS(invalid, sprongus_row_sink_add(NULL, NULL, 0, &error));
    FAILS(invalid, sprongus_call(NULL, NULL, NULL, 0, NULL, &error));
    FAILS(invalid, sprongus_operations(NULL, &error));
    FAILS(invalid, sprongus_operation_schema(NULL, NULL, &error));
    FAILS(invalid, sprongus_runs_enqueue(NULL, NULL, NULL, 0, NULL, NULL, &error));
    FAILS(invalid, sprongus_runs_claim_next(NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_runs_start(NULL, NULL, 0, NULL, &error));
    FAILS(invalid, sprongus_runs_heartbeat(NULL, NULL, 0, NULL, 0, 0, NULL, &error));
    FAILS(invalid, sprongus_runs_succeed(NULL, NULL, 0, NULL, 0, NULL, NULL, &error));
    FAILS(invalid, sprongus_runs_fail(NULL, NULL, 0, NULL, 0, 0, NULL, &error));
    FAILS(invalid, sprongus_runs_cancel(NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_runs_rescue(NULL, 0, NULL, &error));
    FAILS(invalid, sprongus_runs_get(NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_runs_list(NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_runs_events(NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_runs_output(NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_presets_publish(NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_presets_get(NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_presets_list(NULL, NULL, NULL, 0, NULL, NULL, &error));
    FAILS(invalid, sprongus_presets_delete(NULL, NULL, &error));
    FAILS(invalid, sprongus_presets_bind(NULL, NULL, NULL, NULL, 0, NULL, &error));
    FAILS(invalid, sprongus_presets_bind_run(NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_presets_bound(NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_presets_export(NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_presets_create(NULL, NULL, NULL, NULL, 0, 0, 0, NULL, &error));
    FAILS(invalid, sprongus_presets_validate(NULL, NULL, NULL, 0, NULL, &error));
    FAILS(invalid, sprongus_aux_get(NULL, NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_aux_delete(NULL, NULL, NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_aux_update(NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, &error));
    FAILS(invalid, sprongus_aux_list(NULL, NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_aux_count(NULL, NULL, NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_aux_import(NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_aux_export(NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_aux_history(NULL, NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_aux_diff(NULL, NULL, NULL, NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_aux_as_of(NULL, NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_aux_restore(NULL, NULL, NULL, NULL, 1, NULL, &error));
    FAILS(invalid, sprongus_aux_referrers(NULL, NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_aux_resolve_refs(NULL, NULL, NULL, NULL, 1, NULL, &error));
    FAILS(invalid, sprongus_aux_sync(NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, &error));
    FAILS(invalid, sprongus_providers_put(NULL, NULL, NULL, NULL, 1, NULL, &error));
    FAILS(invalid, sprongus_providers_get(NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_providers_list(NULL, NULL, &error));
    FAILS(invalid, sprongus_providers_delete(NULL, NULL, &error));
    FAILS(invalid, sprongus_providers_register(NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_artifacts_put(NULL, NULL, NULL, NULL, 1, NULL, NULL, &error));
    FAILS(invalid, sprongus_artifacts_get(NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_artifacts_latest(NULL, NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_artifacts_versions(NULL, NULL, NULL, NULL, 0, NULL, NULL, &error));
    FAILS(invalid, sprongus_artifacts_list(NULL, NULL, NULL, 0, NULL, NULL, &error));
    FAILS(invalid, sprongus_artifacts_export_zip(NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_tables_create(NULL, NULL, 0, &error));
    FAILS(invalid, sprongus_tables_exists(NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_tables_drop(NULL, NULL, &error));
    FAILS(invalid, sprongus_tables_describe(NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_tables_names(NULL, NULL, &error));
    FAILS(invalid, sprongus_tables_insert(NULL, NULL, NULL, 0, NULL, &error));
    FAILS(invalid, sprongus_tables_insert_values(NULL, NULL, NULL, NULL, 1, NULL, &error));
    FAILS(invalid, sprongus_tables_update_values(NULL, NULL, NULL, NULL, NULL, 1, &error));
    FAILS(invalid, sprongus_tables_insert_many(NULL, NULL, NULL, 1, NULL, &error));
    FAILS(invalid, sprongus_tables_update(NULL, NULL, NULL, NULL, 0, &error));
    FAILS(invalid, sprongus_tables_query(NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_tables_count(NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_tables_delete(NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_projects_create(NULL, NULL, NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_projects_get(NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_projects_update(NULL, NULL, NULL, NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_projects_list(NULL, NULL, 0, NULL, NULL, &error));
    FAILS(invalid, sprongus_projects_install(NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_projects_delete(NULL, NULL, 0, &error));
    FAILS(invalid, sprongus_config_get(NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_config_set(NULL, NULL, NULL, 0, NULL, &error));
    FAILS(invalid, sprongus_config_unset(NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_config_list(NULL, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_store_stats(NULL, NULL, &error));
    FAILS(invalid, sprongus_store_doctor(NULL, 0, NULL, &error));
    FAILS(invalid, sprongus_runs_enqueue_many(NULL, NULL, 0, NULL, &error));
    FAILS(invalid, sprongus_presets_import(NULL, NULL, 0, 0, NULL, &error));
    FAILS(invalid, sprongus_aux_create(NULL, NULL, NULL, NULL, 0, NULL, NULL, &error));
    FAILS(invalid, sprongus_aux_upsert(NULL, NULL, NULL, NULL, 0, NULL, 0, NULL, &error));
    FAILS(invalid, sprongus_aux_bulk_upsert(NULL, NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, &error));
    FAILS(invalid, sprongus_error_new(1, NULL, &error));
    FAILS(invalid, sprongus_error_from_sqlite(1, NULL, &error));
    FAILS(invalid, sprongus_error_from_sqlstate(NULL, NULL, &error));
    CHECK(sprongus_store_open(NULL, NULL, NULL, NULL) == invalid);  // and nobody to tell
}

// Whatever stood in an out-pointer, a call that fails leaves NULL or zero there, however early it is refused.
#define EMPTIES(type, call)                                      \
    do {                                                         \
        type *out = (type *)(uintptr_t)0x5a5a5a5a5a5a5a5au;      \
        FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, call);              \
        CHECK(out == NULL);                                      \
    } while (0)

static void emptied(void) {
    sprongus_error *error = NULL;
    const uint32_t unknown = 0x8000;
    sprongus_host host;
    SPRONGUS_INIT(host);
    host.dialect = 9;
    sprongus_options options;
    SPRONGUS_INIT(options);
    options.durability = 9;
    EMPTIES(sprongus_store, sprongus_store_open(":memory:", &options, &out, &error));
    EMPTIES(sprongus_store, sprongus_store_acting_as(NULL, NULL, NULL, &out, &error));
    EMPTIES(sprongus_store, sprongus_store_scoped(NULL, "p", NULL, 3, &out, &error));
    EMPTIES(sprongus_tx, sprongus_attach(NULL, NULL, &out, &error));
    EMPTIES(sprongus_tx, sprongus_attach(&host, NULL, &out, &error));
    EMPTIES(sprongus_tx, sprongus_tx_begin(NULL, &out, &error));
    EMPTIES(sprongus_tx, sprongus_tx_savepoint(NULL, &out, &error));
    EMPTIES(sprongus_tx, sprongus_tx_acting_as(NULL, NULL, NULL, &out, &error));
    EMPTIES(sprongus_rows, sprongus_query(NULL, NULL, NULL, 1, &out, &error));
    EMPTIES(sprongus_buf, sprongus_call(NULL, NULL, NULL, 1, &out, &error));
    EMPTIES(sprongus_buf, sprongus_migration_sql(NULL, &out, &error));
    EMPTIES(sprongus_buf, sprongus_operation_schema(NULL, &out, &error));
    EMPTIES(sprongus_run, sprongus_runs_enqueue(NULL, NULL, NULL, 1, NULL, &out, &error));
    EMPTIES(sprongus_run, sprongus_runs_heartbeat(NULL, NULL, 0, NULL, 1, -2, &out, &error));
    EMPTIES(sprongus_run, sprongus_runs_succeed(NULL, NULL, 0, NULL, 1, NULL, &out, &error));
    EMPTIES(sprongus_run, sprongus_runs_fail(NULL, NULL, 0, NULL, 0, -2, &out, &error));
    EMPTIES(sprongus_run_list, sprongus_runs_enqueue_many(NULL, NULL, 1, &out, &error));
    EMPTIES(sprongus_run_list, sprongus_runs_claim_next(NULL, NULL, NULL, &out, &error));
    EMPTIES(sprongus_entry, sprongus_aux_create(NULL, NULL, NULL, NULL, 1, NULL, &out, &error));
    EMPTIES(sprongus_entry, sprongus_aux_update(NULL, NULL, NULL, NULL, NULL, 1, unknown, 0, &out, &error));
    EMPTIES(sprongus_entry, sprongus_aux_upsert(NULL, NULL, NULL, NULL, 1, NULL, unknown, &out, &error));
    EMPTIES(sprongus_buf, sprongus_aux_delete(NULL, NULL, NULL, NULL, NULL, &out, &error));
    EMPTIES(sprongus_buf, sprongus_aux_bulk_upsert(NULL, NULL, NULL, NULL, 1, unknown, NULL, NULL, &out, &error));
    EMPTIES(sprongus_buf, sprongus_aux_import(NULL, NULL, NULL, NULL, NULL, NULL, unknown, NULL, NULL, &out, &error));
    EMPTIES(sprongus_buf, sprongus_aux_history(NULL, NULL, NULL, NULL, &out, &error));
    EMPTIES(sprongus_buf, sprongus_aux_diff(NULL, NULL, NULL, NULL, bad_utf8, NULL, &out, &error));
    EMPTIES(sprongus_entry_list, sprongus_aux_as_of(NULL, NULL, NULL, bad_utf8, &out, &error));
    EMPTIES(sprongus_entry, sprongus_aux_restore(NULL, NULL, NULL, NULL, -1, &out, &error));
    EMPTIES(sprongus_buf, sprongus_aux_resolve_refs(NULL, NULL, NULL, NULL, 2, &out, &error));
    EMPTIES(sprongus_run, sprongus_aux_sync(NULL, NULL, NULL, "csv:x", "none", unknown, NULL, &out, &error));
    EMPTIES(sprongus_buf, sprongus_providers_put(NULL, "a", "b", NULL, 1, &out, &error));
    EMPTIES(sprongus_artifact, sprongus_artifacts_put(NULL, "a", "b", NULL, 1, NULL, &out, &error));
    EMPTIES(sprongus_artifact_list, sprongus_artifacts_list(NULL, bad_utf8, NULL, -7, NULL, &out, &error));
    EMPTIES(sprongus_buf, sprongus_tables_describe(NULL, bad_utf8, &out, &error));
    EMPTIES(sprongus_buf, sprongus_tables_names(NULL, &out, &error));
    EMPTIES(sprongus_buf, sprongus_tables_insert(NULL, "t", NULL, 1, &out, &error));
    EMPTIES(sprongus_buf, sprongus_tables_insert_values(NULL, "t", NULL, NULL, 1, &out, &error));
    EMPTIES(sprongus_buf, sprongus_tables_insert_many(NULL, "t", NULL, 1, &out, &error));
    EMPTIES(sprongus_rows, sprongus_tables_query(NULL, bad_utf8, NULL, &out, &error));
    EMPTIES(sprongus_project, sprongus_projects_create(NULL, bad_utf8, NULL, NULL, NULL, &out, &error));
    EMPTIES(sprongus_project, sprongus_projects_get(NULL, NULL, &out, &error));
    EMPTIES(sprongus_project, sprongus_projects_update(NULL, "p", bad_utf8, NULL, NULL, NULL, &out, &error));
    EMPTIES(sprongus_project_list, sprongus_projects_list(NULL, bad_utf8, -7, NULL, &out, &error));
    EMPTIES(sprongus_buf, sprongus_projects_install(NULL, bad_utf8, &out, &error));
    EMPTIES(sprongus_buf, sprongus_config_get(NULL, "k", bad_utf8, &out, &error));
    EMPTIES(sprongus_buf, sprongus_config_list(NULL, bad_utf8, NULL, &out, &error));
    EMPTIES(sprongus_entry_list, sprongus_aux_list(NULL, NULL, NULL, NULL, &out, &error));
    EMPTIES(sprongus_preset, sprongus_presets_create(NULL, NULL, NULL, NULL, 1, 0, unknown, &out, &error));
    EMPTIES(sprongus_preset, sprongus_presets_bound(NULL, NULL, NULL, &out, &error));
    EMPTIES(sprongus_preset_list, sprongus_presets_list(NULL, "none", NULL, 0, NULL, &out, &error));
    EMPTIES(sprongus_buf, sprongus_presets_bind(NULL, NULL, NULL, NULL, unknown, &out, &error));
    EMPTIES(sprongus_buf, sprongus_presets_validate(NULL, NULL, NULL, 1, &out, &error));
    EMPTIES(sprongus_buf, sprongus_presets_export(NULL, "none", NULL, &out, &error));
    EMPTIES(sprongus_buf, sprongus_presets_import(NULL, NULL, 1, unknown, &out, &error));

    uint64_t count = 7;
    int64_t number = 7;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_execute(NULL, NULL, NULL, 1, &count, &error));
    CHECK(count == 0);
    count = 7;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_aux_count(NULL, NULL, NULL, bad_utf8, NULL, &count, &error));
    CHECK(count == 0);
    count = 7;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_aux_export(NULL, NULL, NULL, NULL, NULL, unknown, NULL, NULL, &count, &error));
    CHECK(count == 0);
    count = 7;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_tables_count(NULL, "t", bad_utf8, &count, &error));
    CHECK(count == 0);
    bool exists = true;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_tables_exists(NULL, bad_utf8, &exists, &error));
    CHECK(!exists);
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_runs_rescue(NULL, 0, &number, &error));
    CHECK(number == 0);
}

// Getters of nothing.
static void no_getters(void) {
    CHECK(sprongus_store_url(NULL) == NULL && sprongus_store_backend(NULL) == NULL);
    CHECK(sprongus_store_schema_version(NULL) == 0);
    CHECK(sprongus_error_code(NULL) == SPRONGUS_OK && sprongus_error_message(NULL) == NULL);
    CHECK(sprongus_error_name(NULL) == NULL && sprongus_error_details(NULL) == NULL);
    CHECK(sprongus_error_to_json(NULL) == NULL && !sprongus_error_retryable(NULL));
    CHECK(sprongus_buf_data(NULL) == NULL && sprongus_buf_length(NULL) == 0);
    CHECK(sprongus_rows_count(NULL) == 0 && sprongus_rows_value(NULL, 0, 0) == NULL);
    CHECK(sprongus_run_id(NULL) == NULL && sprongus_run_lease(NULL) == 0 && !sprongus_run_is_final(NULL));
    CHECK(sprongus_run_list_at(NULL, 0) == NULL && sprongus_run_list_count(NULL) == 0);
    CHECK(sprongus_entry_payload(NULL) == NULL && sprongus_entry_version(NULL) == 0);
    CHECK(sprongus_entry_list_at(NULL, 0) == NULL && sprongus_entry_list_to_json(NULL) == NULL);
    CHECK(sprongus_project_slug(NULL) == NULL && sprongus_project_to_json(NULL) == NULL);
    CHECK(sprongus_project_list_at(NULL, 0) == NULL && sprongus_project_list_count(NULL) == 0);
    CHECK(sprongus_preset_label(NULL) == NULL && sprongus_preset_list_next_cursor(NULL) == NULL);
    sprongus_store_free(NULL);
    sprongus_tx_free(NULL);
    sprongus_error_free(NULL);
    sprongus_buf_free(NULL);
    sprongus_rows_free(NULL);
    sprongus_run_free(NULL);
    sprongus_run_list_free(NULL);
    sprongus_entry_free(NULL);
    sprongus_entry_list_free(NULL);
    sprongus_preset_free(NULL);
    sprongus_project_free(NULL);
    sprongus_project_list_free(NULL);
    sprongus_preset_list_free(NULL);
}

static void text_and_lengths(sprongus_store *store) {
    sprongus_error *error = NULL;
    const int32_t invalid = SPRONGUS_ERR_INVALID_ARGUMENT;
    sprongus_store *other = NULL;
    FAILS(invalid, sprongus_store_open(bad_utf8, NULL, &other, &error));
    FAILS(invalid, sprongus_runs_enqueue(store, bad_utf8, NULL, 0, NULL, NULL, &error));
    FAILS(invalid, sprongus_runs_enqueue(store, "", NULL, 0, NULL, NULL, &error));
    FAILS(invalid, sprongus_runs_enqueue(store, "a\nb", NULL, 0, NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_VALIDATION, sprongus_runs_enqueue(store, "c.bad", "\"a\xff\"", 4, NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_VALIDATION, sprongus_runs_enqueue(store, "c.bad", "{} {}", 5, NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_VALIDATION, sprongus_runs_enqueue(store, "c.bad", "\"a\0b\"", 5, NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_VALIDATION, sprongus_runs_enqueue(store, "c.bad", "\"a\\u0000b\"", 10, NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_VALIDATION, sprongus_runs_enqueue(store, "c.bad", "{}\0", 3, NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_VALIDATION, sprongus_runs_enqueue(store, "c.bad", "{}", 1, NULL, NULL, &error));
    FAILS(invalid, sprongus_runs_enqueue(store, "c.bad", NULL, 2, NULL, NULL, &error));
    FAILS(invalid, sprongus_runs_enqueue(store, "c.bad", "{}", (size_t)-1, NULL, NULL, &error));
    FAILS(invalid, sprongus_execute(store, bad_utf8, NULL, 0, NULL, &error));
    FAILS(invalid, sprongus_execute(store, "SELECT 1", NULL, 1, NULL, &error));
    sprongus_value value = sprongus_text("x");
    value.length = (size_t)-1;
    FAILS(invalid, sprongus_execute(store, "SELECT $1", &value, 1, NULL, &error));
    FAILS(invalid, sprongus_execute(store, "SELECT $1", &value, (size_t)-1 / 8, NULL, &error));
    value = sprongus_text(bad_utf8);
    FAILS(invalid, sprongus_execute(store, "SELECT $1", &value, 1, NULL, &error));
    value.type = 99;
    FAILS(invalid, sprongus_execute(store, "SELECT $1", &value, 1, NULL, &error));
    const char *holed[] = {"runs:read", NULL};
    FAILS(invalid, sprongus_store_scoped(store, "p1", holed, 2, &other, &error));
    FAILS(invalid, sprongus_presets_bind(store, "t", "p", NULL, 0xf00, NULL, &error));
    FAILS(invalid, sprongus_migration_sql("oracle", NULL, &error));
}

static void structs(sprongus_store *store, place at) {
    sprongus_error *error = NULL;
    const int32_t invalid = SPRONGUS_ERR_INVALID_ARGUMENT;
    // Of a later version: a longer tail is taken where it is zero.
    struct {
        sprongus_enqueue_options known;
        int64_t later[4];
    } longer;
    memset(&longer, 0, sizeof longer);
    longer.known.struct_size = sizeof longer;
    longer.known.priority = 4;
    sprongus_run *run = NULL;
    OK(sprongus_runs_enqueue(store, "c.struct", NULL, 0, &longer.known, &run, &error));
    CHECK(sprongus_run_priority(run) == 4);
    sprongus_run_free(run);
    longer.later[3] = 1;
    FAILS(invalid, sprongus_runs_enqueue(store, "c.struct", NULL, 0, &longer.known, &run, &error));
    // Of an earlier version: what it lacks is the default.
    longer.known.struct_size = offsetof(sprongus_enqueue_options, priority);
    OK(sprongus_runs_enqueue(store, "c.struct", NULL, 0, &longer.known, &run, &error));
    CHECK(sprongus_run_priority(run) == 0 && sprongus_run_max_attempts(run) == 3);
    sprongus_run_free(run);
    // Forgotten, or nonsense.
    longer.known.struct_size = 0;
    FAILS(invalid, sprongus_runs_enqueue(store, "c.struct", NULL, 0, &longer.known, &run, &error));
    longer.known.struct_size = offsetof(sprongus_enqueue_options, priority) + 1;
    FAILS(invalid, sprongus_runs_enqueue(store, "c.struct", NULL, 0, &longer.known, &run, &error));
    longer.known.struct_size = (size_t)-1;
    FAILS(invalid, sprongus_runs_enqueue(store, "c.struct", NULL, 0, &longer.known, &run, &error));

    sprongus_enqueue_options options;
    SPRONGUS_INIT(options);
    options.run_at = "tomorrow";
    FAILS(invalid, sprongus_runs_enqueue(store, "c.struct", NULL, 0, &options, &run, &error));
    options.run_at = "2024-02-29T12:00:00";
    FAILS(invalid, sprongus_runs_enqueue(store, "c.struct", NULL, 0, &options, &run, &error));
    options.run_at = NULL;
    options.delay_ms = -7;
    FAILS(invalid, sprongus_runs_enqueue(store, "c.struct", NULL, 0, &options, &run, &error));

    sprongus_options store_options;
    SPRONGUS_INIT(store_options);
    store_options.flags = 0x80000000u;
    sprongus_store *other = NULL;
    FAILS(invalid, sprongus_store_open(":memory:", &store_options, &other, &error));
    store_options.flags = 0;
    store_options.durability = 9;
    FAILS(invalid, sprongus_store_open(":memory:", &store_options, &other, &error));
    SPRONGUS_INIT(store_options);
    store_options.pool_size = 100000;
    FAILS(invalid, sprongus_store_open(":memory:", &store_options, &other, &error));
    SPRONGUS_INIT(store_options);
    store_options.schema = at.schema;
    store_options.flags = SPRONGUS_READ_ONLY;
    if (strcmp(at.url, ":memory:") != 0) {
        OK(sprongus_store_open(at.url, &store_options, &other, &error));
        FAILS(SPRONGUS_ERR_PERMISSION_DENIED, sprongus_runs_enqueue(other, "c.ro", NULL, 0, NULL, NULL, &error));
        sprongus_store_free(other);
    }
}

static void places(void) {
    sprongus_error *error = NULL;
    sprongus_store *store = NULL;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_store_open("", NULL, &store, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_store_open("mysql://h/d", NULL, &store, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_store_open("/", NULL, &store, &error));
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_store_open("/no/such/folder/app.db", NULL, &store, &error));
    sprongus_options options;
    SPRONGUS_INIT(options);
    options.call_timeout_ms = 2000;
    int32_t status = sprongus_store_open("postgresql://u:s3cret@127.0.0.1:1/none", &options, &store, &error);
    CHECK(status == SPRONGUS_ERR_UNAVAILABLE && sprongus_error_retryable(error));
    CHECK(!test_holds(sprongus_error_message(error), "s3cret") && !test_holds(sprongus_error_to_json(error), "s3cret"));
    sprongus_error_free(error);
    CHECK(store == NULL);
}

void test_bad_input(place at) {
    sprongus_store *store = test_open(at);
    nothing();
    emptied();
    no_getters();
    text_and_lengths(store);
    structs(store, at);
    places();
    sprongus_store_free(store);
}
