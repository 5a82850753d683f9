//! Many entries at once.

use serde_json::{Value, json};
use sprongus::aux_store::{Aux, BulkOptions, BulkReport, ListQuery, Mode, OnError, OnReferenced};
use sprongus::{Error, ErrorCode, Result};
use sprongus_conformance::{Case, Env, Face};

use crate::aux_entries::{bind, payload};

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, run| Case { name, covers: &["aux.bulk_upsert"], transactional: true, run };
    vec![
        case("aux::bulk_counts_what_it_does", counts),
        case("aux::bulk_aborts_with_every_bad_row", aborts),
        case("aux::bulk_reports_and_keeps_the_good_rows", reports),
        case("aux::bulk_dry_run_says_the_same_and_keeps_nothing", dry_run),
        case("aux::bulk_merges_or_replaces_each", modes),
        case("aux::of_a_repeated_id_the_last_counts", repeated),
        case("aux::bulk_refuses_taken_unique_values", unique),
        case("aux::bulk_looks_at_references", references),
        case("aux::bulk_takes_references_no_entry_could_have", impossible_references),
        Case {
            name: "aux::rows_judged_again_merge_what_was_given",
            covers: &["aux.bulk_upsert"],
            transactional: false,
            run: judged_again,
        },
        Case {
            name: "aux::what_a_bulk_refers_to_is_guarded",
            covers: &["aux.bulk_upsert", "aux.delete"],
            transactional: false,
            run: guarded,
        },
        case("aux::bulk_is_one_event_and_many_versions", versions),
        case("aux::a_cancelled_bulk_leaves_nothing", cancelled),
        case("aux::bulk_of_nothing", nothing),
        case("aux::bulk_of_many", many),
        Case {
            name: "aux::import_of_items_makes_the_table_equal",
            covers: &["aux.import"],
            transactional: true,
            run: replace_table,
        },
    ]
}

const REPORT: BulkOptions = BulkOptions { mode: Mode::Merge, on_error: OnError::Report, dry_run: false };

fn bulk(aux: &Aux<'_>, items: &[Value], options: BulkOptions) -> Result<BulkReport> {
    aux.bulk_upsert(items.iter().cloned().map(Ok), options, &mut |_, _| Ok(()))
}

fn tally(report: &BulkReport) -> [u64; 4] {
    [report.created, report.updated, report.unchanged, report.deleted]
}

fn told(violations: &[sprongus::Violation]) -> Vec<String> {
    let one = |one: &sprongus::Violation| {
        let row = one.row.map_or_else(|| "-".to_owned(), |row| row.to_string());
        format!("{row} {} {} {}", one.id.as_deref().unwrap_or("-"), one.path, one.keyword)
    };
    violations.iter().map(one).collect()
}

fn ids(aux: &Aux<'_>) -> String {
    aux.list(&ListQuery::default()).unwrap().iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>().join(" ")
}

fn works(on: sprongus_conformance::Face<'_, '_>) {
    bind(
        on,
        "works",
        json!({"fields": [{"name": "n", "type": "integer", "unique": true}, {"name": "s", "type": "string"}]}),
    );
}

fn counts(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        let items = [json!({"id": "a", "n": 1}), json!({"id": "b", "n": null}), json!({"id": 3}), json!({"n": 4})];
        let first = bulk(&assets, &items, BulkOptions::default()).unwrap();
        assert_eq!((tally(&first), first.dry_run), ([4, 0, 0, 0], false));
        let again = [json!({"id": "a", "n": 1}), json!({"id": "b", "n": 2}), json!({"id": "3"})];
        assert_eq!(tally(&bulk(&assets, &again, BulkOptions::default()).unwrap()), [0, 1, 2, 0]);
        assert_eq!(assets.get("b").unwrap().version, 2);
        assert_eq!(assets.get("3").unwrap().payload.as_str(), "{}");
    });
}

const BAD: [&str; 5] = [
    "{\"id\":\"a\",\"n\":1}",
    "{\"id\":\"b\",\"n\":\"x\",\"m\":1}",
    "[]",
    "{\"lastUpdated\":1}",
    "{\"id\":\"c\",\"n\":3}",
];
const TOLD: [&str; 4] = ["2 b /m additionalProperties", "2 b /n type", "3 -  type", "4 - /lastUpdated reserved"];

