// The queue beyond claim and report: batches, snooze, retry, steps, approvals, inbox, schedules, feed, limits, figures.
#include "test.h"

void test_queue(place at);

// The one run of that kind, claimed.
static sprongus_run_list *claim(sprongus_store *store, const char *kind) {
    sprongus_error *error = NULL;
    sprongus_claim_options options;
    SPRONGUS_INIT(options);
    options.kinds = &kind;
    options.kinds_count = 1;
    options.limit = 10;
    sprongus_run_list *list = NULL;
    OK(sprongus_runs_claim_next(store, "worker-q", &options, &list, &error));
    return list;
}

static void put_off_and_retried(sprongus_store *store) {
    sprongus_error *error = NULL;
    OK(sprongus_runs_enqueue(store, "q.snooze", NULL, 0, NULL, NULL, &error));
    sprongus_run_list *mine = claim(store, "q.snooze");
    const sprongus_run *run = sprongus_run_list_at(mine, 0);
    const char *id = sprongus_run_id(run);
    sprongus_run *told = NULL;
    FAILS(SPRONGUS_ERR_LEASE_LOST, sprongus_runs_snooze(store, id, 7, 10, &told, &error));
    CHECK(told == NULL);
    OK(sprongus_runs_snooze(store, id, sprongus_run_lease(run), SPRONGUS_NONE, &told, &error));
    CHECK_TEXT(sprongus_run_state(told), "queued");
    CHECK(sprongus_run_attempt(told) == 0);
    sprongus_run_free(told);
    FAILS(SPRONGUS_ERR_INVALID_STATE, sprongus_runs_retry(store, id, NULL, &error));

    sprongus_run_list *again = claim(store, "q.snooze");
    run = sprongus_run_list_at(again, 0);
    CHECK(sprongus_run_lease(run) == 2 && sprongus_run_attempt(run) == 1);
    OK(sprongus_runs_fail(store, id, 2, "no use", 1, 0, NULL, &error));
    OK(sprongus_runs_retry(store, id, &told, &error));
    CHECK_TEXT(sprongus_run_state(told), "queued");
    CHECK(test_holds(sprongus_run_to_json(told), "\"series\":2"));
    sprongus_run_free(told);
    sprongus_buf *text = NULL;
    OK(sprongus_runs_explain(store, id, &text, &error));
    CHECK(sprongus_buf_length(text) > 0);
    sprongus_buf_free(text);
    FAILS(SPRONGUS_ERR_TIMEOUT, sprongus_runs_wait(store, id, 20, NULL, &error));
    OK(sprongus_runs_cancel(store, id, NULL, NULL, &error));
    OK(sprongus_runs_wait(store, id, 0, &told, &error));
    CHECK_TEXT(sprongus_run_state(told), "canceled");
    sprongus_run_free(told);
    sprongus_run_list_free(mine);
    sprongus_run_list_free(again);
}

