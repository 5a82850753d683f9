// sprongus: durable runs, validated documents, presets and events inside your own SQLite file or PostgreSQL database.
//
// Generated from the sources of sprongus-ffi by `make generate`; do not edit.
//
// STATUS AND ERRORS. A function that may fail returns SPRONGUS_OK (0) or a SPRONGUS_ERR_ code, and takes as its last
// argument `sprongus_error **error`, which may be NULL. It sets `*error` to NULL on success and to an error on failure,
// which the caller frees by sprongus_error_free; what `*error` held before is not looked at. Nothing is kept per thread.
// After a failure nothing was written, unless the code is SPRONGUS_ERR_OUTCOME_UNKNOWN, and every out-pointer holds NULL
// or zero. Every function that may fail can answer invalid_argument (NULL where something is needed, text that is not
// UTF-8, a wrong length), misuse (a handle that was freed, is of another type or never was one) and panic (a bug of the
// library, caught).
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
// with duplicate keys, NUL or numbers that do not fit; documents are given back in canonical form: keys sorted, no spaces.
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

// The content is bytes.
#define SPRONGUS_CONTENT_BYTES 0

// The content is UTF-8 text.
#define SPRONGUS_CONTENT_TEXT 1

// The content is JSON, kept in canonical form.
#define SPRONGUS_CONTENT_JSON 2

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

// Leave the new preset a draft, which may still be changed by sprongus_presets_import.
#define SPRONGUS_DRAFT 1

// Only check and report.
#define SPRONGUS_DRY_RUN 2

// Do it all the same.
#define SPRONGUS_FORCE 4

// Remove what is not named, or replace what is there instead of merging into it.
#define SPRONGUS_REPLACE 8

// Write the good rows and list the bad ones, instead of writing nothing where one is bad.
#define SPRONGUS_REPORT 16

// A null in a patch is stored, instead of removing the property.
#define SPRONGUS_KEEP_NULLS 32

// Put a `'` before CSV text that a spreadsheet would run as a formula; import does not undo it.
#define SPRONGUS_ESCAPE_FORMULAS 64

// Leave it to a worker.
#define SPRONGUS_ENQUEUE 128

// Give the latest version instead of a new one where the content is the same.
#define SPRONGUS_IF_CHANGED 256

// Delete what belongs to it as well.
#define SPRONGUS_CASCADE 512

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

// Take what looks like a credential as any other text, where it would be `secret_detected`: in runs' inputs, documents, configs
// and metadata.
#define SPRONGUS_NO_SECRETS_CHECK 16

// PostgreSQL: scoped handles tell the server whose they are, so that its row-level security shows them nothing else;
// `unsupported` where there is none for this role (sprongus_store_enable_row_security).
#define SPRONGUS_ROW_SECURITY 32

// Its documents can be pulled: `next` is there.
#define SPRONGUS_PROVIDER_READ 1

// Changes can be pushed to it: `push` is there.
#define SPRONGUS_PROVIDER_WRITE 2

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

// The run succeeded, with what sprongus_context_output or sprongus_context_output_ref was given.
#define SPRONGUS_DONE 0

// The attempt failed; another may do better.
#define SPRONGUS_RETRY 1

// The run failed for good.
#define SPRONGUS_FATAL 2

// The run is put off by what sprongus_context_snooze was given, and the attempt is given back.
#define SPRONGUS_SNOOZED 3

// The run waits for the approval that sprongus_context_approval asked for.
#define SPRONGUS_AWAITING 4

// Leave asked for, and what was decided, as it was when the call returned. Freed by sprongus_approval_free, or with the
// list it came from.
typedef struct sprongus_approval sprongus_approval;

// Approvals. Freed by sprongus_approval_list_free, and its approvals with it.
typedef struct sprongus_approval_list sprongus_approval_list;

// An artifact as it was when the call returned. Freed by sprongus_artifact_free, or with the list it came from.
typedef struct sprongus_artifact sprongus_artifact;

// Artifacts. Freed by sprongus_artifact_list_free, and its artifacts with it.
typedef struct sprongus_artifact_list sprongus_artifact_list;

// Text or bytes handed to the caller. Freed by sprongus_buf_free; its data lives until then.
typedef struct sprongus_buf sprongus_buf;

// A run in a handler's hands, and its ways to the store. Valid until the handler returns; never freed by the caller.
typedef struct sprongus_context sprongus_context;

// An entry as it was when the call returned. Freed by sprongus_entry_free, or with the list it came from.
typedef struct sprongus_entry sprongus_entry;

// Entries. Freed by sprongus_entry_list_free, and its entries with it.
typedef struct sprongus_entry_list sprongus_entry_list;

// Why a call failed. Freed by sprongus_error_free; what its getters give lives until then.
typedef struct sprongus_error sprongus_error;

// A reader of the feed that waits for what comes. Freed by sprongus_follow_free.
typedef struct sprongus_follow sprongus_follow;

// A preset as it was when the call returned. Freed by sprongus_preset_free, or with the list it came from.
typedef struct sprongus_preset sprongus_preset;

// Presets. Freed by sprongus_preset_list_free, and its presets with it.
typedef struct sprongus_preset_list sprongus_preset_list;

// A project as it was when the call returned. Freed by sprongus_project_free, or with the list it came from.
typedef struct sprongus_project sprongus_project;

// Projects. Freed by sprongus_project_list_free, and its projects with it.
typedef struct sprongus_project_list sprongus_project_list;

// Where a host's `query` puts its rows; valid until that function returns.
typedef struct sprongus_row_sink sprongus_row_sink;

// The rows of a query of the host's own, or of a custom table. Freed by sprongus_rows_free; what its getters give lives until then.
typedef struct sprongus_rows sprongus_rows;

// A run as it was when the call returned. Freed by sprongus_run_free, or with the list it came from.
typedef struct sprongus_run sprongus_run;

// Runs. Freed by sprongus_run_list_free, and its runs with it.
typedef struct sprongus_run_list sprongus_run_list;

// A store: runs, aux entries, presets and events in one SQLite file or PostgreSQL database. Any thread may use it.
typedef struct sprongus_store sprongus_store;

// A function that is told of events. Freed by sprongus_subscription_free.
typedef struct sprongus_subscription sprongus_subscription;

// An open transaction, or a savepoint within one: every call that takes `store_or_tx` takes it.
//
// Ended by sprongus_tx_commit or sprongus_tx_rollback, freed by sprongus_tx_free, which rolls back what is still open.
typedef struct sprongus_tx sprongus_tx;

// A worker. Freed by sprongus_worker_free, which lets go of its runs without waiting: stop it before.
typedef struct sprongus_worker sprongus_worker;

// What goes with a request or a decision; zero is the default of each. Begin with `SPRONGUS_INIT(options)`.
typedef struct sprongus_approval_options {
    // `sizeof(sprongus_approval_options)`.
    size_t struct_size;
    // What leave is asked for: only of a decision, and of sprongus_approvals_get; "run", the gate before the queue.
    const char *scope;
    // The step that asks, where a run asks for a scope more than once.
    const char *step;
    // A word of who decides: only of a decision.
    const char *note;
    // A JSON object; the decision's keys win over the request's.
    const char *metadata;
} sprongus_approval_options;

// Which approvals to list; zero is the default of each, filters hold together. Begin with `SPRONGUS_INIT(query)`.
typedef struct sprongus_approvals_query {
    // `sizeof(sprongus_approvals_query)`.
    size_t struct_size;
    // Of that project.
    const char *project;
    // Of that run.
    const char *run_id;
    // Of that scope.
    const char *scope;
    // "approved", "denied" or "pending".
    const char *decision;
    // At most so many, up to 1,000; 50. SPRONGUS_NONE: none.
    int64_t limit;
    // sprongus_approval_list_next_cursor of the page before, with the same filters.
    const char *cursor;
} sprongus_approvals_query;

// What is told of a content; zero is the default of each. Begin with `SPRONGUS_INIT(options)`.
typedef struct sprongus_artifact_options {
    // `sizeof(sprongus_artifact_options)`.
    size_t struct_size;
    // SPRONGUS_CONTENT_….
    int32_t content;
    // 0 or SPRONGUS_IF_CHANGED.
    uint32_t flags;
    // The project; NULL: a scoped handle's own, else none.
    const char *project;
    // The run that makes it.
    const char *run;
    // Its media type; NULL: as the content is.
    const char *media_type;
    // Whatever else is to be told of it, as JSON.
    const char *metadata;
    // Where the content is kept elsewhere; with `sha256` and `size`, and no bytes then.
    const char *reference;
    // SHA-256 of a content kept elsewhere, hexadecimal.
    const char *sha256;
    // Size in bytes of a content kept elsewhere.
    int64_t size;
} sprongus_artifact_options;

// Which entries to list; zero is the default of each. Begin with `SPRONGUS_INIT(query)`.
typedef struct sprongus_aux_query {
    // `sizeof(sprongus_aux_query)`.
    size_t struct_size;
    // A text that one of the searched strings holds, in any case.
    const char *q;
    // A filter as JSON, NUL-terminated: `{"year": {"gte": 1900}}`.
    const char *filter;
    // `sort_count` fields to sort by: "title", "-year", "-lastUpdated", "$version"; NULL: by id.
    const char *const *sort;
    // How many fields.
    size_t sort_count;
    // At most so many, up to 1,000; 50. SPRONGUS_NONE: none.
    int64_t limit;
    // Entries passed over; not together with a cursor.
    int64_t offset;
    // sprongus_entry_list_next_cursor of the page before, with the same filter and order.
    const char *cursor;
} sprongus_aux_query;

// Told how many rows are done, and of how many (0: not known). Returns true to go on; false ends the call with `timeout`, and
// nothing is written. It runs on the calling thread, must not throw, and must not call the store or transaction at work.
typedef bool (*sprongus_on_progress)(void *user_data, uint64_t done, uint64_t total);

// Which events to read; zero is the default of each. Begin with `SPRONGUS_INIT(query)`.
typedef struct sprongus_events_query {
    // `sizeof(sprongus_events_query)`.
    size_t struct_size;
    // The `cursor` of the batch before; NULL: from the beginning.
    const char *after;
    // Of `types_count` types; "aux.*" is all that begin with "aux.". NULL: all.
    const char *const *types;
    // How many types.
    size_t types_count;
    // Of that project.
    const char *project;
    // At most so many, up to 1,000; 100. SPRONGUS_NONE: none.
    int64_t limit;
} sprongus_events_query;

