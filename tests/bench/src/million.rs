//! The import of a file that is much larger than memory need be, and a doctor's look at what came of it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sprongus::Store;

use crate::Effort;
use crate::import;
use crate::ours::{open, run};
use crate::places::Places;
use crate::process;
use crate::sample::{Sample, alone};
use crate::table::{Table, Target};
use crate::works;

const ROWS: usize = 1_000_000;
/// What it may take over what the process held before, in MB.
const MEMORY: f64 = 100.0;
/// What two small writes beside it may take at most, in milliseconds: a tenth of `busy_timeout`.
const LONGEST: f64 = 500.0;

pub(crate) fn measure(places: &Places, _: Effort, table: &mut Table) {
    let csv = places.file("csv");
    works::write(&csv, ROWS);
    let megabytes = std::fs::metadata(&csv).unwrap().len() as f64 / 1e6;
    table.heading(&format!("Import of {ROWS} rows × 20 columns, CSV of {megabytes:.0} MB: rows a second"));
    let file = places.file("db").to_str().unwrap().to_owned();
    for (name, store) in [("SQLite", file), ("PostgreSQL", places.database())] {
        let (measured, mut rate) = (process::run("sprongus", &store, &csv), Sample::default());
        rate.push(ROWS as f64 / measured.seconds);
        table.line(&format!("{name}: sprongus, validated"), &rate, Target::None);
        table.most("  peak memory over the start, MB", measured.megabytes, Target::AtMost(MEMORY));
        let opened = open(&store);
        let looks = alone(5, 1, || drop(opened.doctor().unwrap()));
        table.line("  doctor, microseconds", &looks, Target::None);
    }
    let file = places.file("db").to_str().unwrap().to_owned();
    for (name, store) in [("SQLite", file), ("PostgreSQL", places.database())] {
        beside_others(name, &store, &csv, table);
    }
}

/// With a unique and an indexed field, while another process writes: a document of the same project, in a table of its own,
/// and a run, every few milliseconds.
fn beside_others(name: &str, store: &str, csv: &Path, table: &mut Table) {
    let others = import::bind_as(open(store), "others", &works::preset());
    let over = AtomicBool::new(false);
    let (measured, waits) = std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let mut waits = Sample::default();
            while !over.load(Ordering::Relaxed) {
                waits.push(one_write(&others));
                std::thread::sleep(Duration::from_millis(5));
            }
            waits
        });
        let measured = process::run("keyed", store, csv);
        over.store(true, Ordering::Relaxed);
        (measured, other.join().unwrap())
    });
    let mut rate = Sample::default();
    rate.push(ROWS as f64 / measured.seconds);
    table.line(&format!("{name}: sprongus, with unique values and an index, beside others"), &rate, Target::None);
    table.most("  peak memory over the start, MB", measured.megabytes, Target::AtMost(MEMORY));
    table.line("  a small write beside it, milliseconds", &waits, Target::None);
    table.most("  the longest, milliseconds", waits.largest(), Target::AtMost(LONGEST));
}

/// Milliseconds of a document and a run.
fn one_write(others: &Store) -> f64 {
    let begun = Instant::now();
    let document = serde_json::json!({ "title": "A small one", "medium": "Ink on paper" });
    others.aux("demo", "others").create(document, None).unwrap();
    others.runs().enqueue(&run()).unwrap();
    begun.elapsed().as_secs_f64() * 1e3
}