static void many_at_once(sprongus_store *store) {
    sprongus_error *error = NULL;
    const char *items = "[{\"kind\": \"q.many\"}, {\"kind\": \"q.many\"}, {\"kind\": \"q.many\"}]";
    OK(sprongus_runs_enqueue_many(store, items, strlen(items), NULL, &error));
    sprongus_run_list *mine = claim(store, "q.many");
    CHECK(sprongus_run_list_count(mine) == 3);
    char reports[512];
    int length = snprintf(reports, sizeof reports, "[{\"id\": \"%s\", \"lease\": 1, \"output\": 7}, {\"id\": \"%s\", \"lease\": 9}]",
                          sprongus_run_id(sprongus_run_list_at(mine, 0)), sprongus_run_id(sprongus_run_list_at(mine, 1)));
    sprongus_buf *told = NULL;
    OK(sprongus_runs_succeed_many(store, reports, (size_t)length, &told, &error));
    CHECK(test_holds(sprongus_buf_data(told), "\"state\":\"succeeded\"") && test_holds(sprongus_buf_data(told), "lease_lost"));
    sprongus_buf_free(told);
    length = snprintf(reports, sizeof reports, "[{\"id\": \"%s\", \"lease\": 1, \"error\": \"e\", \"retryable\": false}]",
                      sprongus_run_id(sprongus_run_list_at(mine, 2)));
    OK(sprongus_runs_fail_many(store, reports, (size_t)length, &told, &error));
    CHECK(test_holds(sprongus_buf_data(told), "\"state\":\"failed\""));
    sprongus_buf_free(told);
    OK(sprongus_runs_succeed_many(store, "[]", 2, NULL, &error));
    FAILS(SPRONGUS_ERR_VALIDATION, sprongus_runs_succeed_many(store, "[", 1, &told, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_runs_fail_many(store, "[{}]", 4, &told, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_runs_fail_many(store, NULL, 0, &told, &error));
    OK(sprongus_runs_succeed(store, sprongus_run_id(sprongus_run_list_at(mine, 1)), 1, NULL, 0, NULL, NULL, &error));
    sprongus_run_list_free(mine);
}

static void steps(sprongus_store *store) {
    sprongus_error *error = NULL;
    OK(sprongus_runs_enqueue(store, "q.steps", NULL, 0, NULL, NULL, &error));
    sprongus_run_list *mine = claim(store, "q.steps");
    const char *id = sprongus_run_id(sprongus_run_list_at(mine, 0));
    sprongus_buf *output = NULL;
    OK(sprongus_runs_find_step(store, id, 1, "charge", &output, &error));
    CHECK(output == NULL);
    OK(sprongus_runs_save_step(store, id, 1, "charge", "{\"b\": 1, \"a\": 2}", 16, &output, &error));
    CHECK_TEXT(sprongus_buf_data(output), "{\"a\":2,\"b\":1}");
    sprongus_buf_free(output);
    OK(sprongus_runs_save_step(store, id, 1, "charge", "5", 1, &output, &error));
    CHECK_TEXT(sprongus_buf_data(output), "{\"a\":2,\"b\":1}");
    sprongus_buf_free(output);
    OK(sprongus_runs_find_step(store, id, 1, "charge", &output, &error));
    CHECK_TEXT(sprongus_buf_data(output), "{\"a\":2,\"b\":1}");
    sprongus_buf_free(output);
    FAILS(SPRONGUS_ERR_LEASE_LOST, sprongus_runs_save_step(store, id, 3, "mail", "1", 1, &output, &error));
    FAILS(SPRONGUS_ERR_VALIDATION, sprongus_runs_save_step(store, id, 1, "mail", "{", 1, &output, &error));
    CHECK(output == NULL);
    OK(sprongus_runs_steps(store, id, &output, &error));
    CHECK(test_holds(sprongus_buf_data(output), "\"name\":\"charge\"") && !test_holds(sprongus_buf_data(output), "mail"));
    sprongus_buf_free(output);
    OK(sprongus_runs_succeed(store, id, 1, NULL, 0, NULL, NULL, &error));
    sprongus_run_list_free(mine);
}

static void the_gate(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_enqueue_options gated;
    SPRONGUS_INIT(gated);
    gated.needs_approval = 1;
    gated.project = "gate";
    sprongus_run *run = NULL;
    OK(sprongus_runs_enqueue(store, "q.gate", NULL, 0, &gated, &run, &error));
    CHECK_TEXT(sprongus_run_state(run), "awaiting_approval");
    const char *id = sprongus_run_id(run);
    sprongus_approval *leave = NULL;
    OK(sprongus_approvals_get(store, id, NULL, NULL, &leave, &error));
    CHECK_TEXT(sprongus_approval_scope(leave), "run");
    CHECK(sprongus_approval_decision(leave) == NULL && sprongus_approval_decided_by(leave) == NULL);
    sprongus_approval_free(leave);
    sprongus_approval_options options;
    SPRONGUS_INIT(options);
    options.note = "go on";
    options.metadata = "{\"ticket\": 17}";
    OK(sprongus_approvals_approve(store, id, "ada", &options, &leave, &error));
    CHECK_TEXT(sprongus_approval_decision(leave), "approved");
    CHECK_TEXT(sprongus_approval_decided_by(leave), "ada");
    CHECK_TEXT(sprongus_approval_note(leave), "go on");
    CHECK_TEXT(sprongus_approval_metadata(leave), "{\"ticket\":17}");
    CHECK(sprongus_approval_decided_at(leave) != NULL && sprongus_approval_step(leave) == NULL);
    CHECK_TEXT(sprongus_approval_run_id(leave), id);
    CHECK(strlen(sprongus_approval_id(leave)) == 26 && test_holds(sprongus_approval_to_json(leave), "\"decidedBy\":\"ada\""));
    sprongus_approval_free(leave);
    OK(sprongus_approvals_approve(store, id, "ada", NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_INVALID_STATE, sprongus_approvals_deny(store, id, "ada", NULL, &leave, &error));
    CHECK(leave == NULL);
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_approvals_get(store, id, "deploy", NULL, &leave, &error));
    options.metadata = "[";
    FAILS(SPRONGUS_ERR_VALIDATION, sprongus_approvals_approve(store, id, "ada", &options, NULL, &error));

    sprongus_approvals_query query;
    SPRONGUS_INIT(query);
    query.project = "gate";
    query.decision = "approved";
    sprongus_approval_list *list = NULL;
    OK(sprongus_approvals_list(store, &query, &list, &error));
    CHECK(sprongus_approval_list_count(list) == 1 && sprongus_approval_list_next_cursor(list) == NULL);
    CHECK_TEXT(sprongus_approval_run_id(sprongus_approval_list_at(list, 0)), id);
    CHECK(sprongus_approval_list_at(list, 1) == NULL && test_holds(sprongus_approval_list_to_json(list), "items"));
    sprongus_approval_list_free(list);
    query.decision = "maybe";
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_approvals_list(store, &query, &list, &error));
    CHECK(list == NULL);
    OK(sprongus_runs_cancel(store, id, NULL, NULL, &error));
    sprongus_run_free(run);
}

static void leave_in_the_middle(sprongus_store *store) {
    sprongus_error *error = NULL;
    OK(sprongus_runs_enqueue(store, "q.push", NULL, 0, NULL, NULL, &error));
    sprongus_run_list *mine = claim(store, "q.push");
    const char *id = sprongus_run_id(sprongus_run_list_at(mine, 0));
    sprongus_approval_options options;
    SPRONGUS_INIT(options);
    options.step = "first";
    sprongus_approval *leave = NULL;
    OK(sprongus_approvals_request(store, id, 1, "repo.push", "push 3 commits", &options, &leave, &error));
    CHECK(sprongus_approval_decision(leave) == NULL);
    CHECK_TEXT(sprongus_approval_intent_summary(leave), "push 3 commits");
    CHECK_TEXT(sprongus_approval_step(leave), "first");
    sprongus_approval_free(leave);
    FAILS(SPRONGUS_ERR_LEASE_LOST, sprongus_runs_succeed(store, id, 1, NULL, 0, NULL, NULL, &error));
    options.scope = "repo.push";
    OK(sprongus_approvals_deny(store, id, "bob", &options, &leave, &error));
    CHECK_TEXT(sprongus_approval_decision(leave), "denied");
    sprongus_approval_free(leave);
    sprongus_run *run = NULL;
    OK(sprongus_runs_get(store, id, &run, &error));
    CHECK_TEXT(sprongus_run_state(run), "denied");
    sprongus_run_free(run);
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_approvals_request(store, id, 1, "a", "b", &options, &leave, &error));
    sprongus_run_list_free(mine);
}

