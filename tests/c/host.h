// What a host's transaction is held to, whichever database it lends.
#ifndef SPRONGUS_TEST_HOST_H
#define SPRONGUS_TEST_HOST_H

#include "test.h"

static int host_destroyed = 0;

// Runs, entries, values and savepoints through the functions of `host`; the caller commits.
static inline void host_works(const sprongus_host *host) {
    sprongus_error *error = NULL;
    sprongus_tx *tx = NULL;
    OK(sprongus_attach(host, NULL, &tx, &error));

    sprongus_run *run = NULL;
    const char *input = "{\"float\": 1e16, \"text\": \"h\xc3\xa9\"}";
    OK(sprongus_runs_enqueue(tx, "host.kind", input, strlen(input), NULL, &run, &error));
    CHECK_TEXT(sprongus_run_input(run), "{\"float\":1e16,\"text\":\"h\xc3\xa9\"}");
    sprongus_run *same = NULL;
    OK(sprongus_runs_get(tx, sprongus_run_id(run), &same, &error));
    CHECK_TEXT(sprongus_run_to_json(same), sprongus_run_to_json(run));
    sprongus_run_free(same);
    sprongus_run_free(run);
    sprongus_run_list *claimed = NULL;
    OK(sprongus_runs_claim_next(tx, "w", NULL, &claimed, &error));
    const sprongus_run *mine = sprongus_run_list_at(claimed, 0);
    CHECK(mine != NULL);
    OK(sprongus_runs_succeed(tx, sprongus_run_id(mine), sprongus_run_lease(mine), "1", 1, NULL, NULL, &error));
    sprongus_run_list_free(claimed);

    OK(sprongus_aux_create(tx, "p1", "assets", "{\"title\":\"a\"}", 13, "a-1", NULL, &error));
    FAILS(SPRONGUS_ERR_CONFLICT, sprongus_aux_create(tx, "p1", "assets", "{\"title\":\"a\"}", 13, "a-1", NULL, &error));
    const char *items = "[{\"id\":\"a-2\",\"title\":\"b\"},{\"id\":\"a-3\",\"title\":\"c\"}]";
    OK(sprongus_aux_bulk_upsert(tx, "p1", "assets", items, strlen(items), 0, NULL, NULL, NULL, &error));
    uint64_t count = 0;
    OK(sprongus_aux_count(tx, "p1", "assets", NULL, NULL, &count, &error));
    CHECK(count == 3);

    // The host's own SQL; a parameter used twice and out of order.
    sprongus_value values[2];
    values[0] = sprongus_text("x");
    values[1] = sprongus_int(7);
    OK(sprongus_execute(tx, "INSERT INTO host_own (id, name, other) VALUES ($2, $1, $1)", values, 2, &count, &error));
    CHECK(count == 1);
    sprongus_rows *rows = NULL;
    OK(sprongus_query(tx, "SELECT id, name, other FROM host_own WHERE id = $1", &values[1], 1, &rows, &error));
    CHECK_TEXT(sprongus_rows_to_json(rows), "[{\"id\":7,\"name\":\"x\",\"other\":\"x\"}]");
    sprongus_rows_free(rows);

    // A failed statement poisons until the savepoint is rolled back.
    sprongus_tx *inner = NULL;
    OK(sprongus_tx_savepoint(tx, &inner, &error));
    FAILS(SPRONGUS_ERR_CONFLICT,
          sprongus_execute(inner, "INSERT INTO host_own (id, name, other) VALUES ($2, $1, $1)", values, 2, NULL, &error));
    FAILS(SPRONGUS_ERR_MISUSE, sprongus_query(tx, "SELECT 1", NULL, 0, &rows, &error));
    OK(sprongus_tx_rollback(inner, &error));
    sprongus_tx_free(inner);
    OK(sprongus_query(tx, "SELECT 1", NULL, 0, &rows, &error));
    sprongus_rows_free(rows);

    // The host commits.
    sprongus_tx *whole = NULL;
    OK(sprongus_tx_acting_as(tx, "host", NULL, &whole, &error));
    FAILS(SPRONGUS_ERR_MISUSE, sprongus_tx_commit(whole, &error));
    sprongus_tx_free(whole);
    CHECK(host_destroyed == 0);
    sprongus_tx_free(tx);
    CHECK(host_destroyed == 1);
}

// Tables of functions that cannot work, and what the data of theirs becomes.
static inline void host_refused(sprongus_host host) {
    sprongus_error *error = NULL;
    sprongus_tx *tx = NULL;
    sprongus_host broken = host;
    broken.query = NULL;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_attach(&broken, NULL, &tx, &error));
    CHECK(tx == NULL && host_destroyed == 1);
    broken = host;
    broken.dialect = 9;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_attach(&broken, NULL, &tx, &error));
    CHECK(host_destroyed == 2);
    broken = host;
    broken.struct_size = 3;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_attach(&broken, NULL, &tx, &error));
    CHECK(host_destroyed == 2);
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_attach(&host, NULL, NULL, &error));
    CHECK(host_destroyed == 3);
    host_destroyed = 0;
}

static void host_destroy(void *user_data) {
    (void)user_data;
    host_destroyed++;
}

#endif  // SPRONGUS_TEST_HOST_H
