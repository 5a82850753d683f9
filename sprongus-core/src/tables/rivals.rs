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

/// Rows that one statement asks for: SQLite's expressions are at most 1,000 deep.
const AT_ONCE: usize = 400;

impl Tables<'_> {
    /// What a row that is there has in common with a row that is to be.
    pub(super) fn rival_of<'t>(&self, table: &'t Table, values: &[Value<'_>]) -> Result<Option<&'t [usize]>> {
        for unique in &table.uniques {
            if self.any(table, unique, &mut std::iter::once(values))? {
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
        for (number, rows) in rows.chunks(AT_ONCE).enumerate() {
            let mut there = false;
            for unique in &table.uniques {
                there = there || self.any(table, unique, &mut rows.iter().map(|row| row.values.as_slice()))?;
            }
            for (at, row) in rows.iter().enumerate() {
                let before = table.uniques.iter().find(|unique| {
                    key(unique, &row.values).is_some_and(|values| !seen.insert(format!("{unique:?} {values:?}")))
                });
                let rival = if there { self.rival_of(table, &row.values)? } else { None };
                let met = |unique: &&Vec<usize>| Some(*unique) == before || rival == Some(unique.as_slice());
                if let Some(first) = table.uniques.iter().find(met) {
                    return Ok(Some((number * AT_ONCE + at, first)));
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
            let (name, id, current) = (table.sql(), table.key_sql(), table.current());
            let sql = format!(
                "SELECT 1 FROM {name} AS own JOIN {name} AS other ON other.{id} <> own.{id} AND {} \
                 WHERE own.{id} = $1 AND {current} LIMIT 1",
                equal.join(" AND ")
            );
            if !self.session.read(|exec| exec.query(&sql, &params))?.is_empty() {
                return Ok(Some(unique));
            }
        }
        Ok(None)
    }

    /// Whether a row that is there has that in common with one of those.
    fn any<'v>(
        &self,
        table: &Table,
        unique: &[usize],
        rows: &mut dyn Iterator<Item = &'v [Value<'v>]>,
    ) -> Result<bool> {
        let dialect = self.session.core().dialect();
        let (mut params, mut conditions) = (Vec::new(), Vec::new());
        for values in rows.filter_map(|values| key(unique, values)) {
            let equal = unique.iter().zip(values).map(|(at, value)| {
                params.push(value.clone());
                (*at, table.identity(*at, &format!("${}", params.len()), dialect))
            });
            conditions.push(equal.collect::<Vec<_>>());
        }
        let own = |at: &usize| table.identity(*at, &table.column_sql(*at), dialect);
        let condition = match unique {
            _ if conditions.is_empty() => return Ok(false),
            // Both databases look up many values of one column faster than they read many conditions.
            [at] => {
                let marks: Vec<String> = conditions.into_iter().flatten().map(|(_, mark)| mark).collect();
                format!("{} IN ({})", own(at), marks.join(", "))
            }
            _ => {
                let all = conditions.iter().map(|equal| {
                    let equal: Vec<String> = equal.iter().map(|(at, mark)| format!("{} = {mark}", own(at))).collect();
                    format!("({})", equal.join(" AND "))
                });
                all.collect::<Vec<_>>().join(" OR ")
            }
        };
        let sql = format!("SELECT 1 FROM {} WHERE ({condition}) AND {} LIMIT 1", table.sql(), table.current());
        Ok(!self.session.read(|exec| exec.query(&sql, &params))?.is_empty())
    }
}

/// The values that no two rows may have in common; none where one is null, or not known yet.
fn key<'v>(unique: &[usize], values: &'v [Value<'v>]) -> Option<Vec<&'v Value<'v>>> {
    let key: Vec<_> = unique.iter().map(|at| &values[*at]).collect();
    (!key.iter().any(|value| value.is_null())).then_some(key)
}

impl Table {
    /// `conflict`: another row has those values. `row` where there were several, from 0.
    pub(super) fn conflict(&self, unique: &[usize], row: Option<usize>) -> Error {
        let columns: Vec<&str> = unique.iter().map(|at| self.column(*at).name.as_str()).collect();
        let (name, named) = (&self.schema.name, columns.join(", "));
        let message = match columns.len() {
            1 => format!("another row of {name} has this value of {named}"),
            _ => format!("another row of {name} has these values of {named}, taken together"),
        };
        let mut violation = Violation::new(pointer(columns.iter().copied().take(1)), "unique", message);
        violation.row = row.and_then(|row| u64::try_from(row + 1).ok());
        let details = json!({ "table": self.schema.name, "columns": columns, "errors": [violation] });
        Error::violations(ErrorCode::Conflict, vec![violation]).with_details(details)
    }
}
