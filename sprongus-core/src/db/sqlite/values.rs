//! Values into statements and out of rows.

use std::borrow::Cow;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Statement, ToSql};
use serde_json::json;

use super::declared::Declared;
use super::errors::from_sqlite;
use crate::db::Value;
use crate::db::value::uuid_text;
use crate::error::{Error, Result};

/// Binds `$1..$n` of a statement that has nothing bound; `parameters` says which of the values each parameter takes.
pub(super) fn bind(statement: &mut Statement<'_>, parameters: &[Option<usize>], params: &[Value<'_>]) -> Result<()> {
    for (index, number) in (1..).zip(parameters) {
        let Some((number, value)) = number.and_then(|number| Some((number, params.get(number)?))) else {
            return Err(Error::invalid(format!(
                "parameters are written $1 to ${}, each with a value; one is not",
                params.len().max(1)
            )));
        };
        if is_lossy(value) {
            return Err(Error::invalid(format!(
                "parameter ${} holds NaN, or an infinity in an array, which SQLite would keep as NULL",
                number + 1
            )));
        }
        // What is not bound is NULL.
        if !matches!(value, Value::Null) {
            bind_at(statement, index, value)?;
        }
    }
    let (given, taken) = (params.len(), parameters.len());
    if taken < given {
        return Err(Error::invalid(format!("{given} parameters were given, the SQL takes {taken}")));
    }
    Ok(())
}

/// What SQLite, or JSON, has no number for.
fn is_lossy(value: &Value<'_>) -> bool {
    match value {
        Value::Float(number) => number.is_nan(),
        Value::Array(items) => items.iter().any(|item| match item {
            Value::Float(number) => !number.is_finite(),
            item => is_lossy(item),
        }),
        _ => false,
    }
}

/// Binds the `?` of that number, from 1.
pub(super) fn bind_at(statement: &mut Statement<'_>, index: usize, value: &Value<'_>) -> Result<()> {
    match value {
        Value::Timestamp(at) => statement.raw_bind_parameter(index, at.text().as_str()),
        value => statement.raw_bind_parameter(index, Bound(value)),
    }
    .map_err(from_sqlite)
}

/// A value in the storage class that SQLite keeps it in.
struct Bound<'a>(&'a Value<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Value::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Value::Bool(value) => ToSqlOutput::Borrowed(ValueRef::Integer((*value).into())),
            Value::Int(value) => ToSqlOutput::Borrowed(ValueRef::Integer(*value)),
            Value::Float(value) => ToSqlOutput::Borrowed(ValueRef::Real(*value)),
            Value::Decimal(text) | Value::Text(text) | Value::Json(text) => {
                ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))
            }
            Value::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Value::Date(date) => ToSqlOutput::from(date.to_string()),
            Value::Time(time) => ToSqlOutput::from(time.to_string()),
            Value::DateTime(at) => ToSqlOutput::from(at.to_string()),
            Value::Timestamp(at) => ToSqlOutput::from(at.to_string()),
            Value::Uuid(bytes) => ToSqlOutput::from(uuid_text(bytes)),
            Value::Array(values) => ToSqlOutput::from(array_json(values).to_string()),
        })
    }
}

fn array_json(values: &[Value<'static>]) -> serde_json::Value {
    serde_json::Value::Array(values.iter().map(element_json).collect())
}

fn element_json(value: &Value<'static>) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Float(value) => json!(value),
        Value::Decimal(text) | Value::Text(text) => json!(text),
        Value::Json(text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        Value::Bytes(bytes) => json!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
        Value::Date(date) => json!(date.to_string()),
        Value::Time(time) => json!(time.to_string()),
        Value::DateTime(at) => json!(at.to_string()),
        Value::Timestamp(at) => json!(at.to_string()),
        Value::Uuid(bytes) => json!(uuid_text(bytes)),
        Value::Array(values) => array_json(values),
    }
}

/// A column as it is stored.
pub(super) fn stored(value: ValueRef<'_>) -> Result<Value<'static>> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Int(value),
        ValueRef::Real(value) => Value::Float(value),
        ValueRef::Text(bytes) => Value::Text(Cow::Owned(text(bytes)?)),
        ValueRef::Blob(bytes) => Value::Bytes(Cow::Owned(bytes.to_vec())),
    })
}

/// A column in the shape its declared type asks for, the same as PostgreSQL gives (DESIGN.md §2 "Host SQL").
pub(super) fn shaped(value: ValueRef<'_>, declared: Declared) -> Result<Value<'static>> {
    let stored = stored(value)?;
    Ok(declared.shape(stored))
}

fn text(bytes: &[u8]) -> Result<String> {
    String::from_utf8(bytes.to_vec())
        .map_err(|_| Error::new(crate::ErrorCode::Corrupt, "a text column holds bytes that are not UTF-8"))
}
