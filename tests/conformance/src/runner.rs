//! Makes a trial of every case on every backend, runs them, and counts.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};

use crate::{Backend, Case, Env};

/// Runs the cases as `cargo test`'s arguments ask and prints a line per backend: how many ran, how many were left out.
///
/// Without a filter a trial left out is a failure, and so is a backend without a case: nothing is skipped.
pub fn run(cases: &[Case]) -> ExitCode {
    let mut arguments = Arguments::from_args();
    // As any other test's harness does; else more than there are processors, for half of what a case takes it waits: for the
    // disk, for the server, for a lease to end.
    let asked = || std::env::var("RUST_TEST_THREADS").ok()?.parse().ok();
    let processors = || std::thread::available_parallelism().map_or(2, usize::from);
    arguments.test_threads = arguments.test_threads.or_else(asked).or_else(|| Some(2 * processors()));
    refuse_twins(cases);
    let tallies: Vec<Tally> = Backend::ALL.iter().map(|backend| Tally::of(*backend, cases)).collect();
    let trials = tallies.iter().flat_map(|tally| tally.trials(cases)).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if arguments.list {
        return ExitCode::SUCCESS;
    }
    print_slowest(&tallies);
    tallies.iter().for_each(Tally::print);
    let filtered = arguments.filter.is_some() || !arguments.skip.is_empty() || arguments.ignored;
    if !filtered && !tallies.iter().all(Tally::whole) {
        eprintln!("conformance: a backend ran less than all of its cases");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}

/// How many of the slowest trials are named.
const NAMED: usize = 15;

/// What the suite's time goes into: beside one another, trials wait for processors too.
fn print_slowest(tallies: &[Tally]) {
    let took = |tally: &Tally| tally.took.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut all: Vec<(Duration, String)> = tallies.iter().flat_map(took).collect();
    all.sort_by(|a, b| b.cmp(a));
    for (took, name) in all.iter().take(NAMED) {
        println!("{:>8.1} s {name}", took.as_secs_f64());
    }
}

fn refuse_twins(cases: &[Case]) {
    let mut names = BTreeSet::new();
    for case in cases {
        assert!(names.insert(case.name), "two cases are named {}", case.name);
    }
}

/// How many of a backend's trials ran.
struct Tally {
    backend: Backend,
    all: usize,
    ran: Arc<AtomicUsize>,
    took: Arc<Mutex<Vec<(Duration, String)>>>,
}

impl Tally {
    fn of(backend: Backend, cases: &[Case]) -> Self {
        let all = cases.iter().filter(|case| case.on(backend)).count();
        Self { backend, all, ran: Arc::default(), took: Arc::default() }
    }

    fn trials(&self, cases: &[Case]) -> Vec<Trial> {
        let here = cases.iter().filter(|case| case.on(self.backend));
        here.map(|case| self.trial(*case)).collect()
    }

    fn trial(&self, case: Case) -> Trial {
        let (backend, ran, took) = (self.backend, Arc::clone(&self.ran), Arc::clone(&self.took));
        let name = format!("{}::{}", backend.as_str(), case.name);
        Trial::test(name.clone(), move || {
            ran.fetch_add(1, Relaxed);
            let start = Instant::now();
            (case.run)(&Env::fresh(backend));
            took.lock().unwrap_or_else(PoisonError::into_inner).push((start.elapsed(), name));
            Ok(())
        })
    }

    fn print(&self) {
        let ran = self.ran.load(Relaxed);
        println!("{:<14} {ran:>5} run, {} skipped", self.backend.as_str(), self.all - ran);
    }

    fn whole(&self) -> bool {
        self.all > 0 && self.ran.load(Relaxed) == self.all
    }
}
