//! PostgreSQL: the rows of one statement, a column a parameter.

use super::binds::Binds;
use crate::db::Value;

/// The columns that are given to a statement: arrays, and what is the same in all rows.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) binds: Binds<'static>,
    arrays: Vec<String>,
}

impl Columns {
    /// Adds a column of so many rows; the SQL of its value in a row of `given`.
    pub(super) fn add(&mut self, kind: &str, mut values: Vec<Value<'_>>) -> String {
        match values.iter().is_sorted_by(|a, b| a == b) {
            true => format!("{}::{kind}", self.binds.add(values.pop().unwrap_or(Value::Null).into_owned())),
            false => self.array(kind, values),
        }
    }

    /// The same, of rows that differ.
    pub(super) fn array(&mut self, kind: &str, values: Vec<Value<'_>>) -> String {
        let values = values.into_iter().map(Value::into_owned).collect();
        // Of JSON the text is sent, which an array need not quote.
        let (sent, cast) = if kind == "jsonb" { ("text", "::jsonb") } else { (kind, "") };
        self.arrays.push(format!("{}::{sent}[]", self.binds.add(Value::Array(values))));
        format!("c{}{cast}", self.arrays.len())
    }

    /// The table expression of those rows.
    pub(super) fn given(&self) -> String {
        let names: Vec<String> = (1..=self.arrays.len()).map(|n| format!("c{n}")).collect();
        format!("SELECT * FROM unnest({}) AS given ({})", self.arrays.join(", "), names.join(", "))
    }
}
