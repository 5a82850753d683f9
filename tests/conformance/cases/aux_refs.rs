//! References: who refers to an entry, what becomes of them, and what they lead to.

use serde_json::{Value, json};
use sprongus::aux_store::{Aux, BulkOptions, EntryVersion, OnReferenced, RefView, Referrer, UpdateOptions};
use sprongus::{Error, ErrorCode, Options, Scope, Store, ops};
use sprongus_conformance::{Backend, Case, Env, Face};

use crate::aux_entries::{bind, payload};

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, covers, run| Case { name, covers, transactional: true, run };
    let alone = |name, covers, run| Case { name, covers, transactional: false, run };
    vec![
        case("refs::storyboard_rows_refer_to_assets_and_citations", &["aux.referrers", "aux.resolve_refs"], storyboard),
        case("refs::referrers_follow_every_write", &["aux.referrers"], follow),
        case("refs::referrers_of_a_new_preset_are_known_before_it_is_written", &["aux.referrers"], new_preset),
        case("refs::views_come_in_the_order_asked", &["aux.resolve_refs"], order),
        case("refs::labels_and_links", &["aux.resolve_refs"], labels),
        case("refs::many_ids_at_once", &["aux.resolve_refs"], many),
        case("refs::an_entry_may_refer_to_itself", &["aux.delete", "aux.referrers"], itself),
        case("refs::a_ring_can_be_taken_apart", &["aux.delete"], ring),
        case("refs::references_deep_in_documents", &["aux.delete", "aux.referrers"], deep),
        case("refs::unlinking_is_a_version_and_an_event", &["aux.delete", "aux.history"], unlinking),
        case("refs::an_entry_that_needs_the_reference_holds_up_unlinking", &["aux.delete"], required),
        case("refs::bulk_rows_refer_too", &["aux.bulk_upsert", "aux.referrers"], bulk),
        case("refs::doors", &["aux.referrers", "aux.resolve_refs"], doors),
        alone("refs::other_projects_are_never_referred_to", &["aux.referrers", "aux.resolve_refs"], projects_apart),
        alone("refs::a_reader_is_enough", &["aux.referrers", "aux.resolve_refs"], reader),
        alone("refs::a_deletion_and_a_reference_at_once_leave_none_dangling", &["aux.delete"], race),
    ]
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorCode {
    result.unwrap_err().code()
}

