//! Pages and the iterators over all of them; the classes are Python's, for they are lists.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList};
use sprongus::Page;

/// A page of records as `sprongus.Page`.
pub(crate) fn page<'py, T, U>(
    py: Python<'py>,
    page: Page<T>,
    make: impl Fn(Python<'py>, T) -> PyResult<Bound<'py, U>>,
) -> PyResult<Bound<'py, PyAny>> {
    static PAGE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let items = list(py, page.items, make)?;
    PAGE.import(py, "sprongus._pages", "Page")?.call1((items, page.next_cursor))
}

/// Records as a list.
pub(crate) fn list<'py, T, U>(
    py: Python<'py>,
    items: Vec<T>,
    make: impl Fn(Python<'py>, T) -> PyResult<Bound<'py, U>>,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    items.into_iter().try_for_each(|item| list.append(make(py, item)?.into_any()))?;
    Ok(list)
}

/// An iterator over every page that `list(**query)` gives.
pub(crate) fn every<'py>(of: &Bound<'py, PyAny>, query: Option<&Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyAny>> {
    static EVERY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let list = of.getattr("list")?;
    EVERY.import(of.py(), "sprongus._pages", "every")?.call((list,), query)
}
