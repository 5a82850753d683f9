//! Pages of entries by kept keys: a page costs what it holds and what its filter means, not what the table holds, whatever
//! plan PostgreSQL makes.

use serde_json::{Value as JsonValue, json};
use sprongus::aux_store::{BulkOptions, ListQuery};
use sprongus::presets::{BindPreset, CreatePreset, PresetKind};
use sprongus::{Dialect, Executor, Json, LentPostgres, LentSqlite, Options, Result, Row, Store, Tx, Value};
use sprongus_testkit::{Postgres, temp_file};

use crate::explain::{Explaining, Plans};

const ENTRIES: u64 = 20_000;

fn item(n: u64) -> Result<JsonValue> {
    let mut item = json!({
        "id": format!("e{n:05}"), "number": n, "code": n % 100, "year": 1900 + n % 100, "kind": format!("k{}", n % 7),
        "width": (n * 7_919) % 1_000, "title": format!("t{:05}", (n * 7_919) % ENTRIES), "note": "x".repeat(400),
    });
    if n.is_multiple_of(3) {
        item["sometimes"] = json!(n % 50);
    }
    Ok(item)
}

fn fill(store: &Store) {
    let definition = json!({
        "type": "object", "properties": {"number": {"x-unique": true}},
        "x-index": [["code"], ["year"], ["title"], ["kind", "width"], ["sometimes"]],
    });
    let definition = Json::from_value(&definition).unwrap();
    store.presets().create(&CreatePreset::new("item", PresetKind::Custom, definition)).unwrap();
    let bound = BindPreset { table: "items".into(), address: "item".into(), ..BindPreset::default() };
    store.presets().bind(&bound).unwrap();
    let items = (0..ENTRIES).map(item);
    store.aux("p", "items").bulk_upsert(items, BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
}

/// What is asked: a filter, an order, and how many entries a page of 50 then holds.
fn asked() -> Vec<(JsonValue, &'static [&'static str], usize)> {
    vec![
        (json!({}), &["title"], 50),
        (json!({}), &["-title"], 50),
        (json!({}), &["sometimes"], 50),
        (json!({}), &["-sometimes"], 50),
        (json!({"kind": "k3"}), &["width"], 50),
        (json!({"kind": "k3"}), &["-width"], 50),
        (json!({"kind": "k3", "width": {"gte": 100, "lt": 200}}), &["-width"], 50),
        (json!({"year": {"gte": 1950}}), &["year"], 50),
        (json!({"year": {"gte": 1950}}), &["title"], 50),
        (json!({"year": {"gte": 1950}, "kind": "k1"}), &["-title"], 50),
        (json!({"code": 7}), &[], 50),
        (json!({"code": 7}), &["title"], 50),
        (json!({"code": {"in": [1, 2, 3]}}), &["-title"], 50),
        (json!({"year": {"in": [1910, 1920, 1930, 1940, 1950, 1960]}}), &["title"], 50),
        (json!({"year": {"in": [1910, 1920, 1930, 1940, 1950, 1960]}}), &["-title"], 50),
        (json!({"title": {"starts_with": "t000"}}), &["title"], 50),
        (json!({"number": 17}), &[], 1),
        (json!({"number": {"in": [17, 18, 40_000]}}), &["-title"], 2),
        (json!({"code": 7, "note": {"icontains": "X"}}), &["-width"], 50),
    ]
}

/// Asks for a page and, where there is one, for the next one.
fn ask(tx: &Tx<'_>, (filter, sort, holds): &(JsonValue, &[&str], usize)) {
    let sort = sort.iter().map(|field| (*field).to_owned()).collect();
    let mut query = ListQuery { filter: Some(filter.clone()), sort, ..ListQuery::default() };
    let items = tx.aux("p", "items");
    let page = items.list(&query).unwrap();
    assert_eq!(page.len(), *holds, "{filter}");
    query.cursor.clone_from(&page.next_cursor);
    if query.cursor.is_some() {
        assert_eq!(items.list(&query).unwrap().len(), 50, "{filter}, by cursor");
    }
}

fn bytes_read() -> u64 {
    let counts = std::fs::read_to_string("/proc/thread-self/io").expect("the kernel counts what a thread reads");
    let line = counts.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap();
    line.parse().unwrap()
}