static void messages(sprongus_store *store) {
    sprongus_error *error = NULL;
    const char *work = "{\"kind\": \"q.answer\", \"input\": \"hello\"}";
    sprongus_run *run = NULL;
    sprongus_run *again = NULL;
    bool first = false;
    OK(sprongus_inbox_accept(store, "mail", "<1@b.c>", NULL, work, strlen(work), &run, &first, &error));
    CHECK(first);
    CHECK_TEXT(sprongus_run_kind(run), "q.answer");
    OK(sprongus_inbox_accept(store, "mail", "<1@b.c>", NULL, NULL, 0, &again, &first, &error));
    CHECK(!first);
    CHECK_TEXT(sprongus_run_id(again), sprongus_run_id(run));
    sprongus_run_free(again);
    OK(sprongus_inbox_accept(store, "mail", "<2@b.c>", "p2", NULL, 0, &again, &first, &error));
    CHECK(first && again == NULL);
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_inbox_accept(store, "mail", "", NULL, NULL, 0, NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_inbox_accept(store, "mail", "3", NULL, "{}", 2, NULL, &first, &error));
    CHECK(!first);
    OK(sprongus_runs_cancel(store, sprongus_run_id(run), NULL, NULL, &error));
    sprongus_run_free(run);
}

static void schedules(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_schedule_options options;
    SPRONGUS_INIT(options);
    sprongus_buf *told = NULL;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_schedules_put(store, "report", "q.report", NULL, 0, &options, &told, &error));
    options.cron = "30 6 * * 1-5";
    options.tz = "Europe/Berlin";
    OK(sprongus_schedules_put(store, "report", "q.report", "{\"to\": 1}", 9, &options, &told, &error));
    CHECK(test_holds(sprongus_buf_data(told), "\"tz\":\"Europe/Berlin\"") && test_holds(sprongus_buf_data(told), "\"nextAt\":\"2"));
    sprongus_buf_free(told);
    OK(sprongus_schedules_next_times(store, "report", NULL, 3, &told, &error));
    CHECK(test_holds(sprongus_buf_data(told), ":30:00.000000Z"));
    sprongus_buf_free(told);
    OK(sprongus_schedules_pause(store, "report", NULL, &told, &error));
    CHECK(test_holds(sprongus_buf_data(told), "\"paused\":true"));
    sprongus_buf_free(told);
    OK(sprongus_schedules_resume(store, "report", NULL, NULL, &error));
    OK(sprongus_schedules_get(store, "report", NULL, &told, &error));
    CHECK(test_holds(sprongus_buf_data(told), "\"paused\":false"));
    sprongus_buf_free(told);
    OK(sprongus_schedules_list(store, &told, &error));
    CHECK(test_holds(sprongus_buf_data(told), "\"name\":\"report\""));
    sprongus_buf_free(told);
    int64_t enqueued = 7;
    OK(sprongus_schedules_tick(store, 0, &enqueued, &error));
    CHECK(enqueued == 0);
    OK(sprongus_schedules_delete(store, "report", NULL, &error));
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_schedules_get(store, "report", NULL, &told, &error));
    options.tz = "Middle/Earth";
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_schedules_put(store, "x", "q.report", NULL, 0, &options, &told, &error));
    CHECK(told == NULL);
}

