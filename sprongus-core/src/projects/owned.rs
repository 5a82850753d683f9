//! What a project owns, table by table: what refuses its deletion, and what goes with it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as JsonValue, json};

use crate::aux_store;
use crate::db::{Dialect, Executor};
use crate::error::Result;
use crate::runs;
use crate::session::Work;

/// Rows of a project in one table.
struct Owned {
    /// What they are called where they are counted; nothing for what is kept of other rows.
    kind: Option<&'static str>,
    table: &'static str,
    /// Which rows; `$1` is the project.
    which: &'static str,
    /// On SQLite alone there is such a table.
    sqlite: bool,
}

const OF_PROJECT: &str = "project_id = $1";

const fn counted(kind: &'static str, table: &'static str) -> Owned {
    Owned { kind: Some(kind), table, which: OF_PROJECT, sqlite: false }
}

const fn kept(table: &'static str, which: &'static str) -> Owned {
    Owned { kind: None, table, which, sqlite: false }
}

const fn on_sqlite(table: &'static str, which: &'static str) -> Owned {
    Owned { kind: None, table, which, sqlite: true }
}

/// All but runs and what is theirs. What is found by another table's rows stands before it.
const OWNED: &[Owned] = &[
    counted("approvals", "sprongus_approvals"),
    Owned { which: "coalesce(project_id, '') = $1", ..counted("artifacts", "sprongus_artifacts") },
    counted("schedules", "sprongus_schedules"),
    counted("messages", "sprongus_inbox"),
    counted("entries", "sprongus_aux_entries"),
    counted("versions", "sprongus_aux_versions"),
    counted("settings", "sprongus_config"),
    counted("bindings", "sprongus_bindings"),
    kept("sprongus_aux_keys", OF_PROJECT),
    kept("sprongus_aux_refs", OF_PROJECT),
    kept("sprongus_syncs", OF_PROJECT),
    kept("sprongus_sync_entries", OF_PROJECT),
    kept("sprongus_search_marks", OF_PROJECT),
    kept("sprongus_search_texts", "table_number IN (SELECT number FROM sprongus_search_tables WHERE project_id = $1)"),
    kept("sprongus_search_tables", OF_PROJECT),
    on_sqlite("sprongus_aux_rivals", "batch IN (SELECT id FROM sprongus_aux_batches WHERE project_id = $1)"),
    on_sqlite("sprongus_aux_batches", OF_PROJECT),
    kept("sprongus_rates", OF_PROJECT),
    // The very words of the index: those of runs went with them.
    kept("sprongus_events", "project_id = $1 AND run_id IS NULL"),
    kept("sprongus_projects", "id = $1"),
];

fn owned(dialect: Dialect) -> impl Iterator<Item = &'static Owned> {
    OWNED.iter().filter(move |one| !one.sqlite || dialect == Dialect::Sqlite)
}

/// What a project owns, as `referenced` tells it: `{kind, count}`, of entries `{kind, table, count}`; nothing where it owns
/// nothing.
pub(super) fn referrers(exec: &mut dyn Executor, project: &str) -> Result<Vec<JsonValue>> {
    let mut found = Vec::new();
    let mut runs = vec![("runs", "sprongus_runs", OF_PROJECT)];
    runs.extend(OWNED.iter().filter_map(|one| one.kind.map(|kind| (kind, one.table, one.which))));
    for (kind, table, which) in runs {
        if kind == "entries" {
            found.extend(entries(exec, project)?);
            continue;
        }
        let rows = exec.query(&format!("SELECT count(*) FROM {table} WHERE {which}"), &[project.into()])?;
        let count = rows.first().map_or(Ok(0), |row| row.int(0))?;
        if count > 0 {
            found.push(json!({ "kind": kind, "count": count }));
        }
    }
    Ok(found)
}

fn entries(exec: &mut dyn Executor, project: &str) -> Result<Vec<JsonValue>> {
    let sql = "SELECT table_name, count(*) FROM sprongus_aux_entries WHERE project_id = $1 \
               GROUP BY table_name ORDER BY table_name";
    let rows = exec.query(sql, &[project.into()])?;
    rows.iter().map(|row| Ok(json!({ "kind": "entries", "table": row.text(0)?, "count": row.int(1)? }))).collect()
}

/// What was removed.
#[derive(Debug, Default)]
pub(super) struct Removed {
    /// Rows of every kind, the record included.
    pub(super) rows: i64,
    /// By kind, as the event tells it.
    pub(super) kinds: BTreeMap<&'static str, i64>,
}

/// Removes all that is a project's, its record included.
pub(super) fn remove(work: &mut Work<'_>, project: &str) -> Result<Removed> {
    let mut held = BTreeSet::new();
    aux_store::hold_project(work, project, &mut held)?;
    let runs = runs::forget_project(work, project)?;
    aux_store::forget_texts(work.exec(), project)?;
    let mut removed = Removed { rows: runs, kinds: BTreeMap::new() };
    removed.kinds.extend((runs > 0).then_some(("runs", runs)));
    loop {
        for (one, count) in owned(work.dialect()).zip(remove_rows(work, project)?) {
            removed.rows += count;
            if let Some(kind) = one.kind.filter(|_| count > 0) {
                *removed.kinds.entry(kind).or_default() += count;
            }
        }
        // Of a table that came after the others were held, an entry may go while its next version is being written, which
        // would be left: its past, and an event in the way of its next beginning.
        if !aux_store::hold_project(work, project, &mut held)? {
            return Ok(removed);
        }
    }
}

/// Removes the rows of each table; how many.
fn remove_rows(work: &mut Work<'_>, project: &str) -> Result<Vec<i64>> {
    let dialect = work.dialect();
    if dialect == Dialect::Sqlite {
        let delete = |one: &Owned| {
            let sql = format!("DELETE FROM {} WHERE {}", one.table, one.which);
            Ok(i64::try_from(work.execute(&sql, &[project.into()])?).unwrap_or(i64::MAX))
        };
        return owned(dialect).map(delete).collect();
    }
    // One statement sees one state: what others commit meanwhile is seen whole, or not at all.
    let deletes = owned(dialect)
        .enumerate()
        .map(|(n, one)| format!("gone_{n} AS (DELETE FROM {} WHERE {} RETURNING 1)", one.table, one.which));
    let counts = owned(dialect).enumerate().map(|(n, _)| format!("(SELECT count(*) FROM gone_{n})"));
    let sql =
        format!("WITH {} SELECT {}", deletes.collect::<Vec<_>>().join(", "), counts.collect::<Vec<_>>().join(", "));
    let rows = work.query(&sql, &[project.into()])?;
    let Some(row) = rows.first() else { return Ok(Vec::new()) };
    (0..owned(dialect).count()).map(|n| row.int(n)).collect()
}
