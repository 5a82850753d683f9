//! Remembers that the writer was waited for: then those who hold leases may have been kept from extending them.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::error::{ErrorCode, Result};
use crate::session::{Session, locked};

/// The last long wait of a store: when it ended, and how long it was.
#[derive(Default)]
struct Congestion(Mutex<Option<(Instant, Duration)>>);

/// Shorter waits are everyday life.
const WORTH_NOTING: Duration = Duration::from_millis(50);

/// Runs a call that writes, and remembers how long it took or waited in vain.
pub(super) fn watched<T>(session: Session<'_>, call: impl FnOnce() -> Result<T>) -> Result<T> {
    let begun = Instant::now();
    let result = call();
    let gave_up = result.as_ref().is_err_and(|error| matches!(error.code(), ErrorCode::Busy | ErrorCode::Timeout));
    if gave_up || begun.elapsed() >= WORTH_NOTING {
        note(session, begun.elapsed());
    }
    result
}

/// Remembers a wait that has just ended.
pub(super) fn note(session: Session<'_>, waited: Duration) {
    let congestion = session.core().shared::<Congestion>();
    let mut last = locked(&congestion.0);
    // A long wait that is still in force is not hidden by a shorter one.
    if !last.is_some_and(|(ended, longest)| longest > waited && ended.elapsed() < longest) {
        *last = Some((Instant::now(), waited));
    }
}

/// Whether somebody waited longer than a heartbeat interval, less than an interval ago: nobody is to be rescued then.
pub(super) fn recent(session: Session<'_>, lease: Duration) -> bool {
    let interval = lease / 3;
    let last = *locked(&session.core().shared::<Congestion>().0);
    last.is_some_and(|(ended, waited)| waited > interval && ended.elapsed() < interval)
}
