//! The canonical form: keys sorted by code point, no spaces, numbers in their shortest form, -0.0 as 0.0.
//!
//! Hashes of documents are stored, so this form must not change with a version of a library: it is written here.

use std::fmt::Write;

use serde_json::{Map, Number, Value};

use super::pointer::Place;
use super::{MAX_DEPTH, NUL, TOO_DEEP};
use crate::error::{Error, Result, Violation};

/// Writes a value behind what is there, and refuses what the parser would refuse.
pub(super) fn push(value: &Value, place: &Place<'_>, text: &mut String) -> Result<()> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => push_number(number, text),
        Value::String(string) if string.contains('\0') => return refuse(place, NUL),
        Value::String(string) => quote(string, text),
        Value::Array(_) | Value::Object(_) if place.depth >= MAX_DEPTH => return refuse(place, TOO_DEEP),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                push(item, &place.child(index), text)?;
            }
            text.push(']');
        }
        Value::Object(map) => {
            text.push('{');
            // Sorted already, unless some crate of the host turns on serde_json's `preserve_order`.
            match map.keys().is_sorted() {
                true => push_members(map.iter(), place, text)?,
                false => push_members(sorted(map).into_iter(), place, text)?,
            }
            text.push('}');
        }
    }
    Ok(())
}

fn refuse(place: &Place<'_>, message: &str) -> Result<()> {
    Err(Error::validation(vec![Violation::new(place.pointer(), "json", message)]))
}

fn sorted(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = map.iter().collect();
    members.sort_unstable_by_key(|(key, _)| key.as_str());
    members
}

fn push_members<'v>(
    members: impl Iterator<Item = (&'v String, &'v Value)>,
    place: &Place<'_>,
    text: &mut String,
) -> Result<()> {
    for (index, (key, item)) in members.enumerate() {
        let place = place.child(key.as_str());
        if key.contains('\0') {
            return refuse(&place, NUL);
        }
        text.push_str(if index == 0 { "" } else { "," });
        quote(key, text);
        text.push(':');
        push(item, &place, text)?;
    }
    Ok(())
}

/// Floats as Rust's `Debug` writes them: the shortest digits that read back as the same, `1e16` and `1e-5` with an exponent.
fn push_number(number: &Number, text: &mut String) {
    let float = number.as_f64().filter(|_| number.is_f64());
    // Writing to a string cannot fail. Adding 0.0 makes 0.0 of -0.0 and changes nothing else.
    let _ = match float {
        Some(float) => write!(text, "{:?}", float + 0.0),
        None => write!(text, "{number}"),
    };
}

/// Writes a string in quotes: escaped are quotes, backslashes and what lies below U+0020, as short as it can be.
pub(crate) fn quote(string: &str, text: &mut String) {
    text.push('"');
    let mut rest = string;
    loop {
        let (copied, after) = rest.split_at(plain(rest.as_bytes()));
        text.push_str(copied);
        let Some(byte) = after.bytes().next() else { break };
        // What is escaped is one byte.
        rest = &after[1..];
        match byte {
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            0x08 => text.push_str("\\b"),
            0x0c => text.push_str("\\f"),
            control => {
                // Writing to a string cannot fail.
                let _ = write!(text, "\\u{control:04x}");
            }
        }
    }
    text.push('"');
}

/// How many bytes there are before the first that is escaped in a string. Many at a time, where none of them is.
pub(super) fn plain(bytes: &[u8]) -> usize {
    const TOGETHER: usize = 16;
    let escaped = |byte: u8| (byte < b' ') | (byte == b'"') | (byte == b'\\');
    let none = |some: &&[u8]| !some.iter().fold(false, |any, byte| any | escaped(*byte));
    let passed = TOGETHER * bytes.chunks_exact(TOGETHER).take_while(none).count();
    passed + bytes[passed..].iter().take_while(|byte| !escaped(**byte)).count()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn strings_are_written_as_they_were_when_hashes_were_first_stored() {
        let every: String = ('\u{1}'..='\u{100}').chain(['\u{2028}', '🙂', '\u{feff}']).collect();
        let late = format!("{}\"é{}\\", "x".repeat(37), "é".repeat(40));
        for string in ["", "plain", "\"", "\\", "a\nb", "\u{7f}", &every, &late] {
            let mut text = String::new();
            quote(string, &mut text);
            assert_eq!(text, serde_json::to_string(string).unwrap());
        }
    }
}
