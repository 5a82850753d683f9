//! From enqueue in one process to start in an idle worker of another, and what the idle worker costs.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use sprongus::clock::{Clock, SystemClock};
use sprongus::runs::Claim;
use sprongus::worker::{Outcome, WorkerOptions};
use sprongus::{Store, Worker};
use sprongus_testkit::Postgres;

use crate::Effort;
use crate::by_hand::{KIND, Queue};
use crate::ours::{Ours, WORKER, open};
use crate::places::Places;
use crate::sample::{Sample, alone};
use crate::table::{Table, Target};

/// The first argument of a child, before its URL.
const ENQUEUES: &str = "--enqueue-on-order";
const IDLES: &str = "--idle";
/// A run is enqueued so long after the one before, and a little more each time: not in step with any timer.
const PAUSE: Duration = Duration::from_millis(60);
/// For how long an idle worker is watched, once it has settled.
const WATCHED: Duration = Duration::from_secs(10);
/// A second, in the ticks of `proc(5)`.
const TICKS: f64 = 100.0;

/// The work of this process, where it is a child of this file's.
pub(crate) fn asked(arguments: &[String]) -> bool {
    match arguments {
        [job, url] if job == ENQUEUES => enqueue_on_order(&open(url)),
        [job, url] if job == IDLES => idle(&open(url)),
        _ => return false,
    }
    true
}

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    table.heading("Wake-up: microseconds from enqueue in one process to start in an idle worker of another");
    let (file, database) = (places.file("db"), places.database());
    latency("SQLite", file.to_str().unwrap(), effort, table, 5_000.0);
    latency("PostgreSQL", &database, effort, table, 10_000.0);
    table.heading("An idle worker: percent of a core, statements a second");
    table.line("SQLite: percent of a core", &watched(file.to_str().unwrap(), || 0).0, Target::AtMost(1.0));
    let name = database.split('?').next().unwrap().rsplit('/').next().unwrap();
    let (share, statements) = watched(&database, || transactions(name));
    table.line("PostgreSQL: percent of a core", &share, Target::AtMost(1.0));
    table.line("PostgreSQL: statements a second", &statements, Target::AtMost(5.0));
}

fn latency(name: &str, url: &str, effort: Effort, table: &mut Table, target: f64) {
    let store = open(url);
    let mut other = Other::start(ENQUEUES, url);
    let (began, starts) = mpsc::channel();
    let worker = idle_worker(&store, began);
    let (mut from_call, mut from_return) = (Sample::default(), Sample::default());
    for round in 0..effort.rounds * 3 {
        std::thread::sleep(PAUSE + Duration::from_micros(round as u64 * 777 % 10_000));
        let [called, returned] = other.order();
        let started: i64 = starts.recv().unwrap();
        from_call.push((started - called) as f64);
        from_return.push((started - returned) as f64);
    }
    worker.stop(None);
    let floor = alone(effort.rounds, effort.each, || {
        drop(Ours(store.clone()).enqueue());
        assert_eq!(store.runs().claim_next(&Claim::new(WORKER)).unwrap().len(), 1);
    });
    table.line(&format!("{name}: from the call of enqueue"), &from_call, Target::AtMost(target));
    table.line(&format!("{name}: from its return"), &from_return, Target::None);
    table.line(&format!("{name}: enqueue and claim by one thread"), &floor, Target::None);
}

/// The share of a core in percent, and what `count` rises by a second.
fn watched(url: &str, count: impl Fn() -> i64) -> (Sample, Sample) {
    let other = Other::start(IDLES, url);
    std::thread::sleep(Duration::from_secs(2));
    let (cpu, counted) = (other.cpu_seconds(), count());
    std::thread::sleep(WATCHED);
    let (mut share, mut rise) = (Sample::default(), Sample::default());
    share.push((other.cpu_seconds() - cpu) / WATCHED.as_secs_f64() * 100.0);
    rise.push((count() - counted) as f64 / WATCHED.as_secs_f64());
    (share, rise)
}

fn transactions(database: &str) -> i64 {
    let sql = format!("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = '{database}'");
    Postgres::shared().psql(&sql).parse().unwrap()
}

fn idle_worker(store: &Store, began: mpsc::Sender<i64>) -> Worker {
    let worker = store.worker(WorkerOptions::default()).unwrap();
    worker
        .handle(KIND, move |_| {
            let _ = began.send(SystemClock::new().monotonic());
            Ok(Outcome::None)
        })
        .unwrap();
    worker.start().unwrap();
    worker
}

fn enqueue_on_order(store: &Store) {
    let clock = SystemClock::new();
    for _ in std::io::stdin().lines() {
        let called = clock.monotonic();
        drop(Ours(store.clone()).enqueue());
        println!("{called} {}", clock.monotonic());
    }
}

fn idle(store: &Store) {
    let _worker = idle_worker(store, mpsc::channel().0);
    std::io::stdin().lines().for_each(drop);
}

/// A child at work, until it is dropped.
struct Other {
    process: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Other {
    fn start(job: &str, url: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args([job, url]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = child.spawn().unwrap();
        Self { said: BufReader::new(process.stdout.take().unwrap()).lines(), process }
    }

    /// Lets it enqueue a run: when it called, and when that returned, on the monotonic clock of all.
    fn order(&mut self) -> [i64; 2] {
        writeln!(self.process.stdin.as_mut().unwrap()).unwrap();
        let said = self.said.next().unwrap().unwrap();
        let mut times = said.split_whitespace().map(|time| time.parse().unwrap());
        [times.next().unwrap(), times.next().unwrap()]
    }

    fn cpu_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / TICKS
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
