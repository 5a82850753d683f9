// A C host lends its own SQLite connection: `host_sqlite FILE`. No store of ours has that file open in this process.
#include "host.h"

#include <sqlite3.h>

int test_checks = 0;

static sprongus_tx *attached = NULL;

static int32_t failed(sqlite3 *db, sprongus_error **error) {
    return sprongus_error_from_sqlite(sqlite3_extended_errcode(db), sqlite3_errmsg(db), error);
}

// Binds `$n` by name: SQLite numbers it by first appearance.
static int bind(sqlite3_stmt *statement, const sprongus_value *params, size_t count) {
    for (int index = 1; index <= sqlite3_bind_parameter_count(statement); index++) {
        const char *name = sqlite3_bind_parameter_name(statement, index);
        size_t number = name != NULL && name[0] == '$' ? strtoul(name + 1, NULL, 10) : 0;
        if (number < 1 || number > count) return SQLITE_RANGE;
        const sprongus_value *value = &params[number - 1];
        int status = SQLITE_OK;
        switch (value->type) {
            case SPRONGUS_NULL: status = sqlite3_bind_null(statement, index); break;
            case SPRONGUS_BOOL:
            case SPRONGUS_INT: status = sqlite3_bind_int64(statement, index, value->integer); break;
            case SPRONGUS_FLOAT: status = sqlite3_bind_double(statement, index, value->real); break;
            case SPRONGUS_BYTES:
                status = sqlite3_bind_blob64(statement, index, value->data, value->length, SQLITE_TRANSIENT);
                break;
            default:
                status = sqlite3_bind_text64(statement, index, value->data, value->length, SQLITE_TRANSIENT, SQLITE_UTF8);
        }
        if (status != SQLITE_OK) return status;
    }
    return SQLITE_OK;
}

static sprongus_value column(sqlite3_stmt *statement, int index) {
    sprongus_value value;
    memset(&value, 0, sizeof value);
    switch (sqlite3_column_type(statement, index)) {
        case SQLITE_INTEGER:
            value.type = SPRONGUS_INT;
            value.integer = sqlite3_column_int64(statement, index);
            break;
        case SQLITE_FLOAT:
            value.type = SPRONGUS_FLOAT;
            value.real = sqlite3_column_double(statement, index);
            break;
        case SQLITE_TEXT:
            value.type = SPRONGUS_TEXT;
            value.data = (const char *)sqlite3_column_text(statement, index);
            value.length = (size_t)sqlite3_column_bytes(statement, index);
            break;
        case SQLITE_BLOB:
            value.type = SPRONGUS_BYTES;
            value.data = (const char *)sqlite3_column_blob(statement, index);
            value.length = (size_t)sqlite3_column_bytes(statement, index);
            break;
        default: value.type = SPRONGUS_NULL;
    }
    return value;
}

static int32_t give_rows(sqlite3_stmt *statement, sprongus_row_sink *rows, sprongus_error **error) {
    sprongus_value values[100];
    int columns = sqlite3_column_count(statement);
    int32_t status = SPRONGUS_OK;
    for (int index = 0; index < columns && status == SPRONGUS_OK; index++) {
        status = sprongus_row_sink_column(rows, sqlite3_column_name(statement, index), error);
    }
    while (status == SPRONGUS_OK) {
        int step = sqlite3_step(statement);
        if (step == SQLITE_DONE) break;
        if (step != SQLITE_ROW) return failed(sqlite3_db_handle(statement), error);
        for (int index = 0; index < columns; index++) values[index] = column(statement, index);
        status = sprongus_row_sink_add(rows, values, (size_t)columns, error);
    }
    return status;
}

