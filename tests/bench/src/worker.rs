//! The worker's loop with handlers that do nothing, beside claims and reports one by one.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use sprongus::Store;
use sprongus::json::Json;
use sprongus::runs::{Claim, Enqueue, EnqueueMany, Succeed};
use sprongus::worker::{Outcome, WorkerOptions};

use crate::Effort;
use crate::by_hand::{INPUT, KIND};
use crate::enqueue::open;
use crate::places::Places;
use crate::sample::Sample;
use crate::table::{Table, Target};

/// Side by side.
const PROCESSES: usize = 4;

const FLAG: &str = "--work";

/// The store to be worked, where this process is one of several.
pub(crate) fn asked(arguments: &[String]) -> Option<&str> {
    match arguments {
        [flag, store] if flag == FLAG => Some(store),
        _ => None,
    }
}

/// In the child: says when it is ready, begins when told, works until nothing is left.
pub(crate) fn work(store: &str) {
    let store = open(store);
    println!("ready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    drain(&store);
}

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    table.heading("The worker, handlers that do nothing: runs a second");
    each(&places.file("db").to_string_lossy(), "SQLite", effort, table);
    each(&places.database(), "PostgreSQL", effort, table);
}

fn each(url: &str, name: &str, effort: Effort, table: &mut Table) {
    let store = open(url);
    let (rounds, runs) = (effort.rounds.div_ceil(12), effort.each * 80);
    let (mut single, mut worker, mut several) = (Sample::default(), Sample::default(), Sample::default());
    for _ in 0..rounds {
        single.push(rate(&store, runs / 4, || one_by_one(&store)));
        worker.push(rate(&store, runs, || drain(&store)));
        let mut children = Several::start(url);
        several.push(rate(&store, runs * 2, || children.work()));
    }
    let (alone, many) = (worker.median() / single.median(), several.median() / single.median());
    table.line(&format!("{name}: claim and succeed, one by one"), &single, 0, Target::None);
    table.line(&format!("{name}: a worker ({alone:.1} times)"), &worker, 0, Target::None);
    table.line(&format!("{name}: {PROCESSES} processes ({many:.1} times)"), &several, 0, Target::None);
}

/// Runs a second, from so many that wait to none.
fn rate(store: &Store, runs: usize, work: impl FnOnce()) -> f64 {
    let items = vec![Enqueue::new(KIND, Json::parse(INPUT).unwrap()); 1_000.min(runs)];
    (0..runs)
        .step_by(items.len())
        .for_each(|_| drop(store.runs().enqueue_many(&EnqueueMany::new(items.clone())).unwrap()));
    let start = Instant::now();
    work();
    runs.next_multiple_of(items.len()) as f64 / start.elapsed().as_secs_f64()
}

fn one_by_one(store: &Store) {
    let claim = Claim::new("bench");
    while let [run] = store.runs().claim_next(&claim).unwrap().as_slice() {
        store.runs().succeed(&Succeed::new(&run.id, run.lease)).unwrap();
    }
}

fn drain(store: &Store) {
    let worker = store.worker(WorkerOptions::default()).unwrap();
    worker.handle(KIND, |_| Ok(Outcome::None)).unwrap();
    worker.run_until_idle(Duration::ZERO).unwrap();
}

/// Processes that work the same store.
struct Several(Vec<(Child, BufReader<ChildStdout>)>);

impl Several {
    fn start(store: &str) -> Self {
        let children = (0..PROCESSES).map(|_| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            let mut child = command.args([FLAG, store]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            let mut told = BufReader::new(child.stdout.take().unwrap());
            told.read_line(&mut String::new()).unwrap();
            (child, told)
        });
        Self(children.collect())
    }

    fn work(&mut self) {
        self.0.iter_mut().for_each(|(child, _)| child.stdin.take().unwrap().write_all(b"go\n").unwrap());
        self.0.iter_mut().for_each(|(child, _)| assert!(child.wait().unwrap().success()));
    }
}