static void the_feed(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_buf *cursor = NULL;
    sprongus_buf *batch = NULL;
    OK(sprongus_events_position(store, &cursor, &error));
    OK(sprongus_runs_enqueue(store, "q.feed", NULL, 0, NULL, NULL, &error));
    sprongus_run_list *mine = claim(store, "q.feed");
    OK(sprongus_runs_succeed(store, sprongus_run_id(sprongus_run_list_at(mine, 0)), 1, NULL, 0, NULL, NULL, &error));
    sprongus_events_query query;
    SPRONGUS_INIT(query);
    query.after = sprongus_buf_data(cursor);
    OK(sprongus_events_read(store, &query, &batch, &error));
    CHECK(test_holds(sprongus_buf_data(batch), "run.enqueued") && test_holds(sprongus_buf_data(batch), "run.succeeded"));
    CHECK(test_holds(sprongus_buf_data(batch), "\"cursor\":\""));
    sprongus_buf_free(batch);
    const char *types[] = {"run.succeeded"};
    query.types = types;
    query.types_count = 1;
    OK(sprongus_events_read(store, &query, &batch, &error));
    CHECK(!test_holds(sprongus_buf_data(batch), "run.enqueued") && test_holds(sprongus_buf_data(batch), "run.succeeded"));
    sprongus_buf_free(batch);
    query.after = "nonsense";
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_events_read(store, &query, &batch, &error));
    CHECK(batch == NULL);
    sprongus_buf_free(cursor);
    sprongus_run_list_free(mine);
}

typedef struct hearing {
    int told;
    int destroyed;
} hearing;

static void on_event(void *user_data, const char *event) {
    if (test_holds(event, "\"type\":\"run.enqueued\"")) ((hearing *)user_data)->told++;
}

static void unheard(void *user_data) {
    ((hearing *)user_data)->destroyed++;
}

