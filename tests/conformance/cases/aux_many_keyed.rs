//! More rows than one short transaction takes, of entries with unique values, keys and references: the same as few, also
//! beside others that take the same values.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use sprongus::aux_store::{BulkOptions, BulkReport, ListQuery, Mode, OnError, OnReferenced, UpdateOptions};
use sprongus::presets::{BindPreset, CreatePreset, PresetKind};
use sprongus::{ErrorCode, Json, Result, Store};
use sprongus_conformance::{Case, Env, Face};

use crate::aux_entries::bind;
use crate::aux_many::{Chance, Stop, all, write};

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, run| Case { name, covers: &["aux.bulk_upsert", "aux.import"], transactional: false, run };
    vec![
        case("aux::many_rows_with_keys_are_as_few", as_few),
        case("aux::many_rows_with_keys_meet_what_others_write", rivals),
        case("aux::many_rows_with_keys_change_places", change_places),
        case("aux::many_rows_with_keys_that_are_not_kept_leave_nothing", not_kept),
    ]
}

const ROWS: u64 = 2_200;
const REPORT: BulkOptions = BulkOptions { mode: Mode::Merge, on_error: OnError::Report, dry_run: false };

fn definition(own: &str) -> Value {
    json!({"type": "object", "x-unique": [["group", "place"]], "properties": {
        "sku": {"type": "string", "x-unique": true}, "n": {"type": "integer", "x-index": true},
        "group": {"type": "integer"}, "place": {"type": "integer"},
        "parent": {"x-ref": {"table": own, "strict": true}}, "next": {"x-ref": own},
        "cover": {"x-ref": {"table": "assets", "strict": true}}, "also": {"type": "array", "items": {"x-ref": "assets"}}}})
}

fn tables(store: &Store) {
    bind(Face::Store(store), "assets", json!({"type": "object"}));
    for table in ["many", "few"] {
        bind(Face::Store(store), table, definition(table));
    }
    for n in 0..8 {
        store.aux("p", "assets").create(json!({}), Some(&format!("a{n}"))).unwrap();
    }
}

/// Rows by chance: ids and values that come twice, references that lead nowhere, rows that are bad.
fn some(seed: u64, from: u64, to: u64) -> Vec<Value> {
    let mut chance = Chance(seed);
    let row = |_| {
        let number = from + chance.of(to - from);
        let mut row = json!({"id": format!("{number:05}"), "n": chance.of(7)});
        // Mostly the entry's own value; now and then one that another has, or wants.
        let sku = if chance.of(25) == 0 { from + chance.of(to - from) } else { number + 100_000 * chance.of(2) };
        match chance.of(30) {
            0 => row["n"] = json!("bad"),
            1 => row["sku"] = Value::Null,
            _ => row["sku"] = json!(format!("s{sku}")),
        }
        if chance.of(4) == 0 {
            (row["group"], row["place"]) = (json!(number % 50), json!(chance.of(400)));
        }
        match chance.of(6) {
            0 => row["parent"] = json!(format!("{:05}", from + chance.of(to - from))),
            1 => row["next"] = json!(format!("{:05}", chance.of(to))),
            2 => row["cover"] = json!(format!("a{}", chance.of(200).saturating_sub(191))),
            3 => row["also"] = json!([format!("a{}", chance.of(9)), "a1", "no such one"]),
            _ => {}
        }
        row
    };
    (0..ROWS).map(row).collect()
}

/// What is kept of the keys and references of a table.
fn links(store: &Store, table: &str) -> Vec<String> {
    let keys = "SELECT field, key, entry_id, is_unique FROM sprongus_aux_keys WHERE table_name = $1 AND field <> '' \
                ORDER BY field, key, entry_id";
    let refs = "SELECT from_id, field, to_id, CASE WHEN to_table = $1 THEN 'own' ELSE to_table END FROM sprongus_aux_refs \
                WHERE from_table = $1 ORDER BY from_id, field, to_id, to_table";
    let read = |sql| store.query(sql, &[table.into()]).unwrap();
    read(keys).iter().chain(&read(refs)).map(|row| format!("{:?}", row.values())).collect()
}

fn told(report: &BulkReport, own: &str) -> String {
    format!("{report:?}").replace(&format!("{own:?}"), "own").replace(&format!("\\\"{own}\\\""), "own")
}

