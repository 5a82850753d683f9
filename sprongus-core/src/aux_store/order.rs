//! One order and one equality of JSON values, for filters and sorts on both databases (DESIGN.md §3 "Text order").

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// Orders values as a sort does: missing and null, false, true, numbers, strings, arrays, objects.
///
/// Numbers compare by value, exactly, whatever their type; strings by code point; arrays tie with arrays and objects with
/// objects. Missing (`None`) and null are equal.
///
/// ```
/// use std::cmp::Ordering;
/// use serde_json::json;
/// use sprongus::aux_store::order::compare;
/// assert_eq!(compare(Some(&json!(9007199254740993_i64)), Some(&json!(9007199254740992.0))), Ordering::Greater);
/// assert_eq!(compare(None, Some(&json!(null))), Ordering::Equal);
/// ```
pub fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => numbers(a, b),
        (Some(Value::String(a)), Some(Value::String(b))) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// Orders a number with a number and a string with a string; `None` for every other pair: order operators then do not match.
pub fn comparable(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Some(numbers(a, b)),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// Equality as filters have it: `1` equals `1.0` at any depth, `"1"` does not, keys have no order.
pub fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => numbers(a, b) == Ordering::Equal,
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}

/// The rank of a type (DESIGN.md §3 "Text order").
pub(super) fn rank(value: Option<&Value>) -> u8 {
    match value {
        None | Some(Value::Null) => 0,
        Some(Value::Bool(false)) => 1,
        Some(Value::Bool(true)) => 2,
        Some(Value::Number(_)) => 3,
        Some(Value::String(_)) => 4,
        Some(Value::Array(_)) => 5,
        Some(Value::Object(_)) => 6,
    }
}

fn numbers(a: &Number, b: &Number) -> Ordering {
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(a), None) => integer_with_float(a, float(b)),
        (None, Some(b)) => integer_with_float(b, float(a)).reverse(),
        (None, None) => float(a).partial_cmp(&float(b)).unwrap_or(Ordering::Equal),
    }
}

fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or(0.0)
}

/// Exact: a float within i128 has an exact whole part, and one beyond it (where `as` saturates) lies beyond every i64 and u64.
fn integer_with_float(integer: i128, float: f64) -> Ordering {
    let fraction = float - float.trunc();
    integer.cmp(&(float.trunc() as i128)).then_with(|| 0.0.partial_cmp(&fraction).unwrap_or(Ordering::Equal))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn types_rank_and_containers_tie() {
        let ascending = [
            json!(null),
            json!(false),
            json!(true),
            json!(-1e300),
            json!(0),
            json!(""),
            json!("z"),
            json!([]),
            json!({}),
        ];
        for (n, a) in ascending.iter().enumerate() {
            for (m, b) in ascending.iter().enumerate() {
                assert_eq!(compare(Some(a), Some(b)), n.cmp(&m), "{a} {b}");
            }
        }
        assert_eq!(compare(Some(&json!([1])), Some(&json!([2, 3]))), Ordering::Equal);
        assert_eq!(compare(Some(&json!({"a": 1})), Some(&json!({}))), Ordering::Equal);
        assert_eq!(compare(None, Some(&json!(false))), Ordering::Less);
    }

    #[test]
    fn numbers_compare_exactly() {
        let less = [
            (json!(9_007_199_254_740_992.0), json!(9_007_199_254_740_993_i64)),
            (json!(u64::MAX), json!(18_446_744_073_709_551_616.0)),
            (json!(i64::MAX), json!(u64::MAX)),
            (json!(i64::MAX), json!(9_223_372_036_854_775_808.0)),
            (json!(-1e300), json!(i64::MIN)),
            (json!(u64::MAX), json!(1e300)),
            (json!(-0.5), json!(0)),
            (json!(0), json!(5e-324)),
            (json!(-2), json!(-1.5)),
            (json!(1), json!(1.5)),
        ];
        for (a, b) in less {
            assert_eq!(compare(Some(&a), Some(&b)), Ordering::Less, "{a} {b}");
            assert_eq!(compare(Some(&b), Some(&a)), Ordering::Greater, "{b} {a}");
        }
        assert!(equal(&json!(1), &json!(1.0)));
        assert!(equal(&json!({"a": [1, {"b": 2.0}]}), &json!({"a": [1.0, {"b": 2}]})));
        assert!(!equal(&json!(1), &json!("1")));
        assert!(!equal(&json!({"a": null}), &json!({})));
        assert!(!equal(&json!([1]), &json!([1, 1])));
    }

    fn number() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(|n| Value::from(n as f64)),
            proptest::num::f64::NORMAL.prop_map(Value::from),
            (-4..4_i64).prop_map(Value::from),
            (-8..8_i64).prop_map(|n| Value::from(n as f64 / 2.0)),
        ]
    }

    proptest! {
        #[test]
        fn numbers_are_totally_ordered(a in number(), b in number(), c in number()) {
            let (ab, bc, ac) = (compare(Some(&a), Some(&b)), compare(Some(&b), Some(&c)), compare(Some(&a), Some(&c)));
            prop_assert_eq!(compare(Some(&b), Some(&a)), ab.reverse());
            if ab == bc {
                prop_assert_eq!(ac, ab);
            }
            prop_assert_eq!(equal(&a, &b), ab == Ordering::Equal);
        }
    }
}
