//! What goes into and comes out of the aux store's calls.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Format, Nulls};
use crate::clock::Timestamp;
use crate::error::Violation;
use crate::json::Json;
use crate::page::DEFAULT_LIMIT;

/// A document of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its id, unique in its table of its project.
    pub id: String,
    /// The project it belongs to.
    pub project_id: String,
    /// The table it stands in.
    pub table_name: String,
    /// The document: an object.
    pub payload: Json,
    /// 1 and up; goes on across a deletion and re-creation of the id.
    pub version: i64,
    /// When it was last written: the database's clock.
    pub last_updated: Timestamp,
    /// What is accepted but worth a look: dangling references. Empty where entries are only read.
    #[serde(default)]
    pub warnings: Vec<Violation>,
}

/// An entry that refers to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Referrer {
    /// The table it stands in.
    pub table: String,
    /// Its id.
    pub id: String,
    /// The field that holds the reference, as `assetIds[]`.
    pub field: String,
}

/// How an update is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UpdateOptions {
    /// The patch is the whole document instead of being merged into it.
    pub replace: bool,
    /// What a null in a patch that is merged means.
    pub nulls: Nulls,
    /// Refuse with `conflict` unless the entry has this version.
    pub if_version: Option<i64>,
}

/// What a deletion does about entries that refer to the one deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnReferenced {
    /// Refuse, and name them.
    #[default]
    Restrict,
    /// Delete, leave them dangling, and name them.
    Warn,
    /// Take the id out of them, each a new version, then delete.
    Unlink,
    /// Delete without a look.
    Force,
}

/// Which entries, in which order, how many.
#[derive(Debug, Clone, PartialEq)]
pub struct ListQuery {
    /// A text that one of the searched strings holds, in any case.
    pub q: Option<String>,
    /// A filter in its JSON form; see [`Filter`](super::Filter).
    pub filter: Option<Value>,
    /// Fields to sort by; see [`Sort`](super::Sort). None: by id.
    pub sort: Vec<String>,
    /// Entries of a page.
    pub limit: i64,
    /// Entries passed over; not together with a cursor.
    pub offset: i64,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self { q: None, filter: None, sort: Vec::new(), limit: DEFAULT_LIMIT, offset: 0, cursor: None }
    }
}

/// How given entries meet those that are there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Each is merged into the entry of its id; a null is stored.
    #[default]
    Merge,
    /// Bulk: each replaces the entry of its id, others stay. Import: the table becomes equal to the file.
    Replace,
}

/// What a bad row does to the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// Nothing is written.
    #[default]
    Abort,
    /// The good rows are written, and every bad one is listed.
    Report,
}

/// How many rows are given at once and what becomes of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BulkOptions {
    /// How given entries meet those that are there.
    pub mode: Mode,
    /// What a bad row does to the others.
    pub on_error: OnError,
    /// Do everything but keep nothing: the report is that of the real call.
    pub dry_run: bool,
}

/// How a file is imported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// The file's format; else its extension tells.
    pub format: Option<Format>,
    /// Between the cells of a CSV; a comma where empty.
    pub delimiter: Option<String>,
    /// What becomes of the rows.
    pub bulk: BulkOptions,
}

/// How a table is exported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// The file's format; else its extension tells.
    pub format: Option<Format>,
    /// Put a `'` before CSV text that a spreadsheet would run as a formula. Import does not undo it.
    pub escape_formulas: bool,
}

/// What became of many rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BulkReport {
    /// Entries that were not there before.
    pub created: u64,
    /// Entries with a new version.
    pub updated: u64,
    /// Entries that were given as they are.
    pub unchanged: u64,
    /// Entries that the file did not hold (import with `replace`).
    pub deleted: u64,
    /// Every violation of every bad row, by row.
    pub errors: Vec<Violation>,
    /// `duplicate_id` and `dangling_ref`, by row.
    pub warnings: Vec<Violation>,
    /// Whether nothing was kept.
    pub dry_run: bool,
}

/// A document as callers give it.
pub type Document = Map<String, Value>;
