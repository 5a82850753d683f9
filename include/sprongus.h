// sprongus: durable runs, validated documents, presets and events inside your own SQLite file or PostgreSQL database.
//
// Generated from the sources of sprongus-ffi by `make generate`; do not edit.
//
// STATUS AND ERRORS. A function that may fail returns SPRONGUS_OK (0) or a SPRONGUS_ERR_ code, and takes as its last
// argument `sprongus_error **error`, which may be NULL. It sets `*error` to NULL on success and to an error on failure,
// which the caller frees by sprongus_error_free; what `*error` held before is not looked at. Nothing is kept per thread.
// After a failure nothing was written, unless the code is SPRONGUS_ERR_OUTCOME_UNKNOWN, and every out-pointer holds NULL
// or zero, unless the call was refused before it was reached. Every function that may fail can answer invalid_argument
// (NULL where something is needed, text that is not UTF-8, a wrong length), misuse (a handle that was freed, is of another
// type or never was one) and panic (a bug of the library, caught).
//
// OWNERSHIP. What a call hands over through an out-pointer (`sprongus_x **x`) is the caller's, to be freed by
// sprongus_x_free. What a getter returns (`const char *`, `const sprongus_x *`) is borrowed: it lives until the object it
// came from is freed, and is never freed by the caller. What the caller gives is copied; it has to stay as it is only
// during the call. Handles are checked ids and not addresses: freeing NULL, freeing twice, and using a handle after it was
// freed are harmless and answered.
//
// THREADS. Every function may be called from any thread at any time, also on the same object: calls on a store run side by
// side, calls on a transaction one after another. Do not free an object while another thread still reads what its getters
// gave. After fork() a store answers SPRONGUS_ERR_FORKED in the child; open another there.
//
// TEXT. `const char *` arguments are NUL-terminated UTF-8 unless a length follows. JSON is UTF-8 by RFC 8259, refused
// with duplicate keys, NUL or numbers that do not fit; it is given back in canonical form: keys sorted, no spaces.
//
// STRUCTS begin with `struct_size`; SPRONGUS_INIT(s) sets all of `s` to zero, which is the default everywhere, and its size.
// DURATIONS are milliseconds: 0 is the default, SPRONGUS_NONE (-1) no time at all.
// TIMES are RFC 3339 text; they are given back in UTC with microseconds.


#ifndef SPRONGUS_H
#define SPRONGUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Sets all of a struct to its defaults.
#define SPRONGUS_INIT(s) (memset(&(s), 0, sizeof(s)), (s).struct_size = sizeof(s))

// The status of a call that did what it says.
#define SPRONGUS_OK 0

// An argument is outside what the call takes.
#define SPRONGUS_ERR_INVALID_ARGUMENT 101

// The call itself is wrong here: a freed handle, a store used inside its own transaction, an async worker thread.
#define SPRONGUS_ERR_MISUSE 102

// No such thing, or it belongs to another project.
#define SPRONGUS_ERR_NOT_FOUND 103

// A document breaks its preset or is not JSON; the details carry every violation.
#define SPRONGUS_ERR_VALIDATION 104

// A payload sets a field that belongs to the entry.
#define SPRONGUS_ERR_RESERVED_FIELD 105

// Larger than the limit named in the message.
#define SPRONGUS_ERR_TOO_LARGE 106

// What looks like a credential stands where it would be stored.
#define SPRONGUS_ERR_SECRET_DETECTED 107

// This handle may not do that.
#define SPRONGUS_ERR_PERMISSION_DENIED 108

// Not available on this database or in this build.
#define SPRONGUS_ERR_UNSUPPORTED 109

// The store was opened before fork(); open another in the child.
#define SPRONGUS_ERR_FORKED 110

// A unique value, an idempotency key or a version is taken.
#define SPRONGUS_ERR_CONFLICT 201

// The state machine has no such transition.
#define SPRONGUS_ERR_INVALID_STATE 202

// Another attempt holds the run now.
#define SPRONGUS_ERR_LEASE_LOST 203

// Something else refers to it.
#define SPRONGUS_ERR_REFERENCED 204

// Over the rate given to this handle or kind.
#define SPRONGUS_ERR_RATE_LIMITED 205

// The database stayed locked past the deadline.
#define SPRONGUS_ERR_BUSY 301

