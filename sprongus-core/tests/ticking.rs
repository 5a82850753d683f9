//! Eight processes tick the same schedules: each slot is one run, and none is left out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sprongus::runs::schedules::{Overlap, PutSchedule, ScheduleName, Tick};
use sprongus::runs::{Claim, ListRuns, Order, RunEvents, Succeed};
use sprongus::{Options, Run, Store, Timestamp};
use sprongus_testkit::{Postgres, temp_file};

const PROCESSES: usize = 8;
/// Set in a child: which one it is, the URL and the schema, a line each.
const TOLD: &str = "SPRONGUS_TICKING_CHILD";
const LENGTH: Duration = Duration::from_secs(6);

#[test]
fn eight_processes_tick_once_on_sqlite() {
    if let Ok(told) = std::env::var(TOLD) {
        return work(&told);
    }
    let (_folder, file) = temp_file("ticking.db");
    tick_and_check("eight_processes_tick_once_on_sqlite", file.to_str().unwrap(), "");
}

#[test]
fn eight_processes_tick_once_on_postgres() {
    if let Ok(told) = std::env::var(TOLD) {
        return work(&told);
    }
    let schema = format!("ticking_{}", std::process::id());
    tick_and_check("eight_processes_tick_once_on_postgres", Postgres::shared().url(), &schema);
}

fn open(url: &str, schema: &str) -> Store {
    let schema = (!schema.is_empty()).then(|| schema.to_owned());
    Store::open(url, Options { schema, ..Options::default() }).unwrap()
}

fn second(name: &str, cron: Option<&str>) -> PutSchedule {
    let every = cron.is_none().then_some(Duration::from_secs(1));
    let schedule = PutSchedule { every, cron: cron.map(str::to_owned), ..PutSchedule::new(name, name) };
    PutSchedule { overlap: Overlap::Queue, catch_up: Duration::from_secs(3_600), ..schedule }
}

fn tick_and_check(test: &str, url: &str, schema: &str) {
    let store = open(url, schema);
    store.schedules().put(&second("every", None)).unwrap();
    store.schedules().put(&second("cron", Some("* * * * * *"))).unwrap();
    let child = |n: usize| -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--nocapture"]).env(TOLD, format!("{n}\n{url}\n{schema}"));
        command.stdout(Stdio::null()).spawn().unwrap()
    };
    let children: Vec<Child> = (0..PROCESSES).map(child).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success(), "each process ticked without an error");
    }
    for name in ["every", "cron"] {
        check(&store, name);
    }
}

/// Half of them tick, the others claim, which ticks as well.
fn work(told: &str) {
    let lines: Vec<&str> = told.split('\n').collect();
    let (number, store) = (lines[0].parse::<usize>().unwrap(), open(lines[1], lines[2]));
    let end = Instant::now() + LENGTH;
    while Instant::now() < end {
        if number.is_multiple_of(2) {
            store.schedules().tick(&Tick::default()).unwrap();
        } else {
            for run in store.runs().claim_next(&Claim { limit: 3, ..Claim::new(format!("w{number}")) }).unwrap() {
                store.runs().succeed(&Succeed::new(&run.id, run.lease)).unwrap();
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn check(store: &Store, name: &str) {
    let list =
        ListRuns { kind: Some(vec![name.to_owned()]), order: Order::Oldest, limit: 1_000, ..ListRuns::default() };
    let mut slots: BTreeMap<Timestamp, Vec<Run>> = BTreeMap::new();
    for run in store.runs().list(&list).unwrap() {
        slots.entry(run.run_at).or_default().push(run);
    }
    assert!(slots.len() >= 5, "{name} came {} times", slots.len());
    for (slot, runs) in &slots {
        assert_eq!(runs.len(), 1, "{name} at {slot}");
        let enqueued = store.runs().events(&RunEvents::new(&runs[0].id)).unwrap();
        assert_eq!(enqueued.iter().filter(|event| event.kind == "run.enqueued").count(), 1);
    }
    let times: Vec<Timestamp> = slots.into_keys().collect();
    assert!(
        times.windows(2).all(|two| two[1].since(two[0]) == Duration::from_secs(1)),
        "{name} left out a slot: {times:?}"
    );
    let next = store.schedules().get(&ScheduleName::new(name)).unwrap().next_at.unwrap();
    assert_eq!(next.since(times[times.len() - 1]), Duration::from_secs(1), "the next one is the one after the last");
}
