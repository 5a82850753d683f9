/* The first ten lines, as the README has them. */
#include <sprongus.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    const char *request = "{\"kind\": \"mail.send\", \"input\": {\"to\": \"orders@example.org\"}}";
    sprongus_store *store = NULL;
    sprongus_buf *run = NULL;
    sprongus_error *error = NULL;
    int failed = sprongus_store_open("app.db", NULL, &store, &error) != SPRONGUS_OK
        || sprongus_call(store, "runs.enqueue", request, strlen(request), &run, &error) != SPRONGUS_OK;
    puts(failed ? sprongus_error_message(error) : sprongus_buf_data(run));
    sprongus_buf_free(run);
    sprongus_error_free(error);
    sprongus_store_free(store);
    return failed;
}
