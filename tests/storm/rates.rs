//! Eight processes enqueue against one rate: never more than a full bucket and what flowed into it, and no less.

use std::time::{Duration, Instant};

use sprongus::runs::{Enqueue, EnqueueMany, ListRuns};
use sprongus::{ErrorCode, Json, Rate, Rates, ScopedOptions, Store, Timestamp};

use crate::process::{Me, PROCESSES, Place, me, storm};

const RATE: i64 = 50;
const PER: Duration = Duration::from_secs(1);
/// Each process enqueues for as long.
const LONG: Duration = Duration::from_secs(4);

#[test]
fn a_rate_holds_with_eight_processes_on_sqlite() {
    check("rates::a_rate_holds_with_eight_processes_on_sqlite", Place::sqlite);
}

#[test]
fn a_rate_holds_with_eight_processes_on_postgres() {
    check("rates::a_rate_holds_with_eight_processes_on_postgres", || Place::postgres("rates"));
}

fn check(test: &str, place: fn() -> Place) {
    if let Some(me) = me() {
        return child(&me);
    }
    let place = place();
    let store = place.open();
    let (lines, took) = storm(test, &place, || {});
    let told: Vec<usize> = lines.iter().map(|line| line.parse().unwrap()).collect();
    let times = enqueued(&store);
    assert_eq!(told.len(), PROCESSES);
    assert_eq!(
        told.iter().sum::<usize>(),
        times.len(),
        "what was refused was not written, and what was not refused was"
    );
    within_the_bucket(&times);
    let least = RATE as f64 * (LONG.as_secs_f64() / PER.as_secs_f64());
    assert!(
        times.len() as f64 >= 0.9 * least,
        "{} of at least {least}: what the rate lets through gets through",
        times.len()
    );
    println!("{test}: {} runs by {PROCESSES} processes in {took:.2?}, each {told:?}", times.len());
}

fn enqueued(store: &Store) -> Vec<Timestamp> {
    let all = ListRuns { limit: 1_000, ..ListRuns::default() };
    let mut times: Vec<Timestamp> = store.runs().list(&all).unwrap().items.iter().map(|run| run.created_at).collect();
    times.sort_unstable();
    times
}

/// A run is dated a moment after its token was taken.
fn within_the_bucket(times: &[Timestamp]) {
    const MOMENT: f64 = 0.1;
    for (first, from) in times.iter().enumerate() {
        for (last, until) in times.iter().enumerate().skip(first) {
            let most = RATE as f64 * (1.0 + (until.since(*from).as_secs_f64() + MOMENT) / PER.as_secs_f64());
            let taken = last - first + 1;
            assert!(taken as f64 <= most, "{taken} enqueued from {from} until {until}, at most {most:.1}");
        }
    }
}

/// One by one and by twos, as fast as it is let.
fn child(me: &Me) {
    let rate = Rates { enqueue: Some(Rate::new(RATE, PER)), ..Rates::default() };
    let handle = me.store.scoped_with("p", &ScopedOptions { rate, ..ScopedOptions::default() }).unwrap();
    let mut journal = me.journal(0);
    me.begin();
    let (begun, mut enqueued) = (Instant::now(), 0);
    while begun.elapsed() < LONG {
        let items = vec![Enqueue::new("a", Json::null()); 1 + me.number % 2];
        match handle.runs().enqueue_many(&EnqueueMany::new(items)) {
            Ok(runs) => enqueued += runs.len(),
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::RateLimited, "{error}");
                let wait = error.details().unwrap()["retryIn"].as_f64().unwrap();
                std::thread::sleep(Duration::from_secs_f64(wait));
            }
        }
    }
    journal.line(&enqueued.to_string());
}
