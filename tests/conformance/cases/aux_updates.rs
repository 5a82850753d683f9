//! Updates: RFC 7396 as published, real edits of museum records, and what is counted of all writes.

use std::time::Duration;

use serde_json::{Map, Value, json};
use sprongus::aux_store::counters::{StoreStats, TableStats};
use sprongus::aux_store::{BulkOptions, Entry, Mode, Moment, Nulls, OnError, OnReferenced, UpdateOptions};
use sprongus::{Error, ErrorCode, Scope, Store, ops};
use sprongus_conformance::{Case, Env, Face};
use sprongus_testkit::data_dir;

use crate::aux_entries::{bind, payload};

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, covers, run| Case { name, covers, transactional: true, run };
    let alone = |name, covers, run| Case { name, covers, transactional: false, run };
    vec![
        case("updates::the_cases_of_rfc_7396", &["aux.update"], rfc_7396),
        case("updates::real_edits_of_museum_records", &["aux.update", "aux.history", "aux.diff"], real_edits),
        case("updates::a_patch_equal_to_what_is_there_writes_nothing", &["aux.update"], nothing),
        case("updates::a_refused_result_leaves_the_entry", &["aux.update"], refused),
        alone("updates::if_version_lets_one_of_many_through", &["aux.update"], one_of_many),
        alone("stats::what_was_committed_is_counted_by_table", &["store.stats"], counted),
        alone("stats::what_was_rolled_back_is_not_counted", &["store.stats"], rolled_back),
        alone("stats::what_was_refused_is_counted", &["store.stats"], refusals),
        alone("stats::a_handle_sees_its_own_project", &["store.stats"], confined),
    ]
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorCode {
    result.unwrap_err().code()
}

fn replace() -> UpdateOptions {
    UpdateOptions { replace: true, ..UpdateOptions::default() }
}

fn keep() -> UpdateOptions {
    UpdateOptions { nulls: Nulls::Keep, ..UpdateOptions::default() }
}

fn quiet(_: u64, _: Option<u64>) -> sprongus::Result<()> {
    Ok(())
}

/// Those whose document and patch are objects, as documents of a table are; the others are refused.
fn rfc_7396(env: &Env) {
    let Some(data) = data_dir() else { return };
    let read = |name: &str| -> Vec<Value> {
        serde_json::from_slice(&std::fs::read(data.join("merge-patch").join(name)).unwrap()).unwrap()
    };
    let of = |names: [&'static str; 3]| move |case: &Value| names.map(|name| case[name].clone());
    let mut cases: Vec<_> = read("rfc7396.table.json").iter().map(of(["original", "patch", "result"])).collect();
    cases.extend(read("rust-json-patch.merge_tests.json").iter().map(of(["doc", "patch", "expected"])));
    assert_eq!(cases.len(), 18);
    env.within(|on| {
        bind(on, "things", json!({"type": "object"}));
        let things = on.aux("things");
        let mut merged = 0;
        for (n, [original, patch, result]) in cases.into_iter().enumerate() {
            let id = format!("c{n}");
            let made = things.create(original.clone(), Some(&id));
            if !original.is_object() {
                assert_eq!(code(made), ErrorCode::Validation);
                continue;
            }
            let updated = things.update(&id, patch.clone(), UpdateOptions::default());
            if !patch.is_object() {
                assert_eq!(code(updated), ErrorCode::Validation);
                continue;
            }
            let updated = updated.unwrap();
            let version = 1 + i64::from(result != original);
            assert_eq!((payload(&updated), updated.version), (result.clone(), version), "{original} with {patch}");
            assert_eq!(things.get(&id).unwrap(), updated);
            assert_eq!(payload(&things.update(&id, original.clone(), replace()).unwrap()), original);
            merged += 1;
        }
        assert_eq!(merged, 13);
    });
}

fn real_edits(env: &Env) {
    let Some(data) = data_dir() else { return };
    let lines = std::fs::read_to_string(data.join("merge-patch/tate_real_updates.jsonl")).unwrap();
    let edits: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    env.within(|on| {
        bind(on, "records", json!({"properties": {"id": {"x-id": true}}}));
        let (mut patched, mut kept) = (0, 0);
        for edit in &edits {
            let [before, after, patch] = ["before", "after", "rfc7396_patch"].map(|name| edit[name].clone());
            let by_patch = edit["rfc7396_expressible"] == true;
            patched += usize::from(by_patch);
            // With nulls kept the whole document is a patch too, where nothing goes.
            let by_keeping = holds_all(&after, &before);
            kept += usize::from(by_keeping);
            edit_with(on, &before, &after, after.clone(), replace());
            if by_patch {
                edit_with(on, &before, &after, patch, UpdateOptions::default());
            }
            if by_keeping {
                edit_with(on, &before, &after, after.clone(), keep());
            }
        }
        assert_eq!((edits.len(), patched), (75, 60));
        assert!(kept > 10, "{kept}");
    });
}

/// Whether every member of every object of `old` is still there, so that a merge of `new` makes `new` of it.
fn holds_all(new: &Value, old: &Value) -> bool {
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => {
            old.iter().all(|(key, old)| new.get(key).is_some_and(|new| holds_all(new, old)))
        }
        _ => true,
    }
}