fn referrer(table: &str, id: &str, field: &str) -> Referrer {
    Referrer { table: table.into(), id: id.into(), field: field.into() }
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn summaries(history: &[EntryVersion]) -> Vec<&str> {
    history.iter().map(|one| one.change_summary.as_str()).collect()
}

fn put(aux: &Aux<'_>, id: &str, document: Value) {
    aux.upsert(document, Some(id), true).unwrap();
}

fn storyboard(env: &Env) {
    env.within(|on| {
        let (assets, citations, rows) = (on.aux("assets"), on.aux("citations"), on.aux("storyboard"));
        put(&assets, "a1", json!({"title": "Coburg", "url": "https://example.org/coburg.jpg"}));
        put(&assets, "a2", json!({"name": "Gotha"}));
        put(&citations, "c1", json!({"title": "A history of Coburg"}));
        let made = rows.create(json!({"assetIds": ["a2", "a1", "a9"], "citationIds": ["c1"]}), Some("r1")).unwrap();
        let warned: Vec<_> = made.warnings.iter().map(|one| (one.path.as_str(), one.keyword.as_str())).collect();
        assert_eq!(warned, [("/assetIds/2", "dangling_ref")]);
        put(&rows, "r2", json!({"assetIds": ["a1"], "citationIds": []}));
        let expected = [referrer("storyboard", "r1", "assetIds[]"), referrer("storyboard", "r2", "assetIds[]")];
        assert_eq!(assets.referrers("a1").unwrap(), expected);
        assert_eq!(citations.referrers("c1").unwrap(), [referrer("storyboard", "r1", "citationIds[]")]);
        assert_eq!(assets.referrers("a9").unwrap().len(), 1, "a reference to nothing has its referrer");
        let views = assets.resolve_refs(&ids(&["a2", "a1", "a9"])).unwrap();
        let told: Vec<_> =
            views.iter().map(|view| (view.label.as_deref(), view.url.as_deref(), view.missing)).collect();
        let wanted = [
            (Some("Gotha"), None, false),
            (Some("Coburg"), Some("https://example.org/coburg.jpg"), false),
            (None, None, true),
        ];
        assert_eq!(told, wanted);
        assert_eq!(code(citations.delete("c1", OnReferenced::Restrict)), ErrorCode::Referenced);
        assert_eq!(citations.delete("c1", OnReferenced::Unlink).unwrap().len(), 1);
        assert_eq!(payload(&rows.get("r1").unwrap()), json!({"assetIds": ["a2", "a1", "a9"], "citationIds": []}));
        // What is missing may come later.
        put(&assets, "a9", json!({}));
        assert_eq!(rows.update("r1", json!({"n": 1}), UpdateOptions::default()).unwrap().warnings, []);
    });
}

fn boards(on: Face<'_, '_>) {
    let schema =
        json!({"properties": {"cover": {"x-ref": "assets"}, "all": {"type": "array", "items": {"x-ref": "assets"}}}});
    bind(on, "boards", schema);
}

fn follow(env: &Env) {
    env.within(|on| {
        boards(on);
        let (assets, boards) = (on.aux("assets"), on.aux("boards"));
        put(&assets, "x", json!({}));
        put(&assets, "y", json!({}));
        assert_eq!(assets.referrers("x").unwrap(), []);
        put(&boards, "b", json!({"cover": "x", "all": ["x", "y", "x"]}));
        let both = [referrer("boards", "b", "all[]"), referrer("boards", "b", "cover")];
        assert_eq!(assets.referrers("x").unwrap(), both);
        boards.update("b", json!({"cover": "y"}), UpdateOptions::default()).unwrap();
        assert_eq!(assets.referrers("x").unwrap(), both[..1]);
        assert_eq!(assets.referrers("y").unwrap().len(), 2);
        boards.restore("b", 1).unwrap();
        assert_eq!(assets.referrers("x").unwrap(), both);
        boards.delete("b", OnReferenced::Restrict).unwrap();
        assert_eq!(assets.referrers("x").unwrap(), []);
        assert_eq!(assets.delete("x", OnReferenced::Restrict).unwrap(), []);
        boards.restore("b", 3).unwrap();
        assert_eq!(assets.referrers("x").unwrap(), both, "though it dangles");
        put(&assets, "x", json!({}));
        assert_eq!(assets.delete("x", OnReferenced::Warn).unwrap(), both);
        put(&assets, "x", json!({}));
        assert_eq!(assets.delete("x", OnReferenced::Unlink).unwrap(), both);
        assert_eq!(payload(&boards.get("b").unwrap()), json!({"all": ["y"]}));
        for id in ["", "a\0", &"x".repeat(129)] {
            assert_eq!(code(assets.referrers(id)), ErrorCode::InvalidArgument);
        }
    });
}

fn new_preset(env: &Env) {
    env.within(|on| {
        bind(on, "boards", json!({"type": "object"}));
        let (assets, boards) = (on.aux("assets"), on.aux("boards"));
        for n in 0..150 {
            put(&boards, &format!("b{n:03}"), json!({"cover": "x", "other": "x"}));
        }
        assert_eq!(assets.referrers("x").unwrap(), []);
        bind(on, "boards", json!({"properties": {"cover": {"x-ref": "assets"}}}));
        let known = assets.referrers("x").unwrap();
        assert_eq!((known.len(), &known[149]), (150, &referrer("boards", "b149", "cover")));
        put(&boards, "b000", json!({}));
        assert_eq!(assets.referrers("x").unwrap(), known[1..]);
        bind(on, "boards", json!({"properties": {"other": {"x-ref": "citations"}}}));
        assert_eq!(assets.referrers("x").unwrap(), []);
        assert_eq!(on.aux("citations").referrers("x").unwrap().len(), 149);
    });
}

fn order(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        for id in ["b", "a", "C", "é", "17"] {
            put(&assets, id, json!({"title": format!("the {id}")}));
        }
        let long = "x".repeat(129);
        let asked = ids(&["é", "b", "", "nobody", "b", "a\0b", "C", &long, "17", "a", "%", "a' OR '1'='1"]);
        let views = assets.resolve_refs(&asked).unwrap();
        assert_eq!(views.iter().map(|view| view.id.clone()).collect::<Vec<_>>(), asked);
        for view in views {
            let there = ["b", "a", "C", "é", "17"].contains(&view.id.as_str());
            let label = there.then(|| format!("the {}", view.id));
            assert_eq!((view.missing, view.label, view.url), (!there, label, None));
        }
        assert_eq!(assets.resolve_refs(&[]).unwrap(), []);
        let nowhere = on.aux("nowhere").resolve_refs(&ids(&["a"])).unwrap();
        assert_eq!(nowhere, [RefView { id: "a".into(), missing: true, label: None, url: None }]);
    });
}

