//! Puts a run into the queue: its row and its event.

mod at_once;
mod in_steps;

use super::binds::Binds;
use super::model::Run;
use super::ready::Ready;
use super::record::signal;
use crate::db::{Dialect, Value};
use crate::error::Result;
use crate::session::Work;

/// Whether the input of a run that is written was held against the preset of its kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Judged {
    /// It passed, or there was no preset.
    Valid,
    /// Nobody looked: it is written only if no preset is bound.
    NoPreset,
}

/// Writes the run with its event, unless its key is taken or its preset is to be asked. One statement on PostgreSQL.
///
/// A rival that holds the key and has not committed is waited for: where it rolls back, this one is the first. `unheard_of`:
/// its id was never sent to the database, so that without a key it cannot be there.
pub(super) fn insert(work: &mut Work<'_>, ready: &Ready<'_>, judged: Judged, unheard_of: bool) -> Result<Option<Run>> {
    let run = match work.dialect() {
        Dialect::Sqlite => in_steps::insert(work, ready, judged)?,
        Dialect::Postgres => at_once::insert(work, ready, judged, unheard_of)?,
    };
    if let Some(run) = &run {
        signal(work, run.state);
    }
    Ok(run)
}

/// SQL: the ids of the events of the rows of `run`, which get them in their order.
pub(super) fn ids(binds: &mut Binds<'_>, events: &[String]) -> String {
    match events {
        // Numbering rows is a step of its own for the server.
        [one] => format!("{}::text", binds.add(one.clone())),
        many => {
            let marks = binds.add(Value::Array(many.iter().cloned().map(Value::from).collect()));
            format!("({marks}::text[])[row_number() OVER (ORDER BY id)]")
        }
    }
}
