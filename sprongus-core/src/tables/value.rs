//! What a column takes: every value is judged here, for both databases, before either sees it.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::cell::{BYTES, Cell};
use super::model::{Column, ColumnType};
use crate::db::{Dialect, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::json::Json;

/// The value as that column stores it; NULL for null. Else what is wrong with it.
pub(super) fn stored<'c>(column: &Column, cell: &'c Cell, dialect: Dialect) -> Result<Value<'c>, String> {
    let value = match (column.column_type, cell) {
        (_, Cell::Null) => Some(Value::Null),
        (ColumnType::Json, cell) => return document(cell).map(|found| json(found, dialect)),
        (_, Cell::Json(json)) if json.is_null() => Some(Value::Null),
        (ColumnType::Text, Cell::Text(text)) if text.contains('\0') => {
            return Err("the character NUL (U+0000) cannot be stored in text; leave it out".to_owned());
        }
        (ColumnType::Text, Cell::Text(text)) => Some(Value::text(text)),
        (ColumnType::Integer | ColumnType::Bigint, cell) => integer(cell).map(Value::Int),
        (ColumnType::Real, cell) => real(cell).map(Value::Float),
        (ColumnType::Blob, cell) => bytes(cell).map(Value::Bytes),
        (ColumnType::Boolean, Cell::Bool(value)) => Some(Value::Bool(*value)),
        _ => None,
    };
    value.ok_or_else(|| format!("{} was given; {}", cell.kind(), takes(column.column_type)))
}

fn takes(holds: ColumnType) -> &'static str {
    match holds {
        ColumnType::Text => "a text column takes text",
        ColumnType::Integer => "an integer column takes integers from -2^63 to 2^63-1",
        ColumnType::Bigint => "a bigint column takes integers from -2^63 to 2^63-1",
        ColumnType::Real => "a real column takes finite numbers that a double holds exactly",
        ColumnType::Blob => "a blob column takes bytes, in JSON {\"$bytes\": \"<Base64>\"}",
        ColumnType::Json => "a json column takes JSON documents",
        ColumnType::Boolean => "a boolean column takes true and false",
    }
}

/// An integral float is an integer (DESIGN.md §15 "Custom tables").
fn integer(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Int(value) => Some(*value),
        // 2^63 itself is a double, and the first that is too large; -2^63 is one that is not.
        Cell::Real(value) if value.fract() == 0.0 && (-I64_END..I64_END).contains(value) => Some(*value as i64),
        _ => None,
    }
}

/// 2^63.
const I64_END: f64 = 9_223_372_036_854_775_808.0;

fn real(cell: &Cell) -> Option<f64> {
    let exact = |value: i128| {
        let float = value as f64;
        (float as i128 == value).then_some(float)
    };
    match cell {
        // Adding 0.0 makes 0.0 of -0.0, and changes nothing else.
        Cell::Real(value) if value.is_finite() => Some(*value + 0.0),
        Cell::Int(value) => exact((*value).into()),
        // An integer beyond 64 bits with a sign.
        Cell::Json(json) => json.as_str().parse().ok().and_then(|value: u64| exact(value.into())),
        _ => None,
    }
}

fn bytes(cell: &Cell) -> Option<Cow<'_, [u8]>> {
    match cell {
        Cell::Blob(bytes) => Some(Cow::Borrowed(bytes)),
        Cell::Json(json) => {
            let object = json.to_value();
            let object = object.as_object().filter(|object| object.len() == 1)?;
            STANDARD.decode(object.get(BYTES)?.as_str()?).ok().map(Cow::Owned)
        }
        _ => None,
    }
}

/// The document that a value of a json column is; none for null.
pub(super) fn document(cell: &Cell) -> Result<Option<Cow<'_, Json>>, String> {
    use serde_json::Value as V;
    let made = match cell {
        Cell::Json(json) if !json.is_null() => return Ok(Some(Cow::Borrowed(json))),
        Cell::Null | Cell::Json(_) => return Ok(None),
        Cell::Bool(value) => V::from(*value),
        Cell::Int(value) => V::from(*value),
        Cell::Text(text) => V::from(text.as_str()),
        Cell::Real(value) if value.is_finite() => V::from(*value),
        Cell::Real(_) => return Err("NaN and infinities are not JSON".to_owned()),
        Cell::Blob(_) => return Err("bytes were given; a json column takes JSON documents".to_owned()),
    };
    let json = Json::from_value(&made);
    json.map(|json| Some(Cow::Owned(json))).map_err(|error| {
        error.violations_list().into_iter().next().map_or_else(|| error.message().to_owned(), |first| first.message)
    })
}