// The deadline of the call passed.
#define SPRONGUS_ERR_TIMEOUT 302

// The database cannot be reached.
#define SPRONGUS_ERR_UNAVAILABLE 303

// COMMIT broke and it cannot be told whether it took effect.
#define SPRONGUS_ERR_OUTCOME_UNKNOWN 304

// The database refused for a reason not listed here.
#define SPRONGUS_ERR_STORAGE 401

// No room left.
#define SPRONGUS_ERR_STORAGE_FULL 402

// The write-ahead log was replaced under an open store: two SQLite copies in one process.
#define SPRONGUS_ERR_SPLIT_BRAIN 403

// The file is damaged or not a database.
#define SPRONGUS_ERR_CORRUPT 404

// The schema is newer than this library, or older and not to be migrated.
#define SPRONGUS_ERR_SCHEMA_VERSION 405

// A bug of the library, caught at its border.
#define SPRONGUS_ERR_PANIC 901

// The host's connection is to SQLite (3.35 or newer).
#define SPRONGUS_DIALECT_SQLITE 1

// The host's connection is to PostgreSQL (12 or newer).
#define SPRONGUS_DIALECT_POSTGRES 2

// A duration of no time at all, where 0 would be the default.
#define SPRONGUS_NONE -1

// A commit survives a power cut (SQLite: `synchronous=FULL`). The default.
#define SPRONGUS_DURABILITY_FULL 0

// A power cut may take the last commits, a crash of the process does not (SQLite: `synchronous=NORMAL`).
#define SPRONGUS_DURABILITY_NORMAL 1

// Never write: writes are `permission_denied`.
#define SPRONGUS_READ_ONLY 1

// Do not bring the schema up to date on opening: `schema_version` where it is not.
#define SPRONGUS_NO_MIGRATE 2

// Keep no prepared statements: for PostgreSQL poolers in transaction mode.
#define SPRONGUS_NO_STATEMENT_CACHE 4

// Open a SQLite file on a network or VM-shared file system all the same.
#define SPRONGUS_ALLOW_NETWORK_FS 8

// SQL NULL.
#define SPRONGUS_NULL 0

// BOOLEAN: `integer` is 0 or 1.
#define SPRONGUS_BOOL 1

// Any integer type: `integer`.
#define SPRONGUS_INT 2

// Any floating-point type: `real`.
#define SPRONGUS_FLOAT 3

// NUMERIC: `data` in decimal notation.
#define SPRONGUS_DECIMAL 4

// Text: `data`, UTF-8.
#define SPRONGUS_TEXT 5

// BYTEA or BLOB: `data`, bytes.
#define SPRONGUS_BYTES 6

// DATE: `data` as "2024-02-29".
#define SPRONGUS_DATE 7

// TIME without a zone: `data` as "12:30:00.5".
#define SPRONGUS_TIME 8

// TIMESTAMP without a zone: `data` as "2024-02-29T12:30:00".
#define SPRONGUS_DATETIME 9

// TIMESTAMPTZ: `data` as RFC 3339, given back in UTC with microseconds.
#define SPRONGUS_TIMESTAMP 10

// UUID: `data` in hexadecimal, with or without hyphens.
#define SPRONGUS_UUID 11

// JSON or JSONB: `data`, a document.
#define SPRONGUS_JSON 12

// An array: `data` as a JSON array.
#define SPRONGUS_ARRAY 13

typedef struct Option_sprongus_host_batch Option_sprongus_host_batch;

typedef struct Option_sprongus_host_destroy Option_sprongus_host_destroy;

typedef struct Option_sprongus_host_execute Option_sprongus_host_execute;

typedef struct Option_sprongus_host_query Option_sprongus_host_query;

// Text or bytes handed to the caller. Freed by sprongus_buf_free; its data lives until then.
typedef struct sprongus_buf sprongus_buf;

// Why a call failed. Freed by sprongus_error_free; what its getters give lives until then.
typedef struct sprongus_error sprongus_error;

// Where a host's `query` puts its rows; valid until that function returns.
typedef struct sprongus_row_sink sprongus_row_sink;

// The rows of a query. Freed by sprongus_rows_free; what its getters give lives until then.
typedef struct sprongus_rows sprongus_rows;

