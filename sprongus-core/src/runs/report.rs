//! What workers say of the runs they have: start, heartbeat, success, failure.

use std::time::Duration;

use super::binds::Binds;
use super::change::Change;
use super::judge::{Judged, Report, judge, read_for_update, read_visible};
use super::lease;
use super::model::{COLUMNS, Run, read_run};
use super::requests::{Fail, Heartbeat, Snooze, StartRun, Succeed};
use super::state::{RunState, Step};
use super::sweep::of_project;
use super::verdict::{Verdict, due_in};
use super::{Runs, congestion, timeouts};
use crate::db::Dialect;
use crate::error::{Error, ErrorCode, Result};
use crate::id::check_id;
use crate::json::Json;
use crate::scope::Scope;
use crate::session::{Session, Work};

impl Runs<'_> {
    pub(super) fn do_start(&self, request: &StartRun) -> Result<Run> {
        self.report(&request.id, request.lease, Report::Start, |work| {
            let mut change = Change::new(work, Step::Start, RunState::Dispatching, &request.id, request.lease)?;
            change.only_of(self.session.confined());
            change.set_sql(format!("started_at = {}", change.now()));
            change.apply(work)
        })
    }

    pub(super) fn do_heartbeat(&self, request: &Heartbeat) -> Result<Run> {
        let extend = request.extend.map(|extend| lease::lease_micros("extend", extend)).transpose()?;
        if let Some(progress) = &request.progress {
            check_size("the progress", progress, self.session.options().max_payload_bytes)?;
        }
        self.report(&request.id, request.lease, Report::Heartbeat, |work| self.extend(work, request, extend))
    }

    pub(super) fn extend(&self, work: &mut Work<'_>, request: &Heartbeat, extend: Option<i64>) -> Result<Option<Run>> {
        let mut binds = Binds::default();
        let (id, fence) = (binds.add(&request.id), binds.add(request.lease));
        let now = binds.now(work);
        let lease = match (work.dialect(), extend) {
            (Dialect::Postgres, None) => lease::extended_by(work, &mut binds, "lease_us"),
            (_, Some(micros)) => lease::extended(work, &mut binds, micros),
            (Dialect::Sqlite, None) => {
                let micros = lease_of(work, &request.id)?;
                lease::extended(work, &mut binds, micros)
            }
        };
        let timeout = match work.dialect() {
            Dialect::Sqlite => format!(", {}", timeouts::over_reboot(work, &mut binds)),
            Dialect::Postgres => String::new(),
        };
        let progress = match &request.progress {
            Some(json) => format!(", progress = {}", binds.json(work.dialect(), json)),
            None => String::new(),
        };
        let project = of_project(&self.session, &mut binds);
        let sql = format!(
            "UPDATE sprongus_runs SET {lease}{timeout}, updated_at = {now}{progress} \
             WHERE id = {id} AND lease = {fence} AND state = 'running'{project} RETURNING {COLUMNS}"
        );
        work.query(&sql, binds.values())?.into_iter().next().map(read_run).transpose()
    }

    pub(super) fn do_succeed(&self, request: &Succeed) -> Result<Run> {
        check_success(self.session, request)?;
        self.report(&request.id, request.lease, Report::Succeed, |work| succeed(self.session, work, request))
    }

    pub(super) fn do_fail(&self, request: &Fail) -> Result<Run> {
        check_failure(request)?;
        self.report_on(&request.id, request.lease, Report::Fail, |work, run| fail(work, run, request))
    }

    pub(super) fn do_snooze(&self, request: &Snooze) -> Result<Run> {
        lease::micros("delay", request.delay)?;
        self.report_on(&request.id, request.lease, Report::Snooze, |work, run| snooze(work, run, request.delay))
    }

    /// Makes a report that depends on how the run stands.
    pub(super) fn report_on(
        &self,
        id: &str,
        lease: i64,
        report: Report,
        change: impl Fn(&mut Work<'_>, &Run) -> Result<Option<Run>>,
    ) -> Result<Run> {
        self.session.allow(Scope::RunsWrite)?;
        self.write(|work| {
            let stored = read_for_update(self.session, work.exec(), id)?;
            match judge(stored, lease, report)? {
                Judged::Answered(run) => Ok(run),
                Judged::Open(run) => change(work, &run)?.ok_or_else(|| changed_meanwhile(id)),
            }
        })
    }

    /// Makes a report in one statement; where that finds nothing to change, says why.
    fn report(
        &self,
        id: &str,
        lease: i64,
        report: Report,
        change: impl Fn(&mut Work<'_>) -> Result<Option<Run>>,
    ) -> Result<Run> {
        self.session.allow(Scope::RunsWrite)?;
        check_id("the id", id)?;
        self.watched(|| {
            if let Some(run) = self.session.write_one(&change)? {
                return Ok(run);
            }
            let stored = self.session.read(|exec| read_visible(self.session, exec, id))?;
            match judge(stored, lease, report)? {
                Judged::Answered(run) => Ok(run),
                Judged::Open(_) => Err(changed_meanwhile(id)),
            }
        })
    }

    /// Writes in one transaction, as an operation on runs does.
    pub(crate) fn write<T>(&self, work: impl Fn(&mut Work<'_>) -> Result<T>) -> Result<T> {
        self.watched(|| self.session.write(&work))
    }

    /// A call that writes: long waits are noted, and a lost answer is looked into.
    pub(crate) fn watched<T>(&self, call: impl Fn() -> Result<T>) -> Result<T> {
        congestion::watched(self.session, || self.settled(call))
    }

    /// Once more where the answer to a commit was lost: a report made twice is answered with the stored outcome.
    pub(super) fn settled<T>(&self, call: impl Fn() -> Result<T>) -> Result<T> {
        match call() {
            Err(error) if error.code() == ErrorCode::OutcomeUnknown => call().map_err(|_| error),
            result => result,
        }
    }
}

/// The longest reference to an output, in bytes: signed URLs are long.
const LONGEST_REF: usize = 4096;

pub(super) fn check_success(session: Session<'_>, request: &Succeed) -> Result<()> {
    if request.output.is_some() && request.output_ref.is_some() {
        return Err(Error::invalid("a success has an output or an outputRef, not both"));
    }
    if let Some(output) = &request.output {
        check_size("the output", output, session.options().max_artifact_bytes)?;
    }
    request.output_ref.as_deref().map_or(Ok(()), |at| crate::text::check_text("outputRef", at, LONGEST_REF))
}

pub(super) fn succeed(session: Session<'_>, work: &mut Work<'_>, request: &Succeed) -> Result<Option<Run>> {
    success(session, work, request)?.apply(work)
}

/// The change that a success makes.
pub(super) fn success<'r>(session: Session<'r>, work: &Work<'_>, request: &'r Succeed) -> Result<Change<'r>> {
    let mut change = Change::new(work, Step::Succeed, RunState::Running, &request.id, request.lease)?;
    change.only_of(session.confined());
    change.set_sql("error = NULL");
    match (&request.output, &request.output_ref) {
        (Some(output), _) => change.put_out(output),
        (None, output_ref) => change.set("output_ref", output_ref.as_deref()),
    }
    Ok(change)
}

