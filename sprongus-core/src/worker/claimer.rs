//! The loop that claims: for free threads only, woken by commits of this process and others, and by what falls due by itself;
//! polling is the net under both (DESIGN.md §5 "Wake-up", "Worker").

use std::time::{Duration, Instant};

use super::rest::Rest;
use super::shared::Shared;
use super::state::Phase;
use crate::error::{Error, ErrorCode, Result};
use crate::runs::{Claim, Outlook};
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
    let mut rest = Rest::new(shared, patience.is_some());
    let mut kept = Instant::now();
    while shared.phase() == Phase::Working {
        // Before looking: what is enqueued after the look is not slept through.
        rest.looking();
        let begun = Instant::now();
        match turn(shared, &claim, patience, &rest) {
            Ok(Turn::Claimed { all }) => rest.worked(all),
            Ok(Turn::Full) => {
                kept = keep(shared, &claim, kept);
                rest.until_free();
            }
            Ok(Turn::Nothing { outlook, claimed }) => rest.after(&outlook, claimed, begun.elapsed()),
            Ok(Turn::Idle) => return Ok(()),
            Err(error) if hopeless(&error) => return Err(error),
            Err(error) => {
                tracing::warn!(code = %error.code(), "runs could not be claimed; it is tried again");
                rest.poll();
            }
        }
    }
    Ok(())
}

enum Turn {
    /// Something; whether all that was asked for.
    Claimed {
        all: bool,
    },
    /// No thread is free.
    Full,
    /// Nothing came of it; whether a claim was tried.
    Nothing {
        outlook: Outlook,
        claimed: bool,
    },
    Idle,
}

fn turn(shared: &Shared, claim: &Claim, patience: Option<Duration>, rest: &Rest<'_>) -> Result<Turn> {
    let free = shared.free();
    if free == 0 {
        return Ok(Turn::Full);
    }
    let runs = shared.own.runs();
    // A claim writes, so that most looks are a read that finds nothing to claim.
    let ahead = if rest.is_told() { None } else { Some(runs.outlook(claim)?) };
    let quiet = ahead.filter(|outlook| !outlook.is_due(rest.clock()));
    if quiet.is_none() {
        let limit = i64::try_from(free).unwrap_or(1);
        let taken = runs.claim_next(&Claim { limit, ..claim.clone() })?;
        if !taken.is_empty() {
            let all = taken.len() == free;
            shared.take(taken);
            return Ok(Turn::Claimed { all });
        }
    }
    if let Some(patience) = patience
        && shared.is_empty()
        && !runs.pending(claim, patience)?
    {
        return Ok(Turn::Idle);
    }
    let outlook = quiet.map_or_else(|| runs.outlook(claim), Ok)?;
    Ok(Turn::Nothing { outlook, claimed: quiet.is_none() })
}

/// While no thread is free nothing is claimed: what claims do on their way is done all the same, once a poll interval; the
/// last time it was.
fn keep(shared: &Shared, claim: &Claim, last: Instant) -> Instant {
    if last.elapsed() < shared.options.poll_interval {
        return last;
    }
    if let Err(error) = shared.own.runs().keep(claim) {
        tracing::warn!(code = %error.code(), "schedules, timeouts and leases could not be looked after");
    }
    Instant::now()
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
