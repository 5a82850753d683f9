// Tables kept in step with sources: profiles, files, a provider written in C; progress and secrets.
#include "test.h"

void test_sync(place at);

static const char *project = "c-sync";

// A source of two documents that keeps what is pushed to it.
typedef struct source {
    const char *documents[2];
    int at;
    int opened, closed, destroyed, fails;
    char pushed[400], config[200];
} source;

static int32_t source_open(void *user_data, const char *config, const char *project_id, const char *table, void **session,
                           sprongus_error **error) {
    source *self = (source *)user_data;
    if (self->fails) return sprongus_error_new(SPRONGUS_ERR_UNAVAILABLE, "the source is away", error);
    snprintf(self->config, sizeof self->config, "%s %s %s", config, project_id, table);
    self->opened++;
    self->at = 0;
    *session = self;
    return SPRONGUS_OK;
}

static int32_t source_next(void *session, const char **document, sprongus_error **error) {
    source *self = (source *)session;
    (void)error;
    *document = self->at < 2 ? self->documents[self->at++] : NULL;
    return SPRONGUS_OK;
}

static int32_t source_push(void *session, const char *changes, sprongus_error **error) {
    source *self = (source *)session;
    (void)error;
    snprintf(self->pushed, sizeof self->pushed, "%s", changes);
    return SPRONGUS_OK;
}

static void source_close(void *session) { ((source *)session)->closed++; }

static void source_destroy(void *user_data) { ((source *)user_data)->destroyed++; }

static const char *secret(void *user_data, const char *name) {
    (void)user_data;
    return strcmp(name, "SOURCE_TOKEN") == 0 ? "open sesame" : NULL;
}

static sprongus_provider functions(source *self) {
    sprongus_provider provider;
    SPRONGUS_INIT(provider);
    provider.flags = SPRONGUS_PROVIDER_READ | SPRONGUS_PROVIDER_WRITE;
    provider.user_data = self;
    provider.open = source_open;
    provider.next = source_next;
    provider.push = source_push;
    provider.close = source_close;
    provider.destroy = source_destroy;
    return provider;
}

static void profiles(sprongus_store *store) {
    sprongus_error *error = NULL;
    const char *config = "{\"token\": {\"$secret\": \"SOURCE_TOKEN\"}}";
    sprongus_buf *out = NULL;
    OK(sprongus_providers_put(store, "mine", "c-source", config, strlen(config), &out, &error));
    CHECK(test_holds(sprongus_buf_data(out), "\"$secret\":\"SOURCE_TOKEN\""));
    sprongus_buf_free(out);
    OK(sprongus_providers_put(store, "spare", "csv", NULL, 0, NULL, &error));
    OK(sprongus_providers_list(store, &out, &error));
    CHECK(test_holds(sprongus_buf_data(out), "\"name\":\"mine\"") && test_holds(sprongus_buf_data(out), "\"name\":\"spare\""));
    sprongus_buf_free(out);
    OK(sprongus_providers_get(store, "mine", &out, &error));
    CHECK(test_holds(sprongus_buf_data(out), "\"kind\":\"c-source\""));
    sprongus_buf_free(out);
    OK(sprongus_providers_delete(store, "spare", &error));
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_providers_get(store, "spare", &out, &error));
    const char *plain = "{\"password\": \"hunter2hunter2\"}";
    FAILS(SPRONGUS_ERR_SECRET_DETECTED, sprongus_providers_put(store, "p", "csv", plain, strlen(plain), NULL, &error));
}

static void in_c(sprongus_store *store) {
    sprongus_error *error = NULL;
    static source self;
    memset(&self, 0, sizeof self);
    self.documents[0] = "{\"id\": \"d-1\", \"title\": \"one\"}";
    self.documents[1] = "{\"id\": \"d-2\", \"title\": \"two\"}";
    sprongus_provider provider = functions(&self);
    OK(sprongus_providers_register(store, "c-source", &provider, &error));
    OK(sprongus_aux_create(store, project, "assets", "{\"title\":\"here\"}", 16, "d-3", NULL, &error));

    sprongus_run *run = NULL;
    OK(sprongus_aux_sync(store, project, "assets", "mine", "provider", SPRONGUS_DRY_RUN, NULL, &run, &error));
    sprongus_run_free(run);
    uint64_t count = 0;
    OK(sprongus_aux_count(store, project, "assets", NULL, NULL, &count, &error));
    CHECK(count == 1);
    OK(sprongus_aux_sync(store, project, "assets", "mine", "manual", 0, NULL, &run, &error));
    CHECK_TEXT(sprongus_run_state(run), "succeeded");
    CHECK(strncmp(sprongus_run_output_ref(run), "artifact:", 9) == 0);
    sprongus_run_free(run);
    OK(sprongus_aux_count(store, project, "assets", NULL, NULL, &count, &error));
    CHECK(count == 3);
    CHECK(test_holds(self.pushed, "\"created\":[{") && test_holds(self.pushed, "\"d-3\""));
    CHECK(test_holds(self.config, "open sesame") && test_holds(self.config, "c-sync assets"));
    CHECK(self.opened == self.closed && self.opened > 0);

    self.fails = 1;
    FAILS(SPRONGUS_ERR_UNAVAILABLE, sprongus_aux_sync(store, project, "assets", "mine", NULL, 0, NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_aux_sync(store, project, "assets", "mine", "none", 0, NULL, NULL, &error));
    provider.push = NULL;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_providers_register(store, "c-source", &provider, &error));
    CHECK(self.destroyed == 1);
    provider.flags = SPRONGUS_PROVIDER_READ;
    OK(sprongus_providers_register(store, "c-source", &provider, &error));
    CHECK(self.destroyed == 2);
}

static bool up_to_one(void *user_data, uint64_t done, uint64_t total) {
    uint64_t *told = (uint64_t *)user_data;
    (void)total;
    *told = done;
    return false;
}

static void progress(sprongus_store *store) {
    sprongus_error *error = NULL;
    uint64_t told = 0, before = 0, after = 0;
    OK(sprongus_aux_count(store, project, "assets", NULL, NULL, &before, &error));
    FAILS(SPRONGUS_ERR_TIMEOUT, sprongus_aux_bulk_upsert(store, project, "assets", "[{\"title\":\"x\"}]", 15, 0, up_to_one,
                                                         &told, NULL, &error));
    CHECK(told == 1);
    OK(sprongus_aux_count(store, project, "assets", NULL, NULL, &after, &error));
    CHECK(before == after);
}

void test_sync(place at) {
    sprongus_options options;
    SPRONGUS_INIT(options);
    options.schema = at.schema;
    options.secrets = secret;
    sprongus_store *store = NULL;
    sprongus_error *error = NULL;
    OK(sprongus_store_open(at.url, &options, &store, &error));
    profiles(store);
    in_c(store);
    progress(store);
    sprongus_store_free(store);
}