fn bad() -> Vec<Value> {
    BAD.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

fn aborts(env: &Env) {
    env.within(|on| {
        works(on);
        let error = bulk(&on.aux("works"), &bad(), BulkOptions::default()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Validation);
        assert_eq!(told(&error.violations_list()), TOLD);
        assert_eq!(on.aux("works").count(None, None).unwrap(), 0);
    });
}

fn reports(env: &Env) {
    env.within(|on| {
        works(on);
        let report = bulk(&on.aux("works"), &bad(), REPORT).unwrap();
        assert_eq!((tally(&report), told(&report.errors)), ([2, 0, 0, 0], TOLD.map(str::to_owned).to_vec()));
        assert_eq!(ids(&on.aux("works")), "a c");
    });
}

fn dry_run(env: &Env) {
    env.within(|on| {
        works(on);
        let works = on.aux("works");
        works.create(json!({"n": 9}), Some("a")).unwrap();
        let dry = bulk(&works, &bad(), BulkOptions { dry_run: true, ..REPORT }).unwrap();
        assert_eq!((tally(&dry), dry.dry_run, dry.errors.len()), ([1, 1, 0, 0], true, 4));
        assert_eq!((ids(&works).as_str(), works.get("a").unwrap().version), ("a", 1));
        let real = bulk(&works, &bad(), REPORT).unwrap();
        assert_eq!(BulkReport { dry_run: true, ..real }, dry);
    });
}

fn modes(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        for id in ["a", "b"] {
            assets.create(json!({"x": {"y": 1}, "z": 1}), Some(id)).unwrap();
        }
        bulk(&assets, &[json!({"id": "a", "x": {"w": 2}, "z": null})], BulkOptions::default()).unwrap();
        assert_eq!(payload(&assets.get("a").unwrap()), json!({"x": {"y": 1, "w": 2}, "z": null}));
        let replace = BulkOptions { mode: Mode::Replace, ..BulkOptions::default() };
        assert_eq!(tally(&bulk(&assets, &[json!({"id": "a", "x": 1})], replace).unwrap()), [0, 1, 0, 0]);
        assert_eq!(payload(&assets.get("a").unwrap()), json!({"x": 1}));
        assert_eq!(ids(&assets), "a b");
    });
}

fn repeated(env: &Env) {
    env.within(|on| {
        let items =
            [json!({"id": "a", "n": 1}), json!({"id": "b"}), json!({"id": "a", "m": 2}), json!({"id": "a", "m": 3})];
        let report = bulk(&on.aux("assets"), &items, BulkOptions::default()).unwrap();
        assert_eq!(told(&report.warnings), ["1 a  duplicate_id", "3 a  duplicate_id"]);
        assert_eq!(tally(&report), [2, 0, 0, 0]);
        assert_eq!(payload(&on.aux("assets").get("a").unwrap()), json!({"m": 3}));
        // Nor where there are entries; and one that comes back goes on from the version it had.
        let report = bulk(&on.aux("assets"), &items[..3], BulkOptions::default()).unwrap();
        assert_eq!((told(&report.warnings).join(" "), tally(&report)), ("1 a  duplicate_id".to_owned(), [0, 1, 1, 0]));
        for id in ["a", "b"] {
            on.aux("assets").delete(id, OnReferenced::default()).unwrap();
        }
        assert_eq!(tally(&bulk(&on.aux("assets"), &items, BulkOptions::default()).unwrap()), [2, 0, 0, 0]);
        assert_eq!(["a", "b"].map(|id| on.aux("assets").get(id).unwrap().version), [4, 3]);
        // The last good one: whether a row breaks the preset or takes what another has.
        works(on);
        let works = on.aux("works");
        works.create(json!({"n": 9}), Some("z")).unwrap();
        let row = |n: Value| json!({"id": "a", "n": n});
        let report = bulk(&works, &[row(json!(1)), row(json!(2)), row(json!(9)), row(json!("x"))], REPORT).unwrap();
        assert_eq!(told(&report.errors), ["3 a /n unique", "4 a /n type"]);
        assert_eq!((told(&report.warnings), tally(&report)), (vec!["1 a  duplicate_id".to_owned()], [1, 0, 0, 0]));
        assert_eq!(payload(&works.get("a").unwrap()), json!({"n": 2}));
    });
}

