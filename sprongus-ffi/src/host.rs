//! `sprongus_host`: a table of functions over the host's own connection, as an [`Executor`].

use std::ffi::{CString, c_char, c_void};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sprongus::{Dialect, Error, ErrorCode, Executor, Result, Row, Tx, Value};

use crate::error::{Failure, SPRONGUS_OK, sprongus_error};
use crate::handle::{self, Noun};
use crate::options::{self, sprongus_options};
use crate::tx::{Inside, TxHandle, sprongus_tx};
use crate::value::{self, Cell, sprongus_value};
use crate::{args, door};

/// The host's connection is to SQLite (3.35 or newer).
pub const SPRONGUS_DIALECT_SQLITE: i32 = 1;
/// The host's connection is to PostgreSQL (12 or newer).
pub const SPRONGUS_DIALECT_POSTGRES: i32 = 2;

/// Where a host's `query` puts its rows; valid until that function returns.
pub struct sprongus_row_sink {
    _opaque: [u8; 0],
}

/// Runs one statement that changes rows; sets `*changed` to how many.
pub type sprongus_host_execute = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        sql: *const c_char,
        params: *const sprongus_value,
        count: usize,
        changed: *mut u64,
        error: *mut *mut sprongus_error,
    ) -> i32,
>;

/// Runs one statement that gives rows: sprongus_row_sink_column for each column, then sprongus_row_sink_add for each row.
pub type sprongus_host_query = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        sql: *const c_char,
        params: *const sprongus_value,
        count: usize,
        rows: *mut sprongus_row_sink,
        error: *mut *mut sprongus_error,
    ) -> i32,
>;

/// Runs statements separated by semicolons, without parameters or rows: savepoints, temporary tables.
pub type sprongus_host_batch =
    Option<unsafe extern "C" fn(user_data: *mut c_void, sql: *const c_char, error: *mut *mut sprongus_error) -> i32>;

/// Called once, when the library no longer needs `user_data`.
pub type sprongus_destroy = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// The host's own connection with a transaction open: the library runs its SQL through these functions, the host begins
/// and commits. Begin with `SPRONGUS_INIT(host)`.
///
/// The functions return SPRONGUS_OK or fail with an error made by sprongus_error_from_sqlite, sprongus_error_from_sqlstate
/// or sprongus_error_new. They run on the thread that calls the transaction, must neither throw nor call it back, and keep
/// nothing they are given. SQL is UTF-8. Parameters are written `$1`…`$n`, may be used twice and in any order: SQLite binds
/// them by name (`sqlite3_bind_parameter_name`), PostgreSQL by number with types left to the server. What to bind:
/// SPRONGUS_NULL as NULL, SPRONGUS_BYTES as bytes, on SQLite SPRONGUS_BOOL and SPRONGUS_INT as `integer` and
/// SPRONGUS_FLOAT as `real`, everything else as the text in `data`. Rows come in the types of the database: from
/// PostgreSQL timestamptz as SPRONGUS_TIMESTAMP, json and jsonb as SPRONGUS_JSON, boolean as SPRONGUS_BOOL, and so on.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sprongus_host {
    /// `sizeof(sprongus_host)`.
    pub struct_size: usize,
    /// SPRONGUS_DIALECT_….
    pub dialect: i32,
    /// Handed to each function.
    pub user_data: *mut c_void,
    /// Required.
    pub execute: sprongus_host_execute,
    /// Required.
    pub query: sprongus_host_query,
    /// Required.
    pub batch: sprongus_host_batch,
    /// May be NULL.
    pub destroy: sprongus_destroy,
}

// SAFETY: `repr(C)`, begins with its size; integers, pointers, and functions for which zero is None.
unsafe impl args::Plain for sprongus_host {}

/// The functions, checked.
struct Lent {
    host: sprongus_host,
    dialect: Dialect,
    _destroy: Destroy,
    inside: Inside,
}

// SAFETY: the host is told that its functions run on whatever thread calls the transaction, one at a time.
unsafe impl Send for Lent {}

/// A host's data, ended once, also where what they are for fails.
pub(crate) struct Destroy(sprongus_destroy, *mut c_void);

impl Destroy {
    pub(crate) fn new(destroy: sprongus_destroy, user_data: *mut c_void) -> Self {
        Self(destroy, user_data)
    }

