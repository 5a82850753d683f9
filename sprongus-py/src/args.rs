//! Arguments whose wrong values are answered with `InvalidArgumentError`, wrong types with `TypeError`.

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyString;
use sprongus::Error;

use crate::error::raised;

/// Text that is Unicode: Python's str may hold lone surrogates.
#[derive(Clone)]
pub(crate) struct Text(pub(crate) String);

impl<'a, 'py> FromPyObject<'a, 'py> for Text {
    type Error = PyErr;

    fn extract(ob: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let text = ob.cast::<PyString>()?;
        let unicode = text
            .to_str()
            .map_err(|_| raised(ob.py(), &Error::invalid("the text holds a lone surrogate; it is not Unicode")))?;
        Ok(Self(unicode.to_owned()))
    }
}

/// A list of strings; one string alone is none, though Python would take it for its characters.
pub(crate) struct Texts(pub(crate) Vec<String>);

impl<'a, 'py> FromPyObject<'a, 'py> for Texts {
    type Error = PyErr;

    fn extract(ob: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let wrong = |error: PyErr| {
            if !error.is_instance_of::<PyTypeError>(ob.py()) {
                return error;
            }
            PyTypeError::new_err("a list of strings is wanted")
        };
        let given: Vec<Text> = ob.extract().map_err(wrong)?;
        Ok(Self(given.into_iter().map(|text| text.0).collect()))
    }
}

/// The strings themselves.
pub(crate) fn texts(given: Texts) -> Vec<String> {
    given.0
}

/// The string itself, where one was given.
pub(crate) fn text(given: Option<Text>) -> Option<String> {
    given.map(|text| text.0)
}

/// The value of that name; `InvalidArgumentError` lists the names.
pub(crate) fn pick<T: Copy>(py: Python<'_>, what: &str, name: &Text, choices: &[(&str, T)]) -> PyResult<T> {
    choices.iter().find(|(known, _)| *known == name.0).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(known, _)| *known).collect();
        raised(py, &Error::invalid(format!("{what} is one of {}", names.join(", "))))
    })
}

/// A whole number of 64 bits.
#[derive(Clone, Copy)]
pub(crate) struct Whole(pub(crate) i64);

impl<'a, 'py> FromPyObject<'a, 'py> for Whole {
    type Error = PyErr;

    fn extract(ob: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        ob.extract().map(Self).map_err(|error| {
            if !error.is_instance_of::<PyOverflowError>(ob.py()) {
                return error;
            }
            raised(ob.py(), &Error::invalid("a number of 64 bits is wanted; this one is larger"))
        })
    }
}

impl Whole {
    /// As the type the library takes; `InvalidArgumentError` where it lies outside.
    pub(crate) fn fit<T: TryFrom<i64>>(self, py: Python<'_>, name: &str) -> PyResult<T> {
        T::try_from(self.0)
            .map_err(|_| raised(py, &Error::invalid(format!("{name} is {}, which is out of its range", self.0))))
    }
}

/// An argument where None is a value of its own: what was not given is `...`.
pub(crate) enum Given<'py> {
    No,
    Yes(Bound<'py, PyAny>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Given<'py> {
    type Error = PyErr;

    fn extract(ob: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if ob.is(ob.py().Ellipsis()) {
            return Ok(Self::No);
        }
        Ok(Self::Yes(ob.to_owned()))
    }
}

impl<'py> Given<'py> {
    pub(crate) fn into_option(self) -> Option<Bound<'py, PyAny>> {
        match self {
            Self::No => None,
            Self::Yes(ob) => Some(ob),
        }
    }
}
