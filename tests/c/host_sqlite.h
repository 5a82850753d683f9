// A complete sprongus_host over a SQLite connection, which is its `user_data`.
#ifndef SPRONGUS_TEST_HOST_SQLITE_H
#define SPRONGUS_TEST_HOST_SQLITE_H

#include <sprongus.h>

#include <sqlite3.h>
#include <stdlib.h>

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
    if (columns > 100) return sprongus_error_new(SPRONGUS_ERR_UNSUPPORTED, "more than 100 columns", error);
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
    return run(user_data, sql, params, count, rows, error);
}

static int32_t host_batch(void *user_data, const char *sql, sprongus_error **error) {
    sqlite3 *db = (sqlite3 *)user_data;
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? SPRONGUS_OK : failed(db, error);
}

static inline sprongus_host host_over(sqlite3 *db) {
    sprongus_host host;
    SPRONGUS_INIT(host);
    host.dialect = SPRONGUS_DIALECT_SQLITE;
    host.user_data = db;
    host.execute = host_execute;
    host.query = host_query;
    host.batch = host_batch;
    return host;
}

#endif  // SPRONGUS_TEST_HOST_SQLITE_H
