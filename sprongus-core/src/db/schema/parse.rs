//! Reads the statements that make a schema: those of the migrations, and those that SQLite keeps.

use super::gist;
use super::{Column, Constraint, Index, Schema, Table, View};
use crate::db::Dialect;

/// Words that end a column's type.
const AFTER_TYPE: [&str; 8] = ["CHECK", "COLLATE", "DEFAULT", "GENERATED", "NOT", "PRIMARY", "REFERENCES", "UNIQUE"];

impl Schema {
    /// What a statement makes or takes away. Those of other kinds (rows) leave everything as it is.
    pub(super) fn take(&mut self, statement: &str) {
        let words: Vec<&str> = statement.split_whitespace().collect();
        let sql = words.join(" ");
        match words.as_slice() {
            ["CREATE", "TABLE", "IF", "NOT", "EXISTS", name, ..] | ["CREATE", "TABLE", name, ..] => {
                self.tables.insert(bare(name), table(&sql));
            }
            ["CREATE", "VIEW", name, ..] => {
                let shown = sql.split_once(" AS ").map_or("", |(_, shown)| shown);
                self.views.insert(bare(name), View { gist: gist::set(shown), sql: sql.clone() });
            }
            ["CREATE", "UNIQUE", "INDEX", name, ..] | ["CREATE", "INDEX", name, ..] => {
                self.indexes.insert(bare(name), index(&sql));
            }
            ["CREATE", "SEQUENCE", name, ..] => drop(self.sequences.insert(bare(name), sql)),
            ["CREATE", "TRIGGER", name, rest @ ..] => {
                let table = rest.iter().skip_while(|word| **word != "ON").nth(1);
                self.triggers.insert(bare(name), table.map(|table| bare(table)).unwrap_or_default());
            }
            ["ALTER", "TABLE", name, "ADD", rest @ ..] => {
                let table = self.tables.entry(bare(name)).or_default();
                table.add(rest.join(" ").trim_start_matches("COLUMN "));
                table.sql.push(sql);
            }
            ["DROP", "INDEX", name] => drop(self.indexes.remove(&bare(name))),
            ["DROP", "TABLE", name] => {
                self.tables.remove(&bare(name));
                self.indexes.retain(|_, index| index.table != bare(name));
            }
            ["DROP", "VIEW", name] => drop(self.views.remove(&bare(name))),
            _ => {}
        }
    }

    /// What follows from all statements together: on PostgreSQL the columns of a primary key are not null.
    pub(super) fn settle(&mut self, dialect: Dialect) {
        for table in self.tables.values_mut().filter(|_| dialect == Dialect::Postgres) {
            let keys: Vec<&str> = table.constraints.keys().filter_map(|key| key.strip_prefix("primary key ")).collect();
            let key: Vec<String> = keys.iter().flat_map(|key| key.split(' ')).map(str::to_owned).collect();
            table.columns.iter_mut().for_each(|column| column.not_null |= key.contains(&column.name));
        }
    }
}

impl Table {
    /// Adds a column or a constraint, as it stands in the table's parentheses.
    fn add(&mut self, definition: &str) {
        if is_constraint(definition) {
            return self.constrain(definition);
        }
        let mut words = definition.split_whitespace();
        let name = words.next().map(bare).unwrap_or_default();
        let kind: Vec<&str> = words.take_while(|word| !AFTER_TYPE.contains(word)).collect();
        let identity = definition.contains(" GENERATED ");
        if definition.contains(" PRIMARY KEY") {
            self.constrain(&format!("PRIMARY KEY ({name})"));
        }
        if definition.contains(" UNIQUE") {
            self.constrain(&format!("UNIQUE ({name})"));
        }
        if let Some(at) = definition.find("CHECK (") {
            self.constrain(&definition[at..]);
        }
        self.columns.push(Column {
            name,
            kind: kind_of(&kind.join(" ")),
            not_null: identity || definition.contains(" NOT NULL"),
            filled: identity || definition.contains(" DEFAULT "),
            by_code_point: definition.contains("COLLATE \"C\""),
            definition: definition.to_owned(),
        });
    }

    /// Adds a constraint.
    pub(super) fn constrain(&mut self, definition: &str) {
        let (key, name) = (constraint(definition), None);
        self.constraints.insert(key, Constraint { name, definition: definition.to_owned() });
    }
}

/// What a constraint says: of keys the columns in their order, of a check what it holds against what.
pub(super) fn constraint(definition: &str) -> String {
    match definition.strip_prefix("CHECK") {
        Some(check) => format!("check {}", gist::set(check)),
        None => gist::tokens(definition).join(" "),
    }
}

/// The SQL without what follows `--` on a line.
pub(super) fn without_comments(sql: &str) -> String {
    let code: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap_or(line)).collect();
    code.join("\n")
}

