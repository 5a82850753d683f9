//! While one process imports, others go on: their heartbeats, runs and entries wait no longer than this, and nobody sees half.
//!
//! 40,000 rows by default, `SPRONGUS_IMPORT_ROWS` says how many (a million takes some minutes unoptimised).

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sprongus::aux_store::{BulkOptions, ListQuery, OnReferenced};
use sprongus::presets::{BindPreset, CreatePreset, PresetKind};
use sprongus::runs::{Claim, Enqueue, Heartbeat};
use sprongus::{Json, Store};

use crate::process::{Me, Place, me, storm};

/// The longest that a small write may take beside an import: below `busy_timeout`, at which it would have failed.
const LONGEST: Duration = Duration::from_secs(4);

#[test]
fn an_import_holds_nobody_up_on_sqlite() {
    check("imports::an_import_holds_nobody_up_on_sqlite", Place::sqlite, Books::Plain);
}

#[test]
fn an_import_with_keys_holds_nobody_up_on_sqlite() {
    check("imports::an_import_with_keys_holds_nobody_up_on_sqlite", Place::sqlite, Books::Keyed);
}

#[test]
fn an_import_holds_nobody_up_on_postgres() {
    check("imports::an_import_holds_nobody_up_on_postgres", || Place::postgres("imports"), Books::Plain);
}

pub(crate) fn rows() -> u64 {
    std::env::var("SPRONGUS_IMPORT_ROWS").map_or(40_000, |rows| rows.parse().unwrap())
}

fn check(test: &str, place: fn() -> Place, books: Books) {
    if let Some(me) = me() {
        return child(&me);
    }
    let place = place();
    let store = place.open();
    bind(&store, books);
    let (lines, took) = storm(test, &place, || {});
    let waits: Vec<(&str, u64)> = lines.iter().filter_map(|line| line.split_once(' ')).map(wait).collect();
    for what in ["heartbeat", "enqueue", "create", "create beside", "rewrite", "look"] {
        let of: Vec<u64> = waits.iter().filter(|(name, _)| *name == what).map(|(_, wait)| *wait).collect();
        let longest = Duration::from_micros(*of.iter().max().unwrap());
        println!("{test}: {} × {what}, the longest took {longest:.1?}", of.len());
        assert!(longest < LONGEST, "{what} waited {longest:?} while {} rows were imported", rows());
    }
    println!("{test}: {} rows created, then changed, in {took:.1?}", rows());
}

fn wait<'l>((wait, what): (&'l str, &'l str)) -> (&'l str, u64) {
    (what, wait.parse().unwrap())
}

/// What is kept of an entry beside itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Books {
    Plain,
    /// A unique value, a key that changes now and then, and references within the table.
    Keyed,
}

pub(crate) fn bind(store: &Store, books: Books) {
    let mut definition = json!({"type": "object", "properties": {"title": {"type": "string", "x-search": true},
        "edition": {"type": "integer"}, "note": {"type": "string"}, "isbn": {"type": "string"}, "shelf": {"type": "integer"},
        "sequel": {"type": "string"}}});
    if books == Books::Keyed {
        let fields = &mut definition["properties"];
        fields["isbn"]["x-unique"] = true.into();
        fields["shelf"]["x-index"] = true.into();
        fields["sequel"]["x-ref"] = json!({"table": "books", "strict": true});
    }
    let definition = Json::from_value(&definition).unwrap();
    store.presets().create(&CreatePreset::new("books", PresetKind::Custom, definition)).unwrap();
    for table in ["books", "others"] {
        let bind = BindPreset { table: table.into(), address: "books".into(), ..BindPreset::default() };
        store.presets().bind(&bind).unwrap();
    }
}

pub(crate) fn row(number: u64, edition: u64) -> Value {
    let title = format!("The book of the number {number}, in the edition of that year");
    let moved = if number.is_multiple_of(50) { edition } else { 0 };
    json!({ "id": format!("r{number:07}"), "title": title, "edition": edition, "isbn": isbn(number),
        "shelf": number % 97 + moved, "sequel": format!("r{:07}", number / 4 * 4) })
}

