// A worker whose handlers are functions of C: what they return, approvals in the middle, stopping, misuse.
#include "test.h"

void test_worker(place at);

typedef struct notes {
    int called;
    int destroyed;
} notes;

static void destroy(void *user_data) {
    ((notes *)user_data)->destroyed++;
}

static int32_t greet(void *user_data, const sprongus_context *context) {
    ((notes *)user_data)->called++;
    const char *name = sprongus_run_input(sprongus_context_run(context));
    sprongus_error *error = NULL;
    OK(sprongus_context_heartbeat(context, "0.5", 3, &error));
    CHECK(!sprongus_context_canceled(context));
    OK(sprongus_context_output(context, name, strlen(name), &error));
    return SPRONGUS_DONE;
}

static int32_t refer(void *user_data, const sprongus_context *context) {
    (void)user_data;
    sprongus_error *error = NULL;
    sprongus_tx *tx = NULL;
    OK(sprongus_context_begin(context, &tx, &error));
    OK(sprongus_runs_enqueue(tx, "w.child", NULL, 0, NULL, NULL, &error));
    OK(sprongus_context_commit(context, tx, &error));
    sprongus_tx_free(tx);
    OK(sprongus_context_output_ref(context, "s3://b/o", &error));
    return SPRONGUS_DONE;
}

static int32_t give_up(void *user_data, const sprongus_context *context) {
    (void)user_data;
    sprongus_context_failure(context, "no such city", NULL);
    return SPRONGUS_FATAL;
}

// Fails by the status of a call, then succeeds.
static int32_t stumble(void *user_data, const sprongus_context *context) {
    if (((notes *)user_data)->called++ == 0) {
        sprongus_run *run = NULL;
        return sprongus_runs_get(sprongus_context_store(context), "nothing", &run, NULL);
    }
    return SPRONGUS_DONE;
}

static int32_t put_off(void *user_data, const sprongus_context *context) {
    if (((notes *)user_data)->called++ == 0) {
        sprongus_context_snooze(context, SPRONGUS_NONE, NULL);
        return SPRONGUS_SNOOZED;
    }
    return sprongus_run_attempt(sprongus_context_run(context)) == 1 ? SPRONGUS_DONE : SPRONGUS_FATAL;
}

// Does a step, asks, goes on where leave is given.
static int32_t push(void *user_data, const sprongus_context *context) {
    notes *seen = (notes *)user_data;
    const sprongus_run *run = sprongus_context_run(context);
    const sprongus_store *store = sprongus_context_store(context);
    sprongus_error *error = NULL;
    sprongus_buf *built = NULL;
    OK(sprongus_runs_find_step(store, sprongus_run_id(run), sprongus_run_lease(run), "build", &built, &error));
    if (built == NULL) {
        seen->called++;
        OK(sprongus_runs_save_step(store, sprongus_run_id(run), sprongus_run_lease(run), "build", "17", 2, &built, &error));
    }
    sprongus_approval *leave = NULL;
    OK(sprongus_context_approval(context, "repo.push", "push build 17", NULL, &leave, &error));
    bool decided = sprongus_approval_decision(leave) != NULL;
    sprongus_approval_free(leave);
    if (decided) OK(sprongus_context_output(context, sprongus_buf_data(built), sprongus_buf_length(built), &error));
    sprongus_buf_free(built);
    return decided ? SPRONGUS_DONE : SPRONGUS_AWAITING;
}

static char *enqueue(sprongus_store *store, const char *kind) {
    static char ids[8][64];
    static int next = 0;
    sprongus_error *error = NULL;
    sprongus_enqueue_options options;
    SPRONGUS_INIT(options);
    options.max_attempts = 2;
    sprongus_run *run = NULL;
    OK(sprongus_runs_enqueue(store, kind, "\"Ada\"", 5, &options, &run, &error));
    char *id = ids[next++ % 8];
    snprintf(id, sizeof ids[0], "%s", sprongus_run_id(run));
    sprongus_run_free(run);
    return id;
}

static void is(sprongus_store *store, const char *id, const char *state, const char *holds) {
    sprongus_error *error = NULL;
    sprongus_run *run = NULL;
    OK(sprongus_runs_get(store, id, &run, &error));
    CHECK_TEXT(sprongus_run_state(run), state);
    CHECK(test_holds(sprongus_run_to_json(run), holds));
    sprongus_run_free(run);
}

