//! Syncs as runs: in place, enqueued, under a key, by a worker.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use serde_json::json;
use sprongus::aux_store::{Policy, SyncTable};
use sprongus::runs::{Cancel, Enqueue, LimitKind, ListRuns};
use sprongus::{ErrorCode, Json, Options, RunState, Scope, Store};
use sprongus_conformance::{Case, Env};

use super::case;
use super::scripted::{Source, asked, assets, diff, put, synced};
use crate::worker::{eventually, get, options};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("sync::the_same_key_syncs_once", &["aux.sync"], once),
        case("sync::eight_threads_with_one_key_sync_once", &["aux.sync"], race),
        case("sync::syncs_of_one_table_and_provider_take_turns", &["aux.sync"], turns),
        case("sync::a_failure_leaves_a_failed_run", &["aux.sync"], fails),
        case("sync::a_panic_leaves_a_failed_run", &["aux.sync"], panics),
        case("sync::a_transaction_takes_no_sync_in_place", &["aux.sync"], transaction),
        case("sync::an_enqueued_sync_is_worked_by_a_worker", &["aux.sync"], enqueued),
        case("sync::runs_enqueued_by_hand_are_checked", &["aux.sync", "runs.enqueue"], by_hand),
        case("sync::an_unknown_provider_is_tried_again_elsewhere", &["aux.sync"], unknown),
        case("sync::a_worker_gives_way_to_a_sync_under_way", &["aux.sync"], gives_way),
        case("sync::a_run_in_place_is_nobody_elses", &["aux.sync"], nobody_elses),
        case("sync::scopes_and_walls_hold", &["aux.sync"], scopes),
    ]
}

fn once(env: &Env) {
    let store = env.open();
    let source = Source::of(json!({"a": {"t": 1}}));
    source.known_to(&store);
    let keyed = SyncTable { idempotency_key: Some("monday".into()), ..asked(Policy::Manual) };
    let first = store.aux("p", "assets").sync(&keyed).unwrap();
    source.set("b", json!({"t": 1}));
    let again = store.aux("p", "assets").sync(&keyed).unwrap();
    assert_eq!((again.id.as_str(), again.deduplicated, again.state), (first.id.as_str(), true, RunState::Succeeded));
    assert_eq!((source.pulled(), again.output_ref), (1, first.output_ref));
    let other = SyncTable { force: true, ..keyed.clone() };
    assert_eq!(store.aux("p", "assets").sync(&other).unwrap_err().code(), ErrorCode::Conflict);
    let later = SyncTable { enqueue: true, ..keyed };
    assert!(store.aux("p", "assets").sync(&later).unwrap().deduplicated);
}

fn race(env: &Env) {
    let store = env.open();
    let source = Source::of(json!({"a": {"t": 1}, "b": {"t": 1}}));
    source.known_to(&store);
    source.inner().before_each = Some(Box::new(|| {
        std::thread::sleep(Duration::from_millis(50));
        Ok(())
    }));
    let barrier = Arc::new(Barrier::new(8));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (store, barrier) = (store.clone(), barrier.clone());
            std::thread::spawn(move || {
                let keyed = SyncTable { idempotency_key: Some("k".into()), ..asked(Policy::Manual) };
                barrier.wait();
                store.aux("p", "assets").sync(&keyed).unwrap()
            })
        })
        .collect();
    let runs: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(runs.iter().all(|run| run.id == runs[0].id));
    assert_eq!(runs.iter().filter(|run| !run.deduplicated).count(), 1);
    eventually(|| get(&store, &runs[0].id).state == RunState::Succeeded);
    assert_eq!((source.pulled(), assets(&store)), (1, source.holds()));
}

