//! The values of a host's own SQL (DESIGN.md §2), both ways.

use std::borrow::Cow;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDate, PyDateTime, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMapping,
    PyMemoryView, PySet, PyString, PyTime, PyTuple, PyType,
};
use sprongus::{Error, Row, Value};

use crate::error::raised;
use crate::time::Moment;
use crate::{json_in, json_out, pages, time};

/// The longest JSON parameter, in bytes: what the databases take.
const MOST: usize = 1 << 28;
/// The deepest nesting of arrays: PostgreSQL has six dimensions.
const DEEPEST: usize = 6;

/// The parameters of a statement, from any sequence.
pub(crate) fn params(py: Python<'_>, given: Option<Bound<'_, PyAny>>) -> PyResult<Vec<Value<'static>>> {
    let Some(given) = given else { return Ok(Vec::new()) };
    let text = given.is_instance_of::<PyString>() || is_bytes(&given);
    let unordered = given.is_instance_of::<PySet>() || given.is_instance_of::<PyFrozenSet>();
    if text || unordered || given.is_instance_of::<PyMapping>() {
        return Err(refuse(py, "parameters are a sequence: a list or tuple, one value for each $n"));
    }
    given.try_iter()?.map(|param| value(&param?, 0)).collect()
}

/// A value as the library binds it.
pub(crate) fn value(ob: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value<'static>> {
    if ob.is_none() {
        Ok(Value::Null)
    } else if let Ok(text) = ob.cast::<PyString>() {
        text_value(text)
    } else if let Ok(flag) = ob.cast::<PyBool>() {
        Ok(Value::Bool(flag.is_true()))
    } else if ob.is_instance_of::<PyInt>() {
        let refused = |_| refuse(ob.py(), "an integer lies between -2^63 and 2^63-1; give larger ones as Decimal");
        ob.extract().map(Value::Int).map_err(refused)
    } else if ob.is_instance_of::<PyFloat>() {
        Ok(Value::Float(ob.extract()?))
    } else if is_bytes(ob) {
        Ok(Value::Bytes(Cow::Owned(ob.extract()?)))
    } else if let Ok(view) = ob.cast::<PyMemoryView>() {
        Ok(Value::Bytes(Cow::Owned(view.call_method0(intern!(ob.py(), "tobytes"))?.extract()?)))
    } else if let Some(value) = temporal(ob)? {
        Ok(value)
    } else if ob.is_instance_of::<PyDict>() || ob.is_instance_of::<PyMapping>() {
        let json = json_in::document_within(ob, MOST)?;
        Ok(Value::Json(Cow::Owned(json.as_str().to_owned())))
    } else if ob.is_instance_of::<PyList>() || ob.is_instance_of::<PyTuple>() {
        array(ob, depth)
    } else {
        named(ob, depth)
    }
}

fn is_bytes(ob: &Bound<'_, PyAny>) -> bool {
    ob.is_instance_of::<PyBytes>() || ob.is_instance_of::<PyByteArray>()
}

