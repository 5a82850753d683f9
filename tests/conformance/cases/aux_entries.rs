//! Entries one by one: what is written, what is refused, what is kept beside them.

use serde_json::{Value, json};
use sprongus::aux_store::{BulkOptions, Nulls, OnReferenced, UpdateOptions};
use sprongus::presets::{BindPreset, CreatePreset, PresetKind};
use sprongus::{Error, ErrorCode, Json, ops};
use sprongus_conformance::{Case, Env, Face};
use sprongus_testkit::data_dir;

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, covers, run| Case { name, covers, transactional: true, run };
    vec![
        case(
            "aux::an_entry_is_created_read_and_deleted",
            &["aux.create", "aux.get", "aux.delete"],
            created_read_deleted,
        ),
        case("aux::an_unbound_table_says_how_to_bind", &["aux.create"], unbound),
        case("aux::every_violation_is_named_and_nothing_written", &["aux.create", "aux.count"], every_violation),
        case("aux::ids_come_from_argument_document_or_clock", &["aux.create"], ids),
        case("aux::reserved_fields_are_refused", &["aux.create", "aux.update"], reserved),
        case("aux::an_update_merges_and_judges_the_result", &["aux.update"], merges),
        case("aux::nulls_are_removed_or_kept", &["aux.update"], nulls),
        case("aux::a_replacement_takes_defaults_a_merge_does_not", &["aux.update"], defaults),
        case("aux::unchanged_makes_no_version", &["aux.update", "aux.upsert"], unchanged),
        case("aux::if_version_guards", &["aux.update"], if_version),
        case("aux::upsert_creates_merges_replaces", &["aux.upsert"], upserts),
        case("aux::versions_go_on_across_deletion", &["aux.create", "aux.delete"], versions_go_on),
        case("aux::each_change_is_one_event", &["aux.create", "aux.update", "aux.delete"], events),
        case("aux::a_unique_value_is_taken_once", &["aux.create", "aux.update"], unique),
        case("aux::keys_follow_a_new_preset", &["aux.create", "presets.bind"], keys_follow),
        case("aux::keys_are_kept_across_a_preset_without_any", &["aux.create", "presets.bind"], keys_survive),
        case("aux::referrers_of_before_the_preset_count", &["aux.delete", "presets.bind"], referrers_follow),
        case("aux::names_with_slashes_are_apart", &["aux.create", "aux.bulk_upsert"], slashes),
        case("aux::dangling_references_warn_or_refuse", &["aux.create"], dangling),
        case("aux::referenced_entries_are_guarded", &["aux.delete"], referenced),
        case("aux::unlinking_takes_the_id_out", &["aux.delete"], unlinking),
        case("aux::floats_and_large_integers_stay_what_they_are", &["aux.create", "aux.get"], numbers),
        case("aux::too_large_is_refused", &["aux.create"], too_large),
        case("aux::naughty_strings_are_ids_keys_and_values", &["aux.create", "aux.get", "aux.list"], naughty),
        case(
            "aux::every_operation_has_its_door",
            &[
                "aux.create",
                "aux.get",
                "aux.update",
                "aux.upsert",
                "aux.delete",
                "aux.list",
                "aux.count",
                "aux.bulk_upsert",
                "aux.import",
                "aux.export",
            ],
            door,
        ),
        Case { name: "aux::projects_are_apart", covers: &["aux.get"], transactional: false, run: projects_apart },
        Case {
            name: "aux::a_failed_write_leaves_the_transaction_usable",
            covers: &["aux.create"],
            transactional: false,
            run: within_transaction,
        },
    ]
}

/// Binds a table to a preset of its own.
pub(crate) fn bind(on: Face<'_, '_>, table: &str, definition: Value) {
    let label = table.replace(['/', '%'], "-");
    let definition = Json::from_value(&definition).unwrap();
    let preset = on.presets().create(&CreatePreset::new(&*label, PresetKind::Custom, definition)).unwrap();
    let address = preset.address();
    on.presets().bind(&BindPreset { table: table.to_owned(), address, ..BindPreset::default() }).unwrap();
}

