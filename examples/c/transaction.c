// One commit for the host's own table, an entry and a run: transaction STORE
#include <sprongus.h>

#include <stdio.h>

// Takes an order: all of it or nothing.
static int32_t order(sprongus_tx *tx, const char *id, int64_t total, sprongus_error **error) {
    sprongus_value values[2];
    values[0] = sprongus_text(id);
    values[1] = sprongus_int(total);
    int32_t status = sprongus_execute(tx, "INSERT INTO orders VALUES ($1, $2)", values, 2, NULL, error);
    if (status != SPRONGUS_OK) return status;

    const char *document = "{\"title\": \"Receipt\"}";
    status = sprongus_aux_upsert(tx, "shop", "assets", document, strlen(document), id, 0, NULL, error);
    if (status != SPRONGUS_OK) return status;

    sprongus_enqueue_options options;
    SPRONGUS_INIT(options);
    options.idempotency_key = id;
    return sprongus_runs_enqueue(tx, "receipt.print", "{}", 2, &options, NULL, error);
}

int main(int count, char **arguments) {
    if (count < 2) {
        fprintf(stderr, "usage: transaction STORE\n");
        return 2;
    }
    sprongus_error *error = NULL;
    sprongus_store *store = NULL;
    sprongus_tx *tx = NULL;
    sprongus_rows *rows = NULL;
    const char *table = "CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, total INTEGER)";

    int32_t status = sprongus_store_open(arguments[1], NULL, &store, &error);
    if (status == SPRONGUS_OK) status = sprongus_execute(store, table, NULL, 0, NULL, &error);
    if (status == SPRONGUS_OK) status = sprongus_tx_begin(store, &tx, &error);
    if (status == SPRONGUS_OK) status = order(tx, "a-17", 4200, &error);
    if (status == SPRONGUS_OK) status = sprongus_tx_commit(tx, &error);
    sprongus_tx_free(tx);  // rolls back what was not committed
    if (status == SPRONGUS_OK) status = sprongus_query(store, "SELECT * FROM orders", NULL, 0, &rows, &error);
    if (status == SPRONGUS_OK) printf("%s\n", sprongus_rows_to_json(rows));
    if (status != SPRONGUS_OK) fprintf(stderr, "%s\n", sprongus_error_message(error));
    sprongus_rows_free(rows);
    sprongus_error_free(error);
    sprongus_store_free(store);
    return status == SPRONGUS_OK ? 0 : 1;
}