fn as_few(env: &Env) {
    let store = env.open();
    tables(&store);
    let replace = BulkOptions { mode: Mode::Replace, ..REPORT };
    let steps = [
        (1, 0, 6_000, REPORT, false),
        (2, 0, 3_000, replace, false),
        (3, 2_000, 6_000, BulkOptions { dry_run: true, ..replace }, true),
        (4, 2_000, 6_000, replace, true),
        // What was deleted comes back and goes on from the version it had.
        (5, 0, 6_000, REPORT, true),
        (6, 0, 6_000, BulkOptions::default(), false),
    ];
    for (seed, from, to, options, import) in steps {
        let rows = some(seed, from, to);
        let many = write(&store.aux("p", "many"), &rows, options, import);
        // Within a transaction all rows are written at once.
        let few = store.transaction(|tx| Ok(write(&tx.aux("p", "few"), &rows, options, import))).unwrap();
        match (&many, &few) {
            (Ok(many), Ok(few)) => {
                assert_eq!(told(many, "many"), told(few, "few"), "step {seed}");
                assert!(many.created + many.updated > 500, "step {seed}: {} {}", many.created, many.updated);
                assert!(many.errors.iter().any(|one| one.keyword == "unique"), "step {seed}: some take others' values");
            }
            (Err(many), Err(few)) => {
                assert_eq!((many.code(), many.violations_list().len()), (few.code(), few.violations_list().len()));
            }
            other => panic!("step {seed}: {other:?}"),
        }
        assert_eq!(all(&store.aux("p", "many")), all(&store.aux("p", "few")), "step {seed}");
        assert_eq!(links(&store, "many"), links(&store, "few"), "step {seed}");
    }
    let versions = |table: &str| {
        let sql =
            "SELECT id, version, change_summary FROM sprongus_aux_versions WHERE table_name = $1 ORDER BY id, version";
        format!("{:?}", store.query(sql, &[table.into()]).unwrap())
    };
    assert_eq!(versions("many"), versions("few"));
}

