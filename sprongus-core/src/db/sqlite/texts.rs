//! What is known of a connection's own statements by their text.

use std::sync::Arc;

use hashbrown::HashMap;
use rusqlite::Statement;

/// As many statements as are kept prepared.
pub(super) const MOST: usize = 256;

/// Asked of SQLite for every call, the names of a run's columns and of its parameters took longer than its values.
#[derive(Default)]
pub(super) struct Texts(HashMap<String, Text>);

/// One text: however often it is prepared, its parameters are the same.
pub(super) struct Text {
    parameters: Arc<[Option<usize>]>,
    columns: Option<Arc<[String]>>,
}

impl Texts {
    pub(super) fn of(&mut self, sql: &str, statement: &Statement<'_>) -> &mut Text {
        if self.0.len() >= MOST && !self.0.contains_key(sql) {
            self.0.clear();
        }
        self.0.entry_ref(sql).or_insert_with(|| Text { parameters: parameters(statement), columns: None })
    }
}

impl Text {
    /// See [`parameters`].
    pub(super) fn parameters(&self) -> &[Option<usize>] {
        &self.parameters
    }

    /// The names of its columns. Not for a host's statement, whose `*` may come to mean other columns.
    pub(super) fn columns(&mut self, statement: &Statement<'_>) -> Arc<[String]> {
        match &self.columns {
            Some(known) if known.len() == statement.column_count() => known.clone(),
            _ => self.columns.insert(columns(statement)).clone(),
        }
    }
}

/// Which of the values each parameter takes, from 0, in SQLite's order: it numbers `$n` by first appearance, not by n.
/// None where it is written in another way.
pub(super) fn parameters(statement: &Statement<'_>) -> Arc<[Option<usize>]> {
    let number = |index| statement.parameter_name(index)?.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(1);
    (1..=statement.parameter_count()).map(number).collect()
}

/// The names of the columns as SQLite has them now.
pub(super) fn columns(statement: &Statement<'_>) -> Arc<[String]> {
    statement.column_names().map(str::to_owned).collect()
}
