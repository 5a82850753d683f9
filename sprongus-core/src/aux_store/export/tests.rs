#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::aux_store::Format;
use crate::aux_store::import::{Cell, CellTypes, Content, ReadOptions, Row, rows};
use crate::aux_store::testing::shared_json;
use crate::json::Json;

fn text_types(_: &[String]) -> Cell {
    Cell::TEXT
}

/// Fields whose names begin with `j` take JSON, all others text.
fn mixed_types(keys: &[String]) -> Cell {
    if keys[0].starts_with('j') { Cell::Json } else { Cell::TEXT }
}

fn written(format: Format, types: &CellTypes<'_>, documents: &[Value], escape_formulas: bool) -> String {
    let entries: Vec<(String, Json)> = documents.iter().map(entry).collect();
    let mut columns = Columns::new(types);
    entries.iter().for_each(|(id, payload)| {
        columns.observe(id, &crate::json::Raw::of(payload.as_str()).object().unwrap()).unwrap();
    });
    let mut writer = match format {
        Format::Csv => Writer::csv(Vec::new(), &mut columns, escape_formulas).unwrap(),
        Format::Json => Writer::json(Vec::new()).unwrap(),
        Format::Ndjson => Writer::ndjson(Vec::new()),
    };
    entries.iter().for_each(|(id, payload)| writer.write(id, payload.as_str()).unwrap());
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

/// As it is stored: an id that could be text alone stands beside the payload, as without `x-id`.
fn entry(document: &Value) -> (String, Json) {
    let mut payload = document.as_object().unwrap().clone();
    let id = match payload.get("id") {
        Some(Value::String(id)) if !id.contains('5') => payload.remove("id"),
        _ => None,
    };
    (id.map_or_else(String::new, |id| id.as_str().unwrap().to_owned()), Json::from_value(&payload.into()).unwrap())
}

fn read_back(format: Format, types: &CellTypes<'_>, file: &str) -> Vec<Value> {
    let rows = rows(format, file.as_bytes(), types, None, ReadOptions::new(1 << 20)).unwrap();
    rows.map(|row| Value::Object(tree(row.unwrap()))).collect()
}

fn csv(documents: &[Value]) -> String {
    written(Format::Csv, &text_types, documents, false)
}

fn tree(row: Row) -> Map<String, Value> {
    match row.value {
        Ok(Content::Tree(tree)) => tree,
        _ => panic!("row {} holds no tree", row.number),
    }
}

#[test]
fn cells_and_headers() {
    let documents = [
        json!({"id": "a", "title": "x, \"y\"\nz", "n": null, "e": "", "null": "\\N", "o": {"p.q": "1", "r\\": "2"}}),
        json!({"id": "b", "title": "007"}),
    ];
    assert_eq!(
        csv(&documents),
        "id,e,n,null,o.p\\.q,o.r\\\\,title\na,\"\",\\N,\"\\N\",1,2,\"x, \"\"y\"\"\nz\"\nb,,,,,,007\n"
    );
}

#[test]
fn what_the_preset_would_not_read_back_is_marked_as_json() {
    let documents = [
        json!({"id": "1", "a": 5, "b": "5", "list": ["x"], "jn": 5, "js": "x", "mix": "s"}),
        json!({"id": "2", "a": "5", "jn": 1.0, "mix": true}),
    ];
    let file = written(Format::Csv, &mixed_types, &documents, false);
    assert_eq!(
        file,
        "id,a\\:json,b,jn,js,list\\:json,mix\\:json\n1,5,5,5,\"\"\"x\"\"\",\"[\"\"x\"\"]\",\"\"\"s\"\"\"\n2,\"\"\"5\"\"\",,1.0,,,true\n"
    );
    assert_eq!(read_back(Format::Csv, &mixed_types, &file), documents);
}

#[test]
fn values_beside_objects_and_dictionaries_are_one_column() {
    let wide: BTreeMap<String, u64> = (0..300).map(|n| (format!("k{n}"), n)).collect();
    let documents = [
        json!({"id": "1", "a": "x", "wide": wide}),
        json!({"id": "2", "a": {"b": {"c": 1}}, "wide": {}}),
        json!({"id": "3", "a": {}, "wide": "w"}),
        json!({"id": "4", "a": null}),
    ];
    let file = csv(&documents);
    assert_eq!(file.lines().next(), Some("id,a\\:json,wide\\:json"));
    assert_eq!(read_back(Format::Csv, &text_types, &file), documents);
}

#[test]
fn formulas_are_escaped_on_request_and_numbers_are_not() {
    let documents = [json!({"id": "=1+1", "=h": "@x", "b": "-1", "j": -1, "t": "\tx", "ok": "a=1"})];
    assert_eq!(written(Format::Csv, &mixed_types, &documents, true), "id,'=h,b,j,ok,t\n'=1+1,'@x,'-1,-1,a=1,'\tx\n");
}

#[test]
fn nothing_at_all() {
    assert_eq!(csv(&[]), "id\n");
    assert_eq!(written(Format::Json, &text_types, &[], false), "[]\n");
    assert_eq!(written(Format::Ndjson, &text_types, &[], false), "");
}

#[test]
fn json_is_canonical_and_one_to_a_line() {
    let documents = [json!({"id": "1", "b": 1.0, "a": [1e16, 1]}), json!({"id": "2"})];
    let lines = "{\"a\":[1e16,1],\"b\":1.0,\"id\":\"1\"}\n{\"id\":\"2\"}\n";
    assert_eq!(written(Format::Ndjson, &text_types, &documents, false), lines);
    let array = format!("[\n{}\n]\n", lines.trim_end().replace('\n', ",\n"));
    assert_eq!(written(Format::Json, &text_types, &documents, false), array);
}

#[test]
fn naughty_strings_come_back() {
    let Some(strings) = shared_json("blns/blns.even.json") else { return };
    let strings = strings.as_array().unwrap().iter().filter_map(Value::as_str);
    let documents: Vec<Value> =
        strings.map(|text| json!({"id": text, "v": text, "o": {text: text}, "l": [text]})).collect();
    for format in [Format::Csv, Format::Json, Format::Ndjson] {
        let file = written(format, &text_types, &documents, false);
        assert_eq!(read_back(format, &text_types, &file), documents);
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,6}",
        "[,\"\r\n\\\\N. ]{0,5}",
        prop_oneof!["007", "5", "-1.50", "true", "null", "\\\\N", "\\[1\\]", "\"x\"", "", "\u{feff}"],
    ]
    .prop_map(|text| text.replace('\0', ""))
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        proptest::num::f64::NORMAL.prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map(text(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn document() -> impl Strategy<Value = Value> {
    let name = prop_oneof!["[jab]{1,2}", text()];
    (text(), proptest::collection::btree_map(name, value(), 0..5)).prop_map(|(id, fields)| {
        let mut document: Map<String, Value> = fields.into_iter().collect();
        document.insert("id".to_owned(), id.into());
        Value::Object(document)
    })
}

proptest! {
    #[test]
    fn what_was_exported_is_imported(documents in proptest::collection::vec(document(), 0..6)) {
        for format in [Format::Csv, Format::Json, Format::Ndjson] {
            let file = written(format, &mixed_types, &documents, false);
            prop_assert_eq!(&written(format, &mixed_types, &documents, false), &file);
            prop_assert_eq!(&read_back(format, &mixed_types, &file), &documents, "{}", file);
        }
    }
}