// A store: runs, aux entries, presets and events in one SQLite file or PostgreSQL database. Any thread may use it.
typedef struct sprongus_store sprongus_store;

// An open transaction, or a savepoint within one: every call that takes `store_or_tx` takes it.
//
// Ended by sprongus_tx_commit or sprongus_tx_rollback, freed by sprongus_tx_free, which rolls back what is still open.
typedef struct sprongus_tx sprongus_tx;

// One value of SQL. `type` says which of the other fields count; those that do not are ignored.
//
// Given to the caller, `data` holds the value as text whatever its type (the bytes of SPRONGUS_BYTES, nothing of
// SPRONGUS_NULL), with a NUL that `length` does not count behind it. The layout never changes.
typedef struct {
    // SPRONGUS_NULL, SPRONGUS_INT, SPRONGUS_TEXT, ….
    int32_t type;
    // Of SPRONGUS_BOOL and SPRONGUS_INT.
    int64_t integer;
    // Of SPRONGUS_FLOAT.
    double real;
    // Of the others.
    const char *data;
    // Bytes in `data`.
    size_t length;
} sprongus_value;

// The host's own connection with a transaction open: the library runs its SQL through these functions, the host begins
// and commits. Begin with `SPRONGUS_INIT(host)`.
//
// The functions return SPRONGUS_OK or fail with an error made by sprongus_error_from_sqlite, sprongus_error_from_sqlstate
// or sprongus_error_new. They run on the thread that calls the transaction, must neither throw nor call it back, and keep
// nothing they are given. SQL is UTF-8. Parameters are written `$1`…`$n`, may be used twice and in any order: SQLite binds
// them by name (`sqlite3_bind_parameter_name`), PostgreSQL by number with types left to the server. What to bind:
// SPRONGUS_NULL as NULL, SPRONGUS_BYTES as bytes, on SQLite SPRONGUS_BOOL and SPRONGUS_INT as `integer` and
// SPRONGUS_FLOAT as `real`, everything else as the text in `data`. Rows come in the types of the database: from
// PostgreSQL timestamptz as SPRONGUS_TIMESTAMP, json and jsonb as SPRONGUS_JSON, boolean as SPRONGUS_BOOL, and so on.
typedef struct {
    // `sizeof(sprongus_host)`.
    size_t struct_size;
    // SPRONGUS_DIALECT_….
    int32_t dialect;
    // Handed to each function.
    void *user_data;
    // Required.
    Option_sprongus_host_execute execute;
    // Required.
    Option_sprongus_host_query query;
    // Required.
    Option_sprongus_host_batch batch;
    // May be NULL.
    Option_sprongus_host_destroy destroy;
} sprongus_host;

// Settings of a store; zero is the default of each. Begin with `SPRONGUS_INIT(options)`.
typedef struct {
    // `sizeof(sprongus_options)`.
    size_t struct_size;
    // SPRONGUS_READ_ONLY and the like, joined by `|`.
    uint32_t flags;
    // SPRONGUS_DURABILITY_….
    int32_t durability;
    // Who acts, in events and history; NULL: the user of the operating system.
    const char *actor;
    // The PostgreSQL schema that holds the tables; NULL: the connection's own.
    const char *schema;
    // The share of `call_timeout_ms` that may go into waiting for SQLite's lock; 5,000.
    int64_t busy_timeout_ms;
    // A call's deadline for waiting: lock, pool, connect, a silent network; 30,000. Never bounds the work of bulk calls.
    int64_t call_timeout_ms;
    // The first delay after a failed attempt, doubled with each, with full jitter; 1,000.
    int64_t backoff_base_ms;
    // The longest delay after a failed attempt; 300,000.
    int64_t backoff_cap_ms;
    // Connections for callers (readers on SQLite); 4.
    uint32_t pool_size;
    // The longest error text kept, in bytes; 16 KiB.
    uint32_t max_error_bytes;
    // The largest payload or input, in bytes of its canonical JSON; 1 MiB.
    uint64_t max_payload_bytes;
} sprongus_options;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The bytes; a NUL that does not count stands behind them, so text is a C string. Borrowed; NULL for no buffer.
const char *sprongus_buf_data(const sprongus_buf *buf);

// How many bytes there are; 0 for no buffer.
size_t sprongus_buf_length(const sprongus_buf *buf);

