//! Values as the drivers give them.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use sprongus::{Dialect, Value};

use crate::host_sql;

/// PostgreSQL's type codes of JSON and JSONB and of arrays of them, which `sprongus._hosts` has the drivers give as text.
const JSON: [u32; 4] = [114, 3802, 199, 3807];

/// A column of a row; what has no value of its own is text, as from the library's own connections.
pub(super) fn value(ob: &Bound<'_, PyAny>, code: Option<u32>, dialect: Dialect) -> PyResult<Value<'static>> {
    if let Ok(text) = ob.cast::<PyString>() {
        let text = Cow::Owned(text.to_str()?.to_owned());
        let json = dialect == Dialect::Postgres && code.is_some_and(|code| JSON.contains(&code));
        return Ok(if json { Value::Json(text) } else { Value::Text(text) });
    }
    if let Ok(list) = ob.cast::<PyList>() {
        return list.iter().map(|item| value(&item, code, dialect)).collect::<PyResult<_>>().map(Value::Array);
    }
    if ob.is_instance_of::<PyDict>() {
        return host_sql::value(ob, 0);
    }
    host_sql::value(ob, 0).or_else(|_| Ok(Value::Text(Cow::Owned(ob.str()?.to_string()))))
}
