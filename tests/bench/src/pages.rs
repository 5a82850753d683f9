//! Pages of 100,000 entries, filtered and sorted: with keys and without, beside the query one would write by hand.

use std::path::Path;

use serde_json::{Value, json};
use sprongus::aux_store::{ImportOptions, ListQuery};
use sprongus::json::Json;
use sprongus::presets::{BindPreset, CreatePreset, PresetKind};
use sprongus::{Dialect, Store, migration_sql};

use crate::Effort;
use crate::by_hand;
use crate::ours::open;
use crate::places::Places;
use crate::sample::{alone, in_turn};
use crate::table::{Table, Target};
use crate::works;

/// Entries in the table.
const STORED: usize = 100_000;
/// The share of the speed by hand that a page has at least.
const SLOWEST: f64 = 0.7;
/// The most that a page by keys may take on SQLite, in microseconds.
const BY_KEYS: f64 = 3_000.0;

/// A page that is asked for, and the same in SQL: conditions and order, as each database writes them.
struct Asked {
    name: &'static str,
    filter: Value,
    sort: &'static [&'static str],
    sqlite: [&'static str; 2],
    postgres: [&'static str; 2],
}

fn asked() -> [Asked; 4] {
    [
        Asked {
            name: "a range, by a text",
            filter: json!({ "acquired": { "gte": 1950 } }),
            sort: &["title"],
            sqlite: ["json_extract(payload, '$.acquired') >= 1950", "json_extract(payload, '$.title')"],
            postgres: ["payload -> 'acquired' >= '1950'", "payload ->> 'title'"],
        },
        Asked {
            name: "equal, by a number descending",
            filter: json!({ "medium": "Etching" }),
            sort: &["-width"],
            sqlite: ["json_extract(payload, '$.medium') = 'Etching'", "json_extract(payload, '$.width') DESC"],
            postgres: ["payload ->> 'medium' = 'Etching'", "(payload ->> 'width')::float8 DESC NULLS LAST"],
        },
        Asked {
            name: "a rare one, by a number",
            filter: json!({ "makerId": 1234, "published": true }),
            sort: &["year"],
            sqlite: [
                "json_extract(payload, '$.makerId') = 1234 AND json_extract(payload, '$.published') = 1",
                "json_extract(payload, '$.year')",
            ],
            postgres: [
                "payload @> '{\"makerId\": 1234, \"published\": true}'",
                "(payload ->> 'year')::int NULLS FIRST",
            ],
        },
        Asked {
            name: "all, by a text and a number",
            filter: json!({}),
            sort: &["maker", "-year"],
            sqlite: ["1 = 1", "json_extract(payload, '$.maker'), json_extract(payload, '$.year') DESC"],
            postgres: ["TRUE", "payload ->> 'maker', (payload ->> 'year')::int DESC NULLS LAST"],
        },
    ]
}

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    let csv = places.file("csv");
    works::write(&csv, STORED);
    table.heading(&format!("Pages of 50 out of {STORED} entries: microseconds a page"));
    let rounds = effort.rounds.min(20);

    let file = places.file("db");
    let keyed = store(&places.file("db").to_string_lossy(), &csv, &INDEXED);
    by_keys("SQLite", &keyed, rounds, Target::AtMost(BY_KEYS), table);
    let bare = store(&file.to_string_lossy(), &csv, &[]);
    let hand = by_hand::sqlite::open(&places.file("db").to_string_lossy(), &migration_sql(Dialect::Sqlite));
    by_hand::sqlite::import_same(&hand, &csv);
    for one in asked() {
        let by_hand = || assert!(by_hand::sqlite::page(&hand, one.sqlite) > 0);
        let beside = in_turn(rounds, 1, || list(&bare, &query(&one)), by_hand);
        table.beside(&format!("SQLite: {}", one.name), &beside, Target::AtLeast(SLOWEST));
    }

    let keyed = store(&places.database(), &csv, &INDEXED);
    by_keys("PostgreSQL", &keyed, rounds, Target::None, table);
    let bare = store(&places.database(), &csv, &[]);
    let mut hand = by_hand::postgres::Hand::open(&places.database(), &migration_sql(Dialect::Postgres));
    hand.import_same(&csv);
    for one in asked() {
        let by_hand = || assert!(hand.page(one.postgres) > 0);
        let beside = in_turn(rounds, 1, || list(&bare, &query(&one)), by_hand);
        table.beside(&format!("PostgreSQL: {}", one.name), &beside, Target::AtLeast(SLOWEST));
    }
}

/// What has keys where keys are measured.
const INDEXED: [&[&str]; 5] = [&["acquired"], &["title"], &["published"], &["medium", "width"], &["makerId"]];

fn store(url: &str, csv: &Path, indexed: &[&[&str]]) -> Store {
    let store = open(url);
    let mut definition = works::preset();
    definition["index"] = json!(indexed);
    let definition = Json::from_value(&definition).unwrap();
    store.presets().create(&CreatePreset::new("works", PresetKind::Custom, definition)).unwrap();
    store.presets().bind(&BindPreset { table: "works".into(), address: "works".into(), ..Default::default() }).unwrap();
    let report = store.aux("demo", "works").import(csv, &ImportOptions::default(), &mut |_, _| Ok(())).unwrap();
    assert_eq!(report.created as usize, STORED);
    store
}

fn query(asked: &Asked) -> ListQuery {
    let sort = asked.sort.iter().map(|field| (*field).to_owned()).collect();
    ListQuery { filter: Some(asked.filter.clone()), sort, ..ListQuery::default() }
}

fn list(store: &Store, query: &ListQuery) {
    assert!(!store.aux("demo", "works").list(query).unwrap().items.is_empty());
}

/// The first page, and one further on by its cursor.
fn by_keys(name: &str, store: &Store, rounds: usize, target: Target, table: &mut Table) {
    let asked: [(&str, Value, &[&str]); 8] = [
        ("by a text", json!({}), &["title"]),
        ("by a text, descending", json!({}), &["-title"]),
        ("equal, by a number descending", json!({ "medium": "Etching" }), &["-width"]),
        ("a range, by itself", json!({ "acquired": { "gte": 1950 } }), &["acquired"]),
        ("a range, by a text", json!({ "acquired": { "gte": 1950 } }), &["title"]),
        ("one year, by a text", json!({ "acquired": 1950 }), &["title"]),
        ("a few years, by a text", json!({ "acquired": { "in": [1950, 1960, 1970] } }), &["title"]),
        ("true, by a boolean descending", json!({ "published": true }), &["-published", "id"]),
    ];
    for (what, filter, sort) in asked {
        let sort = sort.iter().map(|field| (*field).to_owned()).collect();
        let mut query = ListQuery { filter: Some(filter), sort, ..ListQuery::default() };
        let line = format!("{name}, keys: {what}");
        table.line(&line, &alone(rounds, 5, || list(store, &query)), target);
        for _ in 0..10 {
            query.cursor = store.aux("demo", "works").list(&query).unwrap().next_cursor;
        }
        assert!(query.cursor.is_some(), "{what}: there are more than ten pages");
        table.line("  the eleventh page, by cursor", &alone(rounds, 5, || list(store, &query)), target);
    }
}
