//! Sources that are slow, that fail in the middle, and tables that others write meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use serde_json::json;
use sprongus::aux_store::{OnReferenced, Policy, SyncOutcome, SyncTable, UpdateOptions};
use sprongus::runs::{ListRuns, RetryRun};
use sprongus::{Error, ErrorCode, Options, RunState, Store, Value};
use sprongus_conformance::{Backend, Case, Env};

use super::case;
use super::scripted::{Hook, Source, asked, assets, diff, synced};
use crate::aux_random::Chance;
use crate::worker::{get, options};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("sync::no_transaction_is_open_while_a_provider_works", &["aux.sync"], no_transaction),
        case("sync::entries_written_meanwhile_are_judged_anew", &["aux.sync"], judged_anew),
        case("sync::entries_written_during_the_push_are_left_for_later", &["aux.sync"], left_for_later),
        case("sync::a_failure_in_the_middle_is_made_up_for_and_nothing_done_twice", &["aux.sync"], middle),
        case("sync::a_push_that_arrived_unheard_is_not_pushed_again", &["aux.sync"], unheard),
        case("sync::a_worker_tries_again_after_a_failure_in_the_middle", &["aux.sync"], tried_again),
        case("sync::errors_that_no_attempt_mends_are_final", &["aux.sync"], last_word),
        case("sync::many_documents_are_pulled_and_pushed_in_batches", &["aux.sync"], many),
        case("sync::bulk_writes_meanwhile_hold_up_and_break_nothing", &["aux.sync", "aux.bulk_upsert"], beside_bulk),
        case("sync::chance_brings_both_sides_into_step", &["aux.sync"], chance),
    ]
}

fn update(store: &Store, id: &str, patch: serde_json::Value) {
    store.aux("p", "assets").update(id, patch, UpdateOptions::default()).unwrap();
}

/// Whether another connection can write at once; in memory there is only one, which this thread then has.
fn others_write(env: &Env, store: &Store) {
    let other = match env.backend() {
        Backend::SqliteMemory => store.clone(),
        _ => env.open_with(Options { call_timeout: Duration::from_millis(500), ..env.options() }),
    };
    other.aux("p", "citations").upsert(json!({"id": "c-1", "title": "t"}), None, false).unwrap();
    other.execute("UPDATE host_counter SET n = n + 1", &[]).unwrap();
}

fn no_transaction(env: &Env) {
    let store = Arc::new(env.open());
    store.execute("CREATE TABLE host_counter (n BIGINT)", &[]).unwrap();
    store.execute("INSERT INTO host_counter VALUES (0)", &[]).unwrap();
    let source = Source::of(json!({"a": {"t": 1}, "b": {"t": 1}}));
    source.known_to(&store);
    store.aux("p", "assets").create(json!({"id": "own"}), None).unwrap();
    let spot = Env::fresh(env.backend());
    drop(spot);
    std::thread::scope(|scope| {
        let (ask, asked_for) = std::sync::mpsc::channel::<()>();
        let (answer, answered) = std::sync::mpsc::channel::<()>();
        let writer = store.clone();
        scope.spawn(move || {
            for () in asked_for {
                others_write(env, &writer);
                answer.send(()).unwrap();
            }
        });
        let channel = Arc::new(std::sync::Mutex::new((ask, answered)));
        let hook = || {
            let channel = channel.clone();
            Box::new(move || {
                let channel = channel.lock().unwrap();
                channel.0.send(()).unwrap();
                channel.1.recv_timeout(Duration::from_secs(10)).expect("somebody else writes meanwhile");
                Ok(())
            })
        };
        source.inner().before_each = Some(hook());
        source.inner().before_push = Some(hook());
        source.inner().after_push = Some(hook());
        assert_eq!(synced(&store, Policy::Manual).counts.pushed_created, 1);
        let mut inner = source.inner();
        (inner.before_each, inner.before_push, inner.after_push) = (None, None, None);
        drop(inner);
        drop(channel);
    });
    let n = store.query("SELECT n FROM host_counter", &[]).unwrap();
    assert_eq!(n[0].get("n"), Some(&Value::Int(4)), "two documents, before and after the push");
}

