//! JSON Merge Patch (RFC 7396), with a way to store a null.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a null in a patch means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Nulls {
    /// It removes the property, as RFC 7396 has it.
    #[default]
    Remove,
    /// It is stored.
    Keep,
}

/// Merges `patch` into `target`: objects key by key at any depth, everything else replaced whole.
///
/// ```
/// use serde_json::json;
/// use sprongus::aux_store::{Nulls, merge};
/// let mut document = json!({"title": "A", "size": {"w": 1, "h": 2}});
/// merge(&mut document, json!({"size": {"h": null}, "year": null}), Nulls::Remove);
/// assert_eq!(document, json!({"title": "A", "size": {"w": 1}}));
/// ```
pub fn merge(target: &mut Value, patch: Value, nulls: Nulls) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        merge_object(target, patch, nulls);
    }
}

/// [`merge`] where both are known to be objects.
pub(crate) fn merge_object(target: &mut Map<String, Value>, patch: Map<String, Value>, nulls: Nulls) {
    for (key, value) in patch {
        if value.is_null() && nulls == Nulls::Remove {
            target.remove(&key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value, nulls);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::aux_store::testing::shared_json;

    fn merged(target: &Value, patch: &Value, nulls: Nulls) -> Value {
        let mut target = target.clone();
        merge(&mut target, patch.clone(), nulls);
        target
    }

    #[test]
    fn the_cases_of_rfc_7396() {
        let Some(cases) = shared_json("merge-patch/rfc7396.table.json") else { return };
        let cases = cases.as_array().unwrap();
        assert!(cases.len() >= 15);
        for case in cases {
            assert_eq!(merged(&case["original"], &case["patch"], Nulls::Remove), case["result"], "{case}");
        }
    }

    #[test]
    fn further_merge_cases() {
        let Some(cases) = shared_json("merge-patch/rust-json-patch.merge_tests.json") else { return };
        let cases = cases.as_array().unwrap();
        assert_eq!(cases.len(), 3);
        for case in cases {
            assert_eq!(merged(&case["doc"], &case["patch"], Nulls::Remove), case["expected"], "{case}");
        }
    }

    #[test]
    fn nulls_can_be_kept_at_any_depth() {
        let target = json!({"a": {"b": 1, "c": 2}, "d": 3});
        let patch = json!({"a": {"b": null}, "d": null, "e": {"f": null}});
        assert_eq!(
            merged(&target, &patch, Nulls::Keep),
            json!({"a": {"b": null, "c": 2}, "d": null, "e": {"f": null}})
        );
        assert_eq!(merged(&target, &patch, Nulls::Remove), json!({"a": {"c": 2}, "e": {}}));
    }
}
