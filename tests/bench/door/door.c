// door STORE ID CALLS: for each line of input reads that run so many times, and prints nanoseconds a call.
#define _POSIX_C_SOURCE 200809L
#include <sprongus.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

static void fail(sprongus_error *error) {
    fprintf(stderr, "%s: %s\n", sprongus_error_name(error), sprongus_error_message(error));
    exit(1);
}

int main(int count, char **arguments) {
    if (count != 4) return 2;
    const char *id = arguments[2];
    long calls = strtol(arguments[3], NULL, 10);
    sprongus_error *error = NULL;
    sprongus_store *store = NULL;
    if (sprongus_store_open(arguments[1], NULL, &store, &error) != SPRONGUS_OK) fail(error);
    for (int byte = getchar(); byte != EOF; byte = getchar()) {
        double start = now();
        for (long call = 0; call < calls; call++) {
            sprongus_run *run = NULL;
            if (sprongus_runs_get(store, id, &run, &error) != SPRONGUS_OK) fail(error);
            sprongus_run_free(run);
        }
        printf("%f\n", (now() - start) / (double)calls);
        fflush(stdout);
    }
    sprongus_store_free(store);
    return 0;
}
