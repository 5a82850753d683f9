//! The figures of the queue, at a cost that finished runs do not add to (DESIGN.md §5 "stats").

use std::collections::BTreeMap;
use std::time::Duration;

use super::Runs;
use super::binds::Binds;
use super::figures::RunStats;
use super::lane::{by_kind, queued};
use super::lease::{by_index, lease_micros, ready};
use super::requests::RunStatsOf;
use super::state::RunState;
use crate::clock::Timestamp;
use crate::db::{Executor, Row};
use crate::error::Result;
use crate::scope::Scope;
use crate::session::present;

/// The most runs of each final state that are looked at, the newest.
const SAMPLE: usize = 10_000;

impl Runs<'_> {
    pub(super) fn do_stats(&self, request: &RunStatsOf) -> Result<RunStats> {
        self.session.allow(Scope::RunsRead)?;
        let project = self.session.project(request.project.as_deref())?;
        lease_micros("window", request.window)?;
        self.session.read_snapshot(|exec| {
            let now = present(exec, self.session.options())?;
            let mut figures = Figures::default();
            for row in live(exec, project, now)? {
                figures.add_live(&row)?;
            }
            for row in ended(exec, project, now.saturating_sub(request.window))? {
                figures.add_ended(&row)?;
            }
            Ok(figures.told(now, request.window))
        })
    }
}

/// The live runs counted by state and kind, some pairs more than once: state, kind, count, and when the oldest due one became
/// due.
///
/// What is queued may be much: it is counted from the indexes of claims, without a look at the runs themselves.
fn live(exec: &mut dyn Executor, project: Option<&str>, now: Timestamp) -> Result<Vec<Row>> {
    let mut binds = Binds::default();
    let now = binds.add(now);
    // Not by the index of projects, which holds all that has ended as well.
    let of_project =
        project.map_or_else(String::new, |project| format!(" AND coalesce(project_id, '') = {}", binds.add(project)));
    let dialect = exec.dialect();
    let later = format!("state = 'queued' AND {}", ready(dialect, false));
    let queued = [(by_kind(false), queued(dialect, false)), (by_kind(true), queued(dialect, true)), ("later", &later)];
    let mut parts: Vec<String> = queued
        .iter()
        .map(|(index, queued)| {
            let table = by_index(dialect, index);
            format!(
                "SELECT 'queued' AS state, kind, count(*), min(CASE WHEN run_at <= {now} THEN run_at END) FROM {table} \
                 WHERE {queued}{of_project} GROUP BY kind"
            )
        })
        .collect();
    parts.push(format!(
        "SELECT state, kind, count(*), NULL FROM sprongus_runs \
         WHERE state IN ('awaiting_approval', 'dispatching', 'running'){of_project} GROUP BY state, kind"
    ));
    exec.query(&parts.join(" UNION ALL "), binds.values())
}

/// The runs that ended since then, of each state the newest and one more: state, kind, `run_at`, start and end.
fn ended(exec: &mut dyn Executor, project: Option<&str>, since: Timestamp) -> Result<Vec<Row>> {
    let mut binds = Binds::default();
    let since = binds.add(since);
    let (index, of_project) = match project {
        Some(project) => ("finished_project", format!("project_id = {} AND ", binds.add(project))),
        None => ("finished", String::new()),
    };
    let table = by_index(exec.dialect(), index);
    let part = |state: &RunState| {
        format!(
            "SELECT * FROM (SELECT state, kind, run_at, started_at, finished_at FROM {table} WHERE {of_project}\
             state = '{state}' AND finished_at >= {since} ORDER BY finished_at DESC, id DESC LIMIT {}) AS part",
            SAMPLE + 1
        )
    };
    let parts: Vec<String> = RunState::ALL.iter().filter(|state| state.is_final()).map(part).collect();
    exec.query(&parts.join(" UNION ALL "), binds.values())
}

/// What is gathered of the rows.
#[derive(Default)]
struct Figures {
    by_state: BTreeMap<RunState, usize>,
    by_kind: BTreeMap<String, BTreeMap<String, i64>>,
    oldest_due: Option<Timestamp>,
    waits: Vec<Duration>,
    runs: Vec<Duration>,
    sampled: bool,
}

impl Figures {
    fn add_live(&mut self, row: &Row) -> Result<()> {
        let count = row.int(2)?;
        self.count(RunState::parse(&row.text(0)?)?, row.text(1)?, count);
        let due = row.opt_time(3)?;
        self.oldest_due = self.oldest_due.into_iter().chain(due).min();
        Ok(())
    }

    fn add_ended(&mut self, row: &Row) -> Result<()> {
        let state = RunState::parse(&row.text(0)?)?;
        if self.by_state.get(&state).is_some_and(|seen| *seen >= SAMPLE) {
            self.sampled = true;
            return Ok(());
        }
        self.count(state, row.text(1)?, 1);
        if let Some(started) = row.opt_time(3)? {
            self.waits.push(started.since(row.time(2)?));
            self.runs.push(row.time(4)?.since(started));
        }
        Ok(())
    }

    fn count(&mut self, state: RunState, kind: String, count: i64) {
        *self.by_state.entry(state).or_default() += usize::try_from(count).unwrap_or(0);
        *self.by_kind.entry(kind).or_default().entry(state.to_string()).or_default() += count;
    }

    fn told(mut self, now: Timestamp, window: Duration) -> RunStats {
        let of =
            |state: RunState| self.by_state.get(&state).map_or(0, |count| i64::try_from(*count).unwrap_or(i64::MAX));
        let succeeded = of(RunState::Succeeded);
        let by_themselves = succeeded + of(RunState::Failed) + of(RunState::TimedOut);
        RunStats {
            by_state: RunState::ALL.iter().map(|state| (state.to_string(), of(*state))).collect(),
            oldest_due_age: self.oldest_due.map(|due| now.since(due).as_secs_f64()),
            success_rate: (by_themselves > 0).then(|| succeeded as f64 / by_themselves as f64),
            by_kind: std::mem::take(&mut self.by_kind),
            wait: quantiles(self.waits),
            run: quantiles(self.runs),
            window: window.as_secs_f64(),
            sampled: self.sampled,
        }
    }
}

/// By nearest rank: each is a time that was measured.
fn quantiles(mut times: Vec<Duration>) -> BTreeMap<String, f64> {
    times.sort_unstable();
    let rank = |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1));
    [50, 95, 99].iter().filter_map(|p| Some((format!("p{p}"), rank(*p)?.as_secs_f64()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_nearest_ranks() {
        let of = |times: &[u64]| {
            let told = quantiles(times.iter().map(|time| Duration::from_secs(*time)).collect());
            ["p50", "p95", "p99"].map(|name| told.get(name).copied())
        };
        assert_eq!(of(&[]), [None; 3]);
        assert_eq!(of(&[7]), [Some(7.0); 3]);
        assert_eq!(of(&[4, 2]), [Some(2.0), Some(4.0), Some(4.0)]);
        let hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!(of(&hundred), [Some(50.0), Some(95.0), Some(99.0)]);
    }
}
