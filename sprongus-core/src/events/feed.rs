//! The feed of all events: a cursor that skips nothing (DESIGN.md §5 "Events").

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::filter::Filter;
use super::look::look;
use super::positions::{Given, Turn, give, last};
use super::{Event, cursor};
use crate::error::Result;
use crate::page::{MAX_LIMIT, check_limit};
use crate::session::Session;

/// Asks for the events after a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadEvents {
    /// The `cursor` of the batch before, whatever that one asked for; none: from the beginning.
    #[serde(default)]
    pub after: Option<String>,
    /// Of these types; `aux.*` is all that begin with `aux.`. None: all that the handle may read.
    #[serde(default)]
    pub types: Option<Vec<String>>,
    /// Of that project; none: a scoped handle's own, else all.
    #[serde(default)]
    pub project: Option<String>,
    /// At most so many, 0 to 1,000.
    #[serde(default = "hundred")]
    pub limit: i64,
}

impl Default for ReadEvents {
    fn default() -> Self {
        Self { after: None, types: None, project: None, limit: hundred() }
    }
}

fn hundred() -> i64 {
    100
}

/// Events, and the position after them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventBatch {
    /// In the order of their commits, as near as readers can tell: each subject's in the order of its `seq`.
    pub items: Vec<Event>,
    /// To be passed as the next `after`; always given. One that differs from the `after` that was passed says that there may
    /// be more, also where nothing of what was looked at was asked for.
    pub cursor: String,
}

/// The feed of a store, or of an open transaction.
///
/// It is read by whoever may read something in it: `runs:read` shows `run.*`, `aux:read` shows `aux.*`, `presets:read` shows
/// `preset.*`; a scoped handle sees those of its own project.
#[derive(Clone, Copy)]
pub struct Events<'s> {
    pub(super) session: Session<'s>,
}

impl<'s> Events<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    /// The events after a position, oldest first. Nothing that is ever committed is skipped, however commits overtake one
    /// another.
    ///
    /// One call looks at 10,000 events at most: of a rare type it may bring none, and a cursor that is further on. Read until
    /// the cursor stays where it is. Within a transaction it reads what is committed, and nothing of the transaction itself.
    ///
    /// Errors: `invalid_argument` (the cursor, a type, the limit), `permission_denied`.
    ///
    /// ```
    /// use sprongus::events::ReadEvents;
    /// use sprongus::runs::Enqueue;
    /// use sprongus::{Json, Options, Store};
    /// let store = Store::open(":memory:", Options::default())?;
    /// store.runs().enqueue(&Enqueue::new("mail.send", Json::null()))?;
    /// let batch = store.events().read(&ReadEvents::default())?;
    /// assert_eq!(batch.items[0].kind, "run.enqueued");
    /// let next = store.events().read(&ReadEvents { after: Some(batch.cursor.clone()), ..ReadEvents::default() })?;
    /// assert!(next.items.is_empty() && next.cursor == batch.cursor);
    /// # Ok::<(), sprongus::Error>(())
    /// ```
    pub fn read(&self, request: &ReadEvents) -> Result<EventBatch> {
        let filter = Filter::new(&self.session, request.types.as_deref(), request.project.as_deref())?;
        let limit = check_limit(request.limit, MAX_LIMIT)?;
        let found = look(self.session, &filter, cursor::position(request.after.as_deref())?, limit)?;
        let items = found.events.into_iter().map(|(_, event)| event).collect();
        Ok(EventBatch { items, cursor: cursor::text(found.until) })
    }

    /// The position after the last event there is: with it as `after`, a read brings only what is committed from now on.
    ///
    /// On PostgreSQL the events that nobody has read yet are numbered first, which takes its time after a long history without
    /// readers. Errors: `permission_denied`.
    pub fn position(&self) -> Result<String> {
        Filter::new(&self.session, None, None)?;
        Ok(cursor::text(self.end()?))
    }

    pub(super) fn end(&self) -> Result<i64> {
        while matches!(give(self.session, Turn::Wait)?, Given::UpTo { all: false, .. }) {}
        let end = self.session.read(|exec| {
            let rows = exec.query(&format!("SELECT {}", last(exec.dialect())), &[])?;
            rows.first().map_or(Ok(0), |row| row.int(0))
        })?;
        Ok(self.session.own_events_from().map_or(end, |own| end.min(own - 1)))
    }
}
