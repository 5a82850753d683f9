//! Waiting for the end of a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sprongus::runs::{Cancel, Claim, Succeed, WaitRun};
use sprongus::{ErrorCode, Options, RunState, Scope, Store};
use sprongus_conformance::{Backend, Case, Env};

use super::{case, claim_one, code, put};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("runs::a_wait_ends_with_the_run", &["runs.wait"], false, ends),
        case("runs::a_wait_hears_of_other_stores", &["runs.wait"], false, elsewhere),
        case("runs::a_wait_that_is_too_short_is_a_timeout", &["runs.wait"], false, late),
        case("runs::a_wait_can_be_interrupted", &["runs.wait"], false, interrupted),
        case("runs::a_wait_within_a_transaction_is_misuse", &["runs.wait"], true, within),
    ]
}

fn wait(id: &str, seconds: f64) -> WaitRun {
    WaitRun { timeout: Some(Duration::from_secs_f64(seconds)), ..WaitRun::new(id) }
}

/// Ends the run from another thread a little later; when it did.
fn finish_later(store: &Store) -> Instant {
    std::thread::sleep(Duration::from_millis(300));
    let run = claim_one(store.runs());
    store.runs().succeed(&Succeed::new(&run.id, run.lease)).unwrap();
    Instant::now()
}

fn ends(env: &Env) {
    let store = env.open();
    let id = put(store.runs(), "a").id;
    std::thread::scope(|scope| {
        let finisher = scope.spawn(|| finish_later(&store));
        let run = store.runs().wait(&WaitRun::new(&id)).unwrap();
        let (seen, ended) = (Instant::now(), finisher.join().unwrap());
        assert_eq!(run.state, RunState::Succeeded);
        assert!(seen.saturating_duration_since(ended) < Duration::from_millis(100), "woken, not polled");
    });
    // One that has ended is given at once, even without time; the end may be any.
    assert_eq!(store.runs().wait(&wait(&id, 0.0)).unwrap().state, RunState::Succeeded);
    let id = put(store.runs(), "a").id;
    store.runs().cancel(&Cancel::new(&id)).unwrap();
    assert_eq!(store.runs().wait(&wait(&id, 0.0)).unwrap().state, RunState::Canceled);
}

fn elsewhere(env: &Env) {
    let store = env.open();
    let other = if env.backend() == Backend::SqliteMemory { store.clone() } else { env.open() };
    let id = put(store.runs(), "a").id;
    std::thread::scope(|scope| {
        let finisher = scope.spawn(|| finish_later(&other));
        let run = store.runs().wait(&wait(&id, 30.0)).unwrap();
        let (seen, ended) = (Instant::now(), finisher.join().unwrap());
        assert_eq!(run.state, RunState::Succeeded);
        assert!(seen.saturating_duration_since(ended) < Duration::from_secs(2));
    });
}

fn late(env: &Env) {
    let store = env.open();
    let id = put(store.runs(), "a").id;
    let begun = Instant::now();
    let error = store.runs().wait(&wait(&id, 0.2)).unwrap_err();
    assert_eq!((error.code(), error.details().unwrap()["state"].as_str()), (ErrorCode::Timeout, Some("queued")));
    assert!((Duration::from_millis(200)..Duration::from_secs(5)).contains(&begun.elapsed()));
    assert_eq!(code(store.runs().wait(&wait(&id, 0.0))), ErrorCode::Timeout, "it looks once");
    assert_eq!(
        code(store.runs().wait(&WaitRun { timeout: Some(Duration::MAX), ..WaitRun::new(&id) })),
        ErrorCode::InvalidArgument
    );
    assert_eq!(code(store.runs().wait(&wait("none", 1.0))), ErrorCode::NotFound);
    assert_eq!(code(store.runs().wait(&wait("", 1.0))), ErrorCode::InvalidArgument);
    let other = store.scoped("p", Scope::DEFAULT).unwrap();
    assert_eq!(code(other.runs().wait(&wait(&id, 1.0))), ErrorCode::NotFound, "another's is not there");
}

fn interrupted(env: &Env) {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = stop.clone();
    let interrupt: sprongus::Interrupt = Arc::new(move || asked.load(Ordering::SeqCst));
    let store = env.open_with(Options { interrupt: Some(interrupt), ..env.options() });
    let id = put(store.runs(), "a").id;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(200));
            stop.store(true, Ordering::SeqCst);
        });
        let begun = Instant::now();
        assert_eq!(code(store.runs().wait(&WaitRun::new(&id))), ErrorCode::Timeout);
        assert!(begun.elapsed() < Duration::from_secs(2));
    });
}

fn within(env: &Env) {
    env.within(|on| {
        let id = put(on.runs(), "a").id;
        if let sprongus_conformance::Face::Tx(tx) = on {
            assert_eq!(code(tx.runs().wait(&wait(&id, 0.0))), ErrorCode::Misuse);
        } else if let sprongus_conformance::Face::Store(store) = on {
            let refused = store.transaction(|tx| {
                assert_eq!(code(tx.runs().wait(&wait(&id, 0.0))), ErrorCode::Misuse);
                // Nor on the store, while this thread has its transaction open.
                Ok(code(store.runs().wait(&wait(&id, 0.0))))
            });
            assert_eq!(refused.unwrap(), ErrorCode::Misuse);
        }
        assert_eq!(on.runs().claim_next(&Claim::new("w")).unwrap().len(), 1, "the transaction goes on");
    });
}