fn labels(env: &Env) {
    env.within(|on| {
        bind(on, "things", json!({"type": "object"}));
        let things = on.aux("things");
        let cases = [
            (json!({"title": "T", "name": "N", "label": "L", "a": "A"}), Some("T"), None),
            (json!({"title": 7, "name": "N", "link": "l", "href": "h"}), Some("N"), Some("h")),
            (json!({"title": "", "name": null, "label": "L", "url": 1, "link": "l"}), Some("L"), Some("l")),
            (json!({"b": "B", "a": 1, "c": "C"}), Some("B"), None),
            (json!({"title": {"en": "T"}, "names": ["N"]}), None, None),
            (json!({}), None, None),
        ];
        for (document, label, url) in cases {
            put(&things, "a", document.clone());
            let view = things.resolve_refs(&ids(&["a"])).unwrap().remove(0);
            assert_eq!((view.label.as_deref(), view.url.as_deref()), (label, url), "{document}");
        }
    });
}

fn many(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        let items = (0..2_500).map(|n| Ok(json!({"id": format!("a{n}"), "title": format!("{n}")})));
        assets.bulk_upsert(items, BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
        let asked: Vec<String> = (0..5_000).rev().map(|n| format!("a{n}")).collect();
        let views = assets.resolve_refs(&asked).unwrap();
        assert_eq!(views.len(), 5_000);
        for (n, view) in (0..5_000).rev().zip(views) {
            assert_eq!((view.id, view.label), (format!("a{n}"), (n < 2_500).then(|| n.to_string())));
        }
    });
}

fn itself(env: &Env) {
    env.within(|on| {
        bind(on, "parts", json!({"properties": {"parent": {"x-ref": {"table": "parts", "strict": true}}}}));
        let parts = on.aux("parts");
        let made = parts.create(json!({"parent": "a"}), Some("a")).unwrap();
        assert_eq!((made.warnings, parts.referrers("a").unwrap()), (vec![], vec![]));
        put(&parts, "b", json!({"parent": "a"}));
        assert_eq!(parts.referrers("a").unwrap(), [referrer("parts", "b", "parent")]);
        assert_eq!(code(parts.delete("a", OnReferenced::Restrict)), ErrorCode::Referenced);
        parts.delete("b", OnReferenced::Restrict).unwrap();
        assert_eq!(parts.delete("a", OnReferenced::Restrict).unwrap(), []);
        assert_eq!(payload(&parts.restore("a", 1).unwrap()), json!({"parent": "a"}));
        assert_eq!(parts.delete("a", OnReferenced::Unlink).unwrap(), []);
        assert_eq!(summaries(&parts.history("a").unwrap()), ["created", "deleted", "restored from 1", "deleted"]);
    });
}

fn ring(env: &Env) {
    env.within(|on| {
        bind(on, "parts", json!({"properties": {"next": {"x-ref": "parts"}}}));
        let parts = on.aux("parts");
        for (id, next) in [("a", "b"), ("b", "c"), ("c", "a")] {
            put(&parts, id, json!({ "next": next }));
        }
        for id in ["a", "b", "c"] {
            assert_eq!(code(parts.delete(id, OnReferenced::Restrict)), ErrorCode::Referenced);
        }
        assert_eq!(parts.delete("a", OnReferenced::Unlink).unwrap(), [referrer("parts", "c", "next")]);
        assert_eq!(payload(&parts.get("c").unwrap()), json!({}));
        assert_eq!(parts.delete("c", OnReferenced::Warn).unwrap(), [referrer("parts", "b", "next")]);
        assert_eq!(parts.delete("b", OnReferenced::Restrict).unwrap(), []);
    });
}