pub(crate) fn payload(entry: &sprongus::aux_store::Entry) -> Value {
    entry.payload.to_value()
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorCode {
    result.unwrap_err().code()
}

fn places(error: &Error) -> Vec<(String, String)> {
    error.violations_list().into_iter().map(|one| (one.path, one.keyword)).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(path, keyword)| ((*path).to_owned(), (*keyword).to_owned())).collect()
}

fn created_read_deleted(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        let made = assets.create(json!({"title": "Coburg", "year": 1863}), Some("a-1")).unwrap();
        assert_eq!((made.id.as_str(), made.version, made.table_name.as_str()), ("a-1", 1, "assets"));
        assert_eq!(made.payload.as_str(), r#"{"title":"Coburg","year":1863}"#);
        assert_eq!(assets.get("a-1").unwrap(), made);
        assert_eq!(code(assets.create(json!({}), Some("a-1"))), ErrorCode::Conflict);
        assert_eq!(assets.delete("a-1", OnReferenced::Restrict).unwrap(), []);
        assert_eq!(code(assets.get("a-1")), ErrorCode::NotFound);
        assert_eq!(code(assets.delete("a-1", OnReferenced::Force)), ErrorCode::NotFound);
        assert_eq!(code(assets.get("")), ErrorCode::InvalidArgument);
        assert_eq!(code(assets.create(json!([1]), None)), ErrorCode::Validation);
    });
}

fn unbound(env: &Env) {
    env.within(|on| {
        let error = on.aux("nowhere").create(json!({}), None).unwrap_err();
        assert_eq!(error.code(), ErrorCode::NotFound);
        assert!(error.message().contains("bind"), "{error}");
        assert_eq!(code(on.aux("").create(json!({}), None)), ErrorCode::InvalidArgument);
        assert_eq!(on.aux("nowhere").count(None, None).unwrap(), 0);
    });
}

fn every_violation(env: &Env) {
    env.within(|on| {
        bind(
            on,
            "works",
            json!({"fields": [
            {"name": "title", "type": "string", "required": true}, {"name": "year", "type": "integer"}]}),
        );
        let error = on.aux("works").create(json!({"year": "x", "more": 1}), None).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Validation);
        assert_eq!(
            places(&error),
            pairs(&[("/more", "additionalProperties"), ("/title", "required"), ("/year", "type")])
        );
        let nul = on.aux("works").create(json!({"title": "a\0b"}), None).unwrap_err();
        assert_eq!(places(&nul), pairs(&[("/title", "json")]));
        assert_eq!(on.aux("works").count(None, None).unwrap(), 0);
    });
}

fn ids(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        assert_eq!(assets.create(json!({"id": "b", "title": "x"}), None).unwrap().id, "b");
        let seventeen = assets.create(json!({"id": 17}), None).unwrap();
        assert_eq!((seventeen.id.as_str(), seventeen.payload.as_str()), ("17", "{}"));
        assert_eq!(assets.create(json!({}), None).unwrap().id.len(), 26);
        assert_eq!(code(assets.create(json!({"id": "c"}), Some("d"))), ErrorCode::ReservedField);
        assert_eq!(code(assets.create(json!({}), Some(&"x".repeat(129)))), ErrorCode::InvalidArgument);
        bind(on, "books", json!({"type": "object", "properties": {"isbn": {"type": "string", "x-id": true}}}));
        let book = on.aux("books").create(json!({"isbn": "978-3"}), None).unwrap();
        assert_eq!((book.id.as_str(), book.payload.as_str()), ("978-3", r#"{"isbn":"978-3"}"#));
        let shown = on.aux("books").create(json!({}), Some("979-1")).unwrap();
        assert_eq!(shown.payload.as_str(), r#"{"isbn":"979-1"}"#);
    });
}

fn reserved(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        let own = json!({"id": "a", "projectId": "p", "tableName": "assets", "title": "x"});
        assert_eq!(assets.create(own, Some("a")).unwrap().payload.as_str(), r#"{"title":"x"}"#);
        let error = assets.create(json!({"projectId": "q", "lastUpdated": null}), None).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ReservedField);
        assert_eq!(places(&error), pairs(&[("/projectId", "reserved"), ("/lastUpdated", "reserved")]));
        assert_eq!(code(assets.update("a", json!({"id": "b"}), UpdateOptions::default())), ErrorCode::ReservedField);
        assert_eq!(assets.update("a", json!({"id": "a", "n": 1}), UpdateOptions::default()).unwrap().version, 2);
    });
}

