//! In the middle of a bulk write on SQLite: what others see of its keys and references, and what becomes of rows whose values
//! and targets they take.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use serde_json::{Value as JsonValue, json};
use sprongus::aux_store::{BulkOptions, ListQuery, OnError, OnReferenced};
use sprongus::presets::{BindPreset, CreatePreset, PresetKind};
use sprongus::{ErrorCode, Json, Options, Store, Value};
use sprongus_testkit::temp_file;

const ROWS: u64 = 4_000;
/// Rows that refer to an asset, and within the table.
const REFERENCES: i64 = 3_002;
const TAKEN: u64 = 10;
const BEREFT: u64 = 3_500;
const DEPENDENT: u64 = 3_600;

fn id(number: u64) -> String {
    format!("w{number:05}")
}

fn row(number: u64) -> JsonValue {
    let mut row = json!({ "id": id(number), "sku": format!("s{number}"), "n": number % 7 });
    match number {
        0..3_000 => row["cover"] = json!("many"),
        BEREFT => row["cover"] = json!("one"),
        DEPENDENT => row["parent"] = json!(id(BEREFT)),
        _ => {}
    }
    row
}

fn bind(store: &Store) {
    let works = json!({"type": "object", "properties": {"sku": {"type": "string", "x-unique": true},
        "n": {"type": "integer", "x-index": true}, "cover": {"x-ref": {"table": "assets", "strict": true}},
        "parent": {"x-ref": {"table": "works", "strict": true}}}});
    for (table, definition) in [("works", works), ("assets", json!({ "type": "object" }))] {
        let definition = Json::from_value(&definition).unwrap();
        store.presets().create(&CreatePreset::new(table, PresetKind::Custom, definition)).unwrap();
        store.presets().bind(&BindPreset { table: table.into(), address: table.into(), ..Default::default() }).unwrap();
    }
    for asset in ["many", "one"] {
        store.aux("p", "assets").create(json!({}), Some(asset)).unwrap();
    }
    store.aux("p", "works").create(json!({ "sku": "old", "n": 3 }), Some("old")).unwrap();
}

fn references(store: &Store) -> i64 {
    match store.query("SELECT count(*) FROM sprongus_aux_refs", &[]).unwrap()[0].values() {
        [Value::Int(count)] => *count,
        other => panic!("{other:?}"),
    }
}

fn ids(store: &Store, filter: JsonValue, sort: &str) -> Vec<String> {
    let query = ListQuery { filter: Some(filter), sort: vec![sort.into()], ..ListQuery::default() };
    store.aux("p", "works").list(&query).unwrap().items.into_iter().map(|one| one.id).collect()
}

/// All rows are written, with their keys and references, and nobody is to see that.
fn in_the_middle(store: &Store) {
    let (works, assets) = (store.aux("p", "works"), store.aux("p", "assets"));
    for sort in ["n", "-n", "sku", "-sku", "id"] {
        assert_eq!(ids(store, json!({}), sort), ["old"], "by {sort}");
        assert_eq!(ids(store, json!({ "n": 3 }), sort), ["old"], "by {sort}");
    }
    assert!(ids(store, json!({ "sku": "s5" }), "n").is_empty());
    assert_eq!(works.count(None, Some(&json!({ "n": { "gte": 0 } }))).unwrap(), 1);
    assert!(assets.referrers("many").unwrap().is_empty());
    assert!(store.doctor().unwrap().findings.iter().all(|one| one.code != "dangling_refs"));

    assert_eq!(assets.delete("many", OnReferenced::Restrict).unwrap_err().code(), ErrorCode::Busy);
    assets.delete("one", OnReferenced::Restrict).unwrap();
    works.create(json!({ "sku": format!("s{TAKEN}") }), Some("first")).unwrap();
    // And one whose value is free again when the rows are seen.
    works.create(json!({ "sku": "s20" }), Some("gone")).unwrap();
    works.delete("gone", OnReferenced::default()).unwrap();
}

#[test]
fn others_go_first() {
    let (_folder, file) = temp_file("keys.db");
    let other: Arc<OnceLock<Store>> = Arc::default();
    let (looked, looks) = (Arc::new(AtomicBool::new(false)), other.clone());
    let done = looked.clone();
    let interrupt = Arc::new(move || {
        let ready = looks.get().filter(|other| references(other) == REFERENCES);
        if let Some(other) = ready.filter(|_| !done.swap(true, Ordering::Relaxed)) {
            in_the_middle(other);
        }
        false
    });
    let url = file.to_str().unwrap();
    let store = Store::open(url, Options { interrupt: Some(interrupt), ..Options::default() }).unwrap();
    bind(&store);
    assert!(other.set(Store::open(url, Options::default()).unwrap()).is_ok());

    let works = store.aux("p", "works");
    let options = BulkOptions { on_error: OnError::Report, ..BulkOptions::default() };
    let report = works.bulk_upsert((0..ROWS).map(|number| Ok(row(number))), options, &mut |_, _| Ok(())).unwrap();
    assert!(looked.load(Ordering::Relaxed), "there was a middle");
    let told: Vec<_> = report.errors.iter().map(|one| (one.row, one.id.as_deref(), one.keyword.as_str())).collect();
    let [taken, bereft, dependent] = [TAKEN, BEREFT, DEPENDENT].map(id);
    assert_eq!(
        told,
        [
            (Some(TAKEN + 1), Some(&*taken), "unique"),
            (Some(BEREFT + 1), Some(&*bereft), "x-ref"),
            (Some(DEPENDENT + 1), Some(&*dependent), "x-ref")
        ],
        "one's value, one's target, and then that of another are gone"
    );
    assert_eq!((report.created, works.count(None, None).unwrap()), (ROWS - 3, ROWS - 3 + 2));
    assert_eq!(ids(&store, json!({ "sku": "s20" }), "n"), [id(20)]);
    assert_eq!(ids(&store, json!({ "sku": format!("s{TAKEN}") }), "n"), ["first"]);
    assert_eq!(store.aux("p", "assets").referrers("many").unwrap().len(), 2_999, "but for the one that was refused");
    let left = "SELECT (SELECT count(*) FROM sprongus_aux_batches) + (SELECT count(*) FROM sprongus_aux_rivals)";
    assert_eq!(store.query(left, &[]).unwrap()[0].values(), [Value::Int(0)]);
}