// One value of SQL. `type` says which of the other fields count; those that do not are ignored.
//
// Given to the caller, `data` holds the value as text whatever its type (the bytes of SPRONGUS_BYTES, nothing of
// SPRONGUS_NULL), with a NUL that `length` does not count behind it. The layout never changes.
typedef struct sprongus_value {
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

// Runs one statement that changes rows; sets `*changed` to how many.
typedef int32_t (*sprongus_host_execute)(void *user_data,
                                         const char *sql,
                                         const struct sprongus_value *params,
                                         size_t count,
                                         uint64_t *changed,
                                         struct sprongus_error **error);

// Runs one statement that gives rows: sprongus_row_sink_column for each column, then sprongus_row_sink_add for each row.
typedef int32_t (*sprongus_host_query)(void *user_data,
                                       const char *sql,
                                       const struct sprongus_value *params,
                                       size_t count,
                                       struct sprongus_row_sink *rows,
                                       struct sprongus_error **error);

// Runs statements separated by semicolons, without parameters or rows: savepoints, temporary tables.
typedef int32_t (*sprongus_host_batch)(void *user_data, const char *sql, struct sprongus_error **error);

// Called once, when the library no longer needs `user_data`.
typedef void (*sprongus_destroy)(void *user_data);

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
typedef struct sprongus_host {
    // `sizeof(sprongus_host)`.
    size_t struct_size;
    // SPRONGUS_DIALECT_….
    int32_t dialect;
    // Handed to each function.
    void *user_data;
    // Required.
    sprongus_host_execute execute;
    // Required.
    sprongus_host_query query;
    // Required.
    sprongus_host_batch batch;
    // May be NULL.
    sprongus_destroy destroy;
} sprongus_host;

// The secret of that name, or NULL where there is none. The text stays the host's: it is copied at once, and has to stay until
// the function is called again on the same thread. It runs on whatever thread needs the secret, several at a time, and must not throw.
typedef const char *(*sprongus_resolver)(void *user_data, const char *name);

// Settings of a store; zero is the default of each. Begin with `SPRONGUS_INIT(options)`.
typedef struct sprongus_options {
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
    // PostgreSQL, where the URL leads to a pooler in transaction mode: the URL of the server itself, for the one connection
    // that listens for commits of other processes; NULL: the store's own URL, and workers poll where that is a pooler's.
    const char *listen_url;
    // The largest artifact content, in bytes; 64 MiB.
    uint64_t max_artifact_bytes;
    // Gives the secrets that documents name as `{"$secret": "NAME"}`; NULL: the environment variable of the name.
    sprongus_resolver secrets;
    // Handed to `secrets`; has to live as long as the store.
    void *secrets_data;
} sprongus_options;

// Told of an event, a JSON object, which is borrowed until it returns. It must not throw.
typedef void (*sprongus_on_event)(void *user_data, const char *event);

// Begins a pull or a push of a table; sets `*session`, which the other functions are given. `config` is the profile's, a JSON
// object in which secrets are resolved: keep it nowhere.
typedef int32_t (*sprongus_provider_open)(void *user_data,
                                          const char *config,
                                          const char *project,
                                          const char *table,
                                          void **session,
                                          struct sprongus_error **error);

// The next document: sets `*document` to a JSON object, which has to stay until the next call of this or of `close`, or leaves
// it NULL at the end. It may carry `id` and `lastUpdated`.
typedef int32_t (*sprongus_provider_next)(void *session, const char **document, struct sprongus_error **error);

// Changes the source: `changes` is a JSON object of created and updated (documents with their `id`) and deleted (ids). Called
// again with the same changes after a failure, it must do nothing twice.
typedef int32_t (*sprongus_provider_push)(void *session, const char *changes, struct sprongus_error **error);

// Ends a pull or a push that was opened.
typedef void (*sprongus_provider_close)(void *session);

// A kind of providers, by functions of the host's. Begin with `SPRONGUS_INIT(provider)`.
//
// They return SPRONGUS_OK or fail with an error made by sprongus_error_new: SPRONGUS_ERR_UNAVAILABLE lets the sync be tried
// again. They run on whatever thread syncs, several syncs at a time; no transaction of the library's is open meanwhile. They
// must not throw.
typedef struct sprongus_provider {
    // `sizeof(sprongus_provider)`.
    size_t struct_size;
    // SPRONGUS_PROVIDER_READ and SPRONGUS_PROVIDER_WRITE, joined by `|`.
    uint32_t flags;
    // Handed to `open` and `destroy`.
    void *user_data;
    // Required.
    sprongus_provider_open open;
    // Required where it can be read.
    sprongus_provider_next next;
    // Required where it can be written.
    sprongus_provider_push push;
    // May be NULL.
    sprongus_provider_close close;
    // May be NULL.
    sprongus_destroy destroy;
} sprongus_provider;

// How a run is enqueued; zero is the default of each. Begin with `SPRONGUS_INIT(options)`.
typedef struct sprongus_enqueue_options {
    // `sizeof(sprongus_enqueue_options)`.
    size_t struct_size;
    // Whose it is.
    const char *project;
    // The same key in the same project gives the first run; another kind or input under it is `conflict`.
    const char *idempotency_key;
    // Executions after which a failure is final; 3.
    int64_t max_attempts;
    // Higher is claimed first; 0.
    int64_t priority;
    // Not before that time (RFC 3339); not together with `delay_ms`.
    const char *run_at;
    // Not before that much time has passed.
    int64_t delay_ms;
    // The longest an attempt may take; no limit.
    int64_t timeout_ms;
    // Not 0: wait for an approval before it is queued.
    int32_t needs_approval;
    // Who asks for it.
    const char *requested_by;
    // The channel it is asked for in.
    const char *channel_id;
    // The conversation within the channel.
    const char *conversation_id;
    // The run that asks for it.
    const char *parent;
} sprongus_enqueue_options;

// Which runs to list; zero is the default of each, filters hold together. Begin with `SPRONGUS_INIT(query)`.
typedef struct sprongus_runs_query {
    // `sizeof(sprongus_runs_query)`.
    size_t struct_size;
    // Of that project.
    const char *project;
    // In one of `states_count` states ("queued", …); NULL: in any.
    const char *const *states;
    // How many states.
    size_t states_count;
    // Of one of `kinds_count` kinds; NULL: of any.
    const char *const *kinds;
    // How many kinds.
    size_t kinds_count;
    // Enqueued at that time (RFC 3339) or after it.
    const char *since;
    // Enqueued before that time.
    const char *before;
    // Asked for in that channel.
    const char *channel_id;
    // Asked for in that conversation.
    const char *conversation_id;
    // Not 0: the first enqueued first; else the last.
    int32_t oldest_first;
    // At most so many, up to 1,000; 50. SPRONGUS_NONE: none.
    int64_t limit;
    // sprongus_run_list_next_cursor of the page before, with the same filters and order.
    const char *cursor;
    // The children of that run.
    const char *parent;
} sprongus_runs_query;

// What a worker claims; zero is the default of each. Begin with `SPRONGUS_INIT(options)`.
typedef struct sprongus_claim_options {
    // `sizeof(sprongus_claim_options)`.
    size_t struct_size;
    // `kinds_count` kinds; "sync/*" is all that begin with "sync/". NULL: every kind.
    const char *const *kinds;
    // How many kinds.
    size_t kinds_count;
    // `projects_count` projects; NULL: all that the handle sees.
    const char *const *projects;
    // How many projects.
    size_t projects_count;
    // At most so many runs, up to 1,000; 1. SPRONGUS_NONE: none.
    int64_t limit;
    // For how long; a heartbeat extends it by as much. 60,000.
    int64_t lease_ms;
    // Not 0: leave them "dispatching", to be started by sprongus_runs_start.
    int32_t dispatch;
    // The id of a run that has succeeded, under `succeeded_lease`: it is reported first, in the claim's own commit where
    // nothing else is to be done. Where the report is refused, nothing is claimed. NULL: none.
    const char *succeeded;
    // The lease under which it ran.
    int64_t succeeded_lease;
    // Its output, JSON of `output_length` bytes; NULL: none.
    const char *output;
    // How many bytes.
    size_t output_length;
} sprongus_claim_options;

// When and how a schedule's runs are enqueued: `cron` or `every_ms`; zero is the default of the others. Begin with
// `SPRONGUS_INIT(options)`.
typedef struct sprongus_schedule_options {
    // `sizeof(sprongus_schedule_options)`.
    size_t struct_size;
    // A cron expression: five fields, or six with seconds first.
    const char *cron;
    // The time between slots.
    int64_t every_ms;
    // The IANA time zone that `cron` is read in; "UTC".
    const char *tz;
    // The project of its runs.
    const char *project;
    // Not 0: a slot enqueues its run though the one before has not ended; else it is left out then.
    int32_t queue_overlap;
    // How late a missed slot is still made up for; not at all.
    int64_t catch_up_ms;
} sprongus_schedule_options;

// What a scoped handle is given; zero is the default of each. Begin with `SPRONGUS_INIT(options)`.
typedef struct sprongus_scoped_options {
    // `sizeof(sprongus_scoped_options)`.
    size_t struct_size;
    // "runs:read", "runs:write", "aux:read", "aux:write", "presets:read", "admin"; NULL and 0: all but "admin".
    const char *const *scopes;
    // How many there are.
    size_t scopes_count;
    // Runs that it may enqueue in `enqueue_per_ms`, at once or spread, up to 1,000,000,000; 0: as many as it likes.
    int64_t enqueue_rate;
    // Milliseconds; 0: 1,000.
    int64_t enqueue_per_ms;
    // Runs that it may cancel in `cancel_per_ms`; 0: as many as it likes.
    int64_t cancel_rate;
    // Milliseconds; 0: 1,000.
    int64_t cancel_per_ms;
} sprongus_scoped_options;

// Which rows of a custom table, and in which order; zero is the default of each. Begin with `SPRONGUS_INIT(query)`.
typedef struct sprongus_rows_query {
    // `sizeof(sprongus_rows_query)`.
    size_t struct_size;
    // The rows whose columns have these values, JSON, NUL-terminated: `{"owner": "ada", "state": ["new", null]}`. An array
    // holds what a column may be. NULL: every row.
    const char *where;
    // `order_by_count` columns to order by: "label", "-expires_at" (descending); NULL: by the primary key.
    const char *const *order_by;
    // How many columns.
    size_t order_by_count;
    // At most so many rows; all of them. SPRONGUS_NONE: none.
    int64_t limit;
    // Rows passed over.
    int64_t offset;
} sprongus_rows_query;

// How a worker works; zero is the default of each. Begin with `SPRONGUS_INIT(options)`.
typedef struct sprongus_worker_options {
    // `sizeof(sprongus_worker_options)`.
    size_t struct_size;
    // Its name, as runs and events carry it; NULL: made of the process id and a ULID.
    const char *worker_id;
    // How many handlers run at a time, each on a thread of its own; 4.
    uint32_t concurrency;
    // For how long runs are claimed; extended three times as often. 60,000.
    int64_t lease_ms;
    // How often the database is asked where nothing woke the worker; 1,000.
    int64_t poll_interval_ms;
    // `projects_count` projects; NULL: all that the handle sees.
    const char *const *projects;
    // How many projects.
    size_t projects_count;
} sprongus_worker_options;

// Works one run; returns SPRONGUS_DONE, SPRONGUS_RETRY, SPRONGUS_FATAL, SPRONGUS_SNOOZED or SPRONGUS_AWAITING. Anything
// else, the status of a call that failed for example, is SPRONGUS_RETRY.
//
// It runs on threads of the worker, several at a time; it must not throw. It may be called again for the same run: after a
// failure, a crash, a lost lease.
typedef int32_t (*sprongus_handler)(void *user_data, const struct sprongus_context *context);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Its id, a ULID. Borrowed; NULL for no approval.
const char *sprongus_approval_id(const struct sprongus_approval *approval);

// The run. Borrowed.
const char *sprongus_approval_run_id(const struct sprongus_approval *approval);

// What leave is asked for; "run" is the gate before the queue. Borrowed.
const char *sprongus_approval_scope(const struct sprongus_approval *approval);

// The step that asked; NULL where none was named. Borrowed.
const char *sprongus_approval_step(const struct sprongus_approval *approval);

// What the run is about to do; NULL where nothing was said. Borrowed.
const char *sprongus_approval_intent_summary(const struct sprongus_approval *approval);

// "approved" or "denied"; NULL while it is pending. Never freed.
const char *sprongus_approval_decision(const struct sprongus_approval *approval);

// Who decided; NULL while it is pending. Borrowed.
const char *sprongus_approval_decided_by(const struct sprongus_approval *approval);

// When it was decided; NULL while it is pending. Borrowed.
const char *sprongus_approval_decided_at(const struct sprongus_approval *approval);

// A word of who decided; NULL where there is none. Borrowed.
const char *sprongus_approval_note(const struct sprongus_approval *approval);

// The request's metadata and the decision's, merged, as JSON. Borrowed.
const char *sprongus_approval_metadata(const struct sprongus_approval *approval);

// All of it as JSON. Borrowed.
const char *sprongus_approval_to_json(const struct sprongus_approval *approval);

// Frees an approval. NULL, what is no approval, and an approval of a list are passed over.
void sprongus_approval_free(struct sprongus_approval *approval);

// How many approvals there are; 0 for no list.
size_t sprongus_approval_list_count(const struct sprongus_approval_list *list);

// An approval, counted from 0. Borrowed; NULL where there is none.
const struct sprongus_approval *sprongus_approval_list_at(const struct sprongus_approval_list *list, size_t index);

// What to give as `cursor` for the next page; NULL on the last. Borrowed.
const char *sprongus_approval_list_next_cursor(const struct sprongus_approval_list *list);

// All of it as JSON: an object of items and nextCursor. Borrowed.
const char *sprongus_approval_list_to_json(const struct sprongus_approval_list *list);

// Frees approvals. NULL and what is no list are passed over.
void sprongus_approval_list_free(struct sprongus_approval_list *list);

// Asks for leave in the middle of a run. Where it was decided before, `*approval` says how and nothing changes; else it is
// pending (sprongus_approval_decision is NULL): the run now waits without a lease, so make no report and leave it alone.
//
// Granted, the run is queued again and its steps resume; refused, it ends denied. `options` (step, metadata) may be NULL.
// Errors: `lease_lost`, `invalid_state` where it was never claimed or not started, `not_found`, `invalid_argument`.
//
// ```c
// sprongus_approval *leave = NULL;
// sprongus_approvals_request(store, id, lease, "deploy.production", "deploy build 17", NULL, &leave, &error);
// if (sprongus_approval_decision(leave) != NULL)
//     deploy();
// sprongus_approval_free(leave);
// ```
int32_t sprongus_approvals_request(const void *store_or_tx,
                                   const char *run_id,
                                   int64_t lease,
                                   const char *scope,
                                   const char *intent_summary,
                                   const struct sprongus_approval_options *options,
                                   struct sprongus_approval **approval,
                                   struct sprongus_error **error);

// Gives leave: the run is queued. `options` may be NULL: the gate before the queue. `approval` may be NULL.
//
// The same again is no change. Errors: `not_found` where nobody asked; `invalid_state` where it was denied, or the run does
// not wait for it.
int32_t sprongus_approvals_approve(const void *store_or_tx,
                                   const char *run_id,
                                   const char *by,
                                   const struct sprongus_approval_options *options,
                                   struct sprongus_approval **approval,
                                   struct sprongus_error **error);

// Refuses leave: the run ends denied. As sprongus_approvals_approve otherwise.
int32_t sprongus_approvals_deny(const void *store_or_tx,
                                const char *run_id,
                                const char *by,
                                const struct sprongus_approval_options *options,
                                struct sprongus_approval **approval,
                                struct sprongus_error **error);

// One approval; `scope` NULL is the gate before the queue, `step` NULL none. Errors: `not_found`.
int32_t sprongus_approvals_get(const void *store_or_tx,
                               const char *run_id,
                               const char *scope,
                               const char *step,
                               struct sprongus_approval **approval,
                               struct sprongus_error **error);

// Approvals by filters, a page at a time, the last asked for first. `query` may be NULL. Errors: `invalid_argument`.
int32_t sprongus_approvals_list(const void *store_or_tx,
                                const struct sprongus_approvals_query *query,
                                struct sprongus_approval_list **approvals,
                                struct sprongus_error **error);

// Its id. Borrowed; NULL for no artifact.
const char *sprongus_artifact_id(const struct sprongus_artifact *artifact);

// The project it belongs to; NULL for none. Borrowed.
const char *sprongus_artifact_project_id(const struct sprongus_artifact *artifact);

// The run that made it; NULL for none. Borrowed.
const char *sprongus_artifact_run_id(const struct sprongus_artifact *artifact);

// What it is: "report", "run.output", "sync.diff". Borrowed.
const char *sprongus_artifact_kind(const struct sprongus_artifact *artifact);

// Which one of its kind. Borrowed.
const char *sprongus_artifact_key(const struct sprongus_artifact *artifact);

// 1 and up, without gaps; 0 for no artifact.
int64_t sprongus_artifact_version(const struct sprongus_artifact *artifact);

// "application/json", "text/plain; charset=utf-8", "application/octet-stream", or as it was given. Borrowed.
const char *sprongus_artifact_media_type(const struct sprongus_artifact *artifact);

// The content, as many bytes as `*length` says, which may be NULL; a text is not NUL-terminated. Borrowed; NULL where
// sprongus_artifact_ref says where it is kept.
const void *sprongus_artifact_content(const struct sprongus_artifact *artifact, size_t *length);

// Where the content is kept, if elsewhere; NULL otherwise. Borrowed.
const char *sprongus_artifact_ref(const struct sprongus_artifact *artifact);

// SHA-256 of the content, hexadecimal. Borrowed.
const char *sprongus_artifact_sha256(const struct sprongus_artifact *artifact);

// Its size in bytes; 0 for no artifact.
int64_t sprongus_artifact_size(const struct sprongus_artifact *artifact);

// Whatever else was told of it, as JSON. Borrowed.
const char *sprongus_artifact_metadata(const struct sprongus_artifact *artifact);

// When it was put. Borrowed.
const char *sprongus_artifact_created_at(const struct sprongus_artifact *artifact);

// All of it as JSON, the content as Base64. Borrowed.
const char *sprongus_artifact_to_json(const struct sprongus_artifact *artifact);

// Frees an artifact. NULL, what is no artifact, and an artifact of a list are passed over.
void sprongus_artifact_free(struct sprongus_artifact *artifact);

// How many artifacts there are; 0 for no list.
size_t sprongus_artifact_list_count(const struct sprongus_artifact_list *list);

// An artifact, counted from 0. Borrowed; NULL where there is none.
const struct sprongus_artifact *sprongus_artifact_list_at(const struct sprongus_artifact_list *list, size_t index);

// What to give as `cursor` for the next page; NULL on the last. Borrowed.
const char *sprongus_artifact_list_next_cursor(const struct sprongus_artifact_list *list);

// All of it as JSON: an object of items and nextCursor. Borrowed.
const char *sprongus_artifact_list_to_json(const struct sprongus_artifact_list *list);

// Frees artifacts. NULL and what is no list are passed over.
void sprongus_artifact_list_free(struct sprongus_artifact_list *list);

// Keeps a content of `length` bytes as the next version of its kind and key; never changed afterwards.
//
// `options` may be NULL: bytes without a project. With SPRONGUS_IF_CHANGED, a content equal to the latest version's gives
// that one. `artifact` may be NULL. Errors: `too_large`, `not_found` (the run), `validation` (not JSON, the metadata),
// `invalid_argument`.
//
// ```c
// sprongus_artifact_options options;
// SPRONGUS_INIT(options);
// options.content = SPRONGUS_CONTENT_TEXT;
// options.project = "p1";
// sprongus_artifacts_put(store, "report", "2026-11", "all well", 8, &options, NULL, &error);
// ```
int32_t sprongus_artifacts_put(const void *store_or_tx,
                               const char *kind,
                               const char *key,
                               const char *content,
                               size_t length,
                               const struct sprongus_artifact_options *options,
                               struct sprongus_artifact **artifact,
                               struct sprongus_error **error);

// One artifact. Errors: `not_found`, `corrupt` (its content has another SHA-256 than it had).
int32_t sprongus_artifacts_get(const void *store_or_tx,
                               const char *id,
                               struct sprongus_artifact **artifact,
                               struct sprongus_error **error);

// The newest version of a kind and key. `project` may be NULL: a scoped handle's own, else none. Errors: as
// sprongus_artifacts_get.
int32_t sprongus_artifacts_latest(const void *store_or_tx,
                                  const char *kind,
                                  const char *key,
                                  const char *project,
                                  struct sprongus_artifact **artifact,
                                  struct sprongus_error **error);

// A page of the versions of a kind and key, newest first; `limit` is how many (up to 1,000; 0: 50), `cursor` NULL or the
// list's before. `project` may be NULL.
int32_t sprongus_artifacts_versions(const void *store_or_tx,
                                    const char *kind,
                                    const char *key,
                                    const char *project,
                                    int64_t limit,
                                    const char *cursor,
                                    struct sprongus_artifact_list **artifacts,
                                    struct sprongus_error **error);

// A page of the latest of each kind and key, in that order; of one `kind` alone where it is not NULL. `limit` and `cursor` as
// of sprongus_artifacts_versions; `project` may be NULL.
int32_t sprongus_artifacts_list(const void *store_or_tx,
                                const char *project,
                                const char *kind,
                                int64_t limit,
                                const char *cursor,
                                struct sprongus_artifact_list **artifacts,
                                struct sprongus_error **error);

// Writes the latest of each kind and key into a zip file, the same bytes every time; `count`, which may be NULL, is how many
// there are. `project` may be NULL. Errors: `not_found` (its folder), `permission_denied`, `storage_full`, `storage`.
int32_t sprongus_artifacts_export_zip(const void *store_or_tx,
                                      const char *path,
                                      const char *project,
                                      uint64_t *count,
                                      struct sprongus_error **error);

// Creates an entry from a whole document, a JSON object of `length` bytes, with the preset's defaults.
//
// Its id is `id`, else (NULL) the document's, else a new one. `entry` may be NULL. Errors: `validation` with every
// violation in the details, `reserved_field`, `conflict` (the id or a unique value is taken), `too_large`, `not_found`
// where no preset is bound to the table (sprongus_presets_bind; "assets", "citations", "storyboard" are from the start).
//
// ```c
// const char *json = "{\"title\": \"Coburg\"}";
// sprongus_entry *entry = NULL;
// if (sprongus_aux_create(store, "p1", "assets", json, strlen(json), "a-1", &entry, &error) == SPRONGUS_OK)
//     puts(sprongus_entry_payload(entry));
// sprongus_entry_free(entry);
// ```
int32_t sprongus_aux_create(const void *store_or_tx,
                            const char *project,
                            const char *table,
                            const char *payload,
                            size_t length,
                            const char *id,
                            struct sprongus_entry **entry,
                            struct sprongus_error **error);

// One entry. Errors: `not_found`.
int32_t sprongus_aux_get(const void *store_or_tx,
                         const char *project,
                         const char *table,
                         const char *id,
                         struct sprongus_entry **entry,
                         struct sprongus_error **error);

// Merges a patch, a JSON object of `length` bytes, into an entry (RFC 7396); the result is what is validated. A result
// equal to what is there makes no new version.
//
// `flags`: SPRONGUS_REPLACE (the patch is the whole document), SPRONGUS_KEEP_NULLS. `if_version` other than 0 refuses with
// `conflict` unless the entry has that version. `entry` may be NULL. Errors: as sprongus_aux_create, and `not_found`.
int32_t sprongus_aux_update(const void *store_or_tx,
                            const char *project,
                            const char *table,
                            const char *id,
                            const char *patch,
                            size_t length,
                            uint32_t flags,
                            int64_t if_version,
                            struct sprongus_entry **entry,
                            struct sprongus_error **error);

// Creates an entry, or merges the document, a JSON object of `length` bytes, into the one of its id; a null is stored.
//
// `id` may be NULL (the document's, else a new one), `flags` is 0 or SPRONGUS_REPLACE, `entry` may be NULL. Errors: as
// sprongus_aux_create, but for the id being taken.
int32_t sprongus_aux_upsert(const void *store_or_tx,
                            const char *project,
                            const char *table,
                            const char *payload,
                            size_t length,
                            const char *id,
                            uint32_t flags,
                            struct sprongus_entry **entry,
                            struct sprongus_error **error);

// Deletes an entry. `on_referenced` says what to do about entries that refer to it: "restrict" (NULL: refuse, and name
// them in the details of `referenced`), "warn" (delete, leave them), "unlink" (take the id out of them), "force" (do not
// look).
//
// `referrers`, which may be NULL, is a JSON array of table, id, field. Errors: `not_found`, `referenced`.
int32_t sprongus_aux_delete(const void *store_or_tx,
                            const char *project,
                            const char *table,
                            const char *id,
                            const char *on_referenced,
                            struct sprongus_buf **referrers,
                            struct sprongus_error **error);

// A page of the entries that match, in the order asked for. `query` may be NULL. Errors: `invalid_argument`.
int32_t sprongus_aux_list(const void *store_or_tx,
                          const char *project,
                          const char *table,
                          const struct sprongus_aux_query *query,
                          struct sprongus_entry_list **entries,
                          struct sprongus_error **error);

// How many entries match; `q` and `filter` (JSON, NUL-terminated) may be NULL. Errors: `invalid_argument`.
int32_t sprongus_aux_count(const void *store_or_tx,
                           const char *project,
                           const char *table,
                           const char *q,
                           const char *filter,
                           uint64_t *count,
                           struct sprongus_error **error);

// The entries that refer to one: `referrers` is a JSON array of table, id, field, in that order.
int32_t sprongus_aux_referrers(const void *store_or_tx,
                               const char *project,
                               const char *table,
                               const char *id,
                               struct sprongus_buf **referrers,
                               struct sprongus_error **error);

// What `count` ids of the table lead to: `views` is a JSON array of id, missing, label, url, one per id, in the order asked.
int32_t sprongus_aux_resolve_refs(const void *store_or_tx,
                                  const char *project,
                                  const char *table,
                                  const char *const *ids,
                                  size_t count,
                                  struct sprongus_buf **views,
                                  struct sprongus_error **error);

// Syncs the table with a provider: the name of a profile (sprongus_providers_put), "csv:PATH" or "json:PATH".
//
// `policy` says who is right where both sides changed an entry: "provider", "local", "newest", or "manual" (NULL: nobody; it
// stays a conflict, and is listed). `flags`: SPRONGUS_DRY_RUN, SPRONGUS_FORCE (an empty pull may empty the table),
// SPRONGUS_ENQUEUE (leave it to a worker that serves syncs). `idempotency_key` may be NULL; the same one again gives the
// earlier run. `run`, which may be NULL, is the run that did or will do it; its output_ref names the artifact with the
// differences.
//
// Errors: what the sync failed with, its run being failed then; `misuse` in a transaction, unless SPRONGUS_ENQUEUE is set.
int32_t sprongus_aux_sync(const void *store_or_tx,
                          const char *project,
                          const char *table,
                          const char *provider,
                          const char *policy,
                          uint32_t flags,
                          const char *idempotency_key,
                          struct sprongus_run **run,
                          struct sprongus_error **error);

// Creates or changes many entries, which others see at once: `items` is a JSON array of documents, `length` bytes, each
// with its `id` or without one. Rows are numbered from 1; of a repeated id the last one counts.
//
// `flags`: SPRONGUS_REPLACE (each replaces the entry of its id; others stay), SPRONGUS_REPORT, SPRONGUS_DRY_RUN. `progress`
// may be NULL; `user_data` is handed to it. `report`, which may be NULL, is a JSON object of created, updated, unchanged, deleted, errors, warnings, dryRun. Errors:
// `validation` with every violation of every row, unless SPRONGUS_REPORT is set.
int32_t sprongus_aux_bulk_upsert(const void *store_or_tx,
                                 const char *project,
                                 const char *table,
                                 const char *items,
                                 size_t length,
                                 uint32_t flags,
                                 sprongus_on_progress progress,
                                 void *user_data,
                                 struct sprongus_buf **report,
                                 struct sprongus_error **error);

// Imports a file: CSV typed by the table's preset, a JSON array, or one JSON object per line, read as a stream.
//
// `format` is "csv", "json" or "ndjson"; NULL: the file's extension tells. `delimiter` stands between the cells of a CSV;
// NULL: a comma. `flags`: SPRONGUS_REPLACE (the table becomes equal to the file), SPRONGUS_REPORT, SPRONGUS_DRY_RUN.
// `report` as of sprongus_aux_bulk_upsert, may be NULL. Errors: `not_found` (the file), `invalid_argument` (a directory, a
// format that cannot be told, a delimiter), `validation`: every bad row, or a file that cannot be read on.
int32_t sprongus_aux_import(const void *store_or_tx,
                            const char *project,
                            const char *table,
                            const char *path,
                            const char *format,
                            const char *delimiter,
                            uint32_t flags,
                            sprongus_on_progress progress,
                            void *user_data,
                            struct sprongus_buf **report,
                            struct sprongus_error **error);

// Writes the whole table to a file, by id, from one snapshot; `count`, which may be NULL, is the number of rows. The file
// appears when it is complete, byte for byte the same for the same entries.
//
// `format` as of sprongus_aux_import; `flags` is 0 or SPRONGUS_ESCAPE_FORMULAS. Errors: `invalid_argument`, `not_found` (its
// folder), `permission_denied`, `storage_full`, `storage`.
int32_t sprongus_aux_export(const void *store_or_tx,
                            const char *project,
                            const char *table,
                            const char *path,
                            const char *format,
                            uint32_t flags,
                            sprongus_on_progress progress,
                            void *user_data,
                            uint64_t *count,
                            struct sprongus_error **error);

// Every version of an entry, oldest first, a deleted one's too: `versions` is a JSON array of version, snapshot (the document;
// null: deleted), changeSummary, actor, reason, at. Errors: `not_found` where there never was such an entry.
int32_t sprongus_aux_history(const void *store_or_tx,
                             const char *project,
                             const char *table,
                             const char *id,
                             struct sprongus_buf **versions,
                             struct sprongus_error **error);

// What differs between two versions of an entry, down to the leaves: `differences` is a JSON array of path (JSON Pointer), op
// ("added", "removed", "changed"), old, new.
//
// `a` and `b` are the number of a version, "3", or a time, "2026-11-20T12:00:00Z"; `b` NULL is the present one. Errors:
// `not_found` where there is no such version, or none at such a time.
int32_t sprongus_aux_diff(const void *store_or_tx,
                          const char *project,
                          const char *table,
                          const char *id,
                          const char *a,
                          const char *b,
                          struct sprongus_buf **differences,
                          struct sprongus_error **error);

// The table as it was at a time, `at`, ordered by id. Errors: `validation` (not a time).
int32_t sprongus_aux_as_of(const void *store_or_tx,
                           const char *project,
                           const char *table,
                           const char *at,
                           struct sprongus_entry_list **entries,
                           struct sprongus_error **error);

// Makes the document of an earlier version the present one, as the next version; a deleted entry comes back. `entry` may be
// NULL. Errors: `not_found` (the entry, the version), `invalid_state` (that version is a deletion), `validation` (the preset
// has changed since), `conflict` (a unique value is taken).
int32_t sprongus_aux_restore(const void *store_or_tx,
                             const char *project,
                             const char *table,
                             const char *id,
                             int64_t version,
                             struct sprongus_entry **entry,
                             struct sprongus_error **error);

// The bytes; a NUL that does not count stands behind them, so text is a C string. Borrowed; NULL for no buffer.
const char *sprongus_buf_data(const struct sprongus_buf *buf);

// How many bytes there are; 0 for no buffer.
size_t sprongus_buf_length(const struct sprongus_buf *buf);

// Frees a buffer. NULL and what is no buffer are passed over.
void sprongus_buf_free(struct sprongus_buf *buf);

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
                      struct sprongus_buf **response,
                      struct sprongus_error **error);

