//! Filters and orders as DESIGN.md §3 and §15 "Reads" state them, written anew over plain values: no code of the library
//! but its folding of text.

use std::cmp::Ordering;

use serde_json::{Number, Value};
use sprongus::aux_store::Entry;
use sprongus::text::fold;

/// A stored entry: what metadata shows of it, and its document.
#[derive(Debug, Clone)]
pub(crate) struct Plain {
    pub(crate) id: String,
    version: Value,
    last_updated: Value,
    document: Value,
}

impl From<Entry> for Plain {
    fn from(entry: Entry) -> Self {
        let (version, last_updated) = (entry.version.into(), entry.last_updated.to_string().into());
        Self { version, last_updated, document: entry.payload.to_value(), id: entry.id }
    }
}

impl Plain {
    fn get(&self, field: &str) -> Option<Value> {
        match field {
            "id" => Some(self.id.as_str().into()),
            "$version" => Some(self.version.clone()),
            "lastUpdated" => Some(self.last_updated.clone()),
            path => keys(path).iter().try_fold(&self.document, |value, key| step(value, key)).cloned(),
        }
    }
}

fn keys(path: &str) -> Vec<String> {
    let (mut keys, mut escaped) = (vec![String::new()], false);
    for char in path.chars() {
        match char {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            '.' if !escaped => keys.push(String::new()),
            other => keys.last_mut().unwrap().push(other),
        }
        escaped = false;
    }
    keys
}

fn step<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Object(map) => map.get(key),
        Value::Array(items) => (0..items.len()).find(|at| at.to_string() == key).map(|at| &items[at]),
        _ => None,
    }
}

/// The ids of the entries that meet the filter, in that order.
pub(crate) fn list(entries: &[Plain], filter: &Value, sort: &[String]) -> Vec<String> {
    let meets =
        |entry: &&Plain| filter.as_object().unwrap().iter().all(|(field, wanted)| is(&entry.get(field), wanted));
    let mut found: Vec<(Vec<Place>, &str)> = Vec::new();
    for entry in entries.iter().filter(meets) {
        let places = sort.iter().map(|field| place(entry.get(field.trim_start_matches('-')).as_ref()));
        found.push((places.collect(), &entry.id));
    }
    found.sort_by(|(a, one), (b, other)| {
        for ((field, a), b) in sort.iter().zip(a).zip(b) {
            match if field.starts_with('-') { b.cmp(a) } else { a.cmp(b) } {
                Ordering::Equal => {}
                unequal => return unequal,
            }
        }
        one.chars().cmp(other.chars())
    });
    found.into_iter().map(|(_, id)| id.to_owned()).collect()
}

/// Where a value stands among others.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Nothing,
    False,
    True,
    Number(Digits),
    Text(Vec<char>),
    Array,
    Object,
}

fn place(value: Option<&Value>) -> Place {
    match value {
        None | Some(Value::Null) => Place::Nothing,
        Some(Value::Bool(false)) => Place::False,
        Some(Value::Bool(true)) => Place::True,
        Some(Value::Number(number)) => Place::Number(Digits::of(number)),
        Some(Value::String(text)) => Place::Text(text.chars().collect()),
        Some(Value::Array(_)) => Place::Array,
        Some(Value::Object(_)) => Place::Object,
    }
}

/// A number by every digit of its decimal notation.
#[derive(Debug, PartialEq, Eq)]
struct Digits {
    negative: bool,
    whole: String,
    fraction: String,
}

impl Digits {
    fn of(number: &Number) -> Self {
        // 1,074 digits after the point are enough for the smallest float.
        let text = match number.is_f64() {
            true => format!("{:.1074}", number.as_f64().unwrap()),
            false => number.to_string(),
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let whole = whole.trim_start_matches('-').trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        Self { negative: text.starts_with('-') && !(whole.is_empty() && fraction.is_empty()), whole, fraction }
    }
}

impl Ord for Digits {
    fn cmp(&self, other: &Self) -> Ordering {
        let size =
            |a: &Self, b: &Self| (a.whole.len(), &a.whole, &a.fraction).cmp(&(b.whole.len(), &b.whole, &b.fraction));
        match (self.negative, other.negative) {
            (false, false) => size(self, other),
            (true, true) => size(other, self),
            (negative, _) => {
                if negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
    }
}

impl PartialOrd for Digits {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn is(value: &Option<Value>, wanted: &Value) -> bool {
    match wanted {
        Value::Object(operators) => operators.iter().all(|(operator, operand)| meets(value, operator, operand)),
        wanted => value.as_ref().is_some_and(|value| same(value, wanted)),
    }
}

fn meets(value: &Option<Value>, operator: &str, operand: &Value) -> bool {
    match operator {
        "ne" => return value.as_ref().is_none_or(|value| !same(value, operand)),
        "not" => return !is(value, operand),
        "exists" => return value.is_some() == (operand == &Value::Bool(true)),
        _ => {}
    }
    let Some(value) = value else { return false };
    let alike = (value.is_number() && operand.is_number()) || (value.is_string() && operand.is_string());
    let ordering = || place(Some(value)).cmp(&place(Some(operand)));
    let text = operand.as_str().unwrap_or_default();
    match operator {
        "eq" => same(value, operand),
        "lt" => alike && ordering() == Ordering::Less,
        "lte" => alike && ordering() != Ordering::Greater,
        "gt" => alike && ordering() == Ordering::Greater,
        "gte" => alike && ordering() != Ordering::Less,
        "in" => operand.as_array().unwrap().iter().any(|one| same(value, one)),
        "starts_with" => value.as_str().is_some_and(|value| value.starts_with(text)),
        "contains" => match value {
            Value::Array(items) => items.iter().any(|item| same(item, operand)),
            Value::String(value) => operand.is_string() && value.contains(text),
            _ => false,
        },
        "icontains" => match value {
            Value::Array(items) => items.iter().any(|item| item.as_str().is_some_and(|item| fold(item) == fold(text))),
            Value::String(value) => fold(value).contains(&*fold(text)),
            _ => false,
        },
        unknown => panic!("no operator {unknown}"),
    }
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (Value::Null, Value::Null) => true,
        (Value::Null, _) | (_, Value::Null) => false,
        // What the last line says too, which a thousand values for each of a thousand entries are too many for.
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Number(a), Value::Number(b)) if !a.is_f64() && !b.is_f64() => a == b,
        (a, b) => place(Some(a)) == place(Some(b)) && !a.is_array() && !a.is_object(),
    }
}
