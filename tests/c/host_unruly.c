// Hosts whose functions go wrong, in every way and at every STEP-th call: `host_unruly [STEP]`. Each time an answer, never
// a crash or a hang.
//
// The host is SQLite in memory; the n-th call of one of its functions does what it should not. What must hold: no `panic`,
// an error exactly where a status says so, `destroy` called once, and a host that behaves again works again.
#define _POSIX_C_SOURCE 200809L  // alarm

#include "host.h"
#include "host_sqlite.h"

#include <unistd.h>

int test_checks = 0;

typedef enum fault {
    FAILS_WITH_ERROR,
    FAILS_WITHOUT_ERROR,
    FAILS_WITH_GARBAGE,
    FAILS_WITH_UNKNOWN_STATUS,
    DOES_NOTHING,
    SUCCEEDS_WITH_ERROR,
    GIVES_NULL,
    GIVES_TEXT,
    GIVES_NUMBERS,
    GIVES_A_LAME_ROW,
    CHANGES_TOO_MANY,
    FREES_WHAT_IT_IS_IN,
    FAULTS
} fault;

static struct unruly {
    fault fault;
    long calls_before;
    bool happened;
    bool must_tell;  // the call under way cannot have gone well
    sqlite3 *db;
    sprongus_tx *inner;  // a savepoint that is open
    sprongus_tx *spare;  // one within it
    sprongus_row_sink *old_sink;
} unruly;

// Everything that a function of the host must not do with the transaction that called it.
static void call_back(void) {
    sprongus_error *error = NULL;
    const int32_t misuse = SPRONGUS_ERR_MISUSE;
    FAILS(misuse, sprongus_row_sink_column(unruly.old_sink, "late", &error));
    sprongus_tx_free(unruly.spare);
    if (unruly.inner == NULL) return;
    FAILS(misuse, sprongus_execute(unruly.inner, "SELECT 1", NULL, 0, NULL, &error));
    FAILS(misuse, sprongus_runs_enqueue(unruly.inner, "k", NULL, 0, NULL, NULL, &error));
    FAILS(misuse, sprongus_tx_commit(unruly.inner, &error));
    FAILS(misuse, sprongus_tx_rollback(unruly.inner, &error));
    sprongus_tx_free(unruly.inner);
    sprongus_tx_free(unruly.inner);
}

// Rows of a value each that no query of the library's asked for; more columns than it ever looks at.
static void give(sprongus_row_sink *rows, sprongus_value value) {
    sprongus_value values[40];
    for (int index = 0; index < 40; index++) {
        values[index] = value;
        sprongus_row_sink_column(rows, "any", NULL);
    }
    for (int row = 0; row < 2; row++) sprongus_row_sink_add(rows, values, 40, NULL);
}

// Whether this call goes wrong, and in which status; the functions go on where it does not.
static bool goes_wrong(sprongus_row_sink *rows, uint64_t *changed, sprongus_error **error, int32_t *status) {
    if (unruly.calls_before-- != 0) return false;
    unruly.happened = true;
    unruly.must_tell = unruly.fault <= FAILS_WITH_UNKNOWN_STATUS || (unruly.fault == GIVES_A_LAME_ROW && rows != NULL);
    *status = SPRONGUS_OK;
    switch (unruly.fault) {
        case FAILS_WITH_ERROR: *status = sprongus_error_new(SPRONGUS_ERR_STORAGE, "unruly", error); break;
        case FAILS_WITHOUT_ERROR: *status = SPRONGUS_ERR_CONFLICT; break;
        case FAILS_WITH_GARBAGE:
            *error = (sprongus_error *)(uintptr_t)0xdeadbeef;
            *status = SPRONGUS_ERR_BUSY;
            break;
        case FAILS_WITH_UNKNOWN_STATUS: *status = -7; break;
        case DOES_NOTHING: break;
        case SUCCEEDS_WITH_ERROR: sprongus_error_new(SPRONGUS_ERR_STORAGE, "unruly", error); return false;
        case GIVES_NULL: give(rows, sprongus_text(NULL)); break;
        case GIVES_TEXT: give(rows, sprongus_text("\xc3\xa9[")); break;
        case GIVES_NUMBERS: give(rows, sprongus_int(INT64_MIN)); break;
        case GIVES_A_LAME_ROW: {
            sprongus_value value = sprongus_int(1);
            sprongus_row_sink_column(rows, "a", NULL);
            sprongus_row_sink_column(rows, "b", NULL);
            sprongus_row_sink_add(rows, &value, 1, NULL);  // and its answer is not looked at
            break;
        }
        case CHANGES_TOO_MANY:
            if (changed != NULL) *changed = UINT64_MAX;
            break;
        default: call_back(); return false;
    }
    return true;
}