// The names of all operations, in order, as a JSON array.
int32_t sprongus_operations(struct sprongus_buf **names, struct sprongus_error **error);

// The JSON Schema of an operation's request and response, as `include/schema/<operation>.json` has it.
int32_t sprongus_operation_schema(const char *operation, struct sprongus_buf **schema, struct sprongus_error **error);

// The version of the library, "0.1.0". Never freed.
const char *sprongus_version(void);

// The value of a setting as JSON; `*value` is NULL where it is not set ("null" where it is set to null).
//
// `key` is of `a-z 0-9 . _ : -`. `project` may be NULL: a scoped handle's own, else the store. Errors: `invalid_argument`,
// `permission_denied`.
//
// ```c
// sprongus_buf *value = NULL;
// sprongus_config_set(store, "active.project", "\"p1\"", 4, NULL, &error);
// if (sprongus_config_get(store, "active.project", NULL, &value, &error) == SPRONGUS_OK && value != NULL)
//     puts(sprongus_buf_data(value));
// sprongus_buf_free(value);
// ```
int32_t sprongus_config_get(const void *store_or_tx,
                            const char *key,
                            const char *project,
                            struct sprongus_buf **value,
                            struct sprongus_error **error);

// Sets a setting to a JSON value of `length` bytes. `project` as of sprongus_config_get. Errors: as there, and `validation`,
// `too_large`, `secret_detected`.
int32_t sprongus_config_set(const void *store_or_tx,
                            const char *key,
                            const char *value,
                            size_t length,
                            const char *project,
                            struct sprongus_error **error);

