//! Text as JSONB gives it back, put into canonical form without a tree of it: there are spaces behind colons and commas, and
//! keys stand in the order of their lengths.

use std::ops::Range;

use super::MAX_DEPTH;
use super::sure::{after_string, after_value};

/// The canonical text. Where that takes more (floats, large integers, rare escapes) there is none: the document is parsed.
pub(super) fn arranged(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let rest = value(text, 0, &mut out)?;
    rest.is_empty().then_some(out)
}

/// Writes the value that the text begins with, within so many arrays and objects; what comes after it.
fn value<'t>(text: &'t str, within: usize, out: &mut String) -> Option<&'t str> {
    if within < MAX_DEPTH {
        if let Some(items) = text.strip_prefix('[') {
            return array(items, within + 1, out);
        }
        if let Some(members) = text.strip_prefix('{') {
            return object(members, within + 1, out);
        }
    }
    // Neither array nor object: so deep there is none.
    let (leaf, rest) = before(text, after_value(text.as_bytes(), MAX_DEPTH)?)?;
    out.push_str(leaf);
    Some(rest)
}

fn array<'t>(mut text: &'t str, within: usize, out: &mut String) -> Option<&'t str> {
    out.push('[');
    if !text.starts_with(']') {
        loop {
            text = value(text, within, out)?;
            let Some(next) = text.strip_prefix(',') else { break };
            out.push(',');
            text = past_space(next);
        }
    }
    out.push(']');
    text.strip_prefix(']')
}

fn object<'t>(mut text: &'t str, within: usize, out: &mut String) -> Option<&'t str> {
    out.push('{');
    if !text.starts_with('}') {
        let (begun, mut members) = (out.len(), Vec::new());
        loop {
            let (key, rest) = before(text, after_string(text.strip_prefix('"')?.as_bytes(), false)?)?;
            let at = out.len();
            out.push_str(key);
            out.push(':');
            text = value(past_space(rest.strip_prefix(':')?), within, out)?;
            // Without the quotes, which are greater than some characters.
            members.push((key.get(1..key.len() - 1)?, at..out.len()));
            let Some(next) = text.strip_prefix(',') else { break };
            out.push(',');
            text = past_space(next);
        }
        if !members.is_sorted_by(|(a, _), (b, _)| a < b) {
            sort(&mut members, begun, out)?;
        }
    }
    out.push('}');
    text.strip_prefix('}')
}

/// Puts the members that were written from there on in the order of their keys, of which none stands twice.
fn sort(members: &mut [(&str, Range<usize>)], begun: usize, out: &mut String) -> Option<()> {
    members.sort_unstable_by_key(|(key, _)| *key);
    if !members.is_sorted_by(|(a, _), (b, _)| a < b) {
        return None;
    }
    let written = out.split_off(begun);
    for (index, (_, at)) in members.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(written.get(at.start - begun..at.end - begun)?);
    }
    Some(())
}

/// The text up to that rest of it, and the rest.
fn before<'t>(text: &'t str, rest: &[u8]) -> Option<(&'t str, &'t str)> {
    text.split_at_checked(text.len().checked_sub(rest.len())?)
}

fn past_space(text: &str) -> &str {
    text.strip_prefix(' ').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::json::Json;

    /// A text as `jsonb_out` writes it: a space behind colons and commas, shorter keys first.
    fn jsonb(value: &serde_json::Value) -> String {
        match value {
            serde_json::Value::Array(items) => {
                format!("[{}]", items.iter().map(jsonb).collect::<Vec<_>>().join(", "))
            }
            serde_json::Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by_key(|(key, _)| (key.len(), key.as_str()));
                let member = |(key, value)| format!("{}: {}", serde_json::to_string(key).unwrap(), jsonb(value));
                format!("{{{}}}", members.into_iter().map(member).collect::<Vec<_>>().join(", "))
            }
            leaf => leaf.to_string(),
        }
    }

    #[test]
    fn keys_are_put_in_order_and_spaces_go() {
        for (text, canonical) in [
            (r#"{"to": "a, b: c", "at": 1}"#, r#"{"at":1,"to":"a, b: c"}"#),
            (r#"{"b": {"d": [1, {}, []], "ca": null}, "aa": true}"#, r#"{"aa":true,"b":{"ca":null,"d":[1,{},[]]}}"#),
            (r#"{"a!": 1, "a": 2, "é": "\\"}"#, r#"{"a":2,"a!":1,"é":"\\"}"#),
            ("[]", "[]"),
            ("null", "null"),
        ] {
            assert_eq!(arranged(text).as_deref(), Some(canonical));
            assert_eq!(Json::parse(text).unwrap().as_str(), canonical);
        }
    }

    #[test]
    fn what_is_not_sure_is_left_to_the_parser() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(arranged(&deep(128)), Some(deep(128)));
        let (deeper, twice) = (deep(129), r#"{"b": 1, "a": 1, "b": 2}"#);
        for text in
            ["", "1.0", "[1 2]", "[1 ,2]", "[1,  2]", "{\"a\":}", "{\"a\"", "[", "[1]x", twice, &deeper, "\"\\u0041\""]
        {
            assert_eq!(arranged(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_document_comes_back_as_it_would_be_parsed(
            members in prop::collection::btree_map("[ -~é\u{1F600}]{0,4}", prop::collection::vec("[ -~é\n\u{1}]{0,6}", 0..3), 0..5),
            numbers in prop::collection::vec(any::<i64>(), 0..3),
        ) {
            let value = serde_json::json!({ "of": members, "all": [numbers, true, null], "é": {} });
            let text = jsonb(&value);
            let parsed = Json::parse(&text).unwrap();
            if let Some(arranged) = arranged(&text) {
                prop_assert_eq!(arranged, parsed.as_str());
            }
            prop_assert_eq!(Json::from_database(&text).unwrap(), parsed);
        }
    }
}
