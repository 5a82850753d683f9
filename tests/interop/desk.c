// The first of three at one desk: desk STORE NAME. A project with the workspace data model and a setting, and a custom table
// with a row of every type; desk.py reads them, changes them, and desk.rs reads what has become of them.
#include <sprongus.h>

#include <stdio.h>

static int32_t furnish(sprongus_tx *tx, const char *name, sprongus_error **error) {
    char text[512];
    const char *columns =
        "[{\"name\":\"id\",\"type\":\"integer\",\"constraints\":[\"primary_key\",\"auto_increment\"]},"
        "{\"name\":\"words\",\"type\":\"text\",\"constraints\":[\"unique\"]},{\"name\":\"long\",\"type\":\"bigint\"},"
        "{\"name\":\"broken\",\"type\":\"real\"},{\"name\":\"raw\",\"type\":\"blob\"},{\"name\":\"doc\",\"type\":\"json\"},"
        "{\"name\":\"flag\",\"type\":\"boolean\"}]";
    const char *row =
        "{\"words\":\"by C\",\"long\":9223372036854775807,\"broken\":16777217,\"raw\":{\"$bytes\":\"AP8=\"},"
        "\"doc\":{\"b\":[1,1.0,null],\"a\":\"\xc3\xb6\"},\"flag\":true}";
    snprintf(text, sizeof text, "{\"name\":\"%s\",\"columns\":%s}", name, columns);
    int32_t status = sprongus_projects_create(tx, "By C", name, NULL, "ada", NULL, error);
    if (status == SPRONGUS_OK) status = sprongus_projects_install(tx, name, NULL, error);
    if (status == SPRONGUS_OK) status = sprongus_config_set(tx, "desk.by", "\"C\"", 3, name, error);
    if (status == SPRONGUS_OK) status = sprongus_tables_create(tx, text, strlen(text), error);
    if (status == SPRONGUS_OK) status = sprongus_tables_insert(tx, name, row, strlen(row), NULL, error);
    return status;
}

int main(int count, char **arguments) {
    if (count < 3) return 2;
    sprongus_error *error = NULL;
    sprongus_store *store = NULL;
    sprongus_tx *tx = NULL;
    int32_t status = sprongus_store_open(arguments[1], NULL, &store, &error);
    if (status == SPRONGUS_OK) status = sprongus_tx_begin(store, &tx, &error);
    if (status == SPRONGUS_OK) status = furnish(tx, arguments[2], &error);
    if (status == SPRONGUS_OK) status = sprongus_tx_commit(tx, &error);
    if (status != SPRONGUS_OK) fprintf(stderr, "%s\n", sprongus_error_message(error));
    sprongus_error_free(error);
    sprongus_tx_free(tx);
    sprongus_store_free(store);
    return status == SPRONGUS_OK ? 0 : 1;
}
