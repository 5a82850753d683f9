//! Lists that show as tables, and the iterators over all pages; the class is Python's, for it is a list.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList};
use serde::Serialize;
use sprongus::Page;
use sprongus::events::EventBatch;

use crate::json_out;
use crate::records::Event;

/// A page of records as `sprongus.Page`.
pub(crate) fn page<'py, T, U>(
    py: Python<'py>,
    page: Page<T>,
    make: impl Fn(Python<'py>, T) -> PyResult<Bound<'py, U>>,
) -> PyResult<Bound<'py, PyAny>> {
    let items = PyList::empty(py);
    page.items.into_iter().try_for_each(|item| items.append(make(py, item)?.into_any()))?;
    shown(items, page.next_cursor)
}

/// Records as a Page that is all there is.
pub(crate) fn list<'py, T, U>(
    py: Python<'py>,
    items: Vec<T>,
    make: impl Fn(Python<'py>, T) -> PyResult<Bound<'py, U>>,
) -> PyResult<Bound<'py, PyAny>> {
    page(py, Page { items, next_cursor: None }, make)
}

/// Whatever serializes to a list of objects, as a Page of dicts.
pub(crate) fn dicts<'py>(py: Python<'py>, items: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    shown(json_out::serialized(py, items)?.cast_into()?, None)
}

/// A list as a Page: it shows as a table in a notebook.
pub(crate) fn shown(items: Bound<'_, PyList>, next_cursor: Option<String>) -> PyResult<Bound<'_, PyAny>> {
    static PAGE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = items.py();
    PAGE.import(py, "sprongus._pages", "Page")?.call1((items, next_cursor))
}

/// Events as `sprongus.EventBatch`.
pub(crate) fn batch(py: Python<'_>, batch: EventBatch) -> PyResult<Bound<'_, PyAny>> {
    static BATCH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let items = PyList::empty(py);
    batch.items.into_iter().try_for_each(|event| items.append(Event::make(py, event)?))?;
    BATCH.import(py, "sprongus._pages", "EventBatch")?.call1((items, batch.cursor))
}

/// An iterator over every page that `list(**query)` gives.
pub(crate) fn every<'py>(of: &Bound<'py, PyAny>, query: Option<&Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyAny>> {
    static EVERY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let list = of.getattr("list")?;
    EVERY.import(of.py(), "sprongus._pages", "every")?.call((list,), query)
}
