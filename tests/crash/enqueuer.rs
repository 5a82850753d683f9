//! A process that puts runs into the queue in every way there is, decides on approvals, cancels, and tries again by hand.

use std::time::{Duration, Instant};

use sprongus::inbox::Accept;
use sprongus::runs::approvals::{Decide, Decision, DecisionFilter, ListApprovals};
use sprongus::runs::schedules::{Overlap, PutSchedule};
use sprongus::runs::{Cancel, Enqueue, ListRuns, RetryRun, RunState};
use sprongus::{ErrorCode, Json, Store};

use super::journal::Journal;
use super::retried;

pub(crate) const SCHEDULE: &str = "tick";

pub(crate) fn work(store: &Store, mut journal: Journal, until: Instant) {
    schedule(store);
    // Each process begins elsewhere, and comes to the keys of the others.
    for round in u64::from(std::process::id()).. {
        if Instant::now() > until {
            return;
        }
        enqueue(store, &mut journal, round);
        if round.is_multiple_of(3) {
            decide(store, &mut journal);
        }
        if round.is_multiple_of(5) {
            reopen_and_cancel(store, round);
        }
    }
}

fn schedule(store: &Store) {
    let every = Some(Duration::from_secs(1));
    let catch_up = Duration::from_secs(60);
    let put = PutSchedule { every, catch_up, overlap: Overlap::Queue, ..PutSchedule::new(SCHEDULE, "scheduled") };
    retried(|| store.schedules().put(&put));
}

fn enqueue(store: &Store, journal: &mut Journal, round: u64) {
    let runs = store.runs();
    let plain = |kind: &str| Enqueue { max_attempts: 1_000, ..Enqueue::new(kind, Json::null()) };
    match round % 8 {
        0 => {
            let key = format!("key-{}", round % 200);
            let keyed = Enqueue { idempotency_key: Some(key.clone()), ..plain("keyed") };
            let run = retried(|| runs.enqueue(&keyed));
            journal.say(&["named", &key, &run.id]);
        }
        1 => {
            let message = format!("message-{}", round % 100);
            let accept = Accept { enqueue: Some(plain("mail")), ..Accept::new("mail", &message) };
            let accepted = retried(|| store.inbox().accept(&accept));
            journal.say(&["named", &message, &accepted.run.unwrap().id]);
        }
        2 => {
            let run = retried(|| runs.enqueue(&Enqueue { needs_approval: true, ..plain("gated") }));
            journal.say(&["enqueued", &run.id]);
        }
        3 => {
            let both = retried(|| {
                store.transaction(|tx| Ok([tx.runs().enqueue(&plain("both"))?, tx.runs().enqueue(&plain("both"))?]))
            });
            both.iter().for_each(|run| journal.say(&["enqueued", &run.id]));
        }
        4 => {
            let timeout = Some(Duration::from_millis(40));
            let run = retried(|| runs.enqueue(&Enqueue { timeout, max_attempts: 2, ..plain("slow") }));
            journal.say(&["enqueued", &run.id]);
        }
        5 => {
            let run = retried(|| runs.enqueue(&Enqueue { max_attempts: 1, ..plain("once") }));
            journal.say(&["enqueued", &run.id]);
        }
        kind => {
            let run = retried(|| runs.enqueue(&plain(if kind == 6 { "plain" } else { "deploys" })));
            journal.say(&["enqueued", &run.id]);
        }
    }
}

/// Most are granted; which, the run's id says, so that all processes say the same.
pub(crate) fn decide(store: &Store, journal: &mut Journal) {
    let pending = ListApprovals { decision: Some(DecisionFilter::Pending), limit: 10, ..ListApprovals::default() };
    for approval in retried(|| store.approvals().list(&pending)) {
        let decide = Decide { scope: approval.scope.clone(), ..Decide::new(&approval.run_id, "ann") };
        let granted = !approval.run_id.ends_with(['0', '5']);
        let decided = match granted {
            true => store.approvals().approve(&decide),
            false => store.approvals().deny(&decide),
        };
        match decided {
            Ok(decided) => {
                assert_eq!(decided.decision == Some(Decision::Approved), granted);
                let decision = decided.decision.unwrap().as_str();
                journal.say(&["decided", &approval.run_id, &approval.scope, decision]);
            }
            // The run was canceled meanwhile.
            Err(error) => assert!(error.retryable() || error.code() == ErrorCode::InvalidState, "{error}"),
        }
    }
}

fn reopen_and_cancel(store: &Store, round: u64) {
    let of = |state: RunState, limit| ListRuns { state: Some(vec![state]), limit, ..ListRuns::default() };
    let ended = [RunState::Failed, RunState::TimedOut, RunState::Canceled][round as usize / 5 % 3];
    for run in retried(|| store.runs().list(&of(ended, 2))) {
        allow_races(store.runs().retry(&RetryRun::new(&run.id)).map(drop));
    }
    for run in retried(|| store.runs().list(&of(RunState::Queued, 1))) {
        allow_races(store.runs().cancel(&Cancel::new(&run.id)).map(drop));
    }
}

/// Somebody else was faster.
fn allow_races(result: sprongus::Result<()>) {
    if let Err(error) = result {
        assert!(error.retryable() || error.code() == ErrorCode::InvalidState, "{error}");
    }
}
