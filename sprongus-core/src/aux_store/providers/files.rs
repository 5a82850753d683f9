//! CSV and JSON files as providers: read as an import reads them, written as an export writes them.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};
use tempfile::NamedTempFile;

use super::registry::Making;
use super::{Capabilities, Changes, Provider, Pulled, bad_document};
use crate::aux_store::export::{Columns, Writer};
use crate::aux_store::format::Format;
use crate::aux_store::import::{self, BadRow, Cell, Content, ReadOptions, RowSource};
use crate::aux_store::sync::{identify, shown_id};
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::json::{Json, Raw};
use crate::new_file::{temporary, unreadable, unwritable};
use crate::presets::Compiled;

/// What a profile of the kind `csv` or `json` says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Config {
    /// The file, or a folder with one file per table.
    path: PathBuf,
    /// Between the cells of a CSV; a file with another one than the comma is not written.
    #[serde(default)]
    delimiter: Option<String>,
    /// Never write it.
    #[serde(default)]
    read_only: bool,
}

/// A file, for one table.
struct FileProvider {
    path: PathBuf,
    format: Format,
    reading: ReadOptions,
    writable: bool,
    preset: Arc<Compiled>,
}

/// The provider of a file in one of these formats.
///
/// # Errors
/// `invalid_argument`: a config that is not one, a file of another format, the store's own file.
pub(super) fn open(making: &Making<'_>, formats: &[Format]) -> Result<Box<dyn Provider>> {
    let config: Config = serde_json::from_value(Value::Object(making.config.clone()))
        .map_err(|error| Error::invalid(format!("a profile of files has a path, a delimiter and readOnly: {error}")))?;
    let mut reading = ReadOptions::new(making.max_row_bytes);
    if let Some(delimiter) = &config.delimiter {
        reading = reading.with_delimiter(delimiter)?;
    }
    let (path, format) = file_of(&config.path, making.table, formats)?;
    (making.refuse)(&path)?;
    let writable = !config.read_only && (format != Format::Csv || reading.delimiter == b',');
    Ok(Box::new(FileProvider { path, format, reading, writable, preset: making.preset.clone() }))
}

/// The file itself, or that of the table in the folder.
fn file_of(path: &Path, table: &str, formats: &[Format]) -> Result<(PathBuf, Format)> {
    if path.is_dir() {
        return in_folder(path, table, formats);
    }
    let format = match (Format::of(None, path), formats) {
        (Ok(format), _) if formats.contains(&format) => format,
        // Whatever it is called, there is one format it can have.
        (Err(_), [only, ..]) => *only,
        _ => {
            let message = format!("{} has the extension of another format than the provider's", path.display());
            return Err(Error::invalid(message));
        }
    };
    Ok((path.to_owned(), format))
}

fn in_folder(folder: &Path, table: &str, formats: &[Format]) -> Result<(PathBuf, Format)> {
    if table.starts_with('.') || table.contains(['/', '\\']) {
        let message = format!("the table {table:?} has no file of its name in a folder; give the path of a file");
        return Err(Error::invalid(message));
    }
    let named = |format: &Format| {
        let extension = match format {
            Format::Csv => "csv",
            Format::Json => "json",
            Format::Ndjson => "ndjson",
        };
        (folder.join(format!("{table}.{extension}")), *format)
    };
    let mut files = formats.iter().map(named);
    let first = files.clone().next();
    let found = files.find(|(path, _)| path.is_file()).or(first);
    found.ok_or_else(|| Error::invalid("a folder holds files of some format"))
}

impl Provider for FileProvider {
    fn capabilities(&self) -> Capabilities {
        Capabilities { read: true, write: self.writable }
    }

    fn pull(&mut self, project: &str, table: &str) -> Result<Pulled<'_>> {
        let (preset, project, table) = (self.preset.clone(), project.to_owned(), table.to_owned());
        let rows = self.rows()?;
        Ok(Box::new(rows.map(move |row| {
            let row = row?;
            let document = row.value.and_then(tree).map(Value::Object);
            document.map_err(|bad| refused(row.number, bad, &preset, &project, &table))
        })))
    }

    /// The file is read anew, changed, and put in the place of the old one when it is complete.
    fn push(&mut self, project: &str, table: &str, changes: &Changes) -> Result<()> {
        let path = self.path.canonicalize().map_err(|error| unreadable(&self.path, error))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let temporary = temporary(folder).map_err(|error| unwritable(&path, error))?;
        let rewriting = Rewriting { file: self, project, table, changes: &By::id(changes)? };
        let file = rewriting.write(BufWriter::with_capacity(1 << 16, temporary))?;
        let file = file.into_inner().map_err(|error| unwritable(&path, error.into_error()))?;
        replace(file, &path).map_err(|error| unwritable(&path, error))
    }
}

