//! SQLite's shapes come from declared column types (DESIGN.md §2 "Host SQL"); expressions keep their storage class.

use std::borrow::Cow;

use crate::clock::Timestamp;
use crate::db::Value;

/// What a column was declared as, where that says more than its storage class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Declared {
    /// As stored.
    Plain,
    Boolean,
    Float,
    /// With the scale, where it has one: the digits PostgreSQL would show.
    Decimal(Option<usize>),
    Date,
    Time,
    DateTime,
    Timestamp,
    Uuid,
    Json,
    Array,
}

impl Declared {
    /// From the text of the declaration: `BOOLEAN`, `NUMERIC(10, 2)`, `timestamp with time zone`, `TEXT[]`, …
    pub(super) fn parse(declaration: Option<&str>) -> Self {
        let Some(declaration) = declaration else { return Self::Plain };
        let name = declaration.to_ascii_lowercase();
        if name.ends_with("[]") {
            return Self::Array;
        }
        let zoned = name.contains("with time zone");
        match name.split(['(', ' ']).next().unwrap_or_default() {
            "boolean" | "bool" => Self::Boolean,
            "real" | "float" | "float4" | "float8" | "double" => Self::Float,
            "decimal" | "numeric" => Self::Decimal(scale(&name)),
            "date" => Self::Date,
            "time" => Self::Time,
            "timestamptz" => Self::Timestamp,
            "timestamp" if zoned => Self::Timestamp,
            "timestamp" | "datetime" => Self::DateTime,
            "uuid" => Self::Uuid,
            "json" | "jsonb" => Self::Json,
            _ => Self::Plain,
        }
    }

    /// The value in that shape; what does not fit it stays as stored, for SQLite lets anything stand in a column.
    pub(super) fn shape(self, value: Value<'static>) -> Value<'static> {
        match (self, &value) {
            (Self::Boolean, Value::Int(number)) if matches!(number, 0 | 1) => Value::Bool(*number == 1),
            (Self::Float, Value::Int(number)) => Value::Float(*number as f64),
            (Self::Decimal(scale), Value::Int(number)) => Value::Decimal(Cow::Owned(match scale {
                Some(scale) if scale > 0 => format!("{number}.{:0>scale$}", 0),
                _ => number.to_string(),
            })),
            (Self::Decimal(scale), Value::Float(number)) => Value::Decimal(Cow::Owned(match scale {
                Some(scale) => format!("{number:.scale$}"),
                None => number.to_string(),
            })),
            (Self::Decimal(_), Value::Text(text)) if is_decimal(text) => Value::Decimal(text.clone()),
            (Self::Date, Value::Text(text)) => text.parse().map_or(value, Value::Date),
            (Self::Time, Value::Text(text)) => text.parse().map_or(value, Value::Time),
            (Self::DateTime, Value::Text(text)) => text.parse().map_or(value, Value::DateTime),
            (Self::Timestamp, Value::Text(text)) => text.parse::<Timestamp>().map_or(value, Value::Timestamp),
            (Self::Uuid, Value::Text(text)) => parse_uuid(text).map_or(value, Value::Uuid),
            (Self::Uuid, Value::Bytes(bytes)) => <[u8; 16]>::try_from(bytes.as_ref()).map_or(value, Value::Uuid),
            (Self::Json, Value::Text(text)) => Value::Json(text.clone()),
            // NUMERIC affinity turns the JSON texts `17` and `1.5` into numbers.
            (Self::Json, Value::Int(number)) => Value::Json(Cow::Owned(number.to_string())),
            (Self::Json, Value::Float(number)) => Value::Json(Cow::Owned(number.to_string())),
            (Self::Array, Value::Text(text)) => parse_array(text).map_or(value, Value::Array),
            _ => value,
        }
    }
}

/// The scale in `numeric(10, 2)`; 0 in `numeric(10)`.
fn scale(name: &str) -> Option<usize> {
    let (_, arguments) = name.split_once('(')?;
    match arguments.trim_end_matches(')').split_once(',') {
        Some((_, scale)) => scale.trim().parse().ok(),
        None => Some(0),
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let hex: String = text.chars().filter(|c| *c != '-').collect();
    if hex.len() != 32 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some(u128::from_str_radix(&hex, 16).ok()?.to_be_bytes())
}

fn parse_array(text: &str) -> Option<Vec<Value<'static>>> {
    let values: Vec<serde_json::Value> = serde_json::from_str(text).ok()?;
    Some(values.into_iter().map(element).collect())
}

fn element(value: serde_json::Value) -> Value<'static> {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(value),
        serde_json::Value::String(text) => Value::Text(Cow::Owned(text)),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::Int(integer),
            (None, Some(float)) => Value::Float(float),
            _ => Value::Null,
        },
        serde_json::Value::Array(values) => Value::Array(values.into_iter().map(element).collect()),
        object @ serde_json::Value::Object(_) => Value::Json(Cow::Owned(object.to_string())),
    }
}
