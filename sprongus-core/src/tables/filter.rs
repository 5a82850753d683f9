//! `where`: which rows, as SQL and, for what SQL has no equality for, decided here.

use serde_json::Value as Document;

use super::cell::Cell;
use super::model::ColumnType;
use super::row::{Cells, Test, Where};
use super::table::Table;
use super::value::{document, stored};
use crate::aux_store::order::equal;
use crate::db::{Dialect, Value};
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::json::pointer::pointer;

/// Values of one `where`; padded to powers of two they stay under SQLite's 32,766 parameters.
const MAX_VALUES: usize = 10_000;

/// The largest number that jsonb compares as it is: beyond, it has a double's shortest digits (DESIGN.md §3 "JSON").
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A `where`, ready to be asked.
#[derive(Default)]
pub(super) struct Filter<'w> {
    conditions: Vec<String>,
    pub(super) params: Vec<Value<'w>>,
    rest: Vec<Rest>,
}

/// What is decided here: the column is one of these documents, none among them where null passes.
struct Rest {
    at: usize,
    any: Vec<Option<Document>>,
}

impl<'w> Filter<'w> {
    /// # Errors
    /// `validation` for values that are none of their column's, by column; `invalid_argument` for columns that are not there.
    pub(super) fn new(table: &Table, tests: &'w Where, dialect: Dialect) -> Result<Self> {
        let count: usize = tests.iter().map(|(_, test)| cells(test).len()).sum();
        if count > MAX_VALUES {
            let message = format!("where has {count} values; at most {MAX_VALUES} are taken");
            return Err(Error::new(ErrorCode::TooLarge, message));
        }
        let (mut filter, mut violations) = (Self::default(), Vec::new());
        for (name, test) in tests.iter() {
            let at = table.position(name, 0).ok_or_else(|| no_column("where", table))?;
            if let Err(message) = filter.take(table, at, test, dialect) {
                violations.push(Violation::new(pointer([name]), "type", message));
            }
        }
        if violations.is_empty() { Ok(filter) } else { Err(Error::validation(violations)) }
    }

    fn take(&mut self, table: &Table, at: usize, test: &'w Test, dialect: Dialect) -> Result<(), String> {
        let column = table.column(at);
        let cells = cells(test);
        let values = cells.iter().map(|cell| stored(column, cell, dialect)).collect::<Result<Vec<_>, _>>()?;
        if column.column_type == ColumnType::Json {
            let documents = cells.iter().map(document).collect::<Result<Vec<_>, _>>()?;
            let documents: Vec<Option<Document>> =
                documents.into_iter().map(|one| one.map(|json| json.to_value())).collect();
            if documents.iter().flatten().any(|one| !compares_in_sql(one, dialect)) {
                self.rest.push(Rest { at, any: documents });
                return Ok(());
            }
        }
        let name = table.column_sql(at);
        let nulls = values.len();
        let mut values: Vec<Value<'w>> = values.into_iter().filter(|value| !value.is_null()).collect();
        let is_null = (nulls > values.len()).then(|| format!("{name} IS NULL"));
        // Of few lengths, so that as few statements are prepared.
        if let Some(last) = values.last().cloned() {
            values.resize(values.len().next_power_of_two(), last);
        }
        let first = self.params.len() + 1;
        let marks: Vec<String> = (first..first + values.len()).map(|n| format!("${n}")).collect();
        self.params.extend(values);
        let is_one = match marks.as_slice() {
            [] => None,
            [one] => Some(format!("{name} = {one}")),
            some => Some(format!("{name} IN ({})", some.join(", "))),
        };
        let any: Vec<String> = is_one.into_iter().chain(is_null).collect();
        self.conditions.push(if any.is_empty() { "1 = 0".to_owned() } else { format!("({})", any.join(" OR ")) });
        Ok(())
    }

    /// The SQL of it; `WHERE` included, unless every row passes.
    pub(super) fn sql(&self) -> String {
        if self.conditions.is_empty() { String::new() } else { format!(" WHERE {}", self.conditions.join(" AND ")) }
    }

    /// Whether the SQL lets rows through that do not pass.
    pub(super) fn has_rest(&self) -> bool {
        !self.rest.is_empty()
    }

    /// Whether a row that the SQL lets through passes.
    pub(super) fn passes(&self, table: &Table, row: &Cells) -> bool {
        self.rest.iter().all(|Rest { at, any }| {
            let there = match row.get(&table.column(*at).name) {
                Some(Cell::Json(json)) => Some(json.to_value()),
                _ => None,
            };
            any.iter().any(|one| match (one, &there) {
                (Some(one), Some(there)) => equal(one, there),
                (one, there) => one.is_none() && there.is_none(),
            })
        })
    }
}

fn cells(test: &Test) -> &[Cell] {
    match test {
        Test::Is(cell) => std::slice::from_ref(cell),
        Test::In(cells) => cells,
    }
}

/// `1` and `1.0` are equal in filters (DESIGN.md §3 "JSON"): in SQLite's text they are not, and in jsonb as long as they are
/// not too large for a double.
fn compares_in_sql(document: &Document, dialect: Dialect) -> bool {
    match document {
        Document::Number(number) => {
            dialect == Dialect::Postgres && number.as_f64().is_some_and(|number| number.abs() < EXACT)
        }
        Document::Array(items) => items.iter().all(|item| compares_in_sql(item, dialect)),
        Document::Object(members) => members.values().all(|member| compares_in_sql(member, dialect)),
        _ => true,
    }
}

/// `invalid_argument`: the name was not checked, so it is not shown.
pub(super) fn no_column(what: &str, table: &Table) -> Error {
    let columns: Vec<&str> = table.schema.columns.iter().map(|column| column.name.as_str()).collect();
    let (name, columns) = (&table.schema.name, columns.join(", "));
    Error::invalid(format!("{what} names a column that the table {name} does not have; it has {columns}"))
}
