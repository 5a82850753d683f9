//! Wake-up across processes: how soon, at what cost, and over what mishaps (DESIGN.md §5 "Wake-up").
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod child;
mod latency;
mod places;

use std::sync::mpsc;
use std::time::Duration;

use sprongus::runs::Enqueue;
use sprongus::worker::{Outcome, WorkerOptions};
use sprongus::{Json, Store};

/// What a child does; without one, nothing.
#[test]
fn works_as_a_child() {
    let Some([job, url, schema]) = child::told() else { return };
    let store = places::open(&url, &schema);
    match job.as_str() {
        "enqueue" => enqueue(&store),
        "work" => work(&store),
        other => panic!("no such job: {other}"),
    }
}

/// Enqueues a run at each order, and says when.
fn enqueue(store: &Store) {
    child::say("ready");
    for _ in child::orders() {
        let begun = now();
        store.runs().enqueue(&Enqueue::new("ping", Json::parse("{}").unwrap())).unwrap();
        child::say(&format!("{begun} {}", now()));
    }
}

/// Works until its orders end.
fn work(store: &Store) {
    let worker = worker(store, mpsc::channel().0);
    child::say("ready");
    for _ in child::orders() {}
    assert!(worker.stop(Some(Duration::from_secs(5))));
}

/// A worker that tells when it began each run.
fn worker(store: &Store, began: mpsc::Sender<i64>) -> sprongus::Worker {
    let worker = store.worker(WorkerOptions { concurrency: 2, ..WorkerOptions::default() }).unwrap();
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