/// Unique values go round between entries, and from one that is deleted to one that is new.
fn change_places(env: &Env) {
    let store = env.open();
    tables(&store);
    let many = store.aux("p", "many");
    let rows = |by: u64| -> Vec<Value> {
        (0..ROWS)
            .map(|n| json!({"id": format!("{n:05}"), "sku": format!("s{}", (n + by) % ROWS), "n": n % 5}))
            .collect()
    };
    assert_eq!(write(&many, &rows(0), BulkOptions::default(), false).unwrap().created, ROWS);
    assert_eq!(write(&many, &rows(1), BulkOptions::default(), false).unwrap().updated, ROWS);
    let by_sku = |sku: &str| {
        let query = ListQuery { filter: Some(json!({"sku": sku})), ..ListQuery::default() };
        many.list(&query).unwrap().items.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!((by_sku("s1"), by_sku("s0")), (vec!["00000".to_owned()], vec![format!("{:05}", ROWS - 1)]));
    let new: Vec<Value> =
        (0..ROWS).map(|n| json!({"id": format!("new{n:05}"), "sku": format!("s{n}"), "n": n % 5})).collect();
    let replace = BulkOptions { mode: Mode::Replace, ..BulkOptions::default() };
    let report = write(&many, &new, replace, true).unwrap();
    assert_eq!((report.created, report.deleted), (ROWS, ROWS));
    assert_eq!((by_sku("s1"), by_sku("s0")), (vec!["new00001".to_owned()], vec!["new00000".to_owned()]));
    let doubled = many.create(json!({"sku": "s7"}), None).unwrap_err();
    assert_eq!(doubled.code(), ErrorCode::Conflict);
    many.delete("new00007", OnReferenced::default()).unwrap();
    many.create(json!({"sku": "s7"}), None).unwrap();
}

/// Others change and delete entries, take values that rows want, and look by keys meanwhile.
fn rivals(env: &Env) {
    let store = env.open_patient();
    tables(&store);
    let many = store.aux("p", "many");
    let rows = |n: u64| -> Vec<Value> {
        let row = |id: u64| json!({"id": format!("{id:05}"), "n": n, "sku": format!("s{id}"), "parent": format!("{:05}", id / 2)});
        (0..ROWS).map(row).collect()
    };
    // The even ones are there before.
    let even: Vec<Value> = rows(1)
        .into_iter()
        .step_by(2)
        .map(|mut row| {
            row.as_object_mut().unwrap().remove("parent");
            row
        })
        .collect();
    write(&many, &even, BulkOptions::default(), false).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let mut done = 0_u64;
            while !over.load(Ordering::Relaxed) {
                disturb(&store, done);
                done += 1;
            }
            done
        });
        let stop = Stop(&over);
        let report = loop {
            match write(&many, &rows(2), REPORT, false) {
                Err(error) if error.code() == ErrorCode::Busy => {}
                done => break done.unwrap(),
            }
        };
        drop(stop);
        assert!(other.join().unwrap() > 0);
        let refused: std::collections::BTreeSet<_> = report.errors.iter().map(|one| one.row).collect();
        assert_eq!(report.created + report.updated + report.unchanged + refused.len() as u64, ROWS, "{report:?}");
    });
    let kept = links(&store, "many");
    for line in all(&many) {
        let mut parts = line.splitn(3, ' ');
        let (id, payload) = (parts.next().unwrap(), parts.nth(1).unwrap());
        let payload: Value = serde_json::from_str(payload).unwrap();
        if let Some(parent) = payload["parent"].as_str() {
            assert!(many.get(parent).is_ok(), "{id} refers to {parent}");
        }
    }
    // Made anew from the entries, they are the same.
    let other = CreatePreset::new("plain", PresetKind::Custom, Json::parse(r#"{"type": "object"}"#).unwrap());
    store.presets().create(&other).unwrap();
    for address in ["plain", "many"] {
        let bind = BindPreset { table: "many".into(), address: address.into(), ..BindPreset::default() };
        store.presets().bind(&bind).unwrap();
    }
    many.create(json!({}), Some("zzzzz")).unwrap();
    many.delete("zzzzz", OnReferenced::default()).unwrap();
    assert_eq!(links(&store, "many"), kept);
}

/// What another does: it goes well, or is refused for a reason.
fn disturb(store: &Store, turn: u64) {
    let many = store.aux("p", "many");
    let number = turn * 7_919 % ROWS;
    let id = format!("{number:05}");
    let done: Result<()> = match turn % 6 {
        0 => many.update(&id, json!({"n": 3, "sku": format!("own{turn}")}), UpdateOptions::default()).map(drop),
        // A value that a row wants, or has already where nobody sees it.
        1 => many.upsert(json!({"sku": format!("s{number}")}), Some(&format!("x{}", turn % 50)), true).map(drop),
        2 => many.delete(&id, OnReferenced::Restrict).map(drop),
        3 => many.create(json!({"n": 3}), Some(&id)).map(drop),
        4 => many.update(&id, json!({"place": turn % 400, "group": 1}), UpdateOptions::default()).map(drop),
        _ => {
            let filter = Some(json!({"sku": format!("s{number}")}));
            let found = many.list(&ListQuery { filter, sort: vec!["n".into()], ..ListQuery::default() }).unwrap().items;
            assert!(found.len() < 2, "{found:?}");
            let first = ListQuery { sort: vec!["-n".into(), "id".into()], limit: 20, ..ListQuery::default() };
            let numbers = many.list(&first).unwrap().items.into_iter().map(|one| one.payload.to_value()["n"].as_i64());
            assert!(numbers.is_sorted_by(|a, b| a >= b));
            Ok(())
        }
    };
    use ErrorCode::{Busy, Conflict, NotFound, Referenced, Validation};
    match done {
        Err(error) if ![Busy, Conflict, NotFound, Referenced, Validation].contains(&error.code()) => {
            panic!("{error:?}")
        }
        _ => {}
    }
}

fn not_kept(env: &Env) {
    let store = env.open();
    tables(&store);
    let many = store.aux("p", "many");
    let row = |id: u64| json!({"id": format!("{id:05}"), "n": 1, "sku": format!("s{id}"), "cover": "a1"});
    let good: Vec<Value> = (0..ROWS).map(row).collect();
    let twin: Vec<Value> = good.iter().cloned().chain([json!({"id": "twin", "sku": "s5"})]).collect();
    let refused = write(&many, &twin, BulkOptions::default(), false).unwrap_err();
    assert_eq!((refused.code(), refused.violations_list()[0].row), (ErrorCode::Validation, Some(ROWS + 1)));
    let stray: Vec<Value> = good.iter().cloned().chain([json!({"id": "stray", "parent": "nobody"})]).collect();
    let refused = write(&many, &stray, BulkOptions::default(), true).unwrap_err();
    assert_eq!(refused.violations_list()[0].keyword, "x-ref");
    let dry = write(&many, &good, BulkOptions { dry_run: true, ..REPORT }, false).unwrap();
    assert_eq!((dry.created, dry.dry_run), (ROWS, true));
    assert!(all(&many).is_empty() && links(&store, "many").is_empty());
    assert!(store.aux("p", "assets").delete("a1", OnReferenced::Restrict).is_ok(), "nothing refers to it");
}
