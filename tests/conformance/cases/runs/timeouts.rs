//! Attempts that take too long, ended by claims and `rescue` without their worker.

use std::sync::Arc;
use std::time::Duration;

use sprongus::clock::testing::{ManualClock, SkewedClock};
use sprongus::runs::{Claim, Enqueue, Fail, Heartbeat, Rescue, RunEvents, Snooze, StartRun, Succeed};
use sprongus::{Clock, ErrorCode, Options, Run, RunState, Runs, Store, SystemClock, Value};
use sprongus_conformance::{Backend, Case, Env};

use super::{case, claim_one, claims, code, get, kind, put, told};

pub(super) fn cases() -> Vec<Case> {
    const SWEPT: &[&str] = &["runs.claim_next", "runs.rescue"];
    vec![
        case("runs::a_claim_times_out_what_takes_too_long", SWEPT, false, by_claim),
        case("runs::the_last_attempt_that_takes_too_long_is_timed_out", SWEPT, false, last),
        case("runs::a_timeout_is_counted_from_the_claim", SWEPT, false, from_claim),
        case("runs::a_report_after_the_timeout_is_taken_until_someone_looks", &["runs.succeed"], false, late),
        case("runs::timeouts_are_bounded_and_count_as_rescues", &["runs.rescue"], false, bounded),
        case("runs::a_bad_row_holds_up_no_timeout", SWEPT, false, bad_row),
        case("runs::a_scoped_claim_times_out_its_own", SWEPT, false, scoped),
        case("runs::a_skewed_clock_times_out_in_time", SWEPT, false, skewed),
        case("runs::a_reboot_leaves_timeouts_to_the_rescue", SWEPT, false, reboot),
    ]
}

const SECOND: Duration = Duration::from_secs(1);

/// Tried again at once, so that what follows is certain.
fn manual(env: &Env) -> (Store, ManualClock) {
    let clock = ManualClock::new(SystemClock::default().now());
    let options = Options { clock: Arc::new(clock.clone()), backoff_base: Duration::ZERO, ..env.options() };
    (env.open_with(options), clock)
}

/// Of 10 seconds an attempt.
fn timed(max_attempts: i64) -> Enqueue {
    Enqueue { timeout: Some(10 * SECOND), max_attempts, ..kind("a") }
}

fn last_event(runs: Runs<'_>, id: &str) -> (String, String, String) {
    let event = runs.events(&RunEvents::new(id)).unwrap().pop().unwrap();
    (event.kind, event.actor, event.payload.as_str().to_owned())
}

fn by_claim(env: &Env) {
    let (store, clock) = manual(env);
    let runs = store.runs();
    let id = runs.enqueue(&timed(3)).unwrap().id;
    let first = claim_one(runs);
    clock.advance(10 * SECOND - Duration::from_micros(1));
    assert!(claims(runs, &Claim::new("w2")).is_empty());
    clock.advance(Duration::from_micros(1));
    // One that asks for another kind ends it too.
    assert!(claims(runs, &Claim { kinds: Some(vec!["other".into()]), ..Claim::new("w3") }).is_empty());
    let queued = get(runs, &id);
    assert_eq!(
        (queued.state, queued.attempt, queued.error.as_deref()),
        (RunState::Queued, 1, Some("timed out after 10 s"))
    );
    assert!(queued.claimed_by.is_none() && queued.lease_until.is_none() && queued.started_at.is_none());
    let payload = r#"{"attempt":1,"delay":0.0,"from":"running","reason":"timed out after 10 s","to":"queued"}"#;
    assert_eq!(last_event(runs, &id), ("run.retry_scheduled".into(), "w3".into(), payload.into()));
    let second = runs.claim_next(&Claim::new("w2")).unwrap().remove(0);
    assert_eq!((second.attempt, second.lease), (2, first.lease + 1));
    assert_eq!(code(runs.succeed(&Succeed::new(&id, first.lease))), ErrorCode::LeaseLost);
    assert_eq!(get(runs, &id), second);
    assert_eq!(told(runs, &id), ["run.enqueued", "run.started", "run.retry_scheduled", "run.started"]);
}

