//! Extends the leases of all runs that the worker has until their handlers have ended, and sees to those that take too long.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::held::{Gone, Held};
use super::report::{Ended, Report};
use super::shared::{Duty, GRACE, Shared};
use crate::runs::Beat;
use crate::telemetry::Timings;

pub(super) fn run(shared: &Shared) {
    let interval = shared.options.lease / 3;
    let mut next = Instant::now() + interval;
    loop {
        match shared.duty(next) {
            Duty::Beat => {
                let begun = Instant::now();
                let settled = beat(shared, &shared.held(), shared.options.lease);
                // A claimer that saw the same trouble rescues nobody for an interval: be there before.
                let trouble = !settled || begun.elapsed() > interval / 2;
                next = Instant::now() + if trouble { interval / 4 } else { interval };
            }
            Duty::TimeOut(late) => {
                late.iter().for_each(|held| held.time_out());
                let report = |held| Report::new(held, Ended::TooLong, Timings::default());
                shared.put_back(late.into_iter().map(report).collect());
            }
            Duty::LetGo(running) => {
                beat(shared, &running, GRACE.min(shared.options.lease));
                shared.let_go_known();
            }
            Duty::End => return,
        }
    }
}

/// Extends leases to that long from now; whether that is settled for all, extended or no longer ours.
fn beat(shared: &Shared, held: &[Arc<Held>], extend: Duration) -> bool {
    let leases: Vec<(String, i64)> = held.iter().map(|held| held.key()).collect();
    let beats = match shared.leases.runs().heartbeat_many(&leases, extend) {
        Ok(beats) => beats,
        Err(error) => {
            let (worker, runs) = (shared.worker_id.as_str(), held.len());
            tracing::warn!(worker, runs, code = %error.code(), "leases could not be extended; it is tried again");
            return false;
        }
    };
    for (held, beat) in held.iter().zip(&beats) {
        // One whose handler has ended meanwhile may be gone by its own report.
        if let Beat::Gone(state) = beat
            && !held.has_ended()
        {
            shared.lost(held, Gone::of(*state));
        }
    }
    !beats.contains(&Beat::Locked)
}