fn edit_with(on: Face<'_, '_>, before: &Value, after: &Value, patch: Value, options: UpdateOptions) {
    let records = on.aux("records");
    let made = records.upsert(before.clone(), None, true).unwrap();
    let edited: Entry = records.update(&made.id, patch, options).unwrap();
    assert_eq!((payload(&edited), edited.version), (after.clone(), made.version + 1), "{}", made.id);
    let history = records.history(&made.id).unwrap();
    let last: Vec<Value> =
        history[history.len() - 2..].iter().map(|one| one.snapshot.as_ref().unwrap().to_value()).collect();
    assert_eq!(last, [before.clone(), after.clone()]);
    let differences = records.diff(&made.id, Moment::Version(made.version), None).unwrap();
    let fields: std::collections::BTreeSet<&str> =
        differences.iter().map(|one| one.path[1..].split('/').next().unwrap()).collect();
    let summary = &history.last().unwrap().change_summary;
    let named = summary.strip_prefix("updated: ").unwrap();
    assert_eq!(named, fields.into_iter().collect::<Vec<_>>().join(", "), "{}", made.id);
}

fn nothing(env: &Env) {
    env.within(|on| {
        bind(on, "things", json!({"type": "object"}));
        let things = on.aux("things");
        let document = json!({"n": 1, "size": {"w": 1.5, "h": null}, "tags": ["a", null]});
        let made = things.create(document.clone(), Some("a")).unwrap();
        let patches: [(Value, UpdateOptions); 6] = [
            (json!({}), UpdateOptions::default()),
            (json!({"size": {"w": 1.5}, "absent": null}), UpdateOptions::default()),
            (json!({"size": {"h": null}}), keep()),
            (document.clone(), keep()),
            (document, replace()),
            (json!({"id": "a", "projectId": "p", "tableName": "things"}), UpdateOptions::default()),
        ];
        for (patch, options) in patches {
            assert_eq!(things.update("a", patch.clone(), options).unwrap(), made, "{patch}");
        }
        assert_eq!(things.history("a").unwrap().len(), 1);
        let rows = on.query("SELECT count(*) FROM sprongus_events WHERE type LIKE 'aux.%'", &[]).unwrap();
        assert_eq!(rows[0].values(), [sprongus::Value::Int(1)]);
        // `1` and `1.0` are different documents.
        assert_eq!(things.update("a", json!({"n": 1.0}), UpdateOptions::default()).unwrap().version, 2);
    });
}

