//! Which of the things that no two rows may have in common stands in the way: looked up only where something does.
//!
//! The databases name different ones where several do; here it is the first, in the order of the schema.

use std::collections::HashSet;

use serde_json::json;

use super::Tables;
use super::new_row::{Changes, NewRow};
use super::table::Table;
use crate::db::Value;
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::json::pointer::pointer;

/// Conditions of one statement: SQLite's expressions are at most 1,000 deep.
const CONDITIONS: usize = 400;

impl Tables<'_> {
    /// What a row that is there has in common with a row that is to be.
    pub(super) fn rival_of<'t>(&self, table: &'t Table, values: &[Value<'_>]) -> Result<Option<&'t [usize]>> {
        for unique in &table.uniques {
            if let Some(condition) = Condition::of(unique, values)
                && self.any(table, &[condition])?
            {
                return Ok(Some(unique));
            }
        }
        Ok(None)
    }

    /// The first of the rows that another has something in common with, one before it or one that is there: which it is,
    /// from 0, and what they have in common.
    pub(super) fn rival_of_any<'t>(
        &self,
        table: &'t Table,
        rows: &[NewRow<'_>],
    ) -> Result<Option<(usize, &'t [usize])>> {
        let mut seen = HashSet::new();
        let at_once = (CONDITIONS / table.uniques.len()).max(1);
        for (number, rows) in rows.chunks(at_once).enumerate() {
            let conditions = rows
                .iter()
                .flat_map(|row| table.uniques.iter().filter_map(|unique| Condition::of(unique, &row.values)));
            let there = self.any(table, &conditions.collect::<Vec<_>>())?;
            for (at, row) in rows.iter().enumerate() {
                let twice = table.uniques.iter().find(|unique| {
                    let values: Vec<_> = unique.iter().map(|at| &row.values[*at]).collect();
                    !values.iter().any(|value| value.is_null()) && !seen.insert(format!("{unique:?} {values:?}"))
                });
                let rival = if there { self.rival_of(table, &row.values)? } else { None };
                // The first in the order of the schema, whichever row it is.
                let first = table
                    .uniques
                    .iter()
                    .find(|unique| Some(*unique) == twice || rival.is_some_and(|rival| rival == unique.as_slice()));
                if let Some(first) = first {
                    return Ok(Some((number * at_once + at, first)));
                }
            }
        }
        Ok(None)
    }

    /// What another row has in common with the row of that key as it would be after the changes.
    pub(super) fn rival_of_change<'t>(
        &self,
        table: &'t Table,
        key: &Value<'_>,
        changes: &Changes<'_>,
    ) -> Result<Option<&'t [usize]>> {
        let dialect = self.session.core().dialect();
        for unique in &table.uniques {
            if !unique.iter().any(|at| changes.iter().any(|(changed, _)| changed == at)) {
                continue;
            }
            let mut params = vec![key.clone()];
            let mut equal = Vec::new();
            for at in unique {
                let column = table.column_sql(*at);
                let other = table.identity(*at, &format!("other.{column}"), dialect);
                let own = match changes.iter().find(|(changed, _)| changed == at) {
                    Some((_, value)) => {
                        params.push(value.clone());
                        format!("${}", params.len())
                    }
                    None => format!("own.{column}"),
                };
                equal.push(format!("{other} = {}", table.identity(*at, &own, dialect)));
            }
            let (name, id) = (table.sql(), table.key_sql());
            let sql = format!(
                "SELECT 1 FROM {name} AS own JOIN {name} AS other ON other.{id} <> own.{id} AND {} WHERE own.{id} = $1 LIMIT 1",
                equal.join(" AND ")
            );
            if !self.session.read(|exec| exec.query(&sql, &params))?.is_empty() {
                return Ok(Some(unique));
            }
        }
        Ok(None)
    }

    /// Whether a row passes one of the conditions.
    fn any(&self, table: &Table, conditions: &[Condition<'_>]) -> Result<bool> {
        if conditions.is_empty() {
            return Ok(false);
        }
        let dialect = self.session.core().dialect();
        let (mut params, mut any) = (Vec::new(), Vec::new());
        for Condition { columns } in conditions {
            let all = columns.iter().map(|(at, value)| {
                params.push((*value).clone());
                let own = table.identity(*at, &table.column_sql(*at), dialect);
                format!("{own} = {}", table.identity(*at, &format!("${}", params.len()), dialect))
            });
            any.push(format!("({})", all.collect::<Vec<_>>().join(" AND ")));
        }
        let sql = format!("SELECT 1 FROM {} WHERE {} LIMIT 1", table.sql(), any.join(" OR "));
        Ok(!self.session.read(|exec| exec.query(&sql, &params))?.is_empty())
    }
}

/// Equal to those values in those columns.
struct Condition<'v> {
    columns: Vec<(usize, &'v Value<'v>)>,
}

impl<'v> Condition<'v> {
    /// None where a value is null, or not known yet: rows never have that in common.
    fn of(unique: &[usize], values: &'v [Value<'v>]) -> Option<Self> {
        let columns: Vec<_> = unique.iter().map(|at| (*at, &values[*at])).collect();
        (!columns.iter().any(|(_, value)| value.is_null())).then_some(Self { columns })
    }
}

impl Table {
    /// `conflict`: another row has those values. `row` where there were several, from 0.
    pub(super) fn conflict(&self, unique: &[usize], row: Option<usize>) -> Error {
        let columns: Vec<&str> = unique.iter().map(|at| self.column(*at).name.as_str()).collect();
        let what = if columns.len() == 1 { "value" } else { "values, taken together," };
        let message = format!("another row of {} has this {what} of {}", self.schema.name, columns.join(", "));
        let mut violation = Violation::new(pointer(columns.iter().copied().take(1)), "unique", message);
        violation.row = row.and_then(|row| u64::try_from(row + 1).ok());
        let details = json!({ "table": self.schema.name, "columns": columns, "errors": [violation] });
        Error::violations(ErrorCode::Conflict, vec![violation]).with_details(details)
    }
}
