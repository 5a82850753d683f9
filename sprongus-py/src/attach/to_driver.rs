//! Values as the drivers take them.

use pyo3::prelude::*;
use pyo3::types::{PyInt, PyList, PyString};
use serde_json::json;
use sprongus::{Json, Value};

use crate::host_sql;

/// For psycopg: text goes without a type, so the server infers it, JSON included.
pub(super) fn postgres<'py>(py: Python<'py>, value: &Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Json(text) => Ok(PyString::new(py, &Json::from_canonical(&**text).for_jsonb()).into_any()),
        Value::Array(items) => {
            let list = PyList::empty(py);
            items.iter().try_for_each(|item| list.append(postgres(py, item)?))?;
            Ok(list.into_any())
        }
        other => host_sql::object(py, other),
    }
}

/// For sqlite3: in SQLite's storage classes, as the library's own copy binds them.
pub(super) fn sqlite<'py>(py: Python<'py>, value: &Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null | Value::Int(_) | Value::Float(_) | Value::Bytes(_) => host_sql::object(py, value)?,
        Value::Bool(flag) => PyInt::new(py, i64::from(*flag)).into_any(),
        Value::Array(items) => PyString::new(py, &array(items).to_string()).into_any(),
        other => PyString::new(py, &text(other)).into_any(),
    })
}

fn array(items: &[Value<'_>]) -> serde_json::Value {
    items.iter().map(element).collect()
}

fn element(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Float(value) => json!(value),
        Value::Json(text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        Value::Array(items) => array(items),
        other => json!(text(other)),
    }
}

fn text(value: &Value<'_>) -> String {
    match value {
        Value::Decimal(text) | Value::Text(text) | Value::Json(text) => text.clone().into_owned(),
        Value::Date(date) => date.to_string(),
        Value::Time(time) => time.to_string(),
        Value::DateTime(at) => at.to_string(),
        Value::Timestamp(at) => at.to_string(),
        Value::Uuid(bytes) => uuid(bytes),
        Value::Bytes(bytes) => hex(bytes),
        other => other.type_name().to_owned(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn uuid(bytes: &[u8; 16]) -> String {
    let hex = hex(bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
