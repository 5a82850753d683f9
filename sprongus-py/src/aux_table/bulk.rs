//! Many documents in one commit, and files.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyString;
use sprongus::aux_store::{BulkOptions, ExportOptions, Format, ImportOptions, Mode, OnError};

use super::{AuxTable, pick};
use crate::args::{Text, text};
use crate::items::{Items, Progress};
use crate::records::BulkReport;

#[pymethods]
impl AuxTable {
    /// Upserts many documents, which others see at once, from any iterable, a DataFrame or an Arrow table.
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
