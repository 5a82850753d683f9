//! One key, many processes: one run is kept and all get it, also where the first of them dies or rolls back.

use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::time::Duration;

use sprongus::runs::{Enqueue, FindIdempotent, ListRuns, RunEvents};
use sprongus::{Json, Options, Store};
use sprongus_testkit::{Postgres, temp_dir, temp_file};

use crate::child;

/// Processes that race for a key.
const RIVALS: usize = 8;
/// Keys they race for, one after the other.
const KEYS: usize = 25;

fn open(url: &str, schema: &str) -> Store {
    let schema = (!schema.is_empty()).then(|| schema.to_owned());
    Store::open(url, Options { schema, ..Options::default() }).unwrap()
}

/// In a child: makes or finds the run of each key, and says which it got.
fn rival(told: &str) {
    let words: Vec<&str> = told.split('\n').collect();
    let store = open(words[0], words[1]);
    let number: usize = words[2].parse().unwrap();
    // All have opened the store by then, and begin together.
    child::arrive(words[3], words[2]);
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

fn race(test: &str, url: &str, schema: &str) {
    let store = open(url, schema);
    let folder = temp_dir();
    let start = |number: usize| -> Child {
        let told = format!("{url}\n{schema}\n{number}\n{}", folder.path().display());
        child::command(test, &told, "").stdout(Stdio::piped()).spawn().unwrap()
    };
    let rivals: Vec<Child> = (0..RIVALS).map(start).collect();
    child::let_go(folder.path(), RIVALS);
    let mut got = vec![BTreeSet::new(); KEYS];
    let mut new = vec![0; KEYS];
    for rival in rivals {
        let output = rival.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        let mut lines = 0;
        // The harness writes its own words before the first.
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
    if let Some(told) = child::told() {
        return rival(&told);
    }
    let (_folder, file) = temp_file("keys.db");
    race("keys::processes_that_race_for_a_key_get_one_run_on_sqlite", file.to_str().unwrap(), "");
}

#[test]
fn processes_that_race_for_a_key_get_one_run_on_postgres() {
    if let Some(told) = child::told() {
        return rival(&told);
    }
    let schema = format!("keys_{}", std::process::id());
    race("keys::processes_that_race_for_a_key_get_one_run_on_postgres", Postgres::shared().url(), &schema);
}
