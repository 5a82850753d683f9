//! What the migrations make of an empty database, read out of their SQL: tables, columns and indexes by name.

use std::collections::BTreeMap;

use super::Dialect;
use super::migrate::migrations;

/// The tables and indexes of a current schema.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Views among them, without their columns.
    pub(crate) tables: BTreeMap<String, Vec<Column>>,
    pub(crate) indexes: BTreeMap<String, Index>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Whether its text is ordered by code point (`COLLATE "C"`), which PostgreSQL has to be told.
    pub(crate) by_code_point: bool,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) table: String,
    pub(crate) unique: bool,
    pub(crate) partial: bool,
    /// What makes it.
    pub(crate) sql: String,
}

/// What the migrations of that database make.
pub(crate) fn expected(dialect: Dialect) -> Expected {
    let mut expected = Expected::default();
    for sql in migrations(dialect) {
        let code: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap_or(line)).collect();
        for statement in code.join("\n").split(';') {
            expected.take(&statement.split_whitespace().collect::<Vec<_>>());
        }
    }
    expected
}

impl Expected {
    /// Statements of other kinds (triggers, functions, rows) leave names and columns as they are.
    fn take(&mut self, words: &[&str]) {
        match words {
            ["CREATE", "TABLE", name, rest @ ..] => {
                let body = rest.join(" ");
                let body = body.trim_start_matches('(').rsplit_once(')').map_or("", |(body, _)| body);
                self.tables.insert((*name).to_owned(), parts(body).into_iter().filter_map(column).collect());
            }
            // Of a view the name is enough: it is made whole or not at all.
            ["CREATE", "VIEW", name, ..] => drop(self.tables.insert((*name).to_owned(), Vec::new())),
            ["CREATE", "UNIQUE", "INDEX", name, "ON", table, ..] => self.index(name, table, true, words),
            ["CREATE", "INDEX", name, "ON", table, ..] => self.index(name, table, false, words),
            ["ALTER", "TABLE", table, "ADD", "COLUMN", rest @ ..] => {
                let columns = self.tables.entry((*table).to_owned()).or_default();
                columns.extend(column(&rest.join(" ")));
            }
            ["DROP", "INDEX", name] => drop(self.indexes.remove(*name)),
            ["DROP", "TABLE" | "VIEW", name] => {
                self.tables.remove(*name);
                self.indexes.retain(|_, index| index.table != *name);
            }
            _ => {}
        }
    }

    fn index(&mut self, name: &str, table: &str, unique: bool, words: &[&str]) {
        let table = table.split('(').next().unwrap_or(table).to_owned();
        let index = Index { table, unique, partial: words.contains(&"WHERE"), sql: words.join(" ") };
        self.indexes.insert(name.to_owned(), index);
    }
}

/// Splits at the commas that stand in no parentheses.
fn parts(body: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0_usize, 0, Vec::new());
    for (at, char) in body.char_indices() {
        match char {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&body[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&body[from..]);
    parts
}

/// A column's definition; none for a constraint of the table.
fn column(definition: &str) -> Option<Column> {
    let name = definition.split_whitespace().next()?;
    let constraint = ["PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "CONSTRAINT", "EXCLUDE"]
        .iter()
        .any(|word| name.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('(')));
    let by_code_point = definition.contains("COLLATE \"C\"");
    (!constraint).then(|| Column { name: name.to_owned(), by_code_point })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(statements: &[&str]) -> Expected {
        let mut expected = Expected::default();
        statements.iter().for_each(|one| expected.take(&one.split_whitespace().collect::<Vec<_>>()));
        expected
    }

    #[test]
    fn names_what_is_left_in_the_end() {
        let found = of(&[
            "CREATE TABLE t (a TEXT COLLATE \"C\" NOT NULL CHECK (a IN ('x', 'y')), b INTEGER, PRIMARY KEY (a, b), UNIQUE (b)) STRICT",
            "CREATE TABLE gone (a TEXT)",
            "CREATE INDEX i ON t (a) WHERE b = 1",
            "CREATE UNIQUE INDEX u ON t (b)",
            "CREATE INDEX old ON gone (a)",
            "ALTER TABLE t ADD COLUMN c TEXT",
            "DROP INDEX i",
            "DROP TABLE gone",
        ]);
        let column = |name: &str, by_code_point| Column { name: name.to_owned(), by_code_point };
        assert_eq!(found.tables["t"], [column("a", true), column("b", false), column("c", false)]);
        assert_eq!(found.indexes.keys().collect::<Vec<_>>(), ["u"]);
        assert!(found.indexes["u"].unique && !found.indexes["u"].partial && found.tables.len() == 1);
    }

    #[test]
    fn both_databases_have_the_same_tables() {
        let (sqlite, postgres) = (expected(Dialect::Sqlite), expected(Dialect::Postgres));
        assert!(sqlite.tables.len() >= 15 && sqlite.indexes.len() > 20);
        let shared = sqlite.tables.keys().filter(|name| postgres.tables.contains_key(*name)).count();
        assert!(shared >= 15, "{shared}");
        assert!(
            postgres.tables["sprongus_aux_entries"].iter().any(|column| column.name == "id" && column.by_code_point)
        );
    }
}
