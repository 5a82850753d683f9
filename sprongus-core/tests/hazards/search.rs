//! The pre-filter of searches is killed while it is filled, refused by roles and by a host's SQLite, copied: what a search
//! finds stays the same.

use std::time::Duration;

use serde_json::json;
use sprongus::aux_store::{Aux, BulkOptions, ListQuery, UpdateOptions};
use sprongus::presets::{BindPreset, CreatePreset, PresetKind};
use sprongus::{
    Dialect, Error, ErrorCode, Executor, Json, LentPostgres, LentSqlite, Options, Result, Row, Store, Tx, Value,
};
use sprongus_testkit::{Postgres, temp_file};

use crate::child;

const PIECES: u64 = 2_500;
/// More than are folded in between two looks at them.
const MANY: u64 = 4 * PIECES;

fn pieces(store: &Store) -> Aux<'_> {
    so_many_pieces(store, PIECES)
}

fn so_many_pieces(store: &Store, count: u64) -> Aux<'_> {
    let definition = r#"{"fields": [{"name": "title", "type": "string", "search": true}]}"#;
    let definition = Json::parse(definition).unwrap();
    store.presets().create(&CreatePreset::new("piece", PresetKind::Custom, definition)).unwrap();
    let bound = BindPreset { table: "pieces".into(), address: "piece".into(), ..BindPreset::default() };
    store.presets().bind(&bound).unwrap();
    let rows = (0..count).map(|n| {
        let title = format!("piece {n} of the long wall, seen from {}", if n % 500 == 7 { "nowhere" } else { "here" });
        Ok(json!({ "id": format!("p{n:05}"), "title": title }))
    });
    let aux = store.aux("p", "pieces");
    aux.bulk_upsert(rows, BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
    aux
}

fn found(aux: &Aux<'_>, q: &str) -> usize {
    let listed = aux.list(&ListQuery { q: Some(q.into()), limit: 1_000, ..ListQuery::default() }).unwrap().len();
    assert_eq!(aux.count(Some(q), None).unwrap() as usize, listed, "{q}");
    listed
}

/// What every search of these entries finds.
fn check(aux: &Aux<'_>) {
    check_hits(aux, [("NOWHERE", 5), ("piece 1234 ", 1), ("piece 77", 11), ("from nowhere else", 0)]);
}

fn check_many(aux: &Aux<'_>) {
    check_hits(aux, [("NOWHERE", 20), ("piece 1234 ", 1), ("piece 77", 111), ("from nowhere else", 0)]);
}

fn check_hits(aux: &Aux<'_>, expected: [(&str, usize); 4]) {
    for (q, hits) in expected {
        assert_eq!(found(aux, q), hits, "{q}");
    }
}

fn number(store: &Store, sql: &str) -> i64 {
    match store.query(sql, &[]).unwrap()[0].values()[0] {
        Value::Int(number) => number,
        ref other => panic!("{other:?}"),
    }
}

fn texts(store: &Store) -> i64 {
    number(store, "SELECT count(*) FROM sprongus_search_texts")
}

fn fill(store: &Store, aux: &Aux<'_>) {
    while number(store, "SELECT count(*) FROM sprongus_search_tables WHERE filled_to IS NULL") == 0 {
        found(aux, "nowhere");
    }
}

