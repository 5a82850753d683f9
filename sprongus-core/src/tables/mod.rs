//! Custom tables: a host's own typed tables beside everything else (DESIGN.md §8, §15 "Custom tables").
//!
//! A table is one of the database, under the name it was given, so that the host's SQL reaches it too; the catalog
//! (`sprongus_tables`) keeps what it was created with. Every value is judged here before the database sees it, and what the
//! databases would not decide alike is decided here.

mod catalog;
mod cell;
mod change;
mod ddl;
mod drift;
mod filter;
mod ident;
mod insert;
mod many;
mod model;
mod new_row;
mod numbers;
mod query;
mod requests;
mod rivals;
mod row;
mod schema;
mod table;
mod value;

pub(crate) use drift::drift;

pub use cell::Cell;
pub use model::{Column, ColumnType, Constraint, Index, TableSchema};
pub use requests::{
    CountRows, CreateTable, DeleteRow, InsertRow, InsertRows, Inserted, InsertedMany, OrderBy, QueryRows, TableExists,
    TableName, UpdateRow,
};
pub use row::{ByColumn, Cells, Test, Where};

use crate::error::Result;
use crate::scope::Scope;
use crate::session::Session;

/// The custom tables of a store, or of an open transaction; from [`Store::tables`](crate::Store::tables) or
/// [`Tx::tables`](crate::Tx::tables).
///
/// They belong to the store, not to a project: on a scoped handle every call needs `admin`, reading too. Names of tables and
/// columns are taken without regard to case. A name that no custom table may have, one of the library's own among them, is
/// `invalid_argument`; a table that is not in the catalog is `not_found`, also where the host has one of that name.
///
/// ```
/// use sprongus::tables::{Cells, Column, ColumnType, CreateTable, InsertRow, QueryRows, TableSchema};
/// use sprongus::{Options, Store};
/// let store = Store::open(":memory:", Options::default())?;
/// let settings = TableSchema::new("plugin_settings")
///     .column(Column::new("key", ColumnType::Text).primary_key())
///     .column(Column::new("value", ColumnType::Json).not_null());
/// store.tables().create(&CreateTable::new(settings))?;
/// let row = Cells::new().with("key", "theme").with("value", "dark");
/// assert_eq!(store.tables().insert(&InsertRow::new("plugin_settings", row))?.id, "theme");
/// let mut dark = QueryRows::new("plugin_settings");
/// dark.filter.set("value", "dark");
/// assert_eq!(store.tables().query(&dark)?.len(), 1);
/// # Ok::<(), sprongus::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Tables<'s> {
    session: Session<'s>,
}

