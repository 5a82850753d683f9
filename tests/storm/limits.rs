//! Limits under eight worker processes: concurrency is exact at every moment, the rate stays within the bucket.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use sprongus::runs::{Enqueue, EnqueueMany, LimitKind, ListRuns};
use sprongus::worker::{Outcome, WorkerOptions};
use sprongus::{Json, RunState, Store, Timestamp, Value};

use crate::process::{Me, PROCESSES, Place, me, storm};

/// So many at once of one kind, so many a second of another.
const AT_ONCE: i64 = 5;
const RATE: i64 = 40;
const PER: Duration = Duration::from_secs(1);
/// Runs of each kind.
const RUNS: usize = 160;

#[test]
fn limits_hold_with_eight_worker_processes_on_sqlite() {
    check("limits::limits_hold_with_eight_worker_processes_on_sqlite", Place::sqlite);
}

#[test]
fn limits_hold_with_eight_worker_processes_on_postgres() {
    check("limits::limits_hold_with_eight_worker_processes_on_postgres", || Place::postgres("limits"));
}

fn check(test: &str, place: fn() -> Place) {
    if let Some(me) = me() {
        return child(&me);
    }
    let place = place();
    let store = place.open();
    store.runs().limit_kind(&LimitKind { concurrency: Some(AT_ONCE), ..LimitKind::new("full") }).unwrap();
    store.runs().limit_kind(&LimitKind { rate: Some(RATE), per: PER, ..LimitKind::new("rated") }).unwrap();
    let items = (0..RUNS).flat_map(|_| ["full", "rated", "free"].map(|kind| Enqueue::new(kind, Json::null())));
    store.runs().enqueue_many(&EnqueueMany::new(items.collect())).unwrap();
    let over = AtomicBool::new(false);
    let mut sampled = Vec::new();
    let lines = std::thread::scope(|scope| {
        let sampler = scope.spawn(|| {
            let mut seen = Vec::new();
            while !over.load(SeqCst) {
                seen.push(running(&store));
                std::thread::sleep(Duration::from_millis(1));
            }
            seen
        });
        let (lines, took) = storm(test, &place, || {});
        over.store(true, SeqCst);
        sampled = sampler.join().unwrap();
        println!("{test}: {} runs by {PROCESSES} workers in {took:.2?}", 3 * RUNS);
        lines
    });
    let by_claimers: Vec<i64> = lines.iter().map(|line| line.parse().unwrap()).collect();
    let most = by_claimers.iter().chain(&sampled).max().unwrap();
    assert_eq!(by_claimers.len(), RUNS, "each run of the kind was counted when it began");
    assert_eq!(*most, AT_ONCE, "at once, of {} looks", by_claimers.len() + sampled.len());
    let left = ListRuns { state: Some(vec![RunState::Queued, RunState::Running]), ..ListRuns::default() };
    assert_eq!(store.runs().list(&left).unwrap().len(), 0, "everything was worked");
    within_the_bucket(&claimed(&store));
}

fn running(store: &Store) -> i64 {
    let sql = "SELECT count(*) FROM sprongus_runs WHERE kind = 'full' AND state IN ('dispatching', 'running')";
    match store.query(sql, &[]).unwrap()[0].values()[0] {
        Value::Int(running) => running,
        ref other => panic!("a count is {other:?}"),
    }
}

/// When runs of the rated kind were claimed, in order.
fn claimed(store: &Store) -> Vec<Timestamp> {
    let all = ListRuns { kind: Some(vec!["rated".to_owned()]), limit: 1000, ..ListRuns::default() };
    let mut times: Vec<Timestamp> =
        store.runs().list(&all).unwrap().items.iter().map(|run| run.claimed_at.unwrap()).collect();
    times.sort_unstable();
    times
}

/// In no span of time more than a full bucket and what flowed into it; a claim is dated a moment after its token was taken.
fn within_the_bucket(times: &[Timestamp]) {
    const MOMENT: f64 = 0.1;
    assert_eq!(times.len(), RUNS);
    for (first, from) in times.iter().enumerate() {
        for (last, until) in times.iter().enumerate().skip(first) {
            let most = RATE as f64 * (1.0 + (until.since(*from).as_secs_f64() + MOMENT) / PER.as_secs_f64());
            let taken = last - first + 1;
            assert!(taken as f64 <= most, "{taken} claims from {from} until {until}, at most {most:.1}");
        }
    }
    let whole = times[times.len() - 1].since(times[0]).as_secs_f64();
    println!("{} claims in {whole:.2} s: a bucket of {RATE}, {RATE} a second", times.len());
}

fn child(me: &Me) {
    let options = WorkerOptions { poll_interval: Duration::from_millis(20), ..WorkerOptions::default() };
    let worker = me.store.worker(options).unwrap();
    let (store, journal) = (me.store.clone(), std::sync::Mutex::new(me.journal(0)));
    worker
        .handle("full", move |_| {
            let seen = running(&store);
            journal.lock().unwrap().line(&seen.to_string());
            std::thread::sleep(Duration::from_millis(5));
            Ok(Outcome::None)
        })
        .unwrap();
    worker.handle("rated", |_| Ok(Outcome::None)).unwrap();
    worker.handle("free", |_| Ok(Outcome::None)).unwrap();
    me.begin();
    worker.run_until_idle(Duration::ZERO).unwrap();
}