fn turns(env: &Env) {
    let store = env.open();
    let source = Source::of(json!({"a": {"t": 1}}));
    source.known_to(&store);
    let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (entered, seen) = (inside.clone(), most.clone());
    source.inner().before_each = Some(Box::new(move || {
        seen.fetch_max(entered.fetch_add(1, SeqCst) + 1, SeqCst);
        std::thread::sleep(Duration::from_millis(30));
        entered.fetch_sub(1, SeqCst);
        Ok(())
    }));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            std::thread::spawn(move || synced(&store, Policy::Manual).counts.created)
        })
        .collect();
    let created: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!((created, most.load(SeqCst), source.pulled()), (1, 1, 4));
    let impatient = Store::clone(&store);
    let short = env.open_with(Options { call_timeout: Duration::from_millis(300), ..env.options() });
    if env.backend() == sprongus_conformance::Backend::SqliteMemory {
        return;
    }
    source.known_to(&short);
    source.inner().before_each = Some(Box::new(|| {
        std::thread::sleep(Duration::from_millis(1_500));
        Ok(())
    }));
    let slow = std::thread::spawn(move || synced(&impatient, Policy::Manual));
    eventually(|| source.pulled() == 5);
    let busy = short.aux("p", "assets").sync(&asked(Policy::Manual)).unwrap_err();
    assert_eq!((busy.code(), busy.retryable()), (ErrorCode::Busy, true));
    slow.join().unwrap();
}

fn fails(env: &Env) {
    let store = env.open();
    let source = Source::of(json!({"a": {"t": 1}, "b": {"t": 1}}));
    source.known_to(&store);
    source.inner().breaks_after = Some(1);
    let failed = store.aux("p", "assets").sync(&asked(Policy::Manual)).unwrap_err();
    assert_eq!(failed.code(), ErrorCode::Unavailable);
    let runs = store.runs().list(&ListRuns::default()).unwrap();
    assert_eq!((runs.len(), runs[0].state, runs[0].attempt), (1, RunState::Failed, 1));
    assert!(runs[0].error.as_deref().unwrap().contains("the source went away"));
    assert_eq!(assets(&store), json!({}), "half a pull is no pull");
    let missing = store.aux("p", "assets").sync(&SyncTable::new("assets", "nobody")).unwrap_err();
    assert!(missing.code() == ErrorCode::NotFound && missing.message().contains("nobody"));
    let unbound = store.aux("p", "nothing").sync(&SyncTable::new("nothing", "source")).unwrap_err();
    assert_eq!(unbound.code(), ErrorCode::NotFound);
    for bad in ["", "ftp:x", "a\nb"] {
        let refused = store.aux("p", "assets").sync(&SyncTable::new("assets", bad)).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::InvalidArgument, "{bad:?}");
    }
    source.inner().breaks_after = None;
    assert_eq!(synced(&store, Policy::Manual).counts.created, 2);
}

fn panics(env: &Env) {
    let store = env.open();
    let source = Source::of(json!({"a": {"t": 1}}));
    source.known_to(&store);
    source.inner().before_each = Some(Box::new(|| panic!("a bug of the provider's")));
    let (clone, hook) = (store.clone(), std::panic::take_hook());
    std::panic::set_hook(Box::new(|_| {}));
    let died = std::thread::spawn(move || clone.aux("p", "assets").sync(&asked(Policy::Manual)).map(drop)).join();
    std::panic::set_hook(hook);
    assert!(died.is_err());
    let runs = store.runs().list(&ListRuns::default()).unwrap();
    assert_eq!((runs[0].state, runs[0].error.as_deref()), (RunState::Failed, Some("the provider panicked")));
    source.inner().before_each = None;
    assert_eq!(synced(&store, Policy::Manual).counts.created, 1, "and it holds up nobody");
}

fn transaction(env: &Env) {
    let store = env.open();
    let source = Source::of(json!({"a": {"t": 1}}));
    source.known_to(&store);
    let run = store.transaction(|tx| {
        let refused = tx.aux("p", "assets").sync(&asked(Policy::Manual)).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Misuse);
        tx.aux("p", "assets").sync(&SyncTable { enqueue: true, ..asked(Policy::Manual) })
    });
    assert_eq!((run.unwrap().state, source.pulled()), (RunState::Queued, 0));
    assert_eq!(store.runs().list(&ListRuns::default()).unwrap().len(), 1);
}