/// What SQLite says of a file, the full-text table included.
fn verdict(file: &std::path::Path) -> String {
    let host = rusqlite::Connection::open(file).unwrap();
    host.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

/// A database that has pg_trgm.
fn with_trigrams(name: &str) -> String {
    let url = Postgres::shared().create_database(&format!("{name}_{}", std::process::id()));
    let mut host = postgres::Client::connect(&url, postgres::NoTls).unwrap();
    host.batch_execute("CREATE EXTENSION pg_trgm").unwrap();
    url
}

/// In a child: searches, and with that fills, until it is killed.
#[test]
fn fills_until_killed() {
    let Some(url) = child::told() else { return };
    let store = Store::open(&url, Options::default()).unwrap();
    let aux = store.aux("p", "pieces");
    loop {
        assert_eq!(aux.count(Some("nowhere"), None).unwrap(), 20);
    }
}

fn killed_while_filling(url: &str) {
    let store = Store::open(url, Options::default()).unwrap();
    let aux = so_many_pieces(&store, MANY);
    let mut in_between = 0;
    for round in 0..12 {
        let mut fillers: Vec<_> = (0..2)
            .map(|_| child::command("search::fills_until_killed", url, "").stdout(std::process::Stdio::null()).spawn())
            .map(|filler| filler.unwrap())
            .collect();
        let before = texts(&store);
        while texts(&store) == before && before < MANY as i64 {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(round * 3));
        for filler in &mut fillers {
            filler.kill().unwrap();
            filler.wait().unwrap();
        }
        let folded = texts(&store);
        in_between += usize::from(folded > 0 && folded < MANY as i64);
        let reader = Store::open(url, Options { read_only: true, ..Options::default() }).unwrap();
        check_many(&reader.aux("p", "pieces"));
        if folded == MANY as i64 {
            break;
        }
    }
    assert!(in_between > 0, "killed while it was filled");
    fill(&store, &aux);
    check_many(&aux);
    assert_eq!(texts(&store), MANY as i64, "each entry is folded in once");
}

#[test]
fn a_kill_while_texts_are_folded_in_loses_none_sqlite() {
    let (_folder, file) = temp_file("killed.db");
    killed_while_filling(file.to_str().unwrap());
    assert_eq!(verdict(&file), "ok");
}

#[test]
fn a_kill_while_texts_are_folded_in_loses_none_postgres() {
    killed_while_filling(&with_trigrams("killed"));
}

#[test]
fn a_snapshot_is_searched_as_its_original_is() {
    let (folder, file) = temp_file("original.db");
    let store = Store::open(file.to_str().unwrap(), Options::default()).unwrap();
    let aux = pieces(&store);
    fill(&store, &aux);
    aux.update("p00001", json!({ "title": "nowhere at all" }), UpdateOptions::default()).unwrap();
    let copy = folder.path().join("copy.db");
    store.snapshot(&copy).unwrap();
    for file in [&file, &copy] {
        let store = Store::open(file.to_str().unwrap(), Options::default()).unwrap();
        assert_eq!(found(&store.aux("p", "pieces"), "nowhere"), 6);
        assert_eq!(texts(&store), PIECES as i64);
        assert_eq!(verdict(file), "ok");
        let report = store.doctor().unwrap();
        assert!(report.ok, "{report:?}");
    }
}

/// A host's SQLite that lacks FTS5.
struct Without<E> {
    inner: E,
    refused: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl<E: Executor> Without<E> {
    fn check(&self, sql: &str) -> Result<()> {
        if sql.contains("sprongus_search f") || sql.contains("fts5") {
            self.refused.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            return Err(Error::new(ErrorCode::Storage, "no such module: fts5"));
        }
        Ok(())
    }
}

impl<E: Executor> Executor for Without<E> {
    fn dialect(&self) -> Dialect {
        self.inner.dialect()
    }

    fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        self.check(sql)?;
        self.inner.execute(sql, params)
    }

    fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        self.check(sql)?;
        self.inner.query(sql, params)
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        self.check(sql)?;
        self.inner.batch(sql)
    }
}

#[test]
fn a_sqlite_without_fts5_finds_the_same() {
    let (_folder, file) = temp_file("lent.db");
    let store = Store::open(file.to_str().unwrap(), Options::default()).unwrap();
    let aux = pieces(&store);
    fill(&store, &aux);
    let mut host = rusqlite::Connection::open(&file).unwrap();
    let own = host.transaction().unwrap();
    let refused = std::sync::Arc::default();
    let lent = Without { inner: LentSqlite::new(&own).unwrap(), refused: std::sync::Arc::clone(&refused) };
    let tx = Tx::attach(lent, Options::default()).unwrap();
    let lent = tx.aux("p", "pieces");
    check(&lent);
    lent.update("p00001", json!({ "title": "nowhere at all" }), UpdateOptions::default()).unwrap();
    assert_eq!(found(&lent, "nowhere"), 6);
    assert!(refused.load(std::sync::atomic::Ordering::Relaxed) >= 10, "it was asked for");
    drop(tx);
    own.commit().unwrap();
    // What was written there is found by those who have it.
    assert_eq!(found(&aux, "nowhere"), 6);
}