fn merges(env: &Env) {
    env.within(|on| {
        bind(
            on,
            "works",
            json!({"type": "object", "required": ["title"], "properties": {"year": {"type": "integer"}}}),
        );
        let works = on.aux("works");
        works.create(json!({"title": "A", "size": {"w": 1, "h": 2}}), Some("a")).unwrap();
        let patch = json!({"size": {"h": null, "d": 3}, "year": 1900});
        let merged = works.update("a", patch, UpdateOptions::default()).unwrap();
        assert_eq!(payload(&merged), json!({"title": "A", "size": {"w": 1, "d": 3}, "year": 1900}));
        assert_eq!(merged.version, 2);
        let error = works.update("a", json!({"title": null}), UpdateOptions::default()).unwrap_err();
        assert_eq!(places(&error), pairs(&[("/title", "required")]));
        assert_eq!(works.get("a").unwrap(), merged);
        assert_eq!(code(works.update("b", json!({}), UpdateOptions::default())), ErrorCode::NotFound);
    });
}

fn nulls(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        assets.create(json!({"title": "A", "n": 1}), Some("a")).unwrap();
        let keep = UpdateOptions { nulls: Nulls::Keep, ..UpdateOptions::default() };
        assert_eq!(payload(&assets.update("a", json!({"n": null}), keep).unwrap()), json!({"title": "A", "n": null}));
        let removed = assets.update("a", json!({"n": null}), UpdateOptions::default()).unwrap();
        assert_eq!(payload(&removed), json!({"title": "A"}));
        let replace = UpdateOptions { replace: true, ..UpdateOptions::default() };
        assert_eq!(payload(&assets.update("a", json!({"m": null}), replace).unwrap()), json!({"m": null}));
    });
}

fn defaults(env: &Env) {
    env.within(|on| {
        bind(
            on,
            "works",
            json!({"fields": [{"name": "state", "type": "string", "default": "new"}, {"name": "n", "type": "number"}]}),
        );
        let works = on.aux("works");
        assert_eq!(payload(&works.create(json!({}), Some("a")).unwrap()), json!({"state": "new"}));
        let merged = works.update("a", json!({"state": null, "n": 1.5}), UpdateOptions::default()).unwrap();
        assert_eq!(payload(&merged), json!({"n": 1.5}));
        let replace = UpdateOptions { replace: true, ..UpdateOptions::default() };
        assert_eq!(payload(&works.update("a", json!({"n": 2}), replace).unwrap()), json!({"state": "new", "n": 2}));
    });
}

fn unchanged(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        let made = assets.create(json!({"title": "A", "n": 1}), Some("a")).unwrap();
        assert_eq!(assets.update("a", json!({"n": 1}), UpdateOptions::default()).unwrap(), made);
        assert_eq!(assets.upsert(json!({"n": 1, "title": "A"}), Some("a"), true).unwrap(), made);
        let float = assets.update("a", json!({"n": 1.0}), UpdateOptions::default()).unwrap();
        assert_eq!((float.version, float.payload.as_str()), (2, r#"{"n":1.0,"title":"A"}"#));
    });
}

fn if_version(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        assets.create(json!({}), Some("a")).unwrap();
        let at = |version| UpdateOptions { if_version: Some(version), ..UpdateOptions::default() };
        assert_eq!(assets.update("a", json!({"n": 1}), at(1)).unwrap().version, 2);
        let error = assets.update("a", json!({"n": 2}), at(1)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Conflict);
        assert_eq!(error.details().unwrap()["version"], 2);
        assert_eq!(payload(&assets.get("a").unwrap()), json!({"n": 1}));
    });
}

fn upserts(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        assert_eq!(assets.upsert(json!({"id": "a", "x": 1, "nil": null}), None, false).unwrap().version, 1);
        let merged = assets.upsert(json!({"y": 2}), Some("a"), false).unwrap();
        assert_eq!((merged.version, payload(&merged)), (2, json!({"x": 1, "y": 2, "nil": null})));
        assert_eq!(payload(&assets.upsert(json!({"id": "a", "z": 3}), None, true).unwrap()), json!({"z": 3}));
    });
}