// Frees a buffer. NULL and what is no buffer are passed over.
void sprongus_buf_free(sprongus_buf *buf);

// Calls an operation of the library by name, JSON in, JSON out: everything that the library does.
//
// `store_or_tx` is a sprongus_store or a sprongus_tx. The request is one JSON object of `length` bytes as
// `include/schema/<operation>.json` has it; NULL of length 0 is `{}`. The response is handed over in `*response`, which
// may be NULL.
//
// Errors: `not_found` (no such operation), `validation` (not JSON), `invalid_argument` (a missing, unknown or wrong
// member), and those of the operation.
//
// ```c
// sprongus_buf *run = NULL;
// const char *json = "{\"kind\": \"mail.send\", \"input\": {\"to\": \"a@b.c\"}}";
// if (sprongus_call(store, "runs.enqueue", json, strlen(json), &run, &error) == SPRONGUS_OK)
//     puts(sprongus_buf_data(run));
// sprongus_buf_free(run);
// ```
int32_t sprongus_call(const void *store_or_tx,
                      const char *operation,
                      const char *request,
                      size_t length,
                      sprongus_buf **response,
                      sprongus_error **error);

// The names of all operations, in order, as a JSON array.
int32_t sprongus_operations(sprongus_buf **names, sprongus_error **error);

// The JSON Schema of an operation's request and response, as `include/schema/<operation>.json` has it.
int32_t sprongus_operation_schema(const char *operation, sprongus_buf **schema, sprongus_error **error);

// The version of the library, "0.1.0". Never freed.
const char *sprongus_version(void);

// The number of the code, SPRONGUS_ERR_…; the same as the status of the call. 0 where `error` is no error.
int32_t sprongus_error_code(const sprongus_error *error);

// The name of the code ("not_found"), as it stands in JSON and in the other languages. Borrowed; NULL for no error.
const char *sprongus_error_name(const sprongus_error *error);

// What was wrong, where, and what would be right; no payload, no secret. Borrowed; NULL for no error.
const char *sprongus_error_message(const sprongus_error *error);

// Further data as a JSON object: for `validation` every violation under `errors`. Borrowed; NULL where there is none.
const char *sprongus_error_details(const sprongus_error *error);

// Whether the same call may succeed later without a change.
bool sprongus_error_retryable(const sprongus_error *error);

// The error as JSON: code, message, details, retryable. Borrowed; NULL for no error.
const char *sprongus_error_to_json(const sprongus_error *error);

// Frees an error. NULL and what is no error are passed over.
void sprongus_error_free(sprongus_error *error);

// For a host's own functions (sprongus_host): an error to answer with. `message` is kept as it is; put no values in it.
//
// Returns `code`, or SPRONGUS_ERR_STORAGE where there is no such code, so that a function can end with
// `return sprongus_error_new(SPRONGUS_ERR_CONFLICT, "…", error);`
int32_t sprongus_error_new(int32_t code, const char *message, sprongus_error **error);

// As sprongus_error_new, with the code for SQLite's extended result code (`sqlite3_extended_errcode(db)`).
int32_t sprongus_error_from_sqlite(int32_t extended_code, const char *message, sprongus_error **error);

// As sprongus_error_new, with the code for a SQLSTATE (`PQresultErrorField(result, PG_DIAG_SQLSTATE)`; NULL where the
// connection is gone).
int32_t sprongus_error_from_sqlstate(const char *sqlstate, const char *message, sprongus_error **error);

// Names the next column, before the first row.
int32_t sprongus_row_sink_column(sprongus_row_sink *rows, const char *name, sprongus_error **error);

// Adds a row of as many values as there are columns; they are copied.
int32_t sprongus_row_sink_add(sprongus_row_sink *rows,
                              const sprongus_value *values,
                              size_t count,
                              sprongus_error **error);

// The library inside the host's own transaction: every call that takes `store_or_tx` takes `*tx`. The host begins and
// commits; sprongus_tx_commit and sprongus_tx_rollback are `misuse` on it, savepoints are not.
//
// The schema must be there (sprongus_store_open once, or sprongus_migration_sql): `schema_version` otherwise. `options`
// may be NULL; those that concern connections have no effect. `host` is copied, and `host->destroy` is called once, when
// `*tx` and what came from it are freed, or at once where this fails, unless `host` cannot be read. Free `*tx` before the
// host commits.
int32_t sprongus_attach(const sprongus_host *host,
                        const sprongus_options *options,
                        sprongus_tx **tx,
                        sprongus_error **error);

