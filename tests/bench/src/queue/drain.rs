//! Four processes that empty a queue: claims and reports one by one, ours and by hand, and the worker's loop.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use sprongus::Store;
use sprongus::worker::{Outcome, WorkerOptions};

use crate::Effort;
use crate::by_hand::{KIND, Queue};
use crate::ground::{Ground, On};
use crate::ours::Ours;
use crate::places::Places;
use crate::sample::rounds;
use crate::state::State;
use crate::table::{Table, Target};

/// Side by side.
const PROCESSES: usize = 4;
const FLAG: &str = "--drain";

/// In a child: says when it is ready, begins when told, works until nothing is left.
pub(crate) fn asked(arguments: &[String]) -> bool {
    let [flag, how, on, url] = arguments else { return false };
    let Some(on) = On::ALL.into_iter().find(|each| flag == FLAG && each.name() == on) else { return false };
    let mut queue: Box<dyn Queue> =
        if how.starts_with("hand") { on.connect(url) } else { Box::new(Ours(on.open(url))) };
    let store = (how == "worker").then(|| on.open(url));
    println!("ready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    match &store {
        Some(store) => work(store),
        None if how.ends_with("shared") => shared(&mut *queue),
        None => apart(&mut *queue),
    }
    true
}

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    let (all, few) = (effort.drained, effort.drained / 5);
    table.heading(&format!(
        "{PROCESSES} processes draining {all} runs, or {few} where each takes one by one: runs a second"
    ));
    for on in On::ALL {
        let ground = Ground::new(places, on, State::Empty);
        let (ours, hand) =
            (|how, runs| drain(on, &ground.ours, how, runs), |how, runs| drain(on, &ground.hand, how, runs));
        let (mut a, mut hand_a) = (|| ours("ours", few), || hand("hand", few));
        let (mut b, mut hand_b) = (|| ours("ours-shared", few), || hand("hand-shared", few));
        let (mut worker, mut single) = (|| ours("worker", all), || one(&ground, few / 4));
        let taken = rounds(effort.drains, [&mut a, &mut hand_a, &mut b, &mut hand_b, &mut worker, &mut single]);
        let [a, hand_a, b, hand_b, worker, single] = taken.map(|sample| sample.rates());
        let (name, times) = (on.name(), if on == On::Postgres { 20.0 } else { 5.0 });
        table.times(&format!("{name}: one by one, A"), [&a, &hand_a], super::PROMISE);
        table.times(&format!("{name}: one by one, B"), [&b, &hand_b], super::PROMISE);
        table.times(
            &format!("{name}: the worker's loop, beside one by one in 1 process"),
            [&worker, &single],
            Target::AtLeast(times),
        );
    }
}

/// Microseconds a run, of one process that claims and completes one by one.
fn one(ground: &Ground, runs: usize) -> f64 {
    let mut queue = Ours(ground.on.open(&ground.ours));
    queue.enqueue_many(runs);
    let start = Instant::now();
    apart(&mut queue);
    crate::sample::per_call(start.elapsed(), runs)
}

/// Microseconds a run, of all processes together.
fn drain(on: On, url: &str, how: &str, runs: usize) -> f64 {
    on.connect(url).enqueue_many(runs);
    let mut children = Several::start(&[FLAG, how, on.name(), url]);
    let start = Instant::now();
    children.work();
    crate::sample::per_call(start.elapsed(), runs)
}

fn apart(queue: &mut dyn Queue) {
    loop {
        let held = queue.claim(1);
        if held.is_empty() {
            return;
        }
        queue.complete(&held);
    }
}

fn shared(queue: &mut dyn Queue) {
    let mut next = queue.claim(1).pop();
    while let Some(held) = next {
        next = queue.complete_and_claim(&held);
    }
}

fn work(store: &Store) {
    let worker = store.worker(WorkerOptions::default()).unwrap();
    worker.handle(KIND, |_| Ok(Outcome::None)).unwrap();
    worker.run_until_idle(Duration::ZERO).unwrap();
}

/// Processes that work the same store.
struct Several(Vec<(Child, BufReader<ChildStdout>)>);

impl Several {
    fn start(arguments: &[&str]) -> Self {
        let children = (0..PROCESSES).map(|_| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
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
