//! What has to be done before the rows of a project that is deleted are removed.

use std::collections::BTreeSet;

use crate::db::{Dialect, Executor, Value};
use crate::error::Result;
use crate::presets::lock_table;
use crate::session::Work;

/// Holds the writers of a project's tables off until the transaction ends, those of single entries and of many alike: whoever
/// was at it is waited for. False where all that there are were `held` before. SQLite has one writer anyway.
pub(crate) fn hold_project(work: &mut Work<'_>, project: &str, held: &mut BTreeSet<String>) -> Result<bool> {
    if work.dialect() == Dialect::Sqlite {
        return Ok(false);
    }
    let before = held.len();
    for table in tables(work.exec(), project)? {
        if held.insert(table.clone()) {
            lock_table(work, project, &table, true)?;
        }
    }
    Ok(held.len() > before)
}

/// The tables that hold entries, or what entries were, from one to the next by the key.
fn tables(exec: &mut dyn Executor, project: &str) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for of in ["sprongus_aux_entries", "sprongus_aux_versions"] {
        let next = format!(
            "SELECT table_name FROM {of} WHERE project_id = $1 AND table_name > $2 ORDER BY table_name LIMIT 1"
        );
        let mut table = String::new();
        while let Some(row) = exec.query(&next, &[project.into(), table.as_str().into()])?.first() {
            table = row.text(0)?;
            found.insert(table.clone());
        }
    }
    Ok(found)
}

/// SQLite: takes the texts of a project's entries out of the full-text table, where there is one; it has no column for the
/// project.
pub(crate) fn forget_texts(exec: &mut dyn Executor, project: &str) -> Result<()> {
    let there = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'sprongus_search'";
    if exec.dialect() == Dialect::Postgres || exec.query(there, &[])?.is_empty() {
        return Ok(());
    }
    let sql = "DELETE FROM sprongus_search WHERE rowid IN (SELECT t.number FROM sprongus_search_tables s \
               JOIN sprongus_search_texts t ON t.table_number = s.number WHERE s.project_id = $1)";
    exec.execute(sql, &[Value::from(project)]).map(drop)
}
