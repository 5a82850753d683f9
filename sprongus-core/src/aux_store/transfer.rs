//! Export into files, and what can be wrong with a file.

use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc::sync_channel;

use super::Format;
use super::bulk::Progress;
use super::export::{Columns, CsvWriter, Writer, unwritable as unusable};
use super::import::Cell;
use super::model::ExportOptions;
use super::rows::{self, Place};
use super::unseen;
use crate::db::{Dialect, Executor, Row, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::json::{Json, Raw};
use crate::new_file::{NewFile, unwritable};
use crate::presets::for_table;
use crate::session::Session;

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
        let new = match special {
            // A pipe or a device is written as it is.
            true => None,
            false => Some(NewFile::beside(exec, path)?),
        };
        let file = match &new {
            Some(new) => new.reopen()?,
            None => File::options().write(true).open(path).map_err(|error| unwritable(path, error))?,
        };
        let total = rows::count(exec, place)?;
        let told = Told { progress: &mut *progress, total, rows: 0, most: 0 };
        let rows = Exporting { session, exec, place, format, options, told }.write(&file, new.is_some())?;
        new.map_or(Ok(()), NewFile::persist)?;
        Ok(rows)
    })
}

/// How far it is.
struct Told<'p> {
    progress: Progress<'p>,
    total: u64,
    rows: u64,
    most: u64,
}

impl Told<'_> {
    /// What was told already is not told again where rows are written once more.
    fn tell(&mut self, more: usize) -> Result<()> {
        self.rows += more as u64;
        if self.rows <= self.most {
            return Ok(());
        }
        self.most = self.rows;
        (self.progress)(self.rows, Some(self.total))
    }
}

struct Exporting<'e> {
    session: Session<'e>,
    exec: &'e mut dyn Executor,
    place: Place<'e>,
    format: Format,
    options: ExportOptions,
    told: Told<'e>,
}

/// A CSV on its way, as long as its columns hold.
enum Draft<W: Write> {
    /// Entries that are waiting for its header.
    First(Vec<(String, String)>, usize),
    Rows(CsvWriter<W>),
    /// A later entry had other columns.
    Void,
}

impl Exporting<'_> {
    fn write(&mut self, file: &File, again: bool) -> Result<u64> {
        match self.format {
            Format::Json => Writer::json(buffered(file)).and_then(|writer| self.rows(writer)),
            Format::Ndjson => self.rows(Writer::ndjson(buffered(file))),
            Format::Csv => self.csv(file, again),
        }
    }

    /// Where the file can be begun `again`, it is written by the columns that the first entries tell, for those are most
    /// often all. Else a first walk finds them. A table whose preset is gone is written as text and JSON.
    fn csv(&mut self, mut file: &File, again: bool) -> Result<u64> {
        let preset = for_table(self.session, self.exec, self.place.project, self.place.table);
        let preset = match preset {
            Ok(preset) => Some(preset),
            Err(error) if error.code() == ErrorCode::NotFound => None,
            Err(error) => return Err(error),
        };
        let types = |keys: &[String]| preset.as_ref().map_or(Cell::TEXT, |preset| Cell::of(preset, keys));
        let mut columns = Columns::new(&types);
        if again {
            if self.draft(file, &mut columns)? {
                return Ok(self.told.rows);
            }
            file.set_len(0).and_then(|()| file.rewind()).map_err(unusable)?;
        } else {
            each(self.exec, self.place, None, &mut |id, payload| {
                columns.observe(id, &Raw::of(payload).object()?).map(drop)
            })?;
        }
        let writer = Writer::csv(buffered(file), &mut columns, self.options.escape_formulas)?;
        self.rows(writer)
    }

    /// Finds the columns, and writes by those of the first entries; whether they were all.
    fn draft(&mut self, file: &File, columns: &mut Columns<'_>) -> Result<bool> {
        let escape = self.options.escape_formulas;
        let begin = |columns: &mut Columns<'_>, first: &[(String, String)]| {
            let mut writer = CsvWriter::new(buffered(file), columns, escape)?;
            first.iter().try_for_each(|(id, payload)| writer.write(id, &Raw::of(payload).object()?)).map(|()| writer)
        };
        let mut draft = Draft::First(Vec::new(), 0);
        each(self.exec, self.place, Some(&mut self.told), &mut |id, payload| {
            let members = Raw::of(payload).object()?;
            let hold = columns.observe(id, &members)?;
            match &mut draft {
                Draft::First(first, bytes) => {
                    first.push((id.to_owned(), payload.to_owned()));
                    *bytes += payload.len();
                    if first.len() == MOST as usize || *bytes > PAGE_BYTES {
                        draft = Draft::Rows(begin(columns, first)?);
                    }
                }
                Draft::Rows(writer) if hold => writer.write(id, &members)?,
                _ => draft = Draft::Void,
            }
            Ok(())
        })?;
        let writer = match draft {
            Draft::First(first, _) => begin(columns, &first)?,
            Draft::Rows(writer) => writer,
            Draft::Void => return Ok(false),
        };
        writer.finish().map(|_| true)
    }

    fn rows<W: Write + Send>(&mut self, mut writer: Writer<W>) -> Result<u64> {
        self.told.rows = 0;
        each(self.exec, self.place, Some(&mut self.told), &mut |id, payload| writer.write(id, payload))?;
        writer.finish()?;
        Ok(self.told.rows)
    }
}