fn json(document: Option<Cow<'_, Json>>, dialect: Dialect) -> Value<'_> {
    match document {
        None => Value::Null,
        Some(Cow::Borrowed(json)) => dialect.json(json),
        Some(Cow::Owned(json)) => dialect.json(&json).into_owned(),
    }
}

/// How many bytes of an index or of a row the value takes.
pub(super) fn size(value: &Value<'_>) -> usize {
    match value {
        Value::Text(text) | Value::Json(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => 8,
    }
}

/// A value of that column as the database gave it.
pub(super) fn given(column: &Column, value: Value<'static>) -> Result<Cell> {
    use ColumnType as T;
    Ok(match (column.column_type, value) {
        (_, Value::Null) => Cell::Null,
        (T::Json, Value::Json(text) | Value::Text(text)) => {
            Cell::Json(Json::from_database(&text).map_err(|error| {
                let message = format!("the column {} holds what is no JSON document: {}", column.name, error.message());
                Error::new(ErrorCode::Corrupt, message)
            })?)
        }
        (T::Text, Value::Text(text)) => Cell::Text(text.into_owned()),
        (T::Integer | T::Bigint, Value::Int(value)) => Cell::Int(value),
        (T::Real, Value::Float(value)) => Cell::Real(value),
        (T::Blob, Value::Bytes(bytes)) => Cell::Blob(bytes.into_owned()),
        (T::Boolean, Value::Bool(value)) => Cell::Bool(value),
        (T::Boolean, Value::Int(value)) => Cell::Bool(value != 0),
        (holds, other) => {
            let (name, found, holds) = (&column.name, other.type_name(), holds.as_str());
            let message = format!("the column {name} gave {found} where {holds} is kept");
            return Err(Error::new(ErrorCode::Corrupt, message));
        }
    })
}

/// The primary key of a row as its id, from the value as it is stored.
pub(super) fn id_of(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone().into_owned()),
        Value::Int(value) => Some(value.to_string()),
        _ => None,
    }
}

/// The primary key that an id stands for; none where no row can have it.
pub(super) fn key_of<'i>(column: &Column, id: &'i str) -> Option<Value<'i>> {
    match column.column_type {
        ColumnType::Text => (!id.contains('\0')).then(|| Value::text(id)),
        _ => id.parse::<i64>().ok().filter(|value| value.to_string() == id).map(Value::Int),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(holds: ColumnType, cell: impl Into<Cell>) -> Result<Value<'static>, String> {
        stored(&Column::new("c", holds), &cell.into(), Dialect::Sqlite).map(Value::into_owned)
    }

    fn json(text: &str) -> Cell {
        Cell::Json(Json::parse(text).unwrap())
    }

    #[test]
    fn integers_are_whole_and_have_64_bits() {
        for holds in [ColumnType::Integer, ColumnType::Bigint] {
            for value in [0, 1 << 40, i64::MAX, i64::MIN] {
                assert_eq!(of(holds, value), Ok(Value::Int(value)));
            }
            assert_eq!(of(holds, 4.0), Ok(Value::Int(4)));
            assert_eq!(of(holds, -I64_END), Ok(Value::Int(i64::MIN)));
            for wrong in [4.5, I64_END, f64::NAN, f64::INFINITY, 1e300] {
                of(holds, wrong).unwrap_err();
            }
            for wrong in [Cell::from(true), "4".into(), json("9223372036854775808"), json("[4]"), vec![4_u8].into()] {
                of(holds, wrong).unwrap_err();
            }
        }
    }

    #[test]
    fn reals_are_finite_and_exact() {
        assert_eq!(of(ColumnType::Real, 16_777_217), Ok(Value::Float(16_777_217.0)));
        assert_eq!(of(ColumnType::Real, json("9223372036854775808")), Ok(Value::Float(I64_END)));
        let Ok(Value::Float(zero)) = of(ColumnType::Real, -0.0) else { unreachable!() };
        assert!(zero.is_sign_positive());
        for wrong in
            [Cell::from((1_i64 << 53) + 1), i64::MAX.into(), f64::NAN.into(), f64::NEG_INFINITY.into(), true.into()]
        {
            of(ColumnType::Real, wrong).unwrap_err();
        }
    }

    #[test]
    fn an_object_of_bytes_is_a_document_elsewhere() {
        let object = json(r#"{"$bytes":"AQI="}"#);
        assert_eq!(of(ColumnType::Blob, object.clone()), Ok(Value::Bytes(vec![1, 2].into())));
        assert_eq!(of(ColumnType::Json, object.clone()), Ok(Value::Json(r#"{"$bytes":"AQI="}"#.into())));
        of(ColumnType::Text, object).unwrap_err();
        for wrong in [r#"{"$bytes":"AQI"}"#, r#"{"$bytes":1}"#, r#"{"$bytes":"AQI=","more":1}"#, "[1]"] {
            of(ColumnType::Blob, json(wrong)).unwrap_err();
        }
        of(ColumnType::Blob, "AQI=").unwrap_err();
    }

    #[test]
    fn text_is_text_without_nul_and_a_number_is_no_boolean() {
        assert_eq!(of(ColumnType::Text, "é"), Ok(Value::Text("é".into())));
        for wrong in [Cell::from("a\0"), 1.into(), vec![97_u8].into(), true.into()] {
            of(ColumnType::Text, wrong).unwrap_err();
        }
        of(ColumnType::Boolean, 1).unwrap_err();
        of(ColumnType::Json, "a\0").unwrap_err();
        of(ColumnType::Json, f64::NAN).unwrap_err();
        assert_eq!(of(ColumnType::Json, json("null")), Ok(Value::Null));
        assert_eq!(of(ColumnType::Boolean, json("null")), Ok(Value::Null));
    }

    #[test]
    fn an_id_is_the_key_in_one_form() {
        let number = Column::new("id", ColumnType::Integer);
        assert_eq!(key_of(&number, "-7"), Some(Value::Int(-7)));
        for none in ["", "07", "+7", "7.0", "9223372036854775808", "x"] {
            assert_eq!(key_of(&number, none), None);
        }
    }
}
