//! One value out of a document's text: what is not asked for is passed over, not parsed.

use std::borrow::Cow;

use memchr::memchr2;
use serde_json::Value;

use super::path::{Path, index};
use crate::json::parse_value;

/// What stands at a path of a document in canonical form; `None` is missing. As [`Path::find`] in the parsed document.
pub(super) fn value(text: &str, path: &Path) -> Option<Value> {
    let found = raw(text, path)?;
    match found.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Some(Value::from(plain)),
        _ => parse_value(found).ok(),
    }
}

fn raw<'t>(text: &'t str, path: &Path) -> Option<&'t str> {
    let bytes = text.as_bytes();
    let at = path.keys().iter().try_fold(0, |at, key| match bytes.get(at)? {
        b'{' => member(text, at + 1, key),
        b'[' => item(bytes, at + 1, index(key)?),
        _ => None,
    })?;
    text.get(at..after_value(bytes, at))
}

/// Where the value of that member of an object begins; its first key, if it has any, is `at`.
fn member(text: &str, mut at: usize, wanted: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    while bytes.get(at) == Some(&b'"') {
        let end = after_string(bytes, at);
        let name = text.get(at + 1..end - 1)?;
        let name = match name.contains('\\') {
            true => Cow::Owned(serde_json::from_str::<String>(text.get(at..end)?).ok()?),
            false => Cow::Borrowed(name),
        };
        // Keys stand in their order, so one that is passed is not there.
        match name.as_bytes().cmp(wanted.as_bytes()) {
            std::cmp::Ordering::Less => at = after_value(bytes, end + 1) + 1,
            std::cmp::Ordering::Equal => return Some(end + 1),
            std::cmp::Ordering::Greater => return None,
        }
    }
    None
}

/// Where that item of an array begins; its first, if it has any, is `at`.
fn item(bytes: &[u8], mut at: usize, wanted: usize) -> Option<usize> {
    if bytes.get(at) == Some(&b']') {
        return None;
    }
    for _ in 0..wanted {
        at = after_value(bytes, at);
        if bytes.get(at) != Some(&b',') {
            return None;
        }
        at += 1;
    }
    Some(at)
}

fn after_value(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    loop {
        match bytes.get(at) {
            None => return bytes.len(),
            Some(b'"') => at = after_string(bytes, at),
            Some(b'{' | b'[') => {
                depth += 1;
                at += 1;
            }
            Some(b'}' | b']') if depth > 0 => {
                depth -= 1;
                at += 1;
            }
            Some(b'}' | b']' | b',') if depth == 0 => return at,
            Some(_) => at += 1,
        }
    }
}

/// The position after the quote that closes the string which begins at `at`.
fn after_string(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        if bytes[at + found] == b'"' {
            return at + found + 1;
        }
        at += found + 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::json::Json;

    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            proptest::num::f64::NORMAL.prop_map(Value::from),
            "[a-c0-2\"\\\\,{}\\[\\]é\n\u{1}]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab0-1\"\\\\é]{0,2}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// Every path of a document, and some that lead nowhere.
    fn paths(value: &Value, so_far: &[String], out: &mut Vec<Vec<String>>) {
        let below = |key: &str| so_far.iter().cloned().chain([key.to_owned()]).collect::<Vec<_>>();
        out.extend(["", "0", "a", "b", "00", "9", "\"", "é"].map(below));
        match value {
            Value::Array(items) => {
                (0_usize..).zip(items).for_each(|(n, item)| paths(item, &below(&n.to_string()), out))
            }
            Value::Object(map) => map.iter().for_each(|(key, item)| paths(item, &below(key), out)),
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn as_the_parsed_document_has_it(document in document()) {
            let text = Json::from_value(&document).unwrap();
            let document = text.to_value();
            let mut all = Vec::new();
            paths(&document, &[], &mut all);
            for path in all.into_iter().map(Path::from) {
                prop_assert_eq!(value(text.as_str(), &path), path.find(&document).cloned(), "{} in {}", path, text);
            }
        }
    }

    #[test]
    fn what_is_no_json_is_missing_or_null_and_never_a_crash() {
        for text in ["", "{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "[", "[1", "{\"a\\", "{\"a\":\"\\"] {
            for path in ["a", "0", "a.b", "1"] {
                let _ = value(text, &Path::parse(path).unwrap());
            }
        }
    }
}
