// Scoped handles: the wall, rates, row-level security.
#include "test.h"

void test_scopes(place at);

static void walls(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_store *mine = NULL, *theirs = NULL;
    OK(sprongus_store_scoped(store, "c-p1", NULL, 0, &mine, &error));
    OK(sprongus_store_scoped_with(store, "c-p2", NULL, &theirs, &error));
    sprongus_run *run = NULL;
    OK(sprongus_runs_enqueue(mine, "c.walled", NULL, 0, NULL, &run, &error));
    CHECK_TEXT(sprongus_run_project_id(run), "c-p1");
    sprongus_run *seen = NULL;
    sprongus_entry *entry = NULL;
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_runs_get(theirs, sprongus_run_id(run), &seen, &error));
    FAILS(SPRONGUS_ERR_PERMISSION_DENIED, sprongus_aux_get(theirs, "c-p1", "assets", "a", &entry, &error));
    CHECK(seen == NULL && entry == NULL);
    FAILS(SPRONGUS_ERR_PERMISSION_DENIED, sprongus_store_migrate(theirs, NULL, &error));
    sprongus_run_free(run);
    sprongus_store_free(mine);
    sprongus_store_free(theirs);
}

static void rates(sprongus_store *store) {
    sprongus_error *error = NULL;
    const char *scopes[] = {"runs:read", "runs:write"};
    sprongus_scoped_options options;
    SPRONGUS_INIT(options);
    options.scopes = scopes;
    options.scopes_count = 2;
    options.enqueue_rate = 2;
    options.enqueue_per_ms = 3600000;
    options.cancel_rate = 1;
    options.cancel_per_ms = 3600000;
    sprongus_store *slow = NULL;
    OK(sprongus_store_scoped_with(store, "c-rated", &options, &slow, &error));
    sprongus_run *first = NULL, *second = NULL;
    OK(sprongus_runs_enqueue(slow, "c.rated", NULL, 0, NULL, &first, &error));
    OK(sprongus_runs_enqueue(slow, "c.rated", NULL, 0, NULL, &second, &error));
    CHECK(sprongus_runs_enqueue(slow, "c.rated", NULL, 0, NULL, NULL, &error) == SPRONGUS_ERR_RATE_LIMITED);
    CHECK(sprongus_error_retryable(error) && test_holds(sprongus_error_details(error), "\"retryIn\":"));
    sprongus_error_free(error);
    error = NULL;
    OK(sprongus_runs_cancel(slow, sprongus_run_id(first), NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_RATE_LIMITED, sprongus_runs_cancel(slow, sprongus_run_id(second), NULL, NULL, &error));
    sprongus_entry *entry = NULL;
    FAILS(SPRONGUS_ERR_PERMISSION_DENIED, sprongus_aux_get(slow, "c-rated", "assets", "a", &entry, &error));
    sprongus_run_free(first);
    sprongus_run_free(second);
    sprongus_store_free(slow);

    slow = NULL;
    options.enqueue_rate = -1;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_store_scoped_with(store, "p", &options, &slow, &error));
    options.enqueue_rate = 1;
    options.enqueue_per_ms = SPRONGUS_NONE;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_store_scoped_with(store, "p", &options, &slow, &error));
    options.enqueue_per_ms = 0;
    options.scopes = NULL;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_store_scoped_with(store, "p", &options, &slow, &error));
    options.scopes_count = 0;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_store_scoped_with(store, NULL, &options, &slow, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_store_scoped_with(NULL, "p", &options, &slow, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_store_scoped_with(store, "p", &options, NULL, &error));
    options.struct_size = 3;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_store_scoped_with(store, "p", &options, &slow, &error));
    CHECK(slow == NULL);
}

static void row_security(sprongus_store *store, place at) {
    sprongus_error *error = NULL;
    const char *projects[] = {"c-p1", NULL};
    const bool server = strcmp(sprongus_store_backend(store), "postgres") == 0;
    const int32_t unsupported = SPRONGUS_ERR_UNSUPPORTED;
    test_status(__FILE__, __LINE__, "enable", sprongus_store_enable_row_security(store, &error), &error,
                server ? SPRONGUS_OK : unsupported);
    FAILS(server ? SPRONGUS_ERR_NOT_FOUND : unsupported,
          sprongus_store_grant_projects(store, "no_such_role", projects, 1, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_store_grant_projects(store, "no_such_role", projects, 2, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_store_grant_projects(store, NULL, projects, 1, &error));
    // The owner is not bound by it.
    sprongus_options options;
    SPRONGUS_INIT(options);
    options.schema = at.schema;
    options.flags = SPRONGUS_ROW_SECURITY;
    sprongus_store *bound = NULL;
    FAILS(unsupported, sprongus_store_open(at.url, &options, &bound, &error));
    CHECK(bound == NULL);
}

void test_scopes(place at) {
    sprongus_store *store = test_open(at);
    walls(store);
    rates(store);
    row_security(store, at);
    sprongus_store_free(store);
}
