// Works runs of a kind until nothing is due: push STORE KIND. Each builds once, asks for leave, and pushes when it is given.
#include <sprongus.h>

#include <stdio.h>

static int32_t push(void *user_data, const sprongus_context *context) {
    (void)user_data;
    const sprongus_run *run = sprongus_context_run(context);
    const sprongus_store *store = sprongus_context_store(context);
    const char *id = sprongus_run_id(run);
    int64_t lease = sprongus_run_lease(run);
    sprongus_buf *build = NULL;
    sprongus_approval *leave = NULL;
    int32_t status = sprongus_runs_find_step(store, id, lease, "build", &build, NULL);
    if (status == SPRONGUS_OK && build == NULL) {
        puts("built");
        status = sprongus_runs_save_step(store, id, lease, "build", "\"by C\"", 6, &build, NULL);
    }
    if (status == SPRONGUS_OK) status = sprongus_context_approval(context, "repo.push", "push it", NULL, &leave, NULL);
    bool decided = sprongus_approval_decision(leave) != NULL;
    if (decided) {
        status = sprongus_context_output(context, sprongus_buf_data(build), sprongus_buf_length(build), NULL);
        printf("pushed with leave of %s\n", sprongus_approval_decided_by(leave));
    }
    sprongus_approval_free(leave);
    sprongus_buf_free(build);
    return status != SPRONGUS_OK ? SPRONGUS_FATAL : decided ? SPRONGUS_DONE : SPRONGUS_AWAITING;
}

int main(int count, char **arguments) {
    if (count < 3) return 2;
    sprongus_error *error = NULL;
    sprongus_store *store = NULL;
    sprongus_worker *worker = NULL;
    int32_t status = sprongus_store_open(arguments[1], NULL, &store, &error);
    if (status == SPRONGUS_OK) status = sprongus_worker_new(store, NULL, &worker, &error);
    if (status == SPRONGUS_OK) status = sprongus_worker_handle(worker, arguments[2], push, NULL, NULL, &error);
    if (status == SPRONGUS_OK) status = sprongus_worker_run_until_idle(worker, SPRONGUS_NONE, &error);
    if (status != SPRONGUS_OK) fprintf(stderr, "%s\n", sprongus_error_message(error));
    sprongus_error_free(error);
    sprongus_worker_free(worker);
    sprongus_store_free(store);
    return status == SPRONGUS_OK ? 0 : 1;
}
