//! What changed between two versions of a document, in words.

use serde_json::{Map, Value};

/// Names in a summary before it says how many more there are.
const NAMED: usize = 20;

/// The top-level fields in which two payloads differ, in order.
fn changed_fields<'m>(old: &'m Map<String, Value>, new: &'m Map<String, Value>) -> Vec<&'m str> {
    let mut changed: Vec<&str> =
        old.iter().filter(|(key, value)| new.get(*key) != Some(value)).map(|(key, _)| key.as_str()).collect();
    changed.extend(new.keys().filter(|key| !old.contains_key(*key)).map(String::as_str));
    changed.sort_unstable();
    changed
}

/// The change summary of an update: `updated: title, year` (DESIGN.md §15 "History").
pub(crate) fn summary(old: &Map<String, Value>, new: &Map<String, Value>) -> String {
    let changed = changed_fields(old, new);
    let (named, more) = changed.split_at(changed.len().min(NAMED));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    format!("updated: {}{more}", named.join(", "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn summary_of(old: Value, new: Value) -> String {
        summary(old.as_object().unwrap(), new.as_object().unwrap())
    }

    #[test]
    fn names_what_was_added_removed_and_changed() {
        let old = json!({"year": 1, "title": "a", "same": [1], "gone": null});
        let new = json!({"year": 1.0, "title": "b", "same": [1], "added": null});
        assert_eq!(summary_of(old, new), "updated: added, gone, title, year");
    }

    #[test]
    fn a_wide_change_is_counted() {
        let wide: Map<String, Value> = (0..25).map(|n| (format!("f{n:02}"), json!(n))).collect();
        assert!(summary_of(json!({}), Value::Object(wide)).ends_with("f18, f19 and 5 more"));
    }
}
