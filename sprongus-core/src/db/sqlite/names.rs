//! The names of the columns of a connection's own statements.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Statement;

/// As many as statements are kept prepared.
const MOST: usize = 256;

/// The names by the text of the statement: copied out of SQLite for every call, those of a run took longer than its values.
///
/// Not for a host's statements, whose `*` may come to mean other columns.
#[derive(Default)]
pub(super) struct Names(HashMap<Box<str>, Arc<[String]>>);

impl Names {
    pub(super) fn of(&mut self, sql: &str, statement: &Statement<'_>) -> Arc<[String]> {
        if let Some(known) = self.0.get(sql).filter(|known| known.len() == statement.column_count()) {
            return known.clone();
        }
        if self.0.len() >= MOST {
            self.0.clear();
        }
        let names = read(statement);
        self.0.insert(sql.into(), names.clone());
        names
    }
}

/// The names as SQLite has them now.
pub(super) fn read(statement: &Statement<'_>) -> Arc<[String]> {
    statement.column_names().map(str::to_owned).collect()
}