fn unique(env: &Env) {
    env.within(|on| {
        works(on);
        let works = on.aux("works");
        works.create(json!({"n": 1}), Some("a")).unwrap();
        works.create(json!({"n": 2}), Some("b")).unwrap();
        let items = [
            json!({"id": "c", "n": 1}),
            json!({"id": "d", "n": 5}),
            json!({"id": "e", "n": 5}),
            json!({"id": "f", "n": 6}),
        ];
        let error = bulk(&works, &items, BulkOptions::default()).unwrap_err();
        assert_eq!(told(&error.violations_list()), ["1 c /n unique", "3 e /n unique"], "{error}");
        // Beside rows that are wrong by themselves as well.
        let more = [&items[..], &[json!({"id": "g", "n": "six"}), json!({"id": "h", "n": 2})]].concat();
        let error = bulk(&works, &more, BulkOptions::default()).unwrap_err();
        let all = ["1 c /n unique", "3 e /n unique", "5 g /n type", "6 h /n unique"];
        assert_eq!(told(&error.violations_list()), all, "{error}");
        assert_eq!(ids(&works), "a b");
        let report = bulk(&works, &items, REPORT).unwrap();
        assert_eq!((tally(&report), ids(&works).as_str()), ([2, 0, 0, 0], "a b d f"));
        // Values may change hands within a call.
        let swap = [json!({"id": "a", "n": 2}), json!({"id": "b", "n": 1})];
        assert_eq!(tally(&bulk(&works, &swap, BulkOptions::default()).unwrap()), [0, 2, 0, 0]);
        assert_eq!(works.create(json!({"n": 2}), None).unwrap_err().code(), ErrorCode::Conflict);
    });
}

fn references(env: &Env) {
    env.within(|on| {
        bind(
            on,
            "nodes",
            json!({"fields": [{"name": "next", "type": "ref", "table": "nodes"},
            {"name": "parent", "type": "ref", "table": "nodes", "strict": true}]}),
        );
        let nodes = on.aux("nodes");
        let items = [
            json!({"id": "a", "next": "b"}),
            json!({"id": "b", "parent": "a", "next": "gone"}),
            json!({"id": "c", "parent": "lost"}),
            json!({"id": "d", "parent": "c"}),
        ];
        let report = bulk(&nodes, &items, REPORT).unwrap();
        assert_eq!(told(&report.errors), ["3 c /parent x-ref", "4 d /parent x-ref"]);
        assert_eq!(told(&report.warnings), ["2 b /next dangling_ref"]);
        assert_eq!(ids(&nodes), "a b");
        let error = nodes.delete("a", sprongus::aux_store::OnReferenced::Restrict).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Referenced);
    });
}

/// Texts that no id can be, and that no index could hold.
fn impossible_references(env: &Env) {
    env.within(|on| {
        let long: String = (0..20_000_u64).map(|n| format!("{:x}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
        let board = json!({"id": "b", "assetIds": [long, "", "tab\t"]});
        let report = bulk(&on.aux("storyboard"), &[board], BulkOptions::default()).unwrap();
        assert_eq!(
            told(&report.warnings),
            ["1 b /assetIds/0 dangling_ref", "1 b /assetIds/1 dangling_ref", "1 b /assetIds/2 dangling_ref"]
        );
        let refs = on.query("SELECT count(*) FROM sprongus_aux_refs", &[]).unwrap();
        assert_eq!(refs[0].values(), [sprongus::Value::Int(0)]);
    });
}

/// A row is judged as new, then its entry is created by another: defaults are for what is written whole.
fn judged_again(env: &Env) {
    let store = env.open();
    bind(
        Face::Store(&store),
        "works",
        json!({"fields": [{"name": "state", "type": "string", "default": "draft"}, {"name": "n", "type": "integer"}]}),
    );
    let works = store.aux("p", "works");
    let report = works
        .bulk_upsert([Ok(json!({"id": "a", "n": 1}))], BulkOptions::default(), &mut |_, _| {
            store.aux("p", "works").create(json!({"id": "a", "state": "final"}), None).map(drop)
        })
        .unwrap();
    assert_eq!(tally(&report), [0, 1, 0, 0]);
    assert_eq!(payload(&works.get("a").unwrap()), json!({"n": 1, "state": "final"}));
}

/// An entry that rows under way refer to is not deleted from under them.
fn guarded(env: &Env) {
    let store = env.open();
    store.aux("p", "assets").create(json!({}), Some("a")).unwrap();
    std::thread::scope(|scope| {
        let deleting = store
            .transaction(|tx| {
                bulk(&tx.aux("p", "storyboard"), &[json!({"id": "b", "assetIds": ["a"]})], BulkOptions::default())?;
                let assets = store.clone();
                let deleting = scope.spawn(move || assets.aux("p", "assets").delete("a", OnReferenced::Restrict));
                std::thread::sleep(std::time::Duration::from_millis(300));
                Ok(deleting)
            })
            .unwrap();
        assert_eq!(deleting.join().unwrap().unwrap_err().code(), ErrorCode::Referenced);
    });
}

fn versions(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        bulk(&assets, &[json!({"id": "a", "n": 1}), json!({"id": "b"})], BulkOptions::default()).unwrap();
        bulk(&assets, &[json!({"id": "a", "n": 2}), json!({"id": "b"})], BulkOptions::default()).unwrap();
        let events = on.query("SELECT type FROM sprongus_events WHERE subject = 'aux:p/assets'", &[]).unwrap();
        assert_eq!(events.len(), 2);
        let all = on.query("SELECT type FROM sprongus_events WHERE subject LIKE 'aux:%'", &[]).unwrap();
        assert_eq!(all.len(), 2);
        let kept = on.query("SELECT id, version, change_summary FROM sprongus_aux_versions", &[]).unwrap();
        assert_eq!(kept.len(), 1);
        let entries = on.query("SELECT change_summary FROM sprongus_aux_entries ORDER BY id", &[]).unwrap();
        assert!(format!("{entries:?}").contains("updated: n"));
    });
}

