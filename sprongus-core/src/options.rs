//! What a host may set when it opens a store.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Result};
use crate::json::Json;
use crate::secrets::{self, Resolver};

/// How much a commit waits for on SQLite; PostgreSQL keeps its own setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// WAL with `synchronous=FULL`: what returned survives a power cut.
    #[default]
    Full,
    /// WAL with `synchronous=NORMAL`: a power cut may take the last commits, a crash of the process does not.
    Normal,
}

/// Asked while a call waits; `true` ends the wait with `timeout`. Python's Ctrl-C comes in by it.
pub type Interrupt = Arc<dyn Fn() -> bool + Send + Sync>;

/// PostgreSQL counts its timeouts in milliseconds, in 31 bits.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 24 * 3600);

/// Settings of a [`Store`](crate::Store); name those you change and take the rest from `Options::default()`.
///
/// ```
/// use std::time::Duration;
/// use sprongus::Options;
/// let options = Options { busy_timeout: Duration::from_secs(1), ..Options::default() };
/// assert_eq!(options.pool_size, 4);
/// ```
#[derive(Clone)]
pub struct Options {
    /// What a commit waits for (SQLite).
    pub durability: Durability,
    /// The share of `call_timeout` that may go into waiting for SQLite's lock.
    pub busy_timeout: Duration,
    /// A call's deadline for waiting: lock, pool, connect, a silent network; at most 24 days. Never bounds the work of bulk
    /// calls.
    pub call_timeout: Duration,
    /// Connections for callers (readers on SQLite); a worker's own come on top.
    pub pool_size: u32,
    /// Keep prepared statements per connection; off for PostgreSQL poolers in transaction mode.
    pub statement_cache: bool,
    /// The largest payload or input, in bytes of its canonical JSON.
    pub max_payload_bytes: usize,
    /// The longest error text kept, in bytes.
    pub max_error_bytes: usize,
    /// The largest artifact content, in bytes.
    pub max_artifact_bytes: usize,
    /// The first delay after a failed attempt; doubles with each, with full jitter.
    pub backoff_base: Duration,
    /// The longest delay after a failed attempt.
    pub backoff_cap: Duration,
    /// Open a SQLite file on a network or VM-shared file system all the same.
    pub allow_network_fs: bool,
    /// Who acts, in events and history; default: the user of the operating system.
    pub actor: Option<String>,
    /// Bring the schema up to date on opening; off: `schema_version` where it is not.
    pub migrate: bool,
    /// Never write.
    pub read_only: bool,
    /// The PostgreSQL schema that holds the tables; default: the connection's own.
    pub schema: Option<String>,
    /// PostgreSQL: scoped handles tell the server whose they are, so that its row-level security shows them nothing else
    /// ([`Store::enable_row_security`](crate::Store::enable_row_security)). `unsupported` on SQLite, and for a role that it does
    /// not bind. Costs scoped handles two round trips a call.
    pub row_security: bool,
    /// PostgreSQL, where the URL leads to a pooler in transaction mode: the URL of the server itself, for the one connection that
    /// listens for commits of other processes. Without it workers poll there.
    pub listen_url: Option<String>,
    /// Refuse what looks like a credential where it would be stored: in runs' inputs, documents, configs, and metadata.
    pub check_secrets: bool,
    /// Gives the secrets that are named as `{"$secret": name}`; default: the environment variable of the name.
    pub secrets: Option<Resolver>,
    /// The clock; tests put their own in.
    pub clock: Arc<dyn Clock>,
    /// Asked while a call waits, and while a query of the host's own runs; `true` ends it.
    pub interrupt: Option<Interrupt>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::Full,
            busy_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(30),
            pool_size: 4,
            statement_cache: true,
            max_payload_bytes: 1 << 20,
            max_error_bytes: 16 << 10,
            max_artifact_bytes: 64 << 20,
            backoff_base: Duration::from_secs(1),
            backoff_cap: Duration::from_secs(300),
            allow_network_fs: false,
            actor: None,
            migrate: true,
            read_only: false,
            schema: None,
            row_security: false,
            listen_url: None,
            check_secrets: true,
            secrets: None,
            clock: Arc::new(SystemClock::default()),
            interrupt: None,
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("durability", &self.durability)
            .field("busy_timeout", &self.busy_timeout)
            .field("call_timeout", &self.call_timeout)
            .field("pool_size", &self.pool_size)
            .field("migrate", &self.migrate)
            .field("read_only", &self.read_only)
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// Refuses a document that holds what looks like a credential, unless that is not asked for.
    ///
    /// # Errors
    /// `secret_detected` with the path of each.
    pub(crate) fn refuse_secrets(&self, document: &Json) -> Result<()> {
        if self.check_secrets { secrets::refuse(document) } else { Ok(()) }
    }

