//! Lists: filters, searches, orders, pages.

use serde_json::{Value, json};
use sprongus::ErrorCode;
use sprongus::aux_store::{Aux, ListQuery, UpdateOptions};
use sprongus_conformance::{Case, Env};
use sprongus_testkit::data_dir;

use crate::aux_entries::bind;

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, covers, run| Case { name, covers, transactional: true, run };
    vec![
        case("aux::lists_are_in_code_point_order_of_id", &["aux.list"], by_id),
        case("aux::sorts_rank_types_and_end_with_id", &["aux.list"], sorts),
        case("aux::cursors_give_every_entry_once", &["aux.list"], cursors),
        case("aux::the_newest_come_first", &["aux.list"], newest),
        case("aux::limits_and_offsets", &["aux.list"], limits),
        case("aux::filters_decide_alike", &["aux.list", "aux.count"], filters),
        case("aux::searches_fold_and_keep_to_their_fields", &["aux.list", "aux.count"], searches),
        case("aux::naughty_search_terms", &["aux.list"], naughty_terms),
        case("aux::what_no_entry_can_hold_finds_none", &["aux.list", "aux.count"], impossible),
    ]
}

fn ids(aux: &Aux<'_>, query: &ListQuery) -> String {
    aux.list(query).unwrap().iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>().join(" ")
}

fn sorted(aux: &Aux<'_>, sort: &[&str]) -> String {
    ids(aux, &ListQuery { sort: sort.iter().map(|field| (*field).to_owned()).collect(), ..ListQuery::default() })
}

fn filtered(aux: &Aux<'_>, filter: Value) -> String {
    assert_eq!(
        aux.count(None, Some(&filter)).unwrap() as usize,
        aux.list(&ListQuery { filter: Some(filter.clone()), ..ListQuery::default() }).unwrap().len()
    );
    ids(aux, &ListQuery { filter: Some(filter), ..ListQuery::default() })
}

fn found(aux: &Aux<'_>, q: &str) -> String {
    let query = ListQuery { q: Some(q.to_owned()), ..ListQuery::default() };
    assert_eq!(aux.count(Some(q), None).unwrap() as usize, aux.list(&query).unwrap().len());
    ids(aux, &query)
}

fn by_id(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        for id in ["b", "a", "Z", "é", "a b", "ﬀ", "𝒳", "_"] {
            assets.create(json!({}), Some(id)).unwrap();
        }
        assert_eq!(sorted(&assets, &[]), "Z _ a a b b é ﬀ 𝒳");
        assert_eq!(sorted(&assets, &["-id"]), "𝒳 ﬀ é b a b a _ Z");
    });
}

fn sorts(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        let values = [
            ("a", json!({"x": {"k": 1}})),
            ("b", json!({"x": [2]})),
            ("c", json!({"x": "Z"})),
            ("d", json!({"x": "a"})),
            ("e", json!({"x": 9_007_199_254_740_993_i64})),
            ("f", json!({"x": 9_007_199_254_740_992.0})),
            ("g", json!({"x": true})),
            ("h", json!({"x": false})),
            ("i", json!({"x": null})),
            ("j", json!({})),
            ("k", json!({"x": [1, 2]})),
            ("l", json!({"x": 18_446_744_073_709_551_615_u64})),
        ];
        for (id, payload) in values {
            assets.create(payload, Some(id)).unwrap();
        }
        assert_eq!(sorted(&assets, &["x"]), "i j h g f e l c d b k a");
        assert_eq!(sorted(&assets, &["-x"]), "a b k d c l e f g h i j");
        assert_eq!(sorted(&assets, &["x.k", "-id"]), "l k j i h g f e d c b a");
        let bad = ListQuery { sort: vec!["-".into()], ..ListQuery::default() };
        assert_eq!(assets.list(&bad).unwrap_err().code(), ErrorCode::InvalidArgument);
    });
}

