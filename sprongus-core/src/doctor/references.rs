//! References that lead to no entry.

use super::bindings::tables;
use super::{Finding, listed};
use crate::aux_store::{links_are_known, version_seen};
use crate::db::Dialect;
use crate::error::{ErrorCode, Result};
use crate::session::Session;

/// References that are looked at, in the order of their key.
const LOOKED_AT: i64 = 100_000;
/// Dangling ones that are counted.
const COUNTED: i64 = 1_000;

pub(super) fn look(session: Session<'_>) -> Result<Vec<Finding>> {
    let mut findings = dangling(session)?;
    findings.extend(unknown(session)?);
    Ok(findings)
}

fn dangling(session: Session<'_>) -> Result<Vec<Finding>> {
    let dialect = session.core().dialect();
    // The scalar subquery asks the key once per reference; as a join PostgreSQL may read all entries.
    let sql = format!(
        "SELECT r.project_id, r.from_table, r.from_id, r.field, r.to_table, r.to_id, \
         (SELECT count(*) FROM (SELECT 1 FROM sprongus_aux_refs LIMIT $1) AS part) FROM (SELECT * FROM sprongus_aux_refs \
         ORDER BY project_id, from_table, from_id, field, to_table, to_id LIMIT $1) AS r \
         WHERE {} IS NULL{} LIMIT $2",
        version_seen(dialect, ["r.project_id", "r.to_table", "r.to_id"]),
        not_under_way(dialect),
    );
    let rows = session.read(|exec| exec.query(&sql, &[LOOKED_AT.into(), COUNTED.into()]))?;
    let mut dangling = Vec::new();
    for row in &rows {
        let (project, table, id) = (row.text(0)?, row.text(1)?, row.text(2)?);
        let (field, to_table, to_id) = (row.text(3)?, row.text(4)?, row.text(5)?);
        dangling.push(format!("{field} of {table} {id} (project {project}) to {to_table} {to_id}"));
    }
    let Some(first) = rows.first() else { return Ok(Vec::new()) };
    let more = if rows.len() as i64 == COUNTED { "at least " } else { "" };
    let all = if first.int(6)? == LOOKED_AT { format!(" among the first {LOOKED_AT}") } else { String::new() };
    let message = format!("{more}{} references lead to no entry{all}: {}", dangling.len(), listed(&dangling));
    let fix = "create or restore the entries, or take the ids out of those that refer to them";
    Ok(vec![Finding::warning("dangling_refs", message, fix)])
}

/// What a bulk write under way refers to may be made by it too.
fn not_under_way(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "",
        Dialect::Sqlite => {
            " AND NOT EXISTS (SELECT 1 FROM sprongus_aux_entries e WHERE e.project_id = r.project_id \
             AND e.table_name = r.from_table AND e.id = r.from_id AND e.batch IN (SELECT id FROM sprongus_aux_batches))"
        }
    }
}

/// Tables bound since to a preset that refers to others: their references are made by the next write, and not seen before.
fn unknown(session: Session<'_>) -> Result<Vec<Finding>> {
    let unknown = session.read_snapshot(|exec| {
        let mut unknown = Vec::new();
        for (project, table) in tables(exec)? {
            match links_are_known(session, exec, &project, &table) {
                Ok(true) => {}
                Ok(false) => unknown.push(format!("{table} of the project {project}")),
                // Without a preset it has no references; that is another finding.
                Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::Corrupt) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(unknown)
    })?;
    if unknown.is_empty() {
        return Ok(Vec::new());
    }
    let message =
        format!("references were not looked at in tables bound anew and not written since: {}", listed(&unknown));
    Ok(vec![Finding::advice("references_not_made", message, "write an entry of the table, then ask again")])
}
