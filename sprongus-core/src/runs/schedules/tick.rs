//! Enqueues the runs of slots that have come: one per slot, however many hosts tick.

use super::model::{Overlap, Tick};
use super::rows::{COLUMNS, Stored, read_stored};
use super::slots::Due;
use super::{Schedules, run_of};
use crate::clock::Timestamp;
use crate::db::Dialect;
use crate::error::Result;
use crate::page::{MAX_LIMIT, check_limit};
use crate::runs::binds::Binds;
use crate::runs::outlook::Moment;
use crate::runs::sweep::{Chore, Looking, of_project};
use crate::runs::{RunState, Runs};
use crate::scope::Scope;
use crate::session::Work;

/// The most runs of slots that a claim enqueues on its way.
const MOST: i64 = 100;

pub(in crate::runs) const CHORE: Chore = Chore {
    name: "ticking schedules",
    look,
    next,
    work: |runs, _| Schedules::new(runs.session).do_tick(&Tick { limit: MOST }).map(drop),
};

fn look(looking: &mut Looking<'_>) -> String {
    let (now, project) = (looking.now(), looking.of_project());
    format!("(SELECT 1 FROM sprongus_schedules WHERE next_at <= {now}{project} ORDER BY next_at LIMIT 1)")
}

fn next(looking: &mut Looking<'_>) -> Moment {
    let project = looking.of_project();
    Moment::Wall(format!(
        "(SELECT next_at FROM sprongus_schedules WHERE next_at IS NOT NULL{project} ORDER BY next_at LIMIT 1)"
    ))
}

impl Schedules<'_> {
    pub(super) fn do_tick(&self, request: &Tick) -> Result<i64> {
        self.session.allow(Scope::RunsWrite)?;
        check_limit(request.limit, MAX_LIMIT)?;
        let due = self.due(request.limit)?;
        // An equal share each, so that one with many slots to make up for does not hold up the others.
        let share = usize::try_from(request.limit).unwrap_or(0) / due.len().max(1);
        let mut enqueued = 0;
        for (project, name) in due {
            match self.session.write(|work| self.tick_one(work, &project, &name, share)) {
                Ok(runs) => enqueued += runs,
                Err(error) => tracing::warn!(schedule = %name, code = %error.code(), "a schedule could not be ticked"),
            }
        }
        Ok(enqueued)
    }

    /// The schedules whose slot has come, the longest due first.
    fn due(&self, limit: i64) -> Result<Vec<(String, String)>> {
        let read = self.session.read(|exec| {
            let mut binds = Binds::default();
            let now = binds.now_for(exec.dialect(), self.session.options());
            let (project, limit) = (of_project(&self.session, &mut binds), binds.add(limit));
            let sql = format!(
                "SELECT project_id, name FROM sprongus_schedules WHERE next_at <= {now}{project} \
                 ORDER BY next_at, project_id, name LIMIT {limit}"
            );
            exec.query(&sql, binds.values())
        });
        read?.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
    }

    /// The next slot is compared and set in the transaction that enqueues: who comes second finds another one.
    fn tick_one(&self, work: &mut Work<'_>, project: &str, name: &str, most: usize) -> Result<i64> {
        let Some((stored, now)) = locked(work, project, name)? else { return Ok(0) };
        let Some(next_at) = stored.schedule.next_at else { return Ok(0) };
        let (slots, catch_up) = (stored.slots()?, stored.schedule.catch_up);
        let due = match stored.schedule.overlap {
            Overlap::Queue => slots.due(next_at, now, catch_up, most),
            // Of several only the first: the others come while its run has not ended.
            Overlap::Skip => Due { next: slots.next(now), ..slots.due(next_at, now, catch_up, 1) },
        };
        let left_out = stored.schedule.overlap == Overlap::Skip && is_live(work, stored.last_run.as_deref())?;
        let (mut last_run, mut enqueued) = (stored.last_run.clone(), 0);
        for slot in due.slots.into_iter().filter(|_| !left_out) {
            if let Some(run) = self.enqueue(work, &stored, slot)? {
                last_run = Some(run);
                enqueued += 1;
            }
        }
        let sql = "UPDATE sprongus_schedules SET next_at = $4, last_run_id = $5 \
                   WHERE project_id = $1 AND name = $2 AND next_at = $3";
        work.execute(sql, &[project.into(), name.into(), next_at.into(), due.next.into(), last_run.into()])?;
        Ok(enqueued)
    }

    /// The run of that slot. One that is refused is told of and left out, so that the next slot is tried.
    fn enqueue(&self, work: &mut Work<'_>, stored: &Stored, slot: Timestamp) -> Result<Option<String>> {
        let schedule = &stored.schedule;
        let project = schedule.project_id.as_deref();
        let run = run_of(&schedule.name, &schedule.kind, &schedule.input, Some(slot));
        match Runs::new(self.session).enqueue_within(work, &run, project) {
            Ok(run) => Ok(Some(run.id)),
            Err(error) if error.retryable() => Err(error),
            Err(error) => {
                tracing::warn!(schedule = %schedule.name, %slot, code = %error.code(), reason = %error.message(),
                    "the run of a slot was refused");
                Ok(None)
            }
        }
    }
}

/// The schedule, if its slot has come and nobody else is about it, and the present.
fn locked(work: &mut Work<'_>, project: &str, name: &str) -> Result<Option<(Stored, Timestamp)>> {
    let mut binds = Binds::default();
    let now = binds.now(work);
    let (project, name) = (binds.add(project), binds.add(name));
    let lock = if work.dialect() == Dialect::Postgres { " FOR UPDATE SKIP LOCKED" } else { "" };
    let sql = format!(
        "SELECT {COLUMNS}, {now} FROM sprongus_schedules WHERE project_id = {project} AND name = {name} \
         AND next_at <= {now}{lock}"
    );
    let rows = work.query(&sql, binds.values())?;
    rows.first().map(|row| Ok((read_stored(row)?, row.time(COLUMNS.split(',').count())?))).transpose()
}

/// Whether a run of an earlier slot has not ended.
fn is_live(work: &mut Work<'_>, run: Option<&str>) -> Result<bool> {
    let Some(run) = run else { return Ok(false) };
    let rows = work.query("SELECT state FROM sprongus_runs WHERE id = $1", &[run.into()])?;
    rows.first().map_or(Ok(false), |row| Ok(!RunState::parse(&row.text(0)?)?.is_final()))
}
