//! Leases: extended, run out, rescued; whatever the clocks say.

use std::sync::Arc;
use std::time::Duration;

use sprongus::clock::testing::{ManualClock, SkewedClock};
use sprongus::runs::{Claim, Enqueue, Heartbeat, Rescue, RunEvents, Succeed};
use sprongus::{Clock, ErrorCode, Options, RunState, Store, SystemClock, Value};
use sprongus_conformance::{Backend, Case, Env};

use super::{case, claim_one, claims, code, get, kind, put, told};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("runs::an_expired_lease_is_rescued_by_the_next_claim", &["runs.claim_next"], false, rescued),
        case("runs::a_late_report_is_taken_until_someone_claims", &["runs.succeed"], false, late),
        case("runs::a_heartbeat_extends_the_lease", &["runs.heartbeat"], false, extended),
        case("runs::the_last_expired_attempt_fails", &["runs.rescue"], false, exhausted),
        case("runs::rescue_is_bounded_and_counts", &["runs.rescue"], false, bounded),
        case("runs::one_bad_row_holds_up_none", &["runs.rescue", "runs.claim_next"], false, bad_row),
        case("runs::bad_rows_hide_none", &["runs.rescue"], false, hides_none),
        case("runs::a_skewed_clock_neither_steals_nor_freezes", &["runs.claim_next"], false, skewed),
        case("runs::a_call_waits_by_one_deadline", &["runs.claim_next"], false, one_deadline),
        case("runs::a_long_lease_does_not_excuse_from_a_short_one", &["runs.claim_next"], false, mixed),
        case("runs::a_scoped_claim_rescues_its_own", &["runs.claim_next"], false, scoped),
    ]
}

const MINUTE: Duration = Duration::from_secs(60);

fn manual(env: &Env) -> (Store, ManualClock) {
    let clock = ManualClock::new(SystemClock::default().now());
    (env.open_with(Options { clock: Arc::new(clock.clone()), ..env.options() }), clock)
}

