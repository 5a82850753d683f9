//! Where a table can be synced with: what every provider offers, and those that come along.

#[cfg(feature = "notion")]
#[allow(dead_code)] // until the registry knows it
pub(crate) mod notion;

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// What a provider can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Its documents can be pulled.
    pub read: bool,
    /// Changes can be pushed to it.
    pub write: bool,
}

/// What is pushed: documents with their `id`, and ids.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Entries the source does not have.
    pub created: Vec<Map<String, Value>>,
    /// Entries it has otherwise: whole documents.
    pub updated: Vec<Map<String, Value>>,
    /// Ids of entries it is to lose.
    pub deleted: Vec<String>,
}

/// Documents of a source, as they come; one may carry `id` and `lastUpdated`.
pub type Pulled<'p> = Box<dyn Iterator<Item = Result<Value>> + 'p>;

/// A source of documents outside the store (DESIGN.md §7 "Sync"). No transaction of ours is open while it works.
///
/// An error that is `retryable` lets the sync's run be tried again.
pub trait Provider: Send {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Every document it has for that table.
    ///
    /// # Errors
    /// What keeps it from being read.
    fn pull(&mut self, project: &str, table: &str) -> Result<Pulled<'_>>;

    /// Changes it. Called again with the same changes after a failure, it does nothing twice.
    ///
    /// # Errors
    /// What keeps it from being written.
    fn push(&mut self, project: &str, table: &str, changes: &Changes) -> Result<()> {
        let _ = (project, table, changes);
        Err(Error::new(crate::ErrorCode::Unsupported, "this provider cannot be written"))
    }
}

/// Makes a provider from a profile's config, in which secrets are resolved.
pub type Factory = dyn Fn(&Map<String, Value>) -> Result<Box<dyn Provider>> + Send + Sync;
