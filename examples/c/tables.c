// Custom tables: OAuth tokens, a plugin's settings, an upsert at run time: tables STORE
#include <sprongus.h>

#include <stdio.h>

static int32_t create(const void *on, const char *schema, sprongus_error **error) {
    return sprongus_tables_create(on, schema, strlen(schema), error);
}

static int32_t insert(const void *on, const char *table, const char *row, sprongus_error **error) {
    return sprongus_tables_insert(on, table, row, strlen(row), NULL, error);
}

// A token is kept sealed: what seals and opens it is the host's own.
static int32_t tokens(sprongus_store *store, sprongus_error **error) {
    int32_t status = create(store,
                            "{\"name\": \"oauth_tokens\", \"columns\": ["
                            "{\"name\": \"account\", \"type\": \"text\", \"constraints\": [\"primary_key\"]},"
                            "{\"name\": \"sealed\", \"type\": \"blob\", \"constraints\": [\"not_null\"]},"
                            "{\"name\": \"expires_at\", \"type\": \"bigint\"}],"
                            "\"indexes\": [{\"name\": \"oauth_tokens_expiry\", \"columns\": [\"expires_at\"]}]}",
                            error);
    const char *columns[] = {"account", "sealed", "expires_at"};
    sprongus_value values[3];
    values[0] = sprongus_text("ada");
    values[1] = sprongus_bytes("\x01\xfe", 2);
    values[2] = sprongus_int(1893456000);
    if (status == SPRONGUS_OK)
        status = sprongus_tables_insert_values(store, "oauth_tokens", columns, values, 3, NULL, error);
    if (status == SPRONGUS_ERR_CONFLICT) {  // there is one: the new one takes its place
        if (error != NULL) sprongus_error_free(*error);
        status = sprongus_tables_update_values(store, "oauth_tokens", "ada", columns, values, 3, error);
    }
    if (status != SPRONGUS_OK) return status;

    sprongus_rows *rows = NULL;
    const char *order[] = {"-expires_at"};
    sprongus_rows_query query;
    SPRONGUS_INIT(query);
    query.where = "{\"account\": [\"ada\", \"bob\"]}";
    query.order_by = order;
    query.order_by_count = 1;
    query.limit = 1;
    status = sprongus_tables_query(store, "oauth_tokens", &query, &rows, error);
    if (status == SPRONGUS_OK) {
        const sprongus_value *sealed = sprongus_rows_value(rows, 0, 1);  // by the order of the columns
        printf("%s: %zu bytes, until %lld\n", sprongus_rows_value(rows, 0, 0)->data, sealed->length,
               (long long)sprongus_rows_value(rows, 0, 2)->integer);
    }
    sprongus_rows_free(rows);
    return status;
}

// A table that a plugin brings along, and takes away when it goes.
static int32_t settings(sprongus_store *store, sprongus_error **error) {
    int32_t status = create(store,
                            "{\"name\": \"plugin_settings\", \"columns\": ["
                            "{\"name\": \"key\", \"type\": \"text\", \"constraints\": [\"primary_key\"]},"
                            "{\"name\": \"value\", \"type\": \"json\"}]}",
                            error);
    const char *both = "[{\"key\": \"theme\", \"value\": {\"dark\": true}}, {\"key\": \"beta\"}]";
    sprongus_rows *rows = NULL;
    if (status == SPRONGUS_OK)
        status = sprongus_tables_insert_many(store, "plugin_settings", both, strlen(both), NULL, error);
    if (status == SPRONGUS_OK) status = sprongus_tables_query(store, "plugin_settings", NULL, &rows, error);
    if (status == SPRONGUS_OK) puts(sprongus_rows_to_json(rows));
    sprongus_rows_free(rows);
    if (status == SPRONGUS_OK) status = sprongus_tables_drop(store, "plugin_settings", error);
    return status;
}

// Of several that do it at once one inserts, the others update: none is an error.
static int32_t upsert(const void *on, const char *table, const char *id, const char *row, sprongus_error **error) {
    int32_t status = insert(on, table, row, error);
    if (status != SPRONGUS_ERR_CONFLICT) return status;
    if (error != NULL) sprongus_error_free(*error);
    return sprongus_tables_update(on, table, id, row, strlen(row), error);
}

// A table whose columns are known only when the program runs.
static int32_t hosts(sprongus_store *store, sprongus_error **error) {
    int32_t status = create(store, "{\"name\": \"hosts\", \"columns\": [{\"name\": \"load\", \"type\": \"real\"}]}", error);
    for (int turn = 1; status == SPRONGUS_OK && turn <= 3; turn++) {
        char row[64];
        snprintf(row, sizeof row, "{\"id\": \"web-1\", \"load\": 0.%d}", turn * 25);
        status = upsert(store, "hosts", "web-1", row, error);
    }
    sprongus_rows *rows = NULL;
    if (status == SPRONGUS_OK) status = sprongus_tables_query(store, "hosts", NULL, &rows, error);
    if (status == SPRONGUS_OK) puts(sprongus_rows_to_json(rows));
    sprongus_rows_free(rows);
    return status;
}

int main(int count, char **arguments) {
    if (count < 2) {
        fprintf(stderr, "usage: tables STORE\n");
        return 2;
    }
    sprongus_error *error = NULL;
    sprongus_store *store = NULL;
    int32_t status = sprongus_store_open(arguments[1], NULL, &store, &error);
    if (status == SPRONGUS_OK) status = tokens(store, &error);
    if (status == SPRONGUS_OK) status = settings(store, &error);
    if (status == SPRONGUS_OK) status = hosts(store, &error);
    if (status != SPRONGUS_OK) fprintf(stderr, "%s\n", sprongus_error_message(error));
    sprongus_error_free(error);
    sprongus_store_free(store);
    return status == SPRONGUS_OK ? 0 : 1;
}