impl<'s> Tables<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    /// One call: allowed, and all its waiting ends by one deadline.
    fn call(&self) -> Result<Self> {
        self.session.allow(Scope::Admin)?;
        Ok(Self { session: self.session.one_call() })
    }

    /// Creates a table. The same table again is no change.
    ///
    /// One column is the primary key; where none is declared it is `id`, which is added, as text, where it is missing.
    ///
    /// Errors: `invalid_argument` (names, columns or indexes that cannot be), `unsupported` (several primary keys, one that is
    /// neither text nor an integer, auto_increment elsewhere), `conflict` (a custom table of that name has another schema: the
    /// `differences` are in the details; or the name, or that of an index, is taken by something else), `permission_denied`.
    pub fn create(&self, create: &CreateTable) -> Result<()> {
        self.call()?.do_create(create)
    }

    /// Whether there is a table or a view of that name in whatever case, custom or the host's own; the library's own are none.
    ///
    /// Errors: `invalid_argument` (no identifier), `permission_denied`.
    pub fn exists(&self, which: &TableName) -> Result<bool> {
        self.call()?.do_exists(which)
    }

    /// Drops a table and its rows; nothing where there is none.
    ///
    /// Errors: `invalid_argument` (the name), `conflict` (a table of the host's own), `referenced` (something of the host's own
    /// hangs on it), `permission_denied`.
    pub fn drop(&self, which: &TableName) -> Result<()> {
        self.call()?.do_drop(which)
    }

    /// What a table was created with, its primary key included.
    ///
    /// Errors: `invalid_argument` (the name), `not_found`, `permission_denied`.
    pub fn describe(&self, which: &TableName) -> Result<TableSchema> {
        self.call()?.do_describe(which)
    }

    /// The names of all custom tables, ordered by code point.
    ///
    /// Errors: `permission_denied`.
    pub fn names(&self) -> Result<Vec<String>> {
        self.call()?.session.read(catalog::names)
    }

    /// Inserts a row; its primary key as text. A column that is left out is null; a primary key of text that is left out is
    /// made, a ULID, and one that is auto_increment is numbered.
    ///
    /// Errors: `validation` (every column that is wrong, by its path: an unknown one, a value of another type, a null that may
    /// not be, more bytes than an index takes), `conflict` (`columns` in the details: another row has their values),
    /// `too_large` (the row over `max_artifact_bytes`), `not_found` (the table), `invalid_argument` (its name),
    /// `storage_full` (no number left), `permission_denied`. Nothing is written then.
    pub fn insert(&self, insert: &InsertRow) -> Result<Inserted> {
        self.call()?.do_insert(insert)
    }

    /// Inserts rows by the fastest way the database has, all or none; their primary keys as text, in the same order.
    ///
    /// Errors: as [`Tables::insert`], with the `row`, from 1, in each of the `errors`.
    pub fn insert_many(&self, insert: &InsertRows) -> Result<InsertedMany> {
        // Not by one deadline: that is for waiting, and this may take long.
        self.session.allow(Scope::Admin)?;
        self.do_insert_many(&insert.name, &insert.rows)
    }

    /// The same of rows as they come. All of them are fetched before anything is locked or written.
    ///
    /// Errors: as [`Tables::insert_many`], and the first that the rows themselves give.
    pub fn insert_rows(&self, name: &str, rows: impl IntoIterator<Item = Result<Cells>>) -> Result<InsertedMany> {
        self.session.allow(Scope::Admin)?;
        let rows = rows.into_iter().collect::<Result<Vec<_>>>()?;
        self.do_insert_many(name, &rows)
    }

    /// Changes a row: the columns that are given. None given changes nothing, and still asks for the row.
    ///
    /// Errors: `not_found` (the row, the table), and as [`Tables::insert`]. A primary key may be changed, unless it is
    /// auto_increment (`validation`).
    pub fn update(&self, update: &UpdateRow) -> Result<()> {
        self.call()?.do_update(update)
    }

    /// The rows that pass `where`, in order, each with all its columns in the order of the schema.
    ///
    /// A value is equality, null is null, several are any of them; in a json column `1` equals `1.0` at any depth, and an array
    /// is several values, so that a document that is an array is written as an array of it. Text is ordered by code point,
    /// nulls come first ascending and last descending, documents are ordered as in lists of entries; ties are by the primary
    /// key, ascending.
    ///
    /// Errors: `invalid_argument` (a column that is not there, a limit or offset below 0), `validation` (a value that its
    /// column cannot hold), `too_large` (more than 10,000 values), `not_found`, `permission_denied`.
    pub fn query(&self, query: &QueryRows) -> Result<Vec<Cells>> {
        self.call()?.do_query(query)
    }

    /// How many rows pass `where`.
    ///
    /// Errors: as [`Tables::query`].
    pub fn count(&self, count: &CountRows) -> Result<u64> {
        self.call()?.do_count(count)
    }

    /// Removes a row.
    ///
    /// Errors: `not_found` (the row, the table), `referenced` (a table of the host's own refers to it), `invalid_argument`,
    /// `permission_denied`.
    pub fn delete(&self, delete: &DeleteRow) -> Result<()> {
        self.call()?.do_delete(delete)
    }
}

/// The programs of the page on custom tables run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/tables.md")]
struct DocsPage;
