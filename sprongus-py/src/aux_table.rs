//! `AuxTable`.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyString};
use serde_json::Value;
use sprongus::Error;
use sprongus::aux_store::{
    BulkOptions, ExportOptions, Format, ImportOptions, ListQuery, Mode, Nulls, OnError, OnReferenced, UpdateOptions,
};

use crate::args::{Text, Whole, text, texts};
use crate::error::raised;
use crate::ground::Ground;
use crate::items::{Items, Progress};
use crate::records::{BulkReport, Entry};
use crate::{args, json_in, json_out, pages};

/// Documents of one table of a project, validated by the preset bound to the table.
///
/// >>> assets = store.aux("p1", "assets")
/// >>> assets.create({"title": "Coburg"}, id="a-1").version
/// 1
#[pyclass(module = "sprongus", frozen)]
pub(crate) struct AuxTable {
    ground: Ground,
    /// The project.
    #[pyo3(get)]
    project: String,
    /// The table's name.
    #[pyo3(get)]
    name: String,
}

impl AuxTable {
    pub(crate) fn new(ground: Ground, project: String, name: String) -> Self {
        Self { ground, project, name }
    }

    fn place(&self) -> (&str, &str) {
        (&self.project, &self.name)
    }
}

#[pymethods]
impl AuxTable {
    /// Creates an entry from a whole document, with the preset's defaults; its id is `id`, else the document's, else a new one.
    ///
    /// Raises `ValidationError` with every violation, `ReservedFieldError`, `ConflictError` (the id or a unique value is
    /// taken), `NotFoundError` where no preset is bound to the table, `TooLargeError`.
    #[pyo3(signature = (payload, *, id = None))]
    fn create<'py>(
        &self,
        py: Python<'py>,
        payload: &Bound<'py, PyAny>,
        id: Option<Text>,
    ) -> PyResult<Bound<'py, Entry>> {
        let (payload, id) = (json_in::value(payload)?, text(id));
        Entry::make(py, self.ground.aux(py, self.place(), |aux| aux.create(payload, id.as_deref()))?)
    }

    /// The entry of that id; `NotFoundError` where there is none.
    fn get<'py>(&self, py: Python<'py>, id: Text) -> PyResult<Bound<'py, Entry>> {
        Entry::make(py, self.ground.aux(py, self.place(), |aux| aux.get(&id.0))?)
    }

    /// Merges a patch into an entry (RFC 7396), or replaces its document; the result is what is validated.
    ///
    /// A result equal to what is there makes no new version. nulls: "remove" takes the field out, "keep" stores the null.
    /// if_version: `ConflictError` unless the entry has it.
    #[pyo3(
        signature = (id, patch, *, replace = false, nulls = None, if_version = None),
        text_signature = "($self, id, patch, *, replace=False, nulls='remove', if_version=None)"
    )]
    fn update<'py>(
        &self,
        py: Python<'py>,
        id: Text,
        patch: &Bound<'py, PyAny>,
        replace: bool,
        nulls: Option<Text>,
        if_version: Option<Whole>,
    ) -> PyResult<Bound<'py, Entry>> {
        let nulls = pick(py, "nulls", nulls, &[("remove", Nulls::Remove), ("keep", Nulls::Keep)])?;
        let options = UpdateOptions { replace, nulls, if_version: if_version.map(|version| version.0) };
        let patch = json_in::value(patch)?;
        Entry::make(py, self.ground.aux(py, self.place(), |aux| aux.update(&id.0, patch, options))?)
    }

    /// Creates an entry, or merges the document into the one of its id (or replaces that with `replace`).
    #[pyo3(signature = (payload, *, id = None, replace = false))]
    fn upsert<'py>(
        &self,
        py: Python<'py>,
        payload: &Bound<'py, PyAny>,
        id: Option<Text>,
        replace: bool,
    ) -> PyResult<Bound<'py, Entry>> {
        let (payload, id) = (json_in::value(payload)?, text(id));
        Entry::make(py, self.ground.aux(py, self.place(), |aux| aux.upsert(payload, id.as_deref(), replace))?)
    }

    /// Deletes an entry; gives the entries that referred to it, each `table`, `id`, `field`.
    ///
    /// on_referenced: "restrict" raises `ReferencedError` that names them; "warn" leaves them dangling; "unlink" takes the id
    /// out of them; "force" does not look.
    #[pyo3(
        signature = (id, *, on_referenced = None),
        text_signature = "($self, id, *, on_referenced='restrict')"
    )]
    fn delete<'py>(&self, py: Python<'py>, id: Text, on_referenced: Option<Text>) -> PyResult<Bound<'py, PyAny>> {
        let choices = [
            ("restrict", OnReferenced::Restrict),
            ("warn", OnReferenced::Warn),
            ("unlink", OnReferenced::Unlink),
            ("force", OnReferenced::Force),
        ];
        let on_referenced = pick(py, "on_referenced", on_referenced, &choices)?;
        let referrers = self.ground.aux(py, self.place(), |aux| aux.delete(&id.0, on_referenced))?;
        json_out::serialized(py, &referrers)
    }

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

    /// Upserts many documents in one short transaction, from any iterable, a DataFrame or an Arrow table.
    ///
    /// mode: "merge" into the entry of the same id, or "replace" it. on_error: "abort" writes nothing and raises
    /// `ValidationError` with every bad row; "report" keeps the good rows. progress: True for a bar, or `fn(done, total)`.
    /// An iterator is drawn from while nothing is locked.
    #[pyo3(
        signature = (items, *, mode = None, on_error = None, dry_run = false, progress = None),
        text_signature = "($self, items, *, mode='merge', on_error='abort', dry_run=False, progress=False)"
    )]
    #[allow(clippy::too_many_arguments)] // Python's keyword arguments
    fn bulk_upsert<'py>(
        &self,
        py: Python<'py>,
        items: &Bound<'py, PyAny>,
        mode: Option<Text>,
        on_error: Option<Text>,
        dry_run: bool,
        progress: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, BulkReport>> {
        let options = bulk_options(py, mode, on_error, dry_run)?;
        let items = Items::of(items)?;
        let report = Progress::shown(py, progress.as_ref(), "rows", |progress| {
            self.ground
                .aux(py, self.place(), |aux| aux.bulk_upsert(items, options, &mut |done, of| progress.tell(done, of)))
        })?;
        BulkReport::make(py, report)
    }

    /// Imports a CSV, JSON or NDJSON file, or an iterable of documents, as a stream.
    ///
    /// CSV is typed by the preset, never guessed; an empty cell is missing, a quoted empty one is "". mode: "merge", or
    /// "replace", which makes the table equal to the file. Otherwise as `bulk_upsert`. A pandas or polars DataFrame and an
    /// Arrow table are iterables of documents too.
    ///
    /// >>> assets = store.aux("p3", "assets")
    /// >>> assets.import_([{"id": "a", "title": "Coburg"}]).created
    /// 1
    /// >>> assets.export("assets.csv")
    /// 1
    /// >>> assets.import_("assets.csv", mode="replace").unchanged
    /// 1
    #[pyo3(
        signature = (
            source, *, format = None, mode = None, on_error = None, dry_run = false, delimiter = None, progress = None
        ),
        text_signature = "($self, source, *, format=None, mode='merge', on_error='abort', dry_run=False, delimiter=',', \
                          progress=False)"
    )]
    #[allow(clippy::too_many_arguments)] // Python's keyword arguments
    fn import_<'py>(
        &self,
        py: Python<'py>,
        source: &Bound<'py, PyAny>,
        format: Option<Text>,
        mode: Option<Text>,
        on_error: Option<Text>,
        dry_run: bool,
        delimiter: Option<Text>,
        progress: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, BulkReport>> {
        let bulk = bulk_options(py, mode, on_error, dry_run)?;
        let report = if is_path(source)? {
            let path: PathBuf = source.extract()?;
            let options = ImportOptions { format: parse_format(py, format)?, delimiter: text(delimiter), bulk };
            Progress::shown(py, progress.as_ref(), "rows", |progress| {
                self.ground
                    .aux(py, self.place(), |aux| aux.import(&path, &options, &mut |done, of| progress.tell(done, of)))
            })?
        } else {
            let items = Items::of(source)?;
            Progress::shown(py, progress.as_ref(), "rows", |progress| {
                self.ground
                    .aux(py, self.place(), |aux| aux.import_items(items, bulk, &mut |done, of| progress.tell(done, of)))
            })?
        };
        BulkReport::make(py, report)
    }

    /// Writes the whole table to a file, by id, from one snapshot; the number of rows. The file appears when it is complete.
    ///
    /// escape_formulas: puts a ' before CSV text that a spreadsheet would run.
    #[pyo3(
        signature = (path, *, format = None, escape_formulas = false, progress = None),
        text_signature = "($self, path, *, format=None, escape_formulas=False, progress=False)"
    )]
    fn export<'py>(
        &self,
        py: Python<'py>,
        path: PathBuf,
        format: Option<Text>,
        escape_formulas: bool,
        progress: Option<Bound<'py, PyAny>>,
    ) -> PyResult<u64> {
        let options = ExportOptions { format: parse_format(py, format)?, escape_formulas };
        Progress::shown(py, progress.as_ref(), "rows", |progress| {
            self.ground.aux(py, self.place(), |aux| aux.export(&path, options, &mut |done, of| progress.tell(done, of)))
        })
    }

    /// The entries of every page of `list(**query)`; `limit` is the size of a page.
    #[pyo3(signature = (**query))]
    fn iter<'py>(slf: &Bound<'py, Self>, query: Option<&Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyAny>> {
        pages::every(slf.as_any(), query)
    }

    fn __repr__(&self) -> String {
        format!("<sprongus.AuxTable {:?} of project {:?}>", self.name, self.project)
    }
}

/// The value of that name, or the first where none is given.
fn pick<T: Copy>(py: Python<'_>, what: &str, given: Option<Text>, choices: &[(&str, T)]) -> PyResult<T> {
    given.map_or(Ok(choices[0].1), |name| args::pick(py, what, &name, choices))
}

fn bulk_options(py: Python<'_>, mode: Option<Text>, on_error: Option<Text>, dry_run: bool) -> PyResult<BulkOptions> {
    Ok(BulkOptions {
        mode: pick(py, "mode", mode, &[("merge", Mode::Merge), ("replace", Mode::Replace)])?,
        on_error: pick(py, "on_error", on_error, &[("abort", OnError::Abort), ("report", OnError::Report)])?,
        dry_run,
    })
}

fn parse_format(py: Python<'_>, format: Option<Text>) -> PyResult<Option<Format>> {
    let choices = [("csv", Format::Csv), ("json", Format::Json), ("ndjson", Format::Ndjson)];
    format.map(|format| pick(py, "format", Some(format), &choices)).transpose()
}

fn is_path(source: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(source.is_instance_of::<PyString>() || source.hasattr("__fspath__")?)
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
