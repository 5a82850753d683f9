//! Light views of entries that are referred to (DESIGN.md §15 "Reads").

use std::collections::{BTreeSet, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::rows::{self, Place, object};
use crate::error::Result;
use crate::id::check_id;
use crate::session::Session;

/// Entries read by one statement: their payloads are in memory together.
const BATCH: usize = 100;
/// Where a label is looked for first, in this order.
const LABELS: [&str; 3] = ["title", "name", "label"];
/// Where a link is looked for, in this order.
const LINKS: [&str; 3] = ["url", "href", "link"];

/// What a reference leads to, in few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefView {
    /// The id asked for.
    pub id: String,
    /// Whether no entry has it.
    pub missing: bool,
    /// The payload's `title`, `name` or `label`, else its first text field in the order of their names; only texts that are
    /// not empty count. None where there is no such text, or no such entry.
    pub label: Option<String>,
    /// The payload's `url`, `href` or `link`: the first that is a text and not empty.
    pub url: Option<String>,
}

/// One view per id, in the order asked for; an id that no entry could have is missing as any other is.
pub(super) fn resolve(session: Session<'_>, place: Place<'_>, ids: &[String]) -> Result<Vec<RefView>> {
    let possible: BTreeSet<&str> = ids.iter().map(String::as_str).filter(|id| check_id("id", id).is_ok()).collect();
    let possible: Vec<&str> = possible.into_iter().collect();
    let found = session.read_snapshot(|exec| {
        let mut found: HashMap<String, RefView> = HashMap::new();
        let sql = format!("SELECT id, payload FROM {}", rows::named(exec, place)?);
        for ids in possible.chunks(BATCH) {
            for row in exec.query(&sql, &[place.project.into(), place.table.into(), rows::ids(ids)])? {
                let id = row.text(0)?;
                found.insert(id.clone(), view(id, &object(&row.json(1)?)));
            }
        }
        Ok(found)
    })?;
    let missing = |id: &String| RefView { id: id.clone(), missing: true, label: None, url: None };
    Ok(ids.iter().map(|id| found.get(id).cloned().unwrap_or_else(|| missing(id))).collect())
}

fn view(id: String, payload: &Map<String, Value>) -> RefView {
    let label = first(payload, LABELS).or_else(|| payload.values().find_map(text));
    RefView { id, missing: false, label: label.map(str::to_owned), url: first(payload, LINKS).map(str::to_owned) }
}

fn first<'p>(payload: &'p Map<String, Value>, names: [&str; 3]) -> Option<&'p str> {
    names.into_iter().find_map(|name| payload.get(name).and_then(text))
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(payload: &Value) -> (Option<String>, Option<String>) {
        let view = view("a".into(), payload.as_object().unwrap_or(&Map::new()));
        (view.label, view.url)
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_title_goes_before_a_name_and_a_name_before_a_label() {
        assert_eq!(of(&json!({"label": "l", "name": "n", "title": "t", "about": "a"})).0, some("t"));
        assert_eq!(of(&json!({"label": "l", "name": "n", "title": 7})).0, some("n"));
        assert_eq!(of(&json!({"label": "l", "name": "", "title": null})).0, some("l"));
    }

    #[test]
    fn else_the_first_text_is_the_label() {
        assert_eq!(of(&json!({"z": "last", "b": "first", "a": 1, "aa": {"x": "deep"}})).0, some("first"));
        assert_eq!(of(&json!({"a": 1, "b": [], "c": ""})).0, None);
        assert_eq!(of(&json!({})), (None, None));
    }

    #[test]
    fn a_link_is_a_text_by_one_of_three_names() {
        assert_eq!(of(&json!({"link": "l", "href": "h", "url": ["u"]})).1, some("h"));
        assert_eq!(of(&json!({"URL": "u"})).1, None);
    }
}