fn versions_go_on(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        assets.create(json!({"n": 1}), Some("a")).unwrap();
        assets.update("a", json!({"n": 2}), UpdateOptions::default()).unwrap();
        assets.delete("a", OnReferenced::Restrict).unwrap();
        assert_eq!(assets.create(json!({"n": 3}), Some("a")).unwrap().version, 4);
        let sql = "SELECT version, change_summary FROM sprongus_aux_versions WHERE id = 'a' ORDER BY version";
        let kept = on.query(sql, &[]).unwrap();
        let told: Vec<String> = kept.iter().map(|row| format!("{:?}", row.values())).collect();
        assert_eq!(told.len(), 3);
        assert!(
            told[0].contains("created") && told[1].contains("updated: n") && told[2].contains("deleted"),
            "{told:?}"
        );
    });
}

fn events(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        assets.create(json!({"n": 1}), Some("a")).unwrap();
        assets.update("a", json!({"n": 1}), UpdateOptions::default()).unwrap();
        assets.update("a", json!({"n": 2}), UpdateOptions::default()).unwrap();
        assets.delete("a", OnReferenced::Restrict).unwrap();
        let sql = "SELECT seq, type FROM sprongus_events WHERE subject = 'aux:p/assets/a' ORDER BY seq";
        let rows = on.query(sql, &[]).unwrap();
        let told: Vec<String> = rows.iter().map(|row| format!("{:?}", row.values())).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        for (told, kind) in told.iter().zip(["aux.created", "aux.updated", "aux.deleted"]) {
            assert!(told.contains(kind), "{told}");
        }
    });
}

fn unique(env: &Env) {
    env.within(|on| {
        bind(on, "works", json!({"fields": [{"name": "n", "type": "number", "unique": true}, {"name": "s", "type": "string"}, {"name": "t", "type": "string"}], "unique": [["s", "t"]]}));
        let works = on.aux("works");
        works.create(json!({"n": 1, "s": "a", "t": "b"}), Some("a")).unwrap();
        let error = works.create(json!({"n": 1.0}), Some("b")).unwrap_err();
        assert_eq!((error.code(), places(&error)), (ErrorCode::Conflict, pairs(&[("/n", "unique")])));
        assert_eq!(code(works.get("b")), ErrorCode::NotFound);
        works.create(json!({"s": "a"}), Some("c")).unwrap();
        assert_eq!(code(works.update("c", json!({"t": "b"}), UpdateOptions::default())), ErrorCode::Conflict);
        works.update("a", json!({"n": 2}), UpdateOptions::default()).unwrap();
        works.create(json!({"n": 1}), Some("b")).unwrap();
        works.delete("a", OnReferenced::Restrict).unwrap();
        works.create(json!({"n": 2, "s": "a", "t": "b"}), Some("d")).unwrap();
    });
}

fn keys_follow(env: &Env) {
    env.within(|on| {
        bind(on, "works", json!({"type": "object"}));
        let works = on.aux("works");
        works.create(json!({"n": 1}), Some("a")).unwrap();
        bind(on, "works", json!({"type": "object", "properties": {"n": {"x-unique": true}}}));
        assert_eq!(code(works.create(json!({"n": 1}), Some("b"))), ErrorCode::Conflict);
        // Twins that a forced binding lets be: the first id has the value.
        bind(on, "twins", json!({"type": "object"}));
        let twins = on.aux("twins");
        for id in ["a", "b", "c"] {
            twins.create(json!({"n": 1, "next": id}), Some(id)).unwrap();
        }
        let definition = json!({"properties": {"n": {"x-unique": true}, "next": {"x-ref": "twins"}}});
        let definition = Json::from_value(&definition).unwrap();
        on.presets().create(&CreatePreset::new("twins", PresetKind::Custom, definition)).unwrap();
        let forced = BindPreset { force: true, ..BindPreset::default() };
        on.presets().bind(&BindPreset { table: "twins".into(), address: "twins@2".into(), ..forced }).unwrap();
        assert_eq!(code(twins.update("b", json!({"more": 1}), UpdateOptions::default())), ErrorCode::Conflict);
        twins.update("a", json!({"more": 1}), UpdateOptions::default()).unwrap();
        let kept = on.query("SELECT count(*) FROM sprongus_aux_refs WHERE from_table = 'twins'", &[]).unwrap();
        assert_eq!(kept[0].values(), [sprongus::Value::Int(3)]);
    });
}

