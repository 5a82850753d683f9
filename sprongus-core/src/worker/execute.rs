//! Works one run: its handler, then its report.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::context::Context;
use super::handlers::{HandlerError, Outcome};
use super::shared::{Held, Phase, Shared};
use crate::error::{Error, ErrorCode, Result};
use crate::runs::{Fail, Run, Snooze, Succeed};
use crate::session::locked;

/// How long to wait before a report is tried again.
const AGAIN: Duration = Duration::from_millis(200);

/// Works runs until the worker is at its end.
pub(super) fn run(shared: &Shared) {
    while let Some((run, held)) = shared.next() {
        let span = tracing::info_span!("run", id = %run.id, kind = %run.kind, attempt = run.attempt);
        span.in_scope(|| work(shared, run, &held));
        shared.release(held);
    }
}

fn work(shared: &Shared, run: Run, held: &Held) {
    let begun = Instant::now();
    // With the id in each line: where lines go to `log`, they come without their span.
    let id = &run.id;
    tracing::info!(run = %id, "started");
    let ended = call(shared, run.clone(), held);
    let elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    match &ended {
        Ok(_) => tracing::info!(run = %id, elapsed_ms, "the handler succeeded"),
        Err(HandlerError::Snooze(_)) => tracing::info!(run = %id, elapsed_ms, "the handler put the run off"),
        Err(HandlerError::Awaiting) => {
            tracing::info!(run = %id, elapsed_ms, "the run waits for an approval");
            return;
        }
        Err(error) => {
            let fatal = matches!(error, HandlerError::Fatal(_));
            tracing::info!(run = %id, elapsed_ms, fatal, "the handler failed");
        }
    }
    match persist(shared, &run, &ended) {
        Ok(run) => tracing::info!(run = %id, state = %run.state, "reported"),
        Err(error) => tracing::warn!(run = %id, code = %error.code(), "the report was not taken"),
    }
}

/// Calls the handler; a panic in it is a failed attempt.
fn call(shared: &Shared, run: Run, held: &Held) -> Result<Outcome, HandlerError> {
    let handler = locked(&shared.handlers).of(&run.kind);
    let Some(handler) = handler else {
        return Err(HandlerError::Retry(format!("this worker has no handler for {}", run.kind)));
    };
    let context = Context::new(run, shared.store.clone(), shared.own.clone(), held.canceled.clone());
    let ended = catch_unwind(AssertUnwindSafe(|| handler.handle(&context)));
    ended.unwrap_or_else(|panic| Err(HandlerError::Retry(format!("the handler panicked: {}", message(&*panic)))))
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// Reports, and again while only the way to the database is in question: the lease is extended meanwhile.
fn persist(shared: &Shared, run: &Run, ended: &Result<Outcome, HandlerError>) -> Result<Run> {
    loop {
        match report(shared, run, ended) {
            Err(error) if passing(&error) && shared.phase() != Phase::Abandoned => {
                tracing::warn!(run = %run.id, code = %error.code(), "the report is tried again");
                std::thread::sleep(crate::id::jitter(AGAIN));
            }
            result => return result,
        }
    }
}

fn passing(error: &Error) -> bool {
    error.retryable() || matches!(error.code(), ErrorCode::OutcomeUnknown | ErrorCode::StorageFull)
}

fn report(shared: &Shared, run: &Run, ended: &Result<Outcome, HandlerError>) -> Result<Run> {
    let runs = shared.own.runs();
    let outcome = match ended {
        Ok(outcome) => outcome,
        Err(HandlerError::Retry(message)) => return runs.fail(&Fail::new(&run.id, run.lease, message)),
        Err(HandlerError::Snooze(delay)) => return runs.snooze(&Snooze::new(&run.id, run.lease, *delay)),
        // Whoever asked for the approval has put the run to wait.
        Err(HandlerError::Awaiting) => return Ok(run.clone()),
        Err(HandlerError::Fatal(message)) => {
            return runs.fail(&Fail { retryable: false, ..Fail::new(&run.id, run.lease, message) });
        }
    };
    let mut success = Succeed::new(&run.id, run.lease);
    match outcome {
        Outcome::None => {}
        Outcome::Output(output) => success.output = Some(output.clone()),
        Outcome::Ref(reference) => success.output_ref = Some(reference.clone()),
    }
    match runs.succeed(&success) {
        // What the handler gave cannot be kept, and will not be the next time.
        Err(error) if matches!(error.code(), ErrorCode::TooLarge | ErrorCode::InvalidArgument) => {
            runs.fail(&Fail { retryable: false, ..Fail::new(&run.id, run.lease, error.to_string()) })
        }
        result => result,
    }
}
