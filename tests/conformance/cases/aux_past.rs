//! The past of entries: versions, differences, a table as it was, and the way back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sprongus::aux_store::{
    Aux, BulkOptions, ChangeOp, Difference, Entry, EntryVersion, Mode, Moment, OnReferenced, UpdateOptions,
};
use sprongus::clock::Clock;
use sprongus::clock::testing::ManualClock;
use sprongus::{Error, ErrorCode, Options, Scope, Store, Timestamp};
use sprongus_conformance::{Backend, Case, Env, Face};
use sprongus_testkit::data_dir;

use crate::aux_entries::{bind, payload};

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, covers, run| Case { name, covers, transactional: true, run };
    let alone = |name, covers, run| Case { name, covers, transactional: false, run };
    vec![
        case("past::versions_go_on_across_deletion", &["aux.history"], across_deletion),
        case("past::what_was_copied_ahead_is_no_history", &["aux.history", "aux.as_of", "aux.diff"], copied_ahead),
        case("past::differences_between_versions_and_times", &["aux.diff"], differences),
        case("past::a_version_comes_back", &["aux.restore"], comes_back),
        case("past::the_present_document_is_not_restored", &["aux.restore"], unchanged),
        case("past::what_comes_back_obeys_the_preset_of_today", &["aux.restore"], todays_preset),
        case("past::what_comes_back_keeps_keys_and_references", &["aux.restore"], keys_and_references),
        case("past::a_restoration_is_one_event", &["aux.restore"], events),
        case("past::bulk_calls_are_in_history", &["aux.history", "aux.bulk_upsert"], bulk),
        case("past::bad_input_is_an_answer", &["aux.history", "aux.diff", "aux.restore"], bad_input),
        alone(
            "past::a_bulk_write_under_way_is_not_in_it",
            &["aux.history", "aux.as_of", "aux.resolve_refs"],
            under_way,
        ),
        alone("past::who_and_why", &["aux.history", "aux.restore"], who_and_why),
        alone("past::a_table_as_it_was", &["aux.as_of"], as_it_was),
        alone("past::a_large_table_as_it_was", &["aux.as_of"], large),
        alone("past::a_clock_set_back_loses_nothing", &["aux.as_of", "aux.diff", "aux.history"], set_back),
        alone("past::chance_finds_no_difference_from_memory", &["aux.as_of", "aux.history"], by_chance),
        alone("past::the_chains_of_museum_records", &["aux.history", "aux.as_of", "aux.diff", "aux.restore"], chains),
        alone("past::other_projects_have_another", &["aux.history", "aux.as_of", "aux.restore"], projects_apart),
    ]
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorCode {
    result.unwrap_err().code()
}

/// Version, document and summary.
fn told(history: &[EntryVersion]) -> Vec<(i64, Value, &str)> {
    let document = |one: &EntryVersion| one.snapshot.as_ref().map_or(Value::Null, sprongus::Json::to_value);
    history.iter().map(|one| (one.version, document(one), one.change_summary.as_str())).collect()
}

fn patch(aux: &Aux<'_>, id: &str, patch: Value) -> Entry {
    aux.update(id, patch, UpdateOptions::default()).unwrap()
}

fn replace(aux: &Aux<'_>, id: &str, document: Value) -> Entry {
    aux.update(id, document, UpdateOptions { replace: true, ..UpdateOptions::default() }).unwrap()
}

fn across_deletion(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        assert_eq!(code(assets.history("a")), ErrorCode::NotFound);
        assets.create(json!({"title": "A", "n": 1}), Some("a")).unwrap();
        assert_eq!(told(&assets.history("a").unwrap()), [(1, json!({"title": "A", "n": 1}), "created")]);
        patch(&assets, "a", json!({"n": 2, "title": "B"}));
        assets.delete("a", OnReferenced::Restrict).unwrap();
        assets.create(json!({"title": "C"}), Some("a")).unwrap();
        patch(&assets, "a", json!({"title": "C"}));
        let all = assets.history("a").unwrap();
        let wanted = [
            (1, json!({"title": "A", "n": 1}), "created"),
            (2, json!({"title": "B", "n": 2}), "updated: n, title"),
            (3, Value::Null, "deleted"),
            (4, json!({"title": "C"}), "created"),
        ];
        assert_eq!(told(&all), wanted);
        assert!(all.windows(2).all(|pair| pair[0].at <= pair[1].at));
        assert_eq!(all[3].at, assets.get("a").unwrap().last_updated);
        assets.delete("a", OnReferenced::Restrict).unwrap();
        assert_eq!(assets.history("a").unwrap().len(), 5);
    });
}

