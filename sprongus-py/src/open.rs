//! `sprongus.open` and `sprongus.migration_sql`.

use pyo3::prelude::*;
use sprongus::{Dialect, Durability, Error, Options};

use crate::args::{Text, Whole, text};
use crate::call::{interrupt, wait};
use crate::error::raised;
use crate::secrets::resolver;
use crate::store::Store;
use crate::time::Seconds;

/// Opens a store and brings its schema up to date.
///
/// `url`: "app.db" or any path, "sqlite:app.db", ":memory:", "postgresql://user@host/db".
///
/// durability: "full" (what returned survives a power cut) or "normal" (SQLite)
/// busy_timeout: seconds of `call_timeout` that may go into waiting for SQLite's lock
/// pool_size: connections for callers; a worker's come on top
/// statement_cache: False for PostgreSQL poolers in transaction mode
/// max_payload_bytes, max_error_bytes, max_artifact_bytes: limits of what is stored
/// check_secrets: refuse what looks like a credential where it would be stored, with `SecretDetectedError`
/// secrets: gives the secret of a name, for `{"$secret": name}`; default: the environment variable of the name
/// allow_network_fs: open a SQLite file on a network file system all the same
/// call_timeout: seconds a call may wait: lock, pool, connect, a silent network
/// backoff_base, backoff_cap: seconds between attempts, doubling, with jitter
/// actor: who, in events and history; default: the user of the operating system
/// migrate: False raises `SchemaVersionError` where the schema is not current
/// read_only: never write
/// schema: the PostgreSQL schema that holds the tables
/// listen_url: PostgreSQL, where `url` leads to a pooler in transaction mode: the server itself, to listen for others' commits
/// row_security: PostgreSQL: scoped handles tell the server whose they are; see `enable_row_security`
///
/// Raises `InvalidArgumentError` (the URL, a directory), `NotFoundError` (its folder), `PermissionDeniedError`,
/// `UnavailableError`, `CorruptError`, `SchemaVersionError`, `UnsupportedError`. No password shows in them.
///
/// >>> store = sprongus.open("app.db", busy_timeout=1.0)
#[pyfunction]
#[pyo3(
    signature = (
        url, *, durability = None, busy_timeout = None, pool_size = None, statement_cache = true,
        max_payload_bytes = None, max_error_bytes = None, check_secrets = true, secrets = None, allow_network_fs = false, call_timeout = None,
        backoff_base = None, backoff_cap = None, max_artifact_bytes = None, actor = None, migrate = true,
        read_only = false, schema = None, listen_url = None, row_security = false
    ),
    text_signature = "(url, *, durability='full', busy_timeout=5.0, pool_size=4, statement_cache=True, \
                      max_payload_bytes=1048576, max_error_bytes=16384, check_secrets=True, secrets=None, allow_network_fs=False, \
                      call_timeout=30.0, backoff_base=1.0, backoff_cap=300.0, max_artifact_bytes=67108864, actor=None, migrate=True, \
                      read_only=False, schema=None, listen_url=None, row_security=False)"
)]
#[allow(clippy::too_many_arguments)] // Python's keyword arguments
pub(crate) fn open(
    py: Python<'_>,
    url: Bound<'_, PyAny>,
    durability: Option<Text>,
    busy_timeout: Option<Seconds>,
    pool_size: Option<Whole>,
    statement_cache: bool,
    max_payload_bytes: Option<Whole>,
    max_error_bytes: Option<Whole>,
    check_secrets: bool,
    secrets: Option<Bound<'_, PyAny>>,
    allow_network_fs: bool,
    call_timeout: Option<Seconds>,
    backoff_base: Option<Seconds>,
    backoff_cap: Option<Seconds>,
    max_artifact_bytes: Option<Whole>,
    actor: Option<Text>,
    migrate: bool,
    read_only: bool,
    schema: Option<Text>,
    listen_url: Option<Text>,
    row_security: bool,
) -> PyResult<Store> {
    crate::log::install(py)?;
    let url = location(&url)?;
    let default = Options::default();
    let seconds = |given: Option<Seconds>, default| given.map_or(default, |given| given.0);
    let bytes = |given: Option<Whole>, name, default| given.map_or(Ok(default), |given| given.fit(py, name));
    let options = Options {
        durability: durability.map_or(Ok(default.durability), |name| parse_durability(py, &name.0))?,
        busy_timeout: seconds(busy_timeout, default.busy_timeout),
        call_timeout: seconds(call_timeout, default.call_timeout),
        pool_size: pool_size.map_or(Ok(default.pool_size), |size| size.fit(py, "pool_size"))?,
        statement_cache,
        max_payload_bytes: bytes(max_payload_bytes, "max_payload_bytes", default.max_payload_bytes)?,
        max_error_bytes: bytes(max_error_bytes, "max_error_bytes", default.max_error_bytes)?,
        max_artifact_bytes: bytes(max_artifact_bytes, "max_artifact_bytes", default.max_artifact_bytes)?,
        backoff_base: seconds(backoff_base, default.backoff_base),
        backoff_cap: seconds(backoff_cap, default.backoff_cap),
        check_secrets,
        secrets: secrets.as_ref().map(resolver).transpose()?,
        allow_network_fs,
        actor: text(actor),
        migrate,
        read_only,
        schema: text(schema),
        listen_url: text(listen_url),
        row_security,
        interrupt: Some(interrupt()),
        ..default
    };
    wait(py, || sprongus::Store::open(&url, options)).map(Store::new)
}

/// A str, or a path as `os.fsdecode` makes one of it.
fn location(url: &Bound<'_, PyAny>) -> PyResult<String> {
    let decoded = url.py().import("os")?.call_method1("fsdecode", (url,))?;
    decoded.extract::<Text>().map(|text| text.0)
}

fn parse_durability(py: Python<'_>, name: &str) -> PyResult<Durability> {
    match name {
        "full" => Ok(Durability::Full),
        "normal" => Ok(Durability::Normal),
        _ => Err(raised(py, &Error::invalid("durability is \"full\" or \"normal\""))),
    }
}

/// The SQL of the whole schema, for hosts that apply schemas themselves; run it in one transaction.
#[pyfunction]
pub(crate) fn migration_sql(py: Python<'_>, backend: Text) -> PyResult<String> {
    match backend.0.as_str() {
        "sqlite" => Ok(sprongus::migration_sql(Dialect::Sqlite)),
        "postgres" => Ok(sprongus::migration_sql(Dialect::Postgres)),
        _ => Err(raised(py, &Error::invalid("the backend is \"sqlite\" or \"postgres\""))),
    }
}
