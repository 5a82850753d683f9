// Calls at random over the C ABI, from several threads, with handles in every state: `random_calls URL [SCHEMA]`.
//
// SPRONGUS_TEST_SEED and SPRONGUS_TEST_CALLS set where it begins and how long it goes on. What must hold: no crash, no
// `panic`, and an error exactly where a status says so.
#include "test.h"

#include <pthread.h>

int test_checks = 0;

enum { HANDLES = 16, THREADS = 3 };

// Handles of any type, live, freed, or never made; threads share them.
static void *handles[HANDLES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sprongus_store *store = NULL;

static uint64_t next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void *any(uint64_t *state) {
    uint64_t which = next(state) % (HANDLES * 2);
    if (which == HANDLES) return NULL;
    if (which == HANDLES + 1) return (void *)(uintptr_t)next(state);
    if (which > HANDLES + 1) return store;
    pthread_mutex_lock(&lock);
    void *handle = handles[which];
    pthread_mutex_unlock(&lock);
    return handle;
}

static void keep(void *handle, uint64_t *state) {
    if (handle == NULL) return;
    pthread_mutex_lock(&lock);
    handles[next(state) % HANDLES] = handle;
    pthread_mutex_unlock(&lock);
}

static const char *any_text(uint64_t *state) {
    static const char *texts[] = {NULL, "", "a", "c.random", "p1", "assets", "a-1", "\xff", "a\nb", "'; DROP TABLE x", "label@2",
                                  "restrict", "custom", ":memory:", "SELECT 1", "01HZZZZZZZZZZZZZZZZZZZZZZZ"};
    return texts[next(state) % (sizeof texts / sizeof *texts)];
}

static const char *any_json(uint64_t *state) {
    static const char *texts[] = {"{}",  "null", "[]", "{\"title\":\"t\",\"id\":\"a-1\"}", "[{\"kind\":\"c.random\"}]", "{\"a\":",
                                  "\"x", "1e999", "[[[[1]]]]", "{\"kind\":\"c.random\",\"input\":{\"a\":[1,2.0]}}",
                                  "{\"name\":\"a\",\"columns\":[{\"name\":\"a\",\"type\":\"blob\"}]}", "{\"a\":{\"$bytes\":\"AQ==\"}}"};
    return texts[next(state) % (sizeof texts / sizeof *texts)];
}

// Frees whatever it is, as whatever it is not.
#define FREED 12

static void free_any(void *handle, uint64_t which) {
    if (handle == store) return;
    switch (which % FREED) {
        case 0: sprongus_tx_free((sprongus_tx *)handle); break;
        case 1: sprongus_run_free((sprongus_run *)handle); break;
        case 2: sprongus_run_list_free((sprongus_run_list *)handle); break;
        case 3: sprongus_entry_free((sprongus_entry *)handle); break;
        case 4: sprongus_rows_free((sprongus_rows *)handle); break;
        case 5: sprongus_buf_free((sprongus_buf *)handle); break;
        case 6: sprongus_approval_free((sprongus_approval *)handle); break;
        case 7: sprongus_approval_list_free((sprongus_approval_list *)handle); break;
        case 8: sprongus_worker_free((sprongus_worker *)handle); break;
        case 9: sprongus_project_free((sprongus_project *)handle); break;
        case 10: sprongus_project_list_free((sprongus_project_list *)handle); break;
        default: sprongus_store_free((sprongus_store *)handle);
    }
}

static int32_t call_any(uint64_t *state, sprongus_error **error) {
    void *on = any(state);
    const char *a = any_text(state), *b = any_text(state), *c = any_text(state), *json = any_json(state);
    size_t length = strlen(json);
    int64_t number = (int64_t)(next(state) % 4) - 1;
    uint32_t flags = (uint32_t)(next(state) % 1024);
    sprongus_run *run = NULL;
    sprongus_run_list *runs = NULL;
    sprongus_entry *entry = NULL;
    sprongus_rows *rows = NULL;
    sprongus_buf *buf = NULL;
    sprongus_tx *tx = NULL;
    sprongus_store *other = NULL;
    sprongus_approval *approval = NULL;
    sprongus_approval_list *approvals = NULL;
    sprongus_worker *worker = NULL;
    sprongus_project *project = NULL;
    sprongus_project_list *projects = NULL;
    uint64_t rest = 0;
    bool truth = false;
    int64_t done = 0;
    const char *id = sprongus_run_id((sprongus_run *)any(state));
    int32_t status = SPRONGUS_OK;
    switch (next(state) % 60) {
        case 0: status = sprongus_runs_enqueue(on, a, json, length, NULL, &run, error); break;
        case 1: status = sprongus_runs_enqueue_many(on, json, length, &runs, error); break;
        case 2: status = sprongus_runs_claim_next(on, a, NULL, &runs, error); break;
        case 3: status = sprongus_runs_list(on, NULL, &runs, error); break;
        case 4: status = sprongus_runs_succeed(on, sprongus_run_id((sprongus_run *)any(state)), number, json, length, a, &run, error); break;
        case 5: status = sprongus_runs_fail(on, a, number, b, (int32_t)number, number, &run, error); break;
        case 6: status = sprongus_aux_create(on, a, b, json, length, c, &entry, error); break;
        case 7: status = sprongus_aux_upsert(on, "p1", "assets", json, length, c, flags, &entry, error); break;
        case 8: status = sprongus_aux_update(on, a, b, c, json, length, flags, number, &entry, error); break;
        case 9: status = sprongus_aux_delete(on, "p1", "assets", a, b, &buf, error); break;
        case 10: status = sprongus_query(on, a, NULL, 0, &rows, error); break;
        case 11: status = sprongus_call(on, "runs.enqueue", json, length, &buf, error); break;
        case 12: status = sprongus_call(on, a, json, length, &buf, error); break;
        case 13: status = sprongus_store_acting_as((sprongus_store *)on, a, b, &other, error); break;
        case 14: status = sprongus_tx_savepoint((sprongus_tx *)on, &tx, error); break;
        case 15: status = sprongus_tx_commit((sprongus_tx *)on, error); break;
        case 16: status = sprongus_tx_rollback((sprongus_tx *)on, error); break;
        case 17: status = sprongus_presets_validate(on, a, json, length, &buf, error); break;
        case 18: status = sprongus_runs_events(on, a, &buf, error); break;
        case 19: status = sprongus_runs_snooze(on, id, number, number, &run, error); break;
        case 20: status = sprongus_runs_retry(on, id, &run, error); break;
        case 21: status = sprongus_runs_find_idempotent(on, a, b, &run, error); break;
        case 22: status = sprongus_runs_find_step(on, id, number, a, &buf, error); break;
        case 23: status = sprongus_runs_save_step(on, id, number, a, json, length, &buf, error); break;
        case 24: status = sprongus_runs_steps(on, id, &buf, error); break;
        case 25: status = sprongus_runs_succeed_many(on, json, length, &buf, error); break;
        case 26: status = sprongus_runs_fail_many(on, json, length, &buf, error); break;
        case 27: status = sprongus_runs_explain(on, id, &buf, error); break;
        case 28: status = sprongus_runs_stats(on, a, number, &buf, error); break;
        case 29: status = sprongus_runs_limit_kind(on, a, number, number, number, error); break;
        case 30: status = sprongus_runs_limits(on, &buf, error); break;
        case 31: status = sprongus_runs_prune(on, 0, 0, number, &done, error); break;
        case 32: status = sprongus_runs_wait(on, id, SPRONGUS_NONE, &run, error); break;
        case 33: status = sprongus_approvals_request(on, id, number, a, b, NULL, &approval, error); break;
        case 34: status = sprongus_approvals_approve(on, id, a, NULL, &approval, error); break;
        case 35: status = sprongus_approvals_deny(on, id, a, NULL, &approval, error); break;
        case 36: status = sprongus_approvals_list(on, NULL, &approvals, error); break;
        case 37: status = sprongus_inbox_accept(on, a, b, c, json, length, &run, &truth, error); break;
        case 38: status = sprongus_schedules_put(on, a, b, json, length, NULL, &buf, error); break;
        case 39: status = sprongus_schedules_next_times(on, a, b, number, &buf, error); break;
        case 40: status = sprongus_events_read(on, NULL, &buf, error); break;
        case 41: status = sprongus_worker_new((sprongus_store *)on, NULL, &worker, error); break;
        case 42: status = sprongus_worker_run((sprongus_worker *)on, error); break;
        case 43: status = sprongus_tables_create(on, json, length, error); break;
        case 44: status = sprongus_tables_exists(on, a, &truth, error); break;
        case 45: status = sprongus_tables_describe(on, a, &buf, error); break;
        case 46: status = sprongus_tables_insert(on, "a", json, length, &buf, error); break;
        case 47: status = sprongus_tables_insert_many(on, a, json, length, &buf, error); break;
        case 48: status = sprongus_tables_update(on, "a", b, json, length, error); break;
        case 49: status = sprongus_tables_query(on, "a", NULL, &rows, error); break;
        case 50: status = sprongus_tables_count(on, a, json, &rest, error); break;
        case 51: status = sprongus_tables_delete(on, "a", b, error); break;
        case 52: status = sprongus_projects_create(on, a, b, c, a, &project, error); break;
        case 53: status = sprongus_projects_update(on, a, b, c, a, b, &project, error); break;
        case 54: status = sprongus_projects_list(on, a, number, b, &projects, error); break;
        case 55: status = sprongus_projects_install(on, a, &buf, error); break;
        case 56: status = sprongus_projects_delete(on, a, flags, error); break;
        case 57: status = sprongus_config_set(on, a, json, length, b, error); break;
        case 58: status = sprongus_config_get(on, a, b, &buf, error); break;
        default: free_any(on, next(state)); return SPRONGUS_OK;
    }
    if (status != SPRONGUS_OK) {
        if (run || runs || entry || rows || buf || tx || other || approval || approvals || worker || project || projects) test_failed(__FILE__, __LINE__, "a result beside an error");
    }
    (void)sprongus_run_to_json((sprongus_run *)any(state));
    (void)sprongus_approval_to_json((sprongus_approval *)any(state));
    (void)sprongus_project_to_json((sprongus_project *)any(state));
    (void)sprongus_context_canceled((sprongus_context *)any(state));
    (void)sprongus_rows_value((sprongus_rows *)any(state), 0, 0);
    (void)sprongus_run_list_at((sprongus_run_list *)any(state), (size_t)next(state));
    keep(run, state);
    keep(runs, state);
    keep(entry, state);
    keep(rows, state);
    keep(buf, state);
    keep(tx, state);
    keep(other, state);
    keep(approval, state);
    keep(approvals, state);
    keep(worker, state);
    keep(project, state);
    keep(projects, state);
    return status;
}

static long calls = 10000;

static void *thread(void *seed) {
    uint64_t state = *(uint64_t *)seed;
    for (long number = 0; number < calls; number++) {
        sprongus_error *error = NULL;
        int32_t status = call_any(&state, &error);
        if (status == SPRONGUS_ERR_PANIC || sprongus_error_code(error) != status) {
            fprintf(stderr, "call %ld from seed: %d, %s\n", number, (int)status, error ? sprongus_error_message(error) : "-");
            exit(1);
        }
        sprongus_error_free(error);
        if (number % 50 == 0) {  // a transaction that is short, so that the writer is free for the others
            sprongus_tx *tx = NULL;
            if (sprongus_tx_begin(store, &tx, NULL) == SPRONGUS_OK) {
                sprongus_runs_enqueue(tx, "c.random", NULL, 0, NULL, NULL, NULL);
                if (next(&state) % 2) sprongus_tx_commit(tx, NULL);
            }
            sprongus_tx_free(tx);
            keep(tx, &state);  // as a handle that is gone
        }
    }
    return NULL;
}

int main(int count, char **arguments) {
    if (count < 2) return 2;
    const char *given = getenv("SPRONGUS_TEST_SEED");
    const char *many = getenv("SPRONGUS_TEST_CALLS");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 20240229;
    if (many) calls = strtol(many, NULL, 10);
    sprongus_options options;
    SPRONGUS_INIT(options);
    options.schema = count > 2 ? arguments[2] : NULL;
    options.call_timeout_ms = 5000;
    sprongus_error *error = NULL;
    OK(sprongus_store_open(arguments[1], &options, &store, &error));
    pthread_t threads[THREADS];
    uint64_t seeds[THREADS];
    for (int index = 0; index < THREADS; index++) {
        seeds[index] = seed + (uint64_t)index + 1;
        CHECK(pthread_create(&threads[index], NULL, thread, &seeds[index]) == 0);
    }
    for (int index = 0; index < THREADS; index++) pthread_join(threads[index], NULL);
    OK(sprongus_runs_enqueue(store, "c.after", NULL, 0, NULL, NULL, &error));
    for (int index = 0; index < HANDLES; index++) {
        for (uint64_t kind = 0; kind < FREED; kind++) free_any(handles[index], kind);
    }
    sprongus_store_free(store);
    printf("%ld random calls on %d threads, seed %llu\n", calls, THREADS, (unsigned long long)seed);
    return 0;
}