/// Large bulk writes copy present versions to the history ahead of their commit.
fn copied_ahead(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        let first = assets.create(json!({"n": 1}), Some("a")).unwrap();
        patch(&assets, "a", json!({"n": 2}));
        let copy = "INSERT INTO sprongus_aux_versions (project_id, table_name, id, version, snapshot, change_summary, actor, reason, at) \
                    SELECT project_id, table_name, id, version, payload, change_summary, actor, reason, last_updated FROM sprongus_aux_entries";
        assert_eq!(on.execute(copy, &[]).unwrap(), 1);
        let wanted = [(1, json!({"n": 1}), "created"), (2, json!({"n": 2}), "updated: n")];
        assert_eq!(told(&assets.history("a").unwrap()), wanted);
        assert_eq!(assets.as_of(Timestamp::MAX).unwrap(), [assets.get("a").unwrap()]);
        assert_eq!(assets.diff("a", Moment::Version(2), None).unwrap(), []);
        assert_eq!(assets.diff("a", Moment::At(first.last_updated), Some(Moment::Version(2))).unwrap().len(), 1);
    });
}

/// A bulk write on SQLite writes in many commits that are seen with the last; on PostgreSQL it is one transaction.
fn under_way(env: &Env) {
    let store = env.open();
    let assets = store.aux("p", "assets");
    assets.create(json!({"n": 1}), Some("a")).unwrap();
    patch(&assets, "a", json!({"n": 2}));
    assets.create(json!({"n": 1}), Some("c")).unwrap();
    let before = assets.as_of(Timestamp::MAX).unwrap();
    let as_before = |assets: &Aux<'_>| {
        assert_eq!(assets.as_of(Timestamp::MAX).unwrap(), before);
        assert_eq!(told(&assets.history("a").unwrap()).len(), 2);
        assert_eq!(told(&assets.history("c").unwrap()), [(1, json!({"n": 1}), "created")]);
        assert_eq!(code(assets.history("b")), ErrorCode::NotFound);
        assert_eq!(assets.diff("a", Moment::Version(2), None).unwrap(), []);
        let views = assets.resolve_refs(&["a".into(), "b".into(), "c".into()]).unwrap();
        assert_eq!(views.iter().map(|view| view.missing).collect::<Vec<_>>(), [false, true, false]);
    };
    if env.backend() == Backend::Postgres {
        let tx = store.begin().unwrap();
        let items = [json!({"id": "a", "n": 3}), json!({"id": "b", "n": 1})];
        let options = BulkOptions { mode: Mode::Replace, ..BulkOptions::default() };
        tx.aux("p", "assets").import_items(items.map(Ok), options, &mut |_, _| Ok(())).unwrap();
        std::thread::scope(|scope| scope.spawn(|| as_before(&store.aux("p", "assets"))).join().unwrap());
        tx.commit().unwrap();
    } else {
        for sql in [
            "INSERT INTO sprongus_aux_batches (id, project_id, table_name, owner, boot, alive) VALUES (7, 'p', 'assets', 'o', 'b', 0)",
            "INSERT INTO sprongus_aux_versions SELECT project_id, table_name, id, version, payload, change_summary, actor, reason, last_updated, 7 FROM sprongus_aux_entries",
            "INSERT INTO sprongus_aux_versions SELECT project_id, table_name, id, version + 1, NULL, 'deleted', actor, reason, last_updated, 7 FROM sprongus_aux_entries WHERE id = 'c'",
            "UPDATE sprongus_aux_entries SET version = 3, payload = '{\"n\":3}', batch = 7 WHERE id = 'a'",
            "UPDATE sprongus_aux_entries SET id = 'b', batch = 7 WHERE id = 'c'",
        ] {
            store.execute(sql, &[]).unwrap();
        }
        as_before(&assets);
        store.execute("DELETE FROM sprongus_aux_batches", &[]).unwrap();
    }
    let versions: Vec<_> =
        assets.as_of(Timestamp::MAX).unwrap().iter().map(|one| (one.id.clone(), one.version)).collect();
    assert_eq!(versions, [("a".to_owned(), 3), ("b".to_owned(), 1)]);
    assert_eq!(["a", "b", "c"].map(|id| assets.history(id).unwrap().len()), [3, 1, 2]);
}