    pub(crate) fn data(&self) -> *mut c_void {
        self.1
    }
}

impl Drop for Destroy {
    fn drop(&mut self) {
        if let Some(destroy) = self.0 {
            // SAFETY: the host's own function, with what it gave for it.
            unsafe { destroy(self.1) };
        }
    }
}

impl Lent {
    fn new(host: sprongus_host) -> Result<Self> {
        let destroy = Destroy(host.destroy, host.user_data);
        let dialect = match host.dialect {
            SPRONGUS_DIALECT_SQLITE => Dialect::Sqlite,
            SPRONGUS_DIALECT_POSTGRES => Dialect::Postgres,
            _ => return Err(Error::invalid("host.dialect is SPRONGUS_DIALECT_SQLITE or SPRONGUS_DIALECT_POSTGRES")),
        };
        let given = [host.execute.is_some(), host.query.is_some(), host.batch.is_some()];
        for (name, given) in ["execute", "query", "batch"].into_iter().zip(given) {
            if !given {
                return Err(missing(name));
            }
        }
        Ok(Self { host, dialect, _destroy: destroy, inside: Inside::default() })
    }

    /// Calls one of the host's functions; its error is taken over.
    fn ask(&self, call: impl FnOnce(*mut *mut sprongus_error) -> i32) -> Result<()> {
        taken(|error| self.inside.during(|| call(error)))
    }
}

/// Calls a function of a host's; its error is taken over.
pub(crate) fn taken(call: impl FnOnce(*mut *mut sprongus_error) -> i32) -> Result<()> {
    let mut error = std::ptr::null_mut();
    let status = call(&raw mut error);
    let failure = handle::peek::<Failure>(error);
    handle::free::<Failure>(error);
    match (status, failure) {
        (SPRONGUS_OK, _) => Ok(()),
        (_, Some(failure)) => Err(copy(failure.error())),
        (status, None) => {
            let code = ErrorCode::ALL.iter().copied().find(|code| code.number() == status);
            let message = format!("a function of the host failed with the status {status} and no error");
            Err(Error::new(code.unwrap_or(ErrorCode::Storage), message))
        }
    }
}

fn missing(name: &str) -> Error {
    Error::invalid(format!("host.{name} is NULL"))
}

fn copy(error: &Error) -> Error {
    let copy = Error::new(error.code(), error.message());
    match error.details() {
        Some(details) => copy.with_details(details.clone()),
        None => copy,
    }
}

fn c_sql(sql: &str) -> Result<CString> {
    CString::new(sql).map_err(|_| Error::invalid("the SQL holds a NUL"))
}

/// Parameters for the host, with the texts they point to.
fn bound(params: &[Value<'_>], dialect: Dialect) -> (Vec<Cell>, Vec<sprongus_value>) {
    let cells: Vec<Cell> = params.iter().map(|value| Cell::for_database(value, dialect)).collect();
    let values = cells.iter().map(|cell| *cell.value()).collect();
    (cells, values)
}

impl Executor for Lent {
    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        let (run, user_data) = (self.host.execute.ok_or_else(|| missing("execute"))?, self.host.user_data);
        let (sql, (_texts, values)) = (c_sql(sql)?, bound(params, self.dialect));
        let mut changed = 0;
        self.ask(|error| {
            // SAFETY: the host's own function; what it is given lives until it returns.
            unsafe { run(user_data, sql.as_ptr(), values.as_ptr(), values.len(), &raw mut changed, error) }
        })?;
        match i64::try_from(changed) {
            Ok(_) => Ok(changed),
            Err(_) => Err(Error::invalid("host.execute set `changed` to more rows than a database holds")),
        }
    }

    fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        let (run, user_data) = (self.host.query.ok_or_else(|| missing("query"))?, self.host.user_data);
        let (sql, (_texts, values)) = (c_sql(sql)?, bound(params, self.dialect));
        let sink = handle::give(Sink::default())?;
        let asked = self.ask(|error| {
            // SAFETY: the host's own function; what it is given lives until it returns.
            unsafe { run(user_data, sql.as_ptr(), values.as_ptr(), values.len(), sink, error) }
        });
        let filled = handle::peek::<Sink>(sink);
        handle::free::<Sink>(sink);
        asked?;
        filled.map_or_else(|| Ok(Vec::new()), |filled| filled.take())
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        let (run, user_data) = (self.host.batch.ok_or_else(|| missing("batch"))?, self.host.user_data);
        let sql = c_sql(sql)?;
        self.ask(|error| {
            // SAFETY: the host's own function; what it is given lives until it returns.
            unsafe { run(user_data, sql.as_ptr(), error) }
        })
    }
}