fn cursors(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        for n in 0..25 {
            assets.create(json!({"n": n % 4, "s": format!("{n}")}), Some(&format!("{n:02}"))).unwrap();
        }
        for sort in
            [vec![], vec!["-id"], vec!["n"], vec!["-n", "s"], vec!["-lastUpdated"], vec!["lastUpdated"], vec!["gone"]]
        {
            let sort: Vec<String> = sort.into_iter().map(str::to_owned).collect();
            let whole = ids(&assets, &ListQuery { sort: sort.clone(), ..ListQuery::default() });
            let (mut paged, mut cursor) = (Vec::new(), None);
            loop {
                let page =
                    assets.list(&ListQuery { sort: sort.clone(), limit: 7, cursor, ..ListQuery::default() }).unwrap();
                paged.extend(page.iter().map(|entry| entry.id.clone()));
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(paged.join(" "), whole, "{sort:?}");
            assert_eq!(paged.len(), 25);
        }
        let cursor = assets.list(&ListQuery { limit: 5, ..ListQuery::default() }).unwrap().next_cursor;
        for query in [
            ListQuery { cursor: cursor.clone(), sort: vec!["n".into()], ..ListQuery::default() },
            ListQuery { cursor: cursor.clone(), offset: 1, ..ListQuery::default() },
            ListQuery { cursor: Some("x".into()), ..ListQuery::default() },
        ] {
            assert_eq!(assets.list(&query).unwrap_err().code(), ErrorCode::InvalidArgument);
        }
        assert_eq!(
            on.aux("citations").list(&ListQuery { cursor, ..ListQuery::default() }).unwrap_err().code(),
            ErrorCode::InvalidArgument
        );
    });
}

fn newest(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        for id in ["a", "b", "c"] {
            assets.create(json!({}), Some(id)).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        assets.update("a", json!({"n": 1}), UpdateOptions::default()).unwrap();
        assert_eq!(sorted(&assets, &["-lastUpdated"]), "a c b");
        assert_eq!(sorted(&assets, &["lastUpdated"]), "b c a");
        assert_eq!(sorted(&assets, &["-$version"]), "a b c");
        let since = assets.get("c").unwrap().last_updated.to_string();
        assert_eq!(filtered(&assets, json!({"lastUpdated": {"gte": since}})), "a c");
    });
}

fn limits(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        for n in 0..5 {
            assets.create(json!({"n": -n}), Some(&format!("{n}"))).unwrap();
        }
        let page = |limit, offset, sort: &[&str]| {
            let sort = sort.iter().map(|field| (*field).to_owned()).collect();
            assets.list(&ListQuery { limit, offset, sort, ..ListQuery::default() })
        };
        let text = |page: sprongus::Page<sprongus::aux_store::Entry>| {
            page.iter().map(|entry| entry.id.clone()).collect::<String>()
        };
        assert_eq!(text(page(2, 1, &[]).unwrap()), "12");
        assert_eq!(text(page(2, 1, &["n"]).unwrap()), "32");
        assert_eq!(text(page(0, 0, &[]).unwrap()), "");
        assert_eq!(text(page(5, 9, &["n"]).unwrap()), "");
        assert_eq!(page(5, 0, &[]).unwrap().next_cursor, None);
        for (limit, offset) in [(-1, 0), (1001, 0), (1, -1)] {
            assert_eq!(page(limit, offset, &[]).unwrap_err().code(), ErrorCode::InvalidArgument);
        }
    });
}