fn keys_survive(env: &Env) {
    env.within(|on| {
        let unique = json!({"type": "object", "properties": {"n": {"x-unique": true}}});
        bind(on, "works", unique.clone());
        let works = on.aux("works");
        works.create(json!({"n": 1}), Some("a")).unwrap();
        bind(on, "works", json!({"type": "object"}));
        works.update("a", json!({"n": 2}), UpdateOptions::default()).unwrap();
        works.create(json!({"n": 3}), Some("b")).unwrap();
        bind(on, "works", unique);
        assert_eq!(code(works.create(json!({"n": 3}), None)), ErrorCode::Conflict);
        assert_eq!(code(works.create(json!({"n": 2}), None)), ErrorCode::Conflict);
        works.create(json!({"n": 1}), None).unwrap();
    });
}

fn referrers_follow(env: &Env) {
    env.within(|on| {
        bind(on, "boards", json!({"type": "object"}));
        let (boards, assets) = (on.aux("boards"), on.aux("assets"));
        assets.create(json!({}), Some("a")).unwrap();
        boards.create(json!({"cover": "a"}), Some("b")).unwrap();
        bind(on, "boards", json!({"type": "object", "properties": {"cover": {"x-ref": "assets"}}}));
        assert_eq!(code(assets.delete("a", OnReferenced::Restrict)), ErrorCode::Referenced);
        assert_eq!(assets.delete("a", OnReferenced::Unlink).unwrap().len(), 1);
        assert_eq!(payload(&boards.get("b").unwrap()), json!({}));
    });
}

/// What is told of one entry has a name of its own, whatever stands in the names it is made of.
fn slashes(env: &Env) {
    env.within(|on| {
        bind(on, "t", json!({"type": "object"}));
        bind(on, "t/x", json!({"type": "object"}));
        bind(on, "t%2Fx", json!({"type": "object"}));
        on.aux("t").create(json!({}), Some("x/y")).unwrap();
        on.aux("t/x").create(json!({}), Some("y")).unwrap();
        on.aux("t%2Fx").create(json!({}), Some("y")).unwrap();
        on.aux("t").create(json!({}), Some("x")).unwrap();
        on.aux("t/x").bulk_upsert([Ok(json!({}))], BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
        on.aux("t").update("x", json!({"n": 1}), UpdateOptions::default()).unwrap();
        let told =
            on.query("SELECT count(DISTINCT subject), count(*) FROM sprongus_events WHERE type LIKE 'aux.%'", &[]);
        assert_eq!(told.unwrap()[0].values(), [sprongus::Value::Int(5), sprongus::Value::Int(6)]);
    });
}

fn references(on: Face<'_, '_>) {
    bind(
        on,
        "boards",
        json!({"fields": [
        {"name": "assets", "type": "ref", "table": "assets", "many": true},
        {"name": "cover", "type": "ref", "table": "assets"},
        {"name": "lead", "type": "ref", "table": "assets", "strict": true}]}),
    );
}

fn dangling(env: &Env) {
    env.within(|on| {
        references(on);
        let boards = on.aux("boards");
        on.aux("assets").create(json!({}), Some("a")).unwrap();
        let made = boards.create(json!({"assets": ["a", "gone"], "cover": "lost"}), Some("b")).unwrap();
        let warned: Vec<_> = made.warnings.iter().map(|one| (one.path.as_str(), one.keyword.as_str())).collect();
        assert_eq!(warned, [("/assets/1", "dangling_ref"), ("/cover", "dangling_ref")]);
        let error = boards.create(json!({"lead": "gone"}), None).unwrap_err();
        assert_eq!((error.code(), places(&error)), (ErrorCode::Validation, pairs(&[("/lead", "x-ref")])));
        assert_eq!(boards.create(json!({"lead": "a"}), None).unwrap().warnings, []);
    });
}

fn referenced(env: &Env) {
    env.within(|on| {
        references(on);
        let (assets, boards) = (on.aux("assets"), on.aux("boards"));
        assets.create(json!({}), Some("a")).unwrap();
        boards.create(json!({"assets": ["a"], "cover": "a"}), Some("b")).unwrap();
        let error = assets.delete("a", OnReferenced::Restrict).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Referenced);
        let named = &error.details().unwrap()["referrers"];
        assert_eq!(named[0], json!({"table": "boards", "id": "b", "field": "assets[]"}));
        assert_eq!(named.as_array().unwrap().len(), 2);
        assert_eq!(assets.delete("a", OnReferenced::Warn).unwrap().len(), 2);
        assets.create(json!({}), Some("a")).unwrap();
        assert_eq!(assets.delete("a", OnReferenced::Force).unwrap(), []);
        assert_eq!(payload(&boards.get("b").unwrap()), json!({"assets": ["a"], "cover": "a"}));
    });
}

