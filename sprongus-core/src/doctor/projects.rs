//! Ids of projects that have no record (DESIGN.md §15 "Ids in documents").

use std::collections::BTreeSet;

use super::{Finding, listed};
use crate::db::Executor;
use crate::error::Result;
use crate::session::Session;

/// Projects of one table that are looked at, one short statement each.
const PROJECTS: usize = 1_000;

/// Tables that carry the id of a project, and how it is named where an index has it; '' is none.
const USES: [(&str, &str); 7] = [
    ("sprongus_runs", "project_id"),
    ("sprongus_aux_entries", "project_id"),
    ("sprongus_artifacts", "coalesce(project_id, '')"),
    ("sprongus_schedules", "project_id"),
    ("sprongus_inbox", "project_id"),
    ("sprongus_config", "project_id"),
    ("sprongus_bindings", "project_id"),
];

/// Says nothing where no project has a record: then the host keeps its projects elsewhere, as it may.
pub(super) fn look(session: Session<'_>) -> Result<Vec<Finding>> {
    session.read_snapshot(|exec| {
        if exec.query("SELECT 1 FROM sprongus_projects LIMIT 1", &[])?.is_empty() {
            return Ok(Vec::new());
        }
        let (mut loose, mut part) = (BTreeSet::new(), false);
        for (table, project) in USES {
            let used = projects(exec, table, project)?;
            part |= used.len() == PROJECTS;
            for id in used {
                if !loose.contains(&id) && !has_record(exec, &id)? {
                    loose.insert(id);
                }
            }
        }
        Ok(finding(loose, part))
    })
}

fn finding(loose: BTreeSet<String>, part: bool) -> Vec<Finding> {
    if loose.is_empty() {
        return Vec::new();
    }
    let part = if part { format!(" (of the first {PROJECTS} of each table)") } else { String::new() };
    let loose: Vec<String> = loose.into_iter().collect();
    let message = format!("projects have no record, though others have one{part}: {}", listed(&loose));
    let fix = "create them (projects.create with the id), or delete what carries a misspelt one (projects.delete with cascade)";
    vec![Finding::advice("projects_without_record", message, fix)]
}

/// The projects that rows of a table belong to, from one to the next by the index, however many rows lie between.
fn projects(exec: &mut dyn Executor, table: &str, project: &str) -> Result<Vec<String>> {
    let next = format!("SELECT {project} FROM {table} WHERE {project} > $1 ORDER BY {project} LIMIT 1");
    let mut found: Vec<String> = Vec::new();
    while found.len() < PROJECTS {
        let last = found.last().cloned().unwrap_or_default();
        match exec.query(&next, &[last.into()])?.first() {
            Some(row) => found.push(row.text(0)?),
            None => break,
        }
    }
    Ok(found)
}

fn has_record(exec: &mut dyn Executor, id: &str) -> Result<bool> {
    Ok(!exec.query("SELECT 1 FROM sprongus_projects WHERE id = $1", &[id.into()])?.is_empty())
}