fn cancelled(env: &Env) {
    env.within(|on| {
        let items = (0..3000).map(|n| Ok(json!({"id": format!("{n}")})));
        let mut seen = Vec::new();
        let result = on.aux("assets").bulk_upsert(items, BulkOptions::default(), &mut |done, total| {
            seen.push((done, total));
            if done >= 1000 { Err(Error::misuse("enough")) } else { Ok(()) }
        });
        assert_eq!(result.unwrap_err().message(), "enough");
        assert_eq!(seen, [(500, Some(3000)), (1000, Some(3000))]);
        assert_eq!(on.aux("assets").count(None, None).unwrap(), 0);
        let broken = [Ok(json!({})), Err(Error::misuse("the source broke"))];
        let result = on.aux("assets").bulk_upsert(broken, REPORT, &mut |_, _| Ok(()));
        assert_eq!(result.unwrap_err().message(), "the source broke");
    });
}

fn nothing(env: &Env) {
    env.within(|on| {
        assert_eq!(tally(&bulk(&on.aux("assets"), &[], BulkOptions::default()).unwrap()), [0; 4]);
        assert_eq!(bulk(&on.aux("none"), &[], BulkOptions::default()).unwrap_err().code(), ErrorCode::NotFound);
    });
}

fn many(env: &Env) {
    env.within(|on| {
        works(on);
        let item = |n: u64| json!({"id": format!("{n:05}"), "n": n, "s": format!("row {n}")});
        let items: Vec<Value> = (0..5_000).map(item).collect();
        assert_eq!(tally(&bulk(&on.aux("works"), &items, BulkOptions::default()).unwrap()), [5_000, 0, 0, 0]);
        let shifted: Vec<Value> = (0..5_000).map(|n| json!({"id": format!("{n:05}"), "n": n + 1})).collect();
        assert_eq!(tally(&bulk(&on.aux("works"), &shifted, BulkOptions::default()).unwrap()), [0, 5_000, 0, 0]);
        assert_eq!(on.aux("works").count(Some("ROW 49"), None).unwrap(), 111);
    });
}

fn replace_table(env: &Env) {
    env.within(|on| {
        works(on);
        let works = on.aux("works");
        let options = BulkOptions { mode: Mode::Replace, ..REPORT };
        let import =
            |items: Vec<Value>| works.import_items(items.into_iter().map(Ok), options, &mut |_, _| Ok(())).unwrap();
        import(vec![json!({"id": "a", "n": 1}), json!({"id": "b", "n": 2}), json!({"id": "c", "n": 3})]);
        // c's row is refused, so c stays as it is; a gives its value to d.
        let report = import(vec![json!({"id": "b", "n": 2}), json!({"id": "c", "n": "x"}), json!({"id": "d", "n": 1})]);
        assert_eq!((tally(&report), ids(&works).as_str()), ([1, 0, 1, 1], "b c d"));
        assert_eq!(told(&report.errors), ["2 c /n type"]);
        let report = import(vec![json!({"id": "e", "n": 3}), json!({"id": "c", "m": 1})]);
        assert_eq!(told(&report.errors), ["1 e /n unique", "2 c /m additionalProperties"]);
        assert_eq!(ids(&works), "c");
        let empty = import(Vec::new());
        assert_eq!(tally(&empty), [0, 0, 0, 1]);
        assert_eq!(works.create(json!({"n": 3}), Some("c")).unwrap().version, 3);
    });
}
