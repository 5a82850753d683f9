//! Explanations: every reason why a run is not running, in the same words on every backend.

use std::sync::Arc;
use std::time::Duration;

use sprongus::clock::testing::ManualClock;
use sprongus::runs::approvals::{Decide, RequestApproval};
use sprongus::runs::{Cancel, Claim, Enqueue, ExplainRun, Fail, LimitKind, Rescue, RetryRun, StartRun, Succeed};
use sprongus::{ErrorCode, Options, Run, Scope, Store};
use sprongus_conformance::{Case, Env};

use super::{case, code, kind, put};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("runs::a_queued_run_is_explained", &["runs.explain"], false, queued),
        case("runs::a_limit_is_explained", &["runs.explain"], false, limited),
        case("runs::a_held_run_is_explained", &["runs.explain"], false, held),
        case("runs::an_approval_is_explained", &["runs.explain"], false, approval),
        case("runs::an_end_is_explained", &["runs.explain"], false, ended),
        case("runs::explanations_keep_to_the_project", &["runs.explain"], true, strange),
    ]
}

fn open(env: &Env) -> (Store, ManualClock) {
    let clock = ManualClock::new("2026-11-21T10:00:00Z".parse().unwrap());
    (env.open_with(Options { clock: Arc::new(clock.clone()), actor: Some("ada".to_owned()), ..env.options() }), clock)
}

#[track_caller]
fn told(store: &Store, run: &Run, expected: &str) {
    let told = store.runs().explain(&ExplainRun::new(&run.id)).unwrap();
    assert_eq!(told.replace(":00.000000Z", "Z"), expected);
}

fn claim(store: &Store, what: &str) -> Run {
    let claim = Claim { kinds: Some(vec![what.to_owned()]), ..Claim::new("w1") };
    store.runs().claim_next(&claim).unwrap().remove(0)
}

fn queued(env: &Env) {
    let (store, clock) = open(env);
    let later = store.runs().enqueue(&Enqueue { delay: Some(Duration::from_secs(3_600)), ..kind("a") }).unwrap();
    told(
        &store,
        &later,
        "The run is not due before 2026-11-21T11:00Z. Nothing needs to be done: it can be claimed then.",
    );
    let run = put(store.runs(), "a");
    clock.advance(Duration::from_secs(120));
    let due = "The run is due since 2026-11-21T10:00Z (120 s), and no worker has claimed it yet.";
    told(
        &store,
        &run,
        &format!("{due} None of the newest runs of the kind a was ever claimed: start a worker that handles it."),
    );
    // Others of its kind are worked on.
    let busy = store.runs().enqueue(&Enqueue { priority: 1, ..kind("a") }).unwrap();
    let busy_now = claim(&store, "a");
    assert_eq!(busy_now.id, busy.id);
    told(
        &store,
        &run,
        &format!(
            "{due} 1 run of its kind is with workers now: it is claimed when one has room, higher priority and older first."
        ),
    );
    // They were, once.
    store.runs().succeed(&Succeed::new(&busy_now.id, busy_now.lease)).unwrap();
    told(
        &store,
        &run,
        &format!(
            "{due} The last claim of one of the newest runs of the kind a was at 2026-11-21T10:02Z: see that its worker runs."
        ),
    );
    // A retry that is to come.
    let failed = claim(&store, "a");
    let fail = Fail { retry_in: Some(Duration::from_secs(60)), ..Fail::new(&failed.id, failed.lease, "no") };
    store.runs().fail(&fail).unwrap();
    told(
        &store,
        &run,
        "The run is not due before 2026-11-21T10:03Z. Attempt 1 of 3 failed; `error` says why. Nothing needs to be done: it can be claimed then.",
    );
}

