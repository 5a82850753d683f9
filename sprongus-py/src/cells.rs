//! Rows of custom tables, both ways.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMapping, PyMemoryView, PySet,
    PyString, PyTuple, PyType,
};
use serde_json::Value;
use sprongus::json::pointer::{Segment, pointer};
use sprongus::tables::{Cell, Cells, Test, Where};
use sprongus::{Error, ErrorCode, Json, Violation};

use crate::error::passed;
use crate::{json_in, json_out, pages};

/// A row of columns and their values: a mapping or a dataclass.
pub(crate) fn row(ob: &Bound<'_, PyAny>) -> sprongus::Result<Cells> {
    by_column(ob, cell)
}

/// What columns have to be: each a value, or a list of those it may be.
pub(crate) fn conditions(ob: &Bound<'_, PyAny>) -> sprongus::Result<Where> {
    by_column(ob, |column, ob| {
        if is_several(ob) {
            let items = ob.try_iter().map_err(passed)?;
            return items
                .map(|item| cell(column, &item.map_err(passed)?))
                .collect::<sprongus::Result<_>>()
                .map(Test::In);
        }
        cell(column, ob).map(Test::Is)
    })
}

fn is_several(ob: &Bound<'_, PyAny>) -> bool {
    let ordered = ob.is_instance_of::<PyList>() || ob.is_instance_of::<PyTuple>();
    ordered || ob.is_instance_of::<PySet>() || ob.is_instance_of::<PyFrozenSet>()
}

fn by_column<T, C: FromIterator<(String, T)>>(
    ob: &Bound<'_, PyAny>,
    value: impl Fn(&str, &Bound<'_, PyAny>) -> sprongus::Result<T>,
) -> sprongus::Result<C> {
    let (mut taken, mut faults) = (Vec::new(), Vec::new());
    for (column, ob) in pairs(ob)? {
        match value(&column, &ob) {
            Ok(value) => taken.push((column, value)),
            Err(error) if error.code() == ErrorCode::Validation => faults.extend(error.violations_list()),
            Err(error) => return Err(error),
        }
    }
    if faults.is_empty() { Ok(taken.into_iter().collect()) } else { Err(Error::validation(faults)) }
}

/// Whether it is something that a row can be: a mapping or a dataclass.
pub(crate) fn has_columns(ob: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(ob.cast::<PyMapping>().is_ok() || json_in::is_dataclass(ob)?)
}

/// The columns and what stands in them.
fn pairs<'py>(ob: &Bound<'py, PyAny>) -> sprongus::Result<Vec<(String, Bound<'py, PyAny>)>> {
    let items = if let Ok(dict) = ob.cast_exact::<PyDict>() {
        dict.items()
    } else if let Ok(mapping) = ob.cast::<PyMapping>() {
        mapping.items().map_err(passed)?
    } else if json_in::is_dataclass(ob).map_err(passed)? {
        return json_in::members(ob).map_err(passed);
    } else {
        return Err(none(ob, "", "a row is a dict of its columns"));
    };
    items.iter().map(|pair| named(&pair)).collect()
}

fn named<'py>(pair: &Bound<'py, PyAny>) -> sprongus::Result<(String, Bound<'py, PyAny>)> {
    let (name, value): (Bound<'py, PyAny>, _) = pair.extract().map_err(passed)?;
    let Ok(text) = name.cast::<PyString>() else { return Err(none(&name, "", "columns are named by str")) };
    match text.to_str() {
        Ok(text) => Ok((text.to_owned(), value)),
        Err(_) => Err(refused("", "the name of a column holds a lone surrogate; it is not Unicode")),
    }
}

/// One value: bytes are bytes, all else is what its JSON is.
fn cell(column: &str, ob: &Bound<'_, PyAny>) -> sprongus::Result<Cell> {
    if let Some(bytes) = bytes(ob).map_err(passed)? {
        return Ok(Cell::Blob(bytes));
    }
    Ok(match json_in::try_value(ob).map_err(|error| within(column, error))? {
        Value::Null => Cell::Null,
        Value::Bool(value) => Cell::Bool(value),
        Value::String(text) => Cell::Text(text),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Cell::Int(integer),
            (None, Some(real)) if number.is_f64() => Cell::Real(real),
            _ => Cell::Json(Json::from_value(&Value::Number(number))?),
        },
        document => Cell::Json(Json::from_value(&document).map_err(|error| within(column, error))?),
    })
}

/// The bytes of what holds bytes, an Enum's too.
fn bytes(ob: &Bound<'_, PyAny>) -> PyResult<Option<Vec<u8>>> {
    static ENUM: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    if let Ok(bytes) = ob.cast::<PyBytes>() {
        return Ok(Some(bytes.as_bytes().to_vec()));
    }
    if let Ok(bytes) = ob.cast::<PyByteArray>() {
        return Ok(Some(bytes.to_vec()));
    }
    if ob.is_instance_of::<PyMemoryView>() {
        return ob.call_method0(intern!(ob.py(), "tobytes"))?.extract().map(Some);
    }
    if ob.is_instance(ENUM.import(ob.py(), "enum", "Enum")?)? {
        let value = ob.getattr(intern!(ob.py(), "value"))?;
        // One step: what is no bytes after it is for the rules of JSON.
        return Ok(value.cast::<PyBytes>().ok().map(|bytes| bytes.as_bytes().to_vec()));
    }
    Ok(None)
}

/// The same error, of the column.
fn within(column: &str, error: Error) -> Error {
    let at = pointer([Segment::Key(column)]);
    let violations = error.violations_list();
    if violations.is_empty() {
        return error;
    }
    let of_column = violations.into_iter().map(|one| Violation { path: format!("{at}{}", one.path), ..one });
    Error::violations(error.code(), of_column.collect())
}

fn none(ob: &Bound<'_, PyAny>, path: &str, message: &str) -> Error {
    match ob.get_type().fully_qualified_name() {
        Ok(name) => refused(path, &format!("{message}; this is a {name}")),
        Err(error) => passed(error),
    }
}

fn refused(path: &str, message: &str) -> Error {
    Error::validation(vec![Violation::new(path, "type", message)])
}

/// Rows as a list of dicts in the order of their columns, which shows as a table.
pub(crate) fn rows<'py>(py: Python<'py>, rows: &[Cells]) -> PyResult<Bound<'py, PyAny>> {
    let names: Vec<_> =
        rows.first().into_iter().flat_map(Cells::iter).map(|(name, _)| PyString::new(py, name)).collect();
    let list = PyList::empty(py);
    for row in rows {
        let dict = PyDict::new(py);
        for (name, (_, cell)) in names.iter().zip(row.iter()) {
            dict.set_item(name, object(py, cell)?)?;
        }
        list.append(dict)?;
    }
    pages::shown(list, None)
}

fn object<'py>(py: Python<'py>, cell: &Cell) -> PyResult<Bound<'py, PyAny>> {
    Ok(match cell {
        Cell::Null => py.None().into_bound(py),
        Cell::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
        Cell::Int(value) => PyInt::new(py, *value).into_any(),
        Cell::Real(value) => PyFloat::new(py, *value).into_any(),
        Cell::Text(text) => PyString::new(py, text).into_any(),
        Cell::Blob(bytes) => PyBytes::new(py, bytes).into_any(),
        Cell::Json(document) => json_out::document(py, document)?,
    })
}