static int32_t unruly_execute(void *user_data, const char *sql, const sprongus_value *params, size_t count,
                              uint64_t *changed, sprongus_error **error) {
    int32_t status = SPRONGUS_OK;
    if (goes_wrong(NULL, changed, error, &status)) return status;
    return host_execute(user_data, sql, params, count, changed, error);
}

static int32_t unruly_query(void *user_data, const char *sql, const sprongus_value *params, size_t count,
                            sprongus_row_sink *rows, sprongus_error **error) {
    int32_t status = SPRONGUS_OK;
    bool wrong = goes_wrong(rows, NULL, error, &status);
    unruly.old_sink = rows;
    return wrong ? status : host_query(user_data, sql, params, count, rows, error);
}

static int32_t unruly_batch(void *user_data, const char *sql, sprongus_error **error) {
    int32_t status = SPRONGUS_OK;
    return goes_wrong(NULL, NULL, error, &status) ? status : host_batch(user_data, sql, error);
}

// The answer is consistent, whatever it is.
static void answered(int32_t status, sprongus_error **error, const char *call) {
    CHECK(sprongus_error_code(*error) == status);
    bool swallowed = unruly.must_tell && status == SPRONGUS_OK;
    unruly.must_tell = false;
    if (status == SPRONGUS_ERR_PANIC || swallowed) {
        fprintf(stderr, "fault %d: %s: %s\n", (int)unruly.fault, call,
                swallowed ? "was swallowed" : sprongus_error_message(*error));
        exit(1);
    }
    sprongus_error_free(*error);
    *error = NULL;
}

#define ANY(call) answered(call, &error, #call)

// A claim first promotes and rescues as well as it can: that failing is no failure of the claim.
static sprongus_run_list *claim(const sprongus_tx *tx) {
    sprongus_error *error = NULL;
    sprongus_run_list *list = NULL;
    int32_t status = sprongus_runs_claim_next(tx, "w", NULL, &list, &error);
    unruly.must_tell = false;
    answered(status, &error, "sprongus_runs_claim_next");
    return list;
}

static void runs(const sprongus_tx *tx) {
    sprongus_error *error = NULL;
    sprongus_run_list *list = NULL;
    sprongus_run *run = NULL;
    sprongus_buf *buf = NULL;
    sprongus_enqueue_options options;
    SPRONGUS_INIT(options);
    options.idempotency_key = "once";
    ANY(sprongus_runs_enqueue(tx, "k", "{\"a\":1}", 7, &options, NULL, &error));
    ANY(sprongus_runs_enqueue(tx, "k", "{\"a\":1}", 7, &options, NULL, &error));
    ANY(sprongus_runs_enqueue_many(tx, "[{\"kind\":\"k\"},{\"kind\":\"l\"}]", 27, &list, &error));
    sprongus_run_list_free(list);
    list = claim(tx);
    const sprongus_run *mine = sprongus_run_list_at(list, 0);
    const char *id = sprongus_run_id(mine) ? sprongus_run_id(mine) : "none";
    ANY(sprongus_runs_heartbeat(tx, id, sprongus_run_lease(mine), "1", 1, 0, &run, &error));
    sprongus_run_free(run);
    ANY(sprongus_runs_succeed(tx, id, sprongus_run_lease(mine), "[1]", 3, NULL, &run, &error));
    sprongus_run_free(run);
    ANY(sprongus_runs_output(tx, id, &buf, &error));
    sprongus_buf_free(buf);
    ANY(sprongus_runs_events(tx, id, &buf, &error));
    sprongus_buf_free(buf);
    sprongus_run_list_free(list);
    list = claim(tx);
    mine = sprongus_run_list_at(list, 0);
    id = sprongus_run_id(mine) ? sprongus_run_id(mine) : "none";
    ANY(sprongus_runs_fail(tx, id, sprongus_run_lease(mine), "no", 0, 0, NULL, &error));
    ANY(sprongus_runs_cancel(tx, id, NULL, NULL, &error));
    ANY(sprongus_runs_rescue(tx, 0, NULL, &error));
    sprongus_run_list_free(list);
    ANY(sprongus_runs_list(tx, NULL, &list, &error));
    sprongus_run_list_free(list);
}

