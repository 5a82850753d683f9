// Custom tables: schemas, rows of every type, queries, and what is refused.
#include "test.h"

void test_tables(place at);

static const char *every =
    "{\"name\":\"c_things\",\"columns\":["
    "{\"name\":\"id\",\"type\":\"text\",\"constraints\":[\"primary_key\"]},"
    "{\"name\":\"words\",\"type\":\"text\"},{\"name\":\"whole\",\"type\":\"integer\"},{\"name\":\"long\",\"type\":\"bigint\"},"
    "{\"name\":\"broken\",\"type\":\"real\"},{\"name\":\"raw\",\"type\":\"blob\"},{\"name\":\"doc\",\"type\":\"json\"},"
    "{\"name\":\"flag\",\"type\":\"boolean\"}]}";
static const char *numbered =
    "{\"name\":\"c_numbered\",\"columns\":["
    "{\"name\":\"n\",\"type\":\"integer\",\"constraints\":[\"primary_key\",\"auto_increment\"]},"
    "{\"name\":\"label\",\"type\":\"text\",\"constraints\":[\"not_null\",\"unique\"]}]}";

static int32_t create(const void *on, const char *schema, sprongus_error **error) {
    return sprongus_tables_create(on, schema, strlen(schema), error);
}

static int32_t insert(const void *on, const char *table, const char *row, sprongus_error **error) {
    return sprongus_tables_insert(on, table, row, strlen(row), NULL, error);
}

static int32_t update(const void *on, const char *table, const char *id, const char *data, sprongus_error **error) {
    return sprongus_tables_update(on, table, id, data, strlen(data), error);
}

static void schemas(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_buf *buf = NULL;
    bool exists = true;
    OK(sprongus_tables_exists(store, "c_things", &exists, &error));
    CHECK(!exists);
    OK(create(store, every, &error));
    OK(create(store, numbered, &error));
    OK(create(store, numbered, &error));
    OK(sprongus_tables_exists(store, "C_THINGS", &exists, &error));
    CHECK(exists);
    OK(sprongus_tables_exists(store, "sprongus_runs", &exists, &error));
    CHECK(!exists);
    OK(sprongus_tables_names(store, &buf, &error));
    CHECK_TEXT(sprongus_buf_data(buf), "[\"c_numbered\",\"c_things\"]");
    sprongus_buf_free(buf);
    OK(sprongus_tables_describe(store, "c_numbered", &buf, &error));
    CHECK(test_holds(sprongus_buf_data(buf), "\"auto_increment\""));
    sprongus_buf_free(buf);
    CHECK(create(store, "{\"name\":\"c_numbered\",\"columns\":[{\"name\":\"n\",\"type\":\"text\"}]}", &error) ==
          SPRONGUS_ERR_CONFLICT);
    CHECK(test_holds(sprongus_error_details(error), "label"));
    sprongus_error_free(error);
    error = NULL;
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_tables_describe(store, "c_none", &buf, &error));
    CHECK(sprongus_tables_create(store, "{", 1, &error) == SPRONGUS_ERR_VALIDATION);
    sprongus_error_free(error);
    CHECK(sprongus_tables_create(store, "{}", 2, &error) != SPRONGUS_OK);
    sprongus_error_free(error);
    error = NULL;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_tables_drop(store, "sprongus_runs", &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_tables_drop(store, "a b", &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_tables_drop(store, "a\xff", &error));
    OK(sprongus_tables_drop(store, "c_none", &error));
}

