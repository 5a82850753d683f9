//! One key, many processes: one run is kept and all get it, also where the first of them dies or rolls back.

use std::collections::BTreeSet;
use std::time::Duration;

use sprongus::runs::{Enqueue, FindIdempotent, ListRuns, RunEvents};
use sprongus::{Json, Store};

use crate::rivals::{Race, Rival};

/// Processes that race for a key.
const RIVALS: usize = 8;
/// Keys they race for, one after the other.
const KEYS: usize = 25;

const RACE: Race = Race { rivals: RIVALS, prepare: |_| (), run: rival, judge };

/// In a child: makes or finds the run of each key, and says which it got.
fn rival(store: &Store, &Rival { number, .. }: &Rival) {
    let key = |at: usize| FindIdempotent::new(format!("key-{at}"));
    // The last rival holds each third key for a moment and lets it go again.
    if number == RIVALS - 1 {
        for at in (0..KEYS).step_by(3) {
            let tx = store.begin().unwrap();
            tx.runs().ensure_idempotent(&key(at), || Ok(Enqueue::new("undone", Json::null()))).unwrap();
            std::thread::sleep(Duration::from_millis(5));
            tx.rollback().unwrap();
        }
    }
    // Each begins with another key, so that no one can be first with all of them.
    for at in (0..KEYS).map(|at| (at + number * 3) % KEYS) {
        let describe = || Ok(Enqueue::new("made", Json::parse(number.to_string())?));
        let run = store.runs().ensure_idempotent(&key(at), describe).unwrap();
        println!("got {at} {} {}", run.id, run.deduplicated);
    }
}

fn judge(store: &Store, told: &[String]) {
    let mut got = vec![BTreeSet::new(); KEYS];
    let mut new = vec![0; KEYS];
    for text in told {
        let mut lines = 0;
        for line in text.lines().filter_map(|line| Some(&line[line.find("got ")?..])) {
            let words: Vec<&str> = line.split(' ').collect();
            let at: usize = words[1].parse().unwrap();
            got[at].insert(words[2].to_owned());
            new[at] += usize::from(words[3] == "false");
            lines += 1;
        }
        assert_eq!(lines, KEYS, "{text}");
    }
    for (at, (ids, new)) in got.iter().zip(new).enumerate() {
        assert_eq!((ids.len(), new), (1, 1), "key {at} has one run, new to one of them: {ids:?}");
        let events = store.runs().events(&RunEvents::new(ids.first().unwrap())).unwrap();
        assert_eq!(events.len(), 1);
    }
    let runs = store.runs().list(&ListRuns { limit: 1000, ..ListRuns::default() }).unwrap();
    assert_eq!(runs.len(), KEYS);
    assert!(runs.iter().all(|run| run.kind == "made"), "nothing of what was rolled back");
    let makers: BTreeSet<&str> = runs.iter().map(|run| run.input.as_str()).collect();
    assert!(makers.len() > 1, "a race it was: {makers:?}");
}

#[test]
fn processes_that_race_for_a_key_get_one_run_on_sqlite() {
    RACE.on_sqlite("keys::processes_that_race_for_a_key_get_one_run_on_sqlite");
}

#[test]
fn processes_that_race_for_a_key_get_one_run_on_postgres() {
    RACE.on_postgres("keys::processes_that_race_for_a_key_get_one_run_on_postgres");
}