static int32_t run(void *user_data, const char *sql, const sprongus_value *params, size_t count, sprongus_row_sink *rows,
                   sprongus_error **error) {
    sqlite3 *db = (sqlite3 *)user_data;
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) return failed(db, error);
    int32_t status = SPRONGUS_OK;
    if (bind(statement, params, count) != SQLITE_OK) {
        status = sprongus_error_new(SPRONGUS_ERR_INVALID_ARGUMENT, "a parameter could not be bound", error);
    } else if (rows != NULL) {
        status = give_rows(statement, rows, error);
    } else {
        int step = SQLITE_ROW;
        while (step == SQLITE_ROW) step = sqlite3_step(statement);
        if (step != SQLITE_DONE) status = failed(db, error);
    }
    sqlite3_finalize(statement);
    return status;
}

static int32_t host_execute(void *user_data, const char *sql, const sprongus_value *params, size_t count,
                            uint64_t *changed, sprongus_error **error) {
    int32_t status = run(user_data, sql, params, count, NULL, error);
    if (status == SPRONGUS_OK) *changed = (uint64_t)sqlite3_changes((sqlite3 *)user_data);
    return status;
}

static int32_t host_query(void *user_data, const char *sql, const sprongus_value *params, size_t count,
                          sprongus_row_sink *rows, sprongus_error **error) {
    if (attached != NULL) {  // calling back is an answer, not a deadlock
        sprongus_error *refused = NULL;
        int32_t status = sprongus_execute(attached, "SELECT 1", NULL, 0, NULL, &refused);
        CHECK(status == SPRONGUS_ERR_MISUSE);
        sprongus_error_free(refused);
    }
    return run(user_data, sql, params, count, rows, error);
}

static int32_t host_batch(void *user_data, const char *sql, sprongus_error **error) {
    sqlite3 *db = (sqlite3 *)user_data;
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? SPRONGUS_OK : failed(db, error);
}

int main(int count, char **arguments) {
    if (count < 2) return 2;
    sprongus_error *error = NULL;
    sqlite3 *db = NULL;
    CHECK(sqlite3_open(arguments[1], &db) == SQLITE_OK);
    sprongus_host host;
    SPRONGUS_INIT(host);
    host.dialect = SPRONGUS_DIALECT_SQLITE;
    host.user_data = db;
    host.execute = host_execute;
    host.query = host_query;
    host.batch = host_batch;
    host.destroy = host_destroy;
    host_refused(host);

    sprongus_tx *tx = NULL;
    FAILS(SPRONGUS_ERR_SCHEMA_VERSION, sprongus_attach(&host, NULL, &tx, &error));
    CHECK(host_destroyed == 1);
    host_destroyed = 0;
    sprongus_buf *sql = NULL;
    OK(sprongus_migration_sql("sqlite", &sql, &error));
    CHECK(sqlite3_exec(db, sprongus_buf_data(sql), NULL, NULL, NULL) == SQLITE_OK);
    sprongus_buf_free(sql);
    CHECK(sqlite3_exec(db, "CREATE TABLE host_own (id INTEGER PRIMARY KEY, name TEXT, other TEXT)", NULL, NULL, NULL) == 0);

    CHECK(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
    host_works(&host);
    OK(sprongus_attach(&host, NULL, &attached, &error));
    sprongus_rows *rows = NULL;
    OK(sprongus_query(attached, "SELECT count(*) AS n FROM sprongus_runs", NULL, 0, &rows, &error));
    CHECK_TEXT(sprongus_rows_to_json(rows), "[{\"n\":1}]");
    sprongus_rows_free(rows);
    sprongus_tx_free(attached);
    CHECK(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);

    // What the host committed, a store finds.
    sprongus_store *store = NULL;
    OK(sprongus_store_open(arguments[1], NULL, &store, &error));
    sprongus_run_list *runs = NULL;
    OK(sprongus_runs_list(store, NULL, &runs, &error));
    CHECK(sprongus_run_list_count(runs) == 1);
    CHECK_TEXT(sprongus_run_state(sprongus_run_list_at(runs, 0)), "succeeded");
    sprongus_run_list_free(runs);
    sprongus_store_free(store);
    printf("%d checks within a host's SQLite transaction\n", test_checks);
    return 0;
}