static void values(sprongus_store *store) {
    sprongus_error *error = NULL;
    const char *row =
        "{\"id\":\"a\",\"words\":\"Gr\xc3\xb6\xc3\x9f" "e\",\"whole\":1099511627776,\"long\":9223372036854775807,\"broken\":16777217.5,"
        "\"raw\":{\"$bytes\":\"AAH/\"},\"doc\":{\"b\":[1,2.5,null],\"a\":{}},\"flag\":true}";
    sprongus_buf *id = NULL;
    OK(sprongus_tables_insert(store, "c_things", row, strlen(row), &id, &error));
    CHECK_TEXT(sprongus_buf_data(id), "a");
    sprongus_buf_free(id);
    sprongus_rows *rows = NULL;
    OK(sprongus_tables_query(store, "c_things", NULL, &rows, &error));
    CHECK(sprongus_rows_count(rows) == 1 && sprongus_rows_columns(rows) == 8);
    CHECK_TEXT(sprongus_rows_column_name(rows, 5), "raw");
    const sprongus_value *value = sprongus_rows_value(rows, 0, 1);
    CHECK(value->type == SPRONGUS_TEXT && value->length == 7);
    value = sprongus_rows_value(rows, 0, 2);
    CHECK(value->type == SPRONGUS_INT && value->integer == 1099511627776);
    value = sprongus_rows_value(rows, 0, 3);
    CHECK(value->type == SPRONGUS_INT && value->integer == INT64_MAX);
    value = sprongus_rows_value(rows, 0, 4);
    CHECK(value->type == SPRONGUS_FLOAT && value->real == 16777217.5);
    value = sprongus_rows_value(rows, 0, 5);
    CHECK(value->type == SPRONGUS_BYTES && value->length == 3 && memcmp(value->data, "\0\1\xff", 3) == 0);
    value = sprongus_rows_value(rows, 0, 6);
    CHECK(value->type == SPRONGUS_JSON);
    CHECK_TEXT(value->data, "{\"a\":{},\"b\":[1,2.5,null]}");
    value = sprongus_rows_value(rows, 0, 7);
    CHECK(value->type == SPRONGUS_BOOL && value->integer == 1);

    // What came out goes in again.
    const char *json = sprongus_rows_to_json(rows);
    CHECK(test_holds(json, "\"raw\":{\"$bytes\":\"AAH/\"}"));
    OK(sprongus_tables_delete(store, "c_things", "a", &error));
    OK(sprongus_tables_insert_many(store, "c_things", json, strlen(json), &id, &error));
    CHECK_TEXT(sprongus_buf_data(id), "[\"a\"]");
    sprongus_buf_free(id);
    sprongus_rows *again = NULL;
    OK(sprongus_tables_query(store, "c_things", NULL, &again, &error));
    CHECK_TEXT(sprongus_rows_to_json(again), json);
    sprongus_rows_free(again);
    sprongus_rows_free(rows);
    sprongus_rows_free(rows);
    CHECK(sprongus_rows_value(rows, 0, 0) == NULL);

    OK(sprongus_tables_insert(store, "c_things", "{}", 2, &id, &error));
    CHECK(sprongus_buf_length(id) == 26);
    OK(sprongus_tables_delete(store, "c_things", sprongus_buf_data(id), &error));
    sprongus_buf_free(id);
}

static void typed_values(sprongus_store *store) {
    sprongus_error *error = NULL;
    const char *columns[] = {"id", "words", "whole", "long", "broken", "raw", "doc", "flag"};
    sprongus_value values[8];
    values[0] = sprongus_text("typed");
    values[1] = sprongus_typed(SPRONGUS_DATE, "2024-02-29");
    values[2] = sprongus_int(-7);
    values[3] = sprongus_int(INT64_MIN);
    values[4] = sprongus_float(0.5);
    values[5] = sprongus_bytes("\0\xff", 2);
    values[6] = sprongus_typed(SPRONGUS_ARRAY, "[1, \"a\", null, {\"b\": 2.0}]");
    values[7] = sprongus_bool(true);
    sprongus_buf *id = NULL;
    OK(sprongus_tables_insert_values(store, "c_things", columns, values, 8, &id, &error));
    CHECK_TEXT(sprongus_buf_data(id), "typed");
    sprongus_buf_free(id);
    values[1] = sprongus_typed(SPRONGUS_DECIMAL, "1.50");
    values[6] = sprongus_typed(SPRONGUS_JSON, "{ \"b\": 1, \"a\": 2 }");
    OK(sprongus_tables_update_values(store, "c_things", "typed", columns + 6, values + 6, 1, &error));
    OK(sprongus_tables_update_values(store, "c_things", "typed", columns + 1, values + 1, 1, &error));
    OK(sprongus_tables_update_values(store, "c_things", "typed", NULL, NULL, 0, &error));
    sprongus_rows *rows = NULL;
    sprongus_rows_query query;
    SPRONGUS_INIT(query);
    query.where = "{\"id\":\"typed\"}";
    OK(sprongus_tables_query(store, "c_things", &query, &rows, &error));
    CHECK_TEXT(sprongus_rows_to_json(rows),
               "[{\"id\":\"typed\",\"words\":\"1.50\",\"whole\":-7,\"long\":-9223372036854775808,\"broken\":0.5,"
               "\"raw\":{\"$bytes\":\"AP8=\"},\"doc\":{\"a\":2,\"b\":1},\"flag\":true}]");
    // Values as they came out go in again.
    for (size_t column = 0; column < 8; column++) values[column] = *sprongus_rows_value(rows, 0, column);
    OK(sprongus_tables_delete(store, "c_things", "typed", &error));
    OK(sprongus_tables_insert_values(store, "c_things", columns, values, 8, NULL, &error));
    sprongus_rows_free(rows);

    values[0] = sprongus_text("other");
    values[1] = sprongus_text("words");
    values[2] = sprongus_text("7");
    CHECK(sprongus_tables_insert_values(store, "c_things", columns, values, 3, NULL, &error) == SPRONGUS_ERR_VALIDATION);
    CHECK(test_holds(sprongus_error_details(error), "/whole"));
    sprongus_error_free(error);
    error = NULL;
    columns[1] = "ID";
    values[1] = sprongus_text("twice");
    FAILS(SPRONGUS_ERR_VALIDATION, sprongus_tables_insert_values(store, "c_things", columns, values, 2, NULL, &error));
    columns[1] = NULL;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_tables_insert_values(store, "c_things", columns, values, 2, NULL, &error));
    values[0].type = 99;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_tables_insert_values(store, "c_things", columns, values, 1, NULL, &error));
    values[0] = sprongus_float(1.0 / 0.0);
    columns[0] = "broken";
    FAILS(SPRONGUS_ERR_VALIDATION, sprongus_tables_insert_values(store, "c_things", columns, values, 1, NULL, &error));
    OK(sprongus_tables_delete(store, "c_things", "typed", &error));
}