// Removes a setting; nothing where it is not set. `project` and errors as of sprongus_config_get.
int32_t sprongus_config_unset(const void *store_or_tx,
                              const char *key,
                              const char *project,
                              struct sprongus_error **error);

// The settings whose keys begin with `prefix` (NULL: all), a JSON object by key. `project` and errors as of
// sprongus_config_get.
int32_t sprongus_config_list(const void *store_or_tx,
                             const char *prefix,
                             const char *project,
                             struct sprongus_buf **settings,
                             struct sprongus_error **error);

// The run as it was claimed. Borrowed; NULL for no context.
const struct sprongus_run *sprongus_context_run(const struct sprongus_context *context);

// The store, for whatever the work needs. Borrowed; NULL for no context.
const struct sprongus_store *sprongus_context_store(const struct sprongus_context *context);

// Whether the run is no longer wanted: canceled, timed out, its lease lost, or the worker gone without waiting. Then end
// soon; what the handler returns will not count. True for no context.
bool sprongus_context_canceled(const struct sprongus_context *context);

// Tells how far the work is, where `progress` (JSON of `length` bytes) is not NULL, and extends the lease; the worker
// extends it by itself as well. Errors: `lease_lost` where the run is no longer this handler's, canceled included.
int32_t sprongus_context_heartbeat(const struct sprongus_context *context,
                                   const char *progress,
                                   size_t length,
                                   struct sprongus_error **error);

// What came out of the run, JSON of `length` bytes, kept as its output where the handler returns SPRONGUS_DONE.
int32_t sprongus_context_output(const struct sprongus_context *context,
                                const char *output,
                                size_t length,
                                struct sprongus_error **error);

// Where what came out of the run is kept, instead of an output.
int32_t sprongus_context_output_ref(const struct sprongus_context *context,
                                    const char *output_ref,
                                    struct sprongus_error **error);

// The secret that a `{"$secret": "NAME"}` of the input names, from the store's resolver or the environment, now. `secret` gets
// it as a buffer of the caller's own, to be freed by `sprongus_buf_free`, which leaves its bytes where they were: whoever wants
// them gone overwrites their copies.
//
// From then on `[secret]` stands in its place, if it has four characters or more, in what the context is told: outputs, failures,
// progress, approvals. What is written through the store is the host's own, results of steps included. Errors: `not_found`,
// `unavailable`.
int32_t sprongus_context_secret(const struct sprongus_context *context,
                                const char *name,
                                struct sprongus_buf **secret,
                                struct sprongus_error **error);

// Keeps a content of `length` bytes as the next version of its kind and key, in the run's project and made by it, while the
// run is still this handler's. `options` as of sprongus_artifacts_put; project and run in it are not looked at. `artifact` may
// be NULL. Errors: as sprongus_artifacts_put; `lease_lost`.
int32_t sprongus_context_artifact(const struct sprongus_context *context,
                                  const char *kind,
                                  const char *key,
                                  const char *content,
                                  size_t length,
                                  const struct sprongus_artifact_options *options,
                                  struct sprongus_artifact **artifact,
                                  struct sprongus_error **error);

// What went wrong, kept as the run's error where the handler returns SPRONGUS_RETRY or SPRONGUS_FATAL.
int32_t sprongus_context_failure(const struct sprongus_context *context,
                                 const char *message,
                                 struct sprongus_error **error);

// When the run is due again where the handler returns SPRONGUS_SNOOZED; 0 and SPRONGUS_NONE: at once.
int32_t sprongus_context_snooze(const struct sprongus_context *context,
                                int64_t delay_ms,
                                struct sprongus_error **error);

// Asks for leave, as sprongus_approvals_request. Where it is pending (sprongus_approval_decision of it is NULL) the run no
// longer is this handler's: return SPRONGUS_AWAITING. Once leave is given the run comes back, and this says so.
//
// ```c
// sprongus_approval *leave = NULL;
// if (sprongus_context_approval(context, "repo.push", "push 3 commits", NULL, &leave, NULL) != SPRONGUS_OK)
//     return SPRONGUS_RETRY;
// bool decided = sprongus_approval_decision(leave) != NULL;
// sprongus_approval_free(leave);
// if (!decided)
//     return SPRONGUS_AWAITING;
// ```
int32_t sprongus_context_approval(const struct sprongus_context *context,
                                  const char *scope,
                                  const char *intent_summary,
                                  const struct sprongus_approval_options *options,
                                  struct sprongus_approval **approval,
                                  struct sprongus_error **error);

// Opens a transaction that commits only while the run is still this handler's: end it by sprongus_context_commit, or by
// sprongus_tx_rollback; free it in any case.
int32_t sprongus_context_begin(const struct sprongus_context *context,
                               struct sprongus_tx **tx,
                               struct sprongus_error **error);

// Commits a transaction, and extends the lease with it. It has ended then, whatever the answer; free it.
//
// Errors: as sprongus_tx_commit; `lease_lost` where the run was canceled or taken: nothing was written then.
int32_t sprongus_context_commit(const struct sprongus_context *context,
                                struct sprongus_tx *tx,
                                struct sprongus_error **error);

// Its id, unique in its table of its project. Borrowed; NULL for no entry.
const char *sprongus_entry_id(const struct sprongus_entry *entry);

// The project it belongs to. Borrowed.
const char *sprongus_entry_project_id(const struct sprongus_entry *entry);

// The table it stands in. Borrowed.
const char *sprongus_entry_table_name(const struct sprongus_entry *entry);

// The document, a JSON object. Borrowed.
const char *sprongus_entry_payload(const struct sprongus_entry *entry);

// 1 and up; goes on across a deletion and re-creation of the id. 0 for no entry.
int64_t sprongus_entry_version(const struct sprongus_entry *entry);

// When it was last written. Borrowed.
const char *sprongus_entry_last_updated(const struct sprongus_entry *entry);

// What a write accepted but is worth a look, a JSON array of path, keyword, message: dangling references. Borrowed.
const char *sprongus_entry_warnings(const struct sprongus_entry *entry);

// All of it as JSON. Borrowed.
const char *sprongus_entry_to_json(const struct sprongus_entry *entry);

// Frees an entry. NULL, what is no entry, and an entry of a list are passed over.
void sprongus_entry_free(struct sprongus_entry *entry);

// How many entries there are; 0 for no list.
size_t sprongus_entry_list_count(const struct sprongus_entry_list *list);

// An entry, counted from 0. Borrowed; NULL where there is none.
const struct sprongus_entry *sprongus_entry_list_at(const struct sprongus_entry_list *list, size_t index);

// What to give as `cursor` for the next page; NULL on the last. Borrowed.
const char *sprongus_entry_list_next_cursor(const struct sprongus_entry_list *list);

// All of it as JSON: an object of items and nextCursor. Borrowed.
const char *sprongus_entry_list_to_json(const struct sprongus_entry_list *list);

// Frees entries. NULL and what is no list are passed over.
void sprongus_entry_list_free(struct sprongus_entry_list *list);

// The number of the code, SPRONGUS_ERR_…; the same as the status of the call. 0 where `error` is no error.
int32_t sprongus_error_code(const struct sprongus_error *error);

// The name of the code ("not_found"), as it stands in JSON and in the other languages. Borrowed; NULL for no error.
const char *sprongus_error_name(const struct sprongus_error *error);

// What was wrong, where, and what would be right; no payload, no secret. Borrowed; NULL for no error.
const char *sprongus_error_message(const struct sprongus_error *error);

// Further data as a JSON object: for `validation` every violation under `errors`. Borrowed; NULL where there is none.
const char *sprongus_error_details(const struct sprongus_error *error);

// Whether the same call may succeed later without a change.
bool sprongus_error_retryable(const struct sprongus_error *error);

// The error as JSON: code, message, details, retryable. Borrowed; NULL for no error.
const char *sprongus_error_to_json(const struct sprongus_error *error);

// Frees an error. NULL and what is no error are passed over.
void sprongus_error_free(struct sprongus_error *error);

// For a host's own functions (sprongus_host): an error to answer with. `message` is kept as it is; put no values in it.
//
// Returns `code`, or SPRONGUS_ERR_STORAGE where there is no such code, so that a function can end with
// `return sprongus_error_new(SPRONGUS_ERR_CONFLICT, "…", error);`
int32_t sprongus_error_new(int32_t code, const char *message, struct sprongus_error **error);

// As sprongus_error_new, with the code for SQLite's extended result code (`sqlite3_extended_errcode(db)`).
int32_t sprongus_error_from_sqlite(int32_t extended_code, const char *message, struct sprongus_error **error);

// As sprongus_error_new, with the code for a SQLSTATE (`PQresultErrorField(result, PG_DIAG_SQLSTATE)`; NULL where the
// connection is gone).
int32_t sprongus_error_from_sqlstate(const char *sqlstate, const char *message, struct sprongus_error **error);

// The events after a position, oldest first, as a JSON object: `items`, and `cursor`, always given, to be passed as the next
// `after`. `query` may be NULL. Errors: `invalid_argument`.
int32_t sprongus_events_read(const void *store_or_tx,
                             const struct sprongus_events_query *query,
                             struct sprongus_buf **events,
                             struct sprongus_error **error);

// The position after the last event there is: what sprongus_events_read is given as `after` to see only what is new.
int32_t sprongus_events_position(const void *store_or_tx, struct sprongus_buf **cursor, struct sprongus_error **error);

// Names the next column, before the first row.
int32_t sprongus_row_sink_column(struct sprongus_row_sink *rows, const char *name, struct sprongus_error **error);

// Adds a row of as many values as there are columns; they are copied.
int32_t sprongus_row_sink_add(struct sprongus_row_sink *rows,
                              const struct sprongus_value *values,
                              size_t count,
                              struct sprongus_error **error);

// The library inside the host's own transaction: every call that takes `store_or_tx` takes `*tx`. The host begins and
// commits; sprongus_tx_commit and sprongus_tx_rollback are `misuse` on it, savepoints are not.
//
// The schema must be there (sprongus_store_open once, or sprongus_migration_sql): `schema_version` otherwise. `options`
// may be NULL; those that concern connections have no effect. `host` is copied, and `host->destroy` is called once, when
// `*tx` and what came from it are freed, or at once where this fails, unless `host` cannot be read. Free `*tx` before the
// host commits.
int32_t sprongus_attach(const struct sprongus_host *host,
                        const struct sprongus_options *options,
                        struct sprongus_tx **tx,
                        struct sprongus_error **error);

// Takes a message once per project, channel and id.
//
// `enqueue` is a JSON object of `length` bytes as `runs.enqueue` of sprongus_call takes it, for the run that works the
// message, in the same commit; NULL of length 0: none. `project` may be NULL, as may `run` and `first`: the run of the first
// time, NULL where it had none, and whether this was the first time. A repeat is answered with the first, whatever it brings.
//
// Errors: `invalid_argument`, and those of sprongus_runs_enqueue.
//
// ```c
// bool first = false;
// const char *work = "{\"kind\": \"mail.answer\", \"input\": {\"text\": \"hello\"}}";
// sprongus_inbox_accept(store, "mail", "<1@b.c>", NULL, work, strlen(work), NULL, &first, &error);
// ```
int32_t sprongus_inbox_accept(const void *store_or_tx,
                              const char *channel_id,
                              const char *provider_message_id,
                              const char *project,
                              const char *enqueue,
                              size_t length,
                              struct sprongus_run **run,
                              bool *first,
                              struct sprongus_error **error);

