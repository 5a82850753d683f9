//! Keys of `x-unique` and `x-index` fields: bytes that order and equal as the values do, on both databases.

use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

use crate::presets::{Key, Keywords};

/// Longer keys keep this much of their beginning, which still orders them, and a hash of the whole.
const LONGEST: usize = 480;

/// Longer field names are kept by their hash; the databases' indexes have limits.
const LONGEST_FIELD: usize = 256;

/// One row of `sprongus_aux_keys`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct KeyRow {
    /// The name of the field or fields.
    pub(super) field: String,
    pub(super) key: Vec<u8>,
    pub(super) unique: bool,
    /// Where the first of its values stands: a JSON Pointer.
    pub(super) pointer: String,
}

/// The keys of a document. One of whose fields is missing or null is never unique: it collides with nothing.
pub(super) fn of_document(keywords: &Keywords, document: &Value) -> Vec<KeyRow> {
    let unique = keywords.unique.iter().map(|key| (key, true));
    let index = keywords.index.iter().filter(|key| !keywords.unique.contains(key)).map(|key| (key, false));
    unique.chain(index).map(|(key, unique)| row(key, unique, document)).collect()
}

fn row(key: &Key, mut unique: bool, document: &Value) -> KeyRow {
    let mut values = Vec::with_capacity(key.fields.len());
    let mut pointer = None;
    for field in &key.fields {
        let found = field.values(document).into_iter().next();
        let (place, value) = found.unwrap_or((String::new(), &Value::Null));
        unique &= !value.is_null();
        pointer.get_or_insert(place);
        values.push(value);
    }
    let key_bytes = shortened(encoded(values));
    KeyRow { field: field_name(&key.name()), key: key_bytes, unique, pointer: pointer.unwrap_or_default() }
}

/// The key of these values, however long. A missing one is null here, as it is in a sort.
pub(super) fn encoded<'v>(values: impl IntoIterator<Item = &'v Value>) -> Vec<u8> {
    let mut bytes = Vec::new();
    values.into_iter().for_each(|value| encode(value, &mut bytes));
    bytes
}

/// A key as it is kept.
pub(super) fn shortened(mut key: Vec<u8>) -> Vec<u8> {
    if key.len() > LONGEST {
        let hash = Sha256::digest(&key);
        key.truncate(LONGEST);
        key.extend_from_slice(&hash);
    }
    key
}

/// Kept keys from `from` on, before `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) from: Vec<u8>,
    pub(super) to: Vec<u8>,
}

impl Range {
    /// The keys that begin so.
    pub(super) fn beginning(mut prefix: Vec<u8>) -> Self {
        prefix.truncate(LONGEST);
        Self { to: after(&prefix), from: prefix }
    }

    /// That key alone, as it is kept.
    pub(super) fn only(key: Vec<u8>) -> Self {
        Self { to: key.iter().copied().chain([0]).collect(), from: key }
    }

