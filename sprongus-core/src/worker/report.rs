//! Reports what became of runs, many in one transaction where many end at a time.
//!
//! What ends while a report is under way goes with the next: a worker with little to do reports at once, one with much to do
//! commits seldom. A run is released only when its report is durable.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::handlers::{HandlerError, Outcome};
use super::held::{Gone, Held};
use super::metrics::Became;
use super::shared::{GRACE, Shared};
use crate::error::{Error, ErrorCode, Result};
use crate::runs::{Fail, FailMany, RunState, Snooze, Succeed, SucceedMany};
use crate::telemetry::Timings;

/// How long to wait, at most, before a report is tried again.
const AGAIN: Duration = Duration::from_millis(200);

/// The most reports of one transaction.
const MOST: usize = 256;

/// Outputs of more bytes than that together are reported in several transactions.
const MOST_BYTES: usize = 4 << 20;

/// What is to be told of a run.
pub(super) struct Report {
    pub(super) held: Arc<Held>,
    pub(super) ended: Ended,
    took: Timings,
    pub(super) since: Instant,
    /// It failed with others, and is not to hold them up again.
    alone: bool,
}

/// How a run ended here.
pub(super) enum Ended {
    /// Its handler succeeded.
    Succeeded(Outcome),
    /// It did not; whether another attempt may do better.
    Failed(String, bool),
    /// To be put off.
    Snoozed(Duration),
    /// The handler asked for an approval, and the run waits for it.
    Awaiting,
    /// The worker stopped and interrupted the handler: as if it had not begun.
    Interrupted,
    /// Claimed ahead, and not begun.
    Unbegun,
    /// The handler is still running, past the run's timeout.
    TooLong,
    /// The handler has ended, past the run's timeout.
    TooLate,
}

impl Report {
    pub(super) fn new(held: Arc<Held>, ended: Ended, took: Timings) -> Self {
        Self { held, ended, took, since: Instant::now(), alone: false }
    }

    /// Of what a handler answered; `let_go`: the worker stops, and has told it to end.
    pub(super) fn of(held: Arc<Held>, answer: Result<Outcome, HandlerError>, took: Timings, let_go: bool) -> Self {
        let ended = match hidden(&held, answer) {
            Err(HandlerError::Awaiting) => Ended::Awaiting,
            _ if held.is_late() => Ended::TooLate,
            Ok(outcome) => Ended::Succeeded(outcome),
            Err(HandlerError::Retry(_)) if let_go => Ended::Interrupted,
            Err(HandlerError::Retry(message)) => Ended::Failed(message, true),
            Err(HandlerError::Fatal(message)) => Ended::Failed(message, false),
            Err(HandlerError::Snooze(delay)) => Ended::Snoozed(delay),
        };
        Self::new(held, ended, took)
    }

    fn success(&self) -> Option<Succeed> {
        let Ended::Succeeded(outcome) = &self.ended else { return None };
        let mut success = Succeed::new(&self.held.run.id, self.held.run.lease);
        match outcome {
            Outcome::None => {}
            Outcome::Output(output) => success.output = Some(output.clone()),
            Outcome::Ref(reference) => success.output_ref = Some(reference.clone()),
        }
        Some(success)
    }

    fn failure(&self) -> Option<Fail> {
        let Ended::Failed(message, retryable) = &self.ended else { return None };
        Some(Fail { retryable: *retryable, ..Fail::new(&self.held.run.id, self.held.run.lease, message) })
    }

    fn bytes(&self) -> usize {
        match &self.ended {
            Ended::Succeeded(Outcome::Output(output)) => output.as_str().len(),
            Ended::Failed(message, _) => message.len(),
            _ => 0,
        }
    }
}

/// Without the secrets that the handler asked for.
fn hidden(held: &Held, answer: Result<Outcome, HandlerError>) -> Result<Outcome, HandlerError> {
    let secrets = held.secrets();
    match answer {
        Ok(Outcome::Output(output)) => Ok(Outcome::Output(secrets.hide_json(output))),
        Ok(Outcome::Ref(reference)) => Ok(Outcome::Ref(secrets.hide_text(reference))),
        Err(HandlerError::Retry(message)) => Err(HandlerError::Retry(secrets.hide_text(message))),
        Err(HandlerError::Fatal(message)) => Err(HandlerError::Fatal(secrets.hide_text(message))),
        other => other,
    }
}