fn rescued(env: &Env) {
    let (store, clock) = manual(env);
    let runs = store.runs();
    let id = put(runs, "a").id;
    let first = claim_one(runs);
    clock.advance(MINUTE - Duration::from_micros(1));
    assert!(claims(runs, &Claim::new("w2")).is_empty());
    clock.advance(Duration::from_micros(1));
    let second = runs.claim_next(&Claim::new("w2")).unwrap().remove(0);
    assert_eq!((second.attempt, second.lease, second.claimed_by.as_deref()), (2, 2, Some("w2")));
    assert_eq!(code(runs.succeed(&Succeed::new(&id, first.lease))), ErrorCode::LeaseLost);
    assert_eq!(get(runs, &id), second);
    assert_eq!(told(runs, &id), ["run.enqueued", "run.started", "run.rescued", "run.started"]);
    let event = runs.events(&RunEvents::new(&id)).unwrap().remove(2);
    assert_eq!(
        (event.actor.as_str(), event.payload.as_str()),
        ("w2", r#"{"attempt":1,"from":"running","to":"queued"}"#)
    );
}

fn late(env: &Env) {
    let (store, clock) = manual(env);
    let runs = store.runs();
    let run = runs.enqueue(&kind("a")).unwrap();
    let first = claim_one(runs);
    clock.advance(10 * MINUTE);
    assert_eq!(runs.succeed(&Succeed::new(&run.id, first.lease)).unwrap().state, RunState::Succeeded);
    let other = put(runs, "a").id;
    let first = claim_one(runs);
    clock.advance(10 * MINUTE);
    assert_eq!(runs.rescue(&Rescue::default()).unwrap(), 1);
    assert_eq!(get(runs, &other).state, RunState::Queued);
    assert_eq!(code(runs.succeed(&Succeed::new(&other, first.lease))), ErrorCode::LeaseLost);
    assert_eq!(code(runs.heartbeat(&Heartbeat::new(&other, first.lease))), ErrorCode::LeaseLost);
}

fn extended(env: &Env) {
    let (store, clock) = manual(env);
    let runs = store.runs();
    let id = put(runs, "a").id;
    let run = claim_one(runs);
    clock.advance(MINUTE - Duration::from_secs(1));
    let beat = runs.heartbeat(&Heartbeat::new(&id, run.lease)).unwrap();
    assert_eq!(beat.lease_until, Some(clock.now().saturating_add(MINUTE)), "by as much as it was claimed for");
    clock.advance(MINUTE - Duration::from_secs(1));
    assert!(claims(runs, &Claim::new("w2")).is_empty());
    runs.heartbeat(&Heartbeat { extend: Some(Duration::from_secs(5)), ..Heartbeat::new(&id, run.lease) }).unwrap();
    clock.advance(Duration::from_secs(5));
    assert_eq!(claims(runs, &Claim::new("w2")), [id]);
}

fn exhausted(env: &Env) {
    let (store, clock) = manual(env);
    let runs = store.runs();
    let once = runs.enqueue(&Enqueue { max_attempts: 1, ..kind("a") }).unwrap().id;
    claim_one(runs);
    clock.advance(MINUTE);
    assert!(claims(runs, &Claim::new("w2")).is_empty());
    let run = get(runs, &once);
    assert_eq!((run.state, run.error.as_deref()), (RunState::Failed, Some("lease expired")));
    assert!(run.finished_at.is_some() && run.lease_until.is_none());
    assert_eq!(told(runs, &once), ["run.enqueued", "run.started", "run.failed"]);
    assert_eq!(code(runs.succeed(&Succeed::new(&once, run.lease))), ErrorCode::LeaseLost);
}

fn bounded(env: &Env) {
    let (store, clock) = manual(env);
    let runs = store.runs();
    for _ in 0..5 {
        put(runs, "a");
    }
    let dispatch = Claim { dispatch: true, limit: 2, ..Claim::new("w") };
    runs.claim_next(&dispatch).unwrap();
    runs.claim_next(&Claim { limit: 3, ..Claim::new("w") }).unwrap();
    assert_eq!(runs.rescue(&Rescue::default()).unwrap(), 0);
    clock.advance(MINUTE);
    assert_eq!(runs.rescue(&Rescue { limit: 2 }).unwrap(), 2);
    assert_eq!(runs.rescue(&Rescue { limit: 0 }).unwrap(), 0);
    assert_eq!(runs.rescue(&Rescue::default()).unwrap(), 3);
    for bad in [-1, 1001] {
        assert_eq!(code(runs.rescue(&Rescue { limit: bad })), ErrorCode::InvalidArgument);
    }
}

fn bad_row(env: &Env) {
    let (store, clock) = manual(env);
    let runs = store.runs();
    let (bad, good) = (put(runs, "a").id, put(runs, "a").id);
    let claimed = runs.claim_next(&Claim { limit: 2, ..Claim::new("w") }).unwrap();
    // An event that stands where the rescue's would go: the transition cannot be written.
    let sql = "INSERT INTO sprongus_events (id, subject, seq, type, at, actor, payload) VALUES ('x', $1, 3, 'odd', $2, 'x', $3)";
    let params = [format!("run:{bad}").into(), Value::Timestamp(clock.now()), Value::json("{}")];
    store.execute(sql, &params).unwrap();
    clock.advance(MINUTE);
    let fresh = put(runs, "a").id;
    assert_eq!(
        claims(runs, &Claim { limit: 5, ..Claim::new("w2") }),
        [good, fresh],
        "the others are rescued and claimed"
    );
    let left = get(runs, &bad);
    assert_eq!((left.state, left.lease, left.version), (RunState::Running, claimed[0].lease, 2));
}

/// However few are asked for, and however many stand before them that cannot be moved.
fn hides_none(env: &Env) {
    let (store, clock) = manual(env);
    let runs = store.runs();
    for timeout in [None, Some(MINUTE)] {
        let run = Enqueue { timeout, max_attempts: 1, ..kind("a") };
        let ids: Vec<String> = (0..8).map(|_| runs.enqueue(&run).unwrap().id).collect();
        assert_eq!(runs.claim_next(&Claim { limit: 8, ..Claim::new("w") }).unwrap().len(), 8);
        for bad in &ids[..6] {
            let sql = "INSERT INTO sprongus_events (id, subject, seq, type, at, actor, payload) VALUES ($1, $2, 3, 'odd', $3, 'x', $4)";
            let params = [bad.into(), format!("run:{bad}").into(), Value::Timestamp(clock.now()), Value::json("{}")];
            store.execute(sql, &params).unwrap();
        }
        clock.advance(MINUTE);
        for good in &ids[6..] {
            assert_eq!(runs.rescue(&Rescue { limit: 1 }).unwrap(), 1);
            assert!(get(runs, good).state.is_final());
        }
        assert_eq!(runs.rescue(&Rescue { limit: 1 }).unwrap(), 0);
        assert!(ids[..6].iter().all(|bad| get(runs, bad).state == RunState::Running), "left as they were");
        store.execute("DELETE FROM sprongus_runs", &[]).unwrap();
        store.execute("DELETE FROM sprongus_events", &[]).unwrap();
    }
}

/// A store whose clock is wrong, and one whose clock is right, over the same database.
fn two_clocks(env: &Env, seconds: i64) -> (Store, Store) {
    let wrong = env.open_with(Options { clock: Arc::new(SkewedClock::new(seconds)), ..env.options() });
    // Memory is one store's alone: there the same clock is on both sides.
    let right = if env.backend() == Backend::SqliteMemory { wrong.clone() } else { env.open() };
    (wrong, right)
}

fn skewed(env: &Env) {
    for seconds in [7200, -7200] {
        let env = Env::fresh(env.backend());
        let (wrong, right) = two_clocks(&env, seconds);
        let short = |worker: &str| Claim { lease: Duration::from_millis(700), ..Claim::new(worker) };
        for (holder, rival) in [(&wrong, &right), (&right, &wrong)] {
            let id = put(holder.runs(), "a").id;
            assert_eq!(claims(rival.runs(), &Claim { kinds: Some(vec!["b".into()]), ..short("r") }), [""; 0]);
            let held = holder.runs().claim_next(&short("holder")).unwrap();
            assert_eq!(held.len(), 1, "what is enqueued for now is claimed now, whatever the clock");
            assert!(claims(rival.runs(), &short("rival")).is_empty(), "a lease in force is not stolen");
            std::thread::sleep(Duration::from_millis(900));
            assert_eq!(
                claims(rival.runs(), &short("rival")),
                std::slice::from_ref(&id),
                "one that ran out is not frozen"
            );
            let lease = get(rival.runs(), &id).lease;
            rival.runs().succeed(&Succeed::new(&id, lease)).unwrap();
        }
    }
}

fn scoped(env: &Env) {
    let (store, clock) = manual(env);
    let of = |project: &str| Enqueue { project: Some(project.to_owned()), ..kind("a") };
    let p = store.runs().enqueue(&of("p")).unwrap().id;
    let q = store.runs().enqueue(&of("q")).unwrap().id;
    store.runs().claim_next(&Claim { limit: 2, ..Claim::new("w") }).unwrap();
    clock.advance(MINUTE);
    let mine = store.scoped("p", sprongus::Scope::DEFAULT).unwrap();
    assert_eq!(claims(mine.runs(), &Claim { limit: 9, ..Claim::new("w2") }), [p]);
    assert_eq!(get(store.runs(), &q).state, RunState::Running);
}

/// The host's transaction that keeps everybody from writing runs.
fn hold(store: &Store) -> sprongus::Tx<'static> {
    let host = store.begin().unwrap();
    let lock = match store.backend() {
        sprongus::Dialect::Postgres => "LOCK TABLE sprongus_runs IN EXCLUSIVE MODE",
        sprongus::Dialect::Sqlite => "CREATE TABLE of_the_host (n BIGINT)",
    };
    host.execute(lock, &[]).unwrap();
    host
}

