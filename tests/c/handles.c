// Handles that are not: freed, stale, of another type, invented.
#include "test.h"

void test_handles(place at);

static void *garbage(uintptr_t bits) {
    return (void *)bits;
}

void test_handles(place at) {
    sprongus_error *error = NULL;
    const int32_t misuse = SPRONGUS_ERR_MISUSE;
    sprongus_store *store = test_open(at);
    sprongus_run *run = NULL;
    OK(sprongus_runs_enqueue(store, "c.handles", NULL, 0, NULL, &run, &error));

    // Of another type.
    FAILS(misuse, sprongus_runs_enqueue(run, "c.handles", NULL, 0, NULL, NULL, &error));
    FAILS(misuse, sprongus_tx_commit((sprongus_tx *)(void *)store, &error));
    FAILS(misuse, sprongus_store_close((sprongus_store *)(void *)run, &error));
    CHECK(sprongus_run_id((const sprongus_run *)(const void *)store) == NULL);
    sprongus_store_free((sprongus_store *)(void *)run);
    sprongus_run_free((sprongus_run *)(void *)store);
    CHECK(sprongus_run_id(run) != NULL);

    // Invented, and addresses of our own.
    int local = 0;
    FAILS(misuse, sprongus_runs_enqueue(&local, "c.handles", NULL, 0, NULL, NULL, &error));
    for (uintptr_t bits = 1; bits != 0; bits <<= 1) {
        FAILS(misuse, sprongus_runs_enqueue(garbage(bits), "c.handles", NULL, 0, NULL, NULL, &error));
        FAILS(misuse, sprongus_runs_enqueue(garbage(~bits), "c.handles", NULL, 0, NULL, NULL, &error));
        sprongus_store_free((sprongus_store *)garbage(bits));
        sprongus_error_free((sprongus_error *)garbage(bits));
    }

    // Freed once, freed twice, and its slot given to another.
    sprongus_run *old = run;
    sprongus_run_free(run);
    sprongus_run_free(old);
    CHECK(sprongus_run_id(old) == NULL);
    for (int times = 0; times < 100; times++) {
        OK(sprongus_runs_enqueue(store, "c.handles", NULL, 0, NULL, &run, &error));
        CHECK(run != old && sprongus_run_id(old) == NULL && sprongus_run_id(run) != NULL);
        sprongus_run_free(run);
    }

    // What a list owns, the list frees.
    sprongus_run_list *list = NULL;
    OK(sprongus_runs_list(store, NULL, &list, &error));
    sprongus_run *borrowed = (sprongus_run *)(void *)(uintptr_t)sprongus_run_list_at(list, 0);
    sprongus_run_free(borrowed);
    CHECK(sprongus_run_id(borrowed) != NULL);
    sprongus_run_list_free(list);
    CHECK(sprongus_run_id(borrowed) == NULL && sprongus_run_list_count(list) == 0);
    sprongus_run_list_free(list);

    sprongus_tx *tx = NULL;
    OK(sprongus_tx_begin(store, &tx, &error));
    sprongus_tx_free(tx);
    FAILS(misuse, sprongus_tx_commit(tx, &error));
    FAILS(misuse, sprongus_call(tx, "store.info", NULL, 0, NULL, &error));
    sprongus_store_free(store);
    sprongus_store_free(store);
    FAILS(misuse, sprongus_call(store, "store.info", NULL, 0, NULL, &error));
    FAILS(misuse, sprongus_store_close(store, &error));
    CHECK(sprongus_store_url(store) == NULL);

    // Errors are handles too.
    CHECK(sprongus_store_close(store, &error) == misuse);
    sprongus_error *gone = error;
    sprongus_error_free(error);
    sprongus_error_free(gone);
    CHECK(sprongus_error_code(gone) == SPRONGUS_OK && sprongus_error_message(gone) == NULL);
}