fn enqueued(env: &Env) {
    let store = env.open();
    let source = Source::of(json!({"a": {"t": 1}}));
    source.known_to(&store);
    let run = store.aux("p", "assets").sync(&SyncTable { enqueue: true, ..asked(Policy::Provider) }).unwrap();
    assert_eq!((run.state, run.kind.as_str(), source.pulled()), (RunState::Queued, "sync.aux/assets", 0));
    let worker = store.worker(options()).unwrap();
    worker.serve_sync().unwrap();
    worker.run_until_idle(Duration::ZERO).unwrap();
    let done = get(&store, &run.id);
    assert_eq!((done.state, done.attempt, diff(&store, &done).counts.created), (RunState::Succeeded, 1, 1));
    assert_eq!(store.stats().unwrap().syncs.count, 1);
}

fn by_hand(env: &Env) {
    let store = env.open();
    let source = Source::of(json!({"a": {"t": 1}}));
    source.known_to(&store);
    let run = |input: serde_json::Value| Enqueue {
        project: Some("p".into()),
        ..Enqueue::new("sync.aux/assets", Json::from_value(&input).unwrap())
    };
    for (input, path, keyword) in [
        (json!({}), "/provider", "required"),
        (json!({"provider": 1}), "/provider", "type"),
        (json!({"provider": "source", "dryrun": true}), "/dryrun", "additionalProperties"),
        (json!(null), "", "type"),
    ] {
        let refused = store.runs().enqueue(&run(input.clone())).unwrap_err();
        let violation = &refused.violations_list()[0];
        assert_eq!(refused.code(), ErrorCode::Validation, "{input}");
        assert_eq!((violation.path.as_str(), violation.keyword.as_str()), (path, keyword), "{input}");
    }
    let policy = store.runs().enqueue(&run(json!({"provider": "source", "policy": "mine"}))).unwrap_err();
    assert_eq!(policy.violations_list()[0].path, "/policy");
    let homeless = Enqueue { project: None, ..run(json!({"provider": "source"})) };
    assert_eq!(store.runs().enqueue(&homeless).unwrap_err().code(), ErrorCode::InvalidArgument);
    let good = store.runs().enqueue(&run(json!({"provider": "source"}))).unwrap();
    let worker = store.worker(options()).unwrap();
    worker.serve_sync().unwrap();
    worker.run_until_idle(Duration::ZERO).unwrap();
    assert_eq!((get(&store, &good.id).state, assets(&store)), (RunState::Succeeded, source.holds()));
}

fn unknown(env: &Env) {
    let store = env.open_with(Options { backoff_base: Duration::from_millis(1), ..env.options() });
    put(&store);
    let sync = SyncTable { enqueue: true, ..asked(Policy::Manual) };
    let run = store.aux("p", "assets").sync(&sync).unwrap();
    let ghost = store.aux("p", "assets").sync(&SyncTable { provider: "ghost".into(), ..sync }).unwrap();
    let worker = store.worker(options()).unwrap();
    worker.serve_sync().unwrap();
    worker.run_until_idle(Duration::from_secs(1)).unwrap();
    for (run, names) in [(&run, ["source", "scripted"]), (&ghost, ["ghost", "profile"])] {
        let failed = get(&store, &run.id);
        assert_eq!((failed.state, failed.attempt), (RunState::Failed, 3), "tried again");
        let error = failed.error.unwrap();
        assert!(names.iter().all(|name| error.contains(name)), "{error}");
    }
    Source::of(json!({"a": {"t": 1}})).known_to(&store);
    store.runs().retry(&sprongus::runs::RetryRun::new(&run.id)).unwrap();
    worker.run_until_idle(Duration::ZERO).unwrap();
    assert_eq!(get(&store, &run.id).state, RunState::Succeeded);
}

