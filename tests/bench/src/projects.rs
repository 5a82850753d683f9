//! Deleting a project of many entries with all that is theirs, beside the same deletes by hand; and how long others wait for it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};
use serde_json::json;
use sprongus::aux_store::{BulkOptions, ImportOptions};
use sprongus::json::Json;
use sprongus::presets::{BindPreset, CreatePreset, PresetKind};
use sprongus::projects::DeleteProject;
use sprongus::{Options, Store};

use crate::Effort;
use crate::by_hand;
use crate::ours;
use crate::places::Places;
use crate::sample::{Beside, Sample};
use crate::search;
use crate::table::{Table, Target};
use crate::works;

const ENTRIES: usize = 100_000;
const SEARCHED: [&str; 2] = ["title", "note"];
/// Between two small writes of others.
const NAP: Duration = Duration::from_millis(5);

/// What there is to delete, as one would by hand: by each table's index, those first that are found by others.
const BY_HAND: [&str; 7] = [
    "DELETE FROM sprongus_aux_entries WHERE project_id = 'demo'",
    "DELETE FROM sprongus_aux_versions WHERE project_id = 'demo'",
    "DELETE FROM sprongus_aux_keys WHERE project_id = 'demo'",
    "DELETE FROM sprongus_search_marks WHERE project_id = 'demo'",
    "DELETE FROM sprongus_search_texts WHERE table_number IN (SELECT number FROM sprongus_search_tables WHERE project_id = 'demo')",
    "DELETE FROM sprongus_search_tables WHERE project_id = 'demo'",
    "DELETE FROM sprongus_events WHERE project_id = 'demo' AND run_id IS NULL",
];
const FULL_TEXT: &str = "DELETE FROM sprongus_search WHERE rowid IN (SELECT t.number FROM sprongus_search_tables s \
                         JOIN sprongus_search_texts t ON t.table_number = s.number WHERE s.project_id = 'demo')";

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    let csv = places.file("csv");
    works::write(&csv, ENTRIES);
    table.heading(&format!("projects.delete of {ENTRIES} entries, each with a past, keys and texts: milliseconds"));
    let rounds = effort.imports.min(3);
    let file = || places.file("db").to_str().unwrap().to_owned();
    one_database("SQLite", &file, rounds, &csv, table, &|url| {
        let hand = by_hand::sqlite::open(url, "");
        // The cache of a store's writer.
        hand.pragma_update(None, "cache_size", -32_000).unwrap();
        let deletes = [&[FULL_TEXT], BY_HAND.as_slice()].concat().join("; ");
        millis(|| hand.execute_batch(&format!("BEGIN IMMEDIATE; {deletes}; COMMIT")).unwrap())
    });
    let with_trigrams = || {
        let url = places.database();
        Client::connect(&url, NoTls).unwrap().batch_execute("CREATE EXTENSION pg_trgm").unwrap();
        url
    };
    one_database("PostgreSQL", &with_trigrams, rounds, &csv, table, &|url| {
        let mut hand = Client::connect(url, NoTls).unwrap();
        millis(|| hand.batch_execute(&format!("BEGIN; {}; COMMIT", BY_HAND.join("; "))).unwrap())
    });
}

fn one_database(
    name: &str,
    place: &dyn Fn() -> String,
    rounds: usize,
    csv: &Path,
    table: &mut Table,
    hand: &dyn Fn(&str) -> f64,
) {
    let (mut ours, mut hands, mut waits) = (Sample::default(), Sample::default(), Sample::default());
    for _ in 0..rounds {
        let url = place();
        furnish(&open(&url), csv);
        let by_hand = hand(&url);
        let url = place();
        let store = open(&url);
        furnish(&store, csv);
        let (took, waited) = delete(&store, &open(&url));
        ours.push(took);
        hands.push(by_hand);
        waits.push(waited);
    }
    table.beside(name, &Beside::of(ours, hands), Target::None);
    table.line("  the longest small write of others meanwhile", &waits, Target::None);
}

/// Others wait as long as it takes: that is what is measured.
fn open(url: &str) -> Store {
    let long = Duration::from_secs(300);
    Store::open(url, Options { busy_timeout: long, call_timeout: long, ..Options::default() }).unwrap()
}

fn furnish(store: &Store, csv: &Path) {
    let mut preset = works::preset();
    preset["index"] = json!([["title"], ["medium", "width"]]);
    let fields = preset["fields"].as_array_mut().unwrap();
    for field in fields.iter_mut().filter(|field| SEARCHED.iter().any(|name| field["name"] == *name)) {
        field["search"] = true.into();
    }
    let definition = Json::from_value(&preset).unwrap();
    store.presets().create(&CreatePreset::new("works", PresetKind::Custom, definition)).unwrap();
    store.presets().bind(&BindPreset { table: "works".into(), address: "works".into(), ..Default::default() }).unwrap();
    let aux = store.aux("demo", "works");
    aux.import(csv, &ImportOptions::default(), &mut |_, _| Ok(())).unwrap();
    let mut changed = Vec::with_capacity(ENTRIES);
    works::each_row(csv, |row| changed.push(json!({ "id": row[0], "note": "seen again" })));
    let report = aux.bulk_upsert(changed.into_iter().map(Ok), BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
    assert_eq!(report.updated as usize, ENTRIES);
    search::fill(store, &aux);
}

/// The milliseconds of the deletion, and of the longest small write of others meanwhile.
fn delete(store: &Store, other: &Store) -> (f64, f64) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let others = scope.spawn(|| {
            let mut longest = 0_f64;
            while !over.load(SeqCst) {
                longest = longest.max(millis(|| drop(other.runs().enqueue(&ours::run()).unwrap())));
                std::thread::sleep(NAP);
            }
            longest
        });
        let took = millis(|| store.projects().delete(&DeleteProject::cascade("demo")).unwrap());
        over.store(true, SeqCst);
        (took, others.join().unwrap())
    })
}

fn millis(call: impl FnOnce()) -> f64 {
    let start = Instant::now();
    call();
    start.elapsed().as_secs_f64() * 1e3
}
