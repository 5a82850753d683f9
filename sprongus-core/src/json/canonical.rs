//! The canonical form: keys sorted by code point, no spaces, numbers in their shortest form, -0.0 as 0.0.

use std::cmp::Ordering;
use std::io;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use serde_json::ser::Formatter;

use super::pointer::Place;
use super::{MAX_DEPTH, NUL, TOO_DEEP};
use crate::error::{Error, Result, Violation};

/// Refuses what the parser would refuse, for a value that was not parsed by it.
pub(super) fn check(value: &Value, place: &Place<'_>) -> Result<()> {
    let refuse = |place: &Place<'_>, message: &str| {
        Err(Error::validation(vec![Violation::new(place.pointer(), "json", message)]))
    };
    match value {
        Value::String(text) if text.contains('\0') => refuse(place, NUL),
        Value::Array(_) | Value::Object(_) if place.depth >= MAX_DEPTH => refuse(place, TOO_DEEP),
        Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| check(item, &place.child(index))),
        Value::Object(map) => map.iter().try_for_each(|(key, item)| match key.contains('\0') {
            true => refuse(&place.child(key.as_str()), NUL),
            false => check(item, &place.child(key.as_str())),
        }),
        _ => Ok(()),
    }
}

/// The canonical text of a checked value.
pub(super) fn to_text(value: &Value) -> Result<String> {
    // Most documents fit, or nearly: growing from nothing costs as much as writing.
    let mut text = Vec::with_capacity(1024);
    let written = Canonical(value).serialize(&mut serde_json::Serializer::with_formatter(&mut text, Floats));
    let text = written
        .map_err(serde_json::Error::into)
        .and_then(|()| String::from_utf8(text).map_err(Box::<dyn std::error::Error + Send + Sync>::from));
    text.map_err(|error| {
        Error::validation(vec![Violation::new("", "json", format!("this does not serialize to JSON: {error}"))])
    })
}

/// Floats as Rust's `Debug` writes them: the shortest digits that read back as the same, `1e16` and `1e-5` with an exponent.
/// Hashes of documents are stored, so their form must not change with a version of serde_json.
struct Floats;

impl Formatter for Floats {
    fn write_f64<W: io::Write + ?Sized>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        write!(writer, "{value:?}")
    }
}

struct Canonical<'a>(&'a Value);

impl Serialize for Canonical<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Number(number) if number.is_f64() && number.as_f64() == Some(0.0) => serializer.serialize_f64(0.0),
            Value::Array(items) => serializer.collect_seq(items.iter().map(Canonical)),
            Value::Object(map) => {
                let mut members: Vec<_> = map.iter().collect();
                // Sorted already, unless some crate of the host turns on serde_json's `preserve_order`.
                if !members.is_sorted_by(|a, b| a.0.cmp(b.0) != Ordering::Greater) {
                    members.sort_unstable_by_key(|(key, _)| key.as_str());
                }
                let mut object = serializer.serialize_map(Some(members.len()))?;
                members.into_iter().try_for_each(|(key, item)| object.serialize_entry(key, &Canonical(item)))?;
                object.end()
            }
            other => other.serialize(serializer),
        }
    }
}
