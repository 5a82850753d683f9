// Runs through their typed functions: enqueue, claim, report, fencing, lists.
#include "test.h"

void test_runs(place at);

static const sprongus_run *claim(sprongus_store *store, const char *kind, sprongus_run_list **list) {
    sprongus_error *error = NULL;
    sprongus_claim_options options;
    SPRONGUS_INIT(options);
    options.kinds = &kind;
    options.kinds_count = 1;
    OK(sprongus_runs_claim_next(store, "worker-1", &options, list, &error));
    return sprongus_run_list_at(*list, 0);
}

static void from_queue_to_success(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_enqueue_options options;
    SPRONGUS_INIT(options);
    options.idempotency_key = "c-1";
    options.project = "p1";
    options.max_attempts = 5;
    options.priority = 3;
    options.requested_by = "héloïse";
    const char *input = "{\"to\": \"a@b.c\", \"n\": 1.0}";
    sprongus_run *run = NULL;
    OK(sprongus_runs_enqueue(store, "c.mail", input, strlen(input), &options, &run, &error));
    CHECK(strlen(sprongus_run_id(run)) == 26);
    CHECK_TEXT(sprongus_run_state(run), "queued");
    CHECK_TEXT(sprongus_run_input(run), "{\"n\":1.0,\"to\":\"a@b.c\"}");
    CHECK_TEXT(sprongus_run_project_id(run), "p1");
    CHECK(sprongus_run_max_attempts(run) == 5 && sprongus_run_priority(run) == 3 && sprongus_run_attempt(run) == 0);
    CHECK(!sprongus_run_deduplicated(run) && !sprongus_run_is_final(run));
    CHECK(sprongus_run_error(run) == NULL && sprongus_run_output_ref(run) == NULL && sprongus_run_claimed_by(run) == NULL);
    CHECK(test_holds(sprongus_run_to_json(run), "\"requestedBy\":\"héloïse\""));
    CHECK(test_holds(sprongus_run_created_at(run), "Z") && test_holds(sprongus_run_run_at(run), "Z"));

    sprongus_run *again = NULL;
    OK(sprongus_runs_enqueue(store, "c.mail", input, strlen(input), &options, &again, &error));
    CHECK(sprongus_run_deduplicated(again));
    CHECK_TEXT(sprongus_run_id(again), sprongus_run_id(run));
    sprongus_run_free(again);
    FAILS(SPRONGUS_ERR_CONFLICT, sprongus_runs_enqueue(store, "c.mail", "{}", 2, &options, &again, &error));
    CHECK(again == NULL);

    sprongus_run_list *claimed = NULL;
    const sprongus_run *mine = claim(store, "c.mail", &claimed);
    CHECK_TEXT(sprongus_run_id(mine), sprongus_run_id(run));
    CHECK_TEXT(sprongus_run_claimed_by(mine), "worker-1");
    CHECK_TEXT(sprongus_run_state(mine), "running");
    CHECK(sprongus_run_attempt(mine) == 1 && sprongus_run_lease(mine) == 1 && sprongus_run_lease_until(mine) != NULL);
    sprongus_run_free(run);

    sprongus_run *told = NULL;
    OK(sprongus_runs_heartbeat(store, sprongus_run_id(mine), 1, "0.5", 3, 0, &told, &error));
    CHECK_TEXT(sprongus_run_progress(told), "0.5");
    sprongus_run_free(told);
    FAILS(SPRONGUS_ERR_LEASE_LOST, sprongus_runs_succeed(store, sprongus_run_id(mine), 9, NULL, 0, NULL, NULL, &error));
    OK(sprongus_runs_succeed(store, sprongus_run_id(mine), 1, "{\"sent\": true}", 14, NULL, &told, &error));
    CHECK_TEXT(sprongus_run_state(told), "succeeded");
    CHECK(sprongus_run_is_final(told) && sprongus_run_finished_at(told) != NULL);
    sprongus_run_free(told);

    sprongus_buf *text = NULL;
    OK(sprongus_runs_output(store, sprongus_run_id(mine), &text, &error));
    CHECK_TEXT(sprongus_buf_data(text), "{\"sent\":true}");
    sprongus_buf_free(text);
    OK(sprongus_runs_events(store, sprongus_run_id(mine), &text, &error));
    CHECK(test_holds(sprongus_buf_data(text), "run.enqueued") && test_holds(sprongus_buf_data(text), "run.succeeded"));
    sprongus_buf_free(text);
    sprongus_run_list_free(claimed);
}