/// The table is written after the pull began: what is decided is decided over what is there at the end.
fn judged_anew(env: &Env) {
    let store = env.open();
    let source = Source::of(json!({"a": {"t": 1}, "b": {"t": 1}, "c": {"t": 1}}));
    source.known_to(&store);
    synced(&store, Policy::Manual);
    source.set("a", json!({"t": "theirs"}));
    source.remove("b");
    let meanwhile = store.clone();
    source.inner().before_each = Some(Box::new(move || {
        update(&meanwhile, "a", json!({"t": "ours"}));
        update(&meanwhile, "b", json!({"t": "ours"}));
        Ok(())
    }));
    let found = synced(&store, Policy::Manual);
    assert_eq!((found.counts.conflicts, found.counts.unresolved), (2, 2));
    assert_eq!(assets(&store), json!({"a": {"t": "ours"}, "b": {"t": "ours"}, "c": {"t": 1}}));
}

fn left_for_later(env: &Env) {
    let store = env.open();
    let source = Source::default();
    source.known_to(&store);
    let table = store.aux("p", "assets");
    for n in 0..70 {
        table.create(json!({"id": format!("e{n:02}"), "t": 1, "text": "x".repeat(200_000)}), None).unwrap();
    }
    let meanwhile = store.clone();
    source.inner().after_push = Some(Box::new(move || {
        if meanwhile.aux("p", "assets").get("e69").is_ok() {
            update(&meanwhile, "e68", json!({"t": 2}));
            meanwhile.aux("p", "assets").delete("e69", OnReferenced::Restrict)?;
        }
        Ok(())
    }));
    let found = synced(&store, Policy::Manual);
    assert_eq!((found.counts.pushed_created, source.pushes().len()), (68, 2));
    let later: Vec<_> = found.items.iter().filter(|item| item.outcome == SyncOutcome::Later).collect();
    assert_eq!(later.iter().map(|item| item.id.as_deref().unwrap()).collect::<Vec<_>>(), ["e68", "e69"]);
    assert_eq!(synced(&store, Policy::Manual).counts.pushed_created, 1);
    assert_eq!(source.holds(), assets(&store));
}

/// Fails at each step in turn; whatever was done by then, the next sync does the rest, and each side gets each change once.
fn middle(env: &Env) {
    type Break = fn(&Source);
    let at: [Break; 4] = [
        |source| source.inner().breaks_after = Some(1),
        |source| source.inner().before_push = Some(Box::new(gone)),
        |source| source.inner().after_push = Some(Box::new(gone)),
        |source| {
            let calls = AtomicUsize::new(0);
            source.inner().before_each =
                Some(Box::new(move || if calls.fetch_add(1, SeqCst) == 2 { gone() } else { Ok(()) }));
        },
    ];
    for (step, breaks) in at.into_iter().enumerate() {
        let env = Env::fresh(env.backend());
        let store = env.open();
        let source = Source::of(json!({"a": {"t": 1}, "b": {"t": 1}, "c": {"t": 1}, "d": {"t": 1}}));
        source.known_to(&store);
        synced(&store, Policy::Manual);
        source.set("a", json!({"t": 2}));
        source.remove("b");
        update(&store, "c", json!({"t": 2}));
        store.aux("p", "assets").delete("d", OnReferenced::Restrict).unwrap();
        store.aux("p", "assets").create(json!({"id": "own"}), None).unwrap();
        breaks(&source);
        let failed = store.aux("p", "assets").sync(&asked(Policy::Manual)).unwrap_err();
        assert_eq!(failed.code(), ErrorCode::Unavailable, "step {step}");
        let mut inner = source.inner();
        (inner.breaks_after, inner.before_each, inner.before_push, inner.after_push) = (None, None, None, None);
        drop(inner);
        let found = synced(&store, Policy::Manual);
        assert_eq!((found.counts.conflicts, found.counts.errors), (0, 0), "step {step}: {found:?}");
        let both = json!({"a": {"t": 2}, "c": {"t": 2}, "own": {}});
        assert_eq!((assets(&store), source.holds()), (both.clone(), both), "step {step}");
        assert_eq!(source.pushes().len(), 1, "step {step}: pushed once");
        let versions = ["a", "c", "own"].map(|id| store.aux("p", "assets").get(id).unwrap().version);
        assert_eq!(versions, [2, 2, 1], "step {step}: written once");
        assert!(synced(&store, Policy::Manual).items.is_empty(), "step {step}");
    }
}

