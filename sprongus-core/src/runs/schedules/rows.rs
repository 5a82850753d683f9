//! Schedules as they are stored, and how they are found by name.

use std::time::Duration;

use super::model::{Overlap, Schedule};
use super::slots::{Slots, Timing};
use crate::clock::Timestamp;
use crate::db::{Dialect, Executor, Row};
use crate::error::{Error, ErrorCode, Result};
use crate::id::check_id;
use crate::session::Session;

/// The columns that [`read_stored`] reads, in its order.
pub(super) const COLUMNS: &str = "name, cron, every_us, tz, kind, input, project_id, overlap, catch_up_us, paused, next_at, \
    anchor_at, last_run_id";

/// A schedule with what only ticks look at.
pub(super) struct Stored {
    pub(super) schedule: Schedule,
    /// Where its intervals are counted from.
    pub(super) anchor: Timestamp,
    pub(super) last_run: Option<String>,
}

impl Stored {
    pub(super) fn timing(&self) -> Timing {
        let Schedule { cron, every, tz, .. } = &self.schedule;
        Timing { cron: cron.clone(), every: *every, tz: tz.clone() }
    }

    pub(super) fn slots(&self) -> Result<Slots> {
        Slots::new(&self.timing(), self.anchor)
    }

    /// As the table has it: '' is no project.
    pub(super) fn project(&self) -> &str {
        self.schedule.project_id.as_deref().unwrap_or_default()
    }
}

/// A schedule from a row of [`COLUMNS`].
pub(super) fn read_stored(row: &Row) -> Result<Stored> {
    let micros = |index| Ok(row.opt_int(index)?.map(|micros| Duration::from_micros(micros.unsigned_abs())));
    let overlap = if row.text(7)? == Overlap::Queue.as_str() { Overlap::Queue } else { Overlap::Skip };
    let schedule = Schedule {
        name: row.text(0)?,
        cron: row.opt_text(1)?,
        every: micros(2)?,
        tz: row.text(3)?,
        kind: row.text(4)?,
        input: row.json(5)?,
        project_id: row.opt_text(6)?.filter(|project| !project.is_empty()),
        overlap,
        catch_up: micros(8)?.unwrap_or_default(),
        paused: row.bool(9)?,
        next_at: row.opt_time(10)?,
    };
    Ok(Stored { schedule, anchor: row.time(11)?, last_run: row.opt_text(12)? })
}

/// The schedule of that name that a caller means: of the project named, else of the handle's own, else the one without a
/// project, else the only one there is. `for_update` locks its row.
pub(super) fn find(
    session: Session<'_>,
    exec: &mut dyn Executor,
    name: &str,
    project: Option<&str>,
    for_update: bool,
) -> Result<Stored> {
    check_id("the name", name)?;
    let project = session.project(project)?;
    let lock = if for_update && exec.dialect() == Dialect::Postgres { " FOR UPDATE" } else { "" };
    let of_project = if project.is_some() { " AND project_id = $2" } else { "" };
    let sql = format!(
        "SELECT {COLUMNS} FROM sprongus_schedules WHERE name = $1{of_project} ORDER BY project_id LIMIT {MOST_NAMED}{lock}"
    );
    let rows = match project {
        Some(project) => exec.query(&sql, &[name.into(), project.into()])?,
        None => exec.query(&sql, &[name.into()])?,
    };
    let mut found = rows.iter().map(read_stored).collect::<Result<Vec<_>>>()?;
    // In the order of projects the one without is the first.
    if found.len() > 1 && found.first().is_some_and(|first| first.schedule.project_id.is_some()) {
        let projects: Vec<_> = found.iter().filter_map(|one| one.schedule.project_id.as_deref()).collect();
        let message =
            format!("several projects have a schedule of that name ({}): name the project", projects.join(", "));
        return Err(Error::new(ErrorCode::Conflict, message).with_details(serde_json::json!({ "projects": projects })));
    }
    found.truncate(1);
    found.pop().ok_or_else(|| Error::not_found("there is no schedule of that name"))
}

/// So many projects are named where it is not clear whose schedule is meant.
const MOST_NAMED: usize = 20;
