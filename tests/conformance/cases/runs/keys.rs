//! Idempotency keys: found, made by a factory, raced for.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use sprongus::runs::{Cancel, Enqueue, FindIdempotent, ListRuns};
use sprongus::{Error, ErrorCode, Json, Result, Run, RunState, Scope};
use sprongus_conformance::{Case, Env, Face};

use super::race::eight;
use super::{case, code, json, kind, told};

pub(super) fn cases() -> Vec<Case> {
    const ENSURED: &[&str] = &["runs.find_idempotent", "runs.enqueue"];
    vec![
        case("runs::a_run_is_found_by_its_key", &["runs.find_idempotent"], true, found),
        case("runs::keys_without_a_project_are_a_project_of_their_own", ENSURED, true, no_project),
        case("runs::a_factory_runs_where_there_is_no_run", ENSURED, true, factory),
        case("runs::a_factory_for_another_run_is_refused", ENSURED, true, other),
        case("runs::a_factory_runs_with_no_lock_held", ENSURED, false, unlocked),
        case("runs::eight_factories_make_one_run", ENSURED, false, raced),
        case("runs::a_factorys_rival_that_rolls_back_leaves_the_key", ENSURED, false, rolled_back),
        case("runs::a_key_stays_with_its_run_whatever_becomes_of_it", ENSURED, true, stays),
        case("runs::a_scoped_handle_finds_its_own_keys", ENSURED, false, scoped),
    ]
}

fn keyed(project: Option<&str>) -> Enqueue {
    Enqueue { idempotency_key: Some("k".to_owned()), project: project.map(str::to_owned), ..kind("a") }
}

fn of(project: Option<&str>) -> FindIdempotent {
    FindIdempotent { project: project.map(str::to_owned), ..FindIdempotent::new("k") }
}

fn never() -> Result<Enqueue> {
    panic!("the factory ran though there is a run")
}

fn count(on: Face<'_, '_>) -> usize {
    on.runs().list(&ListRuns::default()).unwrap().len()
}

fn found(env: &Env) {
    env.within(|on| {
        assert_eq!(on.runs().find_idempotent(&of(None)).unwrap(), None);
        let run = on.runs().enqueue(&keyed(None)).unwrap();
        assert_eq!(on.runs().find_idempotent(&of(None)).unwrap(), Some(run.clone()));
        assert!(!run.deduplicated);
        assert_eq!(on.runs().find_idempotent(&FindIdempotent::new("K")).unwrap(), None, "to the letter");
        for bad in ["", "a\0", "tab\t", &"x".repeat(513)] {
            assert_eq!(code(on.runs().find_idempotent(&FindIdempotent::new(bad))), ErrorCode::InvalidArgument);
            let ensured = on.runs().ensure_idempotent(&FindIdempotent::new(bad), never);
            assert_eq!(code(ensured), ErrorCode::InvalidArgument, "before the factory");
        }
        assert_eq!(code(on.runs().find_idempotent(&of(Some("")))), ErrorCode::InvalidArgument);
    });
}

fn no_project(env: &Env) {
    env.within(|on| {
        let ids: Vec<String> =
            [None, Some("p"), Some("q")].map(|project| on.runs().enqueue(&keyed(project)).unwrap().id).into();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 3, "three projects, no project among them");
        for (project, id) in [None, Some("p"), Some("q")].into_iter().zip(&ids) {
            assert_eq!(on.runs().find_idempotent(&of(project)).unwrap().unwrap().id, *id);
            let again = on.runs().enqueue(&keyed(project)).unwrap();
            assert_eq!((&again.id, again.deduplicated), (id, true));
            assert_eq!(on.runs().ensure_idempotent(&of(project), never).unwrap(), again);
        }
        assert_eq!(count(on), 3);
    });
}

fn factory(env: &Env) {
    env.within(|on| {
        let failed = on.runs().ensure_idempotent(&of(Some("p")), || Err(Error::misuse("no input today")));
        assert_eq!(failed.unwrap_err().message(), "no input today");
        assert_eq!(count(on), 0);
        let run = on.runs().ensure_idempotent(&of(Some("p")), || Ok(kind("a"))).unwrap();
        assert_eq!((run.idempotency_key.as_deref(), run.project_id.as_deref()), (Some("k"), Some("p")));
        assert!(!run.deduplicated);
        let again = on.runs().ensure_idempotent(&of(Some("p")), never).unwrap();
        assert_eq!(again, Run { deduplicated: true, ..run.clone() });
        assert_eq!(told(on.runs(), &run.id), ["run.enqueued"]);
        let named = Enqueue { idempotency_key: Some("k2".into()), project: Some("p".into()), ..kind("b") };
        let request = FindIdempotent { project: Some("p".into()), ..FindIdempotent::new("k2") };
        assert_eq!(on.runs().ensure_idempotent(&request, || Ok(named)).unwrap().kind, "b", "it may name both itself");
    });
}

