//! The export of a table into a file, beside the same rows by hand; each in a process of its own. The files are then
//! imported again, for the speed of JSON.

use std::path::{Path, PathBuf};

use sprongus::aux_store::ExportOptions;

use crate::Effort;
use crate::by_hand;
use crate::ours::open;
use crate::places::Places;
use crate::process::{self, Job};
use crate::sample::Sample;
use crate::table::{Table, Target};
use crate::works;

/// The ways, how each is named in the table, and the ending of its file. The last reads a plain table of 20 columns.
const WAYS: [(&str, &str, &str); 5] = [
    ("export", "sprongus, CSV", "csv"),
    ("export", "sprongus, JSON", "json"),
    ("export", "sprongus, NDJSON", "ndjson"),
    ("export-same", "by hand, the same rows as CSV", "csv"),
    ("export-plain", "by hand, a plain table as CSV", "csv"),
];

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    let csv = places.file("csv");
    works::write(&csv, effort.rows);
    table.heading(&format!("Export of {} rows × 20 columns: rows a second", effort.rows));
    let file = || places.file("db").to_str().unwrap().to_owned();
    one_database("SQLite", places, &file, &csv, effort, Target::AtLeast(150_000.0), table);
    one_database("PostgreSQL", places, &|| places.database(), &csv, effort, Target::None, table);
}

fn one_database(
    name: &str,
    places: &Places,
    place: &dyn Fn() -> String,
    csv: &Path,
    effort: Effort,
    speed: Target,
    table: &mut Table,
) {
    let (store, plain) = (place(), place());
    process::run("sprongus", &store, csv);
    process::run("plain", &plain, csv);
    let mut rates: [Sample; 5] = Default::default();
    let mut memory: [Sample; 5] = Default::default();
    let mut written: Vec<PathBuf> = Vec::new();
    for _ in 0..effort.imports.max(3) {
        for (way, (how, _, ending)) in WAYS.iter().enumerate() {
            let output = places.file(ending);
            let measured = process::run(how, if *how == "export-plain" { &plain } else { &store }, &output);
            rates[way].push(effort.rows as f64 / measured.seconds);
            memory[way].push(measured.megabytes);
            written.push(output);
        }
    }
    for (way, (_, title, _)) in WAYS.iter().enumerate() {
        table.line(&format!("{name}: {title}"), &rates[way], if way == 0 { speed } else { Target::None });
        table.most("  peak memory over the start, MB", memory[way].largest(), Target::None);
    }
    for (file, format) in [(&written[1], "JSON"), (&written[2], "NDJSON")] {
        let mut rates = Sample::default();
        for _ in 0..effort.imports {
            rates.push(effort.rows as f64 / process::run("sprongus", &place(), file).seconds);
        }
        table.line(&format!("{name}: import of that {format}"), &rates, Target::None);
    }
}

/// The job of a child process.
pub(crate) fn work(job: &Job) {
    let output = Path::new(&job.csv);
    let on_postgres = job.store.starts_with("postgres");
    match (job.how.as_str(), on_postgres) {
        ("export", _) => {
            let store = open(&job.store);
            let aux = store.aux("demo", "works");
            process::tell(|| {
                assert!(aux.export(output, ExportOptions::default(), &mut |_, _| Ok(())).unwrap() > 0);
            });
        }
        (how, false) => {
            let connection = by_hand::sqlite::open(&job.store, "");
            let export =
                if how == "export-same" { by_hand::sqlite::export_same } else { by_hand::sqlite::export_plain };
            process::tell(|| export(&connection, output));
        }
        (how, true) => {
            let mut hand = by_hand::postgres::Hand::open(&job.store, "");
            process::tell(|| if how == "export-same" { hand.export_same(output) } else { hand.export_plain(output) });
        }
    }
}
