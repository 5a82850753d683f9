// The JSON door: every operation by name.
#include "test.h"

void test_call(place at);

static void one_call(const void *store_or_tx, const char *name, const char *request, int32_t expected) {
    sprongus_error *error = NULL;
    sprongus_buf *response = NULL;
    int32_t status = sprongus_call(store_or_tx, name, request, strlen(request), &response, &error);
    if (status != expected) {
        fprintf(stderr, "%s gave %d: %s\n", name, (int)status, error ? sprongus_error_message(error) : "no error");
        exit(1);
    }
    test_checks++;
    CHECK((response != NULL) == (expected == SPRONGUS_OK));
    sprongus_buf_free(response);
    sprongus_error_free(error);
}

// What does not fit says where, and never what was given.
static void told_where(const void *store, const char *name, const char *request, const char *expected) {
    sprongus_error *error = NULL;
    sprongus_buf *response = NULL;
    int32_t status = sprongus_call(store, name, request, strlen(request), &response, &error);
    CHECK(status == SPRONGUS_ERR_INVALID_ARGUMENT && response == NULL);
    CHECK_TEXT(sprongus_error_message(error), expected);
    sprongus_error_free(error);
}

// Whatever the operation: garbage is an answer.
static void hostile(const void *store, const char *name) {
    static const char *requests[] = {"",   "{",     "[]",         "null",        "\"\\ud800\"", "{\"a\":1,\"a\":2}",
                                     "{}", "1e999", "{\"x\":NaN}", "\xff\xfe{}", "{\"project\":\"\\u0000\"}"};
    for (size_t index = 0; index < sizeof requests / sizeof *requests; index++) {
        sprongus_buf *response = NULL;
        sprongus_error *error = NULL;
        int32_t status = sprongus_call(store, name, requests[index], strlen(requests[index]), &response, &error);
        CHECK(status != SPRONGUS_ERR_PANIC && sprongus_error_code(error) == status);
        sprongus_buf_free(response);
        sprongus_error_free(error);
    }
}

void test_call(place at) {
    sprongus_error *error = NULL;
    sprongus_store *store = test_open(at);
    one_call(store, "store.info", "{}", SPRONGUS_OK);
    one_call(store, "runs.enqueue", "{\"kind\": \"c.call\", \"input\": [1, 2.0]}", SPRONGUS_OK);
    one_call(store, "aux.create", "{\"project\":\"c\",\"table\":\"assets\",\"payload\":{\"title\":\"t\"}}", SPRONGUS_OK);
    one_call(store, "runs.enqueue", "{\"kind\": \"c.call\", \"colour\": 1}", SPRONGUS_ERR_INVALID_ARGUMENT);
    one_call(store, "runs.enqueue", "{\"kind\": ", SPRONGUS_ERR_VALIDATION);
    one_call(store, "runs.get", "{\"id\": \"nothing\"}", SPRONGUS_ERR_NOT_FOUND);
    one_call(store, "runs.explode", "{}", SPRONGUS_ERR_NOT_FOUND);
    one_call(store, "", "{}", SPRONGUS_ERR_NOT_FOUND);

    told_where(store, "runs.list", "{\"kind\": \"s3cret\"}", "/kind: expected an array");
    told_where(store, "runs.enqueue_many", "{\"items\": [{\"kind\": \"a\"}, {\"kind\": \"b\", \"priority\": \"s3cret\"}]}",
               "/items/1/priority: expected an integer in the range of i64");
    told_where(store, "runs.enqueue_many", "{\"items\": [{\"input\": 1}]}", "/items/0: missing field `kind`");
    told_where(store, "runs.get", "\"s3cret\"", "expected an object");

    sprongus_tx *tx = NULL;
    OK(sprongus_tx_begin(store, &tx, &error));
    one_call(tx, "runs.enqueue", "{\"kind\": \"c.call.tx\"}", SPRONGUS_OK);
    OK(sprongus_tx_rollback(tx, &error));
    one_call(tx, "runs.enqueue", "{\"kind\": \"c.call.tx\"}", SPRONGUS_ERR_MISUSE);
    sprongus_tx_free(tx);

    sprongus_buf *names = NULL;
    OK(sprongus_operations(&names, &error));
    char name[64];
    for (const char *at_name = strchr(sprongus_buf_data(names), '"'); at_name != NULL; at_name = strchr(at_name, '"')) {
        const char *end = strchr(++at_name, '"');
        CHECK(end != NULL && (size_t)(end - at_name) < sizeof name);
        memcpy(name, at_name, (size_t)(end - at_name));
        name[end - at_name] = '\0';
        hostile(store, name);
        sprongus_buf *schema = NULL;
        OK(sprongus_operation_schema(name, &schema, &error));
        CHECK(test_holds(sprongus_buf_data(schema), "\"request\""));
        sprongus_buf_free(schema);
        at_name = end + 1;
    }
    sprongus_buf_free(names);
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_operation_schema("runs.explode", &names, &error));

    // Nested past every limit, and large: refused, not crashed.
    size_t length = 4 * 1000 * 1000;
    char *deep = (char *)malloc(length);
    CHECK(deep != NULL);
    memset(deep, '[', length);
    sprongus_buf *response = NULL;
    FAILS(SPRONGUS_ERR_VALIDATION, sprongus_call(store, "runs.enqueue", deep, length, &response, &error));
    memset(deep, 'a', length);
    deep[0] = '"';
    deep[length - 1] = '"';
    FAILS(SPRONGUS_ERR_TOO_LARGE, sprongus_runs_enqueue(store, "c.large", deep, length, NULL, NULL, &error));
    free(deep);
    sprongus_store_free(store);
}