// How many rows there are; 0 for no rows.
size_t sprongus_rows_count(const sprongus_rows *rows);

// How many columns each row has; 0 where there are no rows.
size_t sprongus_rows_columns(const sprongus_rows *rows);

// The name of a column, counted from 0. Borrowed; NULL where there is none.
const char *sprongus_rows_column_name(const sprongus_rows *rows, size_t column);

// A value, by row and column counted from 0. Borrowed; NULL where there is none (SQL NULL is a value of SPRONGUS_NULL).
const sprongus_value *sprongus_rows_value(const sprongus_rows *rows, size_t row, size_t column);

// The rows as a JSON array of objects. Numbers, booleans and JSON are themselves, bytes base64, the rest text. Borrowed.
const char *sprongus_rows_to_json(const sprongus_rows *rows);

// Frees rows. NULL and what are no rows are passed over.
void sprongus_rows_free(sprongus_rows *rows);

// Opens a store and brings its schema up to date: "app.db", "sqlite:app.db", ":memory:", "postgresql://user@host/db".
//
// `options` may be NULL. The caller frees `*store` by sprongus_store_free.
//
// Errors: `invalid_argument` (the URL, an option, a directory), `not_found` (its folder), `permission_denied`,
// `unsupported` (a network file system, an old database), `unavailable`, `corrupt` (not a database), `schema_version`.
// A password in the URL never shows in them.
//
// ```c
// sprongus_store *store = NULL;
// sprongus_error *error = NULL;
// if (sprongus_store_open("app.db", NULL, &store, &error) != SPRONGUS_OK) {
//     fprintf(stderr, "%s\n", sprongus_error_message(error));
//     sprongus_error_free(error);
// }
// ```
int32_t sprongus_store_open(const char *url,
                            const sprongus_options *options,
                            sprongus_store **store,
                            sprongus_error **error);

// Refuses further calls on this store and all that come from it; the database is closed once those under way have
// ended. The handle still has to be freed. Twice is nothing.
int32_t sprongus_store_close(sprongus_store *store, sprongus_error **error);

// Frees a store; the database is closed with the last handle of it. NULL and what is no store are passed over.
void sprongus_store_free(sprongus_store *store);

// "sqlite" or "postgres". Never freed; NULL for no store.
const char *sprongus_store_backend(const sprongus_store *store);

// The URL that the store was opened with, without the password. Borrowed from the store; NULL for no store.
const char *sprongus_store_url(const sprongus_store *store);

// The version of the schema in use; 0 for no store.
int64_t sprongus_store_schema_version(const sprongus_store *store);

// Brings the schema up to date, as opening does unless SPRONGUS_NO_MIGRATE is set; `*version`, which may be NULL, is the
// one reached.
int32_t sprongus_store_migrate(sprongus_store *store,
                               int64_t *version,
                               sprongus_error **error);

// The SQL of every migration for "sqlite" or "postgres", for hosts that apply schemas themselves, in one transaction.
int32_t sprongus_migration_sql(const char *backend, sprongus_buf **sql, sprongus_error **error);

// A further handle of the same store whose events and history are in the name of `actor`, for `reason` (may be NULL).
// Freed on its own.
int32_t sprongus_store_acting_as(const sprongus_store *store,
                                 const char *actor,
                                 const char *reason,
                                 sprongus_store **acting,
                                 sprongus_error **error);

// A further handle of the same store that neither sees nor touches another project than `project`. Freed on its own.
//
// `scopes` are `count` of "runs:read", "runs:write", "aux:read", "aux:write", "presets:read", "admin"; NULL and 0 are
// all but "admin". On a scoped handle this only narrows: `permission_denied` otherwise.
int32_t sprongus_store_scoped(const sprongus_store *store,
                              const char *project,
                              const char *const *scopes,
                              size_t count,
                              sprongus_store **scoped,
                              sprongus_error **error);

// SQLite: writes a consistent copy of the database to a new file. PostgreSQL: `unsupported`, use pg_dump.
int32_t sprongus_store_snapshot(const sprongus_store *store, const char *path, sprongus_error **error);

