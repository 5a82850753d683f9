//! Removes runs that ended long ago, with all that is theirs (DESIGN.md §5 "prune").

use std::time::Duration;

use super::Runs;
use super::binds::Binds;
use super::lease::{by_index, micros};
use super::record::{OUTPUT_KIND, subject};
use super::requests::Prune;
use super::state::RunState;
use crate::db::Dialect;
use crate::error::Result;
use crate::page::check_limit;
use crate::scope::Scope;
use crate::session::{Work, present};

/// The most runs of one call.
const MOST: i64 = 10_000;
/// Runs of one commit: others wait for the writer no longer than that takes.
const BATCH: i64 = 200;

impl Runs<'_> {
    pub(super) fn do_prune(&self, request: &Prune) -> Result<i64> {
        self.session.allow(Scope::RunsWrite)?;
        check_limit(request.limit, MOST)?;
        micros("succeededAfter", request.succeeded_after)?;
        micros("failedAfter", request.failed_after)?;
        let mut removed = 0;
        for state in RunState::ALL.into_iter().filter(|state| state.is_final()) {
            let age = if state == RunState::Succeeded { request.succeeded_after } else { request.failed_after };
            while removed < request.limit {
                let batch = BATCH.min(request.limit - removed);
                let gone = self.session.write(|work| self.remove(work, state, age, batch))?;
                removed += gone;
                if gone < batch {
                    break;
                }
            }
        }
        Ok(removed)
    }

    /// Removes up to `limit` runs that have been in that state for so long, the oldest first.
    fn remove(&self, work: &mut Work<'_>, state: RunState, age: Duration, limit: i64) -> Result<i64> {
        let dialect = work.dialect();
        let options = work.options();
        let until = present(work.exec(), options)?.saturating_sub(age);
        let mut binds = Binds::default();
        let ended = format!("state = '{state}' AND finished_at <= {}", binds.add(until));
        let (index, of_project) = match self.session.confined() {
            Some(project) => ("finished_project", format!(" AND project_id = {}", binds.add(project))),
            None => ("finished", String::new()),
        };
        let (table, limit) = (by_index(dialect, index), binds.add(limit));
        let old = format!("SELECT id FROM {table} WHERE {ended}{of_project} ORDER BY finished_at, id LIMIT {limit}");
        // Looked at again where it is deleted: a retry by hand may have come between.
        let sql = match dialect {
            Dialect::Sqlite => format!("DELETE FROM sprongus_runs WHERE id IN ({old}) AND {ended} RETURNING id"),
            Dialect::Postgres => format!(
                "WITH old AS MATERIALIZED ({old} FOR UPDATE SKIP LOCKED) DELETE FROM sprongus_runs \
                 WHERE id = ANY (ARRAY (SELECT id FROM old)) AND {ended} RETURNING id"
            ),
        };
        let rows = work.query(&sql, binds.values())?;
        let gone = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
        if !gone.is_empty() {
            remove_what_was_theirs(work, &gone)?;
        }
        Ok(i64::try_from(gone.len()).unwrap_or(i64::MAX))
    }
}

/// Their events, steps, approvals and outputs. What merely names a run keeps its name: a child its parent, an inbox entry the
/// run of its message, so that a message stays known.
fn remove_what_was_theirs(work: &mut Work<'_>, runs: &[String]) -> Result<()> {
    let subjects: Vec<String> = runs.iter().map(|run| subject(run)).collect();
    let output = format!(" AND kind = '{OUTPUT_KIND}'");
    for (table, column, names, more) in [
        ("sprongus_events", "subject", &subjects[..], ""),
        ("sprongus_run_steps", "run_id", runs, ""),
        ("sprongus_approvals", "run_id", runs, ""),
        ("sprongus_artifacts", "run_id", runs, &output),
    ] {
        let mut binds = Binds::default();
        let names = binds.list(names.iter().map(String::as_str));
        work.execute(&format!("DELETE FROM {table} WHERE {column} IN {names}{more}"), binds.values())?;
    }
    Ok(())
}
