//! Presets without a database: field lists, keywords, defaults, cells, ids, and definitions meant to harm.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use sprongus::json::Json;
use sprongus::presets::{Address, BUILTINS, Cache, Compiled, PresetKind, apply_defaults, put_identity, take_identity};
use sprongus::{ErrorCode, Result};

fn compile(definition: Value) -> Result<Compiled> {
    Compiled::new(&Json::from_value(&definition)?)
}

fn fields(fields: Value) -> Compiled {
    compile(json!({ "fields": fields })).unwrap()
}

/// Path and keyword of each violation.
fn judged(preset: &Compiled, document: Value) -> Vec<(String, String)> {
    preset.validate(&document).into_iter().map(|one| (one.path, one.keyword)).collect()
}

fn pairs(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
    wanted.iter().map(|(path, keyword)| ((*path).to_owned(), (*keyword).to_owned())).collect()
}

/// The paths at which a definition is refused.
fn refused(definition: Value) -> Vec<String> {
    let error = compile(definition).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Validation, "{error}");
    error.violations_list().into_iter().map(|one| one.path).collect()
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn a_field_list_judges_every_type() {
    let preset = fields(json!([
        { "name": "s", "type": "string", "required": true }, { "name": "n", "type": "number" }, { "name": "i", "type": "integer" },
        { "name": "b", "type": "boolean" }, { "name": "j", "type": "json" }, { "name": "e", "type": "enum", "enumValues": ["a", 1] },
        { "name": "r", "type": "ref", "table": "assets" }, { "name": "m", "type": "ref", "table": "assets", "many": true },
        { "name": "k", "type": "string", "secret": true }, { "name": "x", "type": "json", "maxBytes": 7 },
    ]));
    let good = json!({ "s": "", "n": 1.5, "i": 2.0, "b": false, "j": [null], "e": 1.0, "r": "a1", "m": ["a1"],
                       "k": { "$secret": "key" }, "x": { "a": 1 } });
    assert_eq!(preset.validate(&good), []);
    let bad =
        json!({ "n": "1", "i": 1.5, "b": 0, "e": "b", "r": 1, "m": [1], "k": "hunter2", "x": { "a": 10 }, "~/": 1 });
    let wanted = [
        ("/b", "type"),
        ("/e", "enum"),
        ("/i", "type"),
        ("/k", "x-secret"),
        ("/m/0", "type"),
        ("/n", "type"),
        ("/r", "type"),
        ("/s", "required"),
        ("/x", "x-max-bytes"),
        ("/~0~1", "additionalProperties"),
    ];
    assert_eq!(judged(&preset, bad.clone()), pairs(&wanted));
    let said = serde_json::to_string(&preset.validate(&bad)).unwrap();
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_field_list_names_every_fault() {
    assert_eq!(
        refused(json!({ "fields": [1, { "name": "a", "type": "text" }, { "type": "string" }] })),
        ["/fields/0", "/fields/1/type", "/fields/2/name"]
    );
    assert_eq!(refused(json!({ "fields": [{ "name": "a", "type": "enum" }] })), ["/fields/0/enumValues"]);
    assert_eq!(refused(json!({ "fields": [{ "name": "a", "type": "ref" }] })), ["/fields/0/table"]);
    assert_eq!(refused(json!({ "fields": [{ "name": "a", "type": "string", "min": 1 }] })), ["/fields/0/min"]);
    assert_eq!(refused(json!({ "fields": [{ "name": "a", "type": "string", "table": "t" }] })), ["/fields/0/table"]);
    assert_eq!(refused(json!({ "fields": [{ "name": "a", "type": "string", "default": 1 }] })), ["/fields/0/default"]);
    let long = json!({ "name": "a", "type": "string", "default": "long", "maxBytes": 3 });
    assert_eq!(refused(json!({ "fields": [long] })), ["/fields/0/default"]);
    assert_eq!(
        refused(json!({ "fields": [{ "name": "a", "type": "string", "required": "yes" }] })),
        ["/fields/0/required"]
    );
    assert_eq!(
        refused(json!({ "fields": [{ "name": "a", "type": "string" }, { "name": "a", "type": "string" }] })),
        ["/fields/1/name"]
    );
    assert_eq!(refused(json!({ "fields": [], "additional": 1, "more": 2 })), ["/additional", "/more"]);
    for name in ["id", "projectId", "tableName", "lastUpdated"] {
        assert_eq!(refused(json!({ "fields": [{ "name": name, "type": "string" }] })), ["/fields/0/name"]);
    }
    assert_eq!(refused(json!({ "fields": [], "unique": ["a"] })), ["/x-unique"]);
}

#[test]
fn a_definition_is_a_field_list_or_a_schema() {
    assert_eq!(refused(json!("text")), [""]);
    assert_eq!(refused(json!([])), [""]);
    assert_eq!(compile(json!(true)).unwrap().validate(&json!(1)), []);
    assert_eq!(judged(&compile(json!(false)).unwrap(), json!(1)).len(), 1);
    assert_eq!(refused(json!({ "$schema": "http://json-schema.org/draft-04/schema#" })), ["/$schema"]);
    assert_eq!(refused(json!({ "properties": { "a": { "type": "text" } } })), ["/properties/a/type"]);
    assert_eq!(refused(json!({ "properties": { "a": { "pattern": "(" } } })).len(), 1);
    // A schema may have a property called `fields`.
    assert_eq!(
        judged(&compile(json!({ "required": ["fields"] })).unwrap(), json!({})),
        pairs(&[("/fields", "required")])
    );
}

#[test]
fn references_stay_within_the_document() {
    for reference in
        ["https://example.com/a.json", "other.json", "file:///etc/passwd", "#/$defs/none", "#none", "urn:x:y"]
    {
        let error = compile(json!({ "properties": { "a/b": { "$ref": reference } } })).unwrap_err();
        assert_eq!(error.violations_list()[0].path, "/properties/a~1b/$ref", "{error}");
        assert_eq!(
            (error.code(), error.violations_list()[0].keyword.as_str()),
            (ErrorCode::Validation, "$ref"),
            "{reference}"
        );
    }
    // Where nothing leads to it either.
    assert_eq!(
        compile(json!({ "$defs": { "a": { "$ref": "#/$defs/none" } } })).unwrap_err().code(),
        ErrorCode::Validation
    );
    let metaschema = compile(json!({ "$ref": "https://json-schema.org/draft/2020-12/schema" })).unwrap();
    assert_eq!(judged(&metaschema, json!({ "type": 1 })), pairs(&[("/type", "anyOf")]));
}

#[test]
fn missing_and_surplus_have_a_path_each() {
    let preset = compile(
        json!({ "required": ["a", "b"], "properties": { "a": true, "b": true, "o": { "additionalProperties": false },
        "p": { "propertyNames": false } },
        "unevaluatedProperties": false, "dependentRequired": { "a": ["c"] }, "propertyNames": { "maxLength": 3 } }),
    )
    .unwrap();
    let wanted = [
        ("/b", "required"),
        ("/c", "dependentRequired"),
        ("/long", "propertyNames"),
        ("/long", "unevaluatedProperties"),
        ("/o/x", "additionalProperties"),
        ("/o/y", "additionalProperties"),
        ("/p/u", "propertyNames"),
        ("/p/v", "propertyNames"),
        ("/z", "unevaluatedProperties"),
    ];
    assert_eq!(
        judged(&preset, json!({ "a": 1, "o": { "y": 1, "x": 1 }, "p": { "u": 1, "v": 2 }, "z": 1, "long": 1 })),
        pairs(&wanted)
    );
}

#[test]
fn keywords_are_found_where_fields_are() {
    let preset = compile(json!({
        "x-unique": [["sha256", "extractionVersion"]], "x-index": [["a.b"]],
        "properties": {
            "doi": { "x-id": true, "type": "string" },
            "assetIds": { "items": { "x-ref": "assets" } },
            "by": { "$ref": "#/$defs/person" },
            "cover": { "anyOf": [{ "type": "string", "x-ref": { "table": "assets", "strict": true } }, { "type": "null" }] },
        },
        "$defs": { "person": { "properties": { "name": { "x-search": true, "x-index": true }, "key": { "x-secret": true, "type": "string" },
                                               "boss": { "$ref": "#/$defs/person" } } } },
    })).unwrap();
    let keywords = preset.keywords();
    let refs: Vec<_> = keywords.refs.iter().map(|one| (one.path.to_string(), one.table.as_str(), one.strict)).collect();
    assert_eq!(refs, [("assetIds[]".to_owned(), "assets", false), ("cover".to_owned(), "assets", true)]);
    assert_eq!(keywords.unique.iter().map(|key| key.name()).collect::<Vec<_>>(), ["sha256,extractionVersion"]);
    assert_eq!(keywords.index.iter().map(|key| key.name()).collect::<Vec<_>>(), ["a.b", "by.name"]);
    assert_eq!(keywords.search.iter().map(ToString::to_string).collect::<Vec<_>>(), ["by.name"]);
    assert_eq!(keywords.secret.iter().map(ToString::to_string).collect::<Vec<_>>(), ["by.key"]);
    assert_eq!(preset.id_field(), Some("doi"));
    let document = json!({ "assetIds": ["a", "b"] });
    let values = keywords.refs[0].path.values(&document);
    assert_eq!(values, [("/assetIds/0".to_owned(), &json!("a")), ("/assetIds/1".to_owned(), &json!("b"))]);
}

#[test]
fn malformed_keywords_are_refused_with_their_path() {
    let of = |keyword: &str, value: Value| refused(json!({ "properties": { "a": { keyword: value } } }));
    let bad = [
        ("x-ref", json!(1)),
        ("x-ref", json!("")),
        ("x-ref", json!({ "table": "t", "more": 1 })),
        ("x-unique", json!("yes")),
        ("x-unique", json!([["a"]])),
        ("x-search", json!(1)),
        ("x-secret", json!("k")),
        ("x-max-bytes", json!(-1)),
        ("x-id", json!("a")),
    ];
    for (keyword, value) in bad {
        assert_eq!(of(keyword, value), [format!("/properties/a/{keyword}")]);
    }
    assert_eq!(
        refused(json!({ "properties": { "a": { "x-id": true }, "b": { "x-id": true } } })),
        ["/properties/b/x-id"]
    );
    assert_eq!(
        refused(json!({ "properties": { "a": { "items": { "x-unique": true } } } })),
        ["/properties/a/items/x-unique"]
    );
    assert_eq!(refused(json!({ "x-index": [[]] })), ["/x-index"]);
}

#[test]
fn max_bytes_counts_utf8_also_beside_a_reference() {
    let preset = compile(
        json!({ "$schema": "http://json-schema.org/draft-07/schema#", "definitions": { "t": { "type": "string" } },
        "properties": { "a": { "$ref": "#/definitions/t", "x-max-bytes": 3 } } }),
    )
    .unwrap();
    assert_eq!(preset.validate(&json!({ "a": "ab\u{7f}" })), []);
    assert_eq!(judged(&preset, json!({ "a": "€x" })), pairs(&[("/a", "x-max-bytes")]));
    assert_eq!(judged(&preset, json!({ "a": 1 })), pairs(&[("/a", "type")]));
    // The canonical form counts: [1e-5], not [0.00001].
    assert_eq!(compile(json!({ "x-max-bytes": 6 })).unwrap().validate(&json!([1e-5])), []);
}

#[test]
fn defaults_fill_what_is_missing_only() {
    let preset = compile(json!({ "properties": { "a": { "default": 1 }, "b": { "default": [] }, "n": { "default": 2 },
        "o": { "properties": { "x": { "default": true } } }, "p": { "properties": { "x": { "default": true } } } } }))
    .unwrap();
    let mut payload = map(json!({ "b": [1], "n": null, "o": {} }));
    apply_defaults(&preset, &mut payload).unwrap();
    assert_eq!(Value::Object(payload), json!({ "a": 1, "b": [1], "n": null, "o": { "x": true } }));
}

#[test]
fn defaults_follow_documents_into_recursion_and_leave_alternatives_alone() {
    let preset = compile(json!({ "$ref": "#/$defs/node", "$defs": { "node": {
        "properties": { "n": { "default": 0 }, "next": { "$ref": "#/$defs/node" } },
        "oneOf": [{ "properties": { "kind": { "const": "a" }, "a": { "default": 1 } } }, { "properties": { "kind": { "const": "b" } } }],
    } } }))
    .unwrap();
    let mut payload = map(json!({ "kind": "b", "next": { "next": { "next": {} } } }));
    apply_defaults(&preset, &mut payload).unwrap();
    let next = json!({ "n": 0, "next": { "n": 0, "next": { "n": 0 } } });
    assert_eq!(Value::Object(payload), json!({ "kind": "b", "n": 0, "next": next }));
}

#[test]
fn defaults_without_end_are_refused() {
    on_a_small_stack(|| {
        let node = |default: Value| json!({ "$ref": "#", "default": default });
        assert_eq!(refused(json!({ "properties": { "a": node(json!({})) } })), [""]);
        assert_eq!(refused(json!({ "properties": { "a": node(json!({})), "b": node(json!({})) } })), [""]);
        let ends = compile(json!({ "properties": { "a": node(json!({ "a": null })) } })).unwrap();
        let mut payload = map(json!({ "a": { "a": {} } }));
        apply_defaults(&ends, &mut payload).unwrap();
        assert_eq!(Value::Object(payload), json!({ "a": { "a": { "a": { "a": null } } } }));
        let large = json!({ "default": "x".repeat(1 << 20) });
        let preset = compile(json!({ "additionalProperties": false, "properties": {
            "large": large, "a": { "$ref": "#" }, "b": { "$ref": "#" }, "c": { "$ref": "#" } } }))
        .unwrap();
        let deep = (0..6).fold(json!({}), |inner, _| json!({ "a": inner, "b": inner, "c": inner }));
        assert_eq!(apply_defaults(&preset, &mut map(deep)).unwrap_err().code(), ErrorCode::TooLarge);
    });
}

/// Every schema refers to every other: more paths lead through it than could ever be walked.
#[test]
fn entangled_schemas_are_read_in_time() {
    let names: Vec<String> = (0..30).map(|n| format!("d{n}")).collect();
    let all: Map<String, Value> =
        names.iter().map(|name| (name.clone(), json!({ "$ref": format!("#/$defs/{name}") }))).collect();
    let definitions: Map<String, Value> = names
        .iter()
        .map(|name| (name.clone(), json!({ "properties": all, "default": null, "type": "object" })))
        .collect();
    let mut definition = json!({ "$defs": definitions, "$ref": "#/$defs/d0" });
    let preset = compile(definition.clone()).unwrap();
    assert_eq!(judged(&preset, json!({ "d1": { "d2": { "d3": 1 } } })), pairs(&[("/d1/d2/d3", "type")]));
    definition["$defs"]["d29"]["x-search"] = json!(true);
    assert_eq!(refused(definition), [""]);
}

#[test]
fn cells_are_typed_by_the_preset() {
    let preset = compile(json!({ "properties": { "s": { "type": "string" }, "i": { "type": "integer" }, "n": { "type": "number" },
        "b": { "type": "boolean" }, "a": { "type": "array" }, "o": { "type": "object", "properties": { "i": { "type": "integer" } } },
        "y": { "anyOf": [{ "type": "integer" }, { "type": "null" }] }, "e": { "enum": ["x", "y"] }, "m": { "type": ["string", "array"] }, "u": {} } })).unwrap();
    let cell = |path: &[&str], text: &str| preset.type_of(path).unwrap().parse_cell(text);
    assert_eq!(cell(&["s"], "007"), Ok(json!("007")));
    assert_eq!(cell(&["s"], "true"), Ok(json!("true")));
    assert_eq!(cell(&["i"], "-7"), Ok(json!(-7)));
    assert_eq!(cell(&["i"], "18446744073709551615"), Ok(json!(u64::MAX)));
    for bad in ["007", "+7", " 7", "7 ", "7.0", "1e3", "", "-", "18446744073709551616", "٣"] {
        assert!(cell(&["i"], bad).is_err(), "{bad}");
    }
    assert_eq!(cell(&["n"], "1.50"), Ok(json!(1.5)));
    assert_eq!(cell(&["n"], "3"), Ok(json!(3)));
    for bad in ["NaN", "inf", ".5", "01", "1,5", "true", "\"1\""] {
        assert!(cell(&["n"], bad).is_err(), "{bad}");
    }
    assert_eq!(cell(&["b"], "TRUE"), Ok(json!(true)));
    assert!(cell(&["b"], "1").is_err());
    assert_eq!(cell(&["a"], "[1, {\"a\": null}]"), Ok(json!([1, { "a": null }])));
    assert!(cell(&["a"], "1").is_err() && cell(&["a"], "[1").is_err());
    assert_eq!(cell(&["o"], "{}"), Ok(json!({})));
    assert_eq!(cell(&["o", "i"], "5"), Ok(json!(5)));
    assert_eq!(cell(&["y"], "5"), Ok(json!(5)));
    assert!(preset.type_of(&["y"]).unwrap().nullable());
    assert_eq!(cell(&["e"], "x"), Ok(json!("x")));
    assert_eq!(cell(&["m"], "[1]"), Ok(json!([1])));
    assert_eq!(cell(&["m"], "\"[1]\""), Ok(json!("[1]")));
    assert_eq!(cell(&["m"], "[1"), Ok(json!("[1")));
    assert_eq!(cell(&["m"], "17"), Ok(json!("17")));
    assert_eq!(preset.type_of(&["u"]), None);
    assert_eq!(preset.type_of(&["nowhere"]), None);
}

#[test]
fn identity_leaves_the_payload() {
    let plain = compile(json!(true)).unwrap();
    let take = |preset: &Compiled, payload: Value, given: Option<&str>| {
        let mut payload = map(payload);
        let before = payload.clone();
        let result = take_identity(&mut payload, preset, given, "p", "t");
        assert!(result.is_ok() || payload == before, "a refused payload changes nothing");
        result
            .map(|id| (id, Value::Object(payload)))
            .map_err(|error| (error.code(), error.violations_list()[0].path.clone()))
    };
    assert_eq!(take(&plain, json!({ "a": 1 }), None), Ok((None, json!({ "a": 1 }))));
    assert_eq!(
        take(&plain, json!({ "id": 17, "projectId": "p", "tableName": "t" }), None),
        Ok((Some("17".to_owned()), json!({})))
    );
    assert_eq!(take(&plain, json!({ "id": "x" }), Some("x")), Ok((Some("x".to_owned()), json!({}))));
    let reserved = |path: &str| Err((ErrorCode::ReservedField, path.to_owned()));
    assert_eq!(take(&plain, json!({ "id": "x" }), Some("y")), reserved("/id"));
    assert_eq!(take(&plain, json!({ "projectId": "q" }), None), reserved("/projectId"));
    assert_eq!(take(&plain, json!({ "tableName": null }), None), reserved("/tableName"));
    assert_eq!(take(&plain, json!({ "lastUpdated": "2020-01-01T00:00:00Z" }), None), reserved("/lastUpdated"));
    for bad in [json!(null), json!(1.5), json!(true), json!(""), json!("a\u{7}"), json!("x".repeat(129)), json!({})] {
        assert_eq!(take(&plain, json!({ "id": bad }), None), Err((ErrorCode::Validation, "/id".to_owned())));
    }
    let own = compile(json!({ "properties": { "id": { "x-id": true } } })).unwrap();
    assert_eq!(take(&own, json!({ "id": 17 }), None), Ok((Some("17".to_owned()), json!({ "id": 17 }))));
    let doi = compile(json!({ "properties": { "doi": { "x-id": true } } })).unwrap();
    assert_eq!(take(&doi, json!({ "doi": "d", "id": "d" }), None), Ok((Some("d".to_owned()), json!({ "doi": "d" }))));
    assert_eq!(take(&doi, json!({ "doi": "d" }), Some("e")), reserved("/doi"));
    assert_eq!(take(&doi, json!({ "doi": "d", "id": "e" }), None), reserved("/id"));
}

#[test]
fn an_id_is_shown_in_its_field() {
    let typed = compile(json!({ "properties": { "n": { "x-id": true, "type": "integer" } } })).unwrap();
    for (preset, id, wanted) in [
        (&typed, "17", json!({ "n": 17 })),
        (&typed, "x", json!({ "n": "x" })),
        (&compile(json!(true)).unwrap(), "17", json!({})),
    ] {
        let mut payload = Map::new();
        put_identity(&mut payload, preset, id);
        assert_eq!(Value::Object(payload), wanted);
    }
}

/// Runs on a small stack, as a host's thread may have.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(512 << 10).spawn(work).unwrap().join().unwrap();
}

