//! `kill -9`, again and again, while processes enqueue, claim and report on one store; then every promise is checked.
//!
//! Short by default; `SPRONGUS_CRASH_SECONDS` makes it long (`make crash`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod invariants;
mod journal;
mod victim;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sprongus::{Options, Store};
use sprongus_testkit::{Postgres, temp_dir, temp_file};

/// Processes at work at any time.
const VICTIMS: usize = 4;
/// Set in a child: the URL, the schema and its journal, a line each.
const TOLD: &str = "SPRONGUS_CRASH_VICTIM";

#[test]
fn nothing_acknowledged_is_lost_on_sqlite() {
    if let Ok(told) = std::env::var(TOLD) {
        return victim::work(&told);
    }
    let (_folder, file) = temp_file("store.db");
    kill_and_check("nothing_acknowledged_is_lost_on_sqlite", file.to_str().unwrap(), "");
}

#[test]
fn nothing_acknowledged_is_lost_on_postgres() {
    if let Ok(told) = std::env::var(TOLD) {
        return victim::work(&told);
    }
    kill_and_check("nothing_acknowledged_is_lost_on_postgres", Postgres::shared().url(), "crash");
}

fn open(url: &str, schema: &str) -> Store {
    let schema = (!schema.is_empty()).then(|| schema.to_owned());
    Store::open(url, Options { schema, ..Options::default() }).unwrap()
}

fn kill_and_check(test: &str, url: &str, schema: &str) {
    let journals = temp_dir();
    let store = open(url, schema);
    let start = |n: usize| -> Child {
        let journal = journals.path().join(format!("{n}.journal"));
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(TOLD, format!("{url}\n{schema}\n{}", journal.display()))
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut started = VICTIMS;
    let mut victims: Vec<Child> = (0..VICTIMS).map(start).collect();
    let end = Instant::now() + length();
    let mut kills = 0;
    while Instant::now() < end {
        std::thread::sleep(Duration::from_millis(120));
        let chosen = kills % VICTIMS;
        // SIGKILL: no destructor runs, no lock is given back by hand.
        victims[chosen].kill().unwrap();
        victims[chosen].wait().unwrap();
        victims[chosen] = start(started);
        (started, kills) = (started + 1, kills + 1);
    }
    for victim in &mut victims {
        victim.kill().unwrap();
        victim.wait().unwrap();
    }
    let said = journal::read_all(journals.path());
    assert!(kills >= 5, "only {kills} processes were killed: make it longer");
    assert!(said.enqueued.len() > 20 && said.succeeded.len() > 5, "the processes hardly worked: {said:?}");
    victim::drain(&store);
    invariants::check(&store, &said);
    println!("{test}: {kills} kills, {} enqueued, {} succeeded, all there", said.enqueued.len(), said.succeeded.len());
}

fn length() -> Duration {
    let seconds = std::env::var("SPRONGUS_CRASH_SECONDS").ok().map(|seconds| seconds.parse().unwrap());
    Duration::from_secs(seconds.unwrap_or(5))
}
