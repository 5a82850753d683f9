//! Extends the leases of all runs that the worker has, from a thread of its own, until their handlers have ended.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::shared::{Held, Shared};
use crate::error::ErrorCode;
use crate::runs::{Heartbeat, RunState};

pub(super) fn run(shared: &Shared) {
    let interval = shared.options.lease / 3;
    let mut wait = interval;
    while shared.pause(wait) {
        let begun = Instant::now();
        let failed = shared.held().iter().filter(|held| !beat(shared, held)).count();
        // A claimer that saw the same trouble rescues nobody for an interval: be there before.
        let trouble = failed > 0 || begun.elapsed() > interval / 2;
        wait = if trouble { interval / 4 } else { interval };
    }
}

/// Whether that is settled for now: extended, or no longer ours.
fn beat(shared: &Shared, held: &Held) -> bool {
    let gone = match shared.own.runs().heartbeat(&Heartbeat::new(&held.id, held.lease)) {
        Ok(run) => run.state == RunState::Canceled,
        Err(error) if matches!(error.code(), ErrorCode::LeaseLost | ErrorCode::NotFound) => true,
        Err(error) => {
            tracing::warn!(run = %held.id, code = %error.code(), "a lease could not be extended; it is tried again");
            return false;
        }
    };
    if gone && !held.canceled.swap(true, Ordering::AcqRel) {
        tracing::info!(run = %held.id, "the run is no longer this worker's");
    }
    true
}