fn refused(env: &Env) {
    env.within(|on| {
        bind(on, "works", json!({"fields": [{"name": "title", "type": "string", "required": true}, {"name": "n", "type": "integer"}]}));
        let works = on.aux("works");
        let made = works.create(json!({"title": "A", "n": 1}), Some("a")).unwrap();
        let deep = (0..200).fold(json!(1), |inner, _| json!({ "d": inner }));
        let bad = [
            (json!({"title": null}), ErrorCode::Validation),
            (json!({"n": "1"}), ErrorCode::Validation),
            (json!({"other": 1}), ErrorCode::Validation),
            (json!({"title": "a\0b"}), ErrorCode::Validation),
            (json!({"title": deep}), ErrorCode::Validation),
            (json!([1]), ErrorCode::Validation),
            (json!({"id": "b"}), ErrorCode::ReservedField),
            (json!({"lastUpdated": "2020-01-01T00:00:00Z"}), ErrorCode::ReservedField),
            (json!({"title": "x".repeat(2 << 20)}), ErrorCode::TooLarge),
        ];
        for (patch, wanted) in bad {
            assert_eq!(code(works.update("a", patch, UpdateOptions::default())), wanted);
        }
        let stale = UpdateOptions { if_version: Some(0), ..UpdateOptions::default() };
        assert_eq!(code(works.update("a", json!({"n": 2}), stale)), ErrorCode::Conflict);
        assert_eq!(code(works.update("b", json!({"n": 2}), UpdateOptions::default())), ErrorCode::NotFound);
        assert_eq!((works.get("a").unwrap(), works.history("a").unwrap().len()), (made, 1));
    });
}

