//! `kill -9`, again and again, while processes enqueue, decide, claim, report and read on one store; then every promise is
//! checked.
//!
//! 30 kills by default, `SPRONGUS_CRASH_CYCLES` says how many (`make crash`: a thousand).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod enqueuer;
mod invariants;
mod journal;
mod reader;
mod replay;
mod settle;
mod worker;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sprongus::{Options, Store};
use sprongus_testkit::{Postgres, temp_dir, temp_file};

/// Set in a child: its role, the URL, the schema, the folder of the journals and its own number, a line each.
const TOLD: &str = "SPRONGUS_CRASH_VICTIM";

/// What each of the three processes does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Enqueuer,
    Worker,
    /// Works too, and follows the feed beside.
    Reader,
}

const ROLES: [(Role, &str); 3] = [(Role::Enqueuer, "enqueuer"), (Role::Worker, "worker"), (Role::Reader, "reader")];

#[test]
fn nothing_acknowledged_is_lost_on_sqlite() {
    if let Ok(told) = std::env::var(TOLD) {
        return work(&told);
    }
    let (_folder, file) = temp_file("store.db");
    kill_and_check("nothing_acknowledged_is_lost_on_sqlite", file.to_str().unwrap(), "");
}

#[test]
fn nothing_acknowledged_is_lost_on_postgres() {
    if let Ok(told) = std::env::var(TOLD) {
        return work(&told);
    }
    kill_and_check("nothing_acknowledged_is_lost_on_postgres", Postgres::shared().url(), "crash");
}

fn open(url: &str, schema: &str) -> Store {
    let schema = (!schema.is_empty()).then(|| schema.to_owned());
    let (backoff_base, backoff_cap) = (Duration::from_millis(1), Duration::from_millis(20));
    Store::open(url, Options { schema, backoff_base, backoff_cap, ..Options::default() }).unwrap()
}

/// A child: works in its role, and never stops by itself. The bound is for one whose parent was itself killed.
fn work(told: &str) {
    let lines: Vec<&str> = told.lines().collect();
    let store = open(lines[1], lines[2]);
    let folder = Path::new(lines[3]);
    let journal = journal::Journal::open(&folder.join(lines[4]));
    let until = Instant::now() + Duration::from_secs(120);
    match ROLES.iter().find(|(_, name)| *name == lines[0]).unwrap().0 {
        Role::Enqueuer => enqueuer::work(&store, journal, until),
        Role::Worker => worker::work(&store, journal, until),
        Role::Reader => std::thread::scope(|scope| {
            scope.spawn(|| reader::work(&store, &folder.join(reader::FILE), until));
            worker::work(&store, journal, until);
        }),
    }
}

/// So long is the journal of a process that is in the midst of its work: some twelve lines.
const AT_WORK: u64 = 500;

/// One process at a time is killed, and started anew.
struct Victim {
    child: Child,
    journal: PathBuf,
}

fn kill_and_check(test: &str, url: &str, schema: &str) {
    let journals = temp_dir();
    let store = open(url, schema);
    let start = |n: usize| -> Victim {
        let journal = format!("{n}.journal");
        let told = [ROLES[n % 3].1, url, schema, journals.path().to_str().unwrap(), &journal].join("\n");
        let mut command = Command::new(std::env::current_exe().unwrap());
        let child = command.args(["--exact", test, "--nocapture"]).env(TOLD, told).stdout(Stdio::null()).spawn();
        Victim { child: child.unwrap(), journal: journals.path().join(journal) }
    };
    let mut victims: Vec<Victim> = (0..3).map(start).collect();
    let cycles = cycles();
    for kills in 0..cycles {
        kill(&mut victims[kills % 3], Duration::from_millis(20 + (kills as u64 * 37) % 120));
        victims[kills % 3] = start(3 + kills);
    }
    victims.iter_mut().for_each(|victim| kill(victim, Duration::ZERO));
    let said = journal::read_all(journals.path());
    settle::drain(&store);
    let checked = invariants::check(&store, &said, &reader::read_all(journals.path()), cycles);
    println!("{test}: {} kills; {checked}", cycles + 3);
}

/// Not before it is at work; SIGKILL: no destructor runs, no lock is given back by hand.
fn kill(victim: &mut Victim, after: Duration) {
    let until = Instant::now() + Duration::from_secs(30);
    while std::fs::metadata(&victim.journal).map_or(0, |file| file.len()) < AT_WORK {
        assert!(Instant::now() < until, "a process never came to work");
        assert_eq!(victim.child.try_wait().unwrap(), None, "a process ended by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(after);
    assert_eq!(victim.child.try_wait().unwrap(), None, "a process ended by itself: what it printed says why");
    victim.child.kill().unwrap();
    victim.child.wait().unwrap();
}

fn cycles() -> usize {
    std::env::var("SPRONGUS_CRASH_CYCLES").map_or(30, |cycles| cycles.parse().unwrap())
}

/// Whoever is killed may hold up others for a moment; they try again.
fn retried<T>(mut call: impl FnMut() -> sprongus::Result<T>) -> T {
    for _ in 0..5 {
        match call() {
            Ok(value) => return value,
            Err(error) => assert!(error.retryable(), "{error}"),
        }
    }
    panic!("the store stayed busy");
}