static void handlers_of_every_kind(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_worker_options options;
    SPRONGUS_INIT(options);
    options.worker_id = "c-worker";
    options.concurrency = 1;
    sprongus_worker *worker = NULL;
    OK(sprongus_worker_new(store, &options, &worker, &error));
    CHECK_TEXT(sprongus_worker_id(worker), "c-worker");
    FAILS(SPRONGUS_ERR_MISUSE, sprongus_worker_run_until_idle(worker, SPRONGUS_NONE, &error));
    notes greeted = {0, 0}, stumbled = {0, 0}, slept = {0, 0}, pushed = {0, 0};
    OK(sprongus_worker_handle(worker, "w.greet", greet, &greeted, destroy, &error));
    OK(sprongus_worker_handle(worker, "w.refer", refer, NULL, NULL, &error));
    OK(sprongus_worker_handle(worker, "w.give_up", give_up, NULL, NULL, &error));
    OK(sprongus_worker_handle(worker, "w.stumble", stumble, &stumbled, NULL, &error));
    OK(sprongus_worker_handle(worker, "w.put_off", put_off, &slept, NULL, &error));
    OK(sprongus_worker_handle(worker, "w.push", push, &pushed, NULL, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_worker_handle(worker, "w.none", NULL, &greeted, destroy, &error));
    CHECK(greeted.destroyed == 1);
    char *hello = enqueue(store, "w.greet"), *there = enqueue(store, "w.refer"), *lost = enqueue(store, "w.give_up");
    char *twice = enqueue(store, "w.stumble"), *later = enqueue(store, "w.put_off"), *gated = enqueue(store, "w.push");
    OK(sprongus_worker_run_until_idle(worker, 3000, &error));
    is(store, hello, "succeeded", "\"claimedBy\":\"c-worker\"");
    is(store, there, "succeeded", "s3://b/o");
    is(store, lost, "failed", "no such city");
    is(store, twice, "succeeded", "\"attempt\":2");
    is(store, later, "succeeded", "\"attempt\":1");
    is(store, gated, "awaiting_approval", "\"lease\":1");
    sprongus_approval_options leave;
    SPRONGUS_INIT(leave);
    leave.scope = "repo.push";
    OK(sprongus_approvals_approve(store, gated, "ada", &leave, NULL, &error));
    OK(sprongus_worker_run_until_idle(worker, SPRONGUS_NONE, &error));
    is(store, gated, "succeeded", "\"attempt\":1");
    CHECK(pushed.called == 1 && greeted.called == 1 && slept.called == 2);
    sprongus_buf *output = NULL;
    OK(sprongus_runs_output(store, hello, &output, &error));
    CHECK_TEXT(sprongus_buf_data(output), "\"Ada\"");
    sprongus_buf_free(output);
    OK(sprongus_worker_metrics(worker, &output, &error));
    CHECK(test_holds(sprongus_buf_data(output), "\"succeeded\":5") && test_holds(sprongus_buf_data(output), "\"failed\":1"));
    sprongus_buf_free(output);
    sprongus_worker_free(worker);
    CHECK(greeted.destroyed == 2);
    sprongus_worker_free(worker);
    FAILS(SPRONGUS_ERR_MISUSE, sprongus_worker_run(worker, &error));
}

static void started_and_stopped(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_worker *worker = NULL;
    OK(sprongus_worker_new(store, NULL, &worker, &error));
    notes greeted = {0, 0};
    OK(sprongus_worker_handle(worker, "w.*", greet, &greeted, destroy, &error));
    OK(sprongus_worker_handle(worker, "w.started", greet, &greeted, destroy, &error));
    OK(sprongus_worker_start(worker, &error));
    FAILS(SPRONGUS_ERR_MISUSE, sprongus_worker_start(worker, &error));
    FAILS(SPRONGUS_ERR_MISUSE, sprongus_worker_handle(worker, "w.late", greet, NULL, NULL, &error));
    char *id = enqueue(store, "w.started");
    sprongus_run *done = NULL;
    OK(sprongus_runs_wait(store, id, 20000, &done, &error));
    CHECK_TEXT(sprongus_run_state(done), "succeeded");
    sprongus_run_free(done);
    bool ended = false;
    OK(sprongus_worker_stop(worker, 20000, &ended, &error));
    CHECK(ended);
    sprongus_worker_free(worker);
    CHECK(greeted.destroyed == 2 && greeted.called == 1);
    CHECK(sprongus_context_run(NULL) == NULL && sprongus_context_store(NULL) == NULL && sprongus_context_canceled(NULL));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_context_output(NULL, "1", 1, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_worker_new(NULL, NULL, &worker, &error));
    sprongus_worker_options options;
    SPRONGUS_INIT(options);
    options.concurrency = 5000;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_worker_new(store, &options, &worker, &error));
    CHECK(worker == NULL);
}

void test_worker(place at) {
    sprongus_store *store = test_open(at);
    handlers_of_every_kind(store);
    started_and_stopped(store);
    sprongus_store_free(store);
}