static void documents(const sprongus_tx *tx) {
    sprongus_error *error = NULL;
    sprongus_entry_list *list = NULL;
    sprongus_preset_list *presets = NULL;
    sprongus_buf *buf = NULL;
    uint64_t count = 0;
    const char *fields = "{\"fields\":[{\"name\":\"n\",\"type\":\"integer\",\"unique\":true}]}";
    ANY(sprongus_presets_create(tx, "unruly", "custom", fields, strlen(fields), 0, SPRONGUS_DRAFT, NULL, &error));
    ANY(sprongus_presets_publish(tx, "unruly@1", NULL, &error));
    ANY(sprongus_presets_bind(tx, "things", "unruly", NULL, 0, &buf, &error));
    sprongus_buf_free(buf);
    ANY(sprongus_presets_list(tx, NULL, NULL, 0, NULL, &presets, &error));
    sprongus_preset_list_free(presets);
    ANY(sprongus_presets_export(tx, NULL, NULL, &buf, &error));
    if (buf != NULL) ANY(sprongus_presets_import(tx, sprongus_buf_data(buf), sprongus_buf_length(buf), 0, NULL, &error));
    sprongus_buf_free(buf);
    ANY(sprongus_aux_create(tx, "p", "things", "{\"n\":1}", 7, "1", NULL, &error));
    ANY(sprongus_aux_update(tx, "p", "things", "1", "{\"n\":2}", 7, 0, 0, NULL, &error));
    ANY(sprongus_aux_upsert(tx, "p", "things", "{\"n\":3}", 7, "2", 0, NULL, &error));
    const char *items = "[{\"id\":\"1\",\"n\":5},{\"id\":\"3\",\"n\":6},{\"n\":7}]";
    ANY(sprongus_aux_bulk_upsert(tx, "p", "things", items, strlen(items), 0, NULL, NULL, NULL, &error));
    ANY(sprongus_aux_list(tx, "p", "things", NULL, &list, &error));
    sprongus_entry_list_free(list);
    ANY(sprongus_aux_count(tx, "p", "things", NULL, "{\"n\":{\"gte\":5}}", &count, &error));
    ANY(sprongus_aux_delete(tx, "p", "things", "1", NULL, NULL, &error));
    ANY(sprongus_call(tx, "aux.get", "{\"project\":\"p\",\"table\":\"things\",\"id\":\"2\"}", 42, &buf, &error));
    sprongus_buf_free(buf);
}

// All of it within a transaction that the host lends; the host rolls back.
static void use(const sprongus_host *host) {
    sprongus_error *error = NULL;
    sprongus_tx *tx = NULL;
    sprongus_rows *rows = NULL;
    int32_t status = sprongus_attach(host, NULL, &tx, &error);
    CHECK((status == SPRONGUS_OK) == (tx != NULL));
    answered(status, &error, "sprongus_attach");
    if (tx != NULL) {
        runs(tx);
        ANY(sprongus_tx_savepoint(tx, &unruly.inner, &error));
        if (unruly.inner != NULL) ANY(sprongus_tx_savepoint(unruly.inner, &unruly.spare, &error));
        documents(unruly.inner ? unruly.inner : tx);
        ANY(sprongus_query(tx, "SELECT 1 AS one", NULL, 0, &rows, &error));
        CHECK(rows == NULL || sprongus_rows_to_json(rows) != NULL);
        sprongus_rows_free(rows);
        sprongus_tx *named = NULL;
        ANY(sprongus_tx_acting_as(tx, "host", NULL, &named, &error));
        sprongus_tx_free(named);
        CHECK(host_destroyed == 0);
    }
    sprongus_tx_free(unruly.inner);
    sprongus_tx_free(unruly.spare);
    unruly.inner = unruly.spare = NULL;
    sprongus_tx_free(tx);
    unruly.must_tell = false;  // what frees has no answer
    CHECK(host_destroyed == 1);
    host_destroyed = 0;
}

// Goes wrong at one call, then at a later one, until a whole use goes well; how many that were.
static long in_turn(const sprongus_host *host, fault which, long step) {
    for (long call = which % step;; call += step) {
        alarm(60);
        unruly.fault = which;
        unruly.calls_before = call;
        unruly.happened = false;
        CHECK(sqlite3_exec(unruly.db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
        use(host);
        CHECK(sqlite3_exec(unruly.db, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK);
        if (!unruly.happened) return call / step;
    }
}

int main(int count, char **arguments) {
    long step = count > 1 ? strtol(arguments[1], NULL, 10) : 1;
    sprongus_error *error = NULL;
    sprongus_buf *sql = NULL;
    CHECK(sqlite3_open(":memory:", &unruly.db) == SQLITE_OK);
    OK(sprongus_migration_sql("sqlite", &sql, &error));
    CHECK(sqlite3_exec(unruly.db, sprongus_buf_data(sql), NULL, NULL, NULL) == SQLITE_OK);
    sprongus_buf_free(sql);
    sprongus_host host = host_over(unruly.db);
    host.execute = unruly_execute;
    host.query = unruly_query;
    host.batch = unruly_batch;
    host.destroy = host_destroy;
    long calls = 0;
    for (int which = 0; which < FREES_WHAT_IT_IS_IN; which++) calls += in_turn(&host, (fault)which, step);
    calls += in_turn(&host, FREES_WHAT_IT_IS_IN, 1);  // few calls end a transaction, and one of them matters most
    sqlite3_close(unruly.db);
    CHECK(calls > 100 * FAULTS / step);
    printf("%ld calls of an unruly host, each gone wrong\n", calls);
    return 0;
}
