//! The loop that claims: for free threads only, woken by this process's commits, with polling as the net.

use std::time::Duration;

use super::shared::{Phase, Shared};
use crate::db::{Signal, Signals};
use crate::error::{Error, ErrorCode, Result};
use crate::runs::Claim;
use crate::session::locked;

/// Claims until the worker is told to stop, or, with `patience`, until it is idle.
pub(super) fn run(shared: &Shared, patience: Option<Duration>) -> Result<()> {
    let kinds = locked(&shared.handlers).kinds();
    let claim = Claim {
        kinds: Some(kinds),
        projects: shared.options.projects.clone(),
        lease: shared.options.lease,
        ..Claim::new(&shared.worker_id)
    };
    let mut waiter = shared.own.core().waiter(&[]);
    let wanted = Signals::of(&[Signal::RunReady, Signal::RunEnded, Signal::Worker]);
    while shared.phase() == Phase::Working {
        // Counted before looking: what is enqueued after the look is not slept through.
        waiter.looking();
        match turn(shared, &claim, patience) {
            Ok(Turn::Claimed) => {}
            Ok(Turn::Nothing) => {
                waiter.news(wanted, shared.options.poll_interval);
            }
            Ok(Turn::Idle) => return Ok(()),
            Err(error) if hopeless(&error) => return Err(error),
            Err(error) => {
                tracing::warn!(code = %error.code(), "runs could not be claimed; it is tried again");
                waiter.news(wanted, shared.options.poll_interval);
            }
        }
    }
    Ok(())
}

enum Turn {
    Claimed,
    Nothing,
    Idle,
}

fn turn(shared: &Shared, claim: &Claim, patience: Option<Duration>) -> Result<Turn> {
    let free = shared.free();
    if free == 0 {
        return Ok(Turn::Nothing);
    }
    let limit = i64::try_from(free).unwrap_or(1);
    let runs = shared.own.runs().claim_next(&Claim { limit, ..claim.clone() })?;
    if !runs.is_empty() {
        shared.take(runs);
        return Ok(Turn::Claimed);
    }
    let Some(patience) = patience else { return Ok(Turn::Nothing) };
    if !shared.is_empty() || shared.own.runs().pending(claim, patience)? {
        return Ok(Turn::Nothing);
    }
    Ok(Turn::Idle)
}

/// What will not be otherwise the next time.
fn hopeless(error: &Error) -> bool {
    use ErrorCode as Code;
    matches!(
        error.code(),
        Code::Misuse
            | Code::Forked
            | Code::InvalidArgument
            | Code::PermissionDenied
            | Code::SchemaVersion
            | Code::SplitBrain
            | Code::Corrupt
    )
}
