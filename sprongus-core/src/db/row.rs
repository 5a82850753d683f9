//! A row, and readers that take either database's shape of a value.

use std::sync::Arc;

use super::Value;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::json::Json;

/// One row of a result: values by position, and the names of their columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    columns: Arc<[String]>,
    values: Vec<Value<'static>>,
}

impl Row {
    /// A row of those columns and values, in the same order.
    pub fn new(columns: Arc<[String]>, values: Vec<Value<'static>>) -> Self {
        Self { columns, values }
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The values, in the order of the columns.
    pub fn values(&self) -> &[Value<'static>] {
        &self.values
    }

    /// The values themselves.
    pub fn into_values(self) -> Vec<Value<'static>> {
        self.values
    }

    /// The value of that column, if there is one.
    pub fn get(&self, column: &str) -> Option<&Value<'static>> {
        let index = self.columns.iter().position(|name| name == column)?;
        self.values.get(index)
    }

    fn at(&self, index: usize) -> &Value<'static> {
        self.values.get(index).unwrap_or(&Value::Null)
    }

    fn unexpected(&self, index: usize, wanted: &str) -> Error {
        let name = self.columns.get(index).map_or("?", String::as_str);
        let found = self.at(index).type_name();
        Error::new(ErrorCode::Corrupt, format!("column {name} holds {found} where {wanted} is kept"))
    }

    /// Text that is never NULL.
    pub(crate) fn text(&self, index: usize) -> Result<String> {
        self.opt_text(index)?.ok_or_else(|| self.unexpected(index, "text"))
    }

    /// Text or NULL.
    pub(crate) fn opt_text(&self, index: usize) -> Result<Option<String>> {
        match self.at(index) {
            Value::Null => Ok(None),
            Value::Text(text) | Value::Json(text) | Value::Decimal(text) => Ok(Some(text.clone().into_owned())),
            _ => Err(self.unexpected(index, "text")),
        }
    }

    /// As [`text`](Self::text), taken out of the row.
    pub(crate) fn take_text(&mut self, index: usize) -> Result<String> {
        self.take_opt_text(index)?.ok_or_else(|| self.unexpected(index, "text"))
    }

    /// As [`opt_text`](Self::opt_text), taken out of the row.
    pub(crate) fn take_opt_text(&mut self, index: usize) -> Result<Option<String>> {
        match self.values.get_mut(index).map(|value| std::mem::replace(value, Value::Null)) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(text) | Value::Json(text) | Value::Decimal(text)) => Ok(Some(text.into_owned())),
            Some(other) => {
                self.values[index] = other;
                Err(self.unexpected(index, "text"))
            }
        }
    }

    /// An integer that is never NULL.
    pub(crate) fn int(&self, index: usize) -> Result<i64> {
        self.opt_int(index)?.ok_or_else(|| self.unexpected(index, "an integer"))
    }

    /// An integer or NULL.
    pub(crate) fn opt_int(&self, index: usize) -> Result<Option<i64>> {
        match self.at(index) {
            Value::Null => Ok(None),
            Value::Int(value) => Ok(Some(*value)),
            Value::Bool(value) => Ok(Some((*value).into())),
            Value::Decimal(text) => text.parse().map(Some).map_err(|_| self.unexpected(index, "an integer")),
            _ => Err(self.unexpected(index, "an integer")),
        }
    }

    /// A boolean that is never NULL.
    pub(crate) fn bool(&self, index: usize) -> Result<bool> {
        match self.at(index) {
            Value::Bool(value) => Ok(*value),
            Value::Int(value) => Ok(*value != 0),
            _ => Err(self.unexpected(index, "a boolean")),
        }
    }

    /// A time that is never NULL.
    pub(crate) fn time(&self, index: usize) -> Result<Timestamp> {
        self.opt_time(index)?.ok_or_else(|| self.unexpected(index, "a time"))
    }

    /// A time or NULL.
    pub(crate) fn opt_time(&self, index: usize) -> Result<Option<Timestamp>> {
        match self.at(index) {
            Value::Null => Ok(None),
            Value::Timestamp(value) => Ok(Some(*value)),
            Value::Text(text) => text.parse().map(Some).map_err(|_| self.unexpected(index, "a time")),
            _ => Err(self.unexpected(index, "a time")),
        }
    }

    /// JSON that is never NULL: taken as it is from SQLite's canonical TEXT, through the canonicaliser once from JSONB.
    pub(crate) fn json(&self, index: usize) -> Result<Json> {
        self.opt_json(index)?.ok_or_else(|| self.unexpected(index, "JSON"))
    }

    /// JSON or NULL.
    pub(crate) fn opt_json(&self, index: usize) -> Result<Option<Json>> {
        match self.at(index) {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(Json::from_canonical(&**text))),
            Value::Json(text) => Json::from_database(text).map(Some),
            _ => Err(self.unexpected(index, "JSON")),
        }
    }

    /// Bytes or NULL.
    pub(crate) fn opt_bytes(&self, index: usize) -> Result<Option<Vec<u8>>> {
        match self.at(index) {
            Value::Null => Ok(None),
            Value::Bytes(bytes) => Ok(Some(bytes.clone().into_owned())),
            _ => Err(self.unexpected(index, "bytes")),
        }
    }
}