// Follows the feed from `query->after` (NULL: from now), whoever commits the events; `limit` of the query is not looked at.
// `query` may be NULL. Errors: `invalid_argument`, `permission_denied`.
//
// ```c
// sprongus_follow *follow = NULL;
// sprongus_buf *event = NULL;
// sprongus_events_follow(store, NULL, &follow, &error);
// while (sprongus_follow_next(follow, 0, &event, &error) == SPRONGUS_OK && event != NULL) {
//     puts(sprongus_buf_data(event));
//     sprongus_buf_free(event);
// }
// sprongus_follow_free(follow);
// ```
int32_t sprongus_events_follow(const struct sprongus_store *store,
                               const struct sprongus_events_query *query,
                               struct sprongus_follow **follow,
                               struct sprongus_error **error);

// The next event as a JSON object, waited for at most `timeout_ms`: 0 without end, SPRONGUS_NONE not at all. `*event` is NULL
// where none came, or it was stopped. One thread at a time gets it; others wait their turn.
int32_t sprongus_follow_next(const struct sprongus_follow *follow,
                             int64_t timeout_ms,
                             struct sprongus_buf **event,
                             struct sprongus_error **error);

// The position after the last event that was handed out: as `after`, another one goes on from there.
int32_t sprongus_follow_cursor(const struct sprongus_follow *follow,
                               struct sprongus_buf **cursor,
                               struct sprongus_error **error);

// Stops it, for good, from any thread: one that waits in sprongus_follow_next gets no event.
int32_t sprongus_follow_stop(const struct sprongus_follow *follow, struct sprongus_error **error);

// Stops and frees it. NULL and what is none are passed over.
void sprongus_follow_free(struct sprongus_follow *follow);

// Calls `on_event` with each event that is committed through this opened store from now on, by whichever of its handles and
// workers: one after another, from a thread of the subscription's own. Of `query`, which may be NULL, types and project count.
//
// What is rolled back is never told. A slow function holds nobody up; 10,000 events wait for it, later ones are counted by
// sprongus_subscription_missed and not told: who must not miss any follows the feed. `destroy`, which may be NULL, is called
// once with `user_data`, when it is no longer needed, also where this fails. Errors: `invalid_argument`, `permission_denied`.
int32_t sprongus_events_subscribe(const struct sprongus_store *store,
                                  const struct sprongus_events_query *query,
                                  sprongus_on_event on_event,
                                  void *user_data,
                                  sprongus_destroy destroy,
                                  struct sprongus_subscription **subscription,
                                  struct sprongus_error **error);

// How many events were not told because too many waited already; 0 for no subscription.
uint64_t sprongus_subscription_missed(const struct sprongus_subscription *subscription);

// Ends and frees a subscription. When this returns its function is not called any more; a call under way is waited for, except
// by itself. NULL and what is none are passed over.
void sprongus_subscription_free(struct sprongus_subscription *subscription);

// Its id, a ULID. Borrowed; NULL for no preset.
const char *sprongus_preset_id(const struct sprongus_preset *preset);

// The name that its versions share. Borrowed.
const char *sprongus_preset_label(const struct sprongus_preset *preset);

// "storyboard", "assets", "citations", "custom" or "run_input". Borrowed.
const char *sprongus_preset_kind(const struct sprongus_preset *preset);

// 1 and up within the label; 0 for no preset.
int64_t sprongus_preset_version(const struct sprongus_preset *preset);

// Its definition, a field list or a JSON Schema, as JSON. Borrowed.
const char *sprongus_preset_definition(const struct sprongus_preset *preset);

// When it became immutable; NULL for a draft. Borrowed.
const char *sprongus_preset_published_at(const struct sprongus_preset *preset);

// All of it as JSON. Borrowed.
const char *sprongus_preset_to_json(const struct sprongus_preset *preset);

// Frees a preset. NULL, what is no preset, and a preset of a list are passed over.
void sprongus_preset_free(struct sprongus_preset *preset);

// How many presets there are; 0 for no list.
size_t sprongus_preset_list_count(const struct sprongus_preset_list *list);

// A preset, counted from 0. Borrowed; NULL where there is none.
const struct sprongus_preset *sprongus_preset_list_at(const struct sprongus_preset_list *list, size_t index);

// What to give as `cursor` for the next page; NULL on the last. Borrowed.
const char *sprongus_preset_list_next_cursor(const struct sprongus_preset_list *list);

// All of it as JSON: an object of items and nextCursor. Borrowed.
const char *sprongus_preset_list_to_json(const struct sprongus_preset_list *list);

// Frees presets. NULL and what is no list are passed over.
void sprongus_preset_list_free(struct sprongus_preset_list *list);

// Stores a preset: `definition` is a field list or a JSON Schema, JSON of `length` bytes; published, unless `flags` is
// SPRONGUS_DRAFT.
//
// `kind` is "storyboard", "assets", "citations", "custom" or "run_input"; `version` 0 is the label's next. `preset` may be
// NULL. Errors: `validation` (the definition, every fault of it), `conflict` (the version is taken), `invalid_argument`.
//
// ```c
// const char *fields = "{\"fields\": [{\"name\": \"title\", \"type\": \"string\", \"required\": true}]}";
// sprongus_presets_create(store, "paper", "custom", fields, strlen(fields), 0, 0, NULL, &error);
// sprongus_presets_bind(store, "papers", "paper", NULL, 0, NULL, &error);
// ```
int32_t sprongus_presets_create(const void *store_or_tx,
                                const char *label,
                                const char *kind,
                                const char *definition,
                                size_t length,
                                int64_t version,
                                uint32_t flags,
                                struct sprongus_preset **preset,
                                struct sprongus_error **error);

// Makes a draft immutable and addressable by its label; a published one stays as it is. `preset` may be NULL.
//
// `address` is "label@2", "label" (its newest published version) or an id. Errors: `not_found`, `validation`.
int32_t sprongus_presets_publish(const void *store_or_tx,
                                 const char *address,
                                 struct sprongus_preset **preset,
                                 struct sprongus_error **error);

// One preset, by "label@2", "label" (its newest published version) or its id. Errors: `not_found`.
int32_t sprongus_presets_get(const void *store_or_tx,
                             const char *address,
                             struct sprongus_preset **preset,
                             struct sprongus_error **error);

// Presets in the order of label and version, a page at a time. `kind`, `label_prefix` and `cursor` may be NULL; `limit` 0
// is 50, SPRONGUS_NONE none.
int32_t sprongus_presets_list(const void *store_or_tx,
                              const char *kind,
                              const char *label_prefix,
                              int64_t limit,
                              const char *cursor,
                              struct sprongus_preset_list **presets,
                              struct sprongus_error **error);

// Removes a preset. Errors: `not_found`, `conflict` where it is bound.
int32_t sprongus_presets_delete(const void *store_or_tx, const char *address, struct sprongus_error **error);

// Binds a table to a published preset, after checking the stored entries; `project` NULL is every project that has no
// binding of its own.
//
// `flags`: SPRONGUS_DRY_RUN, SPRONGUS_FORCE. `report`, which may be NULL, is a JSON object of checked, failing, errors,
// bound. Errors: `conflict` where entries fail (the report in its details), `not_found`, `invalid_argument`.
int32_t sprongus_presets_bind(const void *store_or_tx,
                              const char *table,
                              const char *address,
                              const char *project,
                              uint32_t flags,
                              struct sprongus_buf **report,
                              struct sprongus_error **error);

// Binds a kind of runs to a published preset of kind "run_input", which their input has to follow from then on;
// `project` NULL is every project that has no binding of its own.
int32_t sprongus_presets_bind_run(const void *store_or_tx,
                                  const char *kind,
                                  const char *address,
                                  const char *project,
                                  struct sprongus_error **error);

// The preset that a table is bound to, in that project (NULL: where a project has no binding of its own).
//
// Errors: `not_found`.
int32_t sprongus_presets_bound(const void *store_or_tx,
                               const char *table,
                               const char *project,
                               struct sprongus_preset **preset,
                               struct sprongus_error **error);

// Judges a document, JSON of `length` bytes, as it is given. `violations` is a JSON array of path (JSON Pointer), keyword,
// message; empty where it is valid. Nothing is written.
int32_t sprongus_presets_validate(const void *store_or_tx,
                                  const char *address,
                                  const char *payload,
                                  size_t length,
                                  struct sprongus_buf **violations,
                                  struct sprongus_error **error);

// Presets as they travel between stores: a JSON array of label, kind, version, definition, published. `kind` and
// `label_prefix` may be NULL.
int32_t sprongus_presets_export(const void *store_or_tx,
                                const char *kind,
                                const char *label_prefix,
                                struct sprongus_buf **items,
                                struct sprongus_error **error);

// Stores what sprongus_presets_export gave, JSON of `length` bytes, all or none.
//
// `flags`: SPRONGUS_REPLACE removes the presets that are not among them. `report`, which may be NULL, is a JSON object of
// created, updated, unchanged, deleted. Errors: `conflict` where a published preset differs, `validation`.
int32_t sprongus_presets_import(const void *store_or_tx,
                                const char *items,
                                size_t length,
                                uint32_t flags,
                                struct sprongus_buf **report,
                                struct sprongus_error **error);

// Its id, by which runs, entries and artifacts name it. Borrowed; NULL for no project.
const char *sprongus_project_id(const struct sprongus_project *project);

// What people call it. Borrowed.
const char *sprongus_project_name(const struct sprongus_project *project);

// What addresses call it. Borrowed.
const char *sprongus_project_slug(const struct sprongus_project *project);

// Whose it is; NULL where nobody is named. Borrowed.
const char *sprongus_project_owner(const struct sprongus_project *project);

// Where it stands: "active", or whatever the host has set. Borrowed.
const char *sprongus_project_status(const struct sprongus_project *project);

// When it was created. Borrowed.
const char *sprongus_project_created_at(const struct sprongus_project *project);

// When its record was last changed. Borrowed.
const char *sprongus_project_updated_at(const struct sprongus_project *project);

// All of it as JSON. Borrowed.
const char *sprongus_project_to_json(const struct sprongus_project *project);

// Frees a project. NULL, what is no project, and a project of a list are passed over.
void sprongus_project_free(struct sprongus_project *project);

// How many projects there are; 0 for no list.
size_t sprongus_project_list_count(const struct sprongus_project_list *list);

// A project, counted from 0. Borrowed; NULL where there is none.
const struct sprongus_project *sprongus_project_list_at(const struct sprongus_project_list *list, size_t index);

// What to give as `cursor` for the next page; NULL on the last. Borrowed.
const char *sprongus_project_list_next_cursor(const struct sprongus_project_list *list);

// All of it as JSON: an object of items and nextCursor. Borrowed.
const char *sprongus_project_list_to_json(const struct sprongus_project_list *list);

// Frees projects. NULL and what is no list are passed over.
void sprongus_project_list_free(struct sprongus_project_list *list);

// Keeps a record of a project. Runs, entries and artifacts may name a project that has none; a record gives it a name, an
// owner, a place in lists, and an end.
//
// `id` may be NULL (a new one), and so may `slug` (made from the name), `owner` and `project`. Errors: `conflict` (the id or
// the slug is taken), `invalid_argument`, `permission_denied` (a scoped handle without "admin").
//
// ```c
// sprongus_project *project = NULL;
// if (sprongus_projects_create(store, "Harbour archive", "p1", NULL, "ada", &project, &error) == SPRONGUS_OK)
//     puts(sprongus_project_slug(project));
// sprongus_project_free(project);
// ```
int32_t sprongus_projects_create(const void *store_or_tx,
                                 const char *name,
                                 const char *id,
                                 const char *slug,
                                 const char *owner,
                                 struct sprongus_project **project,
                                 struct sprongus_error **error);

// One project. Errors: `not_found`.
int32_t sprongus_projects_get(const void *store_or_tx,
                              const char *id,
                              struct sprongus_project **project,
                              struct sprongus_error **error);

// Changes what is given of a project's record; NULL leaves it as it is, an empty `owner` takes the owner away.
//
// `project` may be NULL. Errors: as sprongus_projects_create, and `not_found`.
int32_t sprongus_projects_update(const void *store_or_tx,
                                 const char *id,
                                 const char *name,
                                 const char *slug,
                                 const char *owner,
                                 const char *status,
                                 struct sprongus_project **project,
                                 struct sprongus_error **error);

// A page of projects, those last changed first; of one `owner` alone where it is not NULL. `limit` is how many (up to 1,000;
// 0: 50), `cursor` NULL or the list's before. A scoped handle sees its own. Errors: `invalid_argument`.
int32_t sprongus_projects_list(const void *store_or_tx,
                               const char *owner,
                               int64_t limit,
                               const char *cursor,
                               struct sprongus_project_list **projects,
                               struct sprongus_error **error);

// Binds the tables of the workspace data model (project_files, file_chunks, chat_threads, …) to the built-in presets of their
// names; a table that has a preset already is left alone.
//
// `project` may be NULL: a scoped handle's own, else all projects. `tables`, which may be NULL, is a JSON array of the names
// of those that this call bound. Errors: `invalid_argument`, `permission_denied`.
int32_t sprongus_projects_install(const void *store_or_tx,
                                  const char *project,
                                  struct sprongus_buf **tables,
                                  struct sprongus_error **error);