fn one_deadline(env: &Env) {
    let patience = Duration::from_millis(1000);
    let store = env.open_with(Options { busy_timeout: patience, call_timeout: 2 * patience, ..env.options() });
    let patience = if env.backend() == Backend::Postgres { 2 * patience } else { patience };
    let delayed = Enqueue { delay: Some(Duration::from_millis(1)), ..kind("a") };
    store.runs().enqueue(&delayed).unwrap();
    std::thread::sleep(Duration::from_millis(10));
    let host = hold(&store);
    let (begun, error) = std::thread::scope(|scope| {
        let claim = || (std::time::Instant::now(), store.runs().claim_next(&Claim::new("w")).unwrap_err());
        scope.spawn(claim).join().unwrap()
    });
    let waited = begun.elapsed();
    assert!(matches!(error.code(), ErrorCode::Busy | ErrorCode::Timeout), "{error}");
    assert!(waited >= patience.mul_f64(0.9) && waited < patience.mul_f64(1.5), "{waited:?}");
    host.rollback().unwrap();
    assert_eq!(store.runs().claim_next(&Claim::new("w")).unwrap().len(), 1);
}

/// The holder of a short lease could not extend it while a claimer of long leases waited beside it for the same writer.
fn mixed(env: &Env) {
    let store = env.open();
    let id = put(store.runs(), "a").id;
    let held =
        store.runs().claim_next(&Claim { lease: Duration::from_millis(600), ..Claim::new("w") }).unwrap().remove(0);
    let host = hold(&store);
    std::thread::sleep(Duration::from_millis(700));
    std::thread::scope(|scope| {
        let claimer = scope.spawn(|| claims(store.runs(), &Claim { lease: MINUTE, ..Claim::new("rival") }));
        std::thread::sleep(Duration::from_millis(500));
        host.commit().unwrap();
        assert!(claimer.join().unwrap().is_empty(), "nobody is rescued by one that waited as long");
    });
    store.runs().heartbeat(&Heartbeat::new(&id, held.lease)).unwrap();
    std::thread::sleep(Duration::from_millis(900));
    assert_eq!(claims(store.runs(), &Claim::new("rival")), [id], "once the wait is over it is rescued as ever");
}
