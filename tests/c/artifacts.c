// Artifacts: contents, versions, lists, the zip.
#include "test.h"

void test_artifacts(place at);

static const char *project = "c-artifacts";

static void contents(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_artifact_options options;
    SPRONGUS_INIT(options);
    options.project = project;
    sprongus_artifact *artifact = NULL;
    size_t length = 0;
    OK(sprongus_artifacts_put(store, "raw", "k", "a\0b", 3, &options, &artifact, &error));
    CHECK(sprongus_artifact_version(artifact) == 1);
    CHECK(sprongus_artifact_size(artifact) == 3);
    CHECK_TEXT(sprongus_artifact_media_type(artifact), "application/octet-stream");
    CHECK_TEXT(sprongus_artifact_project_id(artifact), project);
    CHECK_TEXT(sprongus_artifact_kind(artifact), "raw");
    CHECK_TEXT(sprongus_artifact_key(artifact), "k");
    CHECK(sprongus_artifact_run_id(artifact) == NULL && sprongus_artifact_ref(artifact) == NULL);
    CHECK(strlen(sprongus_artifact_sha256(artifact)) == 64);
    CHECK(test_holds(sprongus_artifact_created_at(artifact), "Z"));
    CHECK(test_holds(sprongus_artifact_to_json(artifact), "\"content\":\"YQBi\""));
    sprongus_artifact *again = NULL;
    OK(sprongus_artifacts_get(store, sprongus_artifact_id(artifact), &again, &error));
    const char *bytes = (const char *)sprongus_artifact_content(again, &length);
    CHECK(length == 3 && memcmp(bytes, "a\0b", 3) == 0);
    sprongus_artifact_free(again);
    sprongus_artifact_free(artifact);

    options.content = SPRONGUS_CONTENT_JSON;
    options.metadata = "{\"by\":\"me\"}";
    OK(sprongus_artifacts_put(store, "doc", "k", "{\"b\":1, \"a\":2}", 14, &options, &artifact, &error));
    bytes = (const char *)sprongus_artifact_content(artifact, &length);
    CHECK(length == 13 && memcmp(bytes, "{\"a\":2,\"b\":1}", 13) == 0);
    CHECK_TEXT(sprongus_artifact_metadata(artifact), "{\"by\":\"me\"}");
    sprongus_artifact_free(artifact);
    options.flags = SPRONGUS_IF_CHANGED;
    OK(sprongus_artifacts_put(store, "doc", "k", "{\"a\":2,\"b\":1}", 13, &options, &artifact, &error));
    CHECK(sprongus_artifact_version(artifact) == 1);
    sprongus_artifact_free(artifact);
    options.flags = 0;
    OK(sprongus_artifacts_put(store, "doc", "k", "{}", 2, &options, NULL, &error));
    OK(sprongus_artifacts_latest(store, "doc", "k", project, &artifact, &error));
    CHECK(sprongus_artifact_version(artifact) == 2);
    sprongus_artifact_free(artifact);
    FAILS(SPRONGUS_ERR_VALIDATION, sprongus_artifacts_put(store, "doc", "k", "{", 1, &options, NULL, &error));
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_artifacts_latest(store, "doc", "k", "other", &artifact, &error));
    options.content = 9;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_artifacts_put(store, "doc", "k", "x", 1, &options, NULL, &error));
}

static void elsewhere(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_artifact_options options;
    SPRONGUS_INIT(options);
    options.project = project;
    options.reference = "s3://bucket/file";
    options.sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    options.size = 4;
    sprongus_artifact *artifact = NULL;
    OK(sprongus_artifacts_put(store, "big", "k", NULL, 0, &options, &artifact, &error));
    size_t length = 7;
    CHECK(sprongus_artifact_content(artifact, &length) == NULL && length == 0);
    CHECK_TEXT(sprongus_artifact_ref(artifact), "s3://bucket/file");
    sprongus_artifact_free(artifact);
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_artifacts_put(store, "big", "k", "x", 1, &options, NULL, &error));
}

static void lists(sprongus_store *store, place at) {
    sprongus_error *error = NULL;
    sprongus_artifact_list *list = NULL;
    OK(sprongus_artifacts_list(store, project, NULL, 2, NULL, &list, &error));
    CHECK(sprongus_artifact_list_count(list) == 2);
    CHECK_TEXT(sprongus_artifact_kind(sprongus_artifact_list_at(list, 0)), "big");
    sprongus_artifact_list *rest = NULL;
    OK(sprongus_artifacts_list(store, project, NULL, 2, sprongus_artifact_list_next_cursor(list), &rest, &error));
    CHECK(sprongus_artifact_list_count(rest) == 1);
    CHECK_TEXT(sprongus_artifact_kind(sprongus_artifact_list_at(rest, 0)), "raw");
    CHECK(sprongus_artifact_list_at(rest, 1) == NULL && sprongus_artifact_list_next_cursor(rest) == NULL);
    CHECK(test_holds(sprongus_artifact_list_to_json(rest), "\"nextCursor\":null"));
    sprongus_artifact_list_free(rest);
    sprongus_artifact_list_free(list);
    OK(sprongus_artifacts_versions(store, "doc", "k", project, 0, NULL, &list, &error));
    CHECK(sprongus_artifact_list_count(list) == 2);
    CHECK(sprongus_artifact_version(sprongus_artifact_list_at(list, 0)) == 2);
    sprongus_artifact_list_free(list);

    char path[200];
    snprintf(path, sizeof path, "%s/%s.zip", getenv("SPRONGUS_TEST_TMP"), at.schema ? "postgres" : "sqlite");
    uint64_t count = 0;
    OK(sprongus_artifacts_export_zip(store, path, project, &count, &error));
    CHECK(count == 3);
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_artifacts_export_zip(store, "/no/such/folder/a.zip", project, NULL, &error));
}

void test_artifacts(place at) {
    sprongus_store *store = test_open(at);
    contents(store);
    elsewhere(store);
    lists(store, at);
    sprongus_store_free(store);
}