// Deletes a project's record where nothing belongs to the project any more; with SPRONGUS_CASCADE in `flags`, the record and
// everything that belongs to it, in one transaction, whether there is a record or not.
//
// Errors: `referenced` (without SPRONGUS_CASCADE; what is there under `referrers` of the details), `not_found` (there is
// nothing), `permission_denied`.
int32_t sprongus_projects_delete(const void *store_or_tx,
                                 const char *id,
                                 uint32_t flags,
                                 struct sprongus_error **error);

// Makes a kind of providers known to this opened store: profiles of that kind (sprongus_providers_put), and syncs by their names,
// are worked by these functions.
//
// `provider` is copied, and `provider->destroy` is called once, when the store is closed or the kind is registered anew, or at
// once where this fails, unless `provider` cannot be read. Errors: `invalid_argument`; `permission_denied` on a scoped handle
// without admin.
int32_t sprongus_providers_register(const struct sprongus_store *store,
                                    const char *kind,
                                    const struct sprongus_provider *provider,
                                    struct sprongus_error **error);

// Keeps a profile under a name: the kind of its provider ("csv", "json", "notion", or one that is registered) and its config, a
// JSON object of `length` bytes (NULL of length 0: none), secrets only as `{"$secret": "NAME"}`.
//
// `profile`, which may be NULL, gets it as JSON. Errors: `secret_detected`, `invalid_argument`, `permission_denied`.
//
// ```c
// const char *config = "{\"path\": \"assets.csv\"}";
// sprongus_providers_put(store, "assets", "csv", config, strlen(config), NULL, &error);
// sprongus_aux_sync(store, "p1", "assets", "assets", NULL, 0, NULL, NULL, &error);
// ```
int32_t sprongus_providers_put(const void *store_or_tx,
                               const char *name,
                               const char *kind,
                               const char *config,
                               size_t length,
                               struct sprongus_buf **profile,
                               struct sprongus_error **error);

// One profile as a JSON object of name, kind, config, updatedAt. Errors: `not_found`.
int32_t sprongus_providers_get(const void *store_or_tx,
                               const char *name,
                               struct sprongus_buf **profile,
                               struct sprongus_error **error);

// All profiles, by name, as a JSON array.
int32_t sprongus_providers_list(const void *store_or_tx, struct sprongus_buf **profiles, struct sprongus_error **error);

// Removes a profile; what was synced stays. Errors: `not_found`.
int32_t sprongus_providers_delete(const void *store_or_tx, const char *name, struct sprongus_error **error);

// How many rows there are; 0 for no rows.
size_t sprongus_rows_count(const struct sprongus_rows *rows);

// How many columns each row has; 0 where there are no rows.
size_t sprongus_rows_columns(const struct sprongus_rows *rows);

// The name of a column, counted from 0. Borrowed; NULL where there is none.
const char *sprongus_rows_column_name(const struct sprongus_rows *rows, size_t column);

// A value, by row and column counted from 0. Borrowed; NULL where there is none (SQL NULL is a value of SPRONGUS_NULL).
const struct sprongus_value *sprongus_rows_value(const struct sprongus_rows *rows, size_t row, size_t column);

// The rows as a JSON array of objects. Numbers, booleans and JSON are themselves, bytes base64 (of a custom table
// `{"$bytes": "<Base64>"}`), the rest text; of columns of one name the last is shown. Borrowed.
const char *sprongus_rows_to_json(const struct sprongus_rows *rows);

// Frees rows. NULL and what are no rows are passed over.
void sprongus_rows_free(struct sprongus_rows *rows);

// Its id, a ULID. Borrowed; NULL for no run.
const char *sprongus_run_id(const struct sprongus_run *run);

// Its project; NULL where it has none. Borrowed.
const char *sprongus_run_project_id(const struct sprongus_run *run);

// What is to be done. Borrowed.
const char *sprongus_run_kind(const struct sprongus_run *run);

// What it is to be done with, as JSON. Borrowed.
const char *sprongus_run_input(const struct sprongus_run *run);

// "awaiting_approval", "queued", "dispatching", "running", "succeeded", "failed", "denied", "canceled" or "timed_out".
// Borrowed.
const char *sprongus_run_state(const struct sprongus_run *run);

// Whether nothing more will happen to it, unless it is retried by hand.
bool sprongus_run_is_final(const struct sprongus_run *run);

// The last failure; NULL where there is none. Borrowed.
const char *sprongus_run_error(const struct sprongus_run *run);

// Where its output is kept; NULL where there is none. Borrowed.
const char *sprongus_run_output_ref(const struct sprongus_run *run);

// What the last heartbeat told, as JSON; "null" where none did. Borrowed.
const char *sprongus_run_progress(const struct sprongus_run *run);

// Its idempotency key; NULL where it has none. Borrowed.
const char *sprongus_run_idempotency_key(const struct sprongus_run *run);

// The worker that has it, or had it last; NULL where none did. Borrowed.
const char *sprongus_run_claimed_by(const struct sprongus_run *run);

// It is not claimed before that time. Borrowed.
const char *sprongus_run_run_at(const struct sprongus_run *run);

// When the lease runs out unless it is extended; NULL where it is not claimed. On SQLite for display only. Borrowed.
const char *sprongus_run_lease_until(const struct sprongus_run *run);

// When it was enqueued. Borrowed.
const char *sprongus_run_created_at(const struct sprongus_run *run);

// When it last changed. Borrowed.
const char *sprongus_run_updated_at(const struct sprongus_run *run);

// When it became final; NULL before. Borrowed.
const char *sprongus_run_finished_at(const struct sprongus_run *run);

// The lease of the last claim: reports name it. Rises with each claim; 0 before the first, and for no run.
int64_t sprongus_run_lease(const struct sprongus_run *run);

// Executions in this series; 0 before the first claim.
int64_t sprongus_run_attempt(const struct sprongus_run *run);

// Executions after which a failure is final.
int64_t sprongus_run_max_attempts(const struct sprongus_run *run);

// Higher is claimed first.
int64_t sprongus_run_priority(const struct sprongus_run *run);

// Counts its transitions; each is the event with this as its seq.
int64_t sprongus_run_version(const struct sprongus_run *run);

// On what enqueue gave: whether this is an earlier run under the same key.
bool sprongus_run_deduplicated(const struct sprongus_run *run);

// All of it as JSON, the fields without a getter too. Borrowed.
const char *sprongus_run_to_json(const struct sprongus_run *run);

// Frees a run. NULL, what is no run, and a run of a list are passed over.
void sprongus_run_free(struct sprongus_run *run);

// How many runs there are; 0 for no list.
size_t sprongus_run_list_count(const struct sprongus_run_list *list);

// A run, counted from 0. Borrowed; NULL where there is none.
const struct sprongus_run *sprongus_run_list_at(const struct sprongus_run_list *list, size_t index);

// What to give as `cursor` for the next page; NULL on the last. Borrowed.
const char *sprongus_run_list_next_cursor(const struct sprongus_run_list *list);

// All of it as JSON: of sprongus_runs_list an object of items and nextCursor, else an array. Borrowed.
const char *sprongus_run_list_to_json(const struct sprongus_run_list *list);

// Frees runs. NULL and what is no list are passed over.
void sprongus_run_list_free(struct sprongus_run_list *list);

// Puts a run into the queue, or gives the one already there under its idempotency key.
//
// `input` is JSON of `length` bytes; NULL of length 0 is null. `options` and `run` may be NULL. Errors:
// `invalid_argument`; `conflict` where the key belongs to a run of another kind or input; `too_large`; `validation`
// (`input` is not JSON, or breaks the preset bound to the kind).
//
// ```c
// sprongus_enqueue_options options;
// SPRONGUS_INIT(options);
// options.idempotency_key = "order-17";
// const char *input = "{\"to\": \"a@b.c\"}";
// sprongus_run *run = NULL;
// if (sprongus_runs_enqueue(store, "mail.send", input, strlen(input), &options, &run, &error) == SPRONGUS_OK)
//     printf("%s\n", sprongus_run_id(run));
// sprongus_run_free(run);
// ```
int32_t sprongus_runs_enqueue(const void *store_or_tx,
                              const char *kind,
                              const char *input,
                              size_t length,
                              const struct sprongus_enqueue_options *options,
                              struct sprongus_run **run,
                              struct sprongus_error **error);

// Puts runs into the queue, all or none.
//
// `items` is a JSON array of `length` bytes, each item an object as `runs.enqueue` of sprongus_call takes it (kind, input,
// project, idempotencyKey, …). `runs`, in the order of the items, may be NULL. Errors: as sprongus_runs_enqueue.
int32_t sprongus_runs_enqueue_many(const void *store_or_tx,
                                   const char *items,
                                   size_t length,
                                   struct sprongus_run_list **runs,
                                   struct sprongus_error **error);

// Cancels a run that is not final; its worker learns by its next heartbeat. `reason` and `run` may be NULL.
//
// Once more is no change. Errors: `invalid_state` where it ended otherwise, `not_found`.
int32_t sprongus_runs_cancel(const void *store_or_tx,
                             const char *id,
                             const char *reason,
                             struct sprongus_run **run,
                             struct sprongus_error **error);

// One run. Errors: `not_found`.
int32_t sprongus_runs_get(const void *store_or_tx,
                          const char *id,
                          struct sprongus_run **run,
                          struct sprongus_error **error);

// Runs by filters, a page at a time, the last enqueued first. `query` may be NULL. Errors: `invalid_argument`.
int32_t sprongus_runs_list(const void *store_or_tx,
                           const struct sprongus_runs_query *query,
                           struct sprongus_run_list **runs,
                           struct sprongus_error **error);

// All events of a run, in their order, as a JSON array (id, runId, subject, seq, type, at, actor, payload).
//
// Errors: `not_found`.
int32_t sprongus_runs_events(const void *store_or_tx,
                             const char *id,
                             struct sprongus_buf **events,
                             struct sprongus_error **error);

// What a run's last success put out, as JSON. Errors: `not_found` where there is none here: no output, or kept elsewhere
// by `output_ref`.
int32_t sprongus_runs_output(const void *store_or_tx,
                             const char *id,
                             struct sprongus_buf **output,
                             struct sprongus_error **error);

// The run under an idempotency key; `*run` is NULL where there is none. `project` may be NULL.
//
// What creates a run only where there is none: ask this, make the input where it is NULL, and enqueue under the same key; of
// several that do so at once one run is kept and all get it. Errors: `invalid_argument`.
int32_t sprongus_runs_find_idempotent(const void *store_or_tx,
                                      const char *key,
                                      const char *project,
                                      struct sprongus_run **run,
                                      struct sprongus_error **error);

// Queues a run that failed, timed out or was canceled once more, by hand: a new series, due at once. `run` may be NULL.
//
// Errors: `invalid_state`, `not_found`.
int32_t sprongus_runs_retry(const void *store_or_tx,
                            const char *id,
                            struct sprongus_run **run,
                            struct sprongus_error **error);

// Waits until a run has ended, at most `timeout_ms`: 0 without end, SPRONGUS_NONE not at all. `run` may be NULL.
//
// Errors: `timeout`, `not_found`; `misuse` in a transaction.
int32_t sprongus_runs_wait(const void *store_or_tx,
                           const char *id,
                           int64_t timeout_ms,
                           struct sprongus_run **run,
                           struct sprongus_error **error);

// In words: why a run is not running, and what would change that. Errors: `not_found`.
int32_t sprongus_runs_explain(const void *store_or_tx,
                              const char *id,
                              struct sprongus_buf **text,
                              struct sprongus_error **error);

// Reports many successes, each for itself: a stale one holds up none.
//
// `items` is a JSON array of `length` bytes, at most 1,000 objects as `runs.succeed` of sprongus_call takes them (id, lease,
// output, outputRef). `reports`, which may be NULL, gets a JSON array in their order, each `{"run": …}` or
// `{"error": {"code", "message", "details", "retryable"}}`.
int32_t sprongus_runs_succeed_many(const void *store_or_tx,
                                   const char *items,
                                   size_t length,
                                   struct sprongus_buf **reports,
                                   struct sprongus_error **error);

// Reports many failures, each for itself: a stale one holds up none.
//
// `items` is a JSON array of `length` bytes, at most 1,000 objects as `runs.fail` of sprongus_call takes them (id, lease,
// error, retryable, retryIn). `reports`: as sprongus_runs_succeed_many.
int32_t sprongus_runs_fail_many(const void *store_or_tx,
                                const char *items,
                                size_t length,
                                struct sprongus_buf **reports,
                                struct sprongus_error **error);

// The stored result of a step, as JSON; `*output` is NULL where the step has not been done.
//
// Do it then, and store what came out of it by sprongus_runs_save_step: an attempt that comes later, on whatever worker, gets
// it from here. Errors: `lease_lost`, `invalid_state`, `not_found`, `invalid_argument`.
//
// ```c
// sprongus_buf *charged = NULL;
// sprongus_runs_find_step(store, id, lease, "charge", &charged, &error);
// if (charged == NULL) {
//     const char *receipt = charge_the_card();
//     sprongus_runs_save_step(store, id, lease, "charge", receipt, strlen(receipt), &charged, &error);
// }
// ```
int32_t sprongus_runs_find_step(const void *store_or_tx,
                                const char *id,
                                int64_t lease,
                                const char *name,
                                struct sprongus_buf **output,
                                struct sprongus_error **error);

// Stores the result of a step: `result` is JSON of `length` bytes. Where the step has one already, that one stays.
//
// `output`, which may be NULL, gets the one that is stored. Errors: `lease_lost`: nothing was stored; `invalid_state`,
// `not_found`, `too_large`, `validation` (not JSON).
int32_t sprongus_runs_save_step(const void *store_or_tx,
                                const char *id,
                                int64_t lease,
                                const char *name,
                                const char *result,
                                size_t length,
                                struct sprongus_buf **output,
                                struct sprongus_error **error);

// The stored steps of a run, in the order they were stored, as a JSON array (name, output, attempt, at).
//
// Errors: `not_found`.
int32_t sprongus_runs_steps(const void *store_or_tx,
                            const char *id,
                            struct sprongus_buf **steps,
                            struct sprongus_error **error);

