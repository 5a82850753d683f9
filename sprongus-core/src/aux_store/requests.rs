//! What the calls take as JSON (DESIGN.md §7): the requests of the table of operations.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::model::{BulkOptions, ExportOptions, ImportOptions, ListQuery, Mode, OnError, OnReferenced, UpdateOptions};
use super::{Aux, Format, Moment, Nulls};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::page::DEFAULT_LIMIT;
use crate::session::Session;

/// The table that a request names; a scoped handle's own project where it names none.
pub(crate) fn table<'s>(session: Session<'s>, project: Option<&str>, table: &str) -> Result<Aux<'s>> {
    let project = session.project(project)?.ok_or_else(|| Error::invalid("project is missing: whose table is it?"))?;
    Ok(Aux::new(session, project, table))
}

fn default_limit() -> i64 {
    DEFAULT_LIMIT
}

/// A new entry.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateEntry {
    /// The project; a scoped handle's own where none is given.
    #[serde(default)]
    pub project: Option<String>,
    /// The table.
    pub table: String,
    /// The whole document.
    pub payload: Map<String, Value>,
    /// Its id; else the document's, else a new one.
    #[serde(default)]
    pub id: Option<String>,
}

/// One entry.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntryAddress {
    /// The project; a scoped handle's own where none is given.
    #[serde(default)]
    pub project: Option<String>,
    /// The table.
    pub table: String,
    /// Its id.
    pub id: String,
}

/// A change to an entry.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateEntry {
    /// The project; a scoped handle's own where none is given.
    #[serde(default)]
    pub project: Option<String>,
    /// The table.
    pub table: String,
    /// Its id.
    pub id: String,
    /// What is merged into it, or its new document.
    pub patch: Map<String, Value>,
    /// Whether the patch is the whole document.
    #[serde(default)]
    pub replace: bool,
    /// What a null in a merged patch means.
    #[serde(default)]
    pub nulls: Nulls,
    /// Refuse with `conflict` unless the entry has this version.
    #[serde(default)]
    pub if_version: Option<i64>,
}

/// An entry to be created or changed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpsertEntry {
    /// The project; a scoped handle's own where none is given.
    #[serde(default)]
    pub project: Option<String>,
    /// The table.
    pub table: String,
    /// The document.
    pub payload: Map<String, Value>,
    /// Its id; else the document's, else a new one.
    #[serde(default)]
    pub id: Option<String>,
    /// Put the document in the place of the one that is there, instead of merging it.
    #[serde(default)]
    pub replace: bool,
}

/// An entry to be deleted.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteEntry {
    /// The project; a scoped handle's own where none is given.
    #[serde(default)]
    pub project: Option<String>,
    /// The table.
    pub table: String,
    /// Its id.
    pub id: String,
    /// What to do about entries that refer to it.
    #[serde(default)]
    pub on_referenced: OnReferenced,
}

/// Which entries, in which order, how many.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListEntries {
    /// The project; a scoped handle's own where none is given.
    #[serde(default)]
    pub project: Option<String>,
    /// The table.
    pub table: String,
    /// A text that one of the searched strings holds, in any case.
    #[serde(default)]
    pub q: Option<String>,
    /// Fields with values or operators: `{"year": {"gte": 1900}}`.
    #[serde(default)]
    pub filter: Option<Map<String, Value>>,
    /// Fields to sort by, `-` in front descends; by id where empty.
    #[serde(default)]
    pub sort: Vec<String>,
    /// Entries of a page, 0 to 1,000.
    #[serde(default = "default_limit")]
    pub limit: i64,
    /// Entries passed over; not together with a cursor.
    #[serde(default)]
    pub offset: i64,
    /// `nextCursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// Which entries are counted.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CountEntries {
    /// The project; a scoped handle's own where none is given.
    #[serde(default)]
    pub project: Option<String>,
    /// The table.
    pub table: String,
    /// A text that one of the searched strings holds, in any case.
    #[serde(default)]
    pub q: Option<String>,
    /// Fields with values or operators.
    #[serde(default)]
    pub filter: Option<Map<String, Value>>,
}

