//! Tables, columns, constraints and indexes: as the migrations make them, and as they are found.

mod found;
mod gist;
mod parse;

use std::collections::BTreeMap;

pub(crate) use found::found;

use super::Dialect;
use super::migrate::{REGISTER, migrations};

/// What the library's tables consist of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Schema {
    pub(crate) tables: BTreeMap<String, Table>,
    pub(crate) views: BTreeMap<String, View>,
    pub(crate) indexes: BTreeMap<String, Index>,
    /// PostgreSQL: sequences by name, but for those of identity columns; what makes each.
    pub(crate) sequences: BTreeMap<String, String>,
    /// Triggers, which the migrations make none of: the table of each.
    pub(crate) triggers: BTreeMap<String, String>,
}

/// A table.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    /// Keys and checks: by what they say, however it is written.
    pub(crate) constraints: BTreeMap<String, Constraint>,
    /// What makes it, its indexes not included.
    pub(crate) sql: Vec<String>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Its type, in lower case, as PostgreSQL's `format_type` or SQLite's declaration says it.
    pub(crate) kind: String,
    pub(crate) not_null: bool,
    /// Whether there is a value where none is given: a default, or an identity.
    pub(crate) filled: bool,
    /// Whether its text is ordered by code point (`COLLATE "C"`), which PostgreSQL has to be told.
    pub(crate) by_code_point: bool,
    /// What makes it; empty where it was found.
    pub(crate) definition: String,
}

/// A primary key, a unique key, a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Constraint {
    /// Its name, where the database gives it one.
    pub(crate) name: Option<String>,
    /// What makes it.
    pub(crate) definition: String,
}

/// An index that was made by itself, not by a constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) table: String,
    pub(crate) unique: bool,
    /// Whether it is finished and used: an index whose making was broken off is not (PostgreSQL).
    pub(crate) valid: bool,
    /// What it says, however it is written: columns in order, and which rows.
    pub(crate) gist: String,
    /// What makes it.
    pub(crate) sql: String,
}

/// A view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    /// What it shows, however it is written.
    pub(crate) gist: String,
    /// What makes it.
    pub(crate) sql: String,
}

/// What the migrations of that database make of an empty one.
pub(crate) fn expected(dialect: Dialect) -> Schema {
    let mut schema = Schema::default();
    schema.take(REGISTER);
    for sql in migrations(dialect) {
        parse::without_comments(sql).split(';').for_each(|statement| schema.take(statement));
    }
    schema.settle(dialect);
    schema
}