static void refusals(sprongus_store *store) {
    sprongus_error *error = NULL;
    const char *wrong[][2] = {
        {"/words", "{\"words\":1}"},       {"/whole", "{\"whole\":true}"},
        {"/whole", "{\"whole\":9223372036854775808}"}, {"/broken", "{\"broken\":\"1.5\"}"},
        {"/raw", "{\"raw\":\"text\"}"},    {"/raw", "{\"raw\":{\"$bytes\":\"!\"}}"},
        {"/flag", "{\"flag\":1}"},         {"/colour", "{\"colour\":\"red\"}"},
    };
    for (size_t index = 0; index < sizeof wrong / sizeof *wrong; index++) {
        test_checks++;
        if (insert(store, "c_things", wrong[index][1], &error) != SPRONGUS_ERR_VALIDATION ||
            !test_holds(sprongus_error_details(error), wrong[index][0])) {
            fprintf(stderr, "%s: %s\n", wrong[index][1], sprongus_error_to_json(error));
            test_failed(__FILE__, __LINE__, "it is validation, and names the column");
        }
        sprongus_error_free(error);
        error = NULL;
    }
    FAILS(SPRONGUS_ERR_VALIDATION, insert(store, "c_things", "{\"words\":\"a\\u0000b\"}", &error));
    FAILS(SPRONGUS_ERR_VALIDATION, insert(store, "c_things", "{\"words\":1", &error));
    CHECK(insert(store, "c_things", "[]", &error) != SPRONGUS_OK);
    sprongus_error_free(error);
    error = NULL;
    FAILS(SPRONGUS_ERR_VALIDATION, insert(store, "c_numbered", "{}", &error));
    FAILS(SPRONGUS_ERR_NOT_FOUND, insert(store, "c_none", "{}", &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, insert(store, "sprongus_runs", "{}", &error));
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, insert(store, "x\"; DROP TABLE c_things; --", "{}", &error));
    sprongus_buf *ids = NULL;
    CHECK(sprongus_tables_insert_many(store, "c_numbered", "{}", 2, &ids, &error) != SPRONGUS_OK && ids == NULL);
    sprongus_error_free(error);
    error = NULL;
    const char *half = "[{\"label\":\"a\"},{\"label\":7},{}]";
    CHECK(sprongus_tables_insert_many(store, "c_numbered", half, strlen(half), &ids, &error) == SPRONGUS_ERR_VALIDATION);
    CHECK(test_holds(sprongus_error_details(error), "\"row\":2") && test_holds(sprongus_error_details(error), "\"row\":3"));
    sprongus_error_free(error);
    error = NULL;
    uint64_t count = 7;
    OK(sprongus_tables_count(store, "c_numbered", NULL, &count, &error));
    CHECK(count == 0);
}

