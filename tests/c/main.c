// The C suite: `suite URL [SCHEMA]` runs every case on a store at that URL.
#include "test.h"

int test_checks = 0;

void test_store(place at);
void test_tx(place at);
void test_runs(place at);
void test_queue(place at);
void test_worker(place at);
void test_aux(place at);
void test_past(place at);
void test_presets(place at);
void test_artifacts(place at);
void test_tables(place at);
void test_projects(place at);
void test_scopes(place at);
void test_secrets(place at);
void test_sync(place at);
void test_call(place at);
void test_bad_input(place at);
void test_handles(place at);

sprongus_store *test_open(place at) {
    sprongus_options options;
    SPRONGUS_INIT(options);
    options.schema = at.schema;
    options.actor = "tester";
    sprongus_store *store = NULL;
    sprongus_error *error = NULL;
    OK(sprongus_store_open(at.url, &options, &store, &error));
    return store;
}

int main(int count, char **arguments) {
    if (count < 2) {
        fprintf(stderr, "usage: suite URL [SCHEMA]\n");
        return 2;
    }
    place at;
    at.url = arguments[1];
    at.schema = count > 2 ? arguments[2] : NULL;
    test_store(at);
    test_tx(at);
    test_runs(at);
    test_queue(at);
    test_worker(at);
    test_aux(at);
    test_past(at);
    test_presets(at);
    test_artifacts(at);
    test_tables(at);
    test_projects(at);
    test_scopes(at);
    test_secrets(at);
    test_sync(at);
    test_call(at);
    test_bad_input(at);
    test_handles(at);
    printf("%d checks on %s\n", test_checks, at.schema ? "postgres" : at.url);
    return 0;
}
