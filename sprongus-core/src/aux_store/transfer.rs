//! Export into files, and what can be wrong with a file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::Format;
use super::bulk::Progress;
use super::export::{Columns, Writer};
use super::import::Cell;
use super::model::ExportOptions;
use super::rows::{self, Place};
use super::unseen;
use crate::db::{Dialect, Executor, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::json::Json;
use crate::new_file::{refuse_store, temporary, unwritable};
use crate::presets::for_table;
use crate::session::Session;

/// Rows between two reports of progress.
const STEP: u64 = 500;

/// Entries read at once: few at first, more while they are small, so that large payloads do not fill the memory.
const FIRST: i64 = 64;
const MOST: i64 = 1_024;
const PAGE_BYTES: usize = 1 << 20;

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
        let types = |keys: &[String]| preset.as_ref().map_or(Cell::TEXT, |preset| Cell::of(preset, keys));
        let mut columns = Columns::new(&types);
        each(self.exec, self.place, &mut |id, payload| columns.observe(id, payload))?;
        let writer = Writer::csv(output, columns, self.options.escape_formulas)?;
        self.rows(writer)
    }

    fn rows<W: Write>(&mut self, mut writer: Writer<W>) -> Result<(u64, W)> {
        let total = rows::count(self.exec, self.place)?;
        let mut rows = 0;
        let progress = &mut *self.progress;
        each(self.exec, self.place, &mut |id, payload| {
            writer.write(id, payload)?;
            rows += 1;
            if rows % STEP == 0 { progress(rows, Some(total)) } else { Ok(()) }
        })?;
        if rows % STEP != 0 {
            progress(rows, Some(total))?;
        }
        Ok((rows, writer.finish()?))
    }
}

/// Every entry of a table by its id: that id, and the canonical payload.
fn each(exec: &mut dyn Executor, place: Place<'_>, visit: &mut dyn FnMut(&str, &str) -> Result<()>) -> Result<()> {
    let sql = format!(
        "SELECT id, payload FROM {} WHERE project_id = $1 AND table_name = $2 AND id > $3 ORDER BY id LIMIT $4",
        unseen::entries(exec, place)?
    );
    let (mut after, mut limit) = (String::new(), FIRST);
    loop {
        let params = [place.project.into(), place.table.into(), after.as_str().into(), limit.into()];
        let rows = exec.query(&sql, &params)?;
        let (count, mut bytes) = (rows.len() as i64, 0);
        for row in rows {
            let [id, payload] = <[Value<'_>; 2]>::try_from(row.into_values()).unwrap_or([Value::Null, Value::Null]);
            let (Value::Text(id), Value::Text(payload) | Value::Json(payload)) = (id, payload) else {
                return Err(Error::new(ErrorCode::Corrupt, "an entry is kept as neither text nor JSON"));
            };
            // JSONB gives back keys in another order and floats in full.
            let canonical = (exec.dialect() == Dialect::Postgres).then(|| Json::from_database(&payload)).transpose()?;
            visit(&id, canonical.as_ref().map_or(&payload, Json::as_str))?;
            bytes += payload.len();
            after = id.into_owned();
        }
        if count < limit {
            return Ok(());
        }
        limit = if bytes < PAGE_BYTES / 2 { MOST.min(limit * 2) } else { FIRST.max(limit / 2) };
    }
}