static void rows(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_buf *ids = NULL;
    const char *three = "[{\"label\":\"a\"},{\"n\":7,\"label\":\"b\"},{\"label\":\"c\"}]";
    OK(sprongus_tables_insert_many(store, "c_numbered", three, strlen(three), &ids, &error));
    CHECK_TEXT(sprongus_buf_data(ids), "[\"1\",\"7\",\"8\"]");
    sprongus_buf_free(ids);
    OK(update(store, "c_numbered", "7", "{\"label\":\"B\"}", &error));
    OK(update(store, "c_numbered", "7", "{}", &error));
    CHECK(update(store, "c_numbered", "7", "{\"label\":\"a\"}", &error) == SPRONGUS_ERR_CONFLICT);
    CHECK(test_holds(sprongus_error_message(error), "label"));
    sprongus_error_free(error);
    error = NULL;
    FAILS(SPRONGUS_ERR_VALIDATION, update(store, "c_numbered", "7", "{\"label\":null}", &error));
    FAILS(SPRONGUS_ERR_NOT_FOUND, update(store, "c_numbered", "9", "{\"label\":\"x\"}", &error));
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_tables_delete(store, "c_numbered", "9", &error));

    sprongus_rows_query query;
    SPRONGUS_INIT(query);
    sprongus_rows *found = NULL;
    query.where = "{\"label\":[\"a\",\"c\"]}";
    const char *order[] = {"-n"};
    query.order_by = order;
    query.order_by_count = 1;
    OK(sprongus_tables_query(store, "c_numbered", &query, &found, &error));
    CHECK_TEXT(sprongus_rows_to_json(found), "[{\"n\":8,\"label\":\"c\"},{\"n\":1,\"label\":\"a\"}]");
    sprongus_rows_free(found);
    query.limit = 1;
    query.offset = 1;
    OK(sprongus_tables_query(store, "c_numbered", &query, &found, &error));
    CHECK_TEXT(sprongus_rows_to_json(found), "[{\"n\":1,\"label\":\"a\"}]");
    sprongus_rows_free(found);
    query.limit = SPRONGUS_NONE;
    OK(sprongus_tables_query(store, "c_numbered", &query, &found, &error));
    CHECK(sprongus_rows_count(found) == 0);
    CHECK_TEXT(sprongus_rows_to_json(found), "[]");
    sprongus_rows_free(found);
    query.limit = -7;
    FAILS(SPRONGUS_ERR_INVALID_ARGUMENT, sprongus_tables_query(store, "c_numbered", &query, &found, &error));
    query.limit = 0;
    order[0] = NULL;
    CHECK(sprongus_tables_query(store, "c_numbered", &query, &found, &error) != SPRONGUS_OK && found == NULL);
    sprongus_error_free(error);
    error = NULL;
    order[0] = "none";
    CHECK(sprongus_tables_query(store, "c_numbered", &query, &found, &error) != SPRONGUS_OK && found == NULL);
    sprongus_error_free(error);
    error = NULL;

    uint64_t count = 0;
    OK(sprongus_tables_count(store, "c_numbered", "{\"n\":7}", &count, &error));
    CHECK(count == 1);
    CHECK(sprongus_tables_count(store, "c_numbered", "{\"n\":", &count, &error) == SPRONGUS_ERR_VALIDATION && count == 0);
    sprongus_error_free(error);
    error = NULL;
}

static void transactions(sprongus_store *store) {
    sprongus_error *error = NULL;
    sprongus_tx *tx = NULL;
    uint64_t count = 0;
    OK(sprongus_tx_begin(store, &tx, &error));
    OK(insert(tx, "c_numbered", "{\"label\":\"tx\"}", &error));
    FAILS(SPRONGUS_ERR_CONFLICT, insert(tx, "c_numbered", "{\"label\":\"tx\"}", &error));
    OK(sprongus_tables_drop(tx, "c_things", &error));
    OK(sprongus_tx_rollback(tx, &error));
    sprongus_tx_free(tx);
    FAILS(SPRONGUS_ERR_MISUSE, insert(tx, "c_numbered", "{\"label\":\"tx\"}", &error));
    OK(sprongus_tables_count(store, "c_numbered", "{\"label\":\"tx\"}", &count, &error));
    CHECK(count == 0);
    OK(sprongus_tables_drop(store, "c_things", &error));
    OK(sprongus_tables_drop(store, "c_numbered", &error));
    FAILS(SPRONGUS_ERR_NOT_FOUND, sprongus_tables_count(store, "c_things", NULL, &count, &error));
}

void test_tables(place at) {
    sprongus_store *store = test_open(at);
    schemas(store);
    values(store);
    typed_values(store);
    refusals(store);
    rows(store);
    transactions(store);
    sprongus_store_free(store);
}
