//! Steps: the first result stays, whatever becomes of the attempt, and only the present lease stores one.

use std::cell::Cell;
use std::sync::mpsc;
use std::sync::{Arc, atomic};
use std::time::Duration;

use sprongus::clock::testing::ManualClock;
use sprongus::runs::{Cancel, Claim, Enqueue, Fail, FindStep, ListSteps, RetryRun, SaveStep, Succeed};
use sprongus::{Clock, Error, ErrorCode, Json, Options, Run, Runs, Scope, SystemClock};
use sprongus_conformance::{Case, Env, Face};

use super::race::eight;
use super::{case, claim_one, code, get, json, picture, put, told};

pub(super) fn cases() -> Vec<Case> {
    const STEP: &[&str] = &["runs.find_step", "runs.save_step"];
    vec![
        case("steps::the_first_result_stays", &["runs.find_step", "runs.save_step", "runs.steps"], true, first),
        case("steps::a_step_is_worked_once", STEP, true, once),
        case("steps::a_step_that_fails_stores_nothing", STEP, true, fails),
        case("steps::are_no_transition", STEP, true, quiet),
        case("steps::outlive_retries_and_rescue", STEP, false, outlive),
        case("steps::an_older_lease_stores_none", STEP, true, fenced),
        case("steps::only_a_running_run_has_them", STEP, true, running),
        case("steps::come_in_the_order_they_were_stored", &["runs.steps"], true, ordered),
        case("steps::bad_steps_write_nothing", STEP, true, bad),
        case("steps::results_have_a_size", STEP, false, sized),
        case("steps::no_transaction_is_open_while_one_works", STEP, false, open),
        case("steps::go_with_their_transaction", STEP, false, undone),
        case("steps::of_other_projects_are_not_there", &["runs.steps"], false, walled),
        case("steps::eight_store_the_same_step", STEP, false, race),
        case("steps::a_claim_that_is_not_committed_is_waited_for", STEP, false, reclaimed),
    ]
}

fn claimed(runs: Runs<'_>) -> Run {
    put(runs, "a");
    claim_one(runs)
}

fn save(run: &Run, name: &str, output: &str) -> SaveStep {
    SaveStep::new(&run.id, run.lease, name, json(output))
}

fn find(run: &Run, name: &str) -> FindStep {
    FindStep::new(&run.id, run.lease, name)
}