fn limited(env: &Env) {
    let (store, clock) = open(env);
    let limit = |concurrency, rate| {
        let per = Duration::from_secs(60);
        store.runs().limit_kind(&LimitKind { concurrency, rate, per, ..LimitKind::new("a") }).unwrap();
    };
    let (first, second) = (put(store.runs(), "a"), put(store.runs(), "a"));
    limit(Some(1), None);
    let free = "The run is due since 2026-11-21T10:00Z (0 s), and no worker has claimed it yet. None of the newest runs of the \
        kind a was ever claimed: start a worker that handles it.";
    told(&store, &second, free);
    let held = claim(&store, "a");
    assert_eq!(held.id, first.id);
    let full = "The run is due, but its kind a is at its limit: 1 run is under way, and 1 may be at once. It can be claimed when \
        one of them ends, or when the limit is raised (runs.limit_kind).";
    told(&store, &second, full);
    store.runs().succeed(&Succeed::new(&held.id, held.lease)).unwrap();
    assert!(!store.runs().explain(&ExplainRun::new(&second.id)).unwrap().contains("limit"), "there is room again");
    // Two a minute: the bucket is empty after two, and has its next token half a minute later.
    limit(None, Some(2));
    let third = put(store.runs(), "a");
    put(store.runs(), "a");
    for _ in 0..2 {
        claim(&store, "a");
    }
    let last = put(store.runs(), "a");
    assert_ne!(last.id, third.id);
    let slow = "The run is due, but its kind a is at its rate limit: the bucket has no token before 2026-11-21T10:00:30.000000Z. \
        It can be claimed then, or when the limit is raised (runs.limit_kind).";
    told(&store, &last, slow);
    assert!(store.runs().claim_next(&Claim::new("w1")).unwrap().is_empty());
    clock.advance(Duration::from_secs(30));
    assert!(!store.runs().explain(&ExplainRun::new(&last.id)).unwrap().contains("limit"));
    assert_eq!(
        store.runs().claim_next(&Claim { limit: 5, ..Claim::new("w1") }).unwrap().len(),
        1,
        "as the explanation said"
    );
}

fn held(env: &Env) {
    let (store, clock) = open(env);
    put(store.runs(), "a");
    let dispatch = Claim { dispatch: true, ..Claim::new("w1") };
    let run = store.runs().claim_next(&dispatch).unwrap().remove(0);
    let goes_back = "Should the worker be gone, a claim after that puts it back into the queue.";
    told(
        &store,
        &run,
        &format!(
            "w1 claimed the run and has not started it (runs.start), under the lease 1 until 2026-11-21T10:01Z; heartbeats extend it. {goes_back}"
        ),
    );
    store.runs().start(&StartRun::new(&run.id, run.lease)).unwrap();
    told(
        &store,
        &run,
        &format!(
            "w1 works on the run, attempt 1 of 3, under the lease 1 until 2026-11-21T10:01Z; heartbeats extend it. {goes_back}"
        ),
    );
    clock.advance(Duration::from_secs(120));
    told(
        &store,
        &run,
        "The run is held by w1 under the lease 1, which ran out at 2026-11-21T10:01Z: the next claim, or runs.rescue, puts it back into the queue. A report of w1 before that still counts.",
    );
    for _ in 0..2 {
        store.runs().rescue(&Rescue::default()).unwrap();
        claim(&store, "a");
        clock.advance(Duration::from_secs(120));
    }
    told(
        &store,
        &run,
        "The run is held by w1 under the lease 3, which ran out at 2026-11-21T10:05Z: the next claim, or runs.rescue, ends it as failed, for this attempt is its last. A report of w1 before that still counts.",
    );
    store.runs().rescue(&Rescue::default()).unwrap();
    told(
        &store,
        &run,
        "The run failed at 2026-11-21T10:06Z: all of its 3 attempts are used up; `error` says why. runs.retry queues it again, from its first attempt.",
    );
}

fn approval(env: &Env) {
    let (store, clock) = open(env);
    let run = store.runs().enqueue(&Enqueue { needs_approval: true, ..kind("a") }).unwrap();
    clock.advance(Duration::from_secs(60));
    let then = "Approved (approvals.approve) it is queued, denied (approvals.deny) it ends.";
    told(
        &store,
        &run,
        &format!("The run waits for an approval of the scope run, asked for at 2026-11-21T10:00Z. {then}"),
    );
    store.approvals().approve(&Decide::new(&run.id, "bob")).unwrap();
    let run = claim(&store, "a");
    let asked = RequestApproval {
        step: Some("ship".to_owned()),
        ..RequestApproval::new(&run.id, run.lease, "deploy", "to ship it")
    };
    store.approvals().request(&asked).unwrap();
    told(
        &store,
        &run,
        &format!(
            "The run waits for an approval of the scope deploy in the step ship, asked for at 2026-11-21T10:01Z. {then}"
        ),
    );
    let decide = Decide { scope: "deploy".to_owned(), step: Some("ship".to_owned()), ..Decide::new(&run.id, "bob") };
    store.approvals().deny(&decide).unwrap();
    told(&store, &run, "The run was denied by bob at 2026-11-21T10:01Z. A denied run stays so: enqueue another.");
}