    pub(super) fn within(&self, other: &Self) -> Self {
        Self { from: self.from.clone().max(other.from.clone()), to: self.to.clone().min(other.to.clone()) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.from >= self.to
    }

    /// The keys after `prefix` whose next value is in order with `operand` (a number or a string) and not below it.
    pub(super) fn at_least(prefix: &[u8], operand: &Value) -> Self {
        Self { from: Self::bound(prefix, operand).from, to: after(&joined(prefix, &[rank(operand)])) }
    }

    /// The same, not above it.
    pub(super) fn at_most(prefix: &[u8], operand: &Value) -> Self {
        Self { from: joined(prefix, &[rank(operand)]), to: Self::bound(prefix, operand).to }
    }

    fn bound(prefix: &[u8], operand: &Value) -> Self {
        Self::beginning(joined(prefix, &encoded([operand])))
    }

    /// The keys after `prefix` whose next value is a string that starts so.
    pub(super) fn starting(prefix: &[u8], text: &str) -> Self {
        Self::beginning([prefix, &[STRING], text.as_bytes()].concat())
    }
}

fn joined(prefix: &[u8], more: &[u8]) -> Vec<u8> {
    [prefix, more].concat()
}

/// The first key after all that begin so: no key begins with 255.
fn after(prefix: &[u8]) -> Vec<u8> {
    let kept = prefix.len() - prefix.iter().rev().take_while(|byte| **byte == u8::MAX).count();
    let mut next = prefix[..kept].to_vec();
    match next.last_mut() {
        Some(last) => *last += 1,
        None => next.push(u8::MAX),
    }
    next
}

/// The part of a kept key that tells its first values; whether it tells them whole, so that keys which begin so are of
/// equal values. Arrays and objects have an order only by their type, and what was cut off has none.
pub(super) fn group(key: &[u8], values: usize) -> (&[u8], bool) {
    let told = &key[..key.len().min(LONGEST)];
    let mut at = 0;
    for _ in 0..values {
        let length = match told.get(at) {
            Some(&NUMBER) => 17,
            Some(&STRING) => match told[at..].iter().position(|byte| *byte == 0) {
                Some(end) => end + 1,
                None => return (told, false),
            },
            Some(&(ARRAY | OBJECT)) => return (&told[..=at], false),
            Some(_) => 1,
            None => return (told, false),
        };
        at += length;
        if at > told.len() {
            return (told, false);
        }
    }
    (&told[..at], true)
}

/// A field's name as it is kept in an index.
pub(super) fn field_name(name: &str) -> String {
    if name.len() <= LONGEST_FIELD {
        return name.to_owned();
    }
    Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect()
}

const NUMBER: u8 = 3;
const STRING: u8 = 4;
const ARRAY: u8 = 5;
const OBJECT: u8 = 6;

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(false) => 1,
        Value::Bool(true) => 2,
        Value::Number(_) => NUMBER,
        Value::String(_) => STRING,
        Value::Array(_) => ARRAY,
        Value::Object(_) => OBJECT,
    }
}

/// The ranks of DESIGN.md §3: null, false, true, numbers, strings, arrays, objects. Strings hold no NUL, so one ends them.
fn encode(value: &Value, out: &mut Vec<u8>) {
    out.push(rank(value));
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => encode_number(number, out),
        Value::String(text) => {
            out.extend_from_slice(text.as_bytes());
            out.push(0);
        }
        Value::Array(items) => {
            let mut inner = Vec::new();
            items.iter().for_each(|item| encode(item, &mut inner));
            out.extend_from_slice(&Sha256::digest(&inner));
        }
        Value::Object(map) => {
            let mut inner = Vec::new();
            for (key, item) in map {
                inner.extend_from_slice(key.as_bytes());
                inner.push(0);
                encode(item, &mut inner);
            }
            out.extend_from_slice(&Sha256::digest(&inner));
        }
    }
}