fn nested(depth: usize) -> Value {
    (1..depth).fold(json!({}), |inner, _| json!({ "a": inner }))
}

#[test]
fn recursion_neither_hangs_nor_overflows() {
    on_a_small_stack(|| {
        let here = [
            json!({ "$ref": "#" }),
            json!({ "allOf": [{ "$ref": "#" }] }),
            json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } }),
        ];
        for definition in here {
            if let Ok(preset) = compile(definition) {
                preset.validate(&json!({ "a": 1 }));
            }
        }
        // The deepest that is still judged on the caller's stack.
        let inner =
            (0..6).fold(json!({ "properties": { "a": { "$ref": "#" } } }), |inner, _| json!({ "allOf": [inner] }));
        assert_eq!(compile(inner).unwrap().validate(&nested(16)), []);
        let chain: Map<String, Value> =
            (0..1_000).map(|n| (format!("d{n}"), json!({ "$ref": format!("#/$defs/d{}", n + 1) }))).collect();
        let mut definition = json!({ "$defs": chain, "$ref": "#/$defs/d0" });
        definition["$defs"]["d1000"] = json!({ "properties": { "a": { "$ref": "#" } }, "maxProperties": 1 });
        let preset = compile(definition).unwrap();
        assert_eq!(preset.validate(&nested(128)), []);
        let mut bad = nested(127);
        *bad.pointer_mut(&"/a".repeat(126)).unwrap() = json!({ "a": 1, "b": 2 });
        assert_eq!(judged(&preset, bad), pairs(&[("/a".repeat(126).as_str(), "maxProperties")]));
    });
}

