//! What is asked of a table of documents: the same of ours and of the one by hand.

use serde_json::{Map, Value};

/// Each call is one commit, with its event.
pub(crate) trait Entries {
    /// A new document, which holds its id.
    fn create(&mut self, document: Map<String, Value>);

    /// The whole document anew; the one before is kept as a version.
    fn replace(&mut self, document: Map<String, Value>);

    /// The length of its text.
    fn entry(&mut self, id: &str) -> usize;
}
