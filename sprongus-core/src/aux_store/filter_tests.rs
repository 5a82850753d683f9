#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::aux_store::testing::shared_json;
use crate::error::ErrorCode;

fn document() -> Value {
    json!({
        "title": "Straße", "year": 1900, "ratio": 1.0, "none": null, "tags": ["Oil", 1, {"a": 1}],
        "size": {"w": 10, "a.b": 2, "c\\d": 3}, "flag": true, "list": [[1], []], "op": {"eq": 1},
    })
}

fn matches(filter: Value) -> bool {
    let payload = document();
    let last_updated = "2026-01-02T03:04:05Z".parse().unwrap();
    Filter::parse(&filter).unwrap().matches(&Candidate { id: "e1", version: 3, last_updated, payload: &payload })
}

#[test]
fn what_matches() {
    for filter in [
        json!({}),
        json!({"title": "Straße"}),
        json!({"year": 1900.0}),
        json!({"ratio": 1}),
        json!({"none": null}),
        json!({"year": {"gte": 1900, "lt": 1901}}),
        json!({"year": {"gt": 1899.5}}),
        json!({"title": {"gt": "S", "lte": "Straße"}}),
        json!({"year": {"in": ["x", 1900.0]}}),
        json!({"none": {"in": [null]}}),
        json!({"tags": {"contains": "Oil"}}),
        json!({"tags": {"contains": 1.0}}),
        json!({"tags": {"contains": {"a": 1.0}}}),
        json!({"title": {"contains": "raß"}}),
        json!({"title": {"icontains": "STRASS"}}),
        json!({"tags": {"icontains": "oIL"}}),
        json!({"title": {"starts_with": "Str"}}),
        json!({"title": {"exists": true}, "none": {"exists": true}, "gone": {"exists": false}}),
        json!({"gone": {"ne": 1}, "none": {"ne": 1}, "year": {"ne": "1900"}}),
        json!({"gone": {"ne": null}}),
        json!({"gone": {"not": 5}, "year": {"not": {"lt": 1900}}}),
        json!({"year": {"not": {"not": 1900}}}),
        json!({"gone": {"not": {"exists": true}}}),
        json!({"size.w": 10, r"size.a\.b": 2, r"size.c\\d": 3, "tags.0": "Oil", "tags.2.a": 1, "list.0.0": 1}),
        json!({"size": {"eq": {"w": 10.0, "a.b": 2, "c\\d": 3}}}),
        json!({"op": {"eq": {"eq": 1}}}),
        json!({"tags": ["Oil", 1.0, {"a": 1}]}),
        json!({"flag": true}),
        json!({"id": "e1", "$version": 3, "lastUpdated": "2026-01-02T04:04:05+01:00"}),
        json!({"id": {"starts_with": "e"}, "$version": {"gte": 3}}),
        json!({"lastUpdated": {"lt": "2026-01-02T03:04:05.000001Z", "gte": "2026-01-02T03:04:05Z"}}),
        json!({"lastUpdated": {"starts_with": "2026-01"}}),
    ] {
        assert!(matches(filter.clone()), "{filter}");
    }
}

#[test]
fn what_does_not_match() {
    for filter in [
        json!({"year": "1900"}),
        json!({"gone": null}),
        json!({"none": {"exists": false}}),
        json!({"title": {"lt": 5}}),
        json!({"year": {"lt": "x"}}),
        json!({"none": {"lte": null}}),
        json!({"flag": {"gte": true}}),
        json!({"year": {"in": []}}),
        json!({"tags": {"contains": "oil"}}),
        json!({"tags": {"icontains": "oi"}}),
        json!({"title": {"contains": 5}}),
        json!({"size": {"contains": "w"}}),
        json!({"title": {"starts_with": "str"}}),
        json!({"year": {"gte": 1900, "lt": 1900}}),
        json!({"year": 1900, "title": "x"}),
        json!({"gone": {"contains": ""}}),
        json!({"year": {"ne": 1900.0}}),
        json!({"tags.00": "Oil"}),
        json!({"list": [1, []]}),
        json!({"lastUpdated": null}),
    ] {
        assert!(!matches(filter.clone()), "{filter}");
    }
}

#[test]
fn what_cannot_be_a_filter_is_refused() {
    for filter in [
        json!(null),
        json!([]),
        json!("year=1"),
        json!({"year": {}}),
        json!({"year": {"near": 5}}),
        json!({"year": {"gte": 1, "$gt": 5}}),
        json!({"year": {"in": 5}}),
        json!({"year": {"exists": 1}}),
        json!({"year": {"exists": null}}),
        json!({"year": {"not": {}}}),
        json!({"year": {"not": {"nope": 1}}}),
        json!({"title": {"icontains": 5}}),
        json!({"title": {"starts_with": null}}),
        json!({"lastUpdated": {"gte": "yesterday"}}),
        json!({r"a\b": 1}),
    ] {
        let error = Filter::parse(&filter).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{filter}");
    }
    let error = Filter::parse(&json!({"year": {"near": 5}})).unwrap_err();
    assert!(error.message().contains("\"near\"") && error.message().contains("\"year\""), "{error}");
}

#[test]
fn ids_narrow() {
    let ids = |filter: Value| Filter::parse(&filter).unwrap().ids().map(|ids| ids.join(" "));
    assert_eq!(ids(json!({"id": "a", "x": 1})), Some("a".into()));
    assert_eq!(ids(json!({"id": {"in": ["a", 5, "b"]}})), Some("a b".into()));
    assert_eq!(ids(json!({"id": 5})), Some(String::new()));
    assert_eq!(ids(json!({"id": {"not": "a"}})), None);
}

#[test]
fn naughty_strings_as_values_and_keys() {
    let Some(strings) = shared_json("blns/blns.even.json") else { return };
    let last_updated = "2026-01-02T03:04:05Z".parse().unwrap();
    for text in strings.as_array().unwrap().iter().filter_map(Value::as_str) {
        let payload = json!({"deep": {text: text}});
        let path = format!("deep.{}", crate::text::path_key(text));
        let filter =
            Filter::parse(&json!({path: {"eq": text, "contains": text, "icontains": text, "starts_with": text}}))
                .unwrap();
        assert!(filter.matches(&Candidate { id: text, version: 1, last_updated, payload: &payload }), "{text:?}");
    }
}
