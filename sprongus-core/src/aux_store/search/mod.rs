//! `q`: a substring, case-insensitive the Unicode way, over an entry's text.
//!
//! [`Search`] decides; [`candidates`] spares it the entries that cannot match (docs/decisions/0013-marks-of-time.md).

mod candidates;
mod fold;
mod index;
mod marks;

pub(super) use candidates::candidates;
pub(super) use fold::{Searched, after_bulk, after_search, after_write};
pub(super) use marks::{mark, write_marked};

use serde_json::Value;

use crate::presets::FieldPath;
use crate::text::{fold, fold_onto};

/// Between the strings of a stored search text: U+001F, the unit separator.
const SEPARATOR: char = '\u{1f}';

/// A folded search term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search(String);

impl Search {
    /// The term as entries are searched for it; `None` where it folds to nothing, which every entry matches.
    pub fn new(q: &str) -> Option<Self> {
        Some(Self(fold(q).into_owned())).filter(|search| !search.0.is_empty())
    }

    /// The term in folded form, for a pre-filter.
    pub fn folded(&self) -> &str {
        &self.0
    }

    /// Whether a string that is searched holds the term: of the fields named where there are any, else at any depth.
    pub fn matches(&self, payload: &Value, fields: &[FieldPath]) -> bool {
        let mut found = false;
        each_text(payload, fields, &mut |text| found = found || fold(text).contains(&self.0));
        found
    }

    /// [`matches`](Self::matches) by the stored [`search_text`], without folding again. `None` where it cannot tell: a term
    /// that holds the separator could reach from one string into the next.
    pub(crate) fn matches_text(&self, search_text: &str) -> Option<bool> {
        (!self.0.contains(SEPARATOR)).then(|| search_text.contains(&self.0))
    }
}

/// What is stored beside an entry for [`Search::matches_text`]: every searched string, folded, in document order.
pub(crate) fn search_text(payload: &Value, fields: &[FieldPath]) -> String {
    let mut all = String::with_capacity(512);
    each_text(payload, fields, &mut |text| push_text(text, &mut all));
    all
}

/// Adds one string to a [`search_text`].
pub(crate) fn push_text(text: &str, all: &mut String) {
    if !all.is_empty() {
        all.push(SEPARATOR);
    }
    fold_onto(text, all);
}

fn each_text(payload: &Value, fields: &[FieldPath], visit: &mut impl FnMut(&str)) {
    if fields.is_empty() {
        return strings(payload, visit);
    }
    for (_, value) in fields.iter().flat_map(|field| field.values(payload)) {
        strings(value, visit);
    }
}

/// Every string at any depth, in the order of the document.
pub(crate) fn strings(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, visit)),
        Value::Object(map) => map.values().for_each(|item| strings(item, visit)),
        _ => {}
    }
}

/// The program of the page on searching runs as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/search.md")]
struct DocsPage;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::aux_store::testing::shared_json;

    fn hit(q: &str, payload: &Value, fields: &[&str]) -> bool {
        let fields: Vec<FieldPath> = fields.iter().map(|field| FieldPath::parse(field).unwrap()).collect();
        let Some(search) = Search::new(q) else { return true };
        let slow = search.matches(payload, &fields);
        if let Some(fast) = search.matches_text(&search_text(payload, &fields)) {
            assert_eq!(fast, slow, "{q}");
        }
        slow
    }

    #[test]
    fn folds_case_and_composition() {
        let payload = json!({"a": "Straße", "b": ["CAFE\u{301}", {"c": "Ωμέγα"}], "n": 12});
        for q in ["STRASSE", "strasse", "café", "CAFÉ", "ΩΜΈΓΑ", "", "ß"] {
            assert!(hit(q, &payload, &[]), "{q}");
        }
        for q in ["12", "a ", "caféω", "straße\u{1f}"] {
            assert!(!hit(q, &payload, &[]), "{q}");
        }
    }

    #[test]
    fn only_the_fields_marked_are_searched() {
        let payload = json!({"title": "Blue", "note": "Red", "tags": ["Green"], "deep": {"er": "Grey"}});
        assert!(hit("blue", &payload, &["title"]));
        assert!(!hit("red", &payload, &["title"]));
        assert!(hit("green", &payload, &["title", "tags"]));
        assert!(hit("grey", &payload, &["deep.er"]));
        assert!(!hit("blue", &payload, &["missing"]));
    }

    #[test]
    fn a_separator_in_text_or_term_changes_nothing() {
        let payload = json!({"a": "x\u{1f}y", "b": "z"});
        assert!(hit("x\u{1f}y", &payload, &[]));
        assert!(!hit("y\u{1f}z", &payload, &[]));
    }

    #[test]
    fn naughty_strings_find_themselves() {
        let Some(strings) = shared_json("blns/blns.even.json") else { return };
        for text in strings.as_array().unwrap().iter().filter_map(Value::as_str) {
            assert!(hit(text, &json!({"deep": [{"value": text}]}), &[]), "{text:?}");
        }
    }
}
