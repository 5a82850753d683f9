//! Text that is in canonical form as it stands, as most of it is that programs of ours write: no tree is made of it.

use super::MAX_DEPTH;
use super::canonical::plain;

/// Digits that any integer may have.
const DIGITS: usize = 18;

/// Whether the text is a document in canonical form. Where that takes more than a look (floats, large integers, rare escapes)
/// the answer is no, and the document is parsed.
pub(super) fn is_canonical(text: &str) -> bool {
    after_value(text.as_bytes(), 0).is_some_and(|rest| rest.is_empty())
}

/// What comes after the value that the bytes begin with, within so many arrays and objects.
pub(super) fn after_value(bytes: &[u8], within: usize) -> Option<&[u8]> {
    match bytes {
        [b'"', rest @ ..] => after_string(rest, true),
        [b'{', rest @ ..] if within < MAX_DEPTH => after_members(rest, within + 1),
        [b'[', rest @ ..] if within < MAX_DEPTH => after_items(rest, within + 1),
        [b't', b'r', b'u', b'e', rest @ ..] => Some(rest),
        [b'f', b'a', b'l', b's', b'e', rest @ ..] => Some(rest),
        [b'n', b'u', b'l', b'l', rest @ ..] => Some(rest),
        _ => after_integer(bytes),
    }
}

fn after_members(bytes: &[u8], within: usize) -> Option<&[u8]> {
    if let [b'}', rest @ ..] = bytes {
        return Some(rest);
    }
    let (mut rest, mut before) = (bytes, None);
    loop {
        let [b'"', start @ ..] = rest else { return None };
        // The bytes of a key without escapes are in the order of its characters.
        rest = after_string(start, false)?;
        let key = start.get(..start.len() - rest.len())?;
        let rises = before.is_none_or(|before: &[u8]| before[..before.len() - 1] < key[..key.len() - 1]);
        let [b':', value @ ..] = rest else { return None };
        if !rises {
            return None;
        }
        before = Some(key);
        match after_value(value, within)? {
            [b',', next @ ..] => rest = next,
            [b'}', rest @ ..] => return Some(rest),
            _ => return None,
        }
    }
}

fn after_items(bytes: &[u8], within: usize) -> Option<&[u8]> {
    if let [b']', rest @ ..] = bytes {
        return Some(rest);
    }
    let mut rest = bytes;
    loop {
        match after_value(rest, within)? {
            [b',', next @ ..] => rest = next,
            [b']', rest @ ..] => return Some(rest),
            _ => return None,
        }
    }
}

/// After the quote that closes a string.
pub(super) fn after_string(mut bytes: &[u8], escapes: bool) -> Option<&[u8]> {
    loop {
        bytes = match bytes.get(plain(bytes)..)? {
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', b'"' | b'\\' | b'n' | b'r' | b't' | b'b' | b'f', rest @ ..] if escapes => rest,
            _ => return None,
        };
    }
}

fn after_integer(bytes: &[u8]) -> Option<&[u8]> {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = digits.split_at(count);
    let plain = match number {
        [] => false,
        [b'0'] => digits.len() == bytes.len(),
        [b'0', ..] => false,
        _ => count <= DIGITS,
    };
    let ends = !matches!(rest, [b'.' | b'e' | b'E', ..]);
    (plain && ends).then_some(rest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::json::Json;
    use crate::json::parse::parse_value;

    /// As the text is parsed and written.
    fn written(text: &str) -> Option<String> {
        Some(Json::from_value(&parse_value(text).ok()?).ok()?.as_str().to_owned())
    }

    #[test]
    fn what_is_canonical_is_seen() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        for text in
            ["null", "true", "0", "-1", "[]", "{}", "\"\"", r#"{"a":[1,{"b":"c\n\"é"}],"b":{},"é":false}"#, &deep(128)]
        {
            assert!(is_canonical(text), "{text}");
            assert_eq!(written(text).as_deref(), Some(text));
        }
        for text in [
            "",
            " null",
            "nul",
            "-0",
            "01",
            "-",
            "1.0",
            "1e2",
            "[1,]",
            "[,1]",
            "{\"a\":1,}",
            "{\"b\":1,\"a\":2}",
            "{\"a\":1,\"a\":2}",
            "{\"a\" :1}",
            "\"\\u0041\"",
            "\"\\/\"",
            "\"\u{1}\"",
            "\"a",
            "[1 ]",
            "[]x",
            "{\"a\":}",
            "{1:1}",
            "[",
            "{",
            "{\"a\"",
            "\"\\",
            "1234567890123456789",
            &deep(129),
            &"[".repeat(1_000_000),
        ] {
            assert!(!is_canonical(text), "{}", text.get(..40).unwrap_or(text));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn what_is_taken_as_it_stands_would_be_written_so(text in r#"[\[\]{}",:0-2a.e\-\\unt é]{0,24}"#) {
            if is_canonical(&text) {
                prop_assert_eq!(written(&text), Some(text));
            }
        }

        #[test]
        fn a_byte_more_or_less_is_no_other_document(
            members in prop::collection::btree_map("[a-c\u{7f}é]{0,2}", "[\"\\\\a\n]{0,3}", 0..4),
            at in any::<prop::sample::Index>(), with in "[ \"{},:0\\\\]?",
        ) {
            let text = Json::from_serialize(&(members, [0_i64, -7, 12])).unwrap().as_str().to_owned();
            let text: Vec<char> = text.chars().collect();
            let at = at.index(text.len());
            let changed: String = text[..at].iter().copied().chain(with.chars()).chain(text[at + 1..].iter().copied()).collect();
            if is_canonical(&changed) {
                prop_assert_eq!(written(&changed), Some(changed));
            }
        }
    }
}
