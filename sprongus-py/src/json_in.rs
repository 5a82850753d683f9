//! Python objects to JSON, by the rules of DESIGN.md §3: what has an obvious JSON form is taken, all else is refused with
//! its JSON Pointer.

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDate, PyDateTime, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple, PyType};
use serde_json::{Map, Number, Value};
use sprongus::json::MAX_DEPTH;
use sprongus::json::pointer::{Segment, pointer};
use sprongus::{Error, ErrorCode, Json, Violation};

use crate::error::{passed, raised};
use crate::time;

/// The longest document taken, in bytes of JSON; the store's own limits are checked after it.
///
/// A walk stops where the document is sure to be longer: a few lists that hold one another many times over would fill the
/// memory otherwise.
const MOST: usize = 64 << 20;

/// A document from Python objects.
pub(crate) fn document(ob: &Bound<'_, PyAny>) -> PyResult<Json> {
    document_within(ob, MOST)
}

/// A document from Python objects, of at most so many bytes.
pub(crate) fn document_within(ob: &Bound<'_, PyAny>, most: usize) -> PyResult<Json> {
    walk(ob, most).and_then(|value| Json::from_value(&value)).map_err(|error| raised(ob.py(), &error))
}

/// A value from Python objects; NUL is left to the library's own edge.
pub(crate) fn value(ob: &Bound<'_, PyAny>) -> PyResult<Value> {
    try_value(ob).map_err(|error| raised(ob.py(), &error))
}

/// An object from a mapping; anything else is `TypeError`.
pub(crate) fn object(ob: &Bound<'_, PyAny>, what: &str) -> PyResult<Map<String, Value>> {
    match value(ob)? {
        Value::Object(object) => Ok(object),
        _ => Err(PyTypeError::new_err(format!("{what} is a dict"))),
    }
}

/// As [`value`], with the library's error; an exception of the host's code is passed on in it.
pub(crate) fn try_value(ob: &Bound<'_, PyAny>) -> sprongus::Result<Value> {
    walk(ob, MOST)
}

fn walk(ob: &Bound<'_, PyAny>, most: usize) -> sprongus::Result<Value> {
    let mut walk = Walk { left: most.saturating_add(1) };
    walk.value(ob, 0).map_err(|stop| stop.error(most))
}

/// Why a walk ended early.
enum Stop {
    /// The steps down to the place, innermost first, and what is wrong there.
    Refused(Vec<String>, String),
    TooLarge,
    /// Code of the host's raised: an attribute, a mapping of its own.
    Python(PyErr),
}

impl From<PyErr> for Stop {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl Stop {
    fn refused(message: impl Into<String>) -> Self {
        Self::Refused(Vec::new(), message.into())
    }

    fn under(mut self, step: impl FnOnce() -> String) -> Self {
        if let Self::Refused(steps, _) = &mut self {
            steps.push(step());
        }
        self
    }

    fn error(self, most: usize) -> Error {
        match self {
            Self::Python(error) => passed(error),
            Self::TooLarge => {
                Error::new(ErrorCode::TooLarge, format!("the document is longer than {most} bytes of JSON"))
            }
            Self::Refused(steps, message) => {
                let path = pointer(steps.iter().rev().map(|step| Segment::Key(step)));
                Error::validation(vec![Violation::new(path, "json", message)])
            }
        }
    }
}

type Taken<T> = Result<T, Stop>;

struct Walk {
    /// Bytes the canonical text may still take; each part takes at least those counted.
    left: usize,
}

impl Walk {
    fn value(&mut self, ob: &Bound<'_, PyAny>, depth: usize) -> Taken<Value> {
        self.take(1)?;
        // The exact types come first: they are nearly all there is.
        if ob.is_none() {
            Ok(Value::Null)
        } else if let Ok(text) = ob.cast_exact::<PyString>() {
            self.text(text).map(Value::String)
        } else if let Ok(flag) = ob.cast_exact::<PyBool>() {
            Ok(Value::Bool(flag.is_true()))
        } else if ob.is_exact_instance_of::<PyInt>() {
            integer(ob)
        } else if ob.is_exact_instance_of::<PyFloat>() {
            float(ob)
        } else if let Ok(dict) = ob.cast_exact::<PyDict>() {
            self.members(dict.items().iter(), depth)
        } else if let Ok(list) = ob.cast_exact::<PyList>() {
            self.items(list.iter(), depth)
        } else {
            self.other(ob, depth)
        }
    }

    fn other(&mut self, ob: &Bound<'_, PyAny>, depth: usize) -> Taken<Value> {
        if is_a(ob, &ENUM, "enum", "Enum")? {
            return self.nested(&ob.getattr(intern!(ob.py(), "value"))?, depth);
        }
        if let Ok(text) = ob.cast::<PyString>() {
            self.text(text).map(Value::String)
        } else if ob.is_instance_of::<PyInt>() {
            integer(ob)
        } else if ob.is_instance_of::<PyFloat>() {
            float(ob)
        } else if let Ok(tuple) = ob.cast::<PyTuple>() {
            self.items(tuple.iter(), depth)
        } else if let Ok(list) = ob.cast::<PyList>() {
            self.items(list.iter(), depth)
        } else if let Ok(at) = ob.cast::<PyDateTime>() {
            self.own(time::moment(at)?.known().map_err(Stop::refused)?.to_string())
        } else if ob.is_instance_of::<PyDate>() {
            let text: String = ob.call_method0(intern!(ob.py(), "isoformat"))?.extract()?;
            self.own(text)
        } else if is_a(ob, &UUID, "uuid", "UUID")? || is_a(ob, &DECIMAL, "decimal", "Decimal")? {
            let text = ob.str()?;
            self.text(&text).map(Value::String)
        } else if is_dataclass(ob)? {
            self.fields(ob, depth)
        } else if let Ok(mapping) = ob.cast::<PyMapping>() {
            self.members(mapping.items()?.iter(), depth)
        } else {
            let name = ob.get_type().fully_qualified_name()?;
            Err(Stop::refused(format!(
                "a {name} has no JSON form; give None, bool, int, float, str, list, tuple, dict, datetime, date, UUID, \
                 Decimal, Enum or a dataclass"
            )))
        }
    }