fn first(env: &Env) {
    env.within(|on| {
        let run = claimed(on.runs());
        assert_eq!(on.runs().find_step(&find(&run, "s")).unwrap(), None);
        let stored = on.runs().save_step(&save(&run, "s", r#"{"b":1e16,"a":[1.0,null,"é"]}"#)).unwrap();
        assert_eq!((stored.name.as_str(), stored.output.as_str()), ("s", r#"{"a":[1.0,null,"é"],"b":1e16}"#));
        assert_eq!(stored.attempt, 1);
        assert_eq!(on.runs().save_step(&save(&run, "s", "2")).unwrap(), stored, "the first one stays");
        assert_eq!(on.runs().find_step(&find(&run, "s")).unwrap().as_ref(), Some(&stored));
        assert_eq!(on.runs().steps(&ListSteps::new(&run.id)).unwrap(), [stored]);
        assert_eq!(on.runs().find_step(&find(&run, "S")).unwrap(), None);
        let null = on.runs().save_step(&save(&run, "null", "null")).unwrap();
        assert_eq!(on.runs().find_step(&find(&run, "null")).unwrap(), Some(null), "null is a result");
    });
}

fn once(env: &Env) {
    env.within(|on| {
        let run = claimed(on.runs());
        let worked = Cell::new(0);
        let work = || {
            worked.set(worked.get() + 1);
            Ok(json(&worked.get().to_string()))
        };
        for _ in 0..3 {
            assert_eq!(on.runs().step(&find(&run, "s"), work).unwrap(), json("1"));
        }
        assert_eq!(on.runs().step(&find(&run, "t"), work).unwrap(), json("2"));
        on.runs().succeed(&Succeed::new(&run.id, run.lease)).unwrap();
        assert_eq!(code(on.runs().step(&find(&run, "u"), work)), ErrorCode::LeaseLost);
        assert_eq!(worked.get(), 2, "who has lost the run does not work");
    });
}

fn fails(env: &Env) {
    env.within(|on| {
        let run = claimed(on.runs());
        let error = on.runs().step(&find(&run, "s"), || Err(Error::misuse("enough"))).unwrap_err();
        assert_eq!(error.message(), "enough");
        assert!(on.runs().steps(&ListSteps::new(&run.id)).unwrap().is_empty());
        assert_eq!(on.runs().step(&find(&run, "s"), || Ok(json("1"))).unwrap(), json("1"));
    });
}

fn quiet(env: &Env) {
    env.within(|on| {
        let run = claimed(on.runs());
        on.runs().save_step(&save(&run, "s", "1")).unwrap();
        assert_eq!(get(on.runs(), &run.id), run, "nothing of the run changes");
        assert_eq!(told(on.runs(), &run.id), ["run.enqueued", "run.started"]);
    });
}

fn outlive(env: &Env) {
    let clock = ManualClock::new(SystemClock::default().now());
    let store = env.open_with(Options { clock: Arc::new(clock.clone()), ..env.options() });
    let runs = store.runs();
    let id = runs.enqueue(&Enqueue { max_attempts: 9, ..Enqueue::new("a", Json::null()) }).unwrap().id;
    let run = claim_one(runs);
    let stored = runs.save_step(&save(&run, "s", "1")).unwrap();
    let found = |run: &Run| assert_eq!(runs.find_step(&find(run, "s")).unwrap().as_ref(), Some(&stored));
    runs.fail(&Fail { retry_in: Some(Duration::ZERO), ..Fail::new(&id, run.lease, "x") }).unwrap();
    let retried = claim_one(runs);
    assert_eq!(retried.attempt, 2);
    found(&retried);
    clock.advance(Duration::from_secs(61));
    let rescued = claim_one(runs);
    assert_eq!(rescued.attempt, 3);
    found(&rescued);
    runs.fail(&Fail { retryable: false, ..Fail::new(&id, rescued.lease, "x") }).unwrap();
    runs.retry(&RetryRun::new(&id)).unwrap();
    let anew = claim_one(runs);
    assert_eq!((anew.attempt, anew.series), (1, 2));
    found(&anew);
    let later = runs.save_step(&save(&anew, "t", "2")).unwrap();
    assert!(later.at > stored.at);
    runs.succeed(&Succeed::new(&id, anew.lease)).unwrap();
    assert_eq!(runs.steps(&ListSteps::new(&id)).unwrap(), [stored, later], "and are there when it has ended");
}

fn fenced(env: &Env) {
    env.within(|on| {
        let old = claimed(on.runs());
        on.runs().fail(&Fail { retry_in: Some(Duration::ZERO), ..Fail::new(&old.id, old.lease, "x") }).unwrap();
        let lost = |on: Face<'_, '_>| {
            let before = picture(on);
            assert_eq!(code(on.runs().save_step(&save(&old, "s", "1"))), ErrorCode::LeaseLost);
            assert_eq!(code(on.runs().find_step(&find(&old, "s"))), ErrorCode::LeaseLost);
            assert_eq!(picture(on), before, "nothing changed");
        };
        lost(on);
        // The same worker by its name, with the next lease.
        let new = claim_one(on.runs());
        lost(on);
        on.runs().save_step(&save(&new, "s", "2")).unwrap();
        lost(on);
        on.runs().cancel(&Cancel::new(&new.id)).unwrap();
        assert_eq!(code(on.runs().save_step(&save(&new, "t", "1"))), ErrorCode::LeaseLost);
    });
}

fn running(env: &Env) {
    env.within(|on| {
        let queued = put(on.runs(), "a");
        assert_eq!(code(on.runs().save_step(&save(&queued, "s", "1"))), ErrorCode::InvalidState);
        let dispatched = on.runs().claim_next(&Claim { dispatch: true, ..Claim::new("w") }).unwrap().remove(0);
        let before = picture(on);
        assert_eq!(code(on.runs().save_step(&save(&dispatched, "s", "1"))), ErrorCode::InvalidState);
        assert_eq!(code(on.runs().find_step(&find(&dispatched, "s"))), ErrorCode::InvalidState);
        let none = SaveStep::new("none", 1, "s", Json::null());
        assert_eq!(code(on.runs().save_step(&none)), ErrorCode::NotFound);
        assert_eq!(code(on.runs().find_step(&FindStep::new("none", 1, "s"))), ErrorCode::NotFound);
        assert_eq!(code(on.runs().steps(&ListSteps::new("none"))), ErrorCode::NotFound);
        assert_eq!(picture(on), before);
        assert!(on.runs().steps(&ListSteps::new(&queued.id)).unwrap().is_empty());
    });
}

fn ordered(env: &Env) {
    env.within(|on| {
        let (one, two) = (claimed(on.runs()), claimed(on.runs()));
        let names: Vec<String> = (0..40).map(|n| format!("s{}", n * 7 % 40)).collect();
        for name in &names {
            on.runs().save_step(&save(&one, name, "1")).unwrap();
            on.runs().save_step(&save(&two, name, "2")).unwrap();
            on.runs().save_step(&save(&one, "s0", "3")).unwrap();
        }
        let steps = on.runs().steps(&ListSteps::new(&one.id)).unwrap();
        assert!(steps.iter().map(|step| &step.name).eq(&names));
        assert!(steps.iter().all(|step| step.output == json("1")));
    });
}

fn bad(env: &Env) {
    env.within(|on| {
        let run = claimed(on.runs());
        let before = picture(on);
        for name in ["", "a\0", "a\nb", "\u{85}", &"x".repeat(513)] {
            assert_eq!(code(on.runs().save_step(&save(&run, name, "1"))), ErrorCode::InvalidArgument, "{name:?}");
            assert_eq!(code(on.runs().find_step(&find(&run, name))), ErrorCode::InvalidArgument);
            let untouched = on.runs().step(&find(&run, name), || unreachable!("it is refused first"));
            assert_eq!(code(untouched), ErrorCode::InvalidArgument);
        }
        for id in ["", "a\0", &"x".repeat(129)] {
            assert_eq!(code(on.runs().save_step(&SaveStep::new(id, 1, "s", Json::null()))), ErrorCode::InvalidArgument);
            assert_eq!(code(on.runs().steps(&ListSteps::new(id))), ErrorCode::InvalidArgument);
        }
        for lease in [0, -1, 2, i64::MAX, i64::MIN] {
            let stranger = SaveStep::new(&run.id, lease, "s", Json::null());
            assert_eq!(code(on.runs().save_step(&stranger)), ErrorCode::LeaseLost);
        }
        let huge = json(&format!("\"{}\"", "x".repeat(1 << 20)));
        let huge = SaveStep::new(&run.id, run.lease, "s", huge);
        assert_eq!(code(on.runs().save_step(&huge)), ErrorCode::TooLarge);
        assert_eq!(picture(on), before);
        on.runs().save_step(&save(&run, "é 🙂 '; --", "1")).unwrap();
    });
}

fn sized(env: &Env) {
    let store = env.open_with(Options { max_payload_bytes: 10, ..env.options() });
    let run = claimed(store.runs());
    store.runs().save_step(&save(&run, "s", r#""12345678""#)).unwrap();
    let error = store.runs().save_step(&save(&run, "t", r#""123456789""#)).unwrap_err();
    assert!(error.code() == ErrorCode::TooLarge && error.message().contains("11 bytes"), "{error}");
    assert!(!error.message().contains("1234"));
}

fn open(env: &Env) {
    let store = env.open();
    let run = claimed(store.runs());
    let work = || {
        // Of an open transaction this thread would be told, and the other would wait for its end.
        put(store.runs(), "b");
        std::thread::scope(|scope| scope.spawn(|| put(store.runs(), "c")).join().unwrap());
        Ok(json("1"))
    };
    assert_eq!(store.runs().step(&find(&run, "s"), work).unwrap(), json("1"));
}

fn undone(env: &Env) {
    let store = env.open();
    let run = claimed(store.runs());
    let undone: Result<(), Error> = store.transaction(|tx| {
        tx.runs().save_step(&save(&run, "s", "1"))?;
        assert!(tx.runs().find_step(&find(&run, "s"))?.is_some());
        Err(Error::misuse("enough"))
    });
    undone.unwrap_err();
    assert_eq!(store.runs().find_step(&find(&run, "s")).unwrap(), None);
    store.transaction(|tx| tx.runs().save_step(&save(&run, "s", "2"))).unwrap();
    assert_eq!(store.runs().find_step(&find(&run, "s")).unwrap().unwrap().output, json("2"));
}

fn walled(env: &Env) {
    let store = env.open();
    let run = claimed(store.runs());
    store.runs().save_step(&save(&run, "s", "1")).unwrap();
    let mine = store.scoped("p", Scope::DEFAULT).unwrap();
    assert_eq!(code(mine.runs().steps(&ListSteps::new(&run.id))), ErrorCode::NotFound);
    assert_eq!(code(mine.runs().find_step(&find(&run, "s"))), ErrorCode::NotFound);
    assert_eq!(code(mine.runs().save_step(&save(&run, "t", "1"))), ErrorCode::NotFound);
    assert_eq!(store.runs().steps(&ListSteps::new(&run.id)).unwrap().len(), 1);
    let own = claimed(mine.runs());
    mine.runs().save_step(&save(&own, "s", "1")).unwrap();
    assert_eq!(mine.runs().steps(&ListSteps::new(&own.id)).unwrap().len(), 1);
}

fn race(env: &Env) {
    let store = env.open();
    let run = claimed(store.runs());
    let next = atomic::AtomicUsize::new(0);
    let stored = eight(env, &store, |store| {
        let own = next.fetch_add(1, atomic::Ordering::SeqCst).to_string();
        let same = store.runs().save_step(&save(&run, "same", &own)).unwrap();
        store.runs().save_step(&save(&run, &own, "1")).unwrap();
        same
    });
    assert!(stored.iter().all(|step| *step == stored[0]), "all get the first one");
    let names: Vec<String> =
        store.runs().steps(&ListSteps::new(&run.id)).unwrap().into_iter().map(|step| step.name).collect();
    assert_eq!((names.len(), names[0].as_str()), (9, "same"));
}

/// Whoever stores a step while the run is taken from it finds that out, though it began before that was committed.
fn reclaimed(env: &Env) {
    let clock = ManualClock::new(SystemClock::default().now());
    let store = env.open_with(Options { clock: Arc::new(clock.clone()), ..env.options() });
    let old = claimed(store.runs());
    clock.advance(Duration::from_secs(61));
    let (held, go) = mpsc::channel();
    std::thread::scope(|scope| {
        let rival = scope.spawn(|| {
            let tx = store.begin().unwrap();
            let new = tx.runs().claim_next(&Claim::new("w2")).unwrap().remove(0);
            held.send(()).unwrap();
            std::thread::sleep(Duration::from_millis(300));
            tx.commit().unwrap();
            new
        });
        go.recv().unwrap();
        let late = store.runs().save_step(&save(&old, "s", "1"));
        let new = rival.join().unwrap();
        assert_eq!((code(late), new.lease), (ErrorCode::LeaseLost, 2));
        assert_eq!(store.runs().find_step(&find(&new, "s")).unwrap(), None);
    });
}