fn text_value(text: &Bound<'_, PyString>) -> PyResult<Value<'static>> {
    let unicode = text.to_str().map_err(|_| refuse(text.py(), "a text holds a lone surrogate; it is not Unicode"))?;
    Ok(Value::Text(Cow::Owned(unicode.to_owned())))
}

fn temporal(ob: &Bound<'_, PyAny>) -> PyResult<Option<Value<'static>>> {
    // A datetime is a date too, so it comes first.
    if let Ok(at) = ob.cast::<PyDateTime>() {
        return Ok(Some(match time::moment(at)? {
            Moment::Naive => Value::DateTime(time::date_time(at)?),
            told => Value::Timestamp(told.known().map_err(|why| refuse(ob.py(), why))?),
        }));
    }
    if let Ok(date) = ob.cast::<PyDate>() {
        return time::civil_date(date).map(Value::Date).map(Some);
    }
    let Ok(of_day) = ob.cast::<PyTime>() else { return Ok(None) };
    if !of_day.getattr(intern!(ob.py(), "tzinfo"))?.is_none() {
        return Err(refuse(ob.py(), "a time of day has no zone here; give one without, or a datetime"));
    }
    time::civil_time(of_day).map(Value::Time).map(Some)
}

fn array(ob: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value<'static>> {
    if depth >= DEEPEST {
        return Err(refuse(ob.py(), "arrays are nested deeper than 6, or hold themselves"));
    }
    ob.try_iter()?.map(|item| value(&item?, depth + 1)).collect::<PyResult<_>>().map(Value::Array)
}

/// The values whose classes are not built in.
fn named(ob: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value<'static>> {
    let py = ob.py();
    if ob.is_instance(DECIMAL.import(py, "decimal", "Decimal")?)? {
        return Ok(Value::Decimal(Cow::Owned(ob.str()?.to_string())));
    }
    if ob.is_instance(UUID.import(py, "uuid", "UUID")?)? {
        return Ok(Value::Uuid(ob.getattr(intern!(py, "bytes"))?.extract()?));
    }
    if depth < DEEPEST && ob.is_instance(ENUM.import(py, "enum", "Enum")?)? {
        return value(&ob.getattr(intern!(py, "value"))?, depth + 1);
    }
    let name = ob.get_type().fully_qualified_name()?;
    Err(refuse(
        py,
        &format!(
            "a {name} is no SQL value; give None, bool, int, float, Decimal, str, bytes, date, time, datetime, UUID, dict \
             or list"
        ),
    ))
}

static DECIMAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static UUID: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static ENUM: PyOnceLock<Py<PyType>> = PyOnceLock::new();

fn refuse(py: Python<'_>, message: &str) -> PyErr {
    raised(py, &Error::invalid(message))
}

/// Rows as a list of dicts by column name, which shows as a table.
pub(crate) fn rows<'py>(py: Python<'py>, rows: &[Row]) -> PyResult<Bound<'py, PyAny>> {
    let columns = rows.first().map_or(&[][..], Row::columns);
    let names: Vec<_> = columns.iter().map(|name| PyString::new(py, name)).collect();
    let list = PyList::empty(py);
    for row in rows {
        let dict = PyDict::new(py);
        for (name, value) in names.iter().zip(row.values()) {
            dict.set_item(name, object(py, value)?)?;
        }
        list.append(dict)?;
    }
    pages::shown(list, None)
}

/// A value of a row as a Python object.
pub(crate) fn object<'py>(py: Python<'py>, value: &Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
        Value::Int(value) => PyInt::new(py, *value).into_any(),
        Value::Float(value) => PyFloat::new(py, *value).into_any(),
        Value::Decimal(text) => DECIMAL.import(py, "decimal", "Decimal")?.call1((&**text,))?,
        Value::Text(text) => PyString::new(py, text).into_any(),
        Value::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
        Value::Date(date) => time::py_date(py, *date)?,
        Value::Time(of_day) => time::py_time(py, *of_day)?,
        Value::DateTime(civil) => time::naive(py, *civil)?,
        Value::Timestamp(at) => time::datetime(py, *at)?.into_any(),
        Value::Uuid(bytes) => uuid(py, bytes)?,
        Value::Json(text) => json_out::text(py, text)?,
        Value::Array(items) => {
            let list = PyList::empty(py);
            items.iter().try_for_each(|item| list.append(object(py, item)?))?;
            list.into_any()
        }
        other => {
            return Err(refuse(py, &format!("a column holds {}, which Python has no form for", other.type_name())));
        }
    })
}

fn uuid<'py>(py: Python<'py>, bytes: &[u8; 16]) -> PyResult<Bound<'py, PyAny>> {
    let named = PyDict::new(py);
    named.set_item("bytes", PyBytes::new(py, bytes))?;
    UUID.import(py, "uuid", "UUID")?.call((), Some(&named))
}