pub(super) fn index(sql: &str) -> Index {
    let (head, rest) = sql.split_once('(').unwrap_or((sql, ""));
    let table = head.split(" ON ").nth(1).and_then(|on| on.split_whitespace().next()).map(bare).unwrap_or_default();
    // The rows of a partial index: their WHERE is the last word of its kind.
    let (columns, rows) = rest.rsplit_once(" WHERE ").unwrap_or((rest, ""));
    let columns = columns.trim_end().strip_suffix(')').unwrap_or(columns);
    let columns: Vec<String> = parts(columns).into_iter().map(|part| gist::tokens(part).join(" ")).collect();
    let unique = head.contains(" UNIQUE ");
    let gist = format!("{unique} {table} ({}) {}", columns.join(", "), gist::set(rows));
    Index { table, unique, valid: true, gist, sql: sql.to_owned() }
}

fn table(sql: &str) -> Table {
    let mut table = Table { sql: vec![sql.to_owned()], ..Table::default() };
    let body = sql.split_once('(').map_or("", |(_, body)| body);
    let (body, options) = body.rsplit_once(')').unwrap_or((body, ""));
    parts(body).into_iter().map(str::trim).filter(|part| !part.is_empty()).for_each(|part| table.add(part));
    if !options.trim().is_empty() {
        table.constrain(options.trim());
    }
    table
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

fn is_constraint(definition: &str) -> bool {
    let name = definition.split_whitespace().next().unwrap_or_default();
    ["PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "CONSTRAINT", "EXCLUDE"]
        .iter()
        .any(|word| name.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('(')))
}

/// The type as PostgreSQL shows it.
fn kind_of(kind: &str) -> String {
    match kind {
        "TIMESTAMPTZ" => "timestamp with time zone".to_owned(),
        kind => kind.to_ascii_lowercase(),
    }
}

/// A name without quotes, schema, and what stands right behind it.
fn bare(name: &str) -> String {
    let name = name.split('(').next().unwrap_or(name);
    name.rsplit('.').next().unwrap_or(name).trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::expected;
    use super::*;

    fn of(statements: &[&str]) -> Schema {
        let mut schema = Schema::default();
        statements.iter().for_each(|one| schema.take(one));
        schema
    }

    #[test]
    fn names_what_is_left_in_the_end() {
        let found = of(&[
            "CREATE TABLE t (a TEXT COLLATE \"C\" NOT NULL CHECK (a IN ('x', 'y')), b INTEGER DEFAULT 1, PRIMARY KEY (a, b), UNIQUE (b)) STRICT",
            "CREATE TABLE gone (a TEXT)",
            "CREATE INDEX i ON t (a) WHERE b = 1",
            "CREATE UNIQUE INDEX u ON t (b)",
            "CREATE INDEX old ON gone (a)",
            "ALTER TABLE t ADD COLUMN c TIMESTAMPTZ",
            "DROP INDEX i",
            "DROP TABLE gone",
        ]);
        let column = |at: usize| {
            let column = &found.tables["t"].columns[at];
            (column.name.as_str(), column.kind.as_str(), column.not_null, column.filled, column.by_code_point)
        };
        assert_eq!(column(0), ("a", "text", true, false, true));
        assert_eq!(column(1), ("b", "integer", false, true, false));
        assert_eq!(column(2), ("c", "timestamp with time zone", false, false, false));
        let constraints: Vec<&String> = found.tables["t"].constraints.keys().collect();
        assert_eq!(constraints, ["check 'x' 'y' a", "primary key a b", "strict", "unique b"]);
        assert_eq!(found.indexes.keys().collect::<Vec<_>>(), ["u"]);
        assert!(found.indexes["u"].unique && found.tables.len() == 1);
    }

    #[test]
    fn an_index_is_the_same_in_other_words() {
        let ours = index("CREATE INDEX i ON t (a DESC, (b || 'x'), c) WHERE b IN ('x', 'y') AND NOT a");
        let theirs = "CREATE INDEX i ON p.t USING btree (a DESC, ((b || 'x'::text)), c) WHERE ((b = ANY (ARRAY['x'::text, 'y'::text])) AND (NOT a))";
        assert_eq!(ours.gist, index(theirs).gist);
        for other in [
            "CREATE INDEX i ON t (a DESC, (b || 'x'), c)",
            "CREATE INDEX i ON t (a, (b || 'x'), c) WHERE b IN ('x', 'y') AND NOT a",
            "CREATE UNIQUE INDEX i ON t (a DESC, (b || 'x'), c) WHERE b IN ('x', 'y') AND NOT a",
            "CREATE INDEX i ON t (c, (b || 'x'), a DESC) WHERE b IN ('x', 'y') AND NOT a",
        ] {
            assert_ne!(ours.gist, index(other).gist, "{other}");
        }
    }

    #[test]
    fn both_databases_have_the_same_tables() {
        let (sqlite, postgres) = (expected(Dialect::Sqlite), expected(Dialect::Postgres));
        assert!(sqlite.tables.len() >= 15 && sqlite.indexes.len() > 20);
        let shared = sqlite.tables.keys().filter(|name| postgres.tables.contains_key(*name)).count();
        assert!(shared >= 15, "{shared}");
        assert!(
            postgres.tables["sprongus_aux_entries"]
                .columns
                .iter()
                .any(|column| column.name == "id" && column.by_code_point && column.not_null)
        );
    }
}
