//! Speed and memory of the library beside the same work done by hand on the bare driver, in the same run.
//!
//! `sprongus-bench [--quick] [--markdown] [--only PART]…`; PostgreSQL is a throw-away server with fsync on, or the one that
//! `SPRONGUS_TEST_PG_URL` names. Ends with 1 where a target of the project is missed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark stops at the first surprise")]

mod bulk;
mod by_hand;
mod door;
mod entries;
mod export;
mod footprint;
mod get;
mod ground;
mod import;
mod million;
mod ours;
mod pages;
mod places;
mod process;
mod projects;
mod queue;
mod sample;
mod search;
mod state;
mod table;
mod tables;
mod wake;
mod works;

use std::process::ExitCode;

use places::Places;
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
    /// Finished runs that gather.
    finished: usize,
    /// Runs that several processes drain, and how often.
    drained: usize,
    drains: usize,
}

const FULL: Effort =
    Effort { rounds: 60, each: 25, imports: 5, rows: 69_000, finished: 1_000_000, drained: 20_000, drains: 3 };
const QUICK: Effort =
    Effort { rounds: 12, each: 20, imports: 1, rows: 69_000, finished: 100_000, drained: 4_000, drains: 2 };

/// A workload: what measures it.
type Measure = fn(&Places, Effort, &mut Table);

/// All of them, by their names.
const PARTS: [(&str, Measure); 19] = [
    ("enqueue", queue::enqueue),
    ("batches", queue::batches),
    ("claims", queue::claims),
    ("threads", queue::threads),
    ("drain", queue::drain),
    ("states", queue::states),
    ("get", get::measure),
    ("entries", entries::measure),
    ("wake", wake::measure),
    ("pages", pages::measure),
    ("search", search::measure),
    ("tables", tables::measure),
    ("projects", projects::measure),
    ("import", import::measure),
    ("bulk", bulk::measure),
    ("export", export::measure),
    ("door", door::measure),
    ("footprint", footprint::measure),
    ("million", million::measure),
];

/// Left out of the short form, unless it is asked for.
const LONG: [&str; 1] = ["million"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if is_child(&arguments) {
        return ExitCode::SUCCESS;
    }
    let (mut quick, mut markdown, mut only) = (false, false, Vec::new());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match (argument.as_str(), rest.as_slice().first().and_then(|name| part(name))) {
            ("--quick", _) => quick = true,
            ("--markdown", _) => markdown = true,
            ("--only", Some(part)) => {
                only.push(part);
                rest.next();
            }
            _ => {
                let names = PARTS.map(|(name, _)| name).join("|");
                eprintln!("usage: sprongus-bench [--quick] [--markdown] [--only {names}]…");
                return ExitCode::from(2);
            }
        }
    }
    let (places, mut table) = (Places::open(), Table::new(markdown));
    println!("{}", places.describe());
    for (name, measure) in PARTS {
        let wanted = if only.is_empty() { !(quick && LONG.contains(&name)) } else { only.contains(&name) };
        if wanted {
            measure(&places, if quick { QUICK } else { FULL }, &mut table);
        }
    }
    if table.all_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn part(name: &str) -> Option<&'static str> {
    PARTS.iter().map(|(part, _)| *part).find(|part| *part == name)
}

/// Does the work of a process that a workload started.
fn is_child(arguments: &[String]) -> bool {
    let Some(job) = process::asked(arguments) else {
        return queue::drain::asked(arguments) || wake::asked(arguments);
    };
    match job.how.split('-').next() {
        Some("bulk") => bulk::work(&job),
        Some("idle") => footprint::work(&job),
        Some("export") => export::work(&job),
        _ => import::work(&job),
    }
    true
}
