//! Removes runs that ended long ago, with all that is theirs (DESIGN.md §5 "prune").

use std::time::Duration;

use super::Runs;
use super::binds::Binds;
use super::lease::{by_index, micros};
use super::record::{OUTPUT_KIND, subject};
use super::requests::Prune;
use super::state::RunState;
use crate::db::{Dialect, Value};
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
        let sql = match dialect {
            // By the ids alone, or the planner goes through all that ended; it is the statement of the only writer there is.
            Dialect::Sqlite => format!("DELETE FROM sprongus_runs WHERE id IN ({old}) RETURNING id, version"),
            // Looked at again where it is deleted, for a retry by hand may have come between; as a truth no index knows.
            Dialect::Postgres => format!(
                "WITH old AS MATERIALIZED ({old} FOR UPDATE SKIP LOCKED) DELETE FROM sprongus_runs \
                 WHERE id = ANY (ARRAY (SELECT id FROM old)) AND ({ended}) IS TRUE RETURNING id, version"
            ),
        };
        let rows = work.query(&sql, binds.values())?;
        let gone = rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect::<Result<Vec<_>>>()?;
        if !gone.is_empty() {
            remove_events(work, &gone)?;
            remove_what_was_theirs(work, &gone)?;
        }
        Ok(i64::try_from(gone.len()).unwrap_or(i64::MAX))
    }
}

/// Their events, 1 to the run's version.
pub(super) fn remove_events(work: &mut Work<'_>, runs: &[(String, i64)]) -> Result<()> {
    if work.dialect() == Dialect::Sqlite {
        let mut binds = Binds::default();
        let subjects = binds.list(runs.iter().map(|(run, _)| subject(run)));
        return work
            .execute(&format!("DELETE FROM sprongus_events WHERE subject IN {subjects}"), binds.values())
            .map(drop);
    }
    // By the whole key: that it is unique the planner knows of a table that was never analyzed, too.
    let keys =
        runs.iter().flat_map(|(run, version)| (1..=*version).map(|seq| (Value::from(subject(run)), Value::from(seq))));
    let (subjects, seqs) = keys.unzip();
    let sql = "DELETE FROM sprongus_events AS e USING unnest($1::text[], $2::bigint[]) AS gone (subject, seq) \
               WHERE e.subject = gone.subject AND e.seq = gone.seq";
    work.execute(sql, &[Value::Array(subjects), Value::Array(seqs)]).map(drop)
}

/// Their steps, approvals and outputs. What merely names a run keeps its name: a child its parent, an inbox entry the run of
/// its message, so that a message stays known.
pub(super) fn remove_what_was_theirs(work: &mut Work<'_>, runs: &[(String, i64)]) -> Result<()> {
    let output = format!(" AND kind = '{OUTPUT_KIND}'");
    for (table, more) in [("sprongus_run_steps", ""), ("sprongus_approvals", ""), ("sprongus_artifacts", &output)] {
        let mut binds = Binds::default();
        let ids = binds.list(runs.iter().map(|(run, _)| run.as_str()));
        work.execute(&format!("DELETE FROM {table} WHERE run_id IN {ids}{more}"), binds.values())?;
    }
    Ok(())
}
