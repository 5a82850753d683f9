//! Many at once: one run per key, one worker per run.

use std::collections::BTreeSet;
use std::sync::{Barrier, mpsc};
use std::time::Duration;

use sprongus::runs::{Claim, Enqueue, EnqueueMany, GetRun, ListRuns, Succeed, SucceedMany};
use sprongus::{Error, ErrorCode, Json, RunState, Store};
use sprongus_conformance::{Backend, Case, Env};

use super::{case, kind, put, told};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("runs::eight_enqueue_the_same_key", &["runs.enqueue"], false, one_key),
        case("runs::eight_enqueue_the_same_keys_in_another_order", &["runs.enqueue_many"], false, many_keys),
        case("runs::eight_claim_and_none_gets_the_same", &["runs.claim_next", "runs.enqueue_many"], false, no_twice),
        case("runs::eight_side_by_side_each_get_their_own_end", &["runs.succeed_many"], false, own_ends),
        case("runs::eight_report_the_same_lease", &["runs.succeed"], false, one_report),
        case("runs::a_rival_that_rolls_back_leaves_the_key", &["runs.enqueue"], false, rolled_back),
        case("runs::a_rolled_back_transaction_leaves_no_run", &["runs.enqueue"], false, undone),
    ]
}

/// What each of eight threads, over two stores where the database is not one store's alone, gave.
pub(crate) fn eight<T: Send>(env: &Env, store: &Store, work: impl Fn(&Store) -> T + Sync) -> Vec<T> {
    let other = if env.backend() == Backend::SqliteMemory { store.clone() } else { env.open_patient() };
    let barrier = Barrier::new(8);
    std::thread::scope(|scope| {
        let run = |store: &Store| {
            barrier.wait();
            work(store)
        };
        let threads: Vec<_> =
            [store, &other].into_iter().cycle().take(8).map(|store| scope.spawn(move || run(store))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// As hosts do whose batches come out of a set.
fn many_keys(env: &Env) {
    let store = env.open_patient();
    let turn = std::sync::atomic::AtomicUsize::new(0);
    let key = |n: i64| Enqueue { idempotency_key: Some(format!("k{}", n * 7 % 600)), priority: n, ..kind("a") };
    let given = eight(env, &store, |store| {
        let mut items: Vec<Enqueue> = (0..600).map(key).collect();
        if turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst).is_multiple_of(2) {
            items.reverse();
        }
        let runs = store.runs().enqueue_many(&EnqueueMany::new(items.clone())).unwrap();
        assert!(runs.iter().map(|run| &run.idempotency_key).eq(items.iter().map(|item| &item.idempotency_key)));
        runs.into_iter().filter(|run| !run.deduplicated).collect::<Vec<_>>()
    });
    let new: Vec<&sprongus::Run> = given.iter().flatten().collect();
    assert_eq!(new.len(), 600, "each is new to one of them");
    for own in given.iter().filter(|own| !own.is_empty()) {
        assert!(own.is_sorted_by(|a, b| (a.created_at, &a.id) < (b.created_at, &b.id)), "in the order they were given");
    }
}

/// Enqueues, claims and reports that share commits, some of which are refused.
fn own_ends(env: &Env) {
    const ROUNDS: usize = 12;
    let store = env.open_patient();
    store.runs().enqueue(&keyed()).unwrap();
    let given = eight(env, &store, |store| {
        let runs = store.runs();
        let mut done = Vec::new();
        for _ in 0..ROUNDS {
            let put = runs.enqueue(&kind("b")).unwrap();
            let other = Enqueue { input: Json::parse("17").unwrap(), ..keyed() };
            assert_eq!(runs.enqueue(&other).unwrap_err().code(), ErrorCode::Conflict);
            let claim = Claim { kinds: Some(vec!["b".to_owned()]), limit: 3, ..Claim::new("w") };
            let held = runs.claim_next(&claim).unwrap();
            let mut items: Vec<Succeed> = held.iter().map(|run| Succeed::new(&run.id, run.lease)).collect();
            items.push(Succeed::new(&put.id, 17));
            items.push(Succeed::new("01ARZ3NDEKTSV4RRFFQ69G5FAV", 1));
            let mut ends = runs.succeed_many(&SucceedMany { items }).unwrap();
            assert_eq!(ends.pop().unwrap().unwrap_err().code(), ErrorCode::NotFound);
            let stale = ends.pop().unwrap().unwrap_err().code();
            assert!(matches!(stale, ErrorCode::LeaseLost | ErrorCode::InvalidState), "{stale}");
            done.extend(ends.into_iter().map(|end| end.unwrap().id));
        }
        done
    });
    let mut done: Vec<String> = given.into_iter().flatten().collect();
    while let Some(run) =
        store.runs().claim_next(&Claim { kinds: Some(vec!["b".to_owned()]), ..Claim::new("w") }).unwrap().pop()
    {
        done.push(store.runs().succeed(&Succeed::new(&run.id, run.lease)).unwrap().id);
    }
    assert_eq!((done.len(), done.iter().collect::<BTreeSet<_>>().len()), (8 * ROUNDS, 8 * ROUNDS), "each once");
    for id in &done {
        assert_eq!(told(store.runs(), id), ["run.enqueued", "run.started", "run.succeeded"]);
    }
}

fn keyed() -> Enqueue {
    Enqueue { idempotency_key: Some("k".to_owned()), ..kind("a") }
}

fn one_key(env: &Env) {
    let store = env.open();
    let runs = eight(env, &store, |store| store.runs().enqueue(&keyed()).unwrap());
    assert_eq!(runs.iter().filter(|run| !run.deduplicated).count(), 1);
    assert_eq!(runs.iter().map(|run| &run.id).collect::<BTreeSet<_>>().len(), 1);
    assert_eq!(store.runs().list(&ListRuns::default()).unwrap().len(), 1);
    assert_eq!(told(store.runs(), &runs[0].id), ["run.enqueued"]);
}

fn no_twice(env: &Env) {
    let store = env.open();
    let kinds = ["a", "b", "sync/x", "sync/y"];
    let items = (0..200).map(|n| kind(kinds[n % 4])).collect();
    store.runs().enqueue_many(&EnqueueMany::new(items)).unwrap();
    let asked = ["a", "b", "sync/*"].map(str::to_owned).to_vec();
    let claim = Claim { kinds: Some(asked), limit: 3, ..Claim::new("w") };
    let claimed = eight(env, &store, |store| {
        let mut mine = Vec::new();
        loop {
            let runs = store.runs().claim_next(&claim).unwrap();
            if runs.is_empty() {
                return mine;
            }
            mine.extend(runs.into_iter().map(|run| run.id));
        }
    });
    let all = claimed.concat();
    assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (200, 200), "each once, none left");
}

fn one_report(env: &Env) {
    let store = env.open();
    let id = put(store.runs(), "a").id;
    let lease = store.runs().claim_next(&Claim::new("w")).unwrap()[0].lease;
    let runs = eight(env, &store, |store| store.runs().succeed(&Succeed::new(&id, lease)).unwrap());
    assert!(runs.iter().all(|run| *run == runs[0]), "all get the one stored outcome");
    assert_eq!(told(store.runs(), &id), ["run.enqueued", "run.started", "run.succeeded"]);
}

fn rolled_back(env: &Env) {
    let store = env.open();
    let (held, go) = mpsc::channel();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| {
            let tx = store.begin().unwrap();
            let run = tx.runs().enqueue(&keyed()).unwrap();
            held.send(()).unwrap();
            std::thread::sleep(Duration::from_millis(300));
            tx.rollback().unwrap();
            run
        });
        go.recv().unwrap();
        let second = store.runs().enqueue(&keyed()).unwrap();
        let gone = first.join().unwrap();
        assert!(!second.deduplicated && second.id != gone.id);
        assert_eq!(store.runs().get(&GetRun::new(&gone.id)).unwrap_err().code(), ErrorCode::NotFound);
        assert_eq!(store.runs().get(&GetRun::new(&second.id)).unwrap().state, RunState::Queued);
    });
}

fn undone(env: &Env) {
    let store = env.open();
    let undone: Result<(), Error> = store.transaction(|tx| {
        tx.runs().enqueue(&keyed())?;
        let run = tx.runs().claim_next(&Claim::new("w"))?.remove(0);
        tx.runs().succeed(&Succeed::new(run.id, run.lease))?;
        Err(Error::misuse("enough"))
    });
    assert_eq!(undone.unwrap_err().message(), "enough");
    assert!(store.runs().list(&ListRuns::default()).unwrap().is_empty());
    let rows = store.query("SELECT count(*) AS n FROM sprongus_events WHERE run_id IS NOT NULL", &[]).unwrap();
    assert_eq!(rows[0].get("n"), Some(&0.into()));
}