fn differences(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        let first = assets.create(json!({"a": {"b/c": [1, 2]}, "gone": {"x": 1}}), Some("a")).unwrap();
        replace(&assets, "a", json!({"a": {"b/c": [1, 3, 4]}, "n": null}));
        let wanted = vec![
            Difference { path: "/a/b~1c/1".into(), op: ChangeOp::Changed, old: json!(2), new: json!(3) },
            Difference { path: "/a/b~1c/2".into(), op: ChangeOp::Added, old: Value::Null, new: json!(4) },
            Difference { path: "/gone".into(), op: ChangeOp::Removed, old: json!({"x": 1}), new: Value::Null },
            Difference { path: "/n".into(), op: ChangeOp::Added, old: Value::Null, new: Value::Null },
        ];
        let of = |a, b| assets.diff("a", a, b).unwrap();
        assert_eq!(of(Moment::Version(1), None), wanted);
        assert_eq!(of(Moment::Version(1), Some(Moment::Version(2))), wanted);
        assert_eq!(of(Moment::Version(1), Some(Moment::At(Timestamp::MAX))), wanted);
        assert_eq!(of(Moment::Version(2), Some(Moment::Version(2))), []);
        assert_eq!(of(Moment::Version(2), Some(Moment::Version(1))).len(), 4);
        assets.delete("a", OnReferenced::Restrict).unwrap();
        let whole =
            Difference { path: String::new(), op: ChangeOp::Removed, old: first.payload.to_value(), new: Value::Null };
        assert_eq!(of(Moment::Version(1), None), [whole]);
        assert_eq!(of(Moment::Version(3), Some(Moment::Version(1)))[0].op, ChangeOp::Added);
        assert_eq!(of(Moment::Version(3), None), []);
        let before = first.last_updated.checked_sub(Duration::from_secs(1)).unwrap();
        for moment in [Moment::Version(0), Moment::Version(4), Moment::Version(i64::MAX), Moment::At(before)] {
            assert_eq!(code(assets.diff("a", moment, None)), ErrorCode::NotFound, "{moment:?}");
        }
    });
}

fn comes_back(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        assets.create(json!({"n": 1}), Some("a")).unwrap();
        patch(&assets, "a", json!({"n": 2}));
        let back = assets.restore("a", 1).unwrap();
        assert_eq!((back.version, payload(&back)), (3, json!({"n": 1})));
        assets.delete("a", OnReferenced::Restrict).unwrap();
        assert_eq!(code(assets.restore("a", 4)), ErrorCode::InvalidState);
        let back = assets.restore("a", 2).unwrap();
        assert_eq!((back.version, payload(&back)), (5, json!({"n": 2})));
        assert_eq!(assets.get("a").unwrap(), back);
        let summaries: Vec<_> = assets.history("a").unwrap().into_iter().map(|one| one.change_summary).collect();
        assert_eq!(summaries, ["created", "updated: n", "restored from 1", "deleted", "restored from 2"]);
        for version in [0, -1, 6, i64::MAX, i64::MIN] {
            assert_eq!(code(assets.restore("a", version)), ErrorCode::NotFound, "{version}");
        }
        assert_eq!(code(assets.restore("b", 1)), ErrorCode::NotFound);
    });
}

fn unchanged(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        assets.create(json!({"n": 1}), Some("a")).unwrap();
        patch(&assets, "a", json!({"n": 2}));
        patch(&assets, "a", json!({"n": 1}));
        for version in [1, 3] {
            assert_eq!(assets.restore("a", version).unwrap(), assets.get("a").unwrap());
        }
        assert_eq!(assets.history("a").unwrap().len(), 3);
        assert_eq!(count_events(on, "aux.restored"), 0);
    });
}

