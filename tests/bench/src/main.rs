//! Speed and memory of the library beside the same work done by hand on the bare driver, in the same run.
//!
//! `sprongus-bench [--quick] [--only enqueue|import|bulk|export|calls|worker|wake|pages|search|tables|million]`; PostgreSQL is a throw-away server with fsync on, or the one
//! that `SPRONGUS_TEST_PG_URL` names. Ends with 1 where a target of the project is missed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark stops at the first surprise")]

mod bulk;
mod by_hand;
mod calls;
mod enqueue;
mod export;
mod import;
mod million;
mod pages;
mod places;
mod process;
mod sample;
mod search;
mod table;
mod tables;
mod wake;
mod worker;
mod works;

use std::process::ExitCode;

use table::Table;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Effort {
    /// Rounds of calls, ours and by hand in turn.
    rounds: usize,
    /// Calls in a round.
    each: usize,
    /// Imports of the whole file.
    imports: usize,
    /// Rows of the file.
    rows: usize,
}

const PARTS: [&str; 11] =
    ["enqueue", "import", "bulk", "export", "calls", "worker", "wake", "pages", "search", "tables", "million"];

const FULL: Effort = Effort { rounds: 60, each: 25, imports: 5, rows: 69_000 };
const QUICK: Effort = Effort { rounds: 10, each: 20, imports: 1, rows: 69_000 };

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(job) = process::asked(&arguments) {
        match job.how.split('-').next() {
            Some("bulk") => bulk::work(&job),
            Some("export") => export::work(&job),
            _ => import::work(&job),
        }
        return ExitCode::SUCCESS;
    }
    if let Some(store) = worker::asked(&arguments) {
        worker::work(store);
        return ExitCode::SUCCESS;
    }
    if wake::asked(&arguments) {
        return ExitCode::SUCCESS;
    }
    let (mut effort, mut quick, mut only) = (FULL, false, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match (argument.as_str(), rest.as_slice().first()) {
            ("--quick", _) => (effort, quick) = (QUICK, true),
            ("--only", Some(part)) if PARTS.contains(&part.as_str()) => only = rest.next(),
            _ => {
                eprintln!(
                    "usage: sprongus-bench [--quick] [--only enqueue|import|bulk|export|calls|worker|wake|pages|search|tables|million]"
                );
                return ExitCode::from(2);
            }
        }
    }
    let wanted = |part: &str| only.is_none_or(|only| only == part);
    let places = places::Places::open();
    println!("{}", places.describe());
    let mut table = Table::default();
    if wanted("enqueue") {
        enqueue::measure(&places, effort, &mut table);
    }
    if wanted("calls") {
        calls::measure(&places, effort, &mut table);
    }
    if wanted("worker") {
        worker::measure(&places, effort, &mut table);
    }
    if wanted("wake") {
        wake::measure(&places, effort, &mut table);
    }
    if wanted("pages") {
        pages::measure(&places, effort, &mut table);
    }
    if wanted("search") {
        search::measure(&places, effort, &mut table);
    }
    if wanted("tables") {
        tables::measure(&places, effort, &mut table);
    }
    if wanted("import") {
        import::measure(&places, effort, &mut table);
    }
    if wanted("bulk") {
        bulk::measure(&places, effort, &mut table);
    }
    if wanted("export") {
        export::measure(&places, effort, &mut table);
    }
    if wanted("million") && !(quick && only.is_none()) {
        million::measure(&places, &mut table);
    }
    if table.all_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
