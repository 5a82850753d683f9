//! A search with the pre-filter reads no whole table: terms are looked up by their trigrams, what is not folded in yet by its
//! marks, and entries by their ids.

use serde_json::json;
use sprongus::aux_store::{Aux, BulkOptions, ListQuery, UpdateOptions};
use sprongus::presets::{BindPreset, CreatePreset, PresetKind};
use sprongus::{Dialect, Executor, Json, LentPostgres, LentSqlite, Options, Store, Tx};
use sprongus_testkit::{Postgres, temp_file};

use crate::explain::{Explaining, Plans};
use crate::ground::analyze;

/// Entries that are folded in by the store itself, and those that are added as it would.
const FOLDED: u64 = 600;
const ADDED: u64 = 30_000;

fn pieces(store: &Store) -> Aux<'_> {
    let definition = r#"{"fields": [{"name": "title", "type": "string", "search": true}]}"#;
    let definition = Json::parse(definition).unwrap();
    store.presets().create(&CreatePreset::new("piece", PresetKind::Custom, definition)).unwrap();
    let pieces = BindPreset { table: "pieces".into(), address: "piece".into(), ..BindPreset::default() };
    store.presets().bind(&pieces).unwrap();
    store.aux("p", "pieces")
}

/// A table whose texts are folded in but for the last ones, and one of another project.
fn seed(store: &Store, analyzed: bool) {
    let pieces = pieces(store);
    for aux in [&pieces, &store.aux("q", "pieces")] {
        let rows = (0..FOLDED).map(|n| Ok(json!({ "id": format!("p{n}"), "title": format!("a piece {n}") })));
        aux.bulk_upsert(rows, BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
        while !is_filled(store, aux.project()) {
            aux.count(Some("folded in by and by"), None).unwrap();
        }
    }
    let rows = match store.backend() {
        Dialect::Sqlite => format!("WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {ADDED})"),
        Dialect::Postgres => format!("WITH n AS (SELECT generate_series(1, {ADDED}) AS n)"),
    };
    let of_p = "(SELECT number FROM sprongus_search_tables WHERE project_id = 'p')";
    let text = "'a study over the old harbour at dusk, number ' || (n * 7919) || ' of many, restored'";
    let mut statements = vec![format!(
        "INSERT INTO sprongus_aux_entries (project_id, table_name, id, payload, hash, search_text, version, last_updated, actor) \
         {rows} SELECT 'p', 'pieces', 's' || n, e.payload, e.hash, substr(e.search_text, 1, 9) || {text}, 1, e.last_updated, 'ann' \
         FROM n, sprongus_aux_entries e WHERE e.project_id = 'p' AND e.id = 'p7'"
    )];
    match store.backend() {
        Dialect::Sqlite => {
            let number = format!("{of_p} * 4294967296 + 100000 + n");
            statements.push(format!(
                "INSERT INTO sprongus_search_texts (number, table_number, entry_id) {rows} SELECT {number}, {of_p}, 's' || n FROM n"
            ));
            statements.push(format!("INSERT INTO sprongus_search (rowid, text) {rows} SELECT {number}, {text} FROM n"));
        }
        Dialect::Postgres => statements.push(format!(
            "INSERT INTO sprongus_search_texts (table_number, entry_id, text) {rows} SELECT {of_p}, 's' || n, {text} FROM n"
        )),
    }
    if analyzed {
        statements.push(analyze(store.backend()).to_owned());
    }
    store.transaction(|tx| statements.iter().try_for_each(|sql| tx.execute(sql, &[]).map(drop))).unwrap();
    pieces.update("p3", json!({ "title": "rarely seen" }), UpdateOptions::default()).unwrap();
}

fn is_filled(store: &Store, project: &str) -> bool {
    let sql = "SELECT 1 FROM sprongus_search_tables WHERE project_id = $1 AND filled_to IS NULL";
    !store.query(sql, &[project.into()]).unwrap().is_empty()
}

/// Each search, and how many entries it finds.
fn explained(inner: impl Executor, walks: impl Fn(&str) -> bool, looks_up: &str) {
    let plans = Plans::default();
    let explaining = Explaining { inner, plans: plans.clone(), about: "sprongus_" };
    let tx = Tx::attach(explaining, Options::default()).unwrap();
    let aux = tx.aux("p", "pieces");
    for (q, hits) in [("RARELY", 1), ("number 55433 of", 1), ("no such term", 0), ("piece 59", 11)] {
        for sort in ["id", "-lastUpdated", "-title"] {
            plans.lock().unwrap().clear();
            let query = ListQuery { q: Some(q.into()), sort: vec![sort.into()], ..ListQuery::default() };
            assert_eq!(aux.list(&query).unwrap().len(), hits, "{q} by {sort}");
            assert_eq!(aux.count(Some(q), None).unwrap(), hits as u64, "{q}");
            let plans = plans.lock().unwrap();
            for (sql, plan) in plans.iter() {
                assert!(!plan.iter().any(|line| walks(line)), "walks: {sql}\n{}", plan.join("\n"));
            }
            let asked = plans.iter().filter(|(_, plan)| plan.iter().any(|line| line.contains(looks_up)));
            assert_eq!(asked.count(), 2, "the list and the count ask the pre-filter");
        }
    }
}

#[test]
fn sqlite_searches_by_trigrams() {
    for analyze in [true, false] {
        let (_folder, file) = temp_file("search.db");
        seed(&Store::open(file.to_str().unwrap(), Options::default()).unwrap(), analyze);
        let mut host = rusqlite::Connection::open(&file).unwrap();
        let own = host.transaction().unwrap();
        // Ids that are given are walked, and rows that a statement made itself.
        let given = |line: &str| {
            ["json_each", "CONSTANT ROW", "f VIRTUAL", "best", "t"].iter().any(|given| line[5..].starts_with(given))
        };
        let walks = |line: &str| line.starts_with("SCAN") && !given(line);
        explained(LentSqlite::new(&own).unwrap(), walks, "SCAN f VIRTUAL TABLE INDEX");
    }
}

#[test]
fn postgres_searches_by_trigrams() {
    for analyze in [true, false] {
        let url = Postgres::shared().create_database(&format!("plans_search_{}_{analyze}", std::process::id()));
        let mut host = postgres::Client::connect(&url, postgres::NoTls).unwrap();
        host.batch_execute("CREATE EXTENSION pg_trgm").unwrap();
        seed(&Store::open(&url, Options::default()).unwrap(), analyze);
        let mut own = host.transaction().unwrap();
        let large = ["sprongus_aux_entries", "sprongus_search_texts"];
        let walks = move |line: &str| large.iter().any(|table| line.contains(&format!("Seq Scan on {table}")));
        explained(LentPostgres::new(&mut own), walks, "Bitmap Index Scan on sprongus_search_trigrams");
    }
}
