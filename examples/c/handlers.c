// A worker with handlers: handlers STORE. The run builds once, asks for leave to deploy, and goes on when it is given.
#include <sprongus.h>

#include <stdio.h>

static int32_t deploy(void *user_data, const sprongus_context *context) {
    (void)user_data;
    const sprongus_run *run = sprongus_context_run(context);
    const sprongus_store *store = sprongus_context_store(context);
    sprongus_buf *build = NULL;
    sprongus_approval *leave = NULL;

    // A step is done once: when the run comes back, its result is there.
    int32_t status = sprongus_runs_find_step(store, sprongus_run_id(run), sprongus_run_lease(run), "build", &build, NULL);
    if (status == SPRONGUS_OK && build == NULL) {
        puts("building");
        status = sprongus_runs_save_step(store, sprongus_run_id(run), sprongus_run_lease(run), "build", "17", 2, &build, NULL);
    }
    if (status == SPRONGUS_OK) {
        status = sprongus_context_approval(context, "deploy.production", "deploy build 17", NULL, &leave, NULL);
    }
    bool decided = sprongus_approval_decision(leave) != NULL;
    sprongus_approval_free(leave);
    if (status == SPRONGUS_OK && decided) {
        printf("deploying build %s\n", sprongus_buf_data(build));
        status = sprongus_context_output(context, "{\"deployed\": true}", 18, NULL);
    }
    sprongus_buf_free(build);
    if (status != SPRONGUS_OK) return SPRONGUS_RETRY;
    return decided ? SPRONGUS_DONE : SPRONGUS_AWAITING;
}

int main(int count, char **arguments) {
    if (count < 2) {
        fprintf(stderr, "usage: handlers STORE\n");
        return 2;
    }
    sprongus_error *error = NULL;
    sprongus_store *store = NULL;
    sprongus_worker *worker = NULL;
    sprongus_run *run = NULL;
    sprongus_approval_options leave;
    SPRONGUS_INIT(leave);
    leave.scope = "deploy.production";
    leave.note = "the tests passed";

    int32_t status = sprongus_store_open(arguments[1], NULL, &store, &error);
    if (status == SPRONGUS_OK) status = sprongus_worker_new(store, NULL, &worker, &error);
    if (status == SPRONGUS_OK) status = sprongus_worker_handle(worker, "deploy", deploy, NULL, NULL, &error);
    if (status == SPRONGUS_OK) status = sprongus_runs_enqueue(store, "deploy", NULL, 0, NULL, &run, &error);
    if (status == SPRONGUS_OK) status = sprongus_worker_run_until_idle(worker, SPRONGUS_NONE, &error);
    // Somebody decides; here, and now.
    if (status == SPRONGUS_OK) {
        status = sprongus_approvals_approve(store, sprongus_run_id(run), "ada", &leave, NULL, &error);
    }
    if (status == SPRONGUS_OK) status = sprongus_worker_run_until_idle(worker, SPRONGUS_NONE, &error);

    sprongus_run *done = NULL;
    if (status == SPRONGUS_OK) status = sprongus_runs_get(store, sprongus_run_id(run), &done, &error);
    if (status == SPRONGUS_OK) printf("the run is %s\n", sprongus_run_state(done));
    bool succeeded = sprongus_run_is_final(done);
    if (status != SPRONGUS_OK) fprintf(stderr, "%s\n", sprongus_error_message(error));
    sprongus_error_free(error);
    sprongus_run_free(done);
    sprongus_run_free(run);
    sprongus_worker_free(worker);
    sprongus_store_free(store);
    return succeeded ? 0 : 1;
}
