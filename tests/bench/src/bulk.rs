//! Many documents at once from a program, validated, beside the same rows by hand without; each in a process of its own.

use std::path::Path;

use serde_json::{Map, Value};
use sprongus::aux_store::{BulkOptions, BulkReport, Mode};
use sprongus::{Dialect, migration_sql};

use crate::Effort;
use crate::by_hand;
use crate::import::bound;
use crate::places::Places;
use crate::process::{self, Job};
use crate::sample::Sample;
use crate::table::{Table, Target};
use crate::works::{self, COLUMNS};

/// What is measured: the job, its title, and whether it is the yardstick.
const WAYS: [(&str, &str); 4] = [
    ("bulk-new", "sprongus, new rows, validated"),
    ("bulk-hand", "by hand, the same new rows"),
    ("bulk-same", "sprongus, rows that are there as they are"),
    ("bulk-changed", "sprongus, every row changed"),
];

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    let csv = places.file("csv");
    works::write(&csv, effort.rows);
    table.heading(&format!("bulk_upsert of {} documents of up to 20 properties: rows a second", effort.rows));
    let file = || places.file("db").to_str().unwrap().to_owned();
    one_database("SQLite", &file, &csv, effort, 0.8, table);
    one_database("PostgreSQL", &|| places.database(), &csv, effort, 0.7, table);
}

fn one_database(name: &str, place: &dyn Fn() -> String, csv: &Path, effort: Effort, least: f64, table: &mut Table) {
    let mut rates: [Sample; 4] = Default::default();
    let mut ratio = Sample::default();
    for _ in 0..effort.imports {
        let seconds = WAYS.map(|(how, _)| process::run(how, &place(), csv).seconds);
        for way in 0..WAYS.len() {
            rates[way].push(effort.rows as f64 / seconds[way]);
        }
        ratio.push(seconds[1] / seconds[0]);
    }
    for ((_, title), rate) in WAYS.iter().zip(&rates) {
        table.line(&format!("{name}: {title}"), rate, Target::None);
    }
    table.line(&format!("{name}: new rows, share of the rate by hand"), &ratio, Target::AtLeast(least));
}

/// The job of a child process. What it starts from is made before the clock runs.
pub(crate) fn work(job: &Job) {
    let csv = Path::new(&job.csv);
    match (job.how.as_str(), job.store.starts_with("postgres")) {
        ("bulk-hand", false) => {
            let (connection, rows) =
                (by_hand::sqlite::open(&job.store, &migration_sql(Dialect::Sqlite)), documents(csv));
            process::tell(|| by_hand::sqlite::insert_documents(&connection, rows));
        }
        ("bulk-hand", true) => {
            let (mut hand, rows) =
                (by_hand::postgres::Hand::open(&job.store, &migration_sql(Dialect::Postgres)), documents(csv));
            process::tell(|| hand.copy_documents(rows));
        }
        (how, _) => ours(how, &job.store, csv),
    }
}

fn ours(how: &str, url: &str, csv: &Path) {
    let store = bound(url);
    let aux = store.aux("demo", "works");
    let write = |rows: Vec<Map<String, Value>>| -> BulkReport {
        let options = BulkOptions { mode: Mode::Replace, ..BulkOptions::default() };
        aux.bulk_upsert(rows.into_iter().map(Value::Object).map(Ok), options, &mut |_, _| Ok(())).unwrap()
    };
    let mut rows = documents(csv);
    let count = rows.len() as u64;
    if how == "bulk-new" {
        return process::tell(|| assert_eq!(write(rows).created, count));
    }
    write(rows.clone());
    if how == "bulk-same" {
        return process::tell(|| assert_eq!(write(rows).unchanged, count));
    }
    rows.iter_mut().for_each(|row| drop(row.insert("note".to_owned(), "Looked at again.".into())));
    process::tell(|| assert_eq!(write(rows).updated, count));
}

/// The rows of the file as documents with their ids.
fn documents(csv: &Path) -> Vec<Map<String, Value>> {
    let mut all = Vec::new();
    works::each_row(csv, |record| {
        let cells = COLUMNS.iter().zip(record);
        all.push(
            cells.filter_map(|(column, cell)| Some((column.0.to_owned(), works::typed(*column, cell)?))).collect(),
        );
    });
    all
}