// The figures of the queue, as JSON (byState, byKind, oldestDueAge, wait, run, successRate, window, sampled).
//
// `project` may be NULL. `window_ms` is how far back outcomes and latencies are looked at; 0: an hour. Durations in the
// JSON are seconds. Errors: `invalid_argument`.
int32_t sprongus_runs_stats(const void *store_or_tx,
                            const char *project,
                            int64_t window_ms,
                            struct sprongus_buf **stats,
                            struct sprongus_error **error);

// The limits of all kinds that have one, as a JSON array (kind, concurrency, rate, per in seconds).
int32_t sprongus_runs_limits(const void *store_or_tx, struct sprongus_buf **limits, struct sprongus_error **error);

// Limits the runs of a kind, for all projects: at most `concurrency` at once (0: any number), and a bucket of `rate` claims
// (0: any number) refilled every `per_ms` (0: a second). Both 0 lifts the limits.
//
// Errors: `invalid_argument`; `permission_denied` on a scoped handle without "admin".
int32_t sprongus_runs_limit_kind(const void *store_or_tx,
                                 const char *kind,
                                 int64_t concurrency,
                                 int64_t rate,
                                 int64_t per_ms,
                                 struct sprongus_error **error);

// Removes runs that ended long ago, with their events, steps, approvals and outputs; never a live one.
//
// `succeeded_after_ms`: how long ago they succeeded (0: 30 days); `failed_after_ms`: failed, denied, canceled or timed out
// (0: 90 days). `limit`: at most so many (up to 10,000; 0: 10,000). `pruned`, which may be NULL, is their number.
int32_t sprongus_runs_prune(const void *store_or_tx,
                            int64_t succeeded_after_ms,
                            int64_t failed_after_ms,
                            int64_t limit,
                            int64_t *pruned,
                            struct sprongus_error **error);

// Takes due runs for a worker: highest priority first, then the earliest `run_at`, then by id. None is no error: the list
// is empty then.
//
// `options` may be NULL: one run of any kind, for a minute. Runs whose lease has run out are rescued within the same call.
//
// ```c
// sprongus_run_list *runs = NULL;
// sprongus_runs_claim_next(store, "worker-1", NULL, &runs, &error);
// const sprongus_run *run = sprongus_run_list_at(runs, 0);
// if (run != NULL)
//     sprongus_runs_succeed(store, sprongus_run_id(run), sprongus_run_lease(run), "42", 2, NULL, NULL, &error);
// sprongus_run_list_free(runs);
// ```
int32_t sprongus_runs_claim_next(const void *store_or_tx,
                                 const char *worker_id,
                                 const struct sprongus_claim_options *options,
                                 struct sprongus_run_list **runs,
                                 struct sprongus_error **error);

// Begins a run that was claimed with `dispatch`; once more under the same lease is no change. `run` may be NULL.
//
// Errors: `invalid_state`, `lease_lost`, `not_found`.
int32_t sprongus_runs_start(const void *store_or_tx,
                            const char *id,
                            int64_t lease,
                            struct sprongus_run **run,
                            struct sprongus_error **error);

// Extends the lease of a running run, and tells its progress where `progress` (JSON of `length` bytes) is not NULL.
//
// `extend_ms` is for how long from now; 0: as long as it was claimed for. `run` may be NULL; look at its state: a canceled
// run is given as it is, and its worker stops. Errors: `lease_lost`, `invalid_state`, `not_found`, `too_large`.
int32_t sprongus_runs_heartbeat(const void *store_or_tx,
                                const char *id,
                                int64_t lease,
                                const char *progress,
                                size_t length,
                                int64_t extend_ms,
                                struct sprongus_run **run,
                                struct sprongus_error **error);

// Reports success, with an output (JSON of `length` bytes) or, where that is NULL, with `output_ref` (may be NULL): where
// it is kept. `run` may be NULL. The same again under the same lease gives the stored outcome.
//
// Errors: `lease_lost`, `invalid_state` where it was never claimed or not started, `not_found`, `too_large`.
int32_t sprongus_runs_succeed(const void *store_or_tx,
                              const char *id,
                              int64_t lease,
                              const char *output,
                              size_t length,
                              const char *output_ref,
                              struct sprongus_run **run,
                              struct sprongus_error **error);

// Reports failure; `message` says what went wrong. Queued again while attempts are left, unless `is_final` is not 0.
//
// `retry_in_ms` is when the next attempt is due: 0 is exponential backoff with full jitter, SPRONGUS_NONE at once. `run`
// may be NULL. Errors: `lease_lost`, `invalid_state` where it was never claimed or not started, `not_found`,
// `invalid_argument`.
int32_t sprongus_runs_fail(const void *store_or_tx,
                           const char *id,
                           int64_t lease,
                           const char *message,
                           int32_t is_final,
                           int64_t retry_in_ms,
                           struct sprongus_run **run,
                           struct sprongus_error **error);

// Puts a run off: it is due again in `delay_ms` (SPRONGUS_NONE: at once), and the attempt is given back. `run` may be NULL.
//
// Errors: as sprongus_runs_fail.
int32_t sprongus_runs_snooze(const void *store_or_tx,
                             const char *id,
                             int64_t lease,
                             int64_t delay_ms,
                             struct sprongus_run **run,
                             struct sprongus_error **error);

// Puts runs whose lease has run out back into the queue, at most `limit` (up to 1,000; 0: 1,000); claims do the same as
// they go. `rescued`, which may be NULL, is their number.
int32_t sprongus_runs_rescue(const void *store_or_tx, int64_t limit, int64_t *rescued, struct sprongus_error **error);

// Makes a schedule, or changes the one of that name: runs of `kind` with `input` (JSON of `length` bytes; NULL of length 0 is
// null). `schedule`, which may be NULL, gets it as JSON.
//
// Any worker, and any host that claims, enqueues the runs of slots that have come: one run per slot however many do.
// Errors: `invalid_argument` (neither or both of `cron` and `every_ms`, no such time zone, …), `validation`, `too_large`.
//
// ```c
// sprongus_schedule_options options;
// SPRONGUS_INIT(options);
// options.cron = "30 6 * * 1-5";
// options.tz = "Europe/Berlin";
// sprongus_schedules_put(store, "morning-report", "report.send", NULL, 0, &options, NULL, &error);
// ```
int32_t sprongus_schedules_put(const void *store_or_tx,
                               const char *name,
                               const char *kind,
                               const char *input,
                               size_t length,
                               const struct sprongus_schedule_options *options,
                               struct sprongus_buf **schedule,
                               struct sprongus_error **error);

// One schedule as JSON. `project` may be NULL: the only one of that name. Errors: `not_found`; `conflict` where several
// projects have one of that name.
int32_t sprongus_schedules_get(const void *store_or_tx,
                               const char *name,
                               const char *project,
                               struct sprongus_buf **schedule,
                               struct sprongus_error **error);

// All schedules that the handle sees, by name, as a JSON array.
int32_t sprongus_schedules_list(const void *store_or_tx,
                                struct sprongus_buf **schedules,
                                struct sprongus_error **error);

// Holds a schedule back; once more is no change. `project` and `schedule` may be NULL. Errors: as sprongus_schedules_get.
int32_t sprongus_schedules_pause(const void *store_or_tx,
                                 const char *name,
                                 const char *project,
                                 struct sprongus_buf **schedule,
                                 struct sprongus_error **error);

// Lets a schedule go on from now; once more is no change. `project` and `schedule` may be NULL. Errors: as
// sprongus_schedules_get.
int32_t sprongus_schedules_resume(const void *store_or_tx,
                                  const char *name,
                                  const char *project,
                                  struct sprongus_buf **schedule,
                                  struct sprongus_error **error);

// Removes a schedule; its runs stay. `project` may be NULL. Errors: as sprongus_schedules_get.
int32_t sprongus_schedules_delete(const void *store_or_tx,
                                  const char *name,
                                  const char *project,
                                  struct sprongus_error **error);

// The next slots of a schedule, a JSON array of times; `limit` is how many (up to 1,000; 0: 10). `project` may be NULL.
// Errors: as sprongus_schedules_get.
int32_t sprongus_schedules_next_times(const void *store_or_tx,
                                      const char *name,
                                      const char *project,
                                      int64_t limit,
                                      struct sprongus_buf **times,
                                      struct sprongus_error **error);

// Enqueues the runs of slots that have come, at most `limit` (up to 1,000; 0: 100); claims do the same as they go.
// `enqueued`, which may be NULL, is their number.
int32_t sprongus_schedules_tick(const void *store_or_tx,
                                int64_t limit,
                                int64_t *enqueued,
                                struct sprongus_error **error);

// A further handle of the same store that neither sees nor touches another project than `project`. Freed on its own.
//
// `scopes` are `count` of "runs:read", "runs:write", "aux:read", "aux:write", "presets:read", "admin"; NULL and 0 are
// all but "admin". On a scoped handle this only narrows: `permission_denied` otherwise.
int32_t sprongus_store_scoped(const struct sprongus_store *store,
                              const char *project,
                              const char *const *scopes,
                              size_t count,
                              struct sprongus_store **scoped,
                              struct sprongus_error **error);

// The same with rates, which every process counts in the database: over one, sprongus_runs_enqueue and sprongus_runs_cancel
// are `rate_limited`, with the seconds to wait as `retryIn` of the error's details, and nothing is written.
//
// `options` may be NULL. Errors: as sprongus_store_scoped, and `invalid_argument` for what is no rate.
//
// ```c
// sprongus_scoped_options options;
// SPRONGUS_INIT(options);
// options.enqueue_rate = 100;
// sprongus_store *plugin = NULL;
// sprongus_store_scoped_with(store, "p1", &options, &plugin, &error);
// ```
int32_t sprongus_store_scoped_with(const struct sprongus_store *store,
                                   const char *project,
                                   const struct sprongus_scoped_options *options,
                                   struct sprongus_store **scoped,
                                   struct sprongus_error **error);

// PostgreSQL 15 or newer: puts row-level security on every table of ours, so that a role which does not own them sees the
// projects it is granted (sprongus_store_grant_projects) and no others, whatever SQL it runs. Called by their owner, once,
// and after an update of the schema again. See docs/scopes.md; SPRONGUS_ROW_SECURITY.
//
// Errors: `unsupported` on SQLite and older servers; `permission_denied` for who does not own the tables, and on a scoped
// handle without admin.
int32_t sprongus_store_enable_row_security(const struct sprongus_store *store,
                                           struct sprongus_error **error);

// Grants a role of the server the rows of `count` projects and no others; "*" is every project and what belongs to the
// store, none takes everything back.
//
// Errors: as sprongus_store_enable_row_security; `not_found` (the role), `invalid_argument`.
int32_t sprongus_store_grant_projects(const struct sprongus_store *store,
                                      const char *role,
                                      const char *const *projects,
                                      size_t count,
                                      struct sprongus_error **error);

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
                            const struct sprongus_options *options,
                            struct sprongus_store **store,
                            struct sprongus_error **error);

// Refuses further calls on this store and all that come from it; the database is closed once those under way have
// ended. A transaction that is open can still be ended, and no more. The handle still has to be freed. Twice is nothing.
int32_t sprongus_store_close(struct sprongus_store *store,
                             struct sprongus_error **error);

// Frees a store; the database is closed with the last handle of it. NULL and what is no store are passed over.
void sprongus_store_free(struct sprongus_store *store);

// "sqlite" or "postgres". Never freed; NULL for no store.
const char *sprongus_store_backend(const struct sprongus_store *store);

// The URL that the store was opened with, without the password. Borrowed from the store; NULL for no store.
const char *sprongus_store_url(const struct sprongus_store *store);

// The version of the schema in use; 0 for no store.
int64_t sprongus_store_schema_version(const struct sprongus_store *store);

// Brings the schema up to date, as opening does unless SPRONGUS_NO_MIGRATE is set; `*version`, which may be NULL, is the
// one reached.
int32_t sprongus_store_migrate(struct sprongus_store *store,
                               int64_t *version,
                               struct sprongus_error **error);

// The SQL of every migration for "sqlite" or "postgres", for hosts that apply schemas themselves, in one transaction.
int32_t sprongus_migration_sql(const char *backend, struct sprongus_buf **sql, struct sprongus_error **error);

// A further handle of the same store whose events and history are in the name of `actor`, for `reason` (may be NULL).
// Freed on its own.
int32_t sprongus_store_acting_as(const struct sprongus_store *store,
                                 const char *actor,
                                 const char *reason,
                                 struct sprongus_store **acting,
                                 struct sprongus_error **error);

// SQLite: writes a consistent copy of the database to a new file. PostgreSQL: `unsupported`, use pg_dump.
int32_t sprongus_store_snapshot(const struct sprongus_store *store, const char *path, struct sprongus_error **error);

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
                       const struct sprongus_value *params,
                       size_t count,
                       struct sprongus_rows **rows,
                       struct sprongus_error **error);

// Runs one statement of the host's own SQL; `*changed`, which may be NULL, is the number of rows it changed.
//
// As sprongus_query; on a store it is a transaction of its own.
int32_t sprongus_execute(const void *store_or_tx,
                         const char *sql,
                         const struct sprongus_value *params,
                         size_t count,
                         uint64_t *changed,
                         struct sprongus_error **error);

// What this process did to the tables since the store was opened, as JSON: tables (projectId, tableName, created, updated,
// deleted, refused) and syncs (count, failed, latency). Cheap: no database is asked.
int32_t sprongus_store_stats(const struct sprongus_store *store,
                             struct sprongus_buf **stats,
                             struct sprongus_error **error);