fn ended(env: &Env) {
    let (store, clock) = open(env);
    let again = "runs.retry queues it again, from its first attempt.";
    let run = put(store.runs(), "a");
    let held = claim(&store, "a");
    store.runs().succeed(&Succeed::new(&run.id, held.lease)).unwrap();
    told(&store, &run, "The run succeeded at 2026-11-21T10:00Z, in attempt 1 of 3.");
    let run = put(store.runs(), "a");
    let held = claim(&store, "a");
    store.runs().fail(&Fail { retryable: false, ..Fail::new(&run.id, held.lease, "no") }).unwrap();
    told(
        &store,
        &run,
        &format!(
            "The run failed at 2026-11-21T10:00Z: attempt 1 of 3 was reported as not worth a retry; `error` says why. {again}"
        ),
    );
    store.runs().retry(&RetryRun::new(&run.id)).unwrap();
    store.runs().cancel(&Cancel { reason: Some("not needed".to_owned()), ..Cancel::new(&run.id) }).unwrap();
    told(&store, &run, &format!("The run was canceled by ada at 2026-11-21T10:00Z (not needed). {again}"));
    let once = Enqueue { max_attempts: 1, timeout: Some(Duration::from_secs(5)), ..kind("a") };
    let run = store.runs().enqueue(&once).unwrap();
    claim(&store, "a");
    clock.advance(Duration::from_secs(6));
    store.runs().rescue(&Rescue::default()).unwrap();
    told(
        &store,
        &run,
        &format!(
            "The run timed out at 2026-11-21T10:00:06.000000Z: attempt 1 of 1 took longer than its timeout. {again}"
        ),
    );
    let run = store.runs().enqueue(&Enqueue { max_attempts: 1, ..kind("a") }).unwrap();
    let held = claim(&store, "a");
    store.runs().fail(&Fail::new(&run.id, held.lease, "no")).unwrap();
    told(
        &store,
        &run,
        &format!(
            "The run failed at 2026-11-21T10:00:06.000000Z: its only attempt is used up; `error` says why. {again}"
        ),
    );
}

fn strange(env: &Env) {
    env.within(|on| {
        let theirs = on.runs().enqueue(&Enqueue { project: Some("q".to_owned()), ..kind("a") }).unwrap();
        assert!(on.runs().explain(&ExplainRun::new(&theirs.id)).unwrap().contains("no worker has claimed it"));
        assert_eq!(code(on.runs().explain(&ExplainRun::new("none"))), ErrorCode::NotFound);
        for bad in ["", "a\0", &"x".repeat(129)] {
            assert_eq!(code(on.runs().explain(&ExplainRun::new(bad))), ErrorCode::InvalidArgument);
        }
    });
    let apart = Env::fresh(env.backend());
    let (store, _) = open(&apart);
    let mine = store.scoped("p", Scope::DEFAULT).unwrap();
    let run = put(mine.runs(), "a");
    let theirs = store.runs().enqueue(&Enqueue { project: Some("q".to_owned()), priority: 1, ..kind("a") }).unwrap();
    assert_eq!(code(mine.runs().explain(&ExplainRun::new(&theirs.id))), ErrorCode::NotFound);
    assert_eq!(claim(&store, "a").id, theirs.id);
    told(
        &mine,
        &run,
        "The run is due since 2026-11-21T10:00Z (0 s), and no worker has claimed it yet. None of the newest runs of the kind a was ever claimed: start a worker that handles it.",
    );
    told(
        &store,
        &run,
        "The run is due since 2026-11-21T10:00Z (0 s), and no worker has claimed it yet. 1 run of its kind is with workers now: it is claimed when one has room, higher priority and older first.",
    );
}