fn count_events(on: Face<'_, '_>, kind: &str) -> i64 {
    let rows = on.query("SELECT count(*) FROM sprongus_events WHERE type = $1", &[kind.into()]).unwrap();
    match rows[0].values() {
        [sprongus::Value::Int(count)] => *count,
        other => panic!("{other:?}"),
    }
}

fn todays_preset(env: &Env) {
    env.within(|on| {
        let preset = |fields: Value| json!({"fields": fields});
        bind(on, "works", preset(json!([{"name": "n", "type": "integer"}])));
        let works = on.aux("works");
        works.create(json!({"n": 1}), Some("a")).unwrap();
        works.create(json!({}), Some("b")).unwrap();
        for id in ["a", "b"] {
            works.delete(id, OnReferenced::Restrict).unwrap();
        }
        bind(
            on,
            "works",
            preset(json!([{"name": "n", "type": "string"}, {"name": "m", "default": 5, "type": "integer"}])),
        );
        let error = works.restore("a", 1).unwrap_err();
        assert_eq!((error.code(), error.violations_list()[0].path.as_str()), (ErrorCode::Validation, "/n"));
        assert_eq!(works.history("a").unwrap().len(), 2);
        assert_eq!(payload(&works.restore("b", 1).unwrap()), json!({}), "a default is for what is written whole");
        // The id shows where the preset of today shows it, and nowhere else.
        bind(on, "works", json!({"properties": {"key": {"x-id": true}}}));
        assert_eq!(payload(&works.restore("a", 1).unwrap()), json!({"n": 1, "key": "a"}));
        bind(on, "works", json!({"properties": {"id": {"x-id": true}}}));
        assert_eq!(payload(&works.restore("b", 1).unwrap()), json!({"id": "b"}));
        works.delete("b", OnReferenced::Restrict).unwrap();
        bind(on, "works", json!({"type": "object"}));
        assert_eq!(payload(&works.restore("b", 4).unwrap()), json!({}));
    });
}

fn keys_and_references(env: &Env) {
    env.within(|on| {
        bind(
            on,
            "boards",
            json!({"properties": {"n": {"x-unique": true}, "cover": {"x-ref": "assets"},
                "lead": {"x-ref": {"table": "assets", "strict": true}}}}),
        );
        let (boards, assets) = (on.aux("boards"), on.aux("assets"));
        assets.create(json!({}), Some("x")).unwrap();
        boards.create(json!({"n": 1, "cover": "x"}), Some("a")).unwrap();
        boards.create(json!({"n": 3, "lead": "x"}), Some("c")).unwrap();
        replace(&boards, "a", json!({"n": 2}));
        assert_eq!(assets.referrers("x").unwrap().len(), 1, "only c");
        let taken = boards.create(json!({"n": 1}), Some("b")).unwrap();
        let error = boards.restore("a", 1).unwrap_err();
        assert_eq!((error.code(), error.violations_list()[0].path.as_str()), (ErrorCode::Conflict, "/n"));
        assert_eq!((boards.get("a").unwrap().version, boards.get("b").unwrap()), (2, taken));
        boards.delete("b", OnReferenced::Restrict).unwrap();
        assert_eq!(boards.restore("a", 1).unwrap().warnings, []);
        assert_eq!(assets.referrers("x").unwrap().len(), 2);
        assert_eq!(code(boards.create(json!({"n": 1}), None)), ErrorCode::Conflict);
        boards.delete("c", OnReferenced::Restrict).unwrap();
        boards.delete("a", OnReferenced::Restrict).unwrap();
        assets.delete("x", OnReferenced::Restrict).unwrap();
        assert_eq!(boards.restore("a", 1).unwrap().warnings[0].keyword, "dangling_ref");
        assert_eq!(boards.restore("c", 1).unwrap_err().violations_list()[0].keyword, "x-ref");
    });
}

fn events(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        assets.create(json!({"n": 1}), Some("a")).unwrap();
        patch(&assets, "a", json!({"n": 2}));
        assets.restore("a", 1).unwrap();
        assets.delete("a", OnReferenced::Restrict).unwrap();
        assets.restore("a", 2).unwrap();
        let rows = on.query("SELECT type, seq FROM sprongus_events WHERE subject = 'aux:p/assets/a' ORDER BY seq", &[]);
        let told: Vec<String> = rows.unwrap().iter().map(|row| format!("{:?}", row.values()[0])).collect();
        let wanted = ["aux.created", "aux.updated", "aux.restored", "aux.deleted", "aux.restored"];
        assert!(told.len() == 5 && told.iter().zip(wanted).all(|(is, wanted)| is.contains(wanted)), "{told:?}");
    });
}

