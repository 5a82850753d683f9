//! A property's value as JSON (Notion's page on property values).

use serde_json::{Map, Value, json};

/// The value of a property, as a page has it; none where it is empty, or of a type that has no value.
pub(super) fn value(property: &Value) -> Option<Value> {
    let kind = property["type"].as_str()?;
    let inner = &property[kind];
    let read = match kind {
        "title" | "rich_text" => plain_text(inner),
        "select" | "status" => inner["name"].clone(),
        "multi_select" => each(inner, |option| option["name"].clone()),
        "people" | "relation" => each(inner, |one| one["id"].clone()),
        "files" => each(inner, file),
        "date" => date(inner),
        "created_by" | "last_edited_by" => inner["id"].clone(),
        "unique_id" => unique_id(inner),
        "verification" => inner["state"].clone(),
        "place" => without_nulls(inner),
        "formula" => return value(inner).or_else(|| scalar(inner)),
        "rollup" => rollup(inner),
        "number" | "checkbox" | "url" | "email" | "phone_number" | "created_time" | "last_edited_time" => inner.clone(),
        _ => Value::Null,
    };
    full(read)
}

/// None for what is as good as nothing: null, an empty text, an empty list.
pub(super) fn full(value: Value) -> Option<Value> {
    match &value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::Array(items) if items.is_empty() => None,
        _ => Some(value),
    }
}

fn plain_text(items: &Value) -> Value {
    items.as_array().into_iter().flatten().filter_map(|item| item["plain_text"].as_str()).collect::<String>().into()
}

fn each(items: &Value, one: impl Fn(&Value) -> Value) -> Value {
    items.as_array().into_iter().flatten().map(one).filter(|value| !value.is_null()).collect()
}

/// A start alone is a text; a range or a time zone make an object.
fn date(date: &Value) -> Value {
    match (&date["start"], &date["end"], &date["time_zone"]) {
        (start, Value::Null, Value::Null) => start.clone(),
        (start, end, zone) => without_nulls(&json!({ "start": start, "end": end, "timeZone": zone })),
    }
}

/// A file that Notion keeps has another signature in its URL each time it is asked for: without it the URL stays the same.
fn file(file: &Value) -> Value {
    let hosted = file["file"]["url"].as_str().map(|url| url.split(['?', '#']).next().unwrap_or_default());
    match hosted {
        Some(url) => json!({ "name": file["name"], "hosted": url }),
        None => without_nulls(&json!({ "name": file["name"], "url": file["external"]["url"] })),
    }
}

fn unique_id(id: &Value) -> Value {
    match (id["prefix"].as_str(), &id["number"]) {
        (Some(prefix), Value::Number(number)) => format!("{prefix}-{number}").into(),
        (_, number) => number.clone(),
    }
}

/// What a formula gives: `string`, `number`, `boolean`; its dates are read as any date.
fn scalar(formula: &Value) -> Option<Value> {
    let kind = formula["type"].as_str().filter(|kind| matches!(*kind, "string" | "boolean"))?;
    full(formula[kind].clone())
}

fn rollup(rollup: &Value) -> Value {
    match rollup["type"].as_str() {
        Some("number") => rollup["number"].clone(),
        Some("date") => date(&rollup["date"]),
        Some("array") => each(&rollup["array"], |element| value(element).unwrap_or(Value::Null)),
        _ => Value::Null,
    }
}

fn without_nulls(object: &Value) -> Value {
    let members = object.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let members: Map<String, Value> = members.map(|(name, value)| (name.clone(), value.clone())).collect();
    if members.is_empty() { Value::Null } else { members.into() }
}

