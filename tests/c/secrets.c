// Secrets: refused where they would be stored, given to handlers in buffers of their own, and found in nothing that C is told.
#include "test.h"

void test_secrets(place at);

static const char *project = "c-secrets";

#define PLANTED "pl4nted-s3cret"

// Ends with the check that a text does not hold what was planted.
static void holds_none(const char *text) { CHECK(text != NULL && !test_holds(text, PLANTED)); }

static void refused(int32_t status, sprongus_error **error, const char *path) {
    CHECK(status == SPRONGUS_ERR_SECRET_DETECTED && sprongus_error_code(*error) == status);
    CHECK(test_holds(sprongus_error_details(*error), path));
    holds_none(sprongus_error_message(*error));
    holds_none(sprongus_error_details(*error));
    holds_none(sprongus_error_to_json(*error));
    sprongus_error_free(*error);
    *error = NULL;
}

static const char *telling = "{\"deep\": {\"Api-Key\": \"" PLANTED "\"}}";
static const char *path = "\"path\":\"/deep/Api-Key\"";

static void nothing_is_stored(sprongus_store *store) {
    sprongus_error *error = NULL;
    size_t length = strlen(telling);
    refused(sprongus_runs_enqueue(store, "c.secret", telling, length, NULL, NULL, &error), &error, path);
    refused(sprongus_aux_create(store, project, "assets", telling, length, NULL, NULL, &error), &error, path);
    refused(sprongus_aux_upsert(store, project, "assets", telling, length, "a", 0, NULL, &error), &error, path);
    OK(sprongus_aux_create(store, project, "assets", "{}", 2, "a", NULL, &error));
    refused(sprongus_aux_update(store, project, "assets", "a", telling, length, 0, 0, NULL, &error), &error, path);
    refused(sprongus_providers_put(store, "c-secrets", "csv", telling, length, NULL, &error), &error, path);
    char request[300];
    snprintf(request, sizeof request, "{\"kind\": \"c.secret\", \"input\": %s}", telling);
    sprongus_buf *out = NULL;
    refused(sprongus_call(store, "runs.enqueue", request, strlen(request), &out, &error), &error, path);
    const char *items = "[{\"token\": \"" PLANTED "\"}]";
    int32_t status = sprongus_aux_bulk_upsert(store, project, "assets", items, strlen(items), 0, NULL, NULL, &out, &error);
    CHECK(status == SPRONGUS_ERR_VALIDATION && test_holds(sprongus_error_details(error), "\"keyword\":\"secret\""));
    holds_none(sprongus_error_to_json(error));
    sprongus_error_free(error);
    error = NULL;
    uint64_t count = 0;
    OK(sprongus_aux_count(store, project, "assets", NULL, NULL, &count, &error));
    CHECK(count == 1);
}

static const char *resolve(void *user_data, const char *name) {
    // Handlers ask on threads of their own.
    __atomic_fetch_add((int *)user_data, 1, __ATOMIC_RELAXED);
    return strcmp(name, "NONE") == 0 ? NULL : PLANTED "-by-resolver";
}

// Asks for its secret, and fails with it.
static int32_t fail(void *user_data, const sprongus_context *context) {
    sprongus_error *error = NULL;
    sprongus_buf *secret = NULL;
    char text[200];
    (void)user_data;
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_context_secret(context, "NONE", &secret, &error));
    CHECK(secret == NULL);
    OK(sprongus_context_secret(context, "ANY", &secret, &error));
    CHECK_TEXT(sprongus_buf_data(secret), PLANTED "-by-resolver");
    snprintf(text, sizeof text, "401 for %s", sprongus_buf_data(secret));
    sprongus_buf_free(secret);
    int32_t status = sprongus_context_artifact(context, "report", "a", text, strlen(text), NULL, NULL, &error);
    CHECK(status == SPRONGUS_ERR_SECRET_DETECTED);
    holds_none(sprongus_error_to_json(error));
    sprongus_error_free(error);
    error = NULL;
    OK(sprongus_context_failure(context, text, &error));
    return SPRONGUS_FATAL;
}