static void listening(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_follow *follow = NULL;
    sprongus_subscription *subscription = NULL;
    hearing heard = {0, 0};
    const char *types[] = {"run.*"};
    sprongus_events_query query;
    SPRONGUS_INIT(query);
    query.types = types;
    query.types_count = 1;
    OK(sprongus_events_follow(store, &query, &follow, &error));
    OK(sprongus_events_subscribe(store, &query, on_event, &heard, unheard, &subscription, &error));
    sprongus_buf *event = NULL;
    OK(sprongus_follow_next(follow, SPRONGUS_NONE, &event, &error));
    CHECK(event == NULL);
    OK(sprongus_runs_enqueue(store, "q.heard", NULL, 0, NULL, NULL, &error));
    OK(sprongus_follow_next(follow, 20000, &event, &error));
    CHECK(test_holds(sprongus_buf_data(event), "\"type\":\"run.enqueued\""));
    sprongus_buf_free(event);
    sprongus_buf *cursor = NULL;
    OK(sprongus_follow_cursor(follow, &cursor, &error));
    CHECK(sprongus_buf_length(cursor) > 0);
    sprongus_buf_free(cursor);
    OK(sprongus_follow_stop(follow, &error));
    OK(sprongus_follow_next(follow, 0, &event, &error));
    CHECK(event == NULL);
    sprongus_follow_free(follow);
    FAILS(SPRONGUS_ERR_MISUSE, sprongus_follow_next(follow, 0, &event, &error));
    CHECK(sprongus_subscription_missed(subscription) == 0);
    sprongus_subscription_free(subscription);
    CHECK(heard.destroyed == 1);
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_events_subscribe(store, NULL, NULL, &heard, unheard, &subscription, &error));
    CHECK(heard.destroyed == 2 && subscription == NULL);
    query.after = "nonsense";
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_events_follow(store, &query, &follow, &error));
    CHECK(follow == NULL);
}

static void limits_and_figures(sprongus_store *store) {
    sprongus_error *error = NULL;
    OK(sprongus_runs_limit_kind(store, "q.limited", 1, 0, 0, &error));
    const char *items = "[{\"kind\": \"q.limited\"}, {\"kind\": \"q.limited\"}]";
    OK(sprongus_runs_enqueue_many(store, items, strlen(items), NULL, &error));
    sprongus_run_list *mine = claim(store, "q.limited");
    CHECK(sprongus_run_list_count(mine) == 1);
    sprongus_buf *told = NULL;
    OK(sprongus_runs_limits(store, &told, &error));
    CHECK(test_holds(sprongus_buf_data(told), "\"kind\":\"q.limited\"") && test_holds(sprongus_buf_data(told), "\"concurrency\":1"));
    sprongus_buf_free(told);
    OK(sprongus_runs_stats(store, NULL, 0, &told, &error));
    CHECK(test_holds(sprongus_buf_data(told), "\"byState\"") && test_holds(sprongus_buf_data(told), "\"q.limited\""));
    sprongus_buf_free(told);
    OK(sprongus_runs_limit_kind(store, "q.limited", 0, 0, 0, &error));
    OK(sprongus_runs_limits(store, &told, &error));
    CHECK_TEXT(sprongus_buf_data(told), "[]");
    sprongus_buf_free(told);
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_runs_limit_kind(store, "q.limited", -2, 0, 0, &error));
    int64_t pruned = 7;
    OK(sprongus_runs_prune(store, 0, 0, 0, &pruned, &error));
    CHECK(pruned == 0);
    OK(sprongus_runs_prune(store, SPRONGUS_NONE, SPRONGUS_NONE, 0, &pruned, &error));
    CHECK(pruned > 3);
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_runs_prune(store, -9, 0, 0, &pruned, &error));
    sprongus_run_list_free(mine);
}

static void once_per_key(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_run *run = NULL;
    OK(sprongus_runs_find_idempotent(store, "q-key", NULL, &run, &error));
    CHECK(run == NULL);
    sprongus_enqueue_options options;
    SPRONGUS_INIT(options);
    options.idempotency_key = "q-key";
    OK(sprongus_runs_enqueue(store, "q.once", NULL, 0, &options, NULL, &error));
    OK(sprongus_runs_find_idempotent(store, "q-key", NULL, &run, &error));
    CHECK_TEXT(sprongus_run_kind(run), "q.once");
    OK(sprongus_runs_cancel(store, sprongus_run_id(run), NULL, NULL, &error));
    sprongus_run_free(run);
    OK(sprongus_runs_find_idempotent(store, "q-key", "other", &run, &error));
    CHECK(run == NULL);
}

void test_queue(place at) {
    sprongus_store *store = test_open(at);
    put_off_and_retried(store);
    many_at_once(store);
    steps(store);
    the_gate(store);
    leave_in_the_middle(store);
    messages(store);
    schedules(store);
    the_feed(store);
    listening(store);
    once_per_key(store);
    limits_and_figures(store);
    sprongus_store_free(store);
}
