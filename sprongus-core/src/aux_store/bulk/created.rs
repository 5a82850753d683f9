//! Entries that were not there before, as they go into their table.

use std::borrow::Cow;

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
#[derive(Clone)]
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
    pub(super) fn values<'v>(&'v self, dialect: Dialect, row: Cow<'v, Judged>) -> Vec<Value<'v>> {
        let (id, payload, hash, search_text, summary): (Value<'v>, _, Value<'v>, Value<'v>, Value<'v>) = match row {
            Cow::Owned(row) => {
                (row.id.into(), Cow::Owned(row.payload), row.hash.into(), row.search_text.into(), row.summary.into())
            }
            Cow::Borrowed(row) => (
                row.id.as_str().into(),
                Cow::Borrowed(row.payload.as_str()),
                row.hash.as_slice().into(),
                row.search_text.as_str().into(),
                row.summary.as_str().into(),
            ),
        };
        vec![
            self.place.project.into(),
            self.place.table.into(),
            id,
            match dialect {
                Dialect::Sqlite => Value::Json(payload),
                Dialect::Postgres => document(dialect, payload.into_owned()),
            },
            hash,
            search_text,
            Value::Int(1),
            self.at.clone(),
            self.actor.as_str().into(),
            self.reason.as_deref().into(),
            summary,
        ]
    }
}
