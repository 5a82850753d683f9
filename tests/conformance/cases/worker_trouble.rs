//! The worker and a lease that goes to somebody else, a store that is closed, connections that are all taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use sprongus::clock::testing::ManualClock;
use sprongus::runs::schedules::PutSchedule;
use sprongus::runs::{Claim, Enqueue, EnqueueMany, ListRuns, Succeed};
use sprongus::worker::{Outcome, WorkerOptions};
use sprongus::{ErrorCode, Json, Options, RunState, Timestamp};
use sprongus_conformance::{Backend, Case, Env};

use crate::worker::{case, done, eventually, get, json, leased, options, put, told};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case("worker::a_lease_that_others_took_is_noticed", lost),
        case("worker::a_store_closed_under_it_ends_it", closed),
        case("worker::connections_held_by_handlers_starve_no_heartbeat", starved),
        case("worker::a_transaction_that_holds_a_run_starves_no_other", locked_run),
        case("worker::a_hundred_leases_are_kept_past_many_heartbeats", many_leases),
        case("worker::one_without_a_free_thread_looks_after_the_queue", busy),
    ]
}

/// Time is moved by hand, so that a rival finds the lease run out between two heartbeats.
fn lost(env: &Env) {
    let clock = ManualClock::new(Timestamp::from_micros(1_700_000_000_000_000));
    let store = env.open_with(Options { clock: Arc::new(clock.clone()), ..env.options() });
    // With one thread, which is busy, it does not take the run itself again.
    let worker = store.worker(WorkerOptions { concurrency: 1, ..leased(1500) }).unwrap();
    let (seen, saw) = mpsc::channel();
    worker
        .handle("slow", move |context| {
            let told = context.wait_canceled(Duration::from_secs(20));
            seen.send((told, context.heartbeat(Json::null()).unwrap_err().code())).unwrap();
            Ok(Outcome::Output(json("1")))
        })
        .unwrap();
    let id = put(&store, "slow");
    worker.start().unwrap();
    eventually(|| worker.metrics().running == 1);
    let mut rival = Vec::new();
    eventually(|| {
        clock.advance(Duration::from_secs(60));
        rival = store.runs().claim_next(&Claim::new("rival")).unwrap();
        !rival.is_empty()
    });
    assert_eq!(saw.recv_timeout(Duration::from_secs(10)).unwrap(), (true, ErrorCode::LeaseLost));
    assert!(worker.stop(None));
    let run = get(&store, &id);
    assert_eq!((run.claimed_by.as_deref(), run.state, run.output_ref), (Some("rival"), RunState::Running, None));
    assert_eq!((worker.metrics().lease_lost, worker.metrics().succeeded), (1, 0));
    store.runs().succeed(&Succeed::new(&id, rival[0].lease)).unwrap();
}

fn closed(env: &Env) {
    let store = env.open();
    let worker = Arc::new(store.worker(leased(300)).unwrap());
    let (begun, begins) = mpsc::channel();
    worker
        .handle("slow", move |context| {
            begun.send(()).unwrap();
            std::thread::sleep(Duration::from_millis(500));
            assert_eq!(context.heartbeat(Json::null()).unwrap_err().code(), ErrorCode::Misuse);
            Ok(Outcome::None)
        })
        .unwrap();
    put(&store, "slow");
    let runs = worker.clone();
    let ended = std::thread::spawn(move || runs.run());
    begins.recv_timeout(Duration::from_secs(10)).unwrap();
    store.close();
    eventually(|| ended.is_finished());
    assert_eq!(ended.join().unwrap().unwrap_err().code(), ErrorCode::Misuse);
    let figures = worker.metrics();
    assert_eq!((figures.claimed, figures.succeeded, figures.running, figures.reporting), (1, 0, 0, 0));
}

/// Its only thread is busy; schedules go on all the same.
fn busy(env: &Env) {
    let store = env.open();
    let poll_interval = Duration::from_millis(50);
    let worker = store.worker(WorkerOptions { concurrency: 1, poll_interval, ..options() }).unwrap();
    let (end, ends) = mpsc::channel::<()>();
    let ends = std::sync::Mutex::new(ends);
    worker
        .handle("long", move |_| {
            ends.lock().unwrap().recv_timeout(Duration::from_secs(30)).unwrap();
            Ok(Outcome::None)
        })
        .unwrap();
    put(&store, "long");
    worker.start().unwrap();
    eventually(|| worker.metrics().running == 1);
    let every = Some(Duration::from_secs(1));
    store.schedules().put(&PutSchedule { every, ..PutSchedule::new("ticks", "tick") }).unwrap();
    let ticks = ListRuns { kind: Some(vec!["tick".to_owned()]), ..ListRuns::default() };
    eventually(|| !store.runs().list(&ticks).unwrap().is_empty());
    assert_eq!(worker.metrics().running, 1);
    end.send(()).unwrap();
    assert!(worker.stop(None));
}