/// The rows that a host's `query` gives.
#[derive(Default)]
struct Sink(Mutex<Filling>);

#[derive(Default)]
struct Filling {
    columns: Vec<String>,
    shared: Option<Arc<[String]>>,
    rows: Vec<Row>,
    /// Something was refused: what the host goes on to give is not the answer, whether it says so or not.
    refused: bool,
}

impl Noun for Sink {
    type C = sprongus_row_sink;
    const TAG: u8 = 6;
    const NAME: &'static str = "sprongus_row_sink";
}

impl Sink {
    fn filling(&self) -> MutexGuard<'_, Filling> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a column or a row.
    fn fill(&self, fill: impl FnOnce(&mut Filling) -> Result<()>) -> Result<()> {
        let mut filling = self.filling();
        let filled = fill(&mut filling);
        filling.refused |= filled.is_err();
        filled
    }

    fn take(&self) -> Result<Vec<Row>> {
        let mut filling = self.filling();
        if filling.refused {
            return Err(Error::invalid("host.query gave a column or a row that was refused, and went on"));
        }
        Ok(std::mem::take(&mut filling.rows))
    }
}

impl Filling {
    fn column(&mut self, name: &str) -> Result<()> {
        if self.shared.is_some() {
            return Err(Error::misuse("columns are named before the first row"));
        }
        self.columns.push(name.to_owned());
        Ok(())
    }

    fn add(&mut self, values: Vec<Value<'static>>) -> Result<()> {
        if values.len() != self.columns.len() {
            let (given, wanted) = (values.len(), self.columns.len());
            return Err(Error::invalid(format!("a row of {given} values for {wanted} columns")));
        }
        let columns = self.shared.get_or_insert_with(|| self.columns.as_slice().into()).clone();
        self.rows.push(Row::new(columns, values));
        Ok(())
    }
}

/// Names the next column, before the first row.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_row_sink_column(
    rows: *mut sprongus_row_sink,
    name: *const c_char,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        handle::get::<Sink>("rows", rows)?.fill(|filling| {
            // SAFETY: the caller's promise for text.
            filling.column(unsafe { args::text("name", name) }?)
        })
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Adds a row of as many values as there are columns; they are copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_row_sink_add(
    rows: *mut sprongus_row_sink,
    values: *const sprongus_value,
    count: usize,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        handle::get::<Sink>("rows", rows)?.fill(|filling| {
            // SAFETY: the caller's promise for arrays.
            let values = unsafe { value::read_all("values", values, count) }?;
            filling.add(values.into_iter().map(Value::into_owned).collect())
        })
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The library inside the host's own transaction: every call that takes `store_or_tx` takes `*tx`. The host begins and
/// commits; sprongus_tx_commit and sprongus_tx_rollback are `misuse` on it, savepoints are not.
///
/// The schema must be there (sprongus_store_open once, or sprongus_migration_sql): `schema_version` otherwise. `options`
/// may be NULL; those that concern connections have no effect. `host` is copied, and `host->destroy` is called once, when
/// `*tx` and what came from it are freed, or at once where this fails, unless `host` cannot be read. Free `*tx` before the
/// host commits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_attach(
    host: *const sprongus_host,
    options: *const sprongus_options,
    tx: *mut *mut sprongus_tx,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for out-pointers.
        let out = unsafe { args::place("tx", tx) };
        if host.is_null() {
            return Err(Error::invalid("host is NULL"));
        }
        // From here on the host's data are ended, also where there is no place for the transaction.
        // SAFETY: the caller's promise for structs.
        let lent = Lent::new(unsafe { args::plain("host", host) }?)?;
        // SAFETY: the caller's promise for structs.
        let (out, options) = (out?, unsafe { options::read(options) }?);
        let inside = lent.inside.clone();
        out.give(TxHandle::new(Tx::attach(lent, options)?, inside))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