fn buffered(file: &File) -> BufWriter<&File> {
    BufWriter::with_capacity(1 << 16, file)
}

/// Entries as the database gives them, in one piece: a text for each would be freed by another thread than took it.
#[derive(Default)]
struct Given {
    text: String,
    /// How long each id is, and each payload after it.
    lengths: Vec<(usize, usize)>,
}

impl Given {
    /// Of rows of an id and a payload.
    fn of(rows: Vec<Row>) -> Result<Self> {
        let mut given = Self::default();
        rows.iter().try_for_each(|row| match row.values() {
            [Value::Text(id), Value::Text(payload) | Value::Json(payload)] => {
                given.text.push_str(id);
                given.text.push_str(payload);
                given.lengths.push((id.len(), payload.len()));
                Ok(())
            }
            _ => Err(Error::new(ErrorCode::Corrupt, "an entry is kept as neither text nor JSON")),
        })?;
        Ok(given)
    }

    /// Each id and its payload.
    fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut left = self.text.as_str();
        self.lengths.iter().map(move |(id, payload)| {
            let (entry, rest) = left.split_at(id + payload);
            left = rest;
            entry.split_at(*id)
        })
    }
}

/// Every entry of a table by its id: that id, and the canonical payload. One page is visited by a thread while the next is
/// read here; what is told are the rows that were read.
fn each(
    exec: &mut dyn Executor,
    place: Place<'_>,
    told: Option<&mut Told<'_>>,
    visit: &mut (dyn FnMut(&str, &str) -> Result<()> + Send),
) -> Result<()> {
    let canonical = exec.dialect() == Dialect::Sqlite;
    std::thread::scope(|scope| {
        let (pages, given) = sync_channel::<Given>(2);
        let visitor = scope.spawn(move || {
            let mut one = |(id, payload): (&str, &str)| match canonical {
                true => visit(id, payload),
                // JSONB gives back keys in another order and floats in full.
                false => visit(id, Json::from_database(payload)?.as_str()),
            };
            given.into_iter().try_for_each(|page| page.entries().try_for_each(&mut one))
        });
        // A visitor that is gone has its own error.
        let read = read_pages(exec, place, told, &mut |page| pages.send(page).is_ok());
        drop(pages);
        visitor.join().unwrap_or_else(|panic| resume_unwind(panic)).and(read)
    })
}

/// Reads pages until the last one, or until one is not `taken`.
fn read_pages(
    exec: &mut dyn Executor,
    place: Place<'_>,
    mut told: Option<&mut Told<'_>>,
    taken: &mut dyn FnMut(Given) -> bool,
) -> Result<()> {
    let sql = format!(
        "SELECT id, payload FROM {} WHERE project_id = $1 AND table_name = $2 AND id > $3 ORDER BY id LIMIT $4",
        unseen::entries(exec, place)?
    );
    let (mut after, mut limit) = (String::new(), FIRST);
    loop {
        let params = [place.project.into(), place.table.into(), after.as_str().into(), limit.into()];
        let rows = exec.query(&sql, &params)?;
        let last = rows.last().map(|row| row.text(0)).transpose()?;
        let page = Given::of(rows)?;
        let (count, bytes) = (page.lengths.len(), page.text.len());
        if !taken(page) {
            return Ok(());
        }
        if let Some(told) = told.as_mut() {
            told.tell(count)?;
        }
        let Some(last) = last.filter(|_| count as i64 == limit) else { return Ok(()) };
        after = last;
        limit = if bytes < PAGE_BYTES / 2 { MOST.min(limit * 2) } else { FIRST.max(limit / 2) };
    }
}
