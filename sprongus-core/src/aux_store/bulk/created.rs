//! Entries that were not there before, as they go into their table.

use super::spool::Judged;
use super::stage::document;
use crate::aux_store::rows::Place;
use crate::db::{Dialect, Value};
use crate::session::Work;

pub(super) const COLUMNS: [&str; 11] = [
    "project_id",
    "table_name",
    "id",
    "payload",
    "hash",
    "search_text",
    "version",
    "last_updated",
    "actor",
    "reason",
    "change_summary",
];

/// What all rows of a call have alike.
pub(super) struct Common<'p> {
    place: Place<'p>,
    pub(super) at: Value<'static>,
    pub(super) actor: String,
    pub(super) reason: Option<String>,
}

impl<'p> Common<'p> {
    pub(super) fn new(work: &Work<'_>, place: Place<'p>, at: Value<'static>) -> Self {
        let who = work.who();
        let reason = who.reason.as_ref().map(|reason| reason.to_string());
        Self { place, at, actor: who.actor.to_string(), reason }
    }

    /// A row as its first version: the values of the [`COLUMNS`].
    pub(super) fn values(&self, dialect: Dialect, row: Judged) -> Vec<Value<'static>> {
        vec![
            self.place.project.to_owned().into(),
            self.place.table.to_owned().into(),
            row.id.into(),
            document(dialect, row.payload),
            row.hash.into(),
            row.search_text.into(),
            Value::Int(1),
            self.at.clone(),
            self.actor.clone().into(),
            self.reason.clone().into(),
            row.summary.into(),
        ]
    }
}