// What is wrong with the store, or soon will be, as JSON: ok, and findings (code, severity, message, fix), the worst first.
// It never writes and looks at a bounded number of rows; `deep` (0 or 1) reads everything, for however long that takes.
// Errors: `permission_denied` on a scoped handle without admin.
int32_t sprongus_store_doctor(const struct sprongus_store *store,
                              int32_t deep,
                              struct sprongus_buf **report,
                              struct sprongus_error **error);

// Creates a table of the host's own, from a schema of `length` bytes; the same schema once more is nothing.
//
// `{"name", "columns": [{"name", "type", "constraints"?}], "indexes"?: [{"name", "columns", "unique"?}]}`. Types: text,
// integer, real, blob, json, bigint, boolean. Constraints: primary_key, not_null, unique, auto_increment. Without a primary
// key there is a column `id` of text that is it. Names are of letters, digits and `_`, at most 63 bytes, unique without
// regard to case. All functions here need "admin" of a scoped handle. Errors: `invalid_argument` (what the schema may not
// say), `conflict` with the difference in the details (a table of that name has another schema).
//
// ```c
// const char *schema = "{\"name\": \"tokens\", \"columns\": [{\"name\": \"sealed\", \"type\": \"blob\"}]}";
// sprongus_tables_create(store, schema, strlen(schema), &error);
// ```
int32_t sprongus_tables_create(const void *store_or_tx,
                               const char *schema,
                               size_t length,
                               struct sprongus_error **error);

// Whether there is a table of that name, whatever its case, made here or by the host's own SQL; not for tables of the
// library.
int32_t sprongus_tables_exists(const void *store_or_tx, const char *name, bool *exists, struct sprongus_error **error);

// Drops a table and its rows; nothing where there is no such table. Errors: `invalid_argument` (a table of the library).
int32_t sprongus_tables_drop(const void *store_or_tx,
                             const char *name,
                             struct sprongus_error **error);

// The schema of a table as JSON. Errors: `not_found`.
int32_t sprongus_tables_describe(const void *store_or_tx,
                                 const char *name,
                                 struct sprongus_buf **schema,
                                 struct sprongus_error **error);

// The names of all tables made here, in order, as a JSON array.
int32_t sprongus_tables_names(const void *store_or_tx, struct sprongus_buf **names, struct sprongus_error **error);

// Inserts a row, a JSON object of `length` bytes; a column that is left out is null. `id`, which may be NULL, is its primary
// key as text: a new one where the row has none.
//
// Bytes are `{"$bytes": "<Base64>"}`. Errors: `validation` with the column as the path (a value of another type, a null where
// there may be none, no such column), `conflict` (the id or a unique value is taken), `not_found` (the table).
//
// ```c
// const char *row = "{\"sealed\": {\"$bytes\": \"Af4=\"}}";
// sprongus_buf *id = NULL;
// if (sprongus_tables_insert(store, "tokens", row, strlen(row), &id, &error) == SPRONGUS_OK)
//     puts(sprongus_buf_data(id));
// sprongus_buf_free(id);
// ```
int32_t sprongus_tables_insert(const void *store_or_tx,
                               const char *name,
                               const char *row,
                               size_t length,
                               struct sprongus_buf **id,
                               struct sprongus_error **error);

// The same of `count` columns and their values, so that bytes need no Base64 and texts no JSON.
//
// SPRONGUS_TEXT, _INT, _FLOAT, _BYTES, _JSON and _BOOL are for the columns of those types, SPRONGUS_NULL for all; others are
// taken as text. Errors: as sprongus_tables_insert.
//
// ```c
// const char *columns[] = {"account", "sealed"};
// sprongus_value values[2];
// values[0] = sprongus_text("ada");
// values[1] = sprongus_bytes(sealed, length);
// sprongus_tables_insert_values(store, "tokens", columns, values, 2, NULL, &error);
// ```
int32_t sprongus_tables_insert_values(const void *store_or_tx,
                                      const char *name,
                                      const char *const *columns,
                                      const struct sprongus_value *values,
                                      size_t count,
                                      struct sprongus_buf **id,
                                      struct sprongus_error **error);

// Inserts rows, a JSON array of objects of `length` bytes, all or none. `ids`, which may be NULL, is a JSON array of their
// primary keys, in their order. Errors: as sprongus_tables_insert; `validation` has every fault of every row, with the `row`
// counted from 1.
int32_t sprongus_tables_insert_many(const void *store_or_tx,
                                    const char *name,
                                    const char *rows,
                                    size_t length,
                                    struct sprongus_buf **ids,
                                    struct sprongus_error **error);

// Changes the columns that `data`, a JSON object of `length` bytes, names of the row of that id; `{}` changes nothing.
// Errors: as sprongus_tables_insert, and `not_found` (the row).
int32_t sprongus_tables_update(const void *store_or_tx,
                               const char *name,
                               const char *id,
                               const char *data,
                               size_t length,
                               struct sprongus_error **error);

// The same of `count` columns and their values, which are as of sprongus_tables_insert_values.
int32_t sprongus_tables_update_values(const void *store_or_tx,
                                      const char *name,
                                      const char *id,
                                      const char *const *columns,
                                      const struct sprongus_value *values,
                                      size_t count,
                                      struct sprongus_error **error);

// The rows that are asked for, their columns in the order of the schema; all of them where `query` is NULL.
//
// A value is SPRONGUS_NULL, or of its column's type SPRONGUS_TEXT, _INT, _FLOAT, _BYTES, _JSON, _BOOL.
// sprongus_rows_to_json shows bytes as sprongus_tables_insert takes them. Errors: `not_found` (the table),
// `invalid_argument`, `validation` (a value in `where` that its column cannot have).
//
// ```c
// sprongus_rows_query query;
// SPRONGUS_INIT(query);
// const char *order[] = {"-expires_at"};
// query.where = "{\"provider\": \"mail\"}";
// query.order_by = order;
// query.order_by_count = 1;
// sprongus_rows *rows = NULL;
// sprongus_tables_query(store, "tokens", &query, &rows, &error);
// ```
int32_t sprongus_tables_query(const void *store_or_tx,
                              const char *name,
                              const struct sprongus_rows_query *query,
                              struct sprongus_rows **rows,
                              struct sprongus_error **error);

// How many rows there are, of those that `where` (JSON, NUL-terminated) of sprongus_rows_query tells; of all where it is NULL.
// Errors: as sprongus_tables_query.
int32_t sprongus_tables_count(const void *store_or_tx,
                              const char *name,
                              const char *where,
                              uint64_t *count,
                              struct sprongus_error **error);

// Removes the row of that id. Errors: `not_found` (the row, the table).
int32_t sprongus_tables_delete(const void *store_or_tx,
                               const char *name,
                               const char *id,
                               struct sprongus_error **error);

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
int32_t sprongus_tx_begin(const struct sprongus_store *store, struct sprongus_tx **tx, struct sprongus_error **error);

// Opens a savepoint within a transaction or savepoint: a transaction that is committed into, or rolled back within, `tx`.
int32_t sprongus_tx_savepoint(const struct sprongus_tx *tx,
                              struct sprongus_tx **savepoint,
                              struct sprongus_error **error);

// A further handle of the same transaction whose events and history are in the name of `actor`, for `reason` (may be
// NULL). Freed on its own; that ends nothing.
int32_t sprongus_tx_acting_as(const struct sprongus_tx *tx,
                              const char *actor,
                              const char *reason,
                              struct sprongus_tx **acting,
                              struct sprongus_error **error);

// Commits the transaction, or keeps the savepoint. It has ended then, whatever the answer; free it.
//
// Errors: `misuse` where a statement failed in it or a savepoint within is open (it is rolled back then), where it has
// ended, or where the host commits (sprongus_attach); `forked` in a child process; `outcome_unknown` where COMMIT's answer
// was lost.
int32_t sprongus_tx_commit(struct sprongus_tx *tx,
                           struct sprongus_error **error);

// Rolls back the transaction or the savepoint, and all savepoints within. It has ended then; free it.
int32_t sprongus_tx_rollback(struct sprongus_tx *tx, struct sprongus_error **error);

// Frees a transaction's handle; one still open is rolled back. NULL and what is no transaction are passed over.
void sprongus_tx_free(struct sprongus_tx *tx);

// A worker over a store, on connections of its own beside `pool_size`. `options` may be NULL. Give it handlers, then
// sprongus_worker_run, sprongus_worker_run_until_idle or sprongus_worker_start. The store may be freed before it.
//
// ```c
// static int32_t greet(void *user_data, const sprongus_context *context) {
//     const char *name = sprongus_run_input(sprongus_context_run(context));
//     sprongus_context_output(context, name, strlen(name), NULL);
//     return SPRONGUS_DONE;
// }
// …
// sprongus_worker *worker = NULL;
// sprongus_worker_new(store, NULL, &worker, &error);
// sprongus_worker_handle(worker, "greet", greet, NULL, NULL, &error);
// sprongus_worker_run_until_idle(worker, SPRONGUS_NONE, &error);
// sprongus_worker_free(worker);
// ```
int32_t sprongus_worker_new(const struct sprongus_store *store,
                            const struct sprongus_worker_options *options,
                            struct sprongus_worker **worker,
                            struct sprongus_error **error);

// Its name, as runs and events carry it. Borrowed; NULL for no worker.
const char *sprongus_worker_id(const struct sprongus_worker *worker);

// Works runs of that kind by that function, `user_data` being handed to it; "sync/*" is every kind that begins with "sync/",
// where none fits better. `destroy`, which may be NULL, is called once with `user_data`, when the worker no longer needs it,
// also where this fails. Errors: `invalid_argument`; `misuse` while the worker is at work.
int32_t sprongus_worker_handle(const struct sprongus_worker *worker,
                               const char *kind,
                               sprongus_handler handler,
                               void *user_data,
                               sprongus_destroy destroy,
                               struct sprongus_error **error);

// Works the syncs that were enqueued (runs of the kinds "sync.aux/…") with the providers that this opened store knows. Errors:
// `misuse` while the worker is at work.
int32_t sprongus_worker_serve_sync(const struct sprongus_worker *worker,
                                   struct sprongus_error **error);

// Works until sprongus_worker_stop is called from another thread; returns when all handlers have ended.
//
// Errors: `misuse` where it is at work already or has no handler; what makes claiming hopeless: the store closed, a scope
// missing. A database that is away for a while is no error.
int32_t sprongus_worker_run(const struct sprongus_worker *worker,
                            struct sprongus_error **error);

// Works until nothing of its kinds is running anywhere, due, or due within `patience_ms` (0: 5,000; SPRONGUS_NONE: no
// patience). Errors: as sprongus_worker_run.
int32_t sprongus_worker_run_until_idle(const struct sprongus_worker *worker,
                                       int64_t patience_ms,
                                       struct sprongus_error **error);

// Works on threads of its own until sprongus_worker_stop. Errors: `misuse` where it is at work already or has no handler.
int32_t sprongus_worker_start(const struct sprongus_worker *worker,
                              struct sprongus_error **error);

// Claims no more and waits for the handlers to end, at most `timeout_ms`: 0 without end, SPRONGUS_NONE not at all.
//
// `ended`, which may be NULL, says whether all have. Those that have not are let go: their leases run out, and others take
// their runs. Not to be called by a handler, which would wait for itself.
int32_t sprongus_worker_stop(const struct sprongus_worker *worker,
                             int64_t timeout_ms,
                             bool *ended,
                             struct sprongus_error **error);

// What it has done since it was made, and what it is doing, as JSON (claimed, succeeded, failed, …, wait and run latencies in
// seconds). Cheap: no database is asked.
int32_t sprongus_worker_metrics(const struct sprongus_worker *worker,
                                struct sprongus_buf **metrics,
                                struct sprongus_error **error);

// Frees a worker; one at work lets go of its runs without waiting. NULL and what is no worker are passed over.
void sprongus_worker_free(struct sprongus_worker *worker);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SPRONGUS_H */

#ifndef SPRONGUS_VALUES_H
#define SPRONGUS_VALUES_H

// A parameter of that type from its text; NULL gives SPRONGUS_NULL. Borrows `text`.
//
//     sprongus_value day = sprongus_typed(SPRONGUS_DATE, "2024-02-29");
static inline sprongus_value sprongus_typed(int32_t type, const char *text) {
    sprongus_value value;
    memset(&value, 0, sizeof(value));
    value.type = text ? type : SPRONGUS_NULL;
    value.data = text;
    value.length = text ? strlen(text) : 0;
    return value;
}

// A text for a parameter; NULL gives SPRONGUS_NULL. Borrows `text`.
static inline sprongus_value sprongus_text(const char *text) {
    return sprongus_typed(SPRONGUS_TEXT, text);
}

// Bytes for a parameter; NULL gives SPRONGUS_NULL. Borrows `bytes`.
static inline sprongus_value sprongus_bytes(const void *bytes, size_t length) {
    sprongus_value value = sprongus_typed(SPRONGUS_NULL, NULL);
    value.type = bytes ? SPRONGUS_BYTES : SPRONGUS_NULL;
#ifdef __cplusplus
    value.data = static_cast<const char *>(bytes);
#else
    value.data = (const char *)bytes;
#endif
    value.length = bytes ? length : 0;
    return value;
}

// An integer for a parameter.
static inline sprongus_value sprongus_int(int64_t integer) {
    sprongus_value value = sprongus_typed(SPRONGUS_NULL, NULL);
    value.type = SPRONGUS_INT;
    value.integer = integer;
    return value;
}

// A floating-point number for a parameter.
static inline sprongus_value sprongus_float(double real) {
    sprongus_value value = sprongus_typed(SPRONGUS_NULL, NULL);
    value.type = SPRONGUS_FLOAT;
    value.real = real;
    return value;
}

// A boolean for a parameter.
static inline sprongus_value sprongus_bool(bool truth) {
    sprongus_value value = sprongus_int(truth ? 1 : 0);
    value.type = SPRONGUS_BOOL;
    return value;
}

#endif  // SPRONGUS_VALUES_H