fn unlinking(env: &Env) {
    env.within(|on| {
        references(on);
        let (assets, boards) = (on.aux("assets"), on.aux("boards"));
        assets.create(json!({}), Some("a")).unwrap();
        assets.create(json!({}), Some("c")).unwrap();
        boards.create(json!({"assets": ["a", "c", "a"], "cover": "a"}), Some("b")).unwrap();
        boards.create(json!({"assets": ["c"]}), Some("d")).unwrap();
        assert_eq!(assets.delete("a", OnReferenced::Unlink).unwrap().len(), 2);
        let left = boards.get("b").unwrap();
        assert_eq!((left.version, payload(&left)), (2, json!({"assets": ["c"]})));
        assert_eq!(boards.get("d").unwrap().version, 1);
        assert_eq!(assets.delete("c", OnReferenced::Restrict).unwrap_err().code(), ErrorCode::Referenced);
    });
}

fn numbers(env: &Env) {
    env.within(|on| {
        let text = r#"{"a":1e16,"b":1.0,"c":18446744073709551615,"d":-9223372036854775808,"e":5e-324,"f":1.7976931348623157e308,"g":0.1}"#;
        let made = on.aux("assets").create(serde_json::from_str(text).unwrap(), Some("a")).unwrap();
        assert_eq!(made.payload.as_str(), text);
        assert_eq!(on.aux("assets").get("a").unwrap().payload.as_str(), text);
        let same = on.aux("assets").upsert(serde_json::from_str(text).unwrap(), Some("a"), true).unwrap();
        assert_eq!(same.version, 1);
    });
}

fn too_large(env: &Env) {
    env.within(|on| {
        let error = on.aux("assets").create(json!({"x": "y".repeat(1 << 20)}), None).unwrap_err();
        assert_eq!(error.code(), ErrorCode::TooLarge);
        on.aux("assets").create(json!({"x": "y".repeat((1 << 20) - 8)}), None).unwrap();
    });
}

fn naughty(env: &Env) {
    let Some(folder) = data_dir() else { return };
    let strings = std::fs::read(folder.join("blns/blns.even.json")).unwrap();
    let strings: Vec<String> = serde_json::from_slice(&strings).unwrap();
    env.within(|on| {
        let assets = on.aux("assets");
        for (n, text) in strings.iter().enumerate() {
            let document = json!({"v": text, text: {"deep": [text]}, "n": n});
            let fits = (1..=128).contains(&text.len()) && !text.chars().any(char::is_control);
            let made = assets.create(document, Some(&format!("n{n}"))).unwrap();
            assert_eq!(assets.get(&made.id).unwrap(), made);
            match assets.upsert(json!({}), Some(text), true) {
                Ok(entry) => assert!(fits && assets.get(text).unwrap() == entry, "{text:?}"),
                Err(error) => assert!(!fits && error.code() == ErrorCode::InvalidArgument, "{text:?}: {error}"),
            }
        }
    });
}

