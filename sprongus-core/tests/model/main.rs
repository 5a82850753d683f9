//! Random operations of four workers, held against a model of the queue on both databases, step by step.
//!
//! A thousand sequences a database; `SPRONGUS_SEQUENCES` makes it more (`make fuzz`), `SPRONGUS_SEED` repeats one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod queue;
mod steps;

use std::collections::BTreeMap;

use bench::Bench;
use fastrand::Rng;
use queue::Queue;
use sprongus_testkit::Postgres;
use steps::{Step, draw};

/// Operations of a sequence.
const LENGTH: usize = 44;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|number| number.parse().expect("a number"))
}

/// How many transitions there were of each kind.
type Counts = BTreeMap<&'static str, usize>;

/// Sequences of the seeds that fall to one of several threads.
fn walk(bench: &Bench, first: u64, threads: u64) -> Counts {
    let mut counts = Counts::new();
    let seeds = match number("SPRONGUS_SEED") {
        Some(seed) => seed..seed + 1,
        None => first..number("SPRONGUS_SEQUENCES").unwrap_or(1000),
    };
    for seed in seeds.step_by(usize::try_from(threads).unwrap()) {
        sequence(bench, seed, &mut counts);
    }
    counts
}

fn sequence(bench: &Bench, seed: u64, counts: &mut Counts) {
    let mut rng = Rng::with_seed(seed);
    let mut queue = Queue { now: bench.begin(), ..Queue::default() };
    let mut steps: Vec<Step> = Vec::with_capacity(LENGTH);
    for _ in 0..LENGTH {
        let step = draw(&mut rng, &queue);
        steps.push(step.clone());
        let answer = queue.apply(&step);
        if let Err(difference) = bench.compare(&mut queue, &step, &answer) {
            diverged(bench, seed, &steps, &difference);
        }
    }
    if let Err(difference) = bench.compare_all(&queue) {
        diverged(bench, seed, &steps, &difference);
    }
    for event in queue.runs.iter().flat_map(|run| &run.events) {
        *counts.entry(event).or_default() += 1;
    }
}

fn diverged(bench: &Bench, seed: u64, steps: &[Step], difference: &str) -> ! {
    let told: Vec<String> = steps.iter().enumerate().map(|(at, step)| format!("{at:>3} {step:?}")).collect();
    panic!("{} and the model part ways: seed {seed}\n{}\n{difference}", bench.name, told.join("\n"));
}

/// Two at a time: the sequences of one store follow one another.
fn prop(open: impl Fn(u64) -> Bench + Sync) {
    let seed = number("SPRONGUS_SEED");
    let threads = if seed.is_some() { 1 } else { 2 };
    let mut counts = Counts::new();
    std::thread::scope(|scope| {
        let open = &open;
        let running: Vec<_> =
            (0..threads).map(|first| scope.spawn(move || walk(&open(first), first, threads))).collect();
        for thread in running {
            let walked = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            walked.into_iter().for_each(|(event, count)| *counts.entry(event).or_default() += count);
        }
    });
    println!("{counts:?}");
    assert!(
        seed.is_some() || EVENTS.iter().all(|event| counts.get(event).is_some_and(|count| *count > 5)),
        "{counts:?}"
    );
}

/// Every transition there is.
const EVENTS: [&str; 14] = [
    "run.enqueued",
    "run.approval_requested",
    "run.approved",
    "run.denied",
    "run.dispatched",
    "run.started",
    "run.retry_scheduled",
    "run.rescued",
    "run.snoozed",
    "run.retried",
    "run.succeeded",
    "run.failed",
    "run.canceled",
    "run.timed_out",
];

#[test]
fn prop_the_queue_is_as_its_model_on_sqlite() {
    prop(|_| Bench::open("SQLite", ":memory:", None));
}

#[test]
fn prop_the_queue_is_as_its_model_on_postgres() {
    let url = Postgres::shared().url();
    prop(|thread| Bench::open("PostgreSQL", url, Some(format!("model_{}_{thread}", std::process::id()))));
}