/// The nearest float's bits in order, then how far an integer lies from it: exact, and `1` is `1.0`.
fn encode_number(number: &Number, out: &mut Vec<u8>) {
    let float = number.as_f64().unwrap_or(0.0) + 0.0;
    let bits = float.to_bits();
    let ordered = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    let integer = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    let beyond = integer.map_or(0, |integer| integer - float as i128);
    out.extend_from_slice(&ordered.to_be_bytes());
    out.extend_from_slice(&((beyond + (1 << 62)) as u64).to_be_bytes());
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::aux_store::order::{compare, equal};
    use crate::presets::FieldPath;

    fn encoded(value: &Value) -> Vec<u8> {
        super::encoded([value])
    }

    fn scalar() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (i64::MAX - 4..=i64::MAX).prop_map(Value::from),
            (u64::MAX - 4..=u64::MAX).prop_map(Value::from),
            any::<i64>().prop_map(|n| Value::from(n as f64)),
            proptest::num::f64::NORMAL.prop_map(Value::from),
            (-4..4_i64).prop_map(|n| Value::from(n as f64 / 2.0)),
            (-4..4_i64).prop_map(Value::from),
            "[a-c\u{e9}]{0,3}".prop_map(Value::from),
        ]
    }

    proptest! {
        #[test]
        fn bytes_order_as_values_do(a in scalar(), b in scalar()) {
            prop_assert_eq!(encoded(&a).cmp(&encoded(&b)), compare(Some(&a), Some(&b)));
        }
    }

    #[test]
    fn containers_are_equal_as_filters_have_it() {
        for (a, b) in
            [(json!([1, {"a": 2}]), json!([1.0, {"a": 2.0}])), (json!([]), json!({})), (json!(["a"]), json!(["b"]))]
        {
            assert_eq!(encoded(&a) == encoded(&b), equal(&a, &b), "{a} {b}");
        }
    }

    #[test]
    fn several_fields_count_together_and_missing_ones_are_not_unique() {
        let key = Key { fields: vec![FieldPath::parse("a").unwrap(), FieldPath::parse("b.c").unwrap()] };
        let row = |document: Value| row(&key, true, &document);
        assert_eq!(row(json!({"a": 1, "b": {"c": "x"}})).pointer, "/a");
        assert!(row(json!({"a": 1, "b": {"c": "x"}})).unique);
        assert_ne!(row(json!({"a": "x", "b": {"c": "yz"}})), row(json!({"a": "xy", "b": {"c": "z"}})));
        for lacking in [json!({"a": 1, "b": {}}), json!({"a": 1, "b": {"c": null}})] {
            let row = row(lacking);
            assert!(!row.unique && row.key.ends_with(&[0]), "is found, and collides with nothing");
        }
        assert_eq!(row(json!({"a": "x".repeat(10_000), "b": {"c": 1}})).key.len(), LONGEST + 32);
    }

    #[test]
    fn a_group_is_what_a_key_tells_whole() {
        let kept = |values: &[Value]| shortened(super::encoded(values));
        let groups = |values: &[Value], of: usize| {
            let key = kept(values);
            let (prefix, exact) = group(&key, of);
            (prefix.len(), exact, prefix.len() == key.len())
        };
        assert_eq!(groups(&[json!(1), json!("ab")], 2), (17 + 4, true, true));
        assert_eq!(groups(&[json!(1), json!("ab")], 1), (17, true, false));
        assert_eq!(groups(&[json!(null), json!(true)], 2), (2, true, true));
        assert_eq!(groups(&[json!(false), json!([1])], 2), (2, false, false));
        assert_eq!(groups(&[json!("x".repeat(478))], 1), (LONGEST, true, true));
        assert_eq!(groups(&[json!("x".repeat(479))], 1), (LONGEST, false, false));
        assert_eq!(groups(&[json!(7), json!("x".repeat(479))], 1), (17, true, false));
    }

    proptest! {
        #[test]
        fn ranges_hold_what_they_are_of(prefix in scalar(), value in scalar(), operand in scalar()) {
            let before = encoded(&prefix);
            let key = shortened(super::encoded([&prefix, &value]));
            let within = |range: Range| range.from <= key && key < range.to;
            prop_assert!(within(Range::beginning(before.clone())));
            let comparable = (value.is_number() && operand.is_number()) || (value.is_string() && operand.is_string());
            if comparable {
                let order = compare(Some(&value), Some(&operand));
                prop_assert_eq!(within(Range::at_least(&before, &operand)), order.is_ge());
                prop_assert_eq!(within(Range::at_most(&before, &operand)), order.is_le());
            }
            if let (Some(text), Some(start)) = (value.as_str(), operand.as_str()) {
                prop_assert_eq!(within(Range::starting(&before, start)), text.starts_with(start));
            }
            prop_assert!(Range::only(key.clone()).from == key && within(Range::only(key.clone())));
        }
    }
}
