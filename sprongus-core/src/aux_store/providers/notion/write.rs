//! JSON as a property's value, within the API's limits (Notion's pages on property values and on request limits).

use serde_json::{Value, json};

/// The longest text object, in UTF-16 units, which is what the API counts.
const LONGEST_TEXT: usize = 2000;
/// Items of a list: text objects, options, pages, people.
const MOST_ITEMS: usize = 100;
const LONGEST_URL: usize = 2000;
const LONGEST_CONTACT: usize = 200;

/// Why a value cannot be written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The property takes no such value; what it takes.
    Type(String),
    /// It is more than a request may hold. A page may hold more: unchanged, it needs no request.
    Limit(String),
}

impl From<&str> for Refusal {
    fn from(wanted: &str) -> Self {
        Self::Type(format!("{wanted} is wanted"))
    }
}

/// Whether the API takes a value for a property of that type; what Notion computes itself is read alone.
pub(super) fn is_writable(kind: &str) -> bool {
    matches!(
        kind,
        "title"
            | "rich_text"
            | "number"
            | "select"
            | "status"
            | "multi_select"
            | "date"
            | "checkbox"
            | "url"
            | "email"
            | "phone_number"
            | "people"
            | "relation"
            | "files"
            | "place"
    )
}

/// The property's new value; none empties it.
pub(super) fn value(kind: &str, value: Option<&Value>) -> Result<Value, Refusal> {
    let value = value.unwrap_or(&Value::Null);
    let inner = match kind {
        "title" | "rich_text" => texts(value)?,
        "number" => nullable(value, Value::is_number, "a number")?,
        "select" | "status" => match value {
            Value::Null => Value::Null,
            value => json!({ "name": text(value, LONGEST_TEXT)? }),
        },
        "multi_select" => each(value, |one| Ok(json!({ "name": text(one, LONGEST_TEXT)? })))?,
        "people" => each(value, |one| Ok(json!({ "object": "user", "id": text(one, LONGEST_TEXT)? })))?,
        "relation" => each(value, |one| Ok(json!({ "id": text(one, LONGEST_TEXT)? })))?,
        "files" => each(value, file)?,
        "date" => date(value)?,
        "checkbox" => Value::Bool(value.as_bool().or(value.is_null().then_some(false)).ok_or("true or false")?),
        "url" => limited(value, LONGEST_URL)?,
        "email" | "phone_number" => limited(value, LONGEST_CONTACT)?,
        "place" => {
            nullable(value, |place| place["lat"].is_number() && place["lon"].is_number(), "an object with lat and lon")?
        }
        _ => return Err(Refusal::Type("Notion computes this property itself".to_owned())),
    };
    Ok(json!({ kind: inner }))
}

fn nullable(value: &Value, is: impl Fn(&Value) -> bool, what: &str) -> Result<Value, Refusal> {
    if value.is_null() || is(value) { Ok(value.clone()) } else { Err(what.into()) }
}

fn text(value: &Value, longest: usize) -> Result<&str, Refusal> {
    let text = value.as_str().ok_or("a text")?;
    let length = text.encode_utf16().count();
    if length > longest {
        Err(Refusal::Limit(format!("the text has {length} characters; Notion takes {longest}")))
    } else {
        Ok(text)
    }
}

fn limited(value: &Value, longest: usize) -> Result<Value, Refusal> {
    if value.is_null() { Ok(Value::Null) } else { Ok(text(value, longest)?.into()) }
}

fn each(value: &Value, one: impl Fn(&Value) -> Result<Value, Refusal>) -> Result<Value, Refusal> {
    let none = Vec::new();
    let items = if value.is_null() { &none } else { value.as_array().ok_or("a list")? };
    if items.len() > MOST_ITEMS {
        return Err(Refusal::Limit(format!("the list has {} items; Notion takes {MOST_ITEMS}", items.len())));
    }
    items.iter().map(one).collect()
}

/// A text as text objects, each as long as one may be.
fn texts(value: &Value) -> Result<Value, Refusal> {
    let whole = if value.is_null() { "" } else { text(value, LONGEST_TEXT * MOST_ITEMS)? };
    let parts = split(whole);
    // Pairs of UTF-16 units are not torn apart, so a text at the limit may need one more.
    if parts.len() > MOST_ITEMS {
        return Err(Refusal::Limit(format!("the text needs {} parts; Notion takes {MOST_ITEMS}", parts.len())));
    }
    Ok(parts.into_iter().map(|part| json!({ "type": "text", "text": { "content": part } })).collect())
}

fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut units) = (Vec::new(), 0, 0);
    for (at, char) in text.char_indices() {
        if units + char.len_utf16() > LONGEST_TEXT {
            parts.push(&text[start..at]);
            (start, units) = (at, 0);
        }
        units += char.len_utf16();
    }
    if start < text.len() {
        parts.push(&text[start..]);
    }
    parts
}