/// Keeps the rights of the file whose place it takes, and is on the disk before it does.
fn replace(file: NamedTempFile, path: &Path) -> std::io::Result<()> {
    file.as_file().set_permissions(std::fs::metadata(path)?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

impl FileProvider {
    fn rows(&self) -> Result<RowSource<'static>> {
        let file = File::open(&self.path).map_err(|error| unreadable(&self.path, error))?;
        let types = |keys: &[String]| Cell::of(&self.preset, keys);
        import::rows(self.format, BufReader::with_capacity(1 << 16, file), &types, None, self.reading)
    }
}

fn tree(content: Content) -> Result<Map<String, Value>, BadRow> {
    match content {
        Content::Tree(document) => Ok(document),
        Content::Cells(cells) => cells.into_tree(),
    }
}

/// A row that cannot be taken, with the id it seems to have.
fn refused(number: u64, bad: BadRow, preset: &Compiled, project: &str, table: &str) -> Error {
    let id = match bad.read.contains_key(preset.id_field().unwrap_or("id")) {
        true => identify(preset, project, table, bad.read).map_or_else(|bad| bad.id, |read| Some(read.id)),
        false => None,
    };
    let named = bad.violations.into_iter().map(|one| Violation { id: id.clone(), ..one }).collect();
    bad_document(number, &Error::validation(named))
}

/// Changes by what they are about.
struct By<'c> {
    documents: HashMap<String, Json>,
    /// The ids of those, in their order.
    order: Vec<String>,
    deleted: HashSet<&'c str>,
}

impl<'c> By<'c> {
    fn id(changes: &'c Changes) -> Result<Self> {
        let (mut documents, mut order) = (HashMap::new(), Vec::new());
        for document in changes.created.iter().chain(&changes.updated) {
            let id = shown_id(document).ok_or_else(|| Error::invalid("a document that is pushed has an id"))?;
            order.push(id.clone());
            documents.insert(id, Json::from_value(&Value::Object(document.clone()))?);
        }
        Ok(Self { documents, order, deleted: changes.deleted.iter().map(String::as_str).collect() })
    }
}

struct Rewriting<'r> {
    file: &'r FileProvider,
    project: &'r str,
    table: &'r str,
    changes: &'r By<'r>,
}

impl Rewriting<'_> {
    fn write<W: Write>(&self, output: W) -> Result<W> {
        let mut writer = match self.file.format {
            Format::Json => Writer::json(output)?,
            Format::Ndjson => Writer::ndjson(output),
            Format::Csv => {
                // A first walk finds the columns.
                let types = |keys: &[String]| Cell::of(&self.file.preset, keys);
                let mut columns = Columns::new(&types);
                self.walk(&mut |id, document| columns.observe(id, &Raw::of(document.as_str()).object()?).map(drop))?;
                Writer::csv(output, &mut columns, false)?
            }
        };
        self.walk(&mut |id, document| writer.write(id, document.as_str()))?;
        writer.finish()
    }

    /// Every document of the changed file: those of the old one in their order, then those it did not have.
    fn walk(&self, visit: &mut dyn FnMut(&str, &Json) -> Result<()>) -> Result<()> {
        let mut met = HashSet::new();
        for row in self.file.rows()? {
            let document = row?.value.and_then(tree).map_err(|bad| self.unreadable(&bad.violations))?;
            let time = document.get("lastUpdated").cloned();
            let found = identify(&self.file.preset, self.project, self.table, document);
            let found = found.map_err(|bad| self.unreadable(&bad.error.violations_list()))?;
            let changed = self.changes.documents.get(&found.id);
            // Of rows with one id the last counted: what becomes of it stands in the place of all.
            let again = changed.is_some() && !met.insert(found.id.clone());
            if again || self.changes.deleted.contains(found.id.as_str()) {
                continue;
            }
            match (changed, time) {
                (Some(changed), _) => visit(&found.id, changed)?,
                (None, None) => visit(&found.id, &found.json)?,
                (None, Some(time)) => {
                    let mut document = found.document;
                    document.insert("lastUpdated".to_owned(), time);
                    visit(&found.id, &Json::from_value(&Value::Object(document))?)?;
                }
            }
        }
        let missing = self.changes.order.iter().filter(|id| !met.contains(*id));
        let mut documents = missing.filter_map(|id| Some((id, self.changes.documents.get(id)?)));
        documents.try_for_each(|(id, document)| visit(id, document))
    }

    /// What cannot be read would be lost.
    fn unreadable(&self, violations: &[Violation]) -> Error {
        let path = self.file.path.display();
        let message = format!("{path} has rows that cannot be read, so it is not written: mend or remove them first");
        let details = serde_json::json!({ "errors": violations });
        Error::new(ErrorCode::InvalidState, message).with_details(details)
    }
}
