//! Where a table can be synced with: what every provider offers, and those that come along.

mod files;
#[cfg(feature = "notion")]
pub(crate) mod notion;
mod registry;

use serde_json::{Map, Value};

use crate::error::{Error, Result, Violation};

pub(crate) use registry::register;
pub(super) use registry::{Opened, open};

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

impl Changes {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.created.len() + self.updated.len() + self.deleted.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Documents of a source, as they come; one may carry `id` and `lastUpdated` (RFC 3339).
///
/// A document without an id is named by its content: changed, it is another one. An error of [`bad_document`] is about that
/// document alone, which is listed and passed over; any other error ends the sync, and nothing of the pull is applied.
pub type Pulled<'p> = Box<dyn Iterator<Item = Result<Value>> + 'p>;

/// A source of documents outside the store (DESIGN.md §7 "Sync"). No transaction of ours is open while it works.
///
/// Made anew for each sync. What it fails with ends the sync's run as failed, where a worker works it only if another attempt
/// cannot help: `invalid_argument`, `validation`, `unsupported` and the like. Whatever else is tried again.
pub trait Provider: Send {
    /// What it can do; asked once, before anything else.
    fn capabilities(&self) -> Capabilities;

    /// Every document it has for that table: one that is missing was deleted there. Not asked of one that cannot be read.
    ///
    /// # Errors
    /// What keeps it from being read.
    fn pull(&mut self, project: &str, table: &str) -> Result<Pulled<'_>>;

    /// Changes it. Called again with the same changes after a failure, it does nothing twice: a document that is there is
    /// replaced, one that is not there is made under its id, deleting what is gone is nothing. Many changes come in several
    /// calls. Not asked of one that cannot be written.
    ///
    /// # Errors
    /// What keeps it from being written.
    fn push(&mut self, project: &str, table: &str, changes: &Changes) -> Result<()> {
        let _ = (project, table, changes);
        Err(Error::new(crate::ErrorCode::Unsupported, "this provider cannot be written"))
    }
}

/// Makes a provider from a profile's config, in which secrets are resolved. No transaction of ours is open while it works.
pub type Factory = dyn Fn(&Map<String, Value>) -> Result<Box<dyn Provider>> + Send + Sync;

/// What a pull gives in the place of a document that cannot be read, the `row`th of the pull, from 1: `error` tells why. The
/// pull goes on after it.
pub fn bad_document(row: u64, error: &Error) -> Error {
    let mut violations = error.violations_list();
    if violations.is_empty() {
        violations.push(Violation::new("", error.code().as_str(), error.message()));
    }
    Error::validation(violations.into_iter().map(|one| Violation { row: Some(row), ..one }).collect())
}

/// What is wrong with one document of a pull; none where the error ends the pull.
pub(super) fn of_document(error: &Error) -> Option<Vec<Violation>> {
    let violations = error.violations_list();
    let one = error.code() == crate::ErrorCode::Validation && !violations.is_empty();
    (one && violations.iter().all(|violation| violation.row.is_some())).then_some(violations)
}
