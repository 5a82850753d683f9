//! Custom tables: a host's own typed tables beside everything else (DESIGN.md §8, §15 "Custom tables").

mod cell;
mod model;
mod requests;
mod row;

pub use cell::Cell;
pub use model::{Column, ColumnType, Constraint, Index, TableSchema};
pub use requests::{
    CountRows, CreateTable, DeleteRow, InsertRow, InsertRows, Inserted, InsertedMany, OrderBy, QueryRows, TableExists,
    TableName, UpdateRow,
};
pub use row::{ByColumn, Cells, Test, Where};

use crate::error::{Error, ErrorCode, Result};
use crate::scope::Scope;
use crate::session::Session;

/// The custom tables of a store, or of an open transaction; from [`Store::tables`](crate::Store::tables) or
/// [`Tx::tables`](crate::Tx::tables).
///
/// They belong to the store, not to a project: every call needs `admin` on a scoped handle.
#[derive(Clone, Copy)]
pub struct Tables<'s> {
    session: Session<'s>,
}

impl<'s> Tables<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    fn unsupported<T>(&self) -> Result<T> {
        self.session.allow(Scope::Admin)?;
        Err(Error::new(ErrorCode::Unsupported, "custom tables are being built"))
    }

    /// Creates a table.
    pub fn create(&self, _: &CreateTable) -> Result<()> {
        self.unsupported()
    }

    /// Whether there is a table of that name, custom or the host's own.
    pub fn exists(&self, _: &TableName) -> Result<bool> {
        self.unsupported()
    }

    /// Drops a table.
    pub fn drop(&self, _: &TableName) -> Result<()> {
        self.unsupported()
    }

    /// What a table was created with.
    pub fn describe(&self, _: &TableName) -> Result<TableSchema> {
        self.unsupported()
    }

    /// The names of all custom tables.
    pub fn names(&self) -> Result<Vec<String>> {
        self.unsupported()
    }

    /// Inserts a row; its primary key as text.
    pub fn insert(&self, _: &InsertRow) -> Result<Inserted> {
        self.unsupported()
    }

    /// Inserts rows, all or none.
    pub fn insert_many(&self, _: &InsertRows) -> Result<InsertedMany> {
        self.unsupported()
    }

    /// Inserts rows as they come, all or none.
    pub fn insert_rows(&self, _: &str, _: impl IntoIterator<Item = Result<Cells>>) -> Result<InsertedMany> {
        self.unsupported()
    }

    /// Changes a row.
    pub fn update(&self, _: &UpdateRow) -> Result<()> {
        self.unsupported()
    }

    /// The rows that are asked for.
    pub fn query(&self, _: &QueryRows) -> Result<Vec<Cells>> {
        self.unsupported()
    }

    /// How many rows there are of what is asked for.
    pub fn count(&self, _: &CountRows) -> Result<u64> {
        self.unsupported()
    }

    /// Removes a row.
    pub fn delete(&self, _: &DeleteRow) -> Result<()> {
        self.unsupported()
    }
}