/// Whether a page tells only the start of the value: 25 references, which is all a page shows (Notion's page on properties).
pub(super) fn is_cut(property: &Value) -> bool {
    const SHOWN: usize = 25;
    let count = |items: &Value| items.as_array().map_or(0, Vec::len);
    match property["type"].as_str() {
        Some("relation") => property["has_more"].as_bool().unwrap_or(count(&property["relation"]) >= SHOWN),
        Some("people") => count(&property["people"]) >= SHOWN,
        Some(kind @ ("title" | "rich_text")) => {
            let items = property[kind].as_array().into_iter().flatten();
            items.filter(|item| item["type"] == "mention").count() >= SHOWN
        }
        Some("rollup") => match property["rollup"]["type"].as_str() {
            Some("incomplete") => true,
            Some("array") => count(&property["rollup"]["array"]) >= SHOWN,
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &str, inner: Value) -> Option<Value> {
        value(&json!({ "id": "x", "type": kind, kind: inner }))
    }

    #[test]
    fn every_type_is_read() {
        let texts = json!([{"type": "text", "plain_text": "a"}, {"type": "mention", "plain_text": "@b"}]);
        let hosted =
            json!({"name": "f", "type": "file", "file": {"url": "https://s3/x/f.pdf?X-Sig=1", "expiry_time": "z"}});
        for (kind, inner, expected) in [
            ("title", texts.clone(), json!("a@b")),
            ("rich_text", texts, json!("a@b")),
            ("number", json!(1.5), json!(1.5)),
            ("number", json!(0), json!(0)),
            ("select", json!({"id": "1", "name": "red", "color": "red"}), json!("red")),
            ("status", json!({"name": "Done"}), json!("Done")),
            ("multi_select", json!([{"name": "a"}, {"name": "b"}]), json!(["a", "b"])),
            ("date", json!({"start": "2026-01-02", "end": null, "time_zone": null}), json!("2026-01-02")),
            (
                "date",
                json!({"start": "2026-01-02", "end": "2026-01-03", "time_zone": null}),
                json!({"start": "2026-01-02", "end": "2026-01-03"}),
            ),
            (
                "date",
                json!({"start": "2026-01-02T10:00:00.000", "end": null, "time_zone": "Europe/Paris"}),
                json!({"start": "2026-01-02T10:00:00.000", "timeZone": "Europe/Paris"}),
            ),
            ("checkbox", json!(false), json!(false)),
            ("url", json!("https://a"), json!("https://a")),
            ("email", json!("a@b"), json!("a@b")),
            ("phone_number", json!("1"), json!("1")),
            ("people", json!([{"object": "user", "id": "u1"}]), json!(["u1"])),
            ("relation", json!([{"id": "p1"}, {"id": "p2"}]), json!(["p1", "p2"])),
            ("files", json!([hosted]), json!([{"name": "f", "hosted": "https://s3/x/f.pdf"}])),
            (
                "files",
                json!([{"name": "e", "external": {"url": "https://e?x"}}]),
                json!([{"name": "e", "url": "https://e?x"}]),
            ),
            ("unique_id", json!({"prefix": "TASK", "number": 7}), json!("TASK-7")),
            ("unique_id", json!({"prefix": null, "number": 7}), json!(7)),
            ("created_time", json!("2026-01-02T10:00:00.000Z"), json!("2026-01-02T10:00:00.000Z")),
            ("created_by", json!({"object": "user", "id": "u1"}), json!("u1")),
            ("verification", json!({"state": "verified", "date": null}), json!("verified")),
            ("place", json!({"lat": 1.5, "lon": 2, "name": null}), json!({"lat": 1.5, "lon": 2})),
            ("formula", json!({"type": "string", "string": "x"}), json!("x")),
            ("formula", json!({"type": "number", "number": 2}), json!(2)),
            ("formula", json!({"type": "boolean", "boolean": false}), json!(false)),
            ("formula", json!({"type": "date", "date": {"start": "2026-01-02"}}), json!("2026-01-02")),
            ("rollup", json!({"type": "number", "number": 3, "function": "sum"}), json!(3)),
            ("rollup", json!({"type": "date", "date": {"start": "2026-01-02"}}), json!("2026-01-02")),
            (
                "rollup",
                json!({"type": "array", "array": [{"type": "number", "number": 1}, {"type": "number", "number": null}]}),
                json!([1]),
            ),
        ] {
            assert_eq!(of(kind, inner), Some(expected), "{kind}");
        }
    }

    #[test]
    fn an_empty_property_is_a_missing_field() {
        for (kind, inner) in [
            ("title", json!([])),
            ("number", json!(null)),
            ("select", json!(null)),
            ("multi_select", json!([])),
            ("date", json!(null)),
            ("files", json!([])),
            ("place", json!(null)),
            ("formula", json!({"type": "string", "string": null})),
            ("formula", json!({"type": "string", "string": ""})),
            ("rollup", json!({"type": "unsupported", "unsupported": {}})),
            ("unique_id", json!({"prefix": "T", "number": null})),
            ("button", json!({})),
            ("something_new", json!({"a": 1})),
        ] {
            assert_eq!(of(kind, inner), None, "{kind}");
        }
        assert_eq!(value(&json!("nonsense")), None);
    }

    #[test]
    fn what_a_page_cuts_is_seen() {
        let ids = |count: usize| -> Value { (0..count).map(|n| json!({ "id": n.to_string() })).collect() };
        let mentions: Value = (0..25).map(|_| json!({"type": "mention", "plain_text": "x"})).collect();
        for (property, cut) in [
            (json!({"type": "relation", "relation": ids(25), "has_more": true}), true),
            (json!({"type": "relation", "relation": ids(25), "has_more": false}), false),
            (json!({"type": "relation", "relation": ids(25)}), true),
            (json!({"type": "people", "people": ids(24)}), false),
            (json!({"type": "people", "people": ids(25)}), true),
            (json!({"type": "title", "title": mentions}), true),
            (json!({"type": "rich_text", "rich_text": ids(40)}), false),
            (json!({"type": "rollup", "rollup": {"type": "incomplete"}}), true),
            (json!({"type": "number", "number": 1}), false),
        ] {
            assert_eq!(is_cut(&property), cut, "{property}");
        }
    }
}
