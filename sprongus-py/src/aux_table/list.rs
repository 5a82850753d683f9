//! Many entries at a time, as pages and as tables of other libraries.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyMapping, PyString};
use serde_json::Value;
use sprongus::Error;
use sprongus::aux_store::ListQuery;

use super::AuxTable;
use crate::args::{Text, Whole, text, texts};
use crate::error::raised;
use crate::records::Entry;
use crate::{json_in, pages};

#[pymethods]
impl AuxTable {
    /// A page of the entries that match, by id unless sorted otherwise.
    ///
    /// q: a text that one of the searched strings holds, in any case. filter: {"year": 1900}, {"year": {"gte": 1900}}.
    /// sort: "title", "-year", "-lastUpdated", "$version", or several.
    ///
    /// >>> assets = store.aux("p2", "assets")
    /// >>> report = assets.bulk_upsert([{"id": "a", "year": 1899}, {"id": "b", "year": 1901}])
    /// >>> [entry.id for entry in assets.list(filter={"year": {"gte": 1900}}, sort="-year")]
    /// ['b']
    #[pyo3(
        signature = (*, q = None, filter = None, sort = None, limit = Whole(50), offset = Whole(0), cursor = None),
        text_signature = "($self, *, q=None, filter=None, sort=None, limit=50, offset=0, cursor=None)"
    )]
    #[allow(clippy::too_many_arguments)] // Python's keyword arguments
    fn list<'py>(
        &self,
        py: Python<'py>,
        q: Option<Text>,
        filter: Option<Bound<'py, PyAny>>,
        sort: Option<Bound<'py, PyAny>>,
        limit: Whole,
        offset: Whole,
        cursor: Option<Text>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let query = ListQuery {
            q: text(q),
            filter: filter_value(filter)?,
            sort: sort.map_or(Ok(Vec::new()), |sort| fields(&sort))?,
            limit: limit.0,
            offset: offset.0,
            cursor: text(cursor),
        };
        pages::page(py, self.ground.aux(py, self.place(), |aux| aux.list(&query))?, Entry::make)
    }

    /// How many entries match.
    #[pyo3(signature = (*, q = None, filter = None))]
    fn count(&self, py: Python<'_>, q: Option<Text>, filter: Option<Bound<'_, PyAny>>) -> PyResult<u64> {
        let (q, filter) = (text(q), filter_value(filter)?);
        self.ground.aux(py, self.place(), |aux| aux.count(q.as_deref(), filter.as_ref()))
    }

    /// The entries of every page of `list(**query)`; `limit` is the size of a page.
    #[pyo3(signature = (**query))]
    fn iter<'py>(slf: &Bound<'py, Self>, query: Option<&Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyAny>> {
        pages::every(slf.as_any(), query)
    }

    /// The entries of every page of `list(**query)` as a `pandas.DataFrame`, or the first `limit` of them.
    ///
    /// A column for the id, one for each field, and the entry's `$version` and `lastUpdated`. Whole numbers stay whole where
    /// some are missing (Int64). `bulk_upsert` takes such a frame back: cells without a value are left out, and so are those
    /// two columns. Raises `ImportError` where pandas is not installed.
    ///
    /// >>> films = store.aux("p12", "assets")
    /// >>> report = films.bulk_upsert([{"id": "a", "year": 1899}, {"id": "b", "title": "The train"}])
    /// >>> frame = films.to_pandas(sort="id")
    /// >>> list(frame.columns)
    /// ['id', 'year', 'title', '$version', 'lastUpdated']
    /// >>> films.bulk_upsert(frame).unchanged
    /// 2
    #[pyo3(signature = (**query))]
    fn to_pandas<'py>(slf: &Bound<'py, Self>, query: Option<Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyAny>> {
        whole(slf, "to_pandas", query)
    }

    /// As `to_pandas`, a `polars.DataFrame`. A column whose values are not of one type is JSON text.
    #[pyo3(signature = (**query))]
    fn to_polars<'py>(slf: &Bound<'py, Self>, query: Option<Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyAny>> {
        whole(slf, "to_polars", query)
    }

    /// As `to_pandas`, a `pyarrow.Table`. A column whose values are not of one type is JSON text.
    #[pyo3(signature = (**query))]
    fn to_arrow<'py>(slf: &Bound<'py, Self>, query: Option<Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyAny>> {
        whole(slf, "to_arrow", query)
    }
}

/// What a query finds, as a table of another library.
fn whole<'py>(
    table: &Bound<'py, AuxTable>,
    form: &str,
    query: Option<Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    static TABLES: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let py = table.py();
    let tables = TABLES.get_or_try_init(py, || py.import("sprongus._tables").map(Bound::unbind))?.bind(py);
    let entries = tables.call_method1("entries", (table, query.unwrap_or_else(|| PyDict::new(py))))?;
    let named = PyDict::new(py);
    named.set_item("entries", true)?;
    tables.call_method(form, (entries,), Some(&named))
}

fn filter_value(filter: Option<Bound<'_, PyAny>>) -> PyResult<Option<Value>> {
    let Some(filter) = filter else { return Ok(None) };
    if !filter.is_instance_of::<PyMapping>() {
        return Err(raised(filter.py(), &Error::invalid("a filter is a dict from fields to values or operators")));
    }
    json_in::value(&filter).map(Some)
}

/// A field or several.
fn fields(sort: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    if sort.is_instance_of::<PyString>() {
        return Ok(vec![sort.extract::<Text>()?.0]);
    }
    Ok(texts(sort.extract()?))
}
