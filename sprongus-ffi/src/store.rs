//! `sprongus_store`.

use std::ffi::{CString, c_char, c_void};
use std::path::Path;

use sprongus::Store;
use sprongus::doctor::Examine;

use crate::buf::{Buf, sprongus_buf};
use crate::error::{c_text, sprongus_error};
use crate::handle::{self, Noun};
use crate::options::{self, sprongus_options};
use crate::record::give_json;
use crate::rows::{Rows, sprongus_rows};
use crate::target::{self, Target};
use crate::value::{self, sprongus_value};
use crate::{args, door};

/// A store: runs, aux entries, presets and events in one SQLite file or PostgreSQL database. Any thread may use it.
pub struct sprongus_store {
    _opaque: [u8; 0],
}

pub(crate) struct StoreHandle {
    store: Store,
    url: CString,
}

impl Noun for StoreHandle {
    type C = sprongus_store;
    const TAG: u8 = 4;
    const NAME: &'static str = "sprongus_store";
}

impl StoreHandle {
    pub(crate) fn new(store: Store) -> Self {
        let url = c_text(store.url());
        Self { store, url }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }
}

/// Opens a store and brings its schema up to date: "app.db", "sqlite:app.db", ":memory:", "postgresql://user@host/db".
///
/// `options` may be NULL. The caller frees `*store` by sprongus_store_free.
///
/// Errors: `invalid_argument` (the URL, an option, a directory), `not_found` (its folder), `permission_denied`,
/// `unsupported` (a network file system, an old database), `unavailable`, `corrupt` (not a database), `schema_version`.
/// A password in the URL never shows in them.
///
/// ```c
/// sprongus_store *store = NULL;
/// sprongus_error *error = NULL;
/// if (sprongus_store_open("app.db", NULL, &store, &error) != SPRONGUS_OK) {
///     fprintf(stderr, "%s\n", sprongus_error_message(error));
///     sprongus_error_free(error);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_store_open(
    url: *const c_char,
    options: *const sprongus_options,
    store: *mut *mut sprongus_store,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for out-pointers, text and structs.
        let (store, url, options) =
            unsafe { (args::place("store", store)?, args::text("url", url)?, options::read(options)?) };
        store.give(StoreHandle::new(Store::open(url, options)?))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Refuses further calls on this store and all that come from it; the database is closed once those under way have
/// ended. A transaction that is open can still be ended, and no more. The handle still has to be freed. Twice is nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_store_close(store: *mut sprongus_store, error: *mut *mut sprongus_error) -> i32 {
    // SAFETY: `error` is the caller's to be written.
    unsafe {
        door::call(error, || {
            handle::get::<StoreHandle>("store", store)?.store.close();
            Ok(())
        })
    }
}

/// Frees a store; the database is closed with the last handle of it. NULL and what is no store are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_store_free(store: *mut sprongus_store) {
    door::quiet(|| handle::free::<StoreHandle>(store));
}

/// "sqlite" or "postgres". Never freed; NULL for no store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_store_backend(store: *const sprongus_store) -> *const c_char {
    door::peek(std::ptr::null(), || {
        Some(match handle::peek::<StoreHandle>(store)?.store.backend() {
            sprongus::Dialect::Sqlite => c"sqlite".as_ptr(),
            sprongus::Dialect::Postgres => c"postgres".as_ptr(),
        })
    })
}

/// The URL that the store was opened with, without the password. Borrowed from the store; NULL for no store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_store_url(store: *const sprongus_store) -> *const c_char {
    door::peek(std::ptr::null(), || Some(handle::peek::<StoreHandle>(store)?.url.as_ptr()))
}

/// The version of the schema in use; 0 for no store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_store_schema_version(store: *const sprongus_store) -> i64 {
    door::peek(0, || Some(handle::peek::<StoreHandle>(store)?.store.schema_version()))
}

