//! Takes the runs that were picked: they are a worker's then, with an event each.

use std::time::Duration;

use serde_json::Map;

use super::binds::Binds;
use super::candidates::{Lanes, candidates};
use super::change::Part;
use super::claim::{Claiming, Taken, event_ids};
use super::insert::ids;
use super::lease;
use super::model::{COLUMNS, Run, WIDTH, read_run};
use super::picked::{self, Picked, pick};
use super::record::{Each, INSERT, Told, signal};
use super::state::{RunState, Step};
use super::sweep::{Looking, Looks};
use super::timeouts;
use crate::db::{Dialect, Value};
use crate::error::Result;
use crate::session::Work;

/// PostgreSQL: looks and takes in one statement, of which a report may be the first part.
pub(super) fn take_where_looks<'b>(
    work: &mut Work<'_>,
    mut looking: Looking<'b>,
    events: &[String],
    report: Option<Part>,
) -> Result<Taken> {
    let claiming = looking.claiming;
    let looks = Looks { report, ..Looks::of(&mut looking) };
    let picked = candidates(looking.dialect, &mut looking.binds, claiming, &Lanes::Open(&[]));
    take_picked(work, claiming, events, looking.binds, &picked, Some(&looks))
}

pub(super) fn take(
    work: &mut Work<'_>,
    claiming: &Claiming<'_>,
    lanes: &Lanes<'_>,
    events: &[String],
) -> Result<Vec<Run>> {
    let mut binds = Binds::default();
    let picked = candidates(work.dialect(), &mut binds, claiming, lanes);
    take_picked(work, claiming, events, binds, &picked, None).map(Taken::runs)
}

/// Takes one run by its id, if it is queued, whatever is before it in the order of claims.
pub(super) fn take_named(work: &mut Work<'_>, claiming: &Claiming<'_>, id: &str) -> Result<Option<Run>> {
    let mut binds = Binds::default();
    let columns = match work.dialect() {
        Dialect::Sqlite => picked::columns(),
        Dialect::Postgres => "id".to_owned(),
    };
    let picked =
        format!("SELECT {columns} FROM sprongus_runs WHERE id = {} AND state = 'queued'", binds.add(id.to_owned()));
    let taken = take_picked(work, claiming, &event_ids(claiming), binds, &picked, None)?;
    Ok(taken.runs().into_iter().next())
}

/// Takes what the SELECT of [`candidates`] picks; on PostgreSQL only where the looks, if there are any, find nothing to be done.
pub(super) fn take_picked<'b>(
    work: &mut Work<'_>,
    claiming: &'b Claiming<'_>,
    events: &[String],
    mut binds: Binds<'b>,
    picked: &str,
    looks: Option<&Looks>,
) -> Result<Taken> {
    let request = claiming.request;
    let step = if request.dispatch { Step::Dispatch } else { Step::Claim };
    let Some(to) = step.from(RunState::Queued) else { return Ok(Taken::Runs(Vec::new())) };
    let told = Told {
        kind: step.event(),
        from: Some(RunState::Queued),
        to,
        actor: Some(&request.worker_id),
        more: Map::new(),
    };
    let mut runs = match work.dialect() {
        Dialect::Sqlite => {
            let mut picked = pick(work, picked, binds.values(), |_| true)?;
            take_in_steps(work, claiming, &mut picked, to)?;
            told.append_all(work, &picked.runs)?;
            picked.runs
        }
        Dialect::Postgres => {
            let now = binds.now(work);
            let sets = assignments(work, &mut binds, claiming, to, &now);
            match take_at_once(work, binds, (picked, looks), &sets, &told, events)? {
                Taken::Runs(runs) => runs,
                todo => return Ok(todo),
            }
        }
    };
    if !runs.is_empty() {
        signal(work, to);
    }
    in_order(&mut runs);
    Ok(Taken::Runs(runs))
}

