//! A row that is to be: its cells judged, and put in the order of the columns.

use super::model::{ColumnType, Constraint};
use super::row::Cells;
use super::table::Table;
use super::value::{id_of, size, stored};
use crate::db::{Dialect, Value};
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::json::pointer::pointer;

/// A row as it is stored, column by column.
pub(super) struct NewRow<'c> {
    pub(super) values: Vec<Value<'c>>,
    /// Whether the id was made here, and so is nobody else's.
    pub(super) made: bool,
}

impl NewRow<'_> {
    /// Its primary key as text; none where the database is to number it.
    pub(super) fn id(&self, table: &Table) -> Option<String> {
        id_of(&self.values[table.key])
    }
}

/// Columns by their positions, and what is to stand there.
pub(super) type Changes<'c> = Vec<(usize, Value<'c>)>;

impl Table {
    /// Judges a row that is to be inserted; all that is wrong with it. `new_id` makes its primary key where it is to have one.
    pub(super) fn new_row<'c>(
        &self,
        cells: &'c Cells,
        dialect: Dialect,
        new_id: impl FnOnce() -> String,
    ) -> Result<NewRow<'c>, Vec<Violation>> {
        let (judged, mut violations) = self.judged(cells, dialect);
        let mut values = vec![Value::Null; self.schema.columns.len()];
        for (at, value) in judged {
            values[at] = value;
        }
        let made = values[self.key].is_null() && self.column(self.key).column_type == ColumnType::Text;
        if made {
            values[self.key] = new_id().into();
        }
        for (at, value) in values.iter().enumerate() {
            let numbered = at == self.key && self.is_numbered();
            if value.is_null() && self.is_required(at) && !numbered {
                self.require(at, &mut violations);
            }
        }
        if violations.is_empty() { Ok(NewRow { values, made }) } else { Err(violations) }
    }

    /// Judges what is to change of a row; all that is wrong with it.
    pub(super) fn changes<'c>(&self, cells: &'c Cells, dialect: Dialect) -> Result<Changes<'c>, Vec<Violation>> {
        let (judged, mut violations) = self.judged(cells, dialect);
        for (at, _) in judged.iter().filter(|(at, value)| value.is_null() && self.is_required(*at)) {
            self.require(*at, &mut violations);
        }
        if violations.is_empty() { Ok(judged) } else { Err(violations) }
    }

    /// Each cell by itself.
    fn judged<'c>(&self, cells: &'c Cells, dialect: Dialect) -> (Changes<'c>, Vec<Violation>) {
        let (mut judged, mut violations) = (Changes::with_capacity(cells.len()), Vec::new());
        // Rows mostly come in the order of the columns.
        let mut expected = 0;
        for (name, cell) in cells.iter() {
            let at = self.position(name, expected);
            expected = at.map_or(expected, |at| at + 1);
            match at.ok_or_else(|| self.unknown()).and_then(|at| self.judge(at, cell, &judged, dialect)) {
                Ok(one) => judged.push(one),
                Err((keyword, message)) => violations.push(Violation::new(pointer([name]), keyword, message)),
            }
        }
        (judged, violations)
    }

    fn unknown(&self) -> (&'static str, String) {
        ("additionalProperties", format!("the table {} has no such column", self.schema.name))
    }

    fn judge<'c>(
        &self,
        at: usize,
        cell: &'c super::Cell,
        before: &Changes<'c>,
        dialect: Dialect,
    ) -> Result<(usize, Value<'c>), (&'static str, String)> {
        if before.iter().any(|(other, _)| *other == at) {
            return Err(("duplicate", "this column is given twice; case makes no difference".to_owned()));
        }
        let value = stored(self.column(at), cell, dialect).map_err(|message| ("type", message))?;
        let (size, limit) = (size(&value), self.limit(at));
        if size > limit {
            let message = format!("{size} bytes are too many for a column of an index; it takes at most {limit} here");
            return Err(("maxBytes", message));
        }
        Ok((at, value))
    }

    fn is_required(&self, at: usize) -> bool {
        at == self.key || self.column(at).is(Constraint::NotNull)
    }

    /// Unless something else is wrong with that column already.
    fn require(&self, at: usize, violations: &mut Vec<Violation>) {
        let path = pointer([self.column(at).name.as_str()]);
        if !violations.iter().any(|one| one.path.eq_ignore_ascii_case(&path)) {
            violations.push(Violation::new(path, "required", "this column takes no null; give it a value"));
        }
    }

    /// Refuses a row that is larger than one content may be (`max_artifact_bytes`).
    pub(super) fn check_size<'v>(
        &self,
        values: impl Iterator<Item = (usize, &'v Value<'v>)>,
        max: usize,
    ) -> Result<()> {
        let (mut total, mut largest) = (0_usize, (0, 0));
        for (at, value) in values {
            let size = size(value);
            total = total.saturating_add(size);
            largest = largest.max((size, at));
        }
        if total <= max {
            return Ok(());
        }
        let name = &self.column(largest.1).name;
        let message = format!("the row has {total} bytes, most of them in {name}; at most {max} are allowed");
        Err(Error::new(ErrorCode::TooLarge, message).with_details(serde_json::json!({ "column": name })))
    }
}