fn projects_apart(env: &Env) {
    let store = env.open();
    store.aux("p", "assets").create(json!({}), Some("a")).unwrap();
    assert_eq!(code(store.aux("q", "assets").get("a")), ErrorCode::NotFound);
    store.aux("q", "assets").create(json!({}), Some("a")).unwrap();
    let scoped = store.scoped("q", sprongus::Scope::DEFAULT).unwrap();
    assert_eq!(code(scoped.aux("p", "assets").get("a")), ErrorCode::PermissionDenied);
    scoped.aux("q", "assets").get("a").unwrap();
    let reader = store.scoped("q", &[sprongus::Scope::AuxRead]).unwrap();
    assert_eq!(code(reader.aux("q", "assets").create(json!({}), None)), ErrorCode::PermissionDenied);
    assert_eq!(code(store.aux("", "assets").get("a")), ErrorCode::InvalidArgument);
}

fn within_transaction(env: &Env) {
    let store = env.open();
    let result = store.transaction(|tx| {
        tx.aux("p", "assets").create(json!({}), Some("a"))?;
        assert_eq!(code(tx.aux("p", "assets").create(json!({}), Some("a"))), ErrorCode::Conflict);
        assert_eq!(code(tx.aux("p", "none").create(json!({}), None)), ErrorCode::NotFound);
        tx.aux("p", "assets").create(json!({}), Some("b"))
    });
    result.unwrap();
    assert_eq!(store.aux("p", "assets").count(None, None).unwrap(), 2);
    let undone: Result<(), Error> = store.transaction(|tx| {
        tx.aux("p", "assets").create(json!({}), Some("c"))?;
        Err(Error::invalid("no"))
    });
    assert_eq!(code(undone), ErrorCode::InvalidArgument);
    assert_eq!(code(store.aux("p", "assets").get("c")), ErrorCode::NotFound);
}

fn door(env: &Env) {
    let (_kept, file) = sprongus_testkit::temp_file("out.ndjson");
    env.within(|on| {
        let call = |name: &str, mut request: Value| -> Value {
            request["project"] = "p".into();
            request["table"] = "assets".into();
            let (name, request) = (format!("aux.{name}"), request.to_string());
            let answer = match on {
                Face::Store(store) => ops::call(store, &name, request.as_bytes()),
                Face::Tx(tx) => ops::call(tx, &name, request.as_bytes()),
            };
            match answer {
                Ok(text) => serde_json::from_str(&text).unwrap(),
                Err(error) => json!({"error": error.code()}),
            }
        };
        let made = call("create", json!({"payload": {"n": 1}, "id": "a"}));
        assert_eq!(
            (&made["projectId"], &made["payload"], &made["version"]),
            (&json!("p"), &json!({"n": 1}), &json!(1))
        );
        assert_eq!(call("get", json!({"id": "a"})), made);
        let updated = call("update", json!({"id": "a", "patch": {"n": null, "m": 2}, "nulls": "keep", "ifVersion": 1}));
        assert_eq!(updated["payload"], json!({"n": null, "m": 2}));
        assert_eq!(call("upsert", json!({"payload": {"id": "b"}, "replace": true}))["version"], 1);
        let page = call("list", json!({"sort": ["-id"], "limit": 1, "filter": {"$version": {"gte": 1}}}));
        assert_eq!((&page["items"][0]["id"], page["nextCursor"].is_string()), (&json!("b"), true));
        assert_eq!(call("count", json!({"q": "x"})), json!({"count": 0}));
        let bulk = call("bulk_upsert", json!({"items": [{"id": "c"}, 5], "onError": "report"}));
        assert_eq!((&bulk["created"], &bulk["errors"][0]["row"]), (&json!(1), &json!(2)));
        assert_eq!(call("export", json!({"path": file}))["count"], 3);
        let import = call("import", json!({"path": file, "mode": "replace", "dryRun": true}));
        assert_eq!((&import["unchanged"], &import["dryRun"]), (&json!(3), &json!(true)));
        assert_eq!(call("delete", json!({"id": "a", "onReferenced": "force"})), json!([]));
        assert_eq!(call("get", json!({"id": "a"})), json!({"error": "not_found"}));
        for (name, request) in
            [("get", json!({"id": "a", "more": 1})), ("create", json!({"payload": []})), ("get", json!({}))]
        {
            assert_eq!(call(name, request), json!({"error": "invalid_argument"}), "{name}");
        }
    });
}
