// A C host lends its own SQLite connection: `host_sqlite FILE`. No store of ours has that file open in this process.
#include "host.h"
#include "host_sqlite.h"

int test_checks = 0;

int main(int count, char **arguments) {
    if (count < 2) return 2;
    sprongus_error *error = NULL;
    sqlite3 *db = NULL;
    CHECK(sqlite3_open(arguments[1], &db) == SQLITE_OK);
    sprongus_host host = host_over(db);
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
    CHECK(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
    CHECK(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
    host.destroy = NULL;
    OK(sprongus_attach(&host, NULL, &tx, &error));
    sprongus_buf *report = NULL;
    OK(sprongus_call(tx, "store.doctor", NULL, 0, &report, &error));
    // Before 3.51.3 it is told to take a newer one, or the bundled one.
    CHECK(test_holds(sprongus_buf_data(report), "\"code\":\"old_sqlite") == (sqlite3_libversion_number() < 3051003));
    sprongus_buf_free(report);
    sprongus_tx_free(tx);
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
    OK(sprongus_store_doctor(store, 1, &report, &error));
    CHECK(!test_holds(sprongus_buf_data(report), "old_sqlite"));
    sprongus_buf_free(report);
    sprongus_store_free(store);
    printf("%d checks within a host's SQLite transaction\n", test_checks);
    return 0;
}