#[test]
fn chains_of_references_have_an_end() {
    let chain: Map<String, Value> =
        (0..20_000).map(|n| (format!("d{n}"), json!({ "$ref": format!("#/$defs/d{}", (n + 1) % 20_000) }))).collect();
    on_a_small_stack(move || assert_eq!(refused(json!({ "$defs": chain, "$ref": "#/$defs/d0" })), [""]));
}

/// Sixty lines that would be judged 2^60 times.
#[test]
fn references_do_not_multiply_without_end() {
    let twice = |n: i32| json!({ "allOf": [{ "$ref": format!("#/$defs/d{n}") }, { "$ref": format!("#/$defs/d{n}") }] });
    let definitions = |depth: i32| -> Map<String, Value> {
        let chain = (0..depth).map(|n| (format!("d{n}"), twice(n + 1)));
        chain.chain([(format!("d{depth}"), json!({ "type": "object" }))]).collect()
    };
    assert_eq!(refused(json!({ "$defs": definitions(60), "$ref": "#/$defs/d0" })), [""]);
    let few = compile(json!({ "$defs": definitions(8), "$ref": "#/$defs/d0" })).unwrap();
    assert_eq!(judged(&few, json!(1)), pairs(&[("", "type")]));
}

#[test]
fn large_definitions_are_read_in_time() {
    let start = Instant::now();
    let many = |count: usize, schema: Value| -> Map<String, Value> {
        (0..count).map(|n| (format!("p{n}"), schema.clone())).collect()
    };
    let values: Vec<usize> = (0..10_000).collect();
    compile(json!({ "fields": [{ "name": "a", "type": "enum", "enumValues": values }] })).unwrap();
    let marked = compile(json!({ "properties": many(5_000, json!({ "x-search": true, "default": 1 })) })).unwrap();
    assert_eq!(marked.keywords().search.len(), 5_000);
    let named = json!({ "properties": many(5_000, json!({ "$ref": "#a" })), "$defs": { "z": { "$anchor": "a", "type": "string" } } });
    assert_eq!(judged(&compile(named).unwrap(), json!({ "p7": 1 })), pairs(&[("/p7", "type")]));
    let lists: Vec<Value> = (0..10_000).map(|n| json!([n.to_string()])).collect();
    assert_eq!(compile(json!({ "x-unique": lists })).unwrap().keywords().unique.len(), 10_000);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

/// The same chains and multiplications, by URI instead of by pointer.
#[test]
fn references_by_uri_have_an_end_too() {
    let by_uri = |count: usize, schema: &dyn Fn(usize) -> Value| {
        let mut definitions = Map::new();
        for n in 0..count {
            let mut schema = schema(n + 1);
            schema["$id"] = json!(format!("http://x/{n}"));
            definitions.insert(format!("d{n}"), schema);
        }
        definitions.insert("last".to_owned(), json!({ "$id": count.to_string(), "type": "object" }));
        json!({ "$id": "http://x/", "$defs": definitions, "$ref": "0" })
    };
    on_a_small_stack(move || {
        assert_eq!(refused(by_uri(5_000, &|n| json!({ "$ref": format!("http://x/{n}") }))), [""]);
        let long = compile(by_uri(1_000, &|n| json!({ "$ref": n.to_string() }))).unwrap();
        assert_eq!(judged(&long, json!(1)), pairs(&[("", "type")]));
        let twice = |n: usize| json!({ "allOf": [{ "$ref": n.to_string() }, { "$ref": format!("./{n}") }] });
        assert_eq!(refused(by_uri(60, &twice)), [""]);
        assert_eq!(judged(&compile(by_uri(8, &twice)).unwrap(), json!(1)), pairs(&[("", "type")]));
    });
}

/// Two references at each level of a document: twice as much to do for each.
#[test]
fn references_do_not_multiply_with_depth() {
    let start = Instant::now();
    let levels = 60;
    let mut definitions = Map::new();
    for n in 0..levels {
        let next = json!({ "$ref": format!("#/$defs/d{}", n + 1) });
        definitions.insert(format!("d{n}"), json!({ "properties": { "a": { "allOf": [next, next] } } }));
    }
    definitions.insert(format!("d{levels}"), json!({ "type": "object" }));
    let entangled = compile(json!({ "$defs": definitions, "$ref": "#/$defs/d0" })).unwrap();
    assert_eq!(judged(&entangled, nested(4)), []);
    assert_eq!(judged(&entangled, nested(levels + 1)), pairs(&[("", "$ref")]));
    let form = |kind: &str| json!({ "required": ["type"], "properties": { "type": { "const": kind }, "left": { "$ref": "#" } } });
    let tree =
        compile(json!({ "oneOf": [form("add"), form("mul"), { "properties": { "type": { "const": "one" } } }] }))
            .unwrap();
    let sum = |depth: usize, last: Value| (0..depth).fold(last, |left, _| json!({ "type": "add", "left": left }));
    assert_eq!(judged(&tree, sum(100, json!({ "type": "one" }))), []);
    assert_eq!(judged(&tree, sum(5, json!({ "type": "two" }))), pairs(&[("", "oneOf")]));
    assert_eq!(judged(&tree, sum(100, json!({ "type": "two" }))), pairs(&[("", "$ref")]));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn patterns_cannot_run_away() {
    let start = Instant::now();
    let linear = compile(json!({ "properties": { "a": { "pattern": "^(a+)+$" } } })).unwrap();
    assert_eq!(judged(&linear, json!({ "a": "a".repeat(50_000) + "!" })), pairs(&[("/a", "pattern")]));
    let backtracking = compile(json!({ "properties": { "a": { "pattern": "^(?=(a+)+$)(a|a)*b$" } } })).unwrap();
    assert_eq!(judged(&backtracking, json!({ "a": "a".repeat(5_000) + "!" })), pairs(&[("/a", "pattern")]));
    let lookahead = compile(json!({ "properties": { "a": { "pattern": "^(?!x)\\w+$" } } })).unwrap();
    assert_eq!(lookahead.validate(&json!({ "a": "yes" })), []);
    assert_eq!(judged(&lookahead, json!({ "a": "xno" })), pairs(&[("/a", "pattern")]));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn names_are_checked() {
    assert_eq!("a.b@2".parse::<Address>().unwrap(), Address::Version("a.b".to_owned(), 2));
    assert_eq!("a".parse::<Address>().unwrap(), Address::Name("a".to_owned()));
    for bad in ["", "@1", "a@", "a@0", "a@-1", "a@+1", "a@01", "a@1@2", "a b", "-a", "ä", &"a".repeat(65)] {
        assert_eq!(bad.parse::<Address>().unwrap_err().code(), ErrorCode::InvalidArgument, "{bad}");
    }
    for kind in PresetKind::ALL {
        assert_eq!(PresetKind::parse(kind.as_str()).unwrap(), kind);
    }
    assert!(PresetKind::parse("Assets").is_err());
}

#[test]
fn the_cache_keeps_the_most_recent() {
    let cache = Cache::new(2);
    let definition = |n: i32| Json::from_value(&json!({ "maxProperties": n })).unwrap();
    let first = cache.get(&definition(1)).unwrap();
    cache.get(&definition(2)).unwrap();
    assert!(Arc::ptr_eq(&first, &cache.get(&definition(1)).unwrap()));
    cache.get(&definition(3)).unwrap();
    assert!(Arc::ptr_eq(&first, &cache.get(&definition(1)).unwrap()));
    assert!(cache.get(&Json::parse("1").unwrap()).is_err());
}

#[test]
fn built_ins_compile_and_storyboards_refer() {
    for builtin in BUILTINS.into_iter().filter(|builtin| !builtin.is_installed()) {
        let preset = Compiled::new(&builtin.definition()).unwrap();
        assert_eq!(preset.validate(&json!({ "anything": [1] })), [], "{}", builtin.label);
        let tables: Vec<&str> = preset.keywords().refs.iter().map(|one| one.table.as_str()).collect();
        assert_eq!(tables, if builtin.label == "storyboard" { vec!["assets", "citations"] } else { vec![] });
    }
}

#[test]
fn the_workspace_says_what_each_field_is_and_refers_to_tables_there_are() {
    let tables: Vec<&str> = BUILTINS.iter().map(|builtin| builtin.label).collect();
    for builtin in BUILTINS {
        let definition = builtin.definition().to_value();
        let preset = Compiled::new(&builtin.definition()).unwrap();
        assert!(definition["description"].is_string(), "{}", builtin.label);
        let properties = definition["properties"].as_object().unwrap();
        for (name, schema) in properties {
            assert!(schema["description"].is_string(), "{}.{name} says nothing", builtin.label);
        }
        for required in definition["required"].as_array().into_iter().flatten() {
            assert!(properties.contains_key(required.as_str().unwrap()), "{}: {required}", builtin.label);
        }
        for field in &preset.keywords().refs {
            assert!(tables.contains(&field.table.as_str()), "{} refers to {}", builtin.label, field.table);
        }
        for key in preset.keywords().unique.iter().chain(&preset.keywords().index) {
            assert!(key.fields.iter().all(|field| properties.contains_key(&field.to_string())), "{}", key.name());
        }
        if builtin.is_installed() {
            assert!(preset.keywords().index.len() + preset.keywords().unique.len() > 0, "{}", builtin.label);
        }
    }
}

/// Words of schemas, wherever they make sense or not.
fn any_schema() -> impl Strategy<Value = Value> {
    let odd = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!(0)),
        Just(json!(u64::MAX)),
        Just(json!(1e300)),
        "[#/a$.*+?(){}\\[\\]\\\\^|-]{0,6}".prop_map(Value::from),
        prop_oneof![
            Just("#"),
            Just("#/properties/a"),
            Just("#/$defs/a"),
            Just("string"),
            Just("date-time"),
            Just("regex")
        ]
        .prop_map(Value::from),
    ];
    let keyword = proptest::sample::select(vec![
        "$ref",
        "$dynamicRef",
        "$id",
        "$anchor",
        "$defs",
        "type",
        "enum",
        "const",
        "properties",
        "patternProperties",
        "additionalProperties",
        "required",
        "items",
        "prefixItems",
        "contains",
        "minContains",
        "uniqueItems",
        "multipleOf",
        "minimum",
        "maxLength",
        "pattern",
        "format",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "unevaluatedProperties",
        "dependentRequired",
        "propertyNames",
        "default",
        "fields",
        "x-ref",
        "x-unique",
        "x-index",
        "x-secret",
        "x-max-bytes",
        "x-id",
        "a",
    ]);
    odd.prop_recursive(5, 40, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map(keyword.clone().prop_map(str::to_owned), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_definition_and_no_document_breaks_anything(definition in any_schema(), document in any_schema()) {
        let Ok(preset) = compile(definition) else { return Ok(()) };
        let found = preset.validate(&document);
        prop_assert_eq!(&found, &preset.validate(&document));
        let mut sorted = found.clone();
        sorted.sort_by(|a, b| (&a.path, &a.keyword).cmp(&(&b.path, &b.keyword)));
        prop_assert_eq!(found, sorted);
        if let Value::Object(mut map) = document {
            apply_defaults(&preset, &mut map).unwrap();
            let once = map.clone();
            apply_defaults(&preset, &mut map).unwrap();
            prop_assert_eq!(once, map);
        }
        preset.type_of(&["a", "0"]);
    }
}
