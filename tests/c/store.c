// Stores and the host's own SQL.
#define _POSIX_C_SOURCE 200809L  // fork

#include "test.h"

#include <sys/wait.h>
#include <unistd.h>

void test_store(place at);

static void rows_and_values(sprongus_store *store) {
    sprongus_error *error = NULL;
    uint64_t changed = 7;
    OK(sprongus_execute(store, "CREATE TABLE c_orders (id TEXT PRIMARY KEY, total INTEGER, note TEXT)", NULL, 0, &changed,
                        &error));
    sprongus_value values[3];
    values[0] = sprongus_text("a-17");
    values[1] = sprongus_int(4200);
    values[2] = sprongus_text(NULL);
    OK(sprongus_execute(store, "INSERT INTO c_orders VALUES ($1, $2, $3)", values, 3, &changed, &error));
    CHECK(changed == 1);

    sprongus_rows *rows = NULL;
    OK(sprongus_query(store, "SELECT id, total, note FROM c_orders WHERE id = $1 AND total > $2 - 1", values, 2, &rows,
                      &error));
    CHECK(sprongus_rows_count(rows) == 1);
    CHECK(sprongus_rows_columns(rows) == 3);
    CHECK_TEXT(sprongus_rows_column_name(rows, 1), "total");
    CHECK(sprongus_rows_column_name(rows, 3) == NULL);
    CHECK(sprongus_rows_value(rows, 0, 1)->type == SPRONGUS_INT);
    CHECK(sprongus_rows_value(rows, 0, 1)->integer == 4200);
    CHECK_TEXT(sprongus_rows_value(rows, 0, 0)->data, "a-17");
    CHECK(sprongus_rows_value(rows, 0, 2)->type == SPRONGUS_NULL);
    CHECK(sprongus_rows_value(rows, 1, 0) == NULL);
    CHECK(sprongus_rows_value(rows, 0, (size_t)-1) == NULL);
    CHECK_TEXT(sprongus_rows_to_json(rows), "[{\"id\":\"a-17\",\"total\":4200,\"note\":null}]");
    sprongus_rows_free(rows);

    OK(sprongus_query(store, "SELECT id FROM c_orders WHERE id = 'none'", NULL, 0, &rows, &error));
    CHECK(sprongus_rows_count(rows) == 0);
    CHECK_TEXT(sprongus_rows_to_json(rows), "[]");
    sprongus_rows_free(rows);

    OK(sprongus_query(store, "SELECT 1 AS a, 2 AS b, 3 AS a", NULL, 0, &rows, &error));
    CHECK_TEXT(sprongus_rows_to_json(rows), "[{\"b\":2,\"a\":3}]");
    sprongus_rows_free(rows);

    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_query(store, "DELETE FROM c_orders", NULL, 0, &rows, &error));
    CHECK(rows == NULL);
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_execute(store, "COMMIT", NULL, 0, NULL, &error));
    FAILS(SPRONGUS_ERR_CONFLICT, sprongus_execute(store, "INSERT INTO c_orders VALUES ($1, $2, $3)", values, 3, NULL, &error));
    OK(sprongus_execute(store, "DROP TABLE c_orders", NULL, 0, NULL, &error));
}

// A value of each type, given by its helper or as text.
static void helpers(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_rows *rows = NULL;
    sprongus_value values[7];
    OK(sprongus_execute(store, "CREATE TABLE c_values (a BOOLEAN, b BIGINT, c DOUBLE PRECISION, d TEXT, e BYTEA, f DATE, g TEXT)",
                        NULL, 0, NULL, &error));
    values[0] = sprongus_bool(true);
    values[1] = sprongus_int(INT64_MIN);
    values[2] = sprongus_float(0.5);
    values[3] = sprongus_text("t");
    values[4] = sprongus_bytes("\0\xff", 2);
    values[5] = sprongus_typed(SPRONGUS_DATE, "2024-02-29");
    values[6] = sprongus_bytes(NULL, 9);
    OK(sprongus_execute(store, "INSERT INTO c_values VALUES ($1, $2, $3, $4, $5, $6, $7)", values, 7, NULL, &error));
    OK(sprongus_query(store, "SELECT * FROM c_values", NULL, 0, &rows, &error));
    for (size_t column = 0; column < 7; column++) {
        const sprongus_value *value = sprongus_rows_value(rows, 0, column);
        CHECK(value->type == values[column].type);
        CHECK(value->integer == values[column].integer && value->real == values[column].real);
        if (values[column].data == NULL) continue;
        CHECK(value->length == values[column].length && memcmp(value->data, values[column].data, value->length) == 0);
    }
    sprongus_rows_free(rows);
    values[5] = sprongus_typed(SPRONGUS_DATE, "2024-02-30");
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_execute(store, "SELECT $1", &values[5], 1, NULL, &error));
    OK(sprongus_execute(store, "DROP TABLE c_values", NULL, 0, NULL, &error));
}

