//! A rare term among 100,000 entries: with the pre-filter, without it, and what filling it costs.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value as JsonValue;
use sprongus::aux_store::{Aux, ImportOptions, ListQuery};
use sprongus::json::Json;
use sprongus::presets::{BindPreset, CreatePreset, PresetKind};
use sprongus::{Options, Store, Value};

use crate::Effort;
use crate::ours::open;
use crate::places::Places;
use crate::sample::{Sample, alone};
use crate::table::{Table, Target};
use crate::works;

const ENTRIES: usize = 100_000;
/// One entry has the first, eleven the second, the third none, though all of its parts are common.
const RARE: [&str; 3] = ["NO. 77777", "no. 4711", "älvdal, no. 1 "];
const SEARCHED: [&str; 4] = ["title", "maker", "creditLine", "note"];

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    let csv = places.file("csv");
    works::write(&csv, ENTRIES);
    table.heading(&format!("Search of {ENTRIES} entries for a rare term"));
    let file = || places.file("db").to_str().unwrap().to_owned();
    one_database("SQLite", &file, &csv, effort, table);
    let with_trigrams = || {
        let url = places.database();
        let mut host = postgres::Client::connect(&url, postgres::NoTls).unwrap();
        host.batch_execute("CREATE EXTENSION pg_trgm").unwrap();
        url
    };
    one_database("PostgreSQL", &with_trigrams, &csv, effort, table);
}

fn one_database(name: &str, place: &dyn Fn() -> String, csv: &Path, effort: Effort, table: &mut Table) {
    let (mut plain, mut enabled) = (Sample::default(), Sample::default());
    for _ in 0..effort.imports.min(3) {
        plain.push(ENTRIES as f64 / import(&open(&place()), csv, false).as_secs_f64());
        enabled.push(ENTRIES as f64 / import(&open(&place()), csv, true).as_secs_f64());
    }
    table.line(&format!("{name}: import, no field marked, rows/s"), &plain, Target::None);
    table.line(&format!("{name}: import, fields marked for search, rows/s"), &enabled, Target::None);

    let url = place();
    let store: Store = open(&url);
    let took = import(&store, csv, true);
    let works = store.aux("demo", "works");
    // What is only read fills nothing.
    let reader = Store::open(&url, Options { read_only: true, ..Options::default() }).unwrap();
    let reader = reader.aux("demo", "works");
    let walked: Vec<Vec<String>> = RARE.iter().map(|q| found(&reader, q)).collect();
    for q in RARE {
        let sample = alone(effort.rounds.min(10), 1, || drop(found(&reader, q)));
        table.line(&format!("{name}: {q:?} without the pre-filter, µs"), &sample, Target::None);
    }
    let (filling, searches, slowest) = fill(&store, &works);
    let share = 100.0 * filling.as_secs_f64() / took.as_secs_f64();
    table.note(&format!(
        "{name}: folded in within {:.1} s over {searches} searches, the slowest {:.0} ms; {share:.0} % of the time of the import",
        filling.as_secs_f64(),
        slowest.as_secs_f64() * 1e3
    ));
    for (q, walked) in RARE.iter().zip(walked) {
        assert_eq!(found(&works, q), walked, "{q:?}: the same with the pre-filter");
        let sample = alone(effort.rounds, effort.each, || drop(found(&works, q)));
        table.line(&format!("{name}: {q:?}, µs"), &sample, Target::AtMost(10_000.0));
    }
}

fn found(works: &Aux<'_>, q: &str) -> Vec<String> {
    let page = works.list(&ListQuery { q: Some(q.to_owned()), ..ListQuery::default() }).unwrap();
    page.iter().map(|entry| entry.id.clone()).collect()
}

fn import(store: &Store, csv: &Path, searched: bool) -> Duration {
    let mut preset = works::preset();
    let fields = preset["fields"].as_array_mut().unwrap();
    for field in fields.iter_mut().filter(|field| SEARCHED.iter().any(|name| field["name"] == *name)) {
        field["search"] = JsonValue::Bool(searched);
    }
    let definition = Json::from_value(&preset).unwrap();
    store.presets().create(&CreatePreset::new("works", PresetKind::Custom, definition)).unwrap();
    store.presets().bind(&BindPreset { table: "works".into(), address: "works".into(), ..Default::default() }).unwrap();
    let start = Instant::now();
    let report = store.aux("demo", "works").import(csv, &ImportOptions::default(), &mut |_, _| Ok(())).unwrap();
    assert_eq!(report.created as usize, ENTRIES);
    start.elapsed()
}

/// Searches until all is folded in; how long that took, how many searches, and the longest of them.
pub(crate) fn fill(store: &Store, works: &Aux<'_>) -> (Duration, usize, Duration) {
    let (start, mut slowest) = (Instant::now(), Duration::ZERO);
    for searches in 1.. {
        let one = Instant::now();
        found(works, RARE[0]);
        slowest = slowest.max(one.elapsed());
        let left = store.query("SELECT count(*) FROM sprongus_search_tables WHERE filled_to IS NULL", &[]).unwrap();
        if left[0].values()[0] == Value::Int(1) {
            return (start.elapsed(), searches, slowest);
        }
    }
    unreachable!("searches go on until all is folded in")
}
