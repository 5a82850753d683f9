//! What a store's options say to PostgreSQL.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::options::Interrupt;

/// Prepended (`SET LOCAL`) to work that is not bounded by `call_timeout`; waiting for a lock stays bounded.
pub(crate) const UNBOUNDED: &str = "SET LOCAL statement_timeout = 0";

/// The options that concern PostgreSQL.
#[derive(Clone)]
pub(crate) struct PostgresSettings {
    /// Connections for the host's calls, at most.
    pub(crate) pool_size: u32,
    /// Connections for workers, at most.
    pub(crate) worker_pool_size: u32,
    /// Whether statements stay prepared; off behind a transaction-mode pooler, where nothing is left in a session.
    pub(crate) statement_cache: bool,
    /// The longest wait: for a connection, a lock, an answer.
    pub(crate) call_timeout: Duration,
    /// The schema of our tables; the role's `search_path` where there is none.
    pub(crate) schema: Option<String>,
    /// Where to listen for the commits of others, if not where the connections of the pools come from.
    pub(crate) listen_url: Option<String>,
    /// Whether nothing is ever written; standbys are taken then.
    pub(crate) read_only: bool,
    /// What `pg_stat_activity` shows.
    pub(crate) application_name: &'static str,
    /// Asked while a call waits for an answer.
    pub(crate) asked: Asked,
}

/// The host's interrupt, if it has one.
#[derive(Clone, Default)]
pub(crate) struct Asked(pub(crate) Option<Interrupt>);

impl Asked {
    pub(super) fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// Whether the wait is to end now.
    pub(super) fn now(&self) -> bool {
        self.0.as_ref().is_some_and(|asked| asked())
    }
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Asked").field(&self.is_some()).finish()
    }
}

impl PostgresSettings {
    /// Refuses a schema name that would need more than quotes.
    pub(super) fn check(&self) -> Result<()> {
        let Some(schema) = &self.schema else { return Ok(()) };
        let mut bytes = schema.bytes();
        let starts = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        if starts && schema.len() <= 63 && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Ok(());
        }
        Err(Error::invalid("a schema name is 1 to 63 letters, digits and underscores, and does not start with a digit"))
    }

    /// The session's settings, for the session (`SET`) or the transaction (`SET LOCAL`). No statement of ours runs for as long
    /// as the server would take to compile it.
    pub(super) fn set(&self, set: &str) -> String {
        let millis = self.call_timeout.as_millis().clamp(1, i32::MAX as u128);
        let mut sql = format!(
            "{set} statement_timeout = {millis}; {set} lock_timeout = {millis}; {set} timezone = 'UTC'; \
             {set} datestyle = 'ISO, YMD'; {set} intervalstyle = 'iso_8601'; {set} bytea_output = 'hex'; \
             {set} extra_float_digits = 1; {set} standard_conforming_strings = on; {set} jit = off"
        );
        if let Some(schema) = &self.schema {
            sql.push_str(&format!("; {set} search_path = \"{schema}\""));
        }
        if set == "SET" {
            let read_only = if self.read_only { "on" } else { "off" };
            sql.push_str(&format!(
                "; SET default_transaction_isolation = 'read committed'; SET default_transaction_read_only = {read_only}"
            ));
        }
        sql
    }
}
