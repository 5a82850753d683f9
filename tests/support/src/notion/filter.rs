//! The filters of queries.

use serde_json::Value;

/// Whether a page is asked for.
pub(super) fn matches(filter: &Value, page: &Value) -> bool {
    if filter.is_null() {
        return true;
    }
    if filter["timestamp"] == "created_time" {
        let from = filter["created_time"]["on_or_after"].as_str().expect("on_or_after");
        return page["created_time"].as_str().is_some_and(|at| at >= from);
    }
    let name = filter["property"].as_str().expect("a filter by property");
    let property = &page["properties"][name];
    let kind = property["type"].as_str().expect("a property that there is");
    let wanted = &filter[kind]["equals"];
    assert!(!wanted.is_null(), "a filter of another type than its property, {kind}: {filter}");
    match kind {
        // Without regard to case, as a search would have it: the client decides.
        "title" | "rich_text" => {
            let text: String =
                property[kind].as_array().unwrap().iter().filter_map(|item| item["plain_text"].as_str()).collect();
            text.to_lowercase() == wanted.as_str().expect("a text").to_lowercase()
        }
        "unique_id" => property[kind]["number"] == *wanted,
        _ => property[kind] == *wanted,
    }
}
