//! Bulk writes and reads by id look up what they name: no statement compares every row with every entry, also on tables
//! of which PostgreSQL has no statistics yet.

use serde_json::{Value as JsonValue, json};
use sprongus::aux_store::{BulkOptions, ListQuery, Mode, OnError, OnReferenced, UpdateOptions};
use sprongus::presets::{BindPreset, CreatePreset, PresetKind};
use sprongus::{Dialect, Executor, Json, LentPostgres, LentSqlite, Options, Result, Store, Tx};
use sprongus_testkit::temp_file;

use crate::explain::{Explaining, Plans};
use crate::ground::migrated;

const PIECES: u64 = 2_000;

/// A piece that has a unique code, an indexed year and the piece it is a copy of.
fn piece(number: u64, title: &str) -> Result<JsonValue> {
    Ok(json!({ "id": format!("p{number}"), "title": title, "code": number, "year": 1900 + number % 100,
        "copyOf": format!("p{}", number / 2) }))
}

fn bind(store: &Store) {
    let definition = r#"{"fields": [
        {"name": "title", "type": "string", "search": true}, {"name": "code", "type": "integer", "unique": true},
        {"name": "year", "type": "integer", "index": true},
        {"name": "copyOf", "type": "ref", "table": "pieces", "strict": true}]}"#;
    let definition = Json::parse(definition).unwrap();
    store.presets().create(&CreatePreset::new("piece", PresetKind::Custom, definition)).unwrap();
    let pieces = BindPreset { table: "pieces".into(), address: "piece".into(), ..BindPreset::default() };
    store.presets().bind(&pieces).unwrap();
}

/// Every way of writing and finding many entries, with bad rows among them.
fn work(tx: &Tx<'_>) {
    let pieces = tx.aux("p", "pieces");
    let quiet = &mut |_, _| Ok(());
    let created = pieces.bulk_upsert((0..PIECES).map(|n| piece(n, "a piece")), BulkOptions::default(), quiet).unwrap();
    assert_eq!(created.created, PIECES);

    let title = |n: u64| if n.is_multiple_of(2) { "a piece" } else { "another" };
    let bad = [Ok(json!({ "id": "x", "code": 1, "copyOf": "p1" })), Ok(json!({ "id": "y", "copyOf": "nothing" }))];
    let options = BulkOptions { on_error: OnError::Report, ..BulkOptions::default() };
    let merged = pieces.bulk_upsert((0..PIECES).map(|n| piece(n, title(n))).chain(bad), options, quiet).unwrap();
    assert_eq!((merged.updated, merged.unchanged, merged.errors.len()), (PIECES / 2, PIECES / 2, 2));

    let options = BulkOptions { mode: Mode::Replace, ..options };
    let replaced = pieces.import_items((0..PIECES / 2).map(|n| piece(n, "a piece")), options, quiet).unwrap();
    assert_eq!((replaced.deleted, replaced.updated), (PIECES / 2, PIECES / 4));

    let newest = ListQuery { sort: vec!["-lastUpdated".into()], ..ListQuery::default() };
    assert_eq!(pieces.list(&newest).unwrap().items.len(), 50);
    let some: Vec<String> = (0..500).map(|n| format!("p{}", n * 3)).collect();
    let filter = Some(json!({ "id": { "in": some } }));
    assert_eq!(pieces.list(&ListQuery { filter, limit: 1_000, ..ListQuery::default() }).unwrap().items.len(), 334);
    pieces.update("p7", json!({ "copyOf": "p9" }), UpdateOptions::default()).unwrap();
    assert_eq!(pieces.delete("p3", OnReferenced::Unlink).unwrap().len(), 1);
}

fn explained(inner: impl Executor, walks: impl Fn(&[String]) -> bool) {
    let plans = Plans::default();
    let explaining = Explaining { inner, plans: plans.clone(), about: "sprongus_aux_" };
    work(&Tx::attach(explaining, Options::default()).unwrap());
    let plans = plans.lock().unwrap();
    assert!(plans.len() > 30, "every statement was explained");
    for (sql, lines) in plans.iter() {
        assert!(!walks(lines), "compares all with all: {sql}\n{}", lines.join("\n"));
    }
}

/// One entry's keys are found by its id, not among all keys of the table.
#[test]
fn sqlite_finds_the_keys_of_an_entry() {
    let (_folder, file) = temp_file("plans.db");
    let store = Store::open(file.to_str().unwrap(), Options::default()).unwrap();
    bind(&store);
    store.aux("p", "pieces").create(json!({"code": 1, "year": 1900}), Some("p1")).unwrap();
    drop(store);
    let mut host = rusqlite::Connection::open(&file).unwrap();
    let own = host.transaction().unwrap();
    let plans = Plans::default();
    let inner = LentSqlite::new(&own).unwrap();
    let tx =
        Tx::attach(Explaining { inner, plans: plans.clone(), about: "sprongus_aux_keys" }, Options::default()).unwrap();
    let pieces = tx.aux("p", "pieces");
    pieces.update("p1", json!({ "year": 1901 }), UpdateOptions::default()).unwrap();
    pieces.bulk_upsert([Ok(json!({ "id": "p1", "year": 1902 }))], BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
    pieces.delete("p1", OnReferenced::default()).unwrap();
    let plans = plans.lock().unwrap();
    let deletions: Vec<_> = plans.iter().filter(|(sql, _)| sql.starts_with("DELETE")).collect();
    assert_eq!(deletions.len(), 3, "of an entry, of those in a batch, and of one that is deleted: {deletions:?}");
    for (sql, lines) in deletions {
        let by_id = lines.iter().any(|line| line.contains("USING INDEX sprongus_aux_keys_entry (entry_id=?)"));
        assert!(by_id, "{sql}\n{}", lines.join("\n"));
    }
}

#[test]
fn sqlite_looks_up_what_is_named() {
    let (_folder, file) = temp_file("plans.db");
    bind(&Store::open(file.to_str().unwrap(), Options::default()).unwrap());
    let mut host = rusqlite::Connection::open(&file).unwrap();
    let own = host.transaction().unwrap();
    // The rows given are walked; `s`, `k` and what is named `sprongus_stage…` are they. A constant row is no table's.
    let given = ["s", "k", "t", "json_each", "sprongus_stage", "CONSTANT"];
    let stored = |line: &String| {
        line.strip_prefix("SCAN ").is_some_and(|what| !given.iter().any(|given| what.split(' ').next() == Some(given)))
    };
    explained(LentSqlite::new(&own).unwrap(), |plan| plan.iter().any(stored));
}

#[test]
fn postgres_looks_up_what_is_named_without_statistics() {
    let mut host = migrated("plans_aux", bind);
    for table in ["entries", "keys", "refs", "versions"] {
        host.batch_execute(&format!("ALTER TABLE sprongus_aux_{table} SET (autovacuum_enabled = false)")).unwrap();
    }
    // What is not committed is not analyzed.
    let mut own = host.transaction().unwrap();
    let lent = LentPostgres::new(&mut own);
    assert_eq!(lent.dialect(), Dialect::Postgres);
    // But with the few refused rows, whose number it knows.
    let joins = |line: &str| line.contains("Join Filter: ") && line.contains(" = ") && !line.contains("refused");
    // With the time before the id, this index finds no id: it is for walks.
    let searches = |plan: &[String]| {
        plan.windows(2).any(|two| two[0].contains("sprongus_aux_entries_updated") && two[1].contains("(id = "))
    };
    explained(lent, |plan| {
        searches(plan) || plan.iter().any(|line| joins(line) || line.contains("Seq Scan on sprongus_aux_"))
    });
}
