//! Removes the runs of a project that is deleted, with all that is theirs.

use super::prune::{remove_events, remove_what_was_theirs};
use super::state::RunState;
use crate::db::Dialect;
use crate::error::Result;
use crate::events::Signal;
use crate::session::Work;

/// Runs of one statement.
const BATCH: i64 = 1_000;

/// Removes every run of a project, in whatever state; how many. Handlers of this process are told as of a cancel.
///
/// A run goes before what is its own: whoever changes it at the moment is waited for, and what they wrote goes too.
pub(crate) fn forget_project(work: &mut Work<'_>, project: &str) -> Result<i64> {
    let some = "SELECT id FROM sprongus_runs WHERE project_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2";
    let ids = match work.dialect() {
        Dialect::Sqlite => format!("id IN ({some})"),
        Dialect::Postgres => format!("id = ANY (ARRAY ({some}))"),
    };
    let sql = format!("DELETE FROM sprongus_runs WHERE {ids} RETURNING id, version, state");
    let mut removed = 0;
    loop {
        let mut gone = Vec::new();
        for row in work.query(&sql, &[project.into(), BATCH.into()])? {
            let id = row.text(0)?;
            if matches!(RunState::parse(&row.text(2)?)?, RunState::Dispatching | RunState::Running) {
                work.after.canceled.push(id.clone());
            }
            gone.push((id, row.int(1)?));
        }
        if gone.is_empty() {
            return Ok(removed);
        }
        remove_events(work, &gone)?;
        remove_what_was_theirs(work, &gone)?;
        removed += i64::try_from(gone.len()).unwrap_or(i64::MAX);
        // Whoever waits for one of them looks, and a kind may have room again.
        work.after.signals.extend([Signal::RunEnded, Signal::RunReady]);
    }
}