pub(super) fn check_failure(request: &Fail) -> Result<()> {
    if request.retry_in.is_some() && !request.retryable {
        return Err(Error::invalid("retryIn is for a failure that is retryable"));
    }
    request.retry_in.map_or(Ok(()), |delay| lease::micros("retryIn", delay).map(drop))
}

pub(super) fn fail(work: &mut Work<'_>, run: &Run, request: &Fail) -> Result<Option<Run>> {
    let verdict = Verdict::of_failure(work.options(), run, request);
    verdict.change(work, run, run.claimed_by.as_deref())?.apply(work)
}

/// The attempt is given back.
fn snooze(work: &mut Work<'_>, run: &Run, delay: Duration) -> Result<Option<Run>> {
    let mut change = Change::new(work, Step::Snooze, run.state, &run.id, run.lease)?;
    if let Some(worker) = run.claimed_by.as_deref() {
        change.by(worker);
    }
    change.set_sql("attempt = attempt - 1");
    due_in(work, &mut change, delay)?;
    change.tell("delay", delay.as_secs_f64());
    change.apply(work)
}

/// How long the run was claimed for.
fn lease_of(work: &mut Work<'_>, id: &str) -> Result<i64> {
    let rows = work.query("SELECT lease_us FROM sprongus_runs WHERE id = $1", &[id.into()])?;
    Ok(rows.first().map(|row| row.opt_int(0)).transpose()?.flatten().unwrap_or(0))
}

pub(super) fn check_size(what: &str, json: &Json, max: usize) -> Result<()> {
    let bytes = json.as_str().len();
    if bytes <= max {
        return Ok(());
    }
    let message = format!("{what} has {bytes} bytes as canonical JSON; at most {max} are taken");
    Err(Error::new(ErrorCode::TooLarge, message))
}

pub(super) fn changed_meanwhile(id: &str) -> Error {
    Error::new(ErrorCode::Busy, format!("the run {id} was changed meanwhile; try again"))
}
