//! Makes schedules and changes them.

use super::model::{PutSchedule, Schedule, ScheduleName};
use super::rows::{COLUMNS, Stored, find, read_stored};
use super::slots::{Slots, Timing};
use super::{Schedules, run_of};
use crate::clock::Timestamp;
use crate::db::{Dialect, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::runs::Runs;
use crate::runs::lease::micros;
use crate::scope::Scope;
use crate::session::{Work, present};

impl Schedules<'_> {
    pub(super) fn do_put(&self, request: &PutSchedule) -> Result<Schedule> {
        self.session.allow(Scope::RunsWrite)?;
        let project = self.session.project(request.project.as_deref())?;
        crate::id::check_id("the name", &request.name)?;
        micros("catchUp", request.catch_up)?;
        let zone = super::cron::zone(&request.tz)?;
        let timing = Timing {
            cron: request.cron.as_deref().map(|cron| cron.trim().to_owned()),
            every: request.every,
            // As the database writes it: names are found in whatever case.
            tz: zone.iana_name().unwrap_or(&request.tz).to_owned(),
        };
        Slots::new(&timing, Timestamp::from_micros(0))?;
        let runs = Runs::new(self.session);
        let run = run_of(&request.name, &request.kind, &request.input, None);
        runs.check(&run)?;
        self.session.write(|work| {
            runs.judge_within(work.exec(), &run, project)?;
            let now = present(work.exec(), self.session.options())?;
            if let Some(stored) = insert(work, request, project, &timing, now)? {
                return Ok(stored);
            }
            change(work, request, project, &timing, now)
        })
    }

    pub(super) fn do_pause(&self, request: &ScheduleName, paused: bool) -> Result<Schedule> {
        self.session.allow(Scope::RunsWrite)?;
        self.session.write(|work| {
            let stored = find(self.session, work.exec(), &request.name, request.project.as_deref(), true)?;
            if stored.schedule.paused == paused {
                return Ok(stored.schedule);
            }
            let now = present(work.exec(), self.session.options())?;
            let next = if paused { None } else { stored.slots()?.next(now) };
            let sql = format!(
                "UPDATE sprongus_schedules SET paused = $3, next_at = $4, updated_at = $5 \
                 WHERE project_id = $1 AND name = $2 RETURNING {COLUMNS}"
            );
            let (project, name) = (stored.project().into(), stored.schedule.name.as_str().into());
            one(work, &sql, &[project, name, paused.into(), next.into(), now.into()])
        })
    }

    pub(super) fn do_delete(&self, request: &ScheduleName) -> Result<()> {
        self.session.allow(Scope::RunsWrite)?;
        self.session.write(|work| {
            let stored = find(self.session, work.exec(), &request.name, request.project.as_deref(), true)?;
            let named = [stored.project().into(), stored.schedule.name.as_str().into()];
            work.execute("DELETE FROM sprongus_schedules WHERE project_id = $1 AND name = $2", &named).map(drop)
        })
    }
}

/// Makes it, where there is none of that name.
fn insert(
    work: &mut Work<'_>,
    request: &PutSchedule,
    project: Option<&str>,
    timing: &Timing,
    now: Timestamp,
) -> Result<Option<Schedule>> {
    let next = first(timing, now)?;
    let sql = format!(
        "INSERT INTO sprongus_schedules (project_id, name, kind, input, overlap, catch_up_us, cron, every_us, tz, next_at, \
         anchor_at, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $11) \
         ON CONFLICT DO NOTHING RETURNING {COLUMNS}"
    );
    let mut params = named(work, request, project)?;
    params.extend(timed(timing)?);
    params.extend([Value::from(next), now.into()]);
    let rows = work.query(&sql, &params)?;
    rows.first().map(|row| Ok(read_stored(row)?.schedule)).transpose()
}

/// Changes the one there is: it stays itself, and where its times change, they begin anew.
fn change(
    work: &mut Work<'_>,
    request: &PutSchedule,
    project: Option<&str>,
    timing: &Timing,
    now: Timestamp,
) -> Result<Schedule> {
    let stored = stored(work, project.unwrap_or_default(), &request.name)?;
    let timed_alike = stored.timing() == *timing;
    if timed_alike && is_same(&stored.schedule, request) {
        return Ok(stored.schedule);
    }
    let anchor = if timed_alike { stored.anchor } else { now };
    let next = match (stored.schedule.paused, timed_alike) {
        (true, _) => None,
        // A slot that has come and was not seen to yet is not lost.
        (false, true) => stored.schedule.next_at,
        (false, false) => first(timing, now)?,
    };
    let sql = format!(
        "UPDATE sprongus_schedules SET kind = $3, input = $4, overlap = $5, catch_up_us = $6, cron = $7, every_us = $8, \
         tz = $9, next_at = $10, anchor_at = $11, updated_at = $12 WHERE project_id = $1 AND name = $2 RETURNING {COLUMNS}"
    );
    let mut params = named(work, request, project)?;
    params.extend(timed(timing)?);
    params.extend([Value::from(next), anchor.into(), now.into()]);
    one(work, &sql, &params)
}

fn stored(work: &mut Work<'_>, project: &str, name: &str) -> Result<Stored> {
    let lock = if work.dialect() == Dialect::Postgres { " FOR UPDATE" } else { "" };
    let sql = format!("SELECT {COLUMNS} FROM sprongus_schedules WHERE project_id = $1 AND name = $2{lock}");
    work.query(&sql, &[project.into(), name.into()])?.first().map_or_else(|| Err(gone()), read_stored)
}

fn is_same(stored: &Schedule, request: &PutSchedule) -> bool {
    (stored.kind.as_str(), &stored.input, stored.overlap, stored.catch_up)
        == (request.kind.as_str(), &request.input, request.overlap, request.catch_up)
}

/// The first slot to come. What never comes is a mistake.
fn first(timing: &Timing, now: Timestamp) -> Result<Option<Timestamp>> {
    match Slots::new(timing, now)?.next(now) {
        None => Err(Error::invalid("no day ever matches that cron expression: no slot would ever come")),
        next => Ok(next),
    }
}

/// $1 to $6.
fn named<'r>(work: &Work<'_>, request: &'r PutSchedule, project: Option<&'r str>) -> Result<Vec<Value<'r>>> {
    Ok(vec![
        project.unwrap_or_default().into(),
        request.name.as_str().into(),
        request.kind.as_str().into(),
        work.dialect().json(&request.input),
        request.overlap.as_str().into(),
        micros("catchUp", request.catch_up)?.into(),
    ])
}

/// $7 to $9.
fn timed(timing: &Timing) -> Result<[Value<'_>; 3]> {
    let every = timing.every.map(|every| micros("every", every)).transpose()?;
    Ok([timing.cron.as_deref().into(), every.into(), timing.tz.as_str().into()])
}

fn one(work: &mut Work<'_>, sql: &str, params: &[Value<'_>]) -> Result<Schedule> {
    work.query(sql, params)?.first().map_or_else(|| Err(gone()), |row| Ok(read_stored(row)?.schedule))
}

fn gone() -> Error {
    Error::new(ErrorCode::Busy, "the schedule was just removed by another; try again")
}
