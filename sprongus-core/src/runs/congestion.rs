//! Remembers that the writer was waited for: then those who hold leases may have been kept from extending them.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorCode, Result};
use crate::session::{Session, locked};

/// The last trouble of a store.
#[derive(Default)]
struct Congestion(Mutex<Trouble>);

#[derive(Default)]
struct Trouble {
    /// When the last long wait ended, and how long it was.
    waited: Option<(Instant, Duration)>,
    /// When a call last gave up waiting.
    gave_up: Option<Instant>,
}

/// Shorter waits are everyday life.
const WORTH_NOTING: Duration = Duration::from_millis(50);

/// Waits that follow one given up by less than this are of the same trouble.
const SAME: Duration = Duration::from_secs(1);

/// Runs a call that writes, and remembers how long it took or waited in vain.
pub(super) fn watched<T>(session: Session<'_>, call: impl FnOnce() -> Result<T>) -> Result<T> {
    let begun = Instant::now();
    let result = call();
    if result.as_ref().is_err_and(gave_up) {
        locked(&session.core().shared::<Congestion>().0).gave_up = Some(Instant::now());
    } else {
        note(session, begun.elapsed());
    }
    result
}

fn gave_up(error: &Error) -> bool {
    matches!(error.code(), ErrorCode::Busy | ErrorCode::Timeout)
}

/// Remembers a wait that has just ended.
pub(super) fn note(session: Session<'_>, waited: Duration) {
    if waited < WORTH_NOTING {
        return;
    }
    let congestion = session.core().shared::<Congestion>();
    let mut last = locked(&congestion.0);
    if last.gave_up.is_some_and(|at| at.elapsed() < waited + SAME) {
        last.gave_up = Some(Instant::now());
    }
    // A long wait that is still in force is not hidden by a shorter one.
    if !last.waited.is_some_and(|(ended, longest)| longest > waited && ended.elapsed() < longest) {
        last.waited = Some((Instant::now(), waited));
    }
}

/// Whether somebody waited longer than a heartbeat interval, or in vain, less than an interval ago: nobody is to be
/// rescued then (DESIGN.md §2 "Waiting and working").
pub(super) fn recent(session: Session<'_>, lease: Duration) -> bool {
    let interval = lease / 3;
    let congestion = session.core().shared::<Congestion>();
    let last = locked(&congestion.0);
    last.waited.is_some_and(|(ended, waited)| waited > interval && ended.elapsed() < interval)
        || last.gave_up.is_some_and(|at| at.elapsed() < interval)
}
