//! One value of a row, and its form in JSON.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::Json;

/// The member that makes bytes of an object: `{"$bytes": "<Base64>"}`.
pub(super) const BYTES: &str = "$bytes";

/// A value of a row. The column decides what it may be: [`ColumnType`](super::ColumnType).
///
/// In JSON a cell is itself, and bytes are `{"$bytes": "<Base64>"}` (RFC 4648 §4). Read from JSON, an array or an object is a
/// [`Cell::Json`], and so is an integer outside the range of [`Cell::Int`]: only the column knows whether an object of that
/// shape is bytes or a document.
///
/// ```
/// use sprongus::tables::Cell;
/// assert_eq!(serde_json::to_string(&Cell::Blob(vec![1, 2])).unwrap(), r#"{"$bytes":"AQI="}"#);
/// assert_eq!(Cell::from(4200), Cell::Int(4200));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Cell {
    /// Null; the document `null` too.
    #[default]
    Null,
    /// Of a `boolean` column.
    Bool(bool),
    /// Of an `integer` or `bigint` column.
    Int(i64),
    /// Of a `real` column.
    Real(f64),
    /// Of a `text` column.
    Text(String),
    /// Of a `blob` column.
    Blob(Vec<u8>),
    /// Of a `json` column.
    Json(Json),
}

impl Cell {
    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// What this is, for messages; never the value.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Real(_) => "a number with a fraction",
            Self::Text(_) => "text",
            Self::Blob(_) => "bytes",
            Self::Json(json) => match json.as_str().as_bytes().first() {
                Some(b'{') => "an object",
                Some(b'[') => "an array",
                Some(b'"') => "text",
                Some(b't' | b'f') => "a boolean",
                Some(b'n') | None => "null",
                Some(_) => "a number",
            },
        }
    }
}

macro_rules! from {
    ($($type:ty => $variant:ident),* $(,)?) => { $(impl From<$type> for Cell {
        fn from(value: $type) -> Self { Self::$variant(value.into()) }
    })* };
}

from!(bool => Bool, i32 => Int, u32 => Int, i64 => Int, f64 => Real, &str => Text, String => Text, Vec<u8> => Blob,
    &[u8] => Blob, Json => Json);

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Bool(value) => to.serialize_bool(*value),
            Self::Int(value) => to.serialize_i64(*value),
            Self::Real(value) => to.serialize_f64(*value),
            Self::Text(text) => to.serialize_str(text),
            Self::Blob(bytes) => {
                let mut map = to.serialize_map(Some(1))?;
                map.serialize_entry(BYTES, &STANDARD.encode(bytes))?;
                map.end()
            }
            Self::Json(json) => json.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a column")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Cell, E> {
        Ok(Cell::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Cell, E> {
        Ok(Cell::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Cell, E> {
        Ok(Cell::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Cell, E> {
        Ok(i64::try_from(value).map_or_else(|_| Cell::Json(Json::from_canonical(value.to_string())), Cell::Int))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Cell, E> {
        Ok(Cell::Real(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Cell, E> {
        Ok(Cell::Text(value.to_owned()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Cell, E> {
        Ok(Cell::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Cell, A::Error> {
        Json::deserialize(SeqAccessDeserializer::new(items)).map(Cell::Json)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Cell, A::Error> {
        Json::deserialize(MapAccessDeserializer::new(members)).map(Cell::Json)
    }
}

impl JsonSchema for Cell {
    fn schema_name() -> Cow<'static, str> {
        "Cell".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        true.into()
    }
}
