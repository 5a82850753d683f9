//! Calls the handlers of runs; what comes of them is reported by others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use super::context::Context;
use super::handlers::{HandlerError, Outcome};
use super::held::Held;
use super::report::Report;
use super::shared::Shared;
use super::state::Phase;
use crate::error::Result;
use crate::session::locked;
use crate::telemetry::Timings;

/// Works runs until none will come any more.
pub(super) fn run(shared: &Shared) {
    while let Some(held) = shared.next() {
        let mut begun = Begun { shared, held: held.clone(), at: Instant::now(), report: None };
        begun.report = Some(work(shared, &held, begun.at));
    }
}

/// A run in this thread's hands: that it ended is noted whatever happens, or the worker would wait for it for ever.
struct Begun<'s> {
    shared: &'s Shared,
    held: Arc<Held>,
    at: Instant,
    report: Option<Report>,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.shared.handler_ended(&self.held, self.at.elapsed(), self.report.take());
    }
}

fn work(shared: &Shared, held: &Arc<Held>, begun: Instant) -> Report {
    let about = held.about(&shared.worker_id);
    let wait = held.waited();
    let ended = about.span().in_scope(|| {
        about.began(wait);
        call(shared, held)
    });
    let took = Timings { wait, run: begun.elapsed(), ..Timings::default() };
    Report::of(held.clone(), ended, took, shared.phase() == Phase::Abandoned)
}

/// Calls the handler; a panic in it is a failed attempt.
fn call(shared: &Shared, held: &Arc<Held>) -> Result<Outcome, HandlerError> {
    let kind = &held.run.kind;
    let handler = locked(&shared.handlers).of(kind);
    let Some(handler) = handler else {
        return Err(HandlerError::Retry(format!("this worker has no handler for {kind}")));
    };
    let context = Context::new(held.clone(), shared.store.clone(), shared.own.clone());
    let ended = catch_unwind(AssertUnwindSafe(|| handler.handle(&context)));
    ended.unwrap_or_else(|panic| {
        shared.meters.panicked();
        Err(HandlerError::Retry(format!("the handler panicked: {}", message(&*panic))))
    })
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