#[test]
fn a_role_without_rights_searches_too() {
    let url = with_trigrams("roles");
    let store = Store::open(&url, Options::default()).unwrap();
    let aux = pieces(&store);
    store
        .transaction(|tx| {
            // Roles are the server's: others may run this test too.
            let role = "DO $$ BEGIN CREATE ROLE sprongus_searcher LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";
            tx.execute(role, &[])?;
            tx.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC", &[])?;
            tx.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO sprongus_searcher", &[])?;
            tx.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO sprongus_searcher", &[])
        })
        .unwrap();
    let as_role = url.replace("user=postgres", "user=sprongus_searcher");
    assert_ne!(as_role, url);
    let other = Store::open(&as_role, Options::default()).unwrap();
    let searched = other.aux("p", "pieces");
    let before = number(&store, "SELECT count(*) FROM pg_indexes WHERE indexname = 'sprongus_search_trigrams'");
    check(&searched);
    check(&searched);
    if before == 0 {
        assert_eq!(texts(&store), 0, "it may not make the index");
    }
    fill(&store, &aux);
    check(&searched);
    searched.update("p00001", json!({ "title": "nowhere at all" }), UpdateOptions::default()).unwrap();
    assert_eq!(found(&aux, "nowhere"), 6);
    // Not even to read what the pre-filter is made of.
    store.execute("REVOKE ALL ON sprongus_search_texts FROM sprongus_searcher", &[]).unwrap();
    assert_eq!(found(&searched, "nowhere"), 6);
}

#[test]
fn a_transaction_older_than_the_prefilter_marks_what_it_writes() {
    let url = with_trigrams("older");
    let store = Store::open(&url, Options::default()).unwrap();
    let mut host = postgres::Client::connect(&url, postgres::NoTls).unwrap();
    let options = Options::default();
    let definition = Json::parse(r#"{"fields": [{"name": "title", "type": "string"}]}"#).unwrap();
    store.presets().create(&CreatePreset::new("piece", PresetKind::Custom, definition)).unwrap();
    let bound = BindPreset { table: "pieces".into(), address: "piece".into(), ..BindPreset::default() };
    store.presets().bind(&bound).unwrap();
    let aux = store.aux("p", "pieces");
    let rows = (0..600).map(|n| Ok(json!({ "id": format!("p{n:05}"), "title": format!("a piece {n}") })));
    aux.bulk_upsert(rows, BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
    assert_eq!(number(&store, "SELECT count(*) FROM sprongus_search_tables"), 0);

    let mut own = host.build_transaction().isolation_level(postgres::IsolationLevel::RepeatableRead).start().unwrap();
    own.query("SELECT count(*) FROM sprongus_runs", &[]).unwrap();
    fill(&store, &aux);
    let tx = Tx::attach(LentPostgres::new(&mut own), options).unwrap();
    tx.aux("p", "pieces").create(json!({ "title": "nowhere" }), Some("new")).unwrap();
    drop(tx);
    own.commit().unwrap();
    assert_eq!(found(&aux, "nowhere"), 1);
}

#[test]
fn a_search_waits_for_no_writer() {
    let (_folder, file) = temp_file("busy.db");
    let store = Store::open(file.to_str().unwrap(), Options::default()).unwrap();
    let aux = pieces(&store);
    let before = texts(&store);
    let mut host = rusqlite::Connection::open(&file).unwrap();
    let writer = host.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    let start = std::time::Instant::now();
    check(&aux);
    assert!(start.elapsed() < Duration::from_secs(4), "the writer's lock is not waited for: {:?}", start.elapsed());
    assert_eq!(texts(&store), before);
    drop(writer);
    fill(&store, &aux);
    check(&aux);
}