fn bulk(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        let put = |items: Value, mode| {
            let items = items.as_array().unwrap().clone();
            let options = BulkOptions { mode, ..BulkOptions::default() };
            assets.import_items(items.into_iter().map(Ok), options, &mut |_, _| Ok(())).unwrap();
        };
        put(json!([{"id": "a", "n": 1}, {"id": "b", "n": 1}]), Mode::Merge);
        put(json!([{"id": "a", "n": 2}, {"id": "b", "n": 1}]), Mode::Merge);
        put(json!([{"id": "b", "n": 1}]), Mode::Replace);
        put(json!([{"id": "a", "m": 1}]), Mode::Merge);
        let wanted = [
            (1, json!({"n": 1}), "created"),
            (2, json!({"n": 2}), "updated: n"),
            (3, Value::Null, "deleted"),
            (4, json!({"m": 1}), "created"),
        ];
        assert_eq!(told(&assets.history("a").unwrap()), wanted);
        assert_eq!(told(&assets.history("b").unwrap()), [(1, json!({"n": 1}), "created")]);
        assert_eq!(assets.restore("a", 2).unwrap().version, 5);
    });
}

fn bad_input(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        let long = "x".repeat(129);
        for id in ["", "a\0b", "a\nb", &long] {
            assert_eq!(code(assets.history(id)), ErrorCode::InvalidArgument);
            assert_eq!(code(assets.diff(id, Moment::Version(1), None)), ErrorCode::InvalidArgument);
            assert_eq!(code(assets.restore(id, 1)), ErrorCode::InvalidArgument);
        }
        for name in ["", "a\0b"] {
            assert_eq!(code(on.aux(name).as_of(Timestamp::MAX)), ErrorCode::InvalidArgument);
        }
        assert_eq!(code(on.aux("nowhere").restore("a", 1)), ErrorCode::NotFound);
        assert_eq!(on.aux("nowhere").as_of(Timestamp::MIN).unwrap(), []);
        assert_eq!(code(assets.diff("a", Moment::At(Timestamp::MIN), None)), ErrorCode::NotFound);
    });
}

fn who_and_why(env: &Env) {
    let store = env.open();
    let by = |actor: &str, reason| store.acting_as(actor, reason).unwrap();
    by("curator", Some("acquired")).aux("p", "assets").create(json!({"n": 1}), Some("a")).unwrap();
    patch(&by("registrar", None).aux("p", "assets"), "a", json!({"n": 2}));
    by("curator", Some("sold")).aux("p", "assets").delete("a", OnReferenced::Restrict).unwrap();
    by("director", Some("a mistake")).aux("p", "assets").restore("a", 1).unwrap();
    let history = store.aux("p", "assets").history("a").unwrap();
    let who: Vec<_> = history.iter().map(|one| (one.actor.as_str(), one.reason.as_deref())).collect();
    let wanted = [
        ("curator", Some("acquired")),
        ("registrar", None),
        ("curator", Some("sold")),
        ("director", Some("a mistake")),
    ];
    assert_eq!(who, wanted);
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A store whose clock is set by hand, on both databases.
fn clocked(env: &Env, start: &str) -> (Store, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(time(start)));
    (env.open_with(Options { clock: clock.clone(), ..env.options() }), clock)
}

