//! A claim storm: eight processes of four threads, 5,000 runs.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use sprongus::runs::{Claim, Enqueue, EnqueueMany, ListRuns, Run, Succeed};
use sprongus::{ErrorCode, Json, RunState};

use crate::process::{Journal, Me, PROCESSES, Place, me, storm};

const RUNS: usize = 5_000;
const THREADS: usize = 4;

#[test]
fn every_lease_is_given_once_on_sqlite() {
    check("claims::every_lease_is_given_once_on_sqlite", Place::sqlite);
}

#[test]
fn every_lease_is_given_once_on_postgres() {
    check("claims::every_lease_is_given_once_on_postgres", || Place::postgres("storm"));
}

fn check(test: &str, place: fn() -> Place) {
    if let Some(me) = me() {
        return child(&me);
    }
    let place = place();
    let store = place.open();
    let item =
        |n: usize| Enqueue { priority: (n % 3) as i64, ..Enqueue::new(["a", "b", "sync/c"][n % 3], Json::null()) };
    store.runs().enqueue_many(&EnqueueMany::new((0..RUNS).map(item).collect())).unwrap();
    let (lines, took) = storm(test, &place, || {});
    let mut given: BTreeMap<&str, usize> = BTreeMap::new();
    let mut accepted = 0;
    for line in &lines {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["claimed", id, lease] => {
                assert_eq!(lease, "1", "{id}: the first lease");
                *given.entry(id).or_default() += 1;
            }
            ["accepted", _] => accepted += 1,
            _ => panic!("a journal holds {line:?}"),
        }
    }
    assert_eq!(given.len(), RUNS, "every run was claimed");
    assert!(given.values().all(|times| *times == 1), "and none twice");
    assert_eq!(accepted, RUNS, "each report was accepted once");
    let all = |state| ListRuns { state: Some(vec![state]), limit: 1000, ..ListRuns::default() };
    let ended = store.runs().list(&all(RunState::Running)).unwrap().len();
    assert_eq!(ended, 0, "nothing is left running");
    let started = "SELECT count(*), count(DISTINCT run_id) FROM sprongus_events WHERE type = 'run.started'";
    let counts = &store.query(started, &[]).unwrap()[0];
    let runs = sprongus::Value::Int(RUNS as i64);
    assert_eq!(counts.values(), [runs.clone(), runs], "a start for each run");
    println!(
        "{test}: {RUNS} runs by {PROCESSES} processes of {THREADS} threads in {took:.2?}, {:.0} runs a second",
        RUNS as f64 / took.as_secs_f64()
    );
}

fn child(me: &Me) {
    me.begin();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || work(me, thread, &mut me.journal(thread)));
        }
    });
}

/// Claims in every way until nothing is left, and reports each run.
fn work(me: &Me, thread: usize, journal: &mut Journal) {
    let kinds = [None, Some(vec!["a", "b", "sync/*"]), Some(vec!["sync/*"])][thread % 3].clone();
    let kinds = kinds.map(|kinds| kinds.into_iter().map(str::to_owned).collect());
    let worker = format!("{}-{thread}", me.number);
    let mut claim = Claim { kinds, lease: Duration::from_secs(300), ..Claim::new(&worker) };
    let mut empty = 0;
    while empty < 3 {
        claim.limit = 1 + (claim.limit + 3) % 10;
        let runs = retried(|| me.store.runs().claim_next(&claim));
        empty = if runs.is_empty() { empty + 1 } else { 0 };
        if runs.is_empty() {
            sleep(Duration::from_millis(5));
        }
        for run in runs {
            journal.line(&format!("claimed {} {}", run.id, run.lease));
            report(me, &run, journal);
        }
    }
}

fn report(me: &Me, run: &Run, journal: &mut Journal) {
    let done = retried(|| me.store.runs().succeed(&Succeed::new(&run.id, run.lease)));
    assert_eq!((done.state, done.version), (RunState::Succeeded, 3), "accepted once, whoever else tried");
    journal.line(&format!("accepted {}", run.id));
}

/// A busy machine may time a call out; nothing else may go wrong.
fn retried<T>(mut call: impl FnMut() -> sprongus::Result<T>) -> T {
    for _ in 0..5 {
        match call() {
            Ok(value) => return value,
            Err(error) => assert!(matches!(error.code(), ErrorCode::Busy | ErrorCode::Timeout), "{error}"),
        }
    }
    panic!("the store stayed busy");
}