    /// What an Enum holds may be another one; the depth bounds a ring of them.
    fn nested(&mut self, ob: &Bound<'_, PyAny>, depth: usize) -> Taken<Value> {
        check_depth(depth)?;
        self.value(ob, depth + 1)
    }

    fn items<'py>(&mut self, items: impl Iterator<Item = Bound<'py, PyAny>>, depth: usize) -> Taken<Value> {
        check_depth(depth)?;
        let each = |(index, item): (usize, Bound<'py, PyAny>)| {
            self.value(&item, depth + 1).map_err(|stop| stop.under(|| index.to_string()))
        };
        items.enumerate().map(each).collect::<Taken<Vec<Value>>>().map(Value::Array)
    }

    /// A snapshot of pairs: code of the host's that runs in between cannot change the dict under us.
    fn members<'py>(&mut self, pairs: impl Iterator<Item = Bound<'py, PyAny>>, depth: usize) -> Taken<Value> {
        check_depth(depth)?;
        let mut map = Map::new();
        for pair in pairs {
            let (key, item): (Bound<'py, PyAny>, Bound<'py, PyAny>) = pair.extract()?;
            let Ok(key) = key.cast::<PyString>() else {
                let name = key.get_type().fully_qualified_name()?;
                return Err(Stop::refused(format!("keys are str; one is a {name}")));
            };
            let key = self.text(key)?;
            let item = self.value(&item, depth + 1).map_err(|stop| stop.under(|| key.clone()))?;
            if map.contains_key(&key) {
                return Err(Stop::refused("this key stands more than once in its object").under(|| key));
            }
            map.insert(key, item);
        }
        Ok(Value::Object(map))
    }

    fn fields(&mut self, ob: &Bound<'_, PyAny>, depth: usize) -> Taken<Value> {
        check_depth(depth)?;
        let mut map = Map::new();
        for (name, item) in members(ob)? {
            let item = self.value(&item, depth + 1).map_err(|stop| stop.under(|| name.clone()))?;
            map.insert(name, item);
        }
        Ok(Value::Object(map))
    }

    fn text(&mut self, text: &Bound<'_, PyString>) -> Taken<String> {
        let text = text.to_str().map_err(|_| Stop::refused("the text holds a lone surrogate; it is not Unicode"))?;
        self.own(text).map(|_| text.to_owned())
    }

    fn own(&mut self, text: impl AsRef<str> + Into<String>) -> Taken<Value> {
        self.take(text.as_ref().len())?;
        Ok(Value::String(text.into()))
    }

    fn take(&mut self, bytes: usize) -> Taken<()> {
        self.left = self.left.checked_sub(bytes).filter(|left| *left > 0).ok_or(Stop::TooLarge)?;
        Ok(())
    }
}

fn check_depth(depth: usize) -> Taken<()> {
    if depth >= MAX_DEPTH {
        return Err(Stop::refused("arrays and objects are nested deeper than 128, or hold themselves"));
    }
    Ok(())
}

fn integer(ob: &Bound<'_, PyAny>) -> Taken<Value> {
    if let Ok(value) = ob.extract::<i64>() {
        return Ok(Value::Number(value.into()));
    }
    let value = ob.extract::<u64>().map_err(|_| {
        Stop::refused(
            "an integer lies between -9223372036854775808 and 18446744073709551615; write larger ones as text",
        )
    })?;
    Ok(Value::Number(value.into()))
}

fn float(ob: &Bound<'_, PyAny>) -> Taken<Value> {
    let value: f64 = ob.extract()?;
    Number::from_f64(value).map(Value::Number).ok_or_else(|| Stop::refused("NaN and infinities are not JSON"))
}

static ENUM: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static UUID: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static DECIMAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Whether it is an instance of a class of the standard library's, imported on first need.
fn is_a(ob: &Bound<'_, PyAny>, class: &PyOnceLock<Py<PyType>>, module: &str, name: &str) -> PyResult<bool> {
    ob.is_instance(class.import(ob.py(), module, name)?)
}

/// Whether it is an instance of a dataclass.
pub(crate) fn is_dataclass(ob: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(!ob.is_instance_of::<PyType>() && ob.get_type().hasattr(intern!(ob.py(), "__dataclass_fields__"))?)
}

/// The fields of a dataclass and what stands in them.
pub(crate) fn members<'py>(ob: &Bound<'py, PyAny>) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
    static FIELDS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let fields = FIELDS.import(ob.py(), "dataclasses", "fields")?.call1((ob,))?;
    let member = |field: PyResult<Bound<'py, PyAny>>| {
        let name: String = field?.getattr(intern!(ob.py(), "name"))?.extract()?;
        let value = ob.getattr(name.as_str())?;
        Ok((name, value))
    };
    fields.try_iter()?.map(member).collect()
}
