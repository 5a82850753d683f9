//! Runs that come back: put off, tried again after a crash, queued once more by hand.

use std::sync::Arc;
use std::time::Duration;

use sprongus::clock::testing::ManualClock;
use sprongus::runs::approvals::Decide;
use sprongus::runs::{Cancel, Claim, Enqueue, Fail, RetryRun, RunEvents, RunOutput, Snooze, Succeed};
use sprongus::{Clock, ErrorCode, Options, RunState, Scope, SystemClock};
use sprongus_conformance::{Case, Env};

use super::{case, claim_one, claims, code, get, json, kind, put, told};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("runs::a_snooze_gives_the_attempt_back", &["runs.snooze"], true, snoozes),
        case("runs::a_snoozed_run_is_due_after_its_delay", &["runs.snooze"], false, put_off),
        case("runs::a_crash_consumes_an_attempt", &["runs.claim_next"], false, crashes),
        case("runs::a_retry_by_hand_is_a_new_series", &["runs.retry"], true, retried),
        case("runs::a_retry_by_hand_is_due_at_once", &["runs.retry"], true, at_once),
        case("runs::a_retry_by_hand_meets_the_gate_that_was_never_granted", &["runs.retry"], true, gated),
        case("runs::what_is_not_retried_by_hand", &["runs.retry"], true, not_retried),
        case("runs::backoff_stays_within_its_bounds", &["runs.fail"], false, backoff),
    ]
}

