//! Wake-up across processes: how soon, at what cost, and over what mishaps (DESIGN.md §5 "Wake-up").
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;
mod crowds;
mod idle;
mod latency;
mod mishaps;
mod places;

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, mpsc};
use std::time::Duration;

use sprongus::runs::Enqueue;
use sprongus::worker::{Outcome, WorkerOptions};
use sprongus::{Json, Store, Worker};

/// The tests of a process run side by side; those that measure, alone.
static GROUND: RwLock<()> = RwLock::new(());

fn beside_others() -> RwLockReadGuard<'static, ()> {
    GROUND.read().unwrap_or_else(PoisonError::into_inner)
}

fn alone() -> RwLockWriteGuard<'static, ()> {
    GROUND.write().unwrap_or_else(PoisonError::into_inner)
}

/// What a child does; without one, nothing.
#[test]
fn works_as_a_child() {
    let Some([job, url, schema]) = child::told() else { return };
    match job.as_str() {
        "open and close" => return crowds::open_and_close(&url, &schema),
        "enqueue in all" => return crowds::enqueue_in_all(&url, &schema),
        _ => {}
    }
    let store = places::open(&url, &schema);
    match job.as_str() {
        "enqueue" => enqueue(&store),
        "enqueue once" => once(&store),
        "work" => work(&store),
        other => panic!("no such job: {other}"),
    }
}

/// Enqueues a run at each order, and says when.
fn enqueue(store: &Store) {
    child::say("ready");
    for _ in child::orders() {
        let begun = now();
        put(store, Duration::ZERO);
        child::say(&format!("{begun} {}", now()));
    }
}

/// Enqueues a run and ends at once.
fn once(store: &Store) {
    child::say("ready");
    child::orders().next();
    put(store, Duration::ZERO);
}

/// Works until its orders end.
fn work(store: &Store) {
    let worker = store.worker(WorkerOptions::default()).unwrap();
    worker.handle("ping", |_| Ok(Outcome::None)).unwrap();
    worker.start().unwrap();
    child::say("ready");
    for _ in child::orders() {}
    assert!(worker.stop(Some(Duration::from_secs(5))));
}

/// Enqueues a run that is due after so long.
fn put(store: &Store, delay: Duration) -> String {
    let run = Enqueue { delay: Some(delay), ..Enqueue::new("ping", Json::parse("{}").unwrap()) };
    store.runs().enqueue(&run).unwrap().id
}

/// A worker that tells when it began each run. It polls so seldom that a test which passes was woken.
fn worker(store: &Store, began: mpsc::Sender<i64>) -> Worker {
    let options = WorkerOptions { concurrency: 2, poll_interval: Duration::from_secs(60), ..WorkerOptions::default() };
    let worker = store.worker(options).unwrap();
    worker
        .handle("ping", move |_| {
            let _ = began.send(now());
            Ok(Outcome::None)
        })
        .unwrap();
    worker.start().unwrap();
    worker
}

/// Microseconds of the monotonic clock, which all processes of the machine share.
fn now() -> i64 {
    sprongus::clock::Clock::monotonic(&sprongus::clock::SystemClock::new())
}