fn deep(env: &Env) {
    env.within(|on| {
        let schema = json!({"properties": {"scenes": {"type": "array", "items": {"type": "object", "properties": {
            "shot": {"type": "object", "properties": {"a/b": {"x-ref": "assets"}, "all": {"type": "array", "items": {"x-ref": "assets"}}}}}}}}});
        bind(on, "films", schema);
        let (assets, films) = (on.aux("assets"), on.aux("films"));
        put(&assets, "x", json!({}));
        let document = json!({"scenes": [{"shot": {"a/b": "x", "all": ["x", "y"]}}, {"shot": {}}, {"shot": {"all": ["x"]}}]});
        let made = films.create(document, Some("f")).unwrap();
        assert_eq!(made.warnings.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), ["/scenes/0/shot/all/1"]);
        assert_eq!(assets.referrers("x").unwrap().len(), 2);
        assets.delete("x", OnReferenced::Unlink).unwrap();
        let left = json!({"scenes": [{"shot": {"all": ["y"]}}, {"shot": {}}, {"shot": {"all": []}}]});
        assert_eq!(payload(&films.get("f").unwrap()), left);
    });
}

fn unlinking(env: &Env) {
    env.within(|on| {
        boards(on);
        let (assets, boards) = (on.aux("assets"), on.aux("boards"));
        put(&assets, "x", json!({}));
        put(&boards, "b", json!({"cover": "x", "all": ["x"], "n": 1}));
        assets.delete("x", OnReferenced::Unlink).unwrap();
        let history = boards.history("b").unwrap();
        assert_eq!(summaries(&history), ["created", "updated: all, cover"]);
        let told = on.query(
            "SELECT count(*) FROM sprongus_events WHERE subject = 'aux:p/boards/b' AND type = 'aux.updated'",
            &[],
        );
        assert_eq!(told.unwrap()[0].values(), [sprongus::Value::Int(1)]);
    });
}

fn required(env: &Env) {
    env.within(|on| {
        bind(on, "boards", json!({"properties": {"cover": {"x-ref": "assets"}}, "required": ["cover"]}));
        let (assets, boards) = (on.aux("assets"), on.aux("boards"));
        put(&assets, "x", json!({}));
        put(&boards, "b1", json!({"cover": "x"}));
        put(&boards, "b2", json!({"cover": "x"}));
        let error = assets.delete("x", OnReferenced::Unlink).unwrap_err();
        let named = error.violations_list().remove(0);
        assert_eq!(
            (error.code(), named.id.as_deref(), named.path.as_str(), named.keyword.as_str()),
            (ErrorCode::Validation, Some("b1"), "/cover", "required")
        );
        assert_eq!(assets.get("x").unwrap().version, 1);
        assert_eq!(assets.referrers("x").unwrap().len(), 2);
        assert_eq!(boards.history("b1").unwrap().len(), 1);
    });
}