// Runs one statement of the host's own SQL that gives rows; on a store only one that reads.
//
// `store_or_tx` is a sprongus_store or a sprongus_tx. Parameters are written `$1`…`$n` on both databases and given by
// `params`, `count` of them (NULL and 0: none). The caller frees `*rows`. In a transaction a statement that fails poisons
// it: it can then only be rolled back, to a savepoint or whole.
//
// ```c
// sprongus_value id = sprongus_text("a-17");
// sprongus_rows *rows = NULL;
// if (sprongus_query(store, "SELECT total FROM orders WHERE id = $1", &id, 1, &rows, &error) == SPRONGUS_OK)
//     printf("%s\n", sprongus_rows_value(rows, 0, 0)->data);
// sprongus_rows_free(rows);
// ```
int32_t sprongus_query(const void *store_or_tx,
                       const char *sql,
                       const sprongus_value *params,
                       size_t count,
                       sprongus_rows **rows,
                       sprongus_error **error);

// Runs one statement of the host's own SQL; `*changed`, which may be NULL, is the number of rows it changed.
//
// As sprongus_query; on a store it is a transaction of its own.
int32_t sprongus_execute(const void *store_or_tx,
                         const char *sql,
                         const sprongus_value *params,
                         size_t count,
                         uint64_t *changed,
                         sprongus_error **error);

// Begins a transaction. The caller ends it by commit or rollback, and frees `*tx` in any case.
//
// While it is open, calls on the store itself from this thread are `misuse`: call the transaction.
//
// ```c
// sprongus_tx *tx = NULL;
// if (sprongus_tx_begin(store, &tx, &error) == SPRONGUS_OK
//     && sprongus_execute(tx, "UPDATE orders SET paid = 1", NULL, 0, NULL, &error) == SPRONGUS_OK
//     && sprongus_runs_enqueue(tx, "mail.send", "{}", 2, NULL, NULL, &error) == SPRONGUS_OK)
//     sprongus_tx_commit(tx, &error);
// sprongus_tx_free(tx);
// ```
int32_t sprongus_tx_begin(const sprongus_store *store, sprongus_tx **tx, sprongus_error **error);

// Opens a savepoint within a transaction or savepoint: a transaction that is committed into, or rolled back within, `tx`.
int32_t sprongus_tx_savepoint(const sprongus_tx *tx,
                              sprongus_tx **savepoint,
                              sprongus_error **error);

// A further handle of the same transaction whose events and history are in the name of `actor`, for `reason` (may be
// NULL). Freed on its own; that ends nothing.
int32_t sprongus_tx_acting_as(const sprongus_tx *tx,
                              const char *actor,
                              const char *reason,
                              sprongus_tx **acting,
                              sprongus_error **error);

// Commits the transaction, or keeps the savepoint. It has ended then, whatever the answer; free it.
//
// Errors: `misuse` where a statement failed in it or a savepoint within is open (it is rolled back then), where it has
// ended, or where the host commits (sprongus_attach); `outcome_unknown` where COMMIT's answer was lost.
int32_t sprongus_tx_commit(sprongus_tx *tx, sprongus_error **error);

// Rolls back the transaction or the savepoint, and all savepoints within. It has ended then; free it.
int32_t sprongus_tx_rollback(sprongus_tx *tx, sprongus_error **error);

// Frees a transaction's handle; one still open is rolled back. NULL and what is no transaction are passed over.
void sprongus_tx_free(sprongus_tx *tx);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SPRONGUS_H */

#ifndef SPRONGUS_VALUES_H
#define SPRONGUS_VALUES_H

// A text for a parameter; NULL gives SPRONGUS_NULL. Borrows `text`.
static inline sprongus_value sprongus_text(const char *text) {
    sprongus_value value;
    memset(&value, 0, sizeof(value));
    value.type = text ? SPRONGUS_TEXT : SPRONGUS_NULL;
    value.data = text;
    value.length = text ? strlen(text) : 0;
    return value;
}

// An integer for a parameter.
static inline sprongus_value sprongus_int(int64_t integer) {
    sprongus_value value;
    memset(&value, 0, sizeof(value));
    value.type = SPRONGUS_INT;
    value.integer = integer;
    return value;
}

#endif  // SPRONGUS_VALUES_H