fn last(env: &Env) {
    let (store, clock) = manual(env);
    let runs = store.runs();
    let id = runs.enqueue(&timed(1)).unwrap().id;
    let run = claim_one(runs);
    clock.advance(11 * SECOND);
    assert_eq!(runs.rescue(&Rescue::default()).unwrap(), 1);
    let ended = get(runs, &id);
    assert_eq!((ended.state, ended.state_code), (RunState::TimedOut, 9));
    assert_eq!(ended.error.as_deref(), Some("timed out after 10 s"));
    assert!(ended.finished_at.is_some() && ended.lease_until.is_none());
    let (kind, _, payload) = last_event(runs, &id);
    assert_eq!(kind, "run.timed_out");
    assert_eq!(payload, r#"{"attempt":1,"error":"timed out after 10 s","from":"running","to":"timed_out"}"#);
    for report in
        [code(runs.succeed(&Succeed::new(&id, run.lease))), code(runs.heartbeat(&Heartbeat::new(&id, run.lease)))]
    {
        assert_eq!(report, ErrorCode::LeaseLost);
    }
    assert_eq!(runs.rescue(&Rescue::default()).unwrap(), 0);
    assert_eq!(get(runs, &id), ended, "not even updated_at");
}

/// Dispatching counts, heartbeats do not extend it, and each attempt has its own.
fn from_claim(env: &Env) {
    let (store, clock) = manual(env);
    let runs = store.runs();
    let id = runs.enqueue(&timed(9)).unwrap().id;
    let run = runs.claim_next(&Claim { dispatch: true, lease: 60 * SECOND, ..Claim::new("w") }).unwrap().remove(0);
    clock.advance(6 * SECOND);
    runs.start(&StartRun::new(&id, run.lease)).unwrap();
    runs.heartbeat(&Heartbeat::new(&id, run.lease)).unwrap();
    clock.advance(4 * SECOND);
    assert_eq!(runs.rescue(&Rescue::default()).unwrap(), 1);
    let run = runs.claim_next(&Claim { dispatch: true, ..Claim::new("w") }).unwrap().remove(0);
    clock.advance(10 * SECOND);
    assert_eq!(runs.rescue(&Rescue::default()).unwrap(), 1, "never started");
    assert!(last_event(runs, &id).2.contains(r#""from":"dispatching""#));
    let again = claim_one(runs);
    assert_eq!((run.attempt, again.attempt), (2, 3));
    clock.advance(9 * SECOND);
    runs.snooze(&Snooze::new(&id, again.lease, Duration::ZERO)).unwrap();
    let again = claim_one(runs);
    clock.advance(9 * SECOND);
    assert_eq!(runs.rescue(&Rescue::default()).unwrap(), 0, "counted anew");
    runs.fail(&Fail::new(&id, again.lease, "x")).unwrap();
    clock.advance(60 * SECOND);
    assert_eq!(runs.rescue(&Rescue::default()).unwrap(), 0, "nothing that waits times out");
}

fn late(env: &Env) {
    let (store, clock) = manual(env);
    let runs = store.runs();
    let id = runs.enqueue(&timed(1)).unwrap().id;
    let run = claim_one(runs);
    clock.advance(20 * SECOND);
    runs.heartbeat(&Heartbeat::new(&id, run.lease)).unwrap();
    assert_eq!(runs.succeed(&Succeed::new(&id, run.lease)).unwrap().state, RunState::Succeeded);
    assert_eq!(runs.rescue(&Rescue::default()).unwrap(), 0, "what has ended is left alone");
    assert_eq!(told(runs, &id).last().unwrap(), "run.succeeded");
}

fn bounded(env: &Env) {
    let (store, clock) = manual(env);
    let runs = store.runs();
    for _ in 0..4 {
        runs.enqueue(&timed(1)).unwrap();
    }
    put(runs, "a");
    let claimed = runs.claim_next(&Claim { limit: 9, lease: 10 * SECOND, ..Claim::new("w") }).unwrap();
    assert_eq!(claimed.len(), 5);
    clock.advance(10 * SECOND);
    assert_eq!(runs.rescue(&Rescue { limit: 0 }).unwrap(), 0);
    assert_eq!(runs.rescue(&Rescue { limit: 3 }).unwrap(), 3);
    assert_eq!(runs.rescue(&Rescue { limit: 3 }).unwrap(), 2, "the last timeout and the one whose lease has run out");
    let ended = claimed.iter().filter(|run| get(runs, &run.id).state == RunState::TimedOut);
    assert_eq!(ended.count(), 4, "a timeout goes before a lease that has run out");
}

fn bad_row(env: &Env) {
    let (store, clock) = manual(env);
    let runs = store.runs();
    let (bad, good) = (runs.enqueue(&timed(1)).unwrap().id, runs.enqueue(&timed(1)).unwrap().id);
    let long = Claim { limit: 2, lease: 90 * SECOND, ..Claim::new("w") };
    assert_eq!(runs.claim_next(&long).unwrap().len(), 2);
    // An event that stands where the timeout's would go: the transition cannot be written.
    let sql = "INSERT INTO sprongus_events (id, subject, seq, type, at, actor, payload) VALUES ('x', $1, 3, 'odd', $2, 'x', $3)";
    let params = [format!("run:{bad}").into(), Value::Timestamp(clock.now()), Value::json("{}")];
    store.execute(sql, &params).unwrap();
    clock.advance(10 * SECOND);
    let fresh = put(runs, "a").id;
    assert_eq!(claims(runs, &Claim::new("w2")), [fresh]);
    assert_eq!(get(runs, &good).state, RunState::TimedOut);
    assert_eq!((get(runs, &bad).state, get(runs, &bad).version), (RunState::Running, 2));
}

fn scoped(env: &Env) {
    let (store, clock) = manual(env);
    let of = |project: &str| Enqueue { project: Some(project.to_owned()), ..timed(1) };
    let (p, q) = (store.runs().enqueue(&of("p")).unwrap().id, store.runs().enqueue(&of("q")).unwrap().id);
    store.runs().claim_next(&Claim { limit: 2, ..Claim::new("w") }).unwrap();
    clock.advance(10 * SECOND);
    let mine = store.scoped("p", sprongus::Scope::DEFAULT).unwrap();
    assert!(claims(mine.runs(), &Claim::new("w2")).is_empty());
    assert_eq!(get(store.runs(), &p).state, RunState::TimedOut);
    assert_eq!(get(store.runs(), &q).state, RunState::Running);
    assert_eq!(mine.runs().rescue(&Rescue::default()).unwrap(), 0);
    assert_eq!(store.runs().rescue(&Rescue::default()).unwrap(), 1);
}

/// Neither a holder nor a sweeper whose clock is hours off ends an attempt early or late.
fn skewed(env: &Env) {
    for seconds in [7200, -7200] {
        let env = Env::fresh(env.backend());
        let wrong = env.open_with(Options { clock: Arc::new(SkewedClock::new(seconds)), ..env.options() });
        let right = if env.backend() == Backend::SqliteMemory { wrong.clone() } else { env.open() };
        let brief = Enqueue { timeout: Some(SECOND), max_attempts: 1, ..kind("a") };
        for (holder, sweeper) in [(&wrong, &right), (&right, &wrong)] {
            let id = holder.runs().enqueue(&brief).unwrap().id;
            let begun = std::time::Instant::now();
            assert_eq!(holder.runs().claim_next(&Claim::new("w")).unwrap().len(), 1);
            let swept = sweeper.runs().rescue(&Rescue::default()).unwrap();
            assert!(swept == 0 || begun.elapsed() >= SECOND, "not before its time");
            std::thread::sleep(SECOND + Duration::from_millis(50));
            sweeper.runs().rescue(&Rescue::default()).unwrap();
            assert_eq!(get(sweeper.runs(), &id).state, RunState::TimedOut);
        }
    }
}

/// SQLite's leases and timeouts stand on the clock of one boot; PostgreSQL's clock knows no boots.
fn reboot(env: &Env) {
    let (store, clock) = manual(env);
    let runs = store.runs();
    let sqlite = env.backend() != Backend::Postgres;
    let (held, left) = (runs.enqueue(&timed(2)).unwrap().id, runs.enqueue(&timed(2)).unwrap().id);
    let claimed: Vec<Run> = runs.claim_next(&Claim { limit: 2, ..Claim::new("w") }).unwrap();
    assert_eq!(claimed[0].id, held);
    clock.advance(5 * SECOND);
    clock.reboot();
    // A holder that outlived the boot and says so has its whole time once more: nobody knows how long it took.
    runs.heartbeat(&Heartbeat::new(&held, claimed[0].lease)).unwrap();
    assert_eq!(runs.rescue(&Rescue::default()).unwrap(), i64::from(sqlite));
    assert_eq!(get(runs, &left).state, if sqlite { RunState::Queued } else { RunState::Running });
    clock.advance(6 * SECOND);
    let ended = i64::from(!sqlite) * 2;
    assert_eq!(runs.rescue(&Rescue::default()).unwrap(), ended);
    clock.advance(4 * SECOND);
    assert_eq!(runs.rescue(&Rescue::default()).unwrap(), i64::from(sqlite));
    assert_eq!(told(runs, &held).last().unwrap(), "run.retry_scheduled");
}