fn snoozes(env: &Env) {
    env.within(|on| {
        let id = on.runs().enqueue(&Enqueue { max_attempts: 1, ..kind("a") }).unwrap().id;
        for lease in 1..=3 {
            let run = claim_one(on.runs());
            assert_eq!((run.lease, run.attempt), (lease, 1), "the lease rises, the attempt was given back");
            let snoozed = on.runs().snooze(&Snooze::new(&id, lease, Duration::ZERO)).unwrap();
            assert_eq!((snoozed.state, snoozed.attempt, snoozed.series), (RunState::Queued, 0, 1));
            assert!(snoozed.claimed_by.is_none() && snoozed.started_at.is_none() && snoozed.error.is_none());
            let again = on.runs().snooze(&Snooze::new(&id, lease, Duration::from_secs(9))).unwrap();
            assert_eq!(again, snoozed, "the same again is the stored outcome, whatever its arguments");
            assert_eq!(code(on.runs().succeed(&Succeed::new(&id, lease))), ErrorCode::LeaseLost);
        }
        let event = on.runs().events(&RunEvents::new(&id)).unwrap().pop().unwrap();
        assert_eq!((event.kind.as_str(), event.actor.as_str()), ("run.snoozed", "w1"));
        assert_eq!(event.payload.as_str(), r#"{"attempt":0,"delay":0.0,"from":"running","to":"queued"}"#);
        claim_one(on.runs());
        assert_eq!(on.runs().fail(&Fail::new(&id, 4, "x")).unwrap().state, RunState::Failed, "its one attempt");
    });
}

fn put_off(env: &Env) {
    let clock = ManualClock::new(SystemClock::default().now());
    let store = env.open_with(Options { clock: Arc::new(clock.clone()), ..env.options() });
    let runs = store.runs();
    let id = put(runs, "a").id;
    let run = claim_one(runs);
    let snoozed = runs.snooze(&Snooze::new(&id, run.lease, Duration::from_secs(90))).unwrap();
    assert_eq!(snoozed.run_at, clock.now().saturating_add(Duration::from_secs(90)));
    clock.advance(Duration::from_secs(89));
    assert!(claims(runs, &Claim::new("w")).is_empty());
    clock.advance(Duration::from_secs(1));
    assert_eq!(claims(runs, &Claim::new("w")), [id]);
}

fn crashes(env: &Env) {
    let clock = ManualClock::new(SystemClock::default().now());
    let store = env.open_with(Options { clock: Arc::new(clock.clone()), ..env.options() });
    let runs = store.runs();
    let id = runs.enqueue(&Enqueue { max_attempts: 3, ..kind("a") }).unwrap().id;
    for attempt in 1..=3 {
        let run = claim_one(runs);
        assert_eq!((run.attempt, run.lease), (attempt, attempt));
        clock.advance(Duration::from_secs(60));
    }
    assert!(claims(runs, &Claim::new("w")).is_empty());
    let run = get(runs, &id);
    assert_eq!((run.state, run.attempt, run.error.as_deref()), (RunState::Failed, 3, Some("lease expired")));
    let kinds = told(runs, &id);
    let count = |kind: &str| kinds.iter().filter(|told| *told == kind).count();
    assert_eq!((count("run.started"), count("run.rescued"), count("run.failed")), (3, 2, 1));
}

fn retried(env: &Env) {
    env.within(|on| {
        let id = on.runs().enqueue(&Enqueue { max_attempts: 2, ..kind("a") }).unwrap().id;
        let run = claim_one(on.runs());
        on.runs().fail(&Fail { retryable: false, ..Fail::new(&id, run.lease, "no") }).unwrap();
        let again = on.runs().retry(&RetryRun::new(&id)).unwrap();
        assert_eq!((again.state, again.state_code), (RunState::Queued, 0));
        assert_eq!((again.attempt, again.max_attempts, again.series, again.lease), (0, 2, 2, 1));
        assert!(again.finished_at.is_none() && again.claimed_by.is_none());
        assert_eq!(again.error.as_deref(), Some("no"), "what failed last is still told");
        let event = on.runs().events(&RunEvents::new(&id)).unwrap().pop().unwrap();
        assert_eq!(
            (event.kind.as_str(), event.payload.as_str()),
            ("run.retried", r#"{"attempt":0,"from":"failed","to":"queued"}"#)
        );
        assert_ne!(event.actor, "w1", "whoever did it by hand");
        let run = claim_one(on.runs());
        assert_eq!((run.attempt, run.lease), (1, 2), "the lease goes on rising");
        let soon = Fail { retry_in: Some(Duration::ZERO), ..Fail::new(&id, 2, "x") };
        assert_eq!(on.runs().fail(&soon).unwrap().state, RunState::Queued, "all of its attempts once more");
        claim_one(on.runs());
        let output = Some(json("7"));
        let done = on.runs().succeed(&Succeed { output, ..Succeed::new(&id, 3) }).unwrap();
        assert_eq!((done.state, done.error, done.series), (RunState::Succeeded, None, 2));
        assert_eq!(on.runs().output(&RunOutput::new(&id)).unwrap(), json("7"));
    });
}

fn at_once(env: &Env) {
    env.within(|on| {
        let tomorrow = Enqueue { delay: Some(Duration::from_secs(86_400)), priority: 3, ..kind("a") };
        let id = on.runs().enqueue(&tomorrow).unwrap().id;
        on.runs().cancel(&Cancel::new(&id)).unwrap();
        assert!(claims(on.runs(), &Claim::new("w")).is_empty());
        let again = on.runs().retry(&RetryRun::new(&id)).unwrap();
        assert!(again.run_at <= again.updated_at.saturating_add(Duration::from_secs(1)));
        put(on.runs(), "a");
        assert_eq!(claims(on.runs(), &Claim::new("w")), [id], "with the priority it had");
    });
}

fn gated(env: &Env) {
    env.within(|on| {
        let needs = Enqueue { needs_approval: true, ..kind("a") };
        let id = on.runs().enqueue(&needs).unwrap().id;
        on.runs().cancel(&Cancel::new(&id)).unwrap();
        let again = on.runs().retry(&RetryRun::new(&id)).unwrap();
        assert_eq!((again.state, again.state_code, again.series), (RunState::AwaitingApproval, 1, 2));
        assert!(again.finished_at.is_none());
        assert_eq!(told(on.runs(), &id).last().unwrap(), "run.retried");
        assert!(claims(on.runs(), &Claim::new("w")).is_empty(), "never claimable before");
        on.approvals().approve(&Decide::new(&id, "ann")).unwrap();
        let run = claim_one(on.runs());
        on.runs().cancel(&Cancel::new(&id)).unwrap();
        let again = on.runs().retry(&RetryRun::new(&id)).unwrap();
        assert_eq!(
            (run.id, again.state, again.state_code),
            (id, RunState::Queued, 2),
            "granted once, granted for good"
        );
    });
}

fn not_retried(env: &Env) {
    env.within(|on| {
        let id = put(on.runs(), "a").id;
        assert_eq!(code(on.runs().retry(&RetryRun::new(&id))), ErrorCode::InvalidState);
        let run = claim_one(on.runs());
        assert_eq!(code(on.runs().retry(&RetryRun::new(&id))), ErrorCode::InvalidState);
        on.runs().succeed(&Succeed::new(&id, run.lease)).unwrap();
        assert_eq!(code(on.runs().retry(&RetryRun::new(&id))), ErrorCode::InvalidState);
        assert_eq!(told(on.runs(), &id).len(), 3);
        let denied = on.runs().enqueue(&Enqueue { needs_approval: true, ..kind("a") }).unwrap().id;
        on.approvals().deny(&Decide::new(&denied, "ann")).unwrap();
        assert_eq!(code(on.runs().retry(&RetryRun::new(&denied))), ErrorCode::InvalidState);
        assert_eq!(code(on.runs().retry(&RetryRun::new("none"))), ErrorCode::NotFound);
        assert_eq!(code(on.runs().retry(&RetryRun::new(""))), ErrorCode::InvalidArgument);
        let other = on.runs().enqueue(&Enqueue { project: Some("q".into()), ..kind("a") }).unwrap().id;
        on.runs().cancel(&Cancel::new(&other)).unwrap();
        let sprongus_conformance::Face::Store(store) = on else { return };
        let mine = store.scoped("p", Scope::DEFAULT).unwrap();
        assert_eq!(code(mine.runs().retry(&RetryRun::new(&other))), ErrorCode::NotFound);
    });
}

/// `random(0, min(cap, base · 2^(attempt-1)))`: full jitter, by the options of the store.
fn backoff(env: &Env) {
    let clock = ManualClock::new(SystemClock::default().now());
    let (base, cap) = (Duration::from_secs(2), Duration::from_secs(10));
    let options = Options { clock: Arc::new(clock.clone()), backoff_base: base, backoff_cap: cap, ..env.options() };
    let store = env.open_with(options);
    let runs = store.runs();
    let mut delays = vec![Vec::new(); 5];
    for _ in 0..12 {
        let id = runs.enqueue(&Enqueue { max_attempts: 9, ..kind("a") }).unwrap().id;
        for of_attempt in &mut delays {
            let run = claim_one(runs);
            let failed = runs.fail(&Fail::new(&id, run.lease, "x")).unwrap();
            of_attempt.push(failed.run_at.since(clock.now()));
            let event = runs.events(&RunEvents::new(&id)).unwrap().pop().unwrap().payload.to_value();
            let told = Duration::from_secs_f64(event["delay"].as_f64().unwrap());
            assert!(told.abs_diff(failed.run_at.since(clock.now())) <= Duration::from_micros(1), "{told:?}");
            clock.advance(cap);
        }
        runs.cancel(&Cancel::new(&id)).unwrap();
    }
    for (of_attempt, most) in delays.iter().zip([2, 4, 8, 10, 10]) {
        assert!(of_attempt.iter().all(|delay| *delay <= Duration::from_secs(most)));
    }
    let spread = |of: &[Duration]| of.iter().max().unwrap().abs_diff(*of.iter().min().unwrap());
    assert!(delays.iter().any(|of| spread(of) > Duration::from_millis(500)), "they are spread");
}
