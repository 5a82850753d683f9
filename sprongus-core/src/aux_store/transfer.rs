//! Export into files, and what can be wrong with a file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::{Map, Value};

use super::bulk::Progress;
use super::export::{Columns, Writer};
use super::import::preset_cell;
use super::model::ExportOptions;
use super::rows::{self, Place, object};
use super::scan::{Order, Scanned, Wanted, walk};
use super::{Format, import};
use crate::db::Executor;
use crate::error::{Error, ErrorCode, Result};
use crate::new_file::{refuse_store, temporary, unwritable};
use crate::presets::for_table;
use crate::session::Session;

/// Rows between two reports of progress.
const STEP: u64 = 500;

/// See [`Aux::export`](super::Aux::export).
pub(super) fn export(
    session: Session<'_>,
    place: Place<'_>,
    path: &Path,
    options: ExportOptions,
    progress: Progress<'_>,
) -> Result<u64> {
    let format = Format::of(options.format, path)?;
    let special = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
    if path.is_dir() {
        return Err(Error::invalid(format!("{} is a directory, not a file", path.display())));
    }
    session.read_snapshot(|exec| {
        refuse_store(exec, path)?;
        let mut exporting = Exporting { session, exec, place, format, options, progress: &mut *progress };
        if special {
            // A pipe or a device is written as it is.
            let file = File::options().write(true).open(path).map_err(|error| unwritable(path, error))?;
            return exporting.write(BufWriter::new(file)).map(|(rows, _)| rows);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = temporary(folder).map_err(|error| unwritable(path, error))?;
        let (rows, file) = exporting.write(BufWriter::with_capacity(1 << 16, file))?;
        let file = file.into_inner().map_err(|error| unwritable(path, error.into_error()))?;
        file.persist(path).map_err(|error| unwritable(path, error.error))?;
        Ok(rows)
    })
}

struct Exporting<'e> {
    session: Session<'e>,
    exec: &'e mut dyn Executor,
    place: Place<'e>,
    format: Format,
    options: ExportOptions,
    progress: Progress<'e>,
}

impl Exporting<'_> {
    fn write<W: Write>(&mut self, output: W) -> Result<(u64, W)> {
        match self.format {
            Format::Json => Writer::json(output).and_then(|writer| self.rows(writer)),
            Format::Ndjson => self.rows(Writer::ndjson(output)),
            Format::Csv => self.csv(output),
        }
    }

    /// A first walk finds the columns. A table whose preset is gone is written as text and JSON.
    fn csv<W: Write>(&mut self, output: W) -> Result<(u64, W)> {
        let preset = for_table(self.session, self.exec, self.place.project, self.place.table);
        let preset = match preset {
            Ok(preset) => Some(preset),
            Err(error) if error.code() == ErrorCode::NotFound => None,
            Err(error) => return Err(error),
        };
        let types = |keys: &[String]| match &preset {
            Some(preset) => preset_cell(preset, keys),
            None => Box::new(import::text_cell),
        };
        let mut columns = Columns::new(&types);
        walk(self.exec, self.place, &Wanted::default(), BY_ID, None, |entry| {
            columns.observe(&document(entry));
            Ok(ControlFlow::Continue(()))
        })?;
        let writer = Writer::csv(output, columns, self.options.escape_formulas)?;
        self.rows(writer)
    }

    fn rows<W: Write>(&mut self, mut writer: Writer<W>) -> Result<(u64, W)> {
        let total = rows::count(self.exec, self.place)?;
        let mut rows = 0;
        let progress = &mut *self.progress;
        walk(self.exec, self.place, &Wanted::default(), BY_ID, None, |entry| {
            writer.write(document(entry))?;
            rows += 1;
            if rows % STEP == 0 {
                progress(rows, Some(total))?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if rows % STEP != 0 {
            progress(rows, Some(total))?;
        }
        Ok((rows, writer.finish()?))
    }
}

const BY_ID: Order = Order::Id { descending: false };

/// An entry as a document: its payload, with its id unless the payload shows one already.
fn document(entry: Scanned) -> Map<String, Value> {
    let mut document = object(&entry.payload);
    document.entry("id").or_insert_with(|| entry.id.into());
    document
}
