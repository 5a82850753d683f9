//! A custom table as calls need it: its schema, and how its parts stand in SQL.

use super::ident::{key, quoted};
use super::model::{Column, ColumnType, Constraint, TableSchema};
use crate::db::Dialect;

/// A table of the catalog.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) schema: TableSchema,
    /// Tells this table from others that had or will have its name.
    pub(super) generation: String,
    /// Which column is the primary key.
    pub(super) key: usize,
    /// What no two rows may have in common, by the positions of the columns: the primary key, unique columns, unique indexes.
    pub(super) uniques: Vec<Vec<usize>>,
    /// How many bytes a value of each column takes at most.
    limits: Vec<usize>,
}

/// The most bytes of one index: what fits PostgreSQL's, whatever its columns (manual, "B-Tree Indexes": a third of a page).
const MAX_INDEXED: usize = 2_000;

impl Table {
    pub(super) fn new(schema: TableSchema, generation: String) -> Self {
        let columns = || schema.columns.iter().enumerate();
        let key = columns().find(|(_, column)| column.is(Constraint::PrimaryKey)).map_or(0, |(at, _)| at);
        let unique =
            columns().filter(|(at, column)| *at != key && column.is(Constraint::Unique)).map(|(at, _)| vec![at]);
        let mut uniques: Vec<Vec<usize>> = std::iter::once(vec![key]).chain(unique).collect();
        let mut limits = vec![usize::MAX; schema.columns.len()];
        uniques.iter().flatten().for_each(|at| limits[*at] = MAX_INDEXED);
        for index in &schema.indexes {
            let at: Vec<usize> = index.columns.iter().filter_map(|name| position(&schema, name)).collect();
            let shares = at.iter().filter(|at| schema.columns[**at].column_type.is_of_any_length()).count();
            at.iter().for_each(|at| limits[*at] = limits[*at].min(MAX_INDEXED / shares.max(1)));
            uniques.extend(index.unique.then_some(at));
        }
        Self { schema, generation, key, uniques, limits }
    }

    /// How many bytes a value of that column takes at most: those of an index share what an index takes.
    pub(super) fn limit(&self, at: usize) -> usize {
        self.limits[at]
    }

    /// The position of the column of that name, without regard to case; `expected` is where it is looked for first.
    pub(super) fn position(&self, name: &str, expected: usize) -> Option<usize> {
        match self.schema.columns.get(expected) {
            Some(column) if column.name == name => Some(expected),
            _ => position(&self.schema, name),
        }
    }

    pub(super) fn column(&self, at: usize) -> &Column {
        &self.schema.columns[at]
    }

    /// Whether the database numbers the rows.
    pub(super) fn is_numbered(&self) -> bool {
        self.column(self.key).is(Constraint::AutoIncrement)
    }

    /// The table's name in SQL.
    pub(super) fn sql(&self) -> String {
        quoted(&self.schema.name)
    }

    /// A column's name in SQL.
    pub(super) fn column_sql(&self, at: usize) -> String {
        quoted(&self.column(at).name)
    }

    /// The primary key's name in SQL.
    pub(super) fn key_sql(&self) -> String {
        self.column_sql(self.key)
    }

    /// Every column's name in SQL, in order.
    pub(super) fn columns_sql(&self) -> Vec<String> {
        self.schema.columns.iter().map(|column| quoted(&column.name)).collect()
    }

    /// What tells whether two values of a column are the same, given how one stands in SQL: JSONB takes `1` and `1.0` for
    /// equal, and they are different documents (DESIGN.md §3 "JSON"), while its text tells them apart.
    pub(super) fn identity(&self, at: usize, value: &str, dialect: Dialect) -> String {
        match (self.column(at).column_type, dialect) {
            (ColumnType::Json, Dialect::Postgres) => format!("(({value}::jsonb)::text COLLATE \"C\")"),
            _ => value.to_owned(),
        }
    }

    /// A condition: the table is still this one. Being part of the statement itself, it cannot be out of date. Every statement
    /// has it: no other table has this text, so none that was prepared for one, with its types, is ever run on another.
    pub(super) fn current(&self) -> String {
        let key = key(&self.schema.name);
        let generation = &self.generation;
        format!("EXISTS (SELECT 1 FROM sprongus_tables WHERE key = '{key}' AND generation = '{generation}')")
    }

    /// The columns that are declared unique, by their positions.
    pub(super) fn unique_columns(&self) -> impl Iterator<Item = usize> {
        (0..self.schema.columns.len()).filter(|at| *at != self.key && self.column(*at).is(Constraint::Unique))
    }

    /// The name of the index of such a column (PostgreSQL).
    pub(super) fn unique_name(&self, at: usize) -> String {
        format!("sprongus_unique_{}_{at}", self.generation)
    }

    /// What numbers the rows (PostgreSQL), as it stands in SQL.
    pub(super) fn sequence(&self) -> String {
        format!("sprongus_ids_{}", self.generation)
    }
}

fn position(schema: &TableSchema, name: &str) -> Option<usize> {
    schema.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
}
