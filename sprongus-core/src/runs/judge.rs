//! What a report is answered with where the run is not simply running under its lease (DESIGN.md §15 "Runs").

use super::model::{COLUMNS, Run, Stored, read_stored};
use super::state::RunState;
use crate::db::{Dialect, Executor};
use crate::error::{Error, ErrorCode, Result};
use crate::session::Session;

/// What a worker may say of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Report {
    Start,
    Heartbeat,
    Succeed,
    Fail,
    /// Asks for an approval.
    Await,
    /// Finds or stores the result of a step: never an outcome.
    Step,
    Snooze,
    /// The worker saw that it takes too long.
    TimeOut,
}

impl Report {
    fn verb(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Heartbeat => "heartbeat",
            Self::Succeed => "succeed",
            Self::Fail => "fail",
            Self::Await => "await",
            Self::Step => "step",
            Self::Snooze => "snooze",
            Self::TimeOut => "time_out",
        }
    }
}

/// A report that is not an error.
pub(super) enum Judged {
    /// The run waits for it.
    Open(Run),
    /// It was made before, or changes nothing: this is the answer.
    Answered(Run),
}

/// Reads a run, to write it: on PostgreSQL its row is locked.
pub(super) fn read_for_update(session: Session<'_>, exec: &mut dyn Executor, id: &str) -> Result<Stored> {
    let lock = if exec.dialect() == Dialect::Postgres { " FOR UPDATE" } else { "" };
    read(session, exec, id, lock)
}

/// Reads a run that the handle sees; else `not_found`.
pub(super) fn read_visible(session: Session<'_>, exec: &mut dyn Executor, id: &str) -> Result<Stored> {
    read(session, exec, id, "")
}

fn read(session: Session<'_>, exec: &mut dyn Executor, id: &str, lock: &str) -> Result<Stored> {
    crate::id::check_id("the id", id)?;
    let rows = exec.query(&format!("SELECT {COLUMNS} FROM sprongus_runs WHERE id = $1{lock}"), &[id.into()])?;
    let stored = rows.into_iter().next().map(read_stored).transpose()?;
    stored.filter(|stored| session.sees(stored.run.project_id.as_deref())).ok_or_else(|| not_found(id))
}

pub(super) fn not_found(id: &str) -> Error {
    Error::not_found(format!("there is no run {}", crate::text::truncate(id, crate::id::MAX_ID)))
}

/// Judges a report under that lease by the run as it is stored.
pub(super) fn judge(stored: Stored, lease: i64, report: Report) -> Result<Judged> {
    let Stored { run, reported } = stored;
    if run.lease == 0 {
        return Err(invalid_state(&run, "was never claimed, so it takes no report"));
    }
    if run.lease != lease {
        return Err(lost(&run, lease));
    }
    match (run.state, report) {
        (RunState::Canceled, Report::Heartbeat) => Ok(Judged::Answered(run)),
        (RunState::Running, Report::Start) => Ok(Judged::Answered(run)),
        (RunState::Running, _) | (RunState::Dispatching, Report::Start) => Ok(Judged::Open(run)),
        (RunState::Dispatching, _) => Err(invalid_state(&run, "is dispatched and not started: start it first")),
        _ if reported.as_deref() == Some(report.verb()) => Ok(Judged::Answered(run)),
        _ => Err(lost(&run, lease)),
    }
}

pub(super) fn invalid_state(run: &Run, why: &str) -> Error {
    let details = serde_json::json!({ "id": run.id, "state": run.state });
    Error::new(ErrorCode::InvalidState, format!("the run {} {why}", run.id)).with_details(details)
}

pub(super) fn lost(run: &Run, lease: i64) -> Error {
    let message = if run.lease == lease {
        format!("the lease {lease} of the run {} has ended: the run is {}", run.id, run.state)
    } else {
        format!("the lease {lease} of the run {} is not the present one", run.id)
    };
    let details = serde_json::json!({ "id": run.id, "lease": run.lease, "state": run.state });
    Error::new(ErrorCode::LeaseLost, message).with_details(details)
}