/// Reports until nothing will come any more; the `spare` thread takes only what is stuck behind another.
pub(super) fn run(shared: &Shared, spare: bool) {
    while let Some(reports) = shared.next_reports(MOST, spare) {
        let portions = in_portions(reports).into_iter();
        let again: Vec<Report> = portions.flat_map(|portion| shared.report(portion)).collect();
        if !again.is_empty() {
            // The leases are extended meanwhile.
            std::thread::sleep(crate::id::jitter(AGAIN));
            shared.put_back(again);
        }
    }
}

fn in_portions(reports: Vec<Report>) -> Vec<Vec<Report>> {
    let (mut portions, mut portion, mut bytes) = (Vec::new(), Vec::new(), 0);
    for report in reports {
        bytes += report.bytes();
        if bytes > MOST_BYTES && !portion.is_empty() {
            bytes = report.bytes();
            portions.push(std::mem::take(&mut portion));
        }
        portion.push(report);
    }
    portions.push(portion);
    portions
}

impl Shared {
    /// Makes reports, and releases their runs; those that are to be tried again are given back.
    fn report(&self, reports: Vec<Report>) -> Vec<Report> {
        let (mut successes, mut failures, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for report in reports {
            match report.ended {
                Ended::Succeeded(_) => successes.push(report),
                Ended::Failed(..) => failures.push(report),
                _ => others.push(report),
            }
        }
        // Timeouts first: a success in the same breath came too late.
        let groups = [others, failures, successes].into_iter().filter(|group| !group.is_empty());
        groups.flat_map(|group| self.report_group(group)).collect()
    }

    /// Of one kind of report.
    fn report_group(&self, group: Vec<Report>) -> Vec<Report> {
        let (mut done, mut open, mut again) = (Vec::new(), Vec::new(), Vec::new());
        for report in group {
            match known(&report) {
                // Its handler is running, and will be reported.
                Some(_) if matches!(report.ended, Ended::TooLong) => {}
                Some(became) => done.push((report, became)),
                None => open.push(report),
            }
        }
        let told = self.tell(&open);
        let trouble = told.iter().filter_map(|told| told.as_ref().err()).find(|error| passing(error)).map(Error::code);
        let mut told = told.into_iter();
        for report in open {
            match self.became(&report, told.next()) {
                Next::Done(became) => done.push((report, became)),
                Next::Again(ended) => {
                    let ended = ended.unwrap_or(report.ended);
                    again.push(Report { ended, alone: true, ..report });
                }
                Next::Dropped => {}
            }
        }
        self.done(&done);
        if let Some(code) = trouble
            && !again.is_empty()
        {
            let (worker, runs) = (self.worker_id.as_str(), again.len());
            tracing::warn!(worker, runs, %code, "reports could not be made; they are tried again");
        }
        again
    }

    /// The answers to reports, in their order, up to the first by which the way to the database is in question.
    fn tell(&self, reports: &[Report]) -> Vec<Result<RunState>> {
        if reports.len() > 1 && !reports.iter().any(|report| report.alone) {
            match self.tell_together(reports) {
                Some(Ok(told)) => return told,
                Some(Err(error)) if passing(&error) => return vec![Err(error)],
                // Each for itself will know better.
                Some(Err(_)) | None => {}
            }
        }
        let mut told = Vec::new();
        for report in reports {
            told.push(self.tell_one(report));
            if told.last().is_some_and(|told| told.as_ref().is_err_and(passing)) {
                break;
            }
        }
        told
    }

    fn tell_together(&self, reports: &[Report]) -> Option<Result<Vec<Result<RunState>>>> {
        let runs = self.own.runs();
        let successes: Vec<Succeed> = reports.iter().filter_map(Report::success).collect();
        if !successes.is_empty() {
            return Some(runs.succeed_briefly(&SucceedMany { items: successes }));
        }
        let failures: Vec<Fail> = reports.iter().filter_map(Report::failure).collect();
        (!failures.is_empty()).then(|| runs.fail_briefly(&FailMany { items: failures }))
    }

    fn tell_one(&self, report: &Report) -> Result<RunState> {
        let (runs, run) = (self.own.runs(), &report.held.run);
        let told = match &report.ended {
            Ended::Snoozed(delay) => runs.snooze(&Snooze::new(&run.id, run.lease, *delay)),
            Ended::Interrupted | Ended::Unbegun => runs.snooze(&Snooze::new(&run.id, run.lease, Duration::ZERO)),
            Ended::TooLong | Ended::TooLate => runs.time_out(&run.id, run.lease),
            Ended::Awaiting => Ok(run.clone()),
            Ended::Failed(..) | Ended::Succeeded(_) => match (report.success(), report.failure()) {
                (Some(success), _) => runs.succeed(&success),
                (None, failure) => failure.map_or_else(|| Ok(run.clone()), |failure| runs.fail(&failure)),
            },
        };
        told.map(|run| run.state)
    }

    /// What follows from an answer; none: there was none.
    fn became(&self, report: &Report, told: Option<Result<RunState>>) -> Next {
        let error = match told {
            Some(Ok(state)) => return self.taken(report, state),
            Some(Err(error)) => Some(error),
            None => None,
        };
        let code = error.as_ref().map_or(ErrorCode::Unavailable, Error::code);
        if error.as_ref().is_none_or(passing) {
            let over = self.let_go_at().is_some_and(|at| at.elapsed() > GRACE);
            let superseded = matches!(report.ended, Ended::TooLong) && report.held.has_ended();
            if !over && !superseded {
                return Next::Again(None);
            }
        }
        // What the handler gave cannot be kept, and will not be the next time.
        if let Some(error) = &error
            && matches!(code, ErrorCode::TooLarge | ErrorCode::InvalidArgument)
            && matches!(report.ended, Ended::Succeeded(_) | Ended::Snoozed(_))
        {
            return Next::Again(Some(Ended::Failed(error.to_string(), false)));
        }
        let gone = error.as_ref().and_then(Gone::told_by);
        if gone.is_none() {
            report.held.about(&self.worker_id).not_taken(code.as_str());
        }
        let gone = self.lost(&report.held, gone.unwrap_or(Gone::LeaseLost));
        match report.ended {
            Ended::TooLong => Next::Dropped,
            _ => Next::Done(gone.into()),
        }
    }

    /// What became of a run whose report was taken.
    fn taken(&self, report: &Report, state: RunState) -> Next {
        Next::Done(match report.ended {
            Ended::Succeeded(_) => Became::Succeeded,
            Ended::Failed(..) if state == RunState::Failed => Became::Failed,
            Ended::Failed(..) => Became::Retried,
            Ended::Snoozed(_) => Became::Snoozed,
            Ended::Awaiting => Became::Awaiting,
            Ended::Interrupted | Ended::Unbegun => Became::GivenBack,
            Ended::TooLate => Became::TimedOut,
            Ended::TooLong => {
                self.lost(&report.held, Gone::TimedOut);
                return Next::Dropped;
            }
        })
    }

    /// The run is no longer this worker's; its handler is told. Why: as it was found first.
    pub(super) fn lost(&self, held: &Held, gone: Gone) -> Gone {
        // Somebody's claim has timed it out, and taken it.
        let late = held.deadline().is_some_and(|deadline| deadline <= Instant::now());
        let gone = if gone == Gone::LeaseLost && late { Gone::TimedOut } else { gone };
        if held.lose(gone) && !held.has_ended() {
            held.about(&self.worker_id).lost(gone.as_str());
        }
        held.gone().unwrap_or(gone)
    }

    /// Counts, tells and releases.
    fn done(&self, done: &[(Report, Became)]) {
        for (report, became) in done {
            let begun = !matches!(report.ended, Ended::Unbegun);
            let took = Timings { report: report.since.elapsed(), ..report.took };
            self.meters.became(*became, begun.then_some(took));
            report.held.about(&self.worker_id).ended(became.as_str(), took);
        }
        self.release(done.iter().map(|(report, _)| report));
    }
}

/// What became of a run of which the database is not told.
fn known(report: &Report) -> Option<Became> {
    match report.ended {
        Ended::Awaiting => Some(Became::Awaiting),
        _ => report.held.gone().map(Became::from),
    }
}

/// What is to be done with a report after its answer.
enum Next {
    /// It is settled, and its run can be released.
    Done(Became),
    /// It is tried again, maybe as another.
    Again(Option<Ended>),
    /// The run is not released yet: its handler is still running.
    Dropped,
}

/// Whether only the way to the database is in question.
fn passing(error: &Error) -> bool {
    error.retryable() || matches!(error.code(), ErrorCode::OutcomeUnknown | ErrorCode::StorageFull)
}