#[test]
fn sqlite_reads_what_a_page_by_keys_is_about() {
    let (_folder, file) = temp_file("queries.db");
    fill(&Store::open(file.to_str().unwrap(), Options::default()).unwrap());
    let whole = std::fs::metadata(&file).unwrap().len() / 4096;
    let mut host = rusqlite::Connection::open(&file).unwrap();
    for one in asked() {
        let own = host.transaction().unwrap();
        let plans = Plans::default();
        let explaining =
            Explaining { inner: LentSqlite::new(&own).unwrap(), plans: plans.clone(), about: "sprongus_aux_" };
        let tx = Tx::attach(explaining, Options::default()).unwrap();
        ask(&tx, &one);
        let plans = plans.lock().unwrap();
        assert!(plans.iter().any(|(sql, _)| sql.contains("kept")), "{} {:?} goes by keys", one.0, one.1);
        for (sql, plan) in plans.iter() {
            let given = ["keyed", "counted", "named", "json_each", "span", "CONSTANT"];
            let walks = |line: &String| {
                let what = line.strip_prefix("SCAN ").unwrap_or_default();
                !what.is_empty() && !what.contains("VALUES") && !given.iter().any(|given| what.starts_with(given))
            };
            assert!(!plan.iter().any(walks), "{} {:?}: {sql}\n{}", one.0, one.1, plan.join("\n"));
        }
        drop(tx);
    }
    for one in asked() {
        // A fresh connection, whose cache holds the schema alone.
        let mut host = rusqlite::Connection::open(&file).unwrap();
        host.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).unwrap();
        let own = host.transaction().unwrap();
        let tx = Tx::attach(LentSqlite::new(&own).unwrap(), Options::default()).unwrap();
        let before = bytes_read();
        ask(&tx, &one);
        let pages = (bytes_read() - before) / 4096;
        println!("{} {:?}: {pages} of {whole} pages", one.0, one.1);
        assert!(pages < 2_500, "{} {:?}: {pages} of {whole} pages", one.0, one.1);
    }
}

#[test]
fn postgres_reads_what_a_page_by_keys_is_about_by_any_plan() {
    let url = Postgres::shared().url();
    let schema = format!("queries_{}", std::process::id());
    fill(&Store::open(url, Options { schema: Some(schema.clone()), ..Options::default() }).unwrap());
    let mut host = postgres::Client::connect(url, postgres::NoTls).unwrap();
    host.batch_execute(&format!("SET search_path TO {schema}")).unwrap();
    for table in ["entries", "keys"] {
        host.batch_execute(&format!("ALTER TABLE sprongus_aux_{table} SET (autovacuum_enabled = false)")).unwrap();
    }
    for statistics in ["without statistics", "with statistics"] {
        for mode in ["force_generic_plan", "force_custom_plan"] {
            for one in asked() {
                let rows = read(&schema, mode, &one);
                println!("{statistics}, {mode}, {} {:?}: {rows} rows", one.0, one.1);
                // Twice the table alone is more, and its keys are six times as many.
                assert!(rows < 30_000, "{statistics}, {mode}, {} {:?}: {rows} rows", one.0, one.1);
            }
        }
        host.batch_execute("ANALYZE sprongus_aux_entries; ANALYZE sprongus_aux_keys").unwrap();
    }
}

/// The rows of our tables and indexes that the server read for two pages.
fn read(schema: &str, mode: &str, one: &(JsonValue, &[&str], usize)) -> u64 {
    let mut host = postgres::Client::connect(Postgres::shared().url(), postgres::NoTls).unwrap();
    host.batch_execute(&format!("SET search_path TO {schema}; SET plan_cache_mode = {mode}")).unwrap();
    let mut own = host.transaction().unwrap();
    let lent = LentPostgres::new(&mut own);
    assert_eq!(lent.dialect(), Dialect::Postgres);
    let tx = Tx::attach(lent, Options::default()).unwrap();
    let count = || {
        let sql = "SELECT sum(pg_stat_get_xact_tuples_returned(oid))::bigint FROM pg_class \
                   WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'i')";
        let rows: Vec<Row> = tx.query(sql, &[]).unwrap();
        match rows[0].values()[0] {
            Value::Int(rows) => rows.unsigned_abs(),
            ref other => panic!("a count is {other:?}"),
        }
    };
    ask(&tx, one);
    let before = count();
    ask(&tx, one);
    count() - before
}