fn gone() -> sprongus::Result<()> {
    Err(Error::new(ErrorCode::Unavailable, "the source went away"))
}

/// A push arrived, its answer did not, and then the table changed again: no conflict, for the source has what we gave it.
fn unheard(env: &Env) {
    let store = env.open();
    let source = Source::of(json!({"a": {"t": 1}, "b": {"t": 1}, "z": {"t": 1}}));
    source.known_to(&store);
    synced(&store, Policy::Manual);
    update(&store, "a", json!({"t": 2}));
    store.aux("p", "assets").delete("b", OnReferenced::Restrict).unwrap();
    store.aux("p", "assets").create(json!({"id": "own", "t": 1}), None).unwrap();
    source.inner().after_push = Some(Box::new(gone));
    store.aux("p", "assets").sync(&asked(Policy::Manual)).unwrap_err();
    source.inner().after_push = None;
    source.pushes();
    update(&store, "a", json!({"t": 3}));
    store.aux("p", "assets").create(json!({"id": "b", "t": 9}), None).unwrap();
    store.aux("p", "assets").delete("own", OnReferenced::Restrict).unwrap();
    let found = synced(&store, Policy::Manual);
    assert_eq!((found.counts.conflicts, found.counts.pushed_updated), (0, 1), "{found:?}");
    assert_eq!((found.counts.pushed_created, found.counts.pushed_deleted), (1, 1));
    let both = json!({"a": {"t": 3}, "b": {"t": 9}, "z": {"t": 1}});
    assert_eq!((assets(&store), source.holds()), (both.clone(), both));
}

fn tried_again(env: &Env) {
    let store = env.open_with(Options { backoff_base: Duration::from_millis(1), ..env.options() });
    let source = Source::of(json!({"a": {"t": 1}}));
    source.known_to(&store);
    store.aux("p", "assets").create(json!({"id": "own"}), None).unwrap();
    let calls = AtomicUsize::new(0);
    source.inner().after_push = Some(Box::new(move || if calls.fetch_add(1, SeqCst) == 0 { gone() } else { Ok(()) }));
    let run = store.aux("p", "assets").sync(&SyncTable { enqueue: true, ..asked(Policy::Manual) }).unwrap();
    let worker = store.worker(options()).unwrap();
    worker.serve_sync().unwrap();
    worker.run_until_idle(Duration::from_secs(1)).unwrap();
    let done = get(&store, &run.id);
    assert_eq!((done.state, done.attempt), (RunState::Succeeded, 2));
    assert_eq!((source.pushes().len(), assets(&store)), (1, source.holds()));
    assert_eq!(store.aux("p", "assets").get("a").unwrap().version, 1);
    assert_eq!(diff(&store, &done).counts.pushed_created, 0, "the first attempt had done it");
    assert_eq!(store.stats().unwrap().syncs.failed, 1);
}

fn last_word(env: &Env) {
    let store = env.open();
    let source = Source::of(json!({"a": {"t": 1}}));
    source.known_to(&store);
    synced(&store, Policy::Manual);
    source.remove("a");
    let run = store.aux("p", "assets").sync(&SyncTable { enqueue: true, ..asked(Policy::Manual) }).unwrap();
    let worker = store.worker(options()).unwrap();
    worker.serve_sync().unwrap();
    worker.run_until_idle(Duration::ZERO).unwrap();
    let failed = get(&store, &run.id);
    assert_eq!((failed.state, failed.attempt), (RunState::Failed, 1));
    assert!(failed.error.unwrap().contains("force"));
    source.set("a", json!({"t": 1}));
    store.runs().retry(&RetryRun::new(&run.id)).unwrap();
    worker.run_until_idle(Duration::ZERO).unwrap();
    assert_eq!(get(&store, &run.id).state, RunState::Succeeded);
    assert_eq!(store.runs().list(&ListRuns::default()).unwrap().len(), 2);
}

