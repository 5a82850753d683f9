//! Text: folding for comparisons, cutting, names.

use std::borrow::Cow;

use caseless::Caseless;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::error::{Error, Result};

/// The longest name, in bytes.
pub const MAX_NAME: usize = 512;

const CUT: &str = "… (truncated)";

/// Text made comparable without regard to case: NFC, full default case folding (Unicode §3.13), NFC.
///
/// No language's own rules: `ß` is `ss`, a final sigma is a sigma, a Turkish `İ` is `i` with a dot above.
///
/// ```
/// assert_eq!(sprongus::text::fold("STRASSE"), sprongus::text::fold("Straße"));
/// ```
pub fn fold(text: &str) -> Cow<'_, str> {
    if !text.is_ascii() {
        let folded = fold_case(&nfc(text));
        return nfc(&folded).into_owned().into();
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) { text.to_ascii_lowercase().into() } else { text.into() }
}

/// Writes [`fold`] of a text behind what is there.
pub(crate) fn fold_onto(text: &str, folded: &mut String) {
    if !text.is_ascii() {
        return folded.push_str(&fold(text));
    }
    let start = folded.len();
    folded.push_str(text);
    folded[start..].make_ascii_lowercase();
}

/// NFC; most text is in it already, which is quickly seen.
fn nfc(text: &str) -> Cow<'_, str> {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => text.into(),
        _ => text.nfc().collect::<String>().into(),
    }
}

fn fold_case(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_ascii() {
            true => folded.push(c.to_ascii_lowercase()),
            false => folded.extend(std::iter::once(c).default_case_fold()),
        }
    }
    folded
}

/// The longest start of the text that has at most `max` bytes and ends between two characters.
pub fn truncate(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let end = (0..=max).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

/// An error's text as it is stored: NUL becomes U+FFFD (PostgreSQL's TEXT has none), and text over `max` bytes is cut,
/// which ` … (truncated)` tells, inside `max`.
pub fn error_text(text: &str, max: usize) -> String {
    // U+FFFD is longer than NUL, so nothing after the first `max` bytes can matter, however long the text is.
    let head = truncate(text, max.saturating_add(1));
    let clean = head.replace('\0', "\u{fffd}");
    if clean.len() <= max && head.len() == text.len() {
        return clean;
    }
    match max.checked_sub(CUT.len()) {
        Some(room) => format!("{}{CUT}", truncate(&clean, room)),
        None => truncate(&clean, max).to_owned(),
    }
}

/// The keys of a path as filters, sorts, CSV headers and lists of fields write it: `.` descends, `\.` is a dot and `\\` a
/// backslash within a key. `None` where a backslash stands before anything else; never empty.
pub(crate) fn path_keys(path: &str) -> Option<Vec<String>> {
    let (mut keys, mut key) = (Vec::new(), String::new());
    let mut rest = path.chars();
    while let Some(char) = rest.next() {
        match char {
            '.' => keys.push(std::mem::take(&mut key)),
            '\\' => key.push(rest.next().filter(|escaped| matches!(escaped, '.' | '\\'))?),
            other => key.push(other),
        }
    }
    keys.push(key);
    Some(keys)
}

/// A key as it is written inside a path.
pub(crate) fn path_key(key: &str) -> String {
    key.replace('\\', r"\\").replace('.', r"\.")
}

/// A name or key: 1–512 bytes without control characters (C0, DEL, C1); `invalid_argument` names `what`.
///
/// # Errors
/// `invalid_argument`.
pub fn check_name(what: &str, text: &str) -> Result<()> {
    check_text(what, text, MAX_NAME)
}

pub(crate) fn check_text(what: &str, text: &str, max: usize) -> Result<()> {
    if text.is_empty() || text.len() > max {
        return Err(Error::invalid(format!("{what} has {} bytes; it must have 1 to {max}", text.len())));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(format!("{what} must not contain control characters")));
    }
    Ok(())
}

/// A label: `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$` (DESIGN.md §15).
///
/// # Errors
/// `invalid_argument`.
pub fn check_label(label: &str) -> Result<()> {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let first = label.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if first && label.len() <= 64 && label.bytes().all(inner) {
        return Ok(());
    }
    Err(Error::invalid(
        "a label is 1 to 64 letters, digits, dots, underscores or hyphens and starts with a letter or digit",
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn folding_is_full_and_normal() {
        for (left, right) in [
            ("ABC", "abc"),
            ("Straße", "STRASSE"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("e\u{301}TUDE", "Étude"),
            ("ﬁn", "FIN"),
            ("\u{1f80}", "\u{1f88}"),
        ] {
            assert_eq!(fold(left), fold(right));
            assert_eq!(fold(&fold(left)), fold(left));
        }
        assert_eq!(fold("İ"), "i\u{307}");
        assert_eq!(fold("I"), "i");
        assert!(matches!(fold("plain 1"), Cow::Borrowed("plain 1")));
    }

    #[test]
    fn folding_is_what_the_standard_says_of_every_character() {
        let by_the_standard = |text: &str| text.nfc().default_case_fold().nfc().collect::<String>();
        for c in ('\0'..=char::MAX).filter(|c| *c < '\u{30000}') {
            // Beside letters and marks it may compose with or be reordered by.
            for text in [format!("{c}"), format!("É{c}"), format!("E{c}\u{301}"), format!("Σ\u{345}{c}e\u{323}")] {
                assert_eq!(fold(&text), by_the_standard(&text), "{c:?}");
            }
        }
    }

    #[test]
    fn cuts_fall_between_characters() {
        assert_eq!(truncate("añb", 2), "a");
        assert_eq!(truncate("añb", 3), "añ");
        assert_eq!(truncate("añb", 99), "añb");
        assert_eq!(truncate("🙂", 3), "");
    }

    #[test]
    fn error_text_fits_and_says_when_it_was_cut() {
        assert_eq!(error_text("a\0b", 16), "a\u{fffd}b");
        assert_eq!(error_text(&"x".repeat(16), 16), "x".repeat(16));
        assert_eq!(error_text(&"x".repeat(21), 20), "xxxxx… (truncated)");
        assert_eq!(error_text("abcdef", 3), "abc");
        for text in ["\0".repeat(50), "🙂".repeat(50), "é".repeat(50)] {
            for max in 0..60 {
                assert!(error_text(&text, max).len() <= max);
            }
        }
    }

    #[test]
    fn names_and_labels_are_checked() {
        check_name("the kind", "résumé 🙂").unwrap();
        check_name("the kind", &"x".repeat(512)).unwrap();
        for bad in ["", "a\0", "tab\t", "\u{7f}", "\u{9f}", &"x".repeat(513)] {
            assert!(check_name("the kind", bad).unwrap_err().message().starts_with("the kind "));
        }
        for good in ["a", "0", "v1.2_rc-3", &"x".repeat(64)] {
            check_label(good).unwrap();
        }
        for bad in ["", ".a", "-a", "_a", "a b", "é", "a\n", &"x".repeat(65)] {
            check_label(bad).unwrap_err();
        }
    }
}