    /// Refuses what cannot work, before anything is opened.
    pub(crate) fn check(&self) -> Result<()> {
        if !(1..=1000).contains(&self.pool_size) {
            return Err(Error::invalid("pool_size is 1 to 1000"));
        }
        if self.call_timeout.is_zero() {
            return Err(Error::invalid("call_timeout is more than 0 seconds"));
        }
        if self.call_timeout > LONGEST_WAIT || self.busy_timeout > LONGEST_WAIT {
            return Err(Error::invalid("call_timeout and busy_timeout are at most 24 days"));
        }
        if self.backoff_base.max(self.backoff_cap) > crate::clock::seconds::LONGEST {
            return Err(Error::invalid("backoff_base and backoff_cap are at most a hundred years"));
        }
        if self.max_error_bytes < 64 {
            return Err(Error::invalid("max_error_bytes is at least 64"));
        }
        if let Some(actor) = &self.actor {
            crate::text::check_name("actor", actor)?;
        }
        Ok(())
    }
}

/// Where a store lives, read from the URL or path given to [`Store::open`](crate::Store::open).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// A SQLite file.
    File(PathBuf),
    /// A SQLite database in memory, gone with the store.
    Memory,
    /// A PostgreSQL server, by its URL.
    Postgres(String),
}

impl Location {
    /// `app.db`, `sqlite:app.db`, `:memory:`, `sqlite::memory:`, `postgres://…`, `postgresql://…`, `host=… dbname=…`.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        if url.is_empty() || url.contains('\0') {
            return Err(Error::invalid(
                "the URL is a path, sqlite:PATH, :memory: or postgresql://…; it is empty or holds a NUL",
            ));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") || is_key_value(url) {
            return Ok(Self::Postgres(url.to_owned()));
        }
        let path = url.strip_prefix("sqlite:").unwrap_or(url);
        if path == ":memory:" {
            return Ok(Self::Memory);
        }
        // `sqlite:///abs/app.db` is how other libraries write an absolute path.
        let path = if url.starts_with("sqlite:") { path.strip_prefix("//").unwrap_or(path) } else { path };
        let scheme = path.split_once("://").map(|(scheme, _)| scheme);
        if path.is_empty() || path.starts_with("file:") || scheme.is_some() {
            let what = scheme.unwrap_or("file:");
            return Err(Error::invalid(format!(
                "{what} is not a URL form of this library: give a path, sqlite:PATH, :memory: or postgresql://…"
            )));
        }
        if url.starts_with("sqlite:") && path.contains('?') {
            return Err(Error::invalid(
                "a sqlite: URL takes no ?parameters: set options instead, and give a path with a ? in it without sqlite:",
            ));
        }
        Ok(Self::File(PathBuf::from(path)))
    }
}

/// Whether it is `host=… dbname=…`, PostgreSQL's other form: its first word is one that says where the server is or who asks.
fn is_key_value(url: &str) -> bool {
    let first = url.split_once('=').map(|(key, _)| key.trim().to_ascii_lowercase());
    first.is_some_and(|key| {
        matches!(
            key.as_str(),
            "host" | "hostaddr" | "port" | "dbname" | "user" | "password" | "sslmode" | "application_name"
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn waits_without_end_are_refused() {
        let endless = Duration::MAX;
        for options in [
            Options { call_timeout: endless, ..Options::default() },
            Options { busy_timeout: endless, ..Options::default() },
        ] {
            assert_eq!(options.check().unwrap_err().code(), crate::ErrorCode::InvalidArgument);
        }
    }

    #[test]
    fn url_forms() {
        assert_eq!(Location::parse("app.db").unwrap(), Location::File("app.db".into()));
        assert_eq!(Location::parse("sqlite:app.db").unwrap(), Location::File("app.db".into()));
        assert_eq!(Location::parse("sqlite:///tmp/app.db").unwrap(), Location::File("/tmp/app.db".into()));
        assert_eq!(Location::parse(":memory:").unwrap(), Location::Memory);
        assert_eq!(Location::parse("sqlite::memory:").unwrap(), Location::Memory);
        assert!(matches!(Location::parse("postgresql://u@h/d").unwrap(), Location::Postgres(_)));
        for key_value in ["host=h dbname=d password=p", "dbname = d"] {
            assert_eq!(Location::parse(key_value).unwrap(), Location::Postgres(key_value.to_owned()));
        }
        assert_eq!(Location::parse("./host=h").unwrap(), Location::File("./host=h".into()));
        for bad in ["", "mysql://h/d", "file:app.db?mode=ro", "sqlite:app.db?mode=ro", "sqlite:", "a\0b"] {
            assert_eq!(Location::parse(bad).unwrap_err().code(), crate::ErrorCode::InvalidArgument, "{bad:?}");
        }
    }
}
