//! A process that will be killed: it enqueues, claims, reports, and never stops by itself.

use std::time::Duration;

use sprongus::runs::{Claim, Enqueue, Fail, Heartbeat, Rescue, Run, Succeed};
use sprongus::{ErrorCode, Json, Store};

use super::journal::Journal;

/// Short, so that the leases of the killed run out within the test.
const LEASE: Duration = Duration::from_millis(700);

pub(crate) fn work(told: &str) {
    let lines: Vec<&str> = told.lines().collect();
    let store = super::open(lines[0], lines[1]);
    let mut journal = Journal::open(lines[2]);
    let me = format!("process-{}", std::process::id());
    // The test kills it; the bound is for a test that was itself killed.
    for round in 0..100_000_u64 {
        let run = retried(|| store.runs().enqueue(&enqueue(round)));
        journal.enqueued(&run.id);
        let claim = Claim { limit: 2, lease: LEASE, ..Claim::new(&me) };
        for run in retried(|| store.runs().claim_next(&claim)) {
            execute(&store, &run, &mut journal, round);
        }
    }
}

fn enqueue(round: u64) -> Enqueue {
    let input = Json::parse(format!("{{\"round\":{round}}}")).unwrap();
    Enqueue { max_attempts: 1000, ..Enqueue::new("crash", input) }
}

fn execute(store: &Store, run: &Run, journal: &mut Journal, round: u64) {
    if round.is_multiple_of(5) {
        let _ = store.runs().heartbeat(&Heartbeat::new(&run.id, run.lease));
    }
    if round.is_multiple_of(7) && run.attempt < 3 {
        let failure = Fail { retry_in: Some(Duration::ZERO), ..Fail::new(&run.id, run.lease, "made to fail") };
        accepted(store.runs().fail(&failure).map(drop));
    } else if accepted(store.runs().succeed(&Succeed::new(&run.id, run.lease)).map(drop)) {
        journal.succeeded(&run.id, run.lease);
    }
}

/// Whether a report was taken; the one answer besides that may come is that the lease is lost.
fn accepted(report: sprongus::Result<()>) -> bool {
    match report {
        Ok(()) => true,
        Err(error) => {
            assert!(matches!(error.code(), ErrorCode::LeaseLost | ErrorCode::Busy), "{error}");
            false
        }
    }
}

/// Killed processes hold locks for a moment on no database we know; a busy machine may still time a call out.
fn retried<T>(mut call: impl FnMut() -> sprongus::Result<T>) -> T {
    for _ in 0..5 {
        match call() {
            Ok(value) => return value,
            Err(error) => assert!(error.retryable(), "{error}"),
        }
    }
    panic!("the store stayed busy");
}

/// Works until nothing is left: every run that was enqueued must end.
pub(crate) fn drain(store: &Store) {
    std::thread::sleep(LEASE);
    let claim = Claim { limit: 100, lease: Duration::from_secs(60), ..Claim::new("drain") };
    let mut empty = 0;
    while empty < 3 {
        store.runs().rescue(&Rescue { limit: 1000 }).unwrap();
        let claimed = store.runs().claim_next(&claim).unwrap();
        empty = if claimed.is_empty() { empty + 1 } else { 0 };
        for run in claimed {
            store.runs().succeed(&Succeed::new(&run.id, run.lease)).unwrap();
        }
    }
}
