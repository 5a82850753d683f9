// Works a queue until nothing is due: worker STORE [KIND]. Claim and report is the whole protocol of a worker.
#include <sprongus.h>

#include <stdio.h>

// Does the work of one run, and says where it has come to.
static int32_t work(sprongus_store *store, const sprongus_run *run, sprongus_error **error) {
    const char *id = sprongus_run_id(run);
    int64_t lease = sprongus_run_lease(run);
    printf("%s attempt %lld: %s\n", id, (long long)sprongus_run_attempt(run), sprongus_run_input(run));

    // Work that takes longer than the lease tells so in between; a canceled run is left alone.
    sprongus_run *told = NULL;
    int32_t status = sprongus_runs_heartbeat(store, id, lease, "{\"done\": 0.5}", 13, 0, &told, error);
    int canceled = status == SPRONGUS_OK && strcmp(sprongus_run_state(told), "canceled") == 0;
    sprongus_run_free(told);
    if (status != SPRONGUS_OK || canceled) return status;

    return sprongus_runs_succeed(store, id, lease, "{\"ok\": true}", 12, NULL, NULL, error);
}

int main(int count, char **arguments) {
    if (count < 2) {
        fprintf(stderr, "usage: worker STORE [KIND]\n");
        return 2;
    }
    sprongus_error *error = NULL;
    sprongus_store *store = NULL;
    const char *kind = count > 2 ? arguments[2] : "greet";
    sprongus_claim_options options;
    SPRONGUS_INIT(options);
    options.kinds = &kind;
    options.kinds_count = 1;
    options.limit = 10;

    int32_t status = sprongus_store_open(arguments[1], NULL, &store, &error);
    if (status == SPRONGUS_OK && count < 3) {  // something to do, for the example's sake
        status = sprongus_runs_enqueue(store, kind, "{\"name\": \"world\"}", 17, NULL, NULL, &error);
    }
    for (size_t claimed = 1; status == SPRONGUS_OK && claimed > 0;) {
        sprongus_run_list *runs = NULL;
        status = sprongus_runs_claim_next(store, "example", &options, &runs, &error);
        claimed = sprongus_run_list_count(runs);
        for (size_t index = 0; index < claimed && status == SPRONGUS_OK; index++) {
            status = work(store, sprongus_run_list_at(runs, index), &error);
        }
        sprongus_run_list_free(runs);
    }
    if (status != SPRONGUS_OK) fprintf(stderr, "%s\n", sprongus_error_message(error));
    sprongus_error_free(error);
    sprongus_store_free(store);
    return status == SPRONGUS_OK ? 0 : 1;
}
