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

/// The keys of a document. One of whose fields is missing or null has none: it collides with nothing.
pub(super) fn of_document(keywords: &Keywords, document: &Value) -> Vec<KeyRow> {
    let unique = keywords.unique.iter().map(|key| (key, true));
    let index = keywords.index.iter().filter(|key| !keywords.unique.contains(key)).map(|key| (key, false));
    unique.chain(index).filter_map(|(key, unique)| row(key, unique, document)).collect()
}

fn row(key: &Key, unique: bool, document: &Value) -> Option<KeyRow> {
    let mut bytes = Vec::new();
    let mut pointer = None;
    for field in &key.fields {
        let (place, value) = field.values(document).into_iter().next().filter(|(_, value)| !value.is_null())?;
        encode(value, &mut bytes);
        pointer.get_or_insert(place);
    }
    if bytes.len() > LONGEST {
        let hash = Sha256::digest(&bytes);
        bytes.truncate(LONGEST);
        bytes.extend_from_slice(&hash);
    }
    Some(KeyRow { field: field_name(&key.name()), key: bytes, unique, pointer: pointer? })
}

/// A field's name as it is kept in an index.
pub(super) fn field_name(name: &str) -> String {
    if name.len() <= LONGEST_FIELD {
        return name.to_owned();
    }
    Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The ranks of DESIGN.md §3: false, true, numbers, strings, arrays, objects. Strings hold no NUL, so one ends them.
fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0),
        Value::Bool(false) => out.push(1),
        Value::Bool(true) => out.push(2),
        Value::Number(number) => {
            out.push(3);
            encode_number(number, out);
        }
        Value::String(text) => {
            out.push(4);
            out.extend_from_slice(text.as_bytes());
            out.push(0);
        }
        Value::Array(items) => {
            let mut inner = Vec::new();
            items.iter().for_each(|item| encode(item, &mut inner));
            hashed(5, &inner, out);
        }
        Value::Object(map) => {
            let mut inner = Vec::new();
            for (key, item) in map {
                inner.extend_from_slice(key.as_bytes());
                inner.push(0);
                encode(item, &mut inner);
            }
            hashed(6, &inner, out);
        }
    }
}

fn hashed(rank: u8, inner: &[u8], out: &mut Vec<u8>) {
    out.push(rank);
    out.extend_from_slice(&Sha256::digest(inner));
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
        let mut out = Vec::new();
        encode(value, &mut out);
        out
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
    fn several_fields_count_together_and_missing_ones_make_no_key() {
        let key = Key { fields: vec![FieldPath::parse("a").unwrap(), FieldPath::parse("b.c").unwrap()] };
        let row = |document: Value| row(&key, true, &document);
        assert_eq!(row(json!({"a": 1, "b": {"c": "x"}})).unwrap().pointer, "/a");
        assert_ne!(row(json!({"a": "x", "b": {"c": "yz"}})), row(json!({"a": "xy", "b": {"c": "z"}})));
        assert_eq!(row(json!({"a": 1, "b": {}})), None);
        assert_eq!(row(json!({"a": null, "b": {"c": 1}})), None);
        assert_eq!(row(json!({"a": "x".repeat(10_000), "b": {"c": 1}})).unwrap().key.len(), LONGEST + 32);
    }
}