static void failure_and_cancel(sprongus_store *store) {
    sprongus_error *error = NULL;
    OK(sprongus_runs_enqueue(store, "c.fail", NULL, 0, NULL, NULL, &error));
    sprongus_run_list *claimed = NULL;
    const sprongus_run *mine = claim(store, "c.fail", &claimed);
    CHECK_TEXT(sprongus_run_input(mine), "null");
    sprongus_run *told = NULL;
    OK(sprongus_runs_fail(store, sprongus_run_id(mine), 1, "no route", 0, SPRONGUS_NONE, &told, &error));
    CHECK_TEXT(sprongus_run_state(told), "queued");
    CHECK_TEXT(sprongus_run_error(told), "no route");
    sprongus_run_free(told);
    sprongus_run_list_free(claimed);

    mine = claim(store, "c.fail", &claimed);
    CHECK(sprongus_run_lease(mine) == 2 && sprongus_run_attempt(mine) == 2);
    OK(sprongus_runs_fail(store, sprongus_run_id(mine), 2, "no such host", 1, 0, &told, &error));
    CHECK_TEXT(sprongus_run_state(told), "failed");
    FAILS(SPRONGUS_ERR_INVALID_STATE, sprongus_runs_cancel(store, sprongus_run_id(told), "late", NULL, &error));
    sprongus_run_free(told);
    sprongus_run_list_free(claimed);

    OK(sprongus_runs_enqueue(store, "c.cancel", NULL, 0, NULL, &told, &error));
    sprongus_run *canceled = NULL;
    OK(sprongus_runs_cancel(store, sprongus_run_id(told), "changed my mind", &canceled, &error));
    CHECK_TEXT(sprongus_run_state(canceled), "canceled");
    CHECK_TEXT(sprongus_run_state(told), "queued");  // a record stays as it was
    sprongus_run_free(canceled);
    sprongus_run_free(told);
}

static void report_with_the_next_claim(sprongus_store *store) {
    sprongus_error *error = NULL;
    OK(sprongus_runs_enqueue(store, "c.next", NULL, 0, NULL, NULL, &error));
    OK(sprongus_runs_enqueue(store, "c.next", NULL, 0, NULL, NULL, &error));
    sprongus_run_list *first = NULL;
    sprongus_run_list *second = NULL;
    const char *kind = "c.next";
    const sprongus_run *done = claim(store, kind, &first);
    sprongus_claim_options options;
    SPRONGUS_INIT(options);
    options.kinds = &kind;
    options.kinds_count = 1;
    options.output = "[1]";
    options.output_length = 3;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_runs_claim_next(store, "worker-1", &options, &second, &error));
    options.succeeded = sprongus_run_id(done);
    options.succeeded_lease = 9;
    FAILS(SPRONGUS_ERR_LEASE_LOST, sprongus_runs_claim_next(store, "worker-1", &options, &second, &error));
    options.succeeded_lease = sprongus_run_lease(done);
    OK(sprongus_runs_claim_next(store, "worker-1", &options, &second, &error));
    CHECK(sprongus_run_list_count(second) == 1);
    sprongus_run *told = NULL;
    OK(sprongus_runs_get(store, sprongus_run_id(done), &told, &error));
    CHECK_TEXT(sprongus_run_state(told), "succeeded");
    sprongus_run_free(told);
    const sprongus_run *last = sprongus_run_list_at(second, 0);
    OK(sprongus_runs_succeed(store, sprongus_run_id(last), sprongus_run_lease(last), NULL, 0, NULL, NULL, &error));
    sprongus_run_list_free(first);
    sprongus_run_list_free(second);
}

