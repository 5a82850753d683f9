// Handles that other threads free, end or close in the middle of calls: `threads URL [SCHEMA]`.
#define _POSIX_C_SOURCE 200809L  // nanosleep, alarm

#include "test.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

int test_checks = 0;

enum { THREADS = 3, ROUNDS = 20 };

static void *in_use = NULL;  // a store or a transaction

static void pause_ms(long ms) {
    struct timespec time = {0, ms * 1000000};
    nanosleep(&time, NULL);
}

// Enqueues until it is told that there is nothing to enqueue into; how often it went well.
static void *busy(void *well) {
    for (;;) {
        sprongus_error *error = NULL;
        int32_t status = sprongus_runs_enqueue(in_use, "c.busy", "{}", 2, NULL, NULL, &error);
        if (status != SPRONGUS_OK && status != SPRONGUS_ERR_MISUSE) test_failed(__FILE__, __LINE__, sprongus_error_message(error));
        sprongus_error_free(error);
        if (status != SPRONGUS_OK) return NULL;
        ++*(int64_t *)well;
    }
}

// Lets threads use it, takes it away from under them, and gives how many calls went well.
static int64_t taken_away(void *handle, void (*take)(void *)) {
    pthread_t threads[THREADS];
    int64_t well[THREADS] = {0};
    int64_t all = 0;
    in_use = handle;
    for (int index = 0; index < THREADS; index++) CHECK(pthread_create(&threads[index], NULL, busy, &well[index]) == 0);
    pause_ms(10);
    take(handle);
    for (int index = 0; index < THREADS; index++) {
        pthread_join(threads[index], NULL);
        all += well[index];
    }
    return all;
}

static void free_tx(void *tx) { sprongus_tx_free((sprongus_tx *)tx); }
static void free_store(void *store) { sprongus_store_free((sprongus_store *)store); }
static void close_store(void *store) { CHECK(sprongus_store_close((sprongus_store *)store, NULL) == SPRONGUS_OK); }
static void commit_tx(void *tx) { CHECK(sprongus_tx_commit((sprongus_tx *)tx, NULL) == SPRONGUS_OK); }

static int64_t stored(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_rows *rows = NULL;
    OK(sprongus_query(store, "SELECT count(*) FROM sprongus_runs WHERE kind = 'c.busy'", NULL, 0, &rows, &error));
    int64_t count = sprongus_rows_value(rows, 0, 0)->integer;
    sprongus_rows_free(rows);
    return count;
}

static void transactions(sprongus_store *store) {
    sprongus_error *error = NULL;
    int64_t kept = 0;
    for (int round = 0; round < ROUNDS; round++) {
        sprongus_tx *tx = NULL;
        OK(sprongus_tx_begin(store, &tx, &error));
        int64_t well = taken_away(tx, round % 2 ? free_tx : commit_tx);
        if (round % 2 == 0) kept += well;
        sprongus_tx_free(tx);
    }
    CHECK(kept > 0 && stored(store) == kept);
}

static void *ended_here(void *tx) {
    sprongus_error *error = NULL;
    OK(sprongus_runs_enqueue(tx, "c.other", NULL, 0, NULL, NULL, &error));
    sprongus_tx_free((sprongus_tx *)tx);
    return NULL;
}

// A transaction may be used and freed by another thread than began it, which then is outside of it again.
static void handed_over(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_tx *tx = NULL;
    sprongus_tx *second = NULL;
    pthread_t thread;
    OK(sprongus_tx_begin(store, &tx, &error));
    FAILS(SPRONGUS_ERR_MISUSE, sprongus_tx_begin(store, &second, &error));
    FAILS(SPRONGUS_ERR_MISUSE, sprongus_store_migrate(store, NULL, &error));
    FAILS(SPRONGUS_ERR_MISUSE, sprongus_store_snapshot(store, "/no/such/folder/copy.db", &error));
    CHECK(pthread_create(&thread, NULL, ended_here, tx) == 0);
    pthread_join(thread, NULL);
    OK(sprongus_runs_enqueue(store, "c.here", NULL, 0, NULL, NULL, &error));
}

// A store closed while a transaction of it is open: that can still be ended, and no more.
static void closed_under(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_tx *tx = NULL;
    OK(sprongus_tx_begin(store, &tx, &error));
    OK(sprongus_runs_enqueue(tx, "c.closed", NULL, 0, NULL, NULL, &error));
    OK(sprongus_store_close(store, &error));
    FAILS(SPRONGUS_ERR_MISUSE, sprongus_runs_enqueue(tx, "c.closed", NULL, 0, NULL, NULL, &error));
    OK(sprongus_tx_commit(tx, &error));
    sprongus_tx_free(tx);
}

int main(int count, char **arguments) {
    if (count < 2) return 2;
    alarm(300);
    sprongus_options options;
    SPRONGUS_INIT(options);
    options.schema = count > 2 ? arguments[2] : NULL;
    sprongus_error *error = NULL;
    sprongus_store *store = NULL;
    sprongus_store *further = NULL;
    OK(sprongus_store_open(arguments[1], &options, &store, &error));
    transactions(store);
    handed_over(store);

    int64_t before = stored(store);
    OK(sprongus_store_acting_as(store, "busy", NULL, &further, &error));
    int64_t well = taken_away(further, free_store);
    CHECK(well > 0 && stored(store) == before + well);
    CHECK(taken_away(store, close_store) > 0);
    sprongus_store_free(store);

    OK(sprongus_store_open(arguments[1], &options, &store, &error));
    closed_under(store);
    sprongus_store_free(store);
    printf("%d checks of handles taken away in use\n", test_checks);
    return 0;
}