fn other(env: &Env) {
    env.within(|on| {
        for wrong in [
            Enqueue { idempotency_key: Some("other".into()), ..kind("a") },
            Enqueue { project: Some("q".into()), ..kind("a") },
            Enqueue { max_attempts: 0, ..kind("a") },
            kind("a/*"),
        ] {
            let refused = on.runs().ensure_idempotent(&of(Some("p")), || Ok(wrong));
            assert_eq!(code(refused), ErrorCode::InvalidArgument);
        }
        let projected = on.runs().ensure_idempotent(&of(None), || Ok(keyed(Some("p"))));
        assert_eq!(code(projected), ErrorCode::InvalidArgument, "asked for without a project");
        assert_eq!(count(on), 0, "nothing was written");
    });
}

/// Another thread writes while the factory runs: no transaction of ours is open meanwhile.
fn unlocked(env: &Env) {
    let store = env.open();
    let run = store.runs().ensure_idempotent(&of(None), || {
        let beside = std::thread::scope(|scope| scope.spawn(|| store.runs().enqueue(&kind("beside"))).join().unwrap())?;
        store.runs().cancel(&Cancel::new(&beside.id))?;
        Ok(Enqueue { parent: Some(beside.id), ..kind("a") })
    });
    assert!(run.unwrap().parent_id.is_some());
}

/// Each describes another run, as factories do that note the time; one of them is kept and all get it.
fn raced(env: &Env) {
    let store = env.open();
    let made = AtomicUsize::new(0);
    let runs = eight(env, &store, |store| {
        let describe = || {
            let number = made.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(20));
            Ok(Enqueue::new("a", json(&format!("{{\"n\":{number}}}"))))
        };
        store.runs().ensure_idempotent(&of(None), describe).unwrap()
    });
    assert_eq!(runs.iter().filter(|run| !run.deduplicated).count(), 1);
    let same = |run: &Run| (run.id.clone(), run.input.clone());
    assert!(runs.iter().all(|run| same(run) == same(&runs[0])), "all get the one that was kept");
    assert!(made.into_inner() > 1, "a race it was");
    assert_eq!(store.runs().list(&ListRuns::default()).unwrap().len(), 1);
}

fn rolled_back(env: &Env) {
    let store = env.open();
    let (held, go) = mpsc::channel();
    std::thread::scope(|scope| {
        let rival = scope.spawn(|| {
            let tx = store.begin().unwrap();
            let run = tx.runs().ensure_idempotent(&of(None), || Ok(Enqueue::new("rival", Json::null()))).unwrap();
            held.send(()).unwrap();
            std::thread::sleep(Duration::from_millis(300));
            tx.rollback().unwrap();
            run
        });
        go.recv().unwrap();
        let run = store.runs().ensure_idempotent(&of(None), || Ok(kind("a"))).unwrap();
        let gone = rival.join().unwrap();
        assert!(run.id != gone.id && !run.deduplicated && run.kind == "a");
        assert_eq!(store.runs().find_idempotent(&of(None)).unwrap().unwrap().id, run.id);
    });
}

fn stays(env: &Env) {
    env.within(|on| {
        let run = on.runs().enqueue(&keyed(None)).unwrap();
        on.runs().cancel(&Cancel::new(&run.id)).unwrap();
        let again = on.runs().ensure_idempotent(&of(None), never).unwrap();
        assert_eq!((again.id, again.state), (run.id, RunState::Canceled));
        let different = Enqueue { input: json("2"), ..keyed(None) };
        assert_eq!(code(on.runs().enqueue(&different)), ErrorCode::Conflict);
        assert_eq!(code(on.runs().enqueue(&Enqueue { kind: "b".into(), ..keyed(None) })), ErrorCode::Conflict);
        let float = Enqueue { input: json(r#"{"n":1.0}"#), ..keyed(None) };
        assert_eq!(code(on.runs().enqueue(&float)), ErrorCode::Conflict, "1 and 1.0 are different documents");
        assert_eq!(count(on), 1);
    });
}

fn scoped(env: &Env) {
    let store = env.open();
    let mine = store.scoped("p", Scope::DEFAULT).unwrap();
    let run = mine.runs().ensure_idempotent(&of(None), || Ok(kind("a"))).unwrap();
    assert_eq!(run.project_id.as_deref(), Some("p"), "no project means the handle's own");
    assert_eq!(store.runs().find_idempotent(&of(None)).unwrap(), None);
    assert_eq!(store.runs().find_idempotent(&of(Some("p"))).unwrap(), mine.runs().find_idempotent(&of(None)).unwrap());
    assert_eq!(code(mine.runs().find_idempotent(&of(Some("q")))), ErrorCode::PermissionDenied);
    assert_eq!(code(mine.runs().ensure_idempotent(&of(Some("q")), never)), ErrorCode::PermissionDenied);
    let reader = store.scoped("p", &[Scope::RunsRead]).unwrap();
    assert!(reader.runs().find_idempotent(&of(None)).unwrap().is_some());
    assert_eq!(code(reader.runs().ensure_idempotent(&of(None), never)), ErrorCode::PermissionDenied);
}
