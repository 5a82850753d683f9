//! The import of a CSV file with validation, beside the same rows by hand without; each in a process of its own.

use std::path::Path;

use serde_json::{Value, json};
use sprongus::aux_store::ImportOptions;
use sprongus::json::Json;
use sprongus::presets::{BindPreset, CreatePreset, PresetKind};
use sprongus::{Dialect, Options, Store, migration_sql};

use crate::Effort;
use crate::by_hand;
use crate::ours::open;
use crate::places::Places;
use crate::process::{self, Job};
use crate::sample::Sample;
use crate::table::{Table, Target};
use crate::works;

/// The ways, and how each is named in the table.
const WAYS: [(&str, &str); 4] = [
    ("sprongus", "sprongus, validated"),
    ("free", "sprongus, by a preset that asks for nothing"),
    ("same", "by hand, the same rows"),
    ("plain", "by hand, a plain table"),
];

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    let csv = places.file("csv");
    works::write(&csv, effort.rows);
    let megabytes = std::fs::metadata(&csv).unwrap().len() as f64 / 1e6;
    table.heading(&format!("Import of {} rows × 20 columns, CSV of {megabytes:.1} MB: rows a second", effort.rows));
    let file = || places.file("db").to_str().unwrap().to_owned();
    one_database("SQLite", &file, &csv, effort, Target::AtLeast(40_000.0), table);
    one_database("PostgreSQL", &|| places.database(), &csv, effort, Target::None, table);
    secrets_check(&file, &csv, effort, table);
}

/// What looking for secrets takes of an import. Counted in processor time, so that neighbours on the machine do not matter.
fn secrets_check(place: &dyn Fn() -> String, csv: &Path, effort: Effort, table: &mut Table) {
    let mut shares = Sample::default();
    for _ in 0..effort.imports.max(3) {
        let [with, without] = ["sprongus", "unchecked"].map(|how| process::run(how, &place(), csv).processor);
        shares.push(100.0 * (with - without) / with);
    }
    table.line("SQLite: looking for secrets, % of processor time", &shares, Target::AtMost(10.0));
}

fn one_database(name: &str, place: &dyn Fn() -> String, csv: &Path, effort: Effort, speed: Target, table: &mut Table) {
    let mut rates: [Sample; 4] = Default::default();
    let mut memory: [Sample; 4] = Default::default();
    let mut ratios: [Sample; 4] = Default::default();
    let mut validation = Sample::default();
    for _ in 0..effort.imports {
        let measured = WAYS.map(|(how, _)| process::run(how, &place(), csv));
        for way in 0..WAYS.len() {
            rates[way].push(effort.rows as f64 / measured[way].seconds);
            memory[way].push(measured[way].megabytes);
            ratios[way].push(measured[0].seconds / measured[way].seconds);
        }
        validation.push(100.0 * (1.0 - measured[1].seconds / measured[0].seconds));
    }
    for (way, (_, title)) in WAYS.iter().enumerate() {
        let ours = way == 0;
        table.line(&format!("{name}: {title}"), &rates[way], if ours { speed } else { Target::None });
        if !ours {
            table.line("  sprongus takes … times as long", &ratios[way], Target::None);
        }
        let limit = if ours { Target::AtMost(150.0) } else { Target::None };
        table.most("  peak memory over the start, MB", memory[way].largest(), limit);
    }
    table.line(&format!("{name}: validation, % of the import"), &validation, Target::AtMost(50.0));
}

/// The job of a child process.
pub(crate) fn work(job: &Job) {
    let csv = Path::new(&job.csv);
    let on_postgres = job.store.starts_with("postgres");
    match (job.how.as_str(), on_postgres) {
        ("sprongus", _) => sprongus(&bound(&job.store), csv),
        ("free", _) => sprongus(&bind(open(&job.store), &json!({ "type": "object" })), csv),
        ("keyed", _) => {
            let mut preset = works::preset();
            for (field, what) in [("accessionNumber", "unique"), ("year", "index")] {
                let fields = preset["fields"].as_array_mut().unwrap();
                fields.iter_mut().find(|one| one["name"] == field).unwrap()[what] = true.into();
            }
            sprongus(&bind(open(&job.store), &preset), csv);
        }
        ("unchecked", _) => {
            let options = Options { check_secrets: false, ..Options::default() };
            sprongus(&bind(Store::open(&job.store, options).unwrap(), &works::preset()), csv);
        }
        (how, false) => {
            let connection = by_hand::sqlite::open(&job.store, &migration_sql(Dialect::Sqlite));
            let import = if how == "same" { by_hand::sqlite::import_same } else { by_hand::sqlite::import_plain };
            process::tell(|| import(&connection, csv));
        }
        (how, true) => {
            let mut hand = by_hand::postgres::Hand::open(&job.store, &migration_sql(Dialect::Postgres));
            process::tell(|| if how == "same" { hand.import_same(csv) } else { hand.import_plain(csv) });
        }
    }
}

/// A store whose table `works` is bound to the preset of the rows.
pub(crate) fn bound(url: &str) -> Store {
    bind(open(url), &works::preset())
}

/// The store, with the table bound to that preset.
pub(crate) fn bind(store: Store, preset: &Value) -> Store {
    bind_as(store, "works", preset)
}

/// The same for a table of that name.
pub(crate) fn bind_as(store: Store, table: &str, preset: &Value) -> Store {
    let definition = Json::from_value(preset).unwrap();
    store.presets().create(&CreatePreset::new(table, PresetKind::Custom, definition)).unwrap();
    store.presets().bind(&BindPreset { table: table.into(), address: table.into(), ..Default::default() }).unwrap();
    store
}

fn sprongus(store: &Store, csv: &Path) {
    let aux = store.aux("demo", "works");
    process::tell(|| {
        let report = aux.import(csv, &ImportOptions::default(), &mut |_, _| Ok(())).unwrap();
        assert!(report.created > 0 && report.errors.is_empty());
    });
}
