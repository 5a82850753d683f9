// A C host lends its own libpq connection: `host_postgres URL SCHEMA`.
#include "host.h"

#include <libpq-fe.h>

int test_checks = 0;

static int32_t failed(PGconn *connection, PGresult *result, sprongus_error **error) {
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    return sprongus_error_from_sqlstate(state, text ? text : PQerrorMessage(connection), error);
}

// What a column of that type is; types are numbered in pg_type.
static int32_t type_of(Oid type) {
    switch (type) {
        case 16: return SPRONGUS_BOOL;
        case 17: return SPRONGUS_BYTES;
        case 20:
        case 21:
        case 23: return SPRONGUS_INT;
        case 700:
        case 701: return SPRONGUS_FLOAT;
        case 1700: return SPRONGUS_DECIMAL;
        case 1082: return SPRONGUS_DATE;
        case 1083: return SPRONGUS_TIME;
        case 1184: return SPRONGUS_TIMESTAMP;
        case 2950: return SPRONGUS_UUID;
        case 114:
        case 3802: return SPRONGUS_JSON;
        default: return SPRONGUS_TEXT;
    }
}

static unsigned char *bytes_of(const char *text, sprongus_value *value) {
    unsigned char *bytes = PQunescapeBytea((const unsigned char *)text, &value->length);
    value->data = (const char *)bytes;
    return bytes;
}

static int32_t add_row(PGresult *result, int row, sprongus_row_sink *rows, sprongus_error **error) {
    sprongus_value values[100];
    unsigned char *bytes[100] = {0};
    int columns = PQnfields(result);
    if (columns > 100) return sprongus_error_new(SPRONGUS_ERR_UNSUPPORTED, "more than 100 columns", error);
    for (int column = 0; column < columns; column++) {
        sprongus_value *value = &values[column];
        *value = sprongus_text(NULL);
        if (PQgetisnull(result, row, column)) continue;
        const char *text = PQgetvalue(result, row, column);
        *value = sprongus_text(text);
        value->type = type_of(PQftype(result, column));
        if (value->type == SPRONGUS_BOOL) value->integer = text[0] == 't';
        if (value->type == SPRONGUS_INT) value->integer = strtoll(text, NULL, 10);
        if (value->type == SPRONGUS_FLOAT) value->real = strtod(text, NULL);
        if (value->type == SPRONGUS_BYTES) bytes[column] = bytes_of(text, value);
    }
    int32_t status = sprongus_row_sink_add(rows, values, (size_t)columns, error);
    for (int column = 0; column < columns; column++) PQfreemem(bytes[column]);
    return status;
}

static PGresult *run(PGconn *connection, const char *sql, const sprongus_value *params, size_t count) {
    const char *texts[200];
    int lengths[200];
    int formats[200];
    CHECK(count <= 200);
    for (size_t index = 0; index < count; index++) {
        texts[index] = params[index].type == SPRONGUS_NULL ? NULL : params[index].data;
        lengths[index] = (int)params[index].length;
        formats[index] = params[index].type == SPRONGUS_BYTES;
    }
    return PQexecParams(connection, sql, (int)count, NULL, texts, lengths, formats, 0);
}

static int32_t host_execute(void *user_data, const char *sql, const sprongus_value *params, size_t count,
                            uint64_t *changed, sprongus_error **error) {
    PGconn *connection = (PGconn *)user_data;
    PGresult *result = run(connection, sql, params, count);
    ExecStatusType ended = PQresultStatus(result);
    int32_t status = SPRONGUS_OK;
    if (ended == PGRES_COMMAND_OK || ended == PGRES_TUPLES_OK) {
        *changed = strtoull(PQcmdTuples(result), NULL, 10);
    } else {
        status = failed(connection, result, error);
    }
    PQclear(result);
    return status;
}

static int32_t host_query(void *user_data, const char *sql, const sprongus_value *params, size_t count,
                          sprongus_row_sink *rows, sprongus_error **error) {
    PGconn *connection = (PGconn *)user_data;
    PGresult *result = run(connection, sql, params, count);
    int32_t status = SPRONGUS_OK;
    ExecStatusType ended = PQresultStatus(result);
    if (ended != PGRES_TUPLES_OK && ended != PGRES_COMMAND_OK) status = failed(connection, result, error);
    for (int column = 0; column < PQnfields(result) && status == SPRONGUS_OK; column++) {
        status = sprongus_row_sink_column(rows, PQfname(result, column), error);
    }
    for (int row = 0; row < PQntuples(result) && status == SPRONGUS_OK; row++) {
        status = add_row(result, row, rows, error);
    }
    PQclear(result);
    return status;
}

static int32_t host_batch(void *user_data, const char *sql, sprongus_error **error) {
    PGconn *connection = (PGconn *)user_data;
    PGresult *result = PQexec(connection, sql);
    int32_t status = SPRONGUS_OK;
    ExecStatusType ended = PQresultStatus(result);
    if (ended != PGRES_COMMAND_OK && ended != PGRES_TUPLES_OK) status = failed(connection, result, error);
    PQclear(result);
    return status;
}

static void command(PGconn *connection, const char *sql) {
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        fprintf(stderr, "%s: %s\n", sql, PQerrorMessage(connection));
        exit(1);
    }
    PQclear(result);
}

int main(int count, char **arguments) {
    if (count < 3) return 2;
    sprongus_error *error = NULL;
    sprongus_options options;
    SPRONGUS_INIT(options);
    options.schema = arguments[2];
    sprongus_store *store = NULL;
    OK(sprongus_store_open(arguments[1], &options, &store, &error));

    PGconn *connection = PQconnectdb(arguments[1]);
    CHECK(PQstatus(connection) == CONNECTION_OK);
    char sql[200];
    snprintf(sql, sizeof sql, "SET search_path TO %s", arguments[2]);
    command(connection, sql);
    command(connection, "CREATE TABLE host_own (id INTEGER PRIMARY KEY, name TEXT, other TEXT)");
    sprongus_host host;
    SPRONGUS_INIT(host);
    host.dialect = SPRONGUS_DIALECT_POSTGRES;
    host.user_data = connection;
    host.execute = host_execute;
    host.query = host_query;
    host.batch = host_batch;
    host.destroy = host_destroy;
    host_refused(host);
    command(connection, "BEGIN");
    host_works(&host);
    command(connection, "COMMIT");
    PQfinish(connection);

    sprongus_run_list *runs = NULL;
    OK(sprongus_runs_list(store, NULL, &runs, &error));
    CHECK(sprongus_run_list_count(runs) == 1);
    CHECK_TEXT(sprongus_run_state(sprongus_run_list_at(runs, 0)), "succeeded");
    sprongus_run_list_free(runs);
    sprongus_store_free(store);
    printf("%d checks within a host's PostgreSQL transaction\n", test_checks);
    return 0;
}