static void dispatch_and_rescue(sprongus_store *store) {
    sprongus_error *error = NULL;
    OK(sprongus_runs_enqueue(store, "c.dispatch", NULL, 0, NULL, NULL, &error));
    const char *kinds[] = {"c.dis/*", "c.dispatch"};
    sprongus_claim_options options;
    SPRONGUS_INIT(options);
    options.kinds = kinds;
    options.kinds_count = 2;
    options.limit = 10;
    options.dispatch = 1;
    sprongus_run_list *claimed = NULL;
    OK(sprongus_runs_claim_next(store, "worker-1", &options, &claimed, &error));
    const sprongus_run *mine = sprongus_run_list_at(claimed, 0);
    CHECK_TEXT(sprongus_run_state(mine), "dispatching");
    FAILS(SPRONGUS_ERR_INVALID_STATE, sprongus_runs_succeed(store, sprongus_run_id(mine), 1, NULL, 0, NULL, NULL, &error));
    sprongus_run *started = NULL;
    OK(sprongus_runs_start(store, sprongus_run_id(mine), 1, &started, &error));
    CHECK_TEXT(sprongus_run_state(started), "running");
    sprongus_run_free(started);
    OK(sprongus_runs_succeed(store, sprongus_run_id(mine), 1, NULL, 0, "s3://bucket/key", &started, &error));
    CHECK_TEXT(sprongus_run_output_ref(started), "s3://bucket/key");
    sprongus_run_free(started);
    sprongus_run_list_free(claimed);
    int64_t rescued = -1;
    OK(sprongus_runs_rescue(store, 0, &rescued, &error));
    CHECK(rescued == 0);

    options.limit = SPRONGUS_NONE;
    OK(sprongus_runs_claim_next(store, "worker-1", &options, &claimed, &error));
    CHECK(sprongus_run_list_count(claimed) == 0);
    sprongus_run_list_free(claimed);
}

static void many_and_lists(sprongus_store *store) {
    sprongus_error *error = NULL;
    const char *items = "[{\"kind\":\"c.many\",\"input\":1},{\"kind\":\"c.many\",\"input\":2},{\"kind\":\"c.many\",\"delay\":60}]";
    sprongus_run_list *runs = NULL;
    OK(sprongus_runs_enqueue_many(store, items, strlen(items), &runs, &error));
    CHECK(sprongus_run_list_count(runs) == 3);
    CHECK_TEXT(sprongus_run_input(sprongus_run_list_at(runs, 1)), "2");
    CHECK(sprongus_run_list_at(runs, 3) == NULL && sprongus_run_list_next_cursor(runs) == NULL);
    CHECK(sprongus_run_list_to_json(runs)[0] == '[');
    sprongus_run_list_free(runs);

    const char *kind = "c.many";
    const char *state = "queued";
    sprongus_runs_query query;
    SPRONGUS_INIT(query);
    query.kinds = &kind;
    query.kinds_count = 1;
    query.states = &state;
    query.states_count = 1;
    query.oldest_first = 1;
    query.limit = 2;
    OK(sprongus_runs_list(store, &query, &runs, &error));
    CHECK(sprongus_run_list_count(runs) == 2 && sprongus_run_list_next_cursor(runs) != NULL);
    CHECK_TEXT(sprongus_run_input(sprongus_run_list_at(runs, 0)), "1");
    query.cursor = sprongus_run_list_next_cursor(runs);
    sprongus_run_list *rest = NULL;
    OK(sprongus_runs_list(store, &query, &rest, &error));
    CHECK(sprongus_run_list_count(rest) == 1 && sprongus_run_list_next_cursor(rest) == NULL);
    sprongus_run *one = NULL;
    OK(sprongus_runs_get(store, sprongus_run_id(sprongus_run_list_at(rest, 0)), &one, &error));
    CHECK_TEXT(sprongus_run_to_json(one), sprongus_run_to_json(sprongus_run_list_at(rest, 0)));
    sprongus_run_free(one);
    sprongus_run_list_free(rest);
    sprongus_run_list_free(runs);

    const char *unknown = "sleeping";
    query.cursor = NULL;
    query.states = &unknown;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_runs_list(store, &query, &runs, &error));
    CHECK(runs == NULL);
}

void test_runs(place at) {
    sprongus_store *store = test_open(at);
    from_queue_to_success(store);
    failure_and_cancel(store);
    report_with_the_next_claim(store);
    dispatch_and_rescue(store);
    many_and_lists(store);
    sprongus_store_free(store);
}
