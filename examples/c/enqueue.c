// Puts runs into the queue of a store: enqueue STORE [KIND [COUNT]]
//
//     cc enqueue.c $(pkg-config --cflags --libs sprongus) -o enqueue
//     ./enqueue app.db mail.send 3
#include <sprongus.h>

#include <stdio.h>
#include <stdlib.h>

// Says why a call failed, and ends the program.
static void fail(const char *what, sprongus_error *error) {
    fprintf(stderr, "%s: %s: %s\n", what, sprongus_error_name(error), sprongus_error_message(error));
    sprongus_error_free(error);
    exit(1);
}

int main(int count, char **arguments) {
    if (count < 2) {
        fprintf(stderr, "usage: enqueue STORE [KIND [COUNT]]\n");
        return 2;
    }
    const char *kind = count > 2 ? arguments[2] : "mail.send";
    long runs = count > 3 ? strtol(arguments[3], NULL, 10) : 1;

    sprongus_error *error = NULL;
    sprongus_store *store = NULL;
    if (sprongus_store_open(arguments[1], NULL, &store, &error) != SPRONGUS_OK) fail("open", error);
    for (long number = 1; number <= runs; number++) {
        char input[64];
        int length = snprintf(input, sizeof input, "{\"from\": \"C\", \"number\": %ld}", number);
        sprongus_run *run = NULL;
        if (sprongus_runs_enqueue(store, kind, input, (size_t)length, NULL, &run, &error) != SPRONGUS_OK) {
            fail("enqueue", error);
        }
        printf("%s\n", sprongus_run_id(run));
        sprongus_run_free(run);
    }
    sprongus_store_free(store);
    return 0;
}
