//! Everything, when asked for: the database's own check of what it stores, and each content against its hash.

use super::{Finding, listed};
use crate::artifacts::damaged_contents;
use crate::db::words::literal;
use crate::db::{Dialect, Executor};
use crate::error::{ErrorCode, Result};
use crate::session::Session;

/// Faults that are told.
const FAULTS: i64 = 20;

/// What the database finds in its own files.
pub(super) fn storage(session: Session<'_>) -> Result<Vec<Finding>> {
    let indexes = match session.core().dialect() {
        Dialect::Sqlite => return session.read(sqlite),
        Dialect::Postgres => session.read(btrees)?,
    };
    let Some(indexes) = indexes else {
        return Ok(vec![Finding::advice(
            "not_looked_at",
            "indexes were not checked: the extension amcheck is not in this database",
            "as a superuser: CREATE EXTENSION amcheck",
        )]);
    };
    let mut findings = Vec::new();
    for (index, check) in indexes {
        // One at a time: the check of a broken one ends in an error.
        match session.read(|exec| exec.query(&check, &[]).map(drop)) {
            Err(error) if matches!(error.code(), ErrorCode::Corrupt | ErrorCode::Storage) => {
                let message = format!("the index {index} does not fit its table: {}", error.message());
                findings.push(Finding::error("damaged", message, format!("REINDEX INDEX {index}")));
            }
            done => done?,
        }
    }
    Ok(findings)
}

fn sqlite(exec: &mut dyn Executor) -> Result<Vec<Finding>> {
    let faults = match exec.query(&format!("PRAGMA integrity_check({FAULTS})"), &[]) {
        // So damaged that it cannot be walked.
        Err(error) if error.code() == ErrorCode::Corrupt => vec![error.message().to_owned()],
        rows => rows?.iter().map(|row| row.text(0)).collect::<Result<_>>()?,
    };
    if faults.iter().all(|fault| fault == "ok") {
        return Ok(Vec::new());
    }
    let of_indexes =
        |fault: &String| fault.contains("missing from index") || fault.contains("wrong # of entries in index");
    let message = format!("the file is damaged: {}", listed(&faults));
    let fix = match faults.iter().all(of_indexes) {
        true => "its tables are whole, and the indexes are made anew from them: REINDEX",
        false => "restore it from a copy; what can be saved of it is saved by the sqlite3 program's .recover",
    };
    Ok(vec![Finding::error("damaged", message, fix)])
}

/// The B-trees of the library's tables, and what checks each.
fn btrees(exec: &mut dyn Executor) -> Result<Option<Vec<(String, String)>>> {
    let place = "SELECT n.nspname::text FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE extname = 'amcheck'";
    let Some(place) = exec.query(place, &[])?.first().map(|row| row.text(0)).transpose()? else { return Ok(None) };
    let sql = "SELECT c.oid::regclass::text FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid \
               JOIN pg_class AS t ON t.oid = i.indrelid JOIN pg_am AS a ON a.oid = c.relam WHERE a.amname = 'btree' AND i.indisvalid \
               AND t.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('sprongus_migrations')) \
               AND starts_with(t.relname::text, 'sprongus_') ORDER BY 1";
    let check = |row: &crate::db::Row| {
        let index = row.text(0)?;
        let check = format!("SELECT \"{place}\".bt_index_check({}::regclass, true)", literal(&index));
        Ok((index, check))
    };
    exec.query(sql, &[])?.iter().map(check).collect::<Result<Vec<_>>>().map(Some)
}

/// Artifacts whose content is not the one that was put.
pub(super) fn contents(session: Session<'_>) -> Result<Vec<Finding>> {
    let damaged = damaged_contents(session)?;
    if damaged.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = damaged.iter().map(|(id, name)| format!("{id} ({name})")).collect();
    let ids: Vec<String> = damaged.iter().map(|(id, _)| literal(id)).collect();
    Ok(vec![Finding::error(
        "corrupt",
        format!("contents of artifacts are not what was put, by their SHA-256: {}", listed(&names)),
        format!(
            "restore them from a copy of the database, or give them up: DELETE FROM sprongus_artifacts WHERE id IN ({})",
            ids.join(", ")
        ),
    )])
}
