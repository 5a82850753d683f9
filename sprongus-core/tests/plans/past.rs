//! The past of an entry is found by its key, a table as it was by a walk along its key, and who refers to an entry by the
//! index of references: with statistics or without.

use serde_json::{Value as JsonValue, json};
use sprongus::aux_store::{BulkOptions, Mode, Moment, OnReferenced, UpdateOptions};
use sprongus::{Dialect, Executor, LentPostgres, LentSqlite, Options, Result, Store, Timestamp, Tx};
use sprongus_testkit::{Postgres, temp_file};

use crate::explain::{Explaining, Plans};
use crate::ground::analyze;

const ROWS: u64 = 3_000;

fn row(number: u64, year: u64) -> Result<JsonValue> {
    Ok(
        json!({ "id": format!("r{number:05}"), "year": year, "assetIds": [format!("a{}", number % 7)], "citationIds": [] }),
    )
}

/// A table whose entries were changed twice, and a third of them deleted: its times are those of one transaction, so the
/// present is what is asked for, and what was before anything.
fn prepare(tx: &Tx<'_>) {
    let (rows, quiet) = (tx.aux("p", "storyboard"), &mut |_, _| Ok(()));
    for year in [1900, 1901, 1902] {
        let report = rows.bulk_upsert((0..ROWS).map(|n| row(n, year)), BulkOptions::default(), quiet).unwrap();
        assert_eq!(report.created + report.updated, ROWS);
    }
    let options = BulkOptions { mode: Mode::Replace, ..BulkOptions::default() };
    let kept = rows.import_items((0..ROWS).filter(|n| n % 3 > 0).map(|n| row(n, 1902)), options, quiet).unwrap();
    assert_eq!(kept.deleted, ROWS / 3);
}

fn ask(tx: &Tx<'_>) {
    let (rows, assets) = (tx.aux("p", "storyboard"), tx.aux("p", "assets"));
    assert_eq!(rows.as_of(Timestamp::MAX).unwrap().len() as u64, ROWS - ROWS / 3);
    assert_eq!(rows.as_of(Timestamp::MIN).unwrap(), []);
    assert_eq!(rows.history("r00003").unwrap().len(), 4);
    assert_eq!(rows.diff("r00004", Moment::Version(1), Some(Moment::At(Timestamp::MAX))).unwrap().len(), 1);
    assert_eq!(rows.restore("r00003", 2).unwrap().version, 5);
    assert_eq!(rows.update("r00003", json!({"year": 1}), UpdateOptions::default()).unwrap().version, 6);
    let referring = (0..ROWS).filter(|n| n % 7 == 5 && n % 3 > 0).count();
    assert_eq!(assets.referrers("a5").unwrap().len(), referring);
    assets.create(json!({}), Some("a5")).unwrap();
    assert_eq!(assets.delete("a5", OnReferenced::Warn).unwrap().len(), referring);
    let some: Vec<String> = (0..250).map(|n| format!("r{n:05}")).collect();
    assert_eq!(rows.resolve_refs(&some).unwrap().iter().filter(|view| view.missing).count(), 83);
}

fn explained(inner: impl Executor, prepare: impl Fn(&Tx<'_>), walks: impl Fn(&[String]) -> bool) {
    let plans = Plans::default();
    let explaining = Explaining { inner, plans: plans.clone(), about: "sprongus_aux_" };
    let tx = Tx::attach(explaining, Options::default()).unwrap();
    prepare(&tx);
    plans.lock().unwrap().clear();
    ask(&tx);
    let plans = plans.lock().unwrap();
    assert!(plans.len() > 20, "every statement was explained");
    for (sql, lines) in plans.iter() {
        assert!(!walks(lines), "reads too much: {sql}\n{}", lines.join("\n"));
    }
}

#[test]
fn sqlite_finds_the_past_by_its_keys() {
    let (_folder, file) = temp_file("plans.db");
    Store::open(file.to_str().unwrap(), Options::default()).unwrap();
    let mut host = rusqlite::Connection::open(&file).unwrap();
    let own = host.transaction().unwrap();
    // What was gathered already is walked: ids that are given, the versions of one entry, a page of the past. Of a view its
    // parts are told as well.
    let gathered = ["json_each", "versions", "present", "past", "then_there", "CONSTANT", "sprongus_aux_seen"];
    let stored = |line: &String| {
        let scanned = line.strip_prefix("SCAN ").or(line.strip_prefix("USE TEMP B-TREE FOR GROUP BY"));
        scanned.is_some_and(|what| !gathered.iter().any(|given| what.split(' ').next() == Some(given)))
    };
    explained(LentSqlite::new(&own).unwrap(), prepare, |plan| plan.iter().any(stored));
}

fn on_postgres(schema: &str, analyzed: bool) {
    let url = Postgres::shared().url();
    let schema = format!("{schema}_{}", std::process::id());
    let store = Store::open(url, Options { schema: Some(schema.clone()), ..Options::default() }).unwrap();
    let mut host = postgres::Client::connect(url, postgres::NoTls).unwrap();
    host.batch_execute(&format!("SET search_path TO {schema}")).unwrap();
    if analyzed {
        store
            .transaction(|tx| {
                prepare(tx);
                Ok(())
            })
            .unwrap();
        host.batch_execute(analyze(Dialect::Postgres)).unwrap();
    }
    let mut own = host.transaction().unwrap();
    let joins = |line: &str| line.contains("Join Filter: ") && line.contains(" = ");
    // Of keys there is one row: which preset they are of.
    let scans = |line: &str| line.contains("Seq Scan on sprongus_aux_") && !line.contains("sprongus_aux_keys");
    let walks = |plan: &[String]| plan.iter().any(|line| joins(line) || scans(line));
    explained(
        LentPostgres::new(&mut own),
        |tx| {
            if !analyzed {
                prepare(tx)
            }
        },
        walks,
    );
}

#[test]
fn postgres_finds_the_past_by_its_keys_without_statistics() {
    on_postgres("plans_past_new", false);
}

#[test]
fn postgres_finds_the_past_by_its_keys_with_statistics() {
    on_postgres("plans_past_known", true);
}
