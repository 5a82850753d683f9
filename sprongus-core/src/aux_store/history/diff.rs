//! What differs between two documents.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{ChangeOp, Difference};
use crate::json::pointer::{Segment, push};

/// Down to the leaves, in the order of the documents: members by name, elements by index. Where one document is not there,
/// the other is added or removed whole.
pub(super) fn differences(old: Option<&Value>, new: Option<&Value>) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(&mut String::new(), old, new, &mut found);
    found
}

fn compare(path: &mut String, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<Difference>) {
    match (old, new) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names {
                below(path, Segment::Key(name), old.get(name), new.get(name), found);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for index in 0..old.len().max(new.len()) {
                below(path, Segment::Index(index), old.get(index), new.get(index), found);
            }
        }
        (old, new) if old == new => {}
        (old, new) => found.push(item(path, old, new)),
    }
}

fn below(path: &mut String, step: Segment<'_>, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<Difference>) {
    let length = path.len();
    push(path, step);
    compare(path, old, new, found);
    path.truncate(length);
}

fn item(path: &str, old: Option<&Value>, new: Option<&Value>) -> Difference {
    let op = match (old, new) {
        (None, _) => ChangeOp::Added,
        (_, None) => ChangeOp::Removed,
        _ => ChangeOp::Changed,
    };
    let value = |value: Option<&Value>| value.cloned().unwrap_or_default();
    Difference { path: path.to_owned(), op, old: value(old), new: value(new) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(old: Value, new: Value) -> Vec<(String, ChangeOp, Value, Value)> {
        let all = differences(Some(&old), Some(&new));
        all.into_iter().map(|one| (one.path, one.op, one.old, one.new)).collect()
    }

    fn one(path: &str, op: ChangeOp, old: Value, new: Value) -> (String, ChangeOp, Value, Value) {
        (path.to_owned(), op, old, new)
    }

    use ChangeOp::{Added, Changed, Removed};

    #[test]
    fn goes_down_to_leaves_and_names_what_is_whole_once() {
        let old = json!({"a": {"b": 1, "c": [1, 2, 3]}, "gone": {"x": 1, "y": 2}, "same": [null]});
        let new = json!({"a": {"b": 2, "c": [1, 5]}, "new": [1, {"x": 1}], "same": [null]});
        assert_eq!(
            of(old, new),
            [
                one("/a/b", Changed, json!(1), json!(2)),
                one("/a/c/1", Changed, json!(2), json!(5)),
                one("/a/c/2", Removed, json!(3), Value::Null),
                one("/gone", Removed, json!({"x": 1, "y": 2}), Value::Null),
                one("/new", Added, Value::Null, json!([1, {"x": 1}])),
            ]
        );
    }

    #[test]
    fn another_type_is_one_change() {
        assert_eq!(of(json!({"a": {"b": 1}}), json!({"a": [1]})), [one("/a", Changed, json!({"b": 1}), json!([1]))]);
        assert_eq!(of(json!({"a": null}), json!({"a": {}})), [one("/a", Changed, Value::Null, json!({}))]);
        assert_eq!(of(json!({"a": 1}), json!({"a": 1.0})), [one("/a", Changed, json!(1), json!(1.0))]);
    }

    #[test]
    fn a_null_that_comes_or_goes_is_told_from_its_absence() {
        assert_eq!(of(json!({}), json!({"a": null})), [one("/a", Added, Value::Null, Value::Null)]);
        assert_eq!(of(json!({"a": null}), json!({})), [one("/a", Removed, Value::Null, Value::Null)]);
    }

    #[test]
    fn pointers_are_escaped() {
        let paths: Vec<_> = of(json!({}), json!({"": 1, "a/b": 1, "m~n": 1})).into_iter().map(|one| one.0).collect();
        assert_eq!(paths, ["/", "/a~1b", "/m~0n"]);
    }

    #[test]
    fn a_document_that_is_not_there_makes_one_item() {
        let document = json!({"a": 1});
        let whole = |op, old: &Value, new: &Value| {
            vec![Difference { path: String::new(), op, old: old.clone(), new: new.clone() }]
        };
        assert_eq!(differences(None, Some(&document)), whole(Added, &Value::Null, &document));
        assert_eq!(differences(Some(&document), None), whole(Removed, &document, &Value::Null));
        assert_eq!(differences(None, None), []);
        assert_eq!(differences(Some(&document), Some(&document)), []);
    }
}