fn bulk(env: &Env) {
    env.within(|on| {
        boards(on);
        let (assets, boards) = (on.aux("assets"), on.aux("boards"));
        put(&assets, "x", json!({}));
        let rows = json!([{"id": "b1", "cover": "x"}, {"id": "b2", "all": ["x", "gone"]}]);
        let rows = rows.as_array().unwrap().clone();
        let report = boards.bulk_upsert(rows.into_iter().map(Ok), BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
        assert_eq!((report.warnings[0].path.as_str(), report.warnings[0].row), ("/all/1", Some(2)));
        let both = [referrer("boards", "b1", "cover"), referrer("boards", "b2", "all[]")];
        assert_eq!(assets.referrers("x").unwrap(), both);
        assert_eq!(
            assets.delete("x", OnReferenced::Restrict).unwrap_err().details().unwrap()["referrers"],
            json!(both)
        );
    });
}

fn doors(env: &Env) {
    env.within(|on| {
        put(&on.aux("assets"), "x", json!({"title": "T"}));
        put(&on.aux("storyboard"), "r", json!({"assetIds": ["x"], "citationIds": []}));
        let call = |name: &str, request: Value| -> Value {
            let request = request.to_string();
            let answer = match on {
                Face::Store(store) => ops::call(store, name, request.as_bytes()),
                Face::Tx(tx) => ops::call(tx, name, request.as_bytes()),
            };
            serde_json::from_str(&answer.unwrap()).unwrap()
        };
        let of = json!({"project": "p", "table": "assets", "id": "x"});
        assert_eq!(call("aux.referrers", of), json!([{"table": "storyboard", "id": "r", "field": "assetIds[]"}]));
        let views = call("aux.resolve_refs", json!({"project": "p", "table": "assets", "ids": ["x", "y"]}));
        assert_eq!(views[0], json!({"id": "x", "missing": false, "label": "T", "url": null}));
        assert_eq!(views[1], json!({"id": "y", "missing": true, "label": null, "url": null}));
    });
}

fn projects_apart(env: &Env) {
    let store = env.open();
    put(&store.aux("p", "assets"), "x", json!({"title": "of p"}));
    let made = store.aux("q", "storyboard").create(json!({"assetIds": ["x"], "citationIds": []}), Some("r")).unwrap();
    assert_eq!(made.warnings[0].keyword, "dangling_ref", "an entry of another project is none");
    assert_eq!(store.aux("p", "assets").referrers("x").unwrap(), []);
    assert!(store.aux("q", "assets").resolve_refs(&ids(&["x"])).unwrap()[0].missing);
    assert_eq!(store.aux("p", "assets").delete("x", OnReferenced::Restrict).unwrap(), []);
    put(&store.aux("q", "assets"), "x", json!({"title": "of q"}));
    assert_eq!(store.aux("q", "assets").referrers("x").unwrap().len(), 1);
    let other = store.scoped("p", &[Scope::AuxRead]).unwrap();
    assert_eq!(code(other.aux("q", "assets").referrers("x")), ErrorCode::PermissionDenied);
    assert_eq!(code(other.aux("q", "assets").resolve_refs(&[])), ErrorCode::PermissionDenied);
}

/// A store that was opened to be read, before the keys of a new preset were made.
fn reader(env: &Env) {
    if env.backend() == Backend::SqliteMemory {
        // Nobody else can open it; a handle that may only read stands for it.
        let store = env.open();
        written_before_its_preset(&store);
        asked_by_reader(&store.scoped("p", &[Scope::AuxRead]).unwrap());
        return;
    }
    written_before_its_preset(&env.open());
    asked_by_reader(&env.open_with(Options { read_only: true, ..env.options() }));
}

fn written_before_its_preset(store: &Store) {
    bind(Face::Store(store), "boards", json!({"type": "object"}));
    put(&store.aux("p", "boards"), "b", json!({"cover": "x"}));
    bind(Face::Store(store), "boards", json!({"properties": {"cover": {"x-ref": "assets"}}}));
}

fn asked_by_reader(store: &Store) {
    assert_eq!(store.aux("p", "assets").referrers("x").unwrap(), [referrer("boards", "b", "cover")]);
    assert!(store.aux("p", "assets").resolve_refs(&ids(&["x"])).unwrap()[0].missing);
}

/// One thread refers to entries while another deletes them: whoever is second is refused or warned.
fn race(env: &Env) {
    const ENTRIES: usize = 40;
    let store = env.open();
    let schema = json!({"properties": {"cover": {"x-ref": {"table": "assets", "strict": true}}}});
    bind(Face::Store(&store), "boards", schema);
    let (assets, boards) = (store.aux("p", "assets"), store.aux("p", "boards"));
    (0..ENTRIES).for_each(|n| put(&assets, &n.to_string(), json!({})));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..ENTRIES {
                if let Err(error) =
                    store.aux("p", "boards").create(json!({"cover": n.to_string()}), Some(&n.to_string()))
                {
                    assert_eq!(error.code(), ErrorCode::Validation, "{error}");
                }
            }
        });
        scope.spawn(|| {
            for n in (0..ENTRIES).rev() {
                if let Err(error) = store.aux("p", "assets").delete(&n.to_string(), OnReferenced::Restrict) {
                    assert_eq!(error.code(), ErrorCode::Referenced, "{error}");
                }
            }
        });
    });
    let mut both = 0;
    for n in (0..ENTRIES).map(|n| n.to_string()) {
        let (asset, board) = (assets.get(&n).is_ok(), boards.get(&n).is_ok());
        assert_eq!(asset, board, "{n}: one of them was there first");
        both += usize::from(asset);
    }
    assert!(both <= ENTRIES);
}
