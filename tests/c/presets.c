// Presets through their typed functions.
#include "test.h"

void test_presets(place at);

void test_presets(place at) {
    sprongus_error *error = NULL;
    sprongus_store *store = test_open(at);
    const char *fields = "{\"fields\": [{\"name\": \"title\", \"type\": \"string\", \"required\": true}]}";
    sprongus_preset *preset = NULL;
    OK(sprongus_presets_create(store, "c-paper", "custom", fields, strlen(fields), 0, SPRONGUS_DRAFT, &preset, &error));
    CHECK(sprongus_preset_published_at(preset) == NULL && sprongus_preset_version(preset) == 1);
    sprongus_preset_free(preset);
    OK(sprongus_presets_publish(store, "c-paper@1", &preset, &error));
    CHECK(sprongus_preset_published_at(preset) != NULL);
    CHECK_TEXT(sprongus_preset_label(preset), "c-paper");
    CHECK_TEXT(sprongus_preset_kind(preset), "custom");
    CHECK(strlen(sprongus_preset_id(preset)) == 26 && test_holds(sprongus_preset_definition(preset), "fields"));
    sprongus_preset *same = NULL;
    OK(sprongus_presets_get(store, sprongus_preset_id(preset), &same, &error));
    CHECK_TEXT(sprongus_preset_to_json(same), sprongus_preset_to_json(preset));
    sprongus_preset_free(same);
    sprongus_preset_free(preset);

    sprongus_buf *text = NULL;
    OK(sprongus_presets_bind(store, "c-papers", "c-paper", NULL, 0, &text, &error));
    CHECK(test_holds(sprongus_buf_data(text), "\"bound\":true"));
    sprongus_buf_free(text);
    OK(sprongus_presets_bound(store, "c-papers", "p1", &preset, &error));
    CHECK_TEXT(sprongus_preset_label(preset), "c-paper");
    sprongus_preset_free(preset);
    OK(sprongus_aux_create(store, "p1", "c-papers", "{\"title\":\"On heat\"}", 19, NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_VALIDATION, sprongus_aux_create(store, "p1", "c-papers", "{}", 2, NULL, NULL, &error));
    OK(sprongus_presets_validate(store, "c-paper", "{\"title\":1}", 11, &text, &error));
    CHECK(test_holds(sprongus_buf_data(text), "\"path\":\"/title\""));
    sprongus_buf_free(text);
    FAILS(SPRONGUS_ERR_CONFLICT, sprongus_presets_delete(store, "c-paper", &error));

    const char *number = "{\"type\": \"object\", \"required\": [\"n\"]}";
    OK(sprongus_presets_create(store, "c-input", "run_input", number, strlen(number), 0, 0, NULL, &error));
    OK(sprongus_presets_bind_run(store, "c.bound", "c-input", NULL, &error));
    FAILS(SPRONGUS_ERR_VALIDATION, sprongus_runs_enqueue(store, "c.bound", "{}", 2, NULL, NULL, &error));
    OK(sprongus_runs_enqueue(store, "c.bound", "{\"n\":1}", 7, NULL, NULL, &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT,
          sprongus_presets_create(store, "c-x", "sculpture", "true", 4, 0, 0, NULL, &error));

    sprongus_preset_list *list = NULL;
    OK(sprongus_presets_list(store, NULL, "c-", 1, NULL, &list, &error));
    CHECK(sprongus_preset_list_count(list) == 1 && sprongus_preset_list_next_cursor(list) != NULL);
    CHECK_TEXT(sprongus_preset_label(sprongus_preset_list_at(list, 0)), "c-input");
    CHECK(test_holds(sprongus_preset_list_to_json(list), "\"nextCursor\":\""));
    sprongus_preset_list_free(list);

    OK(sprongus_presets_export(store, "custom", "c-", &text, &error));
    sprongus_buf *report = NULL;
    OK(sprongus_presets_import(store, sprongus_buf_data(text), sprongus_buf_length(text), 0, &report, &error));
    CHECK(test_holds(sprongus_buf_data(report), "\"unchanged\":1"));
    sprongus_buf_free(report);
    sprongus_buf_free(text);
    sprongus_store_free(store);
}
