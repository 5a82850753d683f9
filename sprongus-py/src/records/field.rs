//! The values of records as Python objects.

use std::collections::BTreeMap;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyString};
use serde::Serialize;
use sprongus::doctor::Finding;
use sprongus::{Json, Timestamp, Violation};

use super::Run;
use crate::{json_out, time};

/// A value that an attribute of a record may have.
pub(crate) trait Field {
    fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>>;
}

impl Field for str {
    fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyString::new(py, self).into_any())
    }
}

impl Field for String {
    fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.as_str().object(py)
    }
}

impl<T: Field + ?Sized> Field for &T {
    fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        (**self).object(py)
    }
}

impl<T: Field> Field for Option<T> {
    fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Some(value) => value.object(py),
            None => Ok(py.None().into_bound(py)),
        }
    }
}

impl Field for bool {
    fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyBool::new(py, *self).to_owned().into_any())
    }
}

impl Field for i64 {
    fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyInt::new(py, *self).into_any())
    }
}

impl Field for u64 {
    fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyInt::new(py, *self).into_any())
    }
}

impl Field for f64 {
    fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyFloat::new(py, *self).into_any())
    }
}

/// Seconds.
impl Field for Duration {
    fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyFloat::new(py, self.as_secs_f64()).into_any())
    }
}

impl Field for Timestamp {
    fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        time::datetime(py, *self).map(Bound::into_any)
    }
}

impl Field for Json {
    fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json_out::document(py, self)
    }
}

impl Field for Vec<u8> {
    fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyBytes::new(py, self).into_any())
    }
}

impl Field for Vec<Finding> {
    fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json_out::serialized(py, self)
    }
}

impl Field for Vec<Violation> {
    fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json_out::serialized(py, self)
    }
}

impl<V: Serialize> Field for BTreeMap<String, V> {
    fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json_out::serialized(py, self)
    }
}

impl Field for sprongus::Latency {
    fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json_out::serialized(py, self)
    }
}

impl Field for sprongus::Run {
    fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Run::make(py, self.clone()).map(Bound::into_any)
    }
}
