//! One value as it goes into a statement and comes out of a row, on either database.

use std::borrow::Cow;

use jiff::civil::{Date, DateTime, Time};

use crate::clock::Timestamp;

/// A parameter or a column (DESIGN.md §2 "Host SQL").
///
/// Parameters go by the type the server infers; what has no variant here comes back as [`Value::Text`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// SQL NULL.
    Null,
    /// BOOLEAN; 0 or 1 on SQLite.
    Bool(bool),
    /// Any integer type.
    Int(i64),
    /// Any floating-point type.
    Float(f64),
    /// NUMERIC in its decimal notation, digits kept.
    Decimal(Cow<'a, str>),
    /// Text.
    Text(Cow<'a, str>),
    /// BYTEA or BLOB.
    Bytes(Cow<'a, [u8]>),
    /// DATE.
    Date(Date),
    /// TIME without a zone.
    Time(Time),
    /// TIMESTAMP without a zone.
    DateTime(DateTime),
    /// TIMESTAMPTZ: an instant, UTC, microseconds.
    Timestamp(Timestamp),
    /// UUID, big-endian.
    Uuid([u8; 16]),
    /// JSON or JSONB, as text.
    Json(Cow<'a, str>),
    /// An array; JSON on SQLite.
    Array(Vec<Value<'static>>),
}

impl<'a> Value<'a> {
    /// Borrowed text.
    pub fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// Borrowed JSON text.
    pub fn json(text: &'a str) -> Self {
        Self::Json(Cow::Borrowed(text))
    }

    /// Whether this is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The same value, borrowing what this one holds; an array is copied.
    pub(crate) fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Decimal(text) => Value::Decimal(Cow::Borrowed(text)),
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::Bytes(bytes) => Value::Bytes(Cow::Borrowed(bytes)),
            Self::Json(text) => Value::Json(Cow::Borrowed(text)),
            other => other.clone(),
        }
    }

    /// The same value, owning what it holds.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Float(value) => Value::Float(value),
            Self::Decimal(text) => Value::Decimal(Cow::Owned(text.into_owned())),
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.into_owned())),
            Self::Date(value) => Value::Date(value),
            Self::Time(value) => Value::Time(value),
            Self::DateTime(value) => Value::DateTime(value),
            Self::Timestamp(value) => Value::Timestamp(value),
            Self::Uuid(value) => Value::Uuid(value),
            Self::Json(text) => Value::Json(Cow::Owned(text.into_owned())),
            Self::Array(values) => Value::Array(values),
        }
    }

    /// What this is, for messages; never the value.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Float(_) => "float",
            Self::Decimal(_) => "decimal",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::DateTime(_) => "timestamp",
            Self::Timestamp(_) => "timestamp with time zone",
            Self::Uuid(_) => "uuid",
            Self::Json(_) => "json",
            Self::Array(_) => "array",
        }
    }
}

/// A UUID in the form of RFC 9562: lower-case hexadecimal, 8-4-4-4-12.
pub(super) fn uuid_text(bytes: &[u8; 16]) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(*bytes));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<i32> for Value<'_> {
    fn from(value: i32) -> Self {
        Self::Int(value.into())
    }
}

impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Self::Text(Cow::Owned(value))
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(Cow::Borrowed(value))
    }
}

impl From<Vec<u8>> for Value<'_> {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(Cow::Owned(value))
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(value: Timestamp) -> Self {
        Self::Timestamp(value)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
