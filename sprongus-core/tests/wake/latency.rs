//! From enqueue in one process to start in an idle worker of another.

use std::sync::mpsc;
use std::time::Duration;

use crate::child::Other;
use crate::places::Place;
use crate::{alone, now, put, worker};

/// Wide enough for a loaded machine; `make bench` has the exact figures, and the targets.
const BOUND: i64 = 50_000;
const ROUNDS: usize = 40;

#[test]
fn a_run_starts_soon_after_another_process_enqueued_it_sqlite() {
    let _ground = alone();
    measure("sqlite", &Place::sqlite());
}

#[test]
fn a_run_starts_soon_after_another_process_enqueued_it_postgres() {
    let _ground = alone();
    measure("postgres", &Place::postgres());
}

fn measure(name: &str, place: &Place) {
    let store = place.open();
    let mut other = Other::start("enqueue", &place.url, &place.schema);
    assert_eq!(other.hear(), "ready");
    let (began, starts) = mpsc::channel();
    let worker = worker(&store, began);
    let mut from_call = Vec::new();
    let mut from_return = Vec::new();
    for round in 0..ROUNDS {
        // Idle, and not in step with any timer.
        std::thread::sleep(Duration::from_millis(60 + (round as u64 * 7) % 30));
        other.order("go");
        let started = starts.recv_timeout(Duration::from_secs(5)).expect("the run started");
        let said = other.hear();
        let (called, returned) = said.split_once(' ').unwrap();
        from_call.push(started - called.parse::<i64>().unwrap());
        from_return.push(started - returned.parse::<i64>().unwrap());
    }
    let (call, back) = (median(&mut from_call), median(&mut from_return));
    println!(
        "{name}: {call} µs from the call of enqueue, {back} µs from its return; at worst {} µs",
        from_call[ROUNDS - 1]
    );
    assert!(call < BOUND, "{name}: the median is {call} µs");
    assert!(worker.stop(Some(Duration::from_secs(5))));
    other.end();
}

#[test]
fn a_run_starts_when_it_is_due_sqlite() {
    let _ground = alone();
    starts_when_due(&Place::sqlite());
}

#[test]
fn a_run_starts_when_it_is_due_postgres() {
    let _ground = alone();
    starts_when_due(&Place::postgres());
}

fn starts_when_due(place: &Place) {
    let store = place.open();
    let (began, starts) = mpsc::channel();
    let worker = worker(&store, began);
    std::thread::sleep(Duration::from_millis(200));
    for _ in 0..3 {
        let due = now() + 300_000;
        put(&store, Duration::from_millis(300));
        let late = starts.recv_timeout(Duration::from_secs(10)).expect("the run started") - due;
        assert!((-20_000..1_000_000).contains(&late), "it started {late} µs late");
    }
    assert!(worker.stop(Some(Duration::from_secs(5))));
}

fn median(times: &mut [i64]) -> i64 {
    times.sort_unstable();
    times[times.len() / 2]
}