// Gives it away as its output.
static int32_t give(void *user_data, const sprongus_context *context) {
    sprongus_error *error = NULL;
    sprongus_buf *secret = NULL;
    char text[200];
    (void)user_data;
    OK(sprongus_context_secret(context, "ANY", &secret, &error));
    snprintf(text, sizeof text, "{\"sent\": [\"%s\"]}", sprongus_buf_data(secret));
    sprongus_buf_free(secret);
    OK(sprongus_context_heartbeat(context, text, strlen(text), &error));
    OK(sprongus_context_output(context, text, strlen(text), &error));
    return SPRONGUS_DONE;
}

static void is(sprongus_store *store, const char *kind, const char *state, const char *holds) {
    sprongus_error *error = NULL;
    sprongus_buf *runs = NULL;
    char request[100];
    snprintf(request, sizeof request, "{\"kind\": [\"%s\"]}", kind);
    OK(sprongus_call(store, "runs.list", request, strlen(request), &runs, &error));
    CHECK(test_holds(sprongus_buf_data(runs), state) && test_holds(sprongus_buf_data(runs), holds));
    holds_none(sprongus_buf_data(runs));
    sprongus_buf_free(runs);
}

static void handlers_are_given_theirs(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_worker *worker = NULL;
    OK(sprongus_worker_new(store, NULL, &worker, &error));
    OK(sprongus_worker_handle(worker, "c.secret.fail", fail, NULL, NULL, &error));
    OK(sprongus_worker_handle(worker, "c.secret.give", give, NULL, NULL, &error));
    const char *input = "{\"token\": {\"$secret\": \"ANY\"}}";
    OK(sprongus_runs_enqueue(store, "c.secret.fail", input, strlen(input), NULL, NULL, &error));
    OK(sprongus_runs_enqueue(store, "c.secret.give", input, strlen(input), NULL, NULL, &error));
    OK(sprongus_worker_run_until_idle(worker, SPRONGUS_NONE, &error));
    sprongus_worker_free(worker);
    is(store, "c.secret.fail", "\"failed\"", "401 for [secret]");
    is(store, "c.secret.give", "\"succeeded\"", "{\"sent\":[\"[secret]\"]}");
}

static void all_is_told_without(sprongus_store *store) {
    const char *operations[] = {"events.read", "approvals.list", "artifacts.list", "providers.list", "schedules.list"};
    sprongus_error *error = NULL;
    sprongus_buf *out = NULL;
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        OK(sprongus_call(store, operations[i], "{}", 2, &out, &error));
        holds_none(sprongus_buf_data(out));
        sprongus_buf_free(out);
    }
    OK(sprongus_store_stats(store, &out, &error));
    holds_none(sprongus_buf_data(out));
    sprongus_buf_free(out);
    OK(sprongus_store_doctor(store, 0, &out, &error));
    holds_none(sprongus_buf_data(out));
    sprongus_buf_free(out);
    holds_none(sprongus_store_url(store));
    int32_t status = sprongus_store_open("postgresql://ann:" PLANTED "@127.0.0.1:1/db", NULL, &store, &error);
    CHECK(status != SPRONGUS_OK);
    holds_none(sprongus_error_to_json(error));
    sprongus_error_free(error);
}

static void unchecked_it_is_taken(place at) {
    sprongus_options options;
    SPRONGUS_INIT(options);
    options.schema = at.schema;
    options.flags = SPRONGUS_NO_SECRETS_CHECK;
    sprongus_store *store = NULL;
    sprongus_error *error = NULL;
    OK(sprongus_store_open(at.url, &options, &store, &error));
    OK(sprongus_aux_create(store, "c-unchecked", "assets", telling, strlen(telling), NULL, NULL, &error));
    sprongus_store_free(store);
}

void test_secrets(place at) {
    int asked = 0;
    sprongus_options options;
    SPRONGUS_INIT(options);
    options.schema = at.schema;
    options.secrets = resolve;
    options.secrets_data = &asked;
    sprongus_store *store = NULL;
    sprongus_error *error = NULL;
    OK(sprongus_store_open(at.url, &options, &store, &error));
    nothing_is_stored(store);
    CHECK(asked == 0);
    handlers_are_given_theirs(store);
    CHECK(asked == 3);
    all_is_told_without(store);
    sprongus_store_free(store);
    unchecked_it_is_taken(at);
}
