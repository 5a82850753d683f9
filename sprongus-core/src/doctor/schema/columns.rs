//! Columns and constraints of a table that is there.

use super::{BY_HAND, Compared, drift};
use crate::db::{Dialect, Table};
use crate::doctor::Finding;

impl Compared {
    pub(super) fn columns(&self, table: &str, expected: &Table, there: &Table) -> Vec<Finding> {
        let mut findings = Vec::new();
        for column in &expected.columns {
            let (name, kind) = (&column.name, &column.kind);
            let Some(found) = there.columns.iter().find(|found| found.name == *name) else {
                let fix = match column.filled || !column.not_null {
                    true => format!("ALTER TABLE {table} ADD COLUMN {}", column.definition),
                    false => BY_HAND.to_owned(),
                };
                findings.push(drift(format!("the column {name} of {table} is missing"), fix));
                continue;
            };
            let alter = |how: String| self.alter(table, &format!("ALTER COLUMN {name} {how}"));
            let collation = if column.by_code_point { " COLLATE \"C\"" } else { "" };
            let retype = || alter(format!("TYPE {kind}{collation} USING {name}::{kind}"));
            if found.kind != *kind {
                let message = format!("the column {name} of {table} is {}, not {kind}", found.kind);
                findings.push(drift(message, retype()));
            } else if column.by_code_point && !found.by_code_point && self.dialect == Dialect::Postgres {
                let message = format!(
                    "{table}.{name} is not ordered by code point: lists and pages come in another order, or skip"
                );
                findings.push(Finding::error("wrong_collation", message, retype()));
            }
            if found.not_null != column.not_null {
                let (must, how) = if column.not_null { ("be", "SET") } else { ("not be", "DROP") };
                let message = format!("the column {name} of {table} should {must} NOT NULL");
                findings.push(drift(message, alter(format!("{how} NOT NULL"))));
            }
            if column.filled && !found.filled {
                let default =
                    column.definition.split_once(" DEFAULT ").and_then(|(_, rest)| rest.split_whitespace().next());
                let fix = default.map_or(BY_HAND.to_owned(), |default| alter(format!("SET DEFAULT {default}")));
                findings.push(drift(format!("the column {name} of {table} has lost its default"), fix));
            }
        }
        let lost = expected.constraints.iter().filter(|(gist, _)| !there.constraints.contains_key(*gist));
        findings.extend(lost.map(|(_, constraint)| {
            let definition = &constraint.definition;
            let fix = self.alter(table, &format!("ADD {definition}"));
            drift(format!("{table} has lost a constraint: {definition}"), fix)
        }));
        findings
    }

    /// PostgreSQL alters a table where it stands, without the views that show it; SQLite does not.
    fn alter(&self, table: &str, how: &str) -> String {
        if self.dialect == Dialect::Sqlite {
            return BY_HAND.to_owned();
        }
        let mut sql = format!("ALTER TABLE {table} {how}");
        let views = self.expected.views.iter().filter(|(name, _)| self.found.views.contains_key(*name));
        for (name, view) in views.filter(|(_, view)| view.sql.contains(table) && how.contains(" TYPE ")) {
            sql = format!("DROP VIEW {name}; {sql}; {}", view.sql);
        }
        sql
    }
}
