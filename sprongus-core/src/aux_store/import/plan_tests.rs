#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Cell, Content, ReadOptions, rows};
use crate::aux_store::document::Rules;
use crate::aux_store::model::Mode;
use crate::aux_store::{Format, Nulls};
use crate::json::Json;
use crate::presets::Compiled;

fn rules(schema: &Value) -> Rules {
    Rules {
        check_secrets: true,
        preset: Arc::new(Compiled::new(&Json::from_value(schema).unwrap()).unwrap()),
        project: "p".to_owned(),
        table: "t".to_owned(),
        max_payload_bytes: 60,
        fingerprint: "f".to_owned(),
    }
}

/// Presets of every kind: judged by property, whole, with defaults, keys, references, a search of some fields.
fn schemas() -> Vec<Value> {
    let typed = json!({"s": {"type": "string"}, "n": {"type": "number"}, "i": {"type": ["integer", "null"]}, "b": {"type": "boolean"}});
    let judged = json!({"s": {"enum": ["a", "\\N", null]}, "n": {"minimum": 0, "type": "number"}, "i": {"type": ["integer", "string"]}, "b": {}});
    let linked = json!({"s": {"type": "string", "x-unique": true, "x-search": true}, "n": {"type": "number", "x-index": true},
        "i": {"type": "string", "x-ref": "others"}, "b": {"type": ["array", "object", "boolean"]}});
    vec![
        json!({"type": "object", "properties": typed, "required": ["s"], "additionalProperties": false}),
        json!({"properties": typed}),
        json!({"properties": judged}),
        json!({"properties": linked, "x-unique": [["n", "i"]]}),
        json!({"properties": typed, "minProperties": 2}),
        json!({"properties": {"s": {"type": "string", "default": "x"}}}),
        json!({"properties": {"id": {"type": "string", "x-id": true}, "s": {"type": "string"}}}),
        json!({"properties": {"s": {"type": "string", "x-id": true}, "n": {"type": "number"}}}),
    ]
}

fn cell() -> impl Strategy<Value = String> {
    let known = [
        "",
        "\"\"",
        "\\N",
        "\"\\N\"",
        "a",
        "É",
        "007",
        "0",
        "-0",
        "1",
        "-1.50",
        "1e400",
        "1.0",
        "1e16",
        "true",
        "TRUE",
        "null",
        "\"[1,\"\"X\"\"]\"",
        "\"{\"\"k\"\":\"\"V\"\"}\"",
        "\"x,\ny\"",
        "\u{1}",
        "\0",
        "\"\"\"q\"\"\"",
        "99999999999999999999",
        " 1",
        "a text that is longer than the payload may be, by a little at least",
    ];
    proptest::sample::select(known.to_vec()).prop_map(str::to_owned)
}

fn file() -> impl Strategy<Value = String> {
    let headers = ["id", "s", "n", "i", "b", "z", "o.p", "projectId", "n\\:json"];
    let header = proptest::sample::subsequence(headers.to_vec(), 1..6).prop_shuffle();
    (header, proptest::collection::vec(proptest::collection::vec(cell(), 6), 1..6)).prop_map(|(header, rows)| {
        let lines = rows.iter().map(|row| row[..header.len()].join(","));
        std::iter::once(header.join(",")).chain(lines).map(|line| line + "\n").collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn cells_are_judged_as_documents_are(file in file()) {
        for schema in schemas() {
            let rules = rules(&schema);
            let types = |keys: &[String]| Cell::of(&rules.preset, keys);
            let Ok(rows) = rows(Format::Csv, file.as_bytes(), &types, Some(&rules.preset), ReadOptions::new(1 << 10)) else { continue };
            for row in rows.map(|row| row.unwrap()) {
                let Ok(Content::Cells(cells)) = row.value else { continue };
                let (id, quick) = (cells.id().unwrap_or("made").to_owned(), rules.judge_cells(&cells));
                let Some(quick) = quick else { continue };
                let mut document = cells.into_tree().unwrap();
                let found = rules.identity(&mut document, None).unwrap();
                prop_assert_eq!(found.unwrap_or("made".to_owned()), id.as_str());
                let judged = rules.written(&id, document, None, Mode::Merge, Nulls::Keep).unwrap();
                prop_assert_eq!(&quick.text, judged.json.as_str());
                prop_assert_eq!(quick.hash, judged.hash);
                prop_assert_eq!(quick.search_text, judged.search_text);
                prop_assert_eq!(quick.refs, judged.refs);
                prop_assert_eq!(quick.keys, judged.keys);
            }
        }
    }
}

/// How many rows of a file take the short way.
fn quick(schema: &Value, file: &str) -> usize {
    let rules = rules(schema);
    let types = |keys: &[String]| Cell::of(&rules.preset, keys);
    let rows = rows(Format::Csv, file.as_bytes(), &types, Some(&rules.preset), ReadOptions::new(1 << 10)).unwrap();
    rows.filter(|row| match row.as_ref().unwrap().value.as_ref() {
        Ok(Content::Cells(cells)) => rules.judge_cells(cells).is_some(),
        _ => false,
    })
    .count()
}

#[test]
fn usual_rows_take_the_short_way_and_others_do_not() {
    let schemas = schemas();
    assert_eq!(quick(&schemas[0], "id,s,n,i,b\n1,x,1.5,\\N,true\n2,\"\\N\",,7,FALSE\n"), 2);
    assert_eq!(quick(&schemas[0], "id,s,n\n1,,1\n2,x,y\n\\N,x,1\n3,\\N,1\n4,x\n"), 0);
    assert_eq!(quick(&schemas[2], "s,i\na,7\n\\N,x\nb,1\n"), 2);
    assert_eq!(quick(&schemas[3], "id,s,n,i,b\n1,x,2,3,\"[1]\"\n"), 1);
    for whole in [4, 5] {
        assert_eq!(quick(&schemas[whole], "id,s,n\n1,x,1\n"), 0);
    }
    assert_eq!(quick(&schemas[6], "s,id\nx,1\ny,\n"), 1);
    for columns in ["id,o.p", "id,projectId", "id,s\\:json"] {
        assert_eq!(quick(&schemas[1], &format!("{columns}\n1,2\n")), 0);
    }
}