/// Work that keeps a connection busy for several leases: on PostgreSQL a transaction, on SQLite, where that would hold the one
/// writer, a long read.
fn starved(env: &Env) {
    let store = env.open_with(Options { pool_size: 1, ..env.options() });
    let lease = Duration::from_millis(900);
    let worker = store.worker(WorkerOptions { lease, ..options() }).unwrap();
    let held = Arc::new(AtomicUsize::new(0));
    let (counted, backend) = (held.clone(), env.backend());
    worker
        .handle("holds", move |context| {
            if counted.fetch_add(1, SeqCst) == 0 {
                hold(context.store(), backend, 3 * lease);
            } else {
                std::thread::sleep(3 * lease);
            }
            Ok(Outcome::None)
        })
        .unwrap();
    let ids: Vec<String> = (0..4).map(|_| put(&store, "holds")).collect();
    worker.start().unwrap();
    eventually(|| worker.metrics().succeeded == 4);
    assert!(worker.stop(None));
    assert_eq!(held.load(SeqCst), 4);
    for id in &ids {
        assert_eq!(told(&store, id), ["run.enqueued", "run.started", "run.succeeded"]);
    }
}

fn hold(store: &sprongus::Store, backend: Backend, time: Duration) {
    let until = Instant::now() + time;
    match backend {
        Backend::SqliteFile => {
            let count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) \
                         SELECT count(*) FROM n";
            while Instant::now() < until {
                store.query(count, &[]).unwrap();
            }
        }
        // In memory there is one connection, which is lent for a call at a time.
        Backend::SqliteMemory => std::thread::sleep(time),
        _ => {
            let tx = store.begin().unwrap();
            tx.query("SELECT 1", &[]).unwrap();
            std::thread::sleep(time);
            tx.commit().unwrap();
        }
    }
}

/// One handler's transaction has written to its run and stays open; the leases of the others are extended all the same, and
/// their reports are made.
fn locked_run(env: &Env) {
    let store = env.open();
    let lease = Duration::from_millis(900);
    let worker = store.worker(WorkerOptions { lease, concurrency: 6, ..options() }).unwrap();
    let backend = env.backend();
    worker
        .handle("locks", move |context| {
            // On SQLite an open transaction holds the writer itself, and the others wait: see the host that does.
            if backend != Backend::Postgres {
                std::thread::sleep(6 * lease);
                return Ok(Outcome::None);
            }
            context.transaction(|tx| {
                let beat = sprongus::runs::Heartbeat::new(&context.run().id, context.run().lease);
                tx.runs().heartbeat(&beat)?;
                std::thread::sleep(6 * lease);
                Ok(())
            })?;
            Ok(Outcome::None)
        })
        .unwrap();
    worker
        .handle("long", move |_| {
            std::thread::sleep(2 * lease);
            Ok(Outcome::None)
        })
        .unwrap();
    let ids: Vec<String> =
        ["locks", "long", "long", "long", "long"].into_iter().map(|kind| put(&store, kind)).collect();
    worker.start().unwrap();
    eventually(|| ids[1..].iter().all(|id| get(&store, id).state == RunState::Succeeded));
    assert_eq!(get(&store, &ids[0]).state, RunState::Running, "the others did not wait for it");
    assert!(worker.stop(None));
    for id in &ids {
        assert_eq!(told(&store, id), ["run.enqueued", "run.started", "run.succeeded"]);
    }
}

fn many_leases(env: &Env) {
    let store = env.open();
    let worker = store.worker(WorkerOptions { concurrency: 100, ..leased(1500) }).unwrap();
    worker
        .handle("long", |_| {
            std::thread::sleep(Duration::from_millis(4000));
            Ok(Outcome::None)
        })
        .unwrap();
    worker.handle("none", done).unwrap();
    let items = (0..100).map(|_| Enqueue::new("long", Json::null())).collect();
    let runs = store.runs().enqueue_many(&EnqueueMany::new(items)).unwrap();
    worker.run_until_idle(Duration::ZERO).unwrap();
    for run in &runs {
        assert_eq!(told(&store, &run.id), ["run.enqueued", "run.started", "run.succeeded"]);
    }
}