fn gives_way(env: &Env) {
    let store = env.open();
    let source = Source::of(json!({"a": {"t": 1}}));
    source.known_to(&store);
    source.inner().before_each = Some(Box::new(|| {
        std::thread::sleep(Duration::from_millis(400));
        Ok(())
    }));
    let slow = store.clone();
    let in_place = std::thread::spawn(move || synced(&slow, Policy::Manual).counts.created);
    eventually(|| source.pulled() == 1);
    let run = store.aux("p", "assets").sync(&SyncTable { enqueue: true, ..asked(Policy::Manual) }).unwrap();
    let worker = store.worker(options()).unwrap();
    worker.serve_sync().unwrap();
    worker.run_until_idle(Duration::from_secs(2)).unwrap();
    let done = get(&store, &run.id);
    assert_eq!((done.state, done.attempt, in_place.join().unwrap()), (RunState::Succeeded, 1, 1));
    assert_eq!((diff(&store, &done).counts.created, source.pulled()), (0, 2));
}

/// While it is worked no worker takes it, its lease is extended, and whoever cancels it is heard.
fn nobody_elses(env: &Env) {
    let store = env.open();
    let source = Source::of(json!({"a": {"t": 1}, "b": {"t": 1}}));
    source.known_to(&store);
    let limited = LimitKind { concurrency: Some(1), ..LimitKind::new("sync.aux/assets") };
    store.runs().limit_kind(&limited).unwrap();
    let (looks, canceled) = (store.clone(), Arc::new(AtomicUsize::new(0)));
    let seen = canceled.clone();
    source.inner().before_each = Some(Box::new(move || {
        if seen.fetch_add(1, SeqCst) > 0 {
            return Ok(());
        }
        let run = looks.runs().list(&ListRuns::default()).unwrap().items.remove(0);
        assert_eq!(run.state, RunState::Running);
        assert!(looks.runs().claim_next(&sprongus::runs::Claim::new("w")).unwrap().is_empty());
        let first = run.lease_until;
        eventually(|| get(&looks, &run.id).lease_until > first);
        looks.runs().cancel(&Cancel::new(&run.id)).unwrap();
        Ok(())
    }));
    let lost = store.aux("p", "assets").sync(&asked(Policy::Manual)).unwrap_err();
    assert_eq!((lost.code(), canceled.load(SeqCst)), (ErrorCode::LeaseLost, 2));
    assert_eq!(assets(&store), json!({}), "nothing is written for a run that was canceled");
    let run = store.runs().list(&ListRuns::default()).unwrap().items.remove(0);
    assert_eq!(run.state, RunState::Canceled);
}

fn scopes(env: &Env) {
    let store = env.open();
    let source = Source::of(json!({"a": {"t": 1}}));
    source.known_to(&store);
    let scoped = store.scoped("p", Scope::DEFAULT).unwrap();
    let denied =
        |result: sprongus::Result<sprongus::Run>| assert_eq!(result.unwrap_err().code(), ErrorCode::PermissionDenied);
    assert_eq!(synced(&scoped, Policy::Manual).counts.created, 1);
    denied(scoped.aux("q", "assets").sync(&asked(Policy::Manual)));
    let no_runs = store.scoped("p", &[Scope::AuxRead, Scope::AuxWrite]).unwrap();
    denied(no_runs.aux("p", "assets").sync(&asked(Policy::Manual)));
    let runs_only = store.scoped("p", &[Scope::RunsRead, Scope::RunsWrite]).unwrap();
    denied(runs_only.aux("p", "assets").sync(&asked(Policy::Manual)));
    let input = Json::parse(r#"{"provider":"source"}"#).unwrap();
    denied(runs_only.runs().enqueue(&Enqueue::new("sync.aux/assets", input)));
}