/// Brings the schema up to date, as opening does unless SPRONGUS_NO_MIGRATE is set; `*version`, which may be NULL, is the
/// one reached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_store_migrate(
    store: *mut sprongus_store,
    version: *mut i64,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: `version` is NULL or the caller's to be written.
        let version = unsafe { args::Out::optional(version, 0) };
        version.set(handle::get::<StoreHandle>("store", store)?.store.migrate()?);
        Ok(())
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The SQL of every migration for "sqlite" or "postgres", for hosts that apply schemas themselves, in one transaction.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_migration_sql(
    backend: *const c_char,
    sql: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (sql, backend) = unsafe { (args::place("sql", sql)?, args::text("backend", backend)?) };
        let dialect = match backend {
            "sqlite" => sprongus::Dialect::Sqlite,
            "postgres" => sprongus::Dialect::Postgres,
            _ => return Err(sprongus::Error::invalid("backend is \"sqlite\" or \"postgres\"")),
        };
        sql.give(Buf::text(&sprongus::migration_sql(dialect)))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// A further handle of the same store whose events and history are in the name of `actor`, for `reason` (may be NULL).
/// Freed on its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_store_acting_as(
    store: *const sprongus_store,
    actor: *const c_char,
    reason: *const c_char,
    acting: *mut *mut sprongus_store,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (acting, actor, reason) =
            unsafe { (args::place("acting", acting)?, args::text("actor", actor)?, args::text_opt("reason", reason)?) };
        let store = handle::get::<StoreHandle>("store", store)?;
        acting.give(StoreHandle::new(store.store.acting_as(actor, reason)?))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// SQLite: writes a consistent copy of the database to a new file. PostgreSQL: `unsupported`, use pg_dump.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_store_snapshot(
    store: *const sprongus_store,
    path: *const c_char,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for text.
        let path = unsafe { args::text("path", path) }?;
        handle::get::<StoreHandle>("store", store)?.store.snapshot(Path::new(path))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Runs one statement of the host's own SQL that gives rows; on a store only one that reads.
///
/// `store_or_tx` is a sprongus_store or a sprongus_tx. Parameters are written `$1`…`$n` on both databases and given by
/// `params`, `count` of them (NULL and 0: none). The caller frees `*rows`. In a transaction a statement that fails poisons
/// it: it can then only be rolled back, to a savepoint or whole.
///
/// ```c
/// sprongus_value id = sprongus_text("a-17");
/// sprongus_rows *rows = NULL;
/// if (sprongus_query(store, "SELECT total FROM orders WHERE id = $1", &id, 1, &rows, &error) == SPRONGUS_OK)
///     printf("%s\n", sprongus_rows_value(rows, 0, 0)->data);
/// sprongus_rows_free(rows);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_query(
    store_or_tx: *const c_void,
    sql: *const c_char,
    params: *const sprongus_value,
    count: usize,
    rows: *mut *mut sprongus_rows,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, arrays and out-pointers.
        let (rows, sql, params) =
            unsafe { (args::place("rows", rows)?, args::text("sql", sql)?, value::read_all("params", params, count)?) };
        let got = target::on(store_or_tx, |on| match on {
            Target::Store(store) => store.query(sql, &params),
            Target::Tx(tx) => tx.query(sql, &params),
        })?;
        rows.give(Rows::new(&got))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Runs one statement of the host's own SQL; `*changed`, which may be NULL, is the number of rows it changed.
///
/// As sprongus_query; on a store it is a transaction of its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_execute(
    store_or_tx: *const c_void,
    sql: *const c_char,
    params: *const sprongus_value,
    count: usize,
    changed: *mut u64,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, arrays and out-pointers.
        let (changed, sql, params) = unsafe {
            (args::Out::optional(changed, 0), args::text("sql", sql)?, value::read_all("params", params, count)?)
        };
        let count = target::on(store_or_tx, |on| match on {
            Target::Store(store) => store.execute(sql, &params),
            Target::Tx(tx) => tx.execute(sql, &params),
        })?;
        changed.set(count);
        Ok(())
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// What this process did to the tables since the store was opened, as JSON: tables (projectId, tableName, created, updated,
/// deleted, refused) and syncs (count, failed, latency). Cheap: no database is asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_store_stats(
    store: *const sprongus_store,
    stats: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for out-pointers.
        let out = unsafe { args::place("stats", stats) }?;
        give_json(out, &handle::get::<StoreHandle>("store", store)?.store().stats()?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// What is wrong with the store, or soon will be, as JSON: ok, and findings (code, severity, message, fix), the worst first.
/// It never writes and looks at a bounded number of rows; `deep` (0 or 1) reads everything, for however long that takes.
/// Errors: `permission_denied` on a scoped handle without admin.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_store_doctor(
    store: *const sprongus_store,
    deep: i32,
    report: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for out-pointers.
        let out = unsafe { args::place("report", report) }?;
        let how = Examine { deep: deep != 0 };
        give_json(out, &handle::get::<StoreHandle>("store", store)?.store().examine(&how)?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