fn one_of_many(env: &Env) {
    let store = env.open();
    store.aux("p", "assets").create(json!({"n": 0}), Some("a")).unwrap();
    let write = |n: u64| {
        let options = UpdateOptions { if_version: Some(1), ..UpdateOptions::default() };
        store.aux("p", "assets").update("a", json!({ "n": n }), options)
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=8).map(|n| scope.spawn(move || write(n))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for error in lost.into_iter().map(Result::unwrap_err) {
        assert_eq!((error.code(), error.details()), (ErrorCode::Conflict, Some(&json!({"version": 2}))));
    }
    assert_eq!(store.aux("p", "assets").history("a").unwrap().len(), 2);
}

fn stats(store: &Store) -> StoreStats {
    store.stats().unwrap()
}

fn row(project: &str, table: &str, counts: [u64; 4]) -> TableStats {
    let [created, updated, deleted, refused] = counts;
    TableStats { project_id: project.into(), table_name: table.into(), created, updated, deleted, refused }
}

fn counted(env: &Env) {
    let store = env.open();
    assert_eq!(stats(&store), StoreStats::default());
    let assets = store.aux("p", "assets");
    assets.create(json!({"n": 1}), Some("a")).unwrap();
    assets.update("a", json!({"n": 2}), UpdateOptions::default()).unwrap();
    assets.update("a", json!({"n": 2}), UpdateOptions::default()).unwrap();
    assets.upsert(json!({"n": 3}), Some("a"), false).unwrap();
    assets.upsert(json!({"n": 3}), Some("b"), false).unwrap();
    assert_eq!(stats(&store).tables, [row("p", "assets", [2, 2, 0, 0])]);
    assets.delete("a", OnReferenced::Restrict).unwrap();
    assets.restore("a", 1).unwrap();
    assets.restore("a", 2).unwrap();
    assert_eq!(stats(&store).tables, [row("p", "assets", [3, 3, 1, 0])], "what came back is there again");
    // Another opening counts for itself.
    if env.backend() != sprongus_conformance::Backend::SqliteMemory {
        assert_eq!(stats(&env.open()), StoreStats::default());
    }
    assert_eq!(stats(&store.clone()), stats(&store));
    let items = json!([{"id": "a", "n": 9}, {"id": "c"}, {"id": "d"}, {"id": "b", "n": 3}]);
    let items = items.as_array().unwrap().clone();
    let mirror = BulkOptions { mode: Mode::Replace, ..BulkOptions::default() };
    store.aux("o", "assets").create(json!({}), None).unwrap();
    for dry_run in [true, false] {
        let report =
            assets.import_items(items.clone().into_iter().map(Ok), BulkOptions { dry_run, ..mirror }, &mut quiet);
        assert_eq!(report.unwrap().created, 2);
    }
    assets.import_items(items.into_iter().take(1).map(Ok), mirror, &mut quiet).unwrap();
    let tables = [row("o", "assets", [1, 0, 0, 0]), row("p", "assets", [5, 4, 4, 0])];
    assert_eq!(stats(&store).tables, tables);
    assert_eq!(stats(&store).syncs.count, 0);
    let door: Value = serde_json::from_str(&ops::call(&store, "store.stats", b"").unwrap()).unwrap();
    assert_eq!(door["tables"][1]["created"], 5);
    assert_eq!(door["syncs"]["count"], 0);
}

fn rolled_back(env: &Env) {
    let store = env.open();
    let made = |tx: &sprongus::Tx<'_>, id: &str| tx.aux("p", "assets").create(json!({}), Some(id)).map(drop);
    let undone: sprongus::Result<()> = store.transaction(|tx| {
        made(tx, "a")?;
        Err(Error::invalid("no"))
    });
    undone.unwrap_err();
    drop({
        let tx = store.begin().unwrap();
        made(&tx, "a").unwrap();
        tx
    });
    assert_eq!(stats(&store).tables, []);
    store
        .transaction(|tx| {
            made(tx, "a")?;
            let inner: sprongus::Result<()> = tx.transaction(|tx| {
                made(tx, "b")?;
                tx.transaction(|tx| made(tx, "c"))?;
                Err(Error::invalid("no"))
            });
            inner.unwrap_err();
            tx.transaction(|tx| {
                made(tx, "d")?;
                tx.transaction(|tx| made(tx, "e"))
            })?;
            assert_eq!(stats(&store).tables, [], "not before it is committed");
            Ok(())
        })
        .unwrap();
    assert_eq!(stats(&store).tables, [row("p", "assets", [3, 0, 0, 0])]);
    let slow = std::time::Instant::now();
    (0..10_000).for_each(|_| drop(stats(&store)));
    assert!(slow.elapsed() < Duration::from_secs(5), "cheap to ask");
}

fn refusals(env: &Env) {
    let store = env.open();
    bind(Face::Store(&store), "works", json!({"properties": {"n": {"type": "integer", "x-unique": true}}}));
    let works = store.aux("p", "works");
    works.create(json!({"n": 1}), Some("a")).unwrap();
    code(works.create(json!({"n": "x"}), None));
    code(works.create(json!({"n": 1}), None));
    code(works.create(json!([1]), None));
    code(works.update("a", json!({"lastUpdated": 1}), UpdateOptions::default()));
    code(works.update("a", json!({"x": "y".repeat(2 << 20)}), UpdateOptions::default()));
    assert_eq!(stats(&store).tables, [row("p", "works", [1, 0, 0, 5])]);
    // Nothing was wrong with a document here.
    code(works.get("nobody"));
    code(works.update("nobody", json!({}), UpdateOptions::default()));
    code(works.create(json!({}), Some("")));
    code(store.scoped("p", &[Scope::AuxRead]).unwrap().aux("p", "works").create(json!({"n": "x"}), None));
    assert_eq!(stats(&store).tables, [row("p", "works", [1, 0, 0, 5])]);
    let items =
        || [json!({"n": "x", "id": "é"}), json!({"n": 2}), json!({"n": []}), json!({"n": 1})].into_iter().map(Ok);
    let report = BulkOptions { on_error: OnError::Report, ..BulkOptions::default() };
    works.bulk_upsert(items(), BulkOptions { dry_run: true, ..report }, &mut quiet).unwrap();
    works.bulk_upsert(items(), report, &mut quiet).unwrap();
    assert_eq!(stats(&store).tables, [row("p", "works", [2, 0, 0, 8])]);
    code(works.bulk_upsert(items(), BulkOptions::default(), &mut quiet));
    assert_eq!(stats(&store).tables[0].created, 2);
    assert!(stats(&store).tables[0].refused > 8);
}

fn confined(env: &Env) {
    let store = env.open();
    for project in ["p", "q"] {
        store.aux(project, "assets").create(Value::Object(Map::new()), None).unwrap();
    }
    let own = store.scoped("q", &[Scope::AuxRead]).unwrap();
    assert_eq!(stats(&own).tables, [row("q", "assets", [1, 0, 0, 0])]);
    assert_eq!(stats(&store.scoped("q", &[Scope::Admin]).unwrap()).tables.len(), 2);
    assert_eq!(code(store.scoped("q", &[Scope::AuxWrite]).unwrap().stats()), ErrorCode::PermissionDenied);
    store.close();
    assert_eq!(code(store.stats()), ErrorCode::Misuse);
}
