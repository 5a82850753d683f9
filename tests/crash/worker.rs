//! A process that claims runs and ends them in every way there is.

use std::time::{Duration, Instant};

use sprongus::runs::approvals::RequestApproval;
use sprongus::runs::{Claim, Fail, FindStep, Heartbeat, Run, Snooze, StartRun, Succeed, SucceedMany};
use sprongus::{ErrorCode, Json, Result, Store};

use super::journal::Journal;
use super::retried;

/// Short, so that the leases of the killed run out within the test.
pub(crate) const LEASE: Duration = Duration::from_millis(500);

pub(crate) fn work(store: &Store, mut journal: Journal, until: Instant) {
    let me = format!("process-{}", std::process::id());
    let mut round = 0_u64;
    while Instant::now() < until {
        round += 1;
        let dispatch = round.is_multiple_of(2);
        let claim = Claim { limit: 1 + (round % 4) as i64, lease: LEASE, dispatch, ..Claim::new(&me) };
        let claimed = retried(|| store.runs().claim_next(&claim));
        let mut batch = Vec::new();
        for run in &claimed {
            journal.say(&["claimed", &run.id, &run.lease.to_string()]);
        }
        for run in claimed {
            if !dispatch || accepted(store.runs().start(&StartRun::new(&run.id, run.lease))).is_some() {
                batch.extend(execute(store, &run, &mut journal, round));
            }
        }
        report(store, batch, &mut journal);
    }
}

/// Does the work of a run; the report of its success where that is to go with others.
fn execute(store: &Store, run: &Run, journal: &mut Journal, round: u64) -> Option<Succeed> {
    let runs = store.runs();
    let tries = run.version < 20;
    // Nobody else would have this result.
    let result = format!("\"{}-{round}\"", std::process::id());
    let done = accepted(runs.step(&FindStep::new(&run.id, run.lease, "one"), || Json::parse(result)))?;
    journal.say(&["step", &run.id, "one", done.as_str()]);
    match (run.kind.as_str(), round % 7) {
        ("slow", 0..=3) => return None,
        ("deploys", _) => {
            let request = RequestApproval::new(&run.id, run.lease, "deploy.production", "to deploy");
            accepted(store.approvals().request(&request))?.decision?;
        }
        (_, 0) if tries => {
            let failure = Fail { retry_in: Some(Duration::ZERO), ..Fail::new(&run.id, run.lease, "made to fail") };
            accepted(runs.fail(&failure))?;
            return None;
        }
        (_, 1) if tries => {
            accepted(runs.snooze(&Snooze::new(&run.id, run.lease, Duration::from_millis(5))))?;
            return None;
        }
        (_, 2) => drop(accepted(runs.heartbeat(&Heartbeat::new(&run.id, run.lease)))?),
        (_, 3) => return Some(Succeed::new(&run.id, run.lease)),
        _ => {}
    }
    let succeed = Succeed { output: Some(done), ..Succeed::new(&run.id, run.lease) };
    accepted(runs.succeed(&succeed))?;
    journal.say(&["succeeded", &run.id, &run.lease.to_string()]);
    None
}

fn report(store: &Store, batch: Vec<Succeed>, journal: &mut Journal) {
    if batch.is_empty() {
        return;
    }
    for result in retried(|| store.runs().succeed_many(&SucceedMany { items: batch.clone() })) {
        if let Some(run) = accepted(result) {
            journal.say(&["succeeded", &run.id, &run.lease.to_string()]);
        }
    }
}

/// What was taken; the one answer besides that may come is that the lease is lost.
fn accepted<T>(report: Result<T>) -> Option<T> {
    report.map_err(|error| assert!(error.code() == ErrorCode::LeaseLost || error.retryable(), "{error}")).ok()
}
