//! Tables that hold entries without a preset, and bindings that lead to none.

use std::collections::HashSet;

use super::{Finding, listed};
use crate::db::Executor;
use crate::error::Result;
use crate::presets::Builtin;
use crate::session::Session;

/// Tables of projects that are looked at, one short statement each.
const TABLES: usize = 1_000;
/// Bindings that are read.
const BINDINGS: i64 = 10_000;

pub(super) fn look(session: Session<'_>) -> Result<Vec<Finding>> {
    session.read_snapshot(|exec| {
        let mut findings = missing_presets(exec)?;
        findings.extend(unbound_tables(exec)?);
        Ok(findings)
    })
}

fn missing_presets(exec: &mut dyn Executor) -> Result<Vec<Finding>> {
    let sql = "SELECT b.target, b.name, b.project_id, b.preset_id FROM sprongus_bindings AS b \
               LEFT JOIN sprongus_presets AS p ON p.id = b.preset_id WHERE p.id IS NULL \
               ORDER BY b.target, b.name, b.project_id LIMIT $1";
    let mut lost = Vec::new();
    for row in exec.query(sql, &[BINDINGS.into()])? {
        if Builtin::of_id(&row.text(3)?).is_none() {
            let what = if row.text(0)? == "run" { "runs of the kind" } else { "the table" };
            let project = row.text(2)?;
            let whose = if project.is_empty() { String::new() } else { format!(" in the project {project}") };
            lost.push(format!("{what} {}{whose}", row.text(1)?));
        }
    }
    if lost.is_empty() {
        return Ok(Vec::new());
    }
    let message = format!("the preset bound is gone, so every write fails: {}", listed(&lost));
    Ok(vec![Finding::error("missing_preset", message, "bind another preset (presets.bind, presets.bind_run)")])
}

fn unbound_tables(exec: &mut dyn Executor) -> Result<Vec<Finding>> {
    let sql = "SELECT name, project_id FROM sprongus_bindings WHERE target = 'table' LIMIT $1";
    let mut bound = HashSet::new();
    for row in exec.query(sql, &[BINDINGS.into()])? {
        bound.insert((row.text(0)?, row.text(1)?));
    }
    let is_bound = |project: &str, table: &str| {
        let by = |project: &str| bound.contains(&(table.to_owned(), project.to_owned()));
        Builtin::bound_to(table).is_some() || by("") || by(project)
    };
    let tables = tables(exec)?;
    let unbound = tables.iter().filter(|(project, table)| !is_bound(project, table));
    let unbound: Vec<String> = unbound.map(|(project, table)| format!("{table} of the project {project}")).collect();
    if unbound.is_empty() {
        return Ok(Vec::new());
    }
    let part = if tables.len() == TABLES { format!(" (of the first {TABLES} tables)") } else { String::new() };
    let message = format!("tables hold entries but no preset is bound to them{part}: {}", listed(&unbound));
    Ok(vec![Finding::warning(
        "unbound_table",
        message,
        "bind a preset (presets.bind): they cannot be written until then",
    )])
}

/// The projects and tables that hold entries, in order: the first [`TABLES`] of them. From one to the next by the key,
/// however many entries lie between.
pub(super) fn tables(exec: &mut dyn Executor) -> Result<Vec<(String, String)>> {
    // Two questions, for SQLite seeks a pair by its first alone, and would walk through a project's entries to its next table.
    let in_project = "SELECT project_id, table_name FROM sprongus_aux_entries WHERE project_id = $1 AND table_name > $2 \
                      ORDER BY table_name LIMIT 1";
    let in_next = "SELECT project_id, table_name FROM sprongus_aux_entries WHERE project_id > $1 \
                   ORDER BY project_id, table_name LIMIT 1";
    let mut found: Vec<(String, String)> = Vec::new();
    while found.len() < TABLES {
        let (project, table) = found.last().cloned().unwrap_or_default();
        let mut rows = exec.query(in_project, &[(&project).into(), (&table).into()])?;
        if rows.is_empty() {
            rows = exec.query(in_next, &[(&project).into()])?;
        }
        match rows.first() {
            Some(row) => found.push((row.text(0)?, row.text(1)?)),
            None => break,
        }
    }
    Ok(found)
}