/// Many entries at once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BulkUpsert {
    /// The project; a scoped handle's own where none is given.
    #[serde(default)]
    pub project: Option<String>,
    /// The table.
    pub table: String,
    /// The documents, each with its `id` or without one.
    pub items: Vec<Value>,
    /// How they meet entries that are there.
    #[serde(default)]
    pub mode: Mode,
    /// What a bad one does to the others.
    #[serde(default)]
    pub on_error: OnError,
    /// Do everything but keep nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// A file to be read into a table.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportEntries {
    /// The project; a scoped handle's own where none is given.
    #[serde(default)]
    pub project: Option<String>,
    /// The table.
    pub table: String,
    /// The file, where this process sees it.
    pub path: PathBuf,
    /// Its format; else its extension tells.
    #[serde(default)]
    pub format: Option<Format>,
    /// `merge` into what is there, or `replace`: the table becomes equal to the file.
    #[serde(default)]
    pub mode: Mode,
    /// What a bad row does to the others.
    #[serde(default)]
    pub on_error: OnError,
    /// Do everything but keep nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// Between the cells of a CSV: one ASCII character; a comma where none is given.
    #[serde(default)]
    pub delimiter: Option<String>,
}

/// A file to be written from a table.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExportEntries {
    /// The project; a scoped handle's own where none is given.
    #[serde(default)]
    pub project: Option<String>,
    /// The table.
    pub table: String,
    /// The file, where this process sees it.
    pub path: PathBuf,
    /// Its format; else its extension tells.
    #[serde(default)]
    pub format: Option<Format>,
    /// Put a `'` before CSV text that a spreadsheet would run as a formula.
    #[serde(default)]
    pub escape_formulas: bool,
}

/// Entries that are referred to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResolveRefs {
    /// The project; a scoped handle's own where none is given.
    #[serde(default)]
    pub project: Option<String>,
    /// The table they stand in.
    pub table: String,
    /// Their ids, in the order of the answer.
    pub ids: Vec<String>,
}

/// Two versions of an entry to be compared.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DiffEntry {
    /// The project; a scoped handle's own where none is given.
    #[serde(default)]
    pub project: Option<String>,
    /// The table.
    pub table: String,
    /// Its id.
    pub id: String,
    /// The one before: a version's number, or a time.
    pub a: Moment,
    /// The one after; the present one where none is given.
    #[serde(default)]
    pub b: Option<Moment>,
}

/// A table as it was.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntriesAsOf {
    /// The project; a scoped handle's own where none is given.
    #[serde(default)]
    pub project: Option<String>,
    /// The table.
    pub table: String,
    /// The time.
    pub at: Timestamp,
}

/// A version to be brought back.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestoreEntry {
    /// The project; a scoped handle's own where none is given.
    #[serde(default)]
    pub project: Option<String>,
    /// The table.
    pub table: String,
    /// Its id.
    pub id: String,
    /// The version whose document becomes the present one.
    pub version: i64,
}

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Counted {
    /// The number.
    pub count: u64,
}

impl UpdateEntry {
    /// The options of the call.
    pub(crate) fn options(&self) -> UpdateOptions {
        UpdateOptions { replace: self.replace, nulls: self.nulls, if_version: self.if_version }
    }
}

impl ListEntries {
    /// The query of the call.
    pub(crate) fn query(self) -> ListQuery {
        let Self { q, filter, sort, limit, offset, cursor, .. } = self;
        ListQuery { q, filter: filter.map(Value::Object), sort, limit, offset, cursor }
    }
}

impl BulkUpsert {
    /// The options of the call.
    pub(crate) fn options(&self) -> BulkOptions {
        BulkOptions { mode: self.mode, on_error: self.on_error, dry_run: self.dry_run }
    }
}

impl ImportEntries {
    /// The options of the call.
    pub(crate) fn options(&self) -> ImportOptions {
        let bulk = BulkOptions { mode: self.mode, on_error: self.on_error, dry_run: self.dry_run };
        ImportOptions { format: self.format, delimiter: self.delimiter.clone(), bulk }
    }
}

impl ExportEntries {
    /// The options of the call.
    pub(crate) fn options(&self) -> ExportOptions {
        ExportOptions { format: self.format, escape_formulas: self.escape_formulas }
    }
}