/// SQLite: as [`assignments`], and the same of the runs that were picked.
fn take_in_steps(work: &mut Work<'_>, claiming: &Claiming<'_>, picked: &mut Picked, to: RunState) -> Result<()> {
    let (clock, worker, micros) = (&work.options().clock, &claiming.request.worker_id, claiming.micros);
    let (at, mono) = (clock.now(), clock.monotonic());
    let until = at.saturating_add(Duration::from_micros(micros.unsigned_abs()));
    let started = (to == RunState::Running).then_some(at);
    let mut binds = Binds::default();
    let sets = [
        ("claimed_by", worker.into()),
        ("claimed_at", at.into()),
        ("started_at", started.into()),
        ("updated_at", at.into()),
        ("lease_us", micros.into()),
        ("lease_until", until.into()),
        ("lease_mono", mono.saturating_add(micros).into()),
        ("lease_boot", clock.boot_id().to_string().into()),
    ];
    let sets = sets.map(|(column, value): (&str, Value<'_>)| format!("{column} = {}", binds.add(value))).join(", ");
    let sets = format!(
        "state = '{to}', ready = FALSE, attempt = attempt + 1, lease = lease + 1, version = version + 1, reported = NULL, \
         timeout_mono = {} + timeout_us, {sets}",
        binds.add(mono)
    );
    picked::write(work, picked, &sets, binds)?;
    for run in &mut picked.runs {
        (run.state, run.state_code) = (to, to.code(false));
        (run.attempt, run.lease, run.version) = (run.attempt + 1, run.lease + 1, run.version + 1);
        (run.claimed_by, run.lease_until) = (Some(worker.clone()), Some(until));
        (run.claimed_at, run.started_at, run.updated_at) = (Some(at), started, at);
    }
    Ok(())
}

/// PostgreSQL: a crash counts, so the attempt rises here, and the lease with it.
fn assignments<'b>(
    work: &Work<'_>,
    binds: &mut Binds<'b>,
    claiming: &'b Claiming<'_>,
    to: RunState,
    now: &str,
) -> String {
    let started = if to == RunState::Running { now } else { "NULL" };
    let worker = binds.add(&claiming.request.worker_id);
    let length = binds.add(claiming.micros);
    let lease = lease::extended(work, binds, claiming.micros);
    let timeout = timeouts::from_now(work, binds);
    format!(
        "state = '{to}', ready = FALSE, attempt = attempt + 1, lease = lease + 1, claimed_by = {worker}, claimed_at = {now}, \
         started_at = {started}, reported = NULL, lease_us = {length}, {lease}, {timeout}, version = version + 1, updated_at = {now}"
    )
}

/// PostgreSQL: the rows are locked behind a fence, so that the planner cannot lock more than it takes; none is where there
/// is something to be done first.
fn take_at_once<'b>(
    work: &mut Work<'_>,
    mut binds: Binds<'b>,
    (picked, looks): (&str, Option<&Looks>),
    sets: &str,
    told: &Told<'_>,
    events: &[String],
) -> Result<Taken> {
    let ids = ids(&mut binds, events);
    let tell = told.select_each(work, &mut binds, &Each { ids: &ids, ..Each::default() })?;
    let before = looks.and_then(|looks| looks.report.as_ref());
    let before = before.map(|part| format!("{} UNION ALL ", part.tell)).unwrap_or_default();
    let (look, these, given) = match looks {
        None => (String::new(), "ARRAY (SELECT id FROM picked)".to_owned(), format!("{COLUMNS} FROM run")),
        Some(looks) => (
            format!("{}look AS MATERIALIZED ({}), ", looks.before(), looks.select()),
            format!("CASE WHEN (SELECT {} FROM look) THEN '{{}}' ELSE ARRAY (SELECT id FROM picked) END", looks.any()),
            format!("{COLUMNS}, {} FROM look LEFT JOIN run ON TRUE", looks.names()),
        ),
    };
    let sql = format!(
        "WITH {look}picked AS MATERIALIZED ({picked}), run AS (UPDATE sprongus_runs SET {sets} \
         WHERE id = ANY ({these}) RETURNING {COLUMNS}), event AS ({INSERT} {before}{tell}) SELECT {given} ORDER BY id"
    );
    let mut rows = work.query(&sql, binds.values())?;
    if let (Some(looks), Some(first)) = (looks, rows.first()) {
        looks.note(work, first, WIDTH)?;
        let todo = looks.read(first, WIDTH)?;
        if !todo.is_empty() {
            return Ok(Taken::Todo(todo));
        }
        // A look that finds nothing, beside no run.
        rows.retain(|row| row.values().first().is_some_and(|id| !id.is_null()));
    }
    let runs: Vec<Run> = rows.into_iter().map(read_run).collect::<Result<_>>()?;
    told.note_all(work, &runs, events)?;
    Ok(Taken::Runs(runs))
}

/// The order of claims.
pub(super) fn in_order(runs: &mut [Run]) {
    runs.sort_by(|a, b| (b.priority, a.run_at, &a.id).cmp(&(a.priority, b.run_at, &b.id)));
}