/// In no order.
fn isbn(number: u64) -> String {
    format!("{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

pub(crate) fn import(store: &Store, edition: u64) -> sprongus::aux_store::BulkReport {
    let items = (0..rows()).map(|number| Ok(row(number, edition)));
    store.aux("p", "books").bulk_upsert(items, BulkOptions::default(), &mut |_, _| Ok(())).unwrap()
}

fn child(me: &Me) {
    me.begin();
    let mut journal = me.journal(0);
    if me.number == 0 {
        // The others have begun.
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(import(&me.store, 1).created, rows());
        assert_eq!(import(&me.store, 2).updated, rows());
        std::fs::write(me.file("over"), "").unwrap();
        return;
    }
    let (what, mut work) = work(me);
    while !me.file("over").exists() {
        let begun = Instant::now();
        work();
        journal.line(&format!("{} {what}", begun.elapsed().as_micros()));
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What a process does meanwhile, again and again.
fn work(me: &Me) -> (&'static str, Box<dyn FnMut() + '_>) {
    let (runs, number) = (me.store.runs(), me.number);
    let mut count = 0;
    let mut id = move |prefix: &str| {
        count += 1;
        format!("{prefix}{number}-{count}")
    };
    match number {
        1 | 2 => {
            let kind = format!("held {number}");
            runs.enqueue(&Enqueue::new(&kind, Json::null())).unwrap();
            let claim = Claim { kinds: Some(vec![kind]), ..Claim::new("w") };
            let run = runs.claim_next(&claim).unwrap().remove(0);
            (
                "heartbeat",
                Box::new(move || drop(me.store.runs().heartbeat(&Heartbeat::new(&run.id, run.lease)).unwrap())),
            )
        }
        3 => ("enqueue", Box::new(move || drop(runs.enqueue(&Enqueue::new("k", Json::null())).unwrap()))),
        4 => {
            let books = me.store.aux("p", "books");
            ("create", Box::new(move || drop(books.create(json!({"title": "new"}), Some(&id("x"))).unwrap())))
        }
        5 => {
            let others = me.store.aux("p", "others");
            ("create beside", Box::new(move || drop(others.create(json!({"title": "new"}), Some(&id("x"))).unwrap())))
        }
        // An entry that the import has never heard of is written over and over, and deleted now and then.
        6 => {
            let books = me.store.aux("p", "books");
            let mut turn = 0;
            let rewrite = move || {
                turn += 1;
                match turn % 20 {
                    0 => drop(books.delete("own", OnReferenced::default()).unwrap()),
                    _ => drop(books.upsert(json!({"edition": turn}), Some("own"), true).unwrap()),
                }
            };
            ("rewrite", Box::new(rewrite))
        }
        _ => ("look", Box::new(|| look(&me.store))),
    }
}

/// The first row, the last and one between are there together, and of one edition.
pub(crate) fn look(store: &Store) {
    let ids: Vec<Value> = [0, rows() / 2, rows() - 1].map(|number| row(number, 0)["id"].clone()).into();
    let query = ListQuery { filter: Some(json!({ "id": { "in": ids } })), ..ListQuery::default() };
    let found = store.aux("p", "books").list(&query).unwrap().items;
    let editions: Vec<Value> = found.iter().map(|entry| entry.payload.to_value()["edition"].clone()).collect();
    assert!(
        editions.is_empty() || (editions.len() == 3 && editions.windows(2).all(|two| two[0] == two[1])),
        "{editions:?}"
    );
    let by_isbn = ListQuery { filter: Some(json!({ "isbn": isbn(rows() / 2) })), ..ListQuery::default() };
    let there = store.aux("p", "books").list(&by_isbn).unwrap().items;
    assert!(there.len() <= 1 && there.len() * 3 >= editions.len(), "{there:?}");
}