fn as_it_was(env: &Env) {
    let (store, clock) = clocked(env, "2020-01-01T00:00:00Z");
    let assets = store.aux("p", "assets");
    let at = |minute: u32| time(&format!("2020-01-01T00:{minute:02}:00Z"));
    let ids = |minute: u32| -> Vec<(String, i64)> {
        assets.as_of(at(minute)).unwrap().into_iter().map(|entry| (entry.id, entry.version)).collect()
    };
    let entry = |id: &str, version| (id.to_owned(), version);
    clock.set(at(1));
    assets.create(json!({"n": 1}), Some("b")).unwrap();
    assets.create(json!({"n": 1}), Some("a")).unwrap();
    clock.set(at(2));
    patch(&assets, "a", json!({"n": 2}));
    patch(&assets, "a", json!({"n": 3}));
    clock.set(at(3));
    assets.delete("a", OnReferenced::Restrict).unwrap();
    store.aux("p", "citations").create(json!({}), Some("a")).unwrap();
    clock.set(at(4));
    assets.create(json!({"n": 4}), Some("a")).unwrap();
    assets.delete("b", OnReferenced::Restrict).unwrap();
    clock.set(at(5));
    assets.restore("b", 1).unwrap();
    assert_eq!(ids(0), []);
    assert_eq!(ids(1), [entry("a", 1), entry("b", 1)]);
    assert_eq!(ids(2), [entry("a", 3), entry("b", 1)], "of versions of one time the last counts");
    assert_eq!(ids(3), [entry("b", 1)]);
    assert_eq!(ids(4), [entry("a", 5)]);
    assert_eq!(ids(5), [entry("a", 5), entry("b", 3)]);
    assert_eq!(ids(59), ids(5));
    let then = assets.as_of(at(2)).unwrap();
    assert_eq!((payload(&then[0]), then[0].last_updated, &*then[0].table_name), (json!({"n": 3}), at(2), "assets"));
    let between = at(1).checked_add(Duration::from_micros(1)).unwrap();
    assert_eq!(assets.as_of(between).unwrap(), assets.as_of(at(1)).unwrap());
}

/// More entries than one statement reads, some changed, some gone, in two orders of ids.
fn large(env: &Env) {
    const ENTRIES: i64 = 3_000;
    let (store, clock) = clocked(env, "2020-01-01T00:00:00Z");
    let assets = store.aux("p", "assets");
    let put = |items: &mut dyn Iterator<Item = Value>, mode| {
        let options = BulkOptions { mode, ..BulkOptions::default() };
        assets.import_items(items.map(Ok), options, &mut |_, _| Ok(())).unwrap();
    };
    let id = |n: i64| format!("{:05}", n * 7919 % 100_003);
    put(&mut (0..ENTRIES).map(|n| json!({"id": id(n), "n": n})), Mode::Merge);
    let first = clock.now();
    clock.advance(Duration::from_secs(60));
    put(&mut (0..ENTRIES).filter(|n| n % 3 != 0).map(|n| json!({"id": id(n), "n": n * (n % 2)})), Mode::Replace);
    let second = clock.now();
    clock.advance(Duration::from_secs(60));
    put(&mut std::iter::empty(), Mode::Replace);
    let wanted = |keep: &dyn Fn(i64) -> Option<i64>| -> BTreeMap<String, i64> {
        (0..ENTRIES).filter_map(|n| Some((id(n), keep(n)?))).collect()
    };
    let was = |at: Timestamp| -> Vec<(String, i64)> {
        let entries = assets.as_of(at).unwrap();
        entries.iter().map(|entry| (entry.id.clone(), payload(entry)["n"].as_i64().unwrap())).collect()
    };
    assert_eq!(was(first), wanted(&|n| Some(n)).into_iter().collect::<Vec<_>>());
    assert_eq!(was(second), wanted(&|n| (n % 3 != 0).then_some(n * (n % 2))).into_iter().collect::<Vec<_>>());
    assert_eq!(was(Timestamp::MAX), []);
}

fn set_back(env: &Env) {
    let (store, clock) = clocked(env, "2020-01-01T12:00:00Z");
    let assets = store.aux("p", "assets");
    assets.create(json!({"n": 1}), Some("a")).unwrap();
    clock.set(time("2020-01-01T11:00:00Z"));
    patch(&assets, "a", json!({"n": 2}));
    let versions: Vec<i64> = assets.history("a").unwrap().iter().map(|one| one.version).collect();
    assert_eq!(versions, [1, 2]);
    for at in ["2020-01-01T11:30:00Z", "2020-01-01T12:30:00Z"] {
        assert_eq!(assets.as_of(time(at)).unwrap()[0].version, 2, "{at}");
        assert_eq!(assets.diff("a", Moment::At(time(at)), None).unwrap(), []);
    }
    assert_eq!(assets.as_of(time("2020-01-01T10:30:00Z")).unwrap(), []);
}

