//! The import of a file that is much larger than memory need be, and a doctor's look at what came of it.

use crate::Effort;
use crate::ours::open;
use crate::places::Places;
use crate::process;
use crate::sample::{Sample, alone};
use crate::table::{Table, Target};
use crate::works;

const ROWS: usize = 1_000_000;
/// What it may take over what the process held before, in MB.
const MEMORY: f64 = 100.0;

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
}