fn date(value: &Value) -> Result<Value, Refusal> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::String(start) => Ok(json!({ "start": start })),
        Value::Object(date) if date.get("start").is_some_and(Value::is_string) => {
            Ok(json!({ "start": date["start"], "end": date.get("end"), "time_zone": date.get("timeZone") }))
        }
        _ => Err("a date, or an object with start, end and timeZone".into()),
    }
}

/// A file is kept by the URL it came with, or leads elsewhere.
fn file(file: &Value) -> Result<Value, Refusal> {
    let name = &file["name"];
    match (&file["url"], &file["hosted"]) {
        (Value::String(url), Value::Null) => Ok(
            json!({ "name": if name.is_null() { url.clone().into() } else { name.clone() }, "type": "external", "external": { "url": url } }),
        ),
        (Value::Null, Value::String(url)) => Ok(json!({ "name": name, "type": "file", "file": { "url": url } })),
        _ => Err("an object with name and url".into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_writable_type_is_written() {
        let text = |content: &str| json!([{"type": "text", "text": {"content": content}}]);
        for (kind, given, expected) in [
            ("title", json!("a"), text("a")),
            ("rich_text", json!("é\n"), text("é\n")),
            ("rich_text", json!(null), json!([])),
            ("rich_text", json!(""), json!([])),
            ("number", json!(1.5), json!(1.5)),
            ("number", json!(null), json!(null)),
            ("select", json!("red"), json!({"name": "red"})),
            ("status", json!("Done"), json!({"name": "Done"})),
            ("select", json!(null), json!(null)),
            ("multi_select", json!(["a", "b"]), json!([{"name": "a"}, {"name": "b"}])),
            ("multi_select", json!(null), json!([])),
            ("date", json!("2026-01-02"), json!({"start": "2026-01-02"})),
            (
                "date",
                json!({"start": "2026-01-02", "end": "2026-01-03"}),
                json!({"start": "2026-01-02", "end": "2026-01-03", "time_zone": null}),
            ),
            ("date", json!(null), json!(null)),
            ("checkbox", json!(true), json!(true)),
            ("checkbox", json!(null), json!(false)),
            ("url", json!("https://a"), json!("https://a")),
            ("email", json!(null), json!(null)),
            ("phone_number", json!("1"), json!("1")),
            ("people", json!(["u1"]), json!([{"object": "user", "id": "u1"}])),
            ("relation", json!(["p1"]), json!([{"id": "p1"}])),
            ("place", json!({"lat": 1, "lon": 2}), json!({"lat": 1, "lon": 2})),
            (
                "files",
                json!([{"name": "a", "url": "https://a"}, {"url": "https://b"}]),
                json!([
                    {"name": "a", "type": "external", "external": {"url": "https://a"}},
                    {"name": "https://b", "type": "external", "external": {"url": "https://b"}}
                ]),
            ),
            (
                "files",
                json!([{"name": "f", "hosted": "https://s3"}]),
                json!([{"name": "f", "type": "file", "file": {"url": "https://s3"}}]),
            ),
        ] {
            assert_eq!(value(kind, Some(&given)), Ok(json!({ kind: expected })), "{kind} {given}");
            assert!(is_writable(kind));
        }
    }

    #[test]
    fn values_of_another_type_are_refused() {
        let many: Value = (0..101).map(|n| n.to_string()).collect();
        for (kind, given) in [
            ("title", json!(1)),
            ("number", json!("1")),
            ("select", json!(["a"])),
            ("multi_select", json!("a")),
            ("multi_select", json!([1])),
            ("multi_select", many.clone()),
            ("relation", many),
            ("date", json!(17)),
            ("date", json!({"end": "2026-01-02"})),
            ("checkbox", json!("yes")),
            ("url", json!("x".repeat(2001))),
            ("email", json!("x".repeat(201))),
            ("people", json!([null])),
            ("files", json!(["https://a"])),
            ("files", json!([{"name": "a"}])),
            ("place", json!({"lat": 1})),
            ("rich_text", json!("x".repeat(200_001))),
            ("formula", json!(1)),
            ("created_time", json!("2026-01-02")),
        ] {
            value(kind, Some(&given)).unwrap_err();
        }
    }

    #[test]
    fn long_texts_are_cut_as_notion_counts() {
        assert_eq!(split("").len(), 0);
        let long = "x".repeat(1999) + "🙂" + &"é".repeat(2000);
        let parts = split(&long);
        assert_eq!(parts.concat(), long);
        assert!(parts.iter().all(|part| part.encode_utf16().count() <= 2000));
        assert_eq!(parts.len(), 3);
        assert_eq!(value("title", Some(&json!("x".repeat(200_000)))).unwrap()["title"].as_array().unwrap().len(), 100);
        value("title", Some(&json!("🙂".repeat(100_000)))).unwrap();
    }
}