/// Five entries changed a few hundred times; after each step the table is remembered.
fn by_chance(env: &Env) {
    let (store, clock) = clocked(env, "2020-01-01T00:00:00Z");
    let assets = store.aux("p", "assets");
    let mut dice = 42_u64;
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    let mut known: BTreeMap<Timestamp, Vec<Entry>> = BTreeMap::new();
    let mut versions: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for step in 0..300 {
        if roll(3) > 0 {
            clock.advance(Duration::from_secs(roll(3)));
        }
        let id = format!("e{}", roll(5));
        match roll(6) {
            0 => drop(assets.delete(&id, OnReferenced::Force)),
            1 => drop(assets.restore(&id, 1 + roll(8) as i64)),
            2 => drop(assets.create(json!({"n": step}), Some(&id))),
            3 => {
                let items = [json!({"id": id, "m": step}), json!({"id": "e0", "m": roll(2)})];
                assets.bulk_upsert(items.map(Ok), BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
            }
            _ => drop(assets.upsert(json!({"n": roll(4)}), Some(&id), roll(2) == 0)),
        }
        let mut page = assets.list(&sprongus::aux_store::ListQuery::default()).unwrap().items;
        page.iter_mut().for_each(|entry| entry.warnings.clear());
        for n in 0..5 {
            let id = format!("e{n}");
            let present = page.iter().find(|entry| entry.id == id);
            let of_id = versions.entry(id).or_default();
            match present {
                Some(entry) => {
                    of_id.resize(entry.version as usize, Value::Null);
                    *of_id.last_mut().unwrap() = payload(entry);
                }
                None if of_id.last().is_some_and(|last| !last.is_null()) => of_id.push(Value::Null),
                None => {}
            }
        }
        known.insert(clock.now(), page);
    }
    assert!(known.len() > 50, "time went on");
    for (at, page) in &known {
        assert_eq!(assets.as_of(*at).unwrap(), *page, "{at}");
    }
    for (id, documents) in &versions {
        let history = assets.history(id).unwrap();
        let is: Vec<Value> = told(&history).into_iter().map(|(_, document, _)| document).collect();
        assert_eq!(is, *documents, "{id}");
        assert!(history.iter().zip(1..).all(|(one, number)| one.version == number));
    }
}

/// A chain of the data folder: its documents and their days.
fn chain(line: &str) -> Vec<(Value, Timestamp)> {
    let chain: Value = serde_json::from_str(line).unwrap();
    let version = |one: &Value| (one["payload"].clone(), time(&format!("{}T00:00:00Z", one["date"].as_str().unwrap())));
    chain["versions"].as_array().unwrap().iter().map(version).collect()
}

fn chains(env: &Env) {
    let Some(data) = data_dir() else { return };
    let lines = std::fs::read_to_string(data.join("merge-patch/tate_version_chains.jsonl")).unwrap();
    let chains: Vec<_> = lines.lines().map(chain).collect();
    assert_eq!((chains.len(), chains.iter().map(Vec::len).sum::<usize>()), (15, 87));
    let (store, clock) = clocked(env, "2013-01-01T00:00:00Z");
    bind(Face::Store(&store), "records", json!({"properties": {"id": {"x-id": true}}}));
    let records = store.aux("p", "records");
    let days: BTreeSet<Timestamp> = chains.iter().flatten().map(|(_, at)| *at).collect();
    for day in &days {
        clock.set(*day);
        for (document, _) in chains.iter().flatten().filter(|(_, at)| at == day) {
            records.upsert(document.clone(), None, true).unwrap();
        }
    }
    for chain in &chains {
        history_is(&records, chain);
    }
    for day in &days {
        let was: BTreeMap<String, Value> =
            records.as_of(*day).unwrap().iter().map(|entry| (entry.id.clone(), payload(entry))).collect();
        let of_day = |chain: &Vec<(Value, Timestamp)>| chain.iter().rfind(|(_, at)| at <= day).cloned();
        let wanted: BTreeMap<String, Value> =
            chains.iter().filter_map(of_day).map(|(document, _)| (document["id"].to_string(), document)).collect();
        assert_eq!(was, wanted, "{day}");
    }
    for chain in &chains {
        all_come_back(&records, chain);
    }
}

fn history_is(records: &Aux<'_>, chain: &[(Value, Timestamp)]) {
    let id = chain[0].0["id"].to_string();
    let history = records.history(&id).unwrap();
    let is: Vec<_> = history.iter().map(|one| (one.snapshot.as_ref().unwrap().to_value(), one.at)).collect();
    assert_eq!(is, chain, "{id}");
    for (version, pair) in (1..).zip(chain.windows(2)) {
        let differences = records.diff(&id, Moment::Version(version), Some(Moment::Version(version + 1))).unwrap();
        assert!(!differences.is_empty());
        let mut document = pair[0].0.clone();
        apply(&mut document, &differences);
        assert_eq!(document, pair[1].0, "{id} from {version}");
        let since = records.diff(&id, Moment::At(pair[0].1), Some(Moment::At(pair[1].1))).unwrap();
        assert!(pair[0].1 == pair[1].1 || since == differences);
    }
}

fn all_come_back(records: &Aux<'_>, chain: &[(Value, Timestamp)]) {
    let id = chain[0].0["id"].to_string();
    for (number, (document, _)) in (1..).zip(chain) {
        let before = records.get(&id).unwrap();
        let back = records.restore(&id, number).unwrap();
        let next = before.version + i64::from(payload(&before) != *document);
        assert_eq!((payload(&back), back.version), (document.clone(), next), "{id} to {number}");
    }
}

/// Applies differences to the document they were taken from: what goes from the back, so that indexes hold.
fn apply(document: &mut Value, differences: &[Difference]) {
    let (removed, others): (Vec<_>, Vec<_>) = differences.iter().partition(|one| one.op == ChangeOp::Removed);
    for one in others {
        match one.op {
            ChangeOp::Changed => {
                let place = document.pointer_mut(&one.path).unwrap();
                assert_eq!(*place, one.old);
                *place = one.new.clone();
            }
            _ => add(document, one),
        }
    }
    for one in removed.into_iter().rev() {
        assert_eq!(document.pointer(&one.path), Some(&one.old));
        let (parent, step) = parent(document, &one.path);
        match parent {
            Value::Object(map) => drop(map.remove(&step)),
            Value::Array(items) => drop(items.pop()),
            _ => panic!("{}", one.path),
        }
    }
}

fn add(document: &mut Value, one: &Difference) {
    let (parent, step) = parent(document, &one.path);
    match parent {
        Value::Object(map) => assert_eq!(map.insert(step, one.new.clone()), None),
        Value::Array(items) => {
            assert_eq!(items.len().to_string(), step);
            items.push(one.new.clone());
        }
        _ => panic!("{}", one.path),
    }
}

fn parent<'d>(document: &'d mut Value, path: &str) -> (&'d mut Value, String) {
    let (parent, step) = path.rsplit_once('/').unwrap();
    (document.pointer_mut(parent).unwrap(), step.replace("~1", "/").replace("~0", "~"))
}

fn projects_apart(env: &Env) {
    let store = env.open();
    store.aux("p", "assets").create(json!({"n": 1}), Some("a")).unwrap();
    store.aux("q", "assets").create(json!({"n": 2}), Some("a")).unwrap();
    patch(&store.aux("q", "assets"), "a", json!({"n": 3}));
    let (p, q) = (store.aux("p", "assets"), store.aux("q", "assets"));
    assert_eq!((p.history("a").unwrap().len(), q.history("a").unwrap().len()), (1, 2));
    assert_eq!(payload(&p.as_of(Timestamp::MAX).unwrap()[0]), json!({"n": 1}));
    assert_eq!(code(p.restore("a", 2)), ErrorCode::NotFound);
    let reader = store.scoped("p", &[Scope::AuxRead]).unwrap();
    assert_eq!(reader.aux("p", "assets").history("a").unwrap().len(), 1);
    assert_eq!(code(reader.aux("p", "assets").restore("a", 1)), ErrorCode::PermissionDenied);
    assert_eq!(code(reader.aux("q", "assets").history("a")), ErrorCode::PermissionDenied);
    assert_eq!(code(reader.aux("q", "assets").as_of(Timestamp::MAX)), ErrorCode::PermissionDenied);
}