static void other_handles(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_store *other = NULL;
    OK(sprongus_store_acting_as(store, "somebody", "because", &other, &error));
    CHECK_TEXT(sprongus_store_backend(other), sprongus_store_backend(store));
    sprongus_store_free(other);

    const char *scopes[] = {"runs:read", "aux:read"};
    OK(sprongus_store_scoped(store, "p1", scopes, 2, &other, &error));
    FAILS(SPRONGUS_ERR_PERMISSION_DENIED, sprongus_runs_enqueue(other, "a", NULL, 0, NULL, NULL, &error));
    sprongus_rows *rows = NULL;
    FAILS(SPRONGUS_ERR_PERMISSION_DENIED, sprongus_query(other, "SELECT 1", NULL, 0, &rows, &error));
    sprongus_store *wider = NULL;
    FAILS(SPRONGUS_ERR_PERMISSION_DENIED, sprongus_store_scoped(other, "p2", NULL, 0, &wider, &error));
    CHECK(wider == NULL);
    sprongus_store_free(other);

    const char *unknown[] = {"runs:everything"};
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_store_scoped(store, "p1", unknown, 1, &other, &error));
}

// A child that inherits a store is told so, and frees it without harm to the parent's.
static void forked(sprongus_store *store) {
    sprongus_error *error = NULL;
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        int32_t status = sprongus_runs_enqueue(store, "c.forked", NULL, 0, NULL, NULL, NULL);
        sprongus_store_free(store);
        // What was inherited is left behind, never closed; valgrind would count it if the child just ended.
        execl("/bin/sh", "sh", "-c", status == SPRONGUS_ERR_FORKED ? "exit 0" : "exit 1", (char *)NULL);
        _exit(1);
    }
    int ended = -1;
    CHECK(waitpid(child, &ended, 0) == child && WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    OK(sprongus_runs_enqueue(store, "c.forked", NULL, 0, NULL, NULL, &error));
}

static void snapshots(sprongus_store *store, place at) {
    sprongus_error *error = NULL;
    char path[200];
    snprintf(path, sizeof path, "%s/snapshot-%ld.db", getenv("SPRONGUS_TEST_TMP"), (long)getpid());
    if (at.schema != NULL) {
        FAILS(SPRONGUS_ERR_UNSUPPORTED, sprongus_store_snapshot(store, path, &error));
        return;
    }
    OK(sprongus_store_snapshot(store, path, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_store_snapshot(store, path, &error));
    sprongus_store *copy = NULL;
    OK(sprongus_store_open(path, NULL, &copy, &error));
    sprongus_run_list *runs = NULL;
    OK(sprongus_runs_list(copy, NULL, &runs, &error));
    CHECK(sprongus_run_list_count(runs) > 0);
    sprongus_run_list_free(runs);
    sprongus_store_free(copy);
}

void test_store(place at) {
    sprongus_error *error = NULL;
    sprongus_store *store = test_open(at);
    CHECK_TEXT(sprongus_store_backend(store), at.schema ? "postgres" : "sqlite");
    CHECK(sprongus_store_schema_version(store) > 0);
    CHECK(sprongus_store_url(store) != NULL);
    int64_t version = 0;
    OK(sprongus_store_migrate(store, &version, &error));
    CHECK(version == sprongus_store_schema_version(store));
    rows_and_values(store);
    helpers(store);
    other_handles(store);
    forked(store);
    snapshots(store, at);
    OK(sprongus_store_close(store, &error));
    OK(sprongus_store_close(store, &error));
    FAILS(SPRONGUS_ERR_MISUSE, sprongus_execute(store, "SELECT 1", NULL, 0, NULL, &error));
    sprongus_store_free(store);

    sprongus_buf *sql = NULL;
    OK(sprongus_migration_sql("sqlite", &sql, &error));
    CHECK(test_holds(sprongus_buf_data(sql), "CREATE TABLE"));
    CHECK(sprongus_buf_length(sql) == strlen(sprongus_buf_data(sql)));
    sprongus_buf_free(sql);
    CHECK_TEXT(sprongus_version(), "0.1.0");
}