fn many(env: &Env) {
    let store = env.open();
    let documents: serde_json::Map<_, _> = (0..5_000).map(|n| (format!("r{n:05}"), json!({"n": n}))).collect();
    let source = Source::of(documents.into());
    source.known_to(&store);
    let own = (0..12_000).map(|n| Ok(json!({"id": format!("l{n:05}"), "n": n})));
    store.aux("p", "assets").bulk_upsert(own, Default::default(), &mut |_, _| Ok(())).unwrap();
    let found = synced(&store, Policy::Manual);
    assert_eq!((found.counts.created, found.counts.pushed_created), (5_000, 12_000));
    assert!(found.omitted > 0 && found.items.len() as u64 + found.omitted == 17_000, "the diff has an end");
    assert_eq!(source.pushes().iter().map(|changes| changes.created.len()).sum::<usize>(), 12_000);
    assert_eq!(source.inner().documents.len(), 17_000);
    let again = synced(&store, Policy::Manual);
    assert_eq!((again.counts.pulled, again.items.len()), (17_000, 0));
    assert_eq!(store.aux("p", "assets").count(None, None).unwrap(), 17_000);
}

/// On SQLite a large bulk write is many transactions: a sync waits for it, and neither loses anything.
fn beside_bulk(env: &Env) {
    let store = env.open();
    let source = Source::of(json!({"a": {"t": 1}}));
    source.known_to(&store);
    let writer = store.clone();
    let bulk = std::thread::spawn(move || {
        let rows = (0..20_000).map(|n| Ok(json!({"id": format!("b{n:05}"), "n": n})));
        writer.aux("p", "assets").bulk_upsert(rows, Default::default(), &mut |_, _| Ok(())).unwrap().created
    });
    let mut syncs = 0;
    while !bulk.is_finished() {
        let run = store.aux("p", "assets").sync(&asked(Policy::Manual)).unwrap();
        assert_eq!((run.state, diff(&store, &run).counts.conflicts), (RunState::Succeeded, 0));
        syncs += 1;
    }
    assert!(syncs > 0 && bulk.join().unwrap() == 20_000);
    synced(&store, Policy::Manual);
    assert_eq!((store.aux("p", "assets").count(None, None).unwrap(), source.inner().documents.len()), (20_001, 20_001));
}

/// Random changes on both sides, syncs that fail anywhere: with one side in the right, both are in step at the end, and what
/// only one side changed is never lost.
fn chance(env: &Env) {
    let mut chance = Chance(7);
    let store = env.open();
    let source = Source::default();
    source.known_to(&store);
    let table = store.aux("p", "assets");
    for round in 0..40 {
        for _ in 0..chance.below(6) {
            let (id, document) = (format!("e{}", chance.below(8)), json!({"t": chance.below(3), "r": round}));
            match (chance.below(2), chance.below(4)) {
                (0, 0) => drop(table.delete(&id, OnReferenced::Force)),
                (0, _) => drop(table.upsert(document, Some(&id), true).unwrap()),
                (_, 0) => source.remove(&id),
                (_, _) => source.set(&id, document),
            }
        }
        if chance.below(3) == 0 {
            let hook: Option<Hook> = Some(Box::new(gone));
            match chance.below(2) {
                0 => source.inner().before_push = hook,
                _ => source.inner().after_push = hook,
            }
            let _ = table.sync(&SyncTable { force: true, ..asked(Policy::Local) });
            let mut inner = source.inner();
            (inner.before_push, inner.after_push) = (None, None);
        }
        let policy = if chance.below(2) == 0 { Policy::Local } else { Policy::Provider };
        table.sync(&SyncTable { force: true, ..asked(policy) }).unwrap();
        assert_eq!(assets(&store), source.holds(), "round {round}");
        let still = table.sync(&SyncTable { force: true, ..asked(Policy::Manual) }).unwrap();
        assert!(diff(&store, &still).items.is_empty(), "round {round}");
    }
}