fn filters(env: &Env) {
    env.within(|on| {
        bind(on, "things", json!({"type": "object"}));
        let assets = on.aux("things");
        assets.create(json!({"year": 1900, "title": "Straße", "words": ["oil", 1]}), Some("a")).unwrap();
        assets.create(json!({"year": 1900.5, "title": "sea", "size": {"w.x": 1e16}}), Some("b")).unwrap();
        assets.create(json!({"year": "1900", "none": null}), Some("c")).unwrap();
        for (filter, wanted) in [
            (json!({}), "a b c"),
            (json!({"year": 1900.0}), "a"),
            (json!({"year": "1900"}), "c"),
            (json!({"year": {"gte": 1900}}), "a b"),
            (json!({"year": {"ne": 1900}}), "b c"),
            (json!({"none": null}), "c"),
            (json!({"none": {"exists": false}}), "a b"),
            (json!({"words": {"contains": 1.0}}), "a"),
            (json!({"title": {"icontains": "STRASSE"}}), "a"),
            (json!({"title": {"starts_with": "s"}}), "b"),
            (json!({r"size.w\.x": 10_000_000_000_000_000_i64}), "b"),
            (json!({"words.0": "oil"}), "a"),
            (json!({"year": {"not": {"in": [1900, 1900.5]}}}), "c"),
            (json!({"id": {"in": ["c", "a", "x"]}}), "a c"),
            (json!({"id": "b", "$version": 1}), "b"),
            (json!({"$version": {"gt": 1}}), ""),
        ] {
            assert_eq!(filtered(&assets, filter.clone()), wanted, "{filter}");
        }
        for bad in [json!([]), json!({"year": {}}), json!({"year": {"like": "x"}}), json!({"a\\b": 1})] {
            assert_eq!(assets.count(None, Some(&bad)).unwrap_err().code(), ErrorCode::InvalidArgument, "{bad}");
        }
    });
}

fn searches(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        assets.create(json!({"title": "Straße im Café"}), Some("a")).unwrap();
        assets.create(json!({"deep": [{"er": "STRASSE"}], "n": 5}), Some("b")).unwrap();
        assets.create(json!({"title": "cafe\u{301}"}), Some("c")).unwrap();
        assert_eq!(found(&assets, "strasse"), "a b");
        assert_eq!(found(&assets, "CAFÉ"), "a c");
        assert_eq!(found(&assets, "5"), "");
        assert_eq!(found(&assets, ""), "a b c");
        bind(on, "works", json!({"fields": [{"name": "title", "type": "string", "search": true}, {"name": "note", "type": "string"}]}));
        let works = on.aux("works");
        works.create(json!({"title": "blue", "note": "red"}), Some("a")).unwrap();
        assert_eq!((found(&works, "BLUE"), found(&works, "red")), ("a".into(), String::new()));
        // Another preset over the same entries searches other fields at once.
        bind(on, "works", json!({"fields": [{"name": "title", "type": "string"}, {"name": "note", "type": "string", "search": true}]}));
        assert_eq!((found(&works, "blue"), found(&works, "RED")), (String::new(), "a".into()));
    });
}

fn naughty_terms(env: &Env) {
    let Some(folder) = data_dir() else { return };
    let strings = std::fs::read(folder.join("blns/blns.even.json")).unwrap();
    let strings: Vec<String> = serde_json::from_slice(&strings).unwrap();
    env.within(|on| {
        let assets = on.aux("assets");
        for (n, text) in strings.iter().enumerate() {
            assets.create(json!({"deep": [text]}), Some(&format!("{n:03}"))).unwrap();
        }
        for (n, text) in strings.iter().enumerate() {
            let id = format!("{n:03}");
            let query = ListQuery { q: Some(text.clone()), limit: 1000, ..ListQuery::default() };
            assert!(assets.list(&query).unwrap().iter().any(|entry| entry.id == id), "{text:?}");
            let filter = json!({"deep": {"contains": text}, "id": id});
            assert_eq!(assets.count(None, Some(&filter)).unwrap(), 1, "{text:?}");
        }
    });
}

/// NUL, which no string or id holds and PostgreSQL could not even be asked for.
fn impossible(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        assets.create(json!({"title": "ab"}), Some("ab")).unwrap();
        assert_eq!((found(&assets, "a\0b"), found(&assets, "\0")), (String::new(), String::new()));
        for filter in [json!({"id": "a\0b"}), json!({"id": {"in": ["\0"]}}), json!({"title": {"contains": "\0"}})] {
            assert_eq!(filtered(&assets, filter.clone()), "", "{filter}");
        }
        assert_eq!(filtered(&assets, json!({"id": {"in": ["a\0b", "ab"]}})), "ab");
    });
}
