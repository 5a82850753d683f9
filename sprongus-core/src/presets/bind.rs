//! Which preset holds where: tables and kinds of runs, per project or for all.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::builtin::{BUILTINS, Builtin};
use super::cache::Cache;
use super::check::{self, Scope as Meant};
use super::compile::Compiled;
use super::model::{Preset, PresetKind};
use super::requests::{BindPreset, BindReport};
use super::store;
use crate::db::{Dialect, Executor, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::session::{Session, Work};
use crate::text::check_name;

/// What a preset is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Table,
    Run,
}

impl Target {
    fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Run => "run",
        }
    }
}

/// Checks the stored entries, then binds; see [`Presets::bind`](super::Presets::bind).
pub(super) fn table(session: Session<'_>, cache: &Cache, request: &BindPreset, project: &str) -> Result<BindReport> {
    let meant = Meant { table: &request.table, project };
    let (preset, judge, seen, mut report) = session.read_snapshot(|exec| {
        let preset = store::get(exec, &request.address)?;
        fits_table(&preset, &request.table)?;
        let judge = cache.keyed(&preset.id, || Ok(preset.definition.clone()))?;
        let report = check::entries(exec, meant, &judge)?;
        Ok((preset, judge, check::fingerprint(exec, meant)?, report))
    })?;
    if request.dry_run {
        return Ok(report);
    }
    refuse_failing(&report, request)?;
    session.write_bulk(|work| {
        store::keep(work, &preset, "FOR SHARE")?;
        lock_table(work, project, &request.table, true)?;
        if check::fingerprint(work.exec(), meant)? != seen {
            // Entries were written since; behind the locks, no more are.
            report = check::entries(work.exec(), meant, &judge)?;
            refuse_failing(&report, request)?;
        }
        let before = compiled(session, work.exec(), Target::Table, &request.table, Some(project))?;
        if before.is_none_or(|before| before.keywords() != judge.keywords()) {
            forget_links(work.exec(), meant)?;
        }
        put(work, Target::Table, &request.table, project, &preset, &report)
    })?;
    report.bound = true;
    Ok(report)
}

/// Holds a table on PostgreSQL until the transaction ends: in one project, or in all of them where that is "". What writes
/// single entries shares it and asks for the preset then; a bulk call and what binds another preset hold it alone, so that
/// what they decided on still holds when they write. SQLite has one writer anyway.
pub(crate) fn lock_table(work: &mut Work<'_>, project: &str, table: &str, alone: bool) -> Result<()> {
    let everywhere = format!("aux {table}");
    match project {
        "" => store::lock(work, &[(&everywhere, alone)]),
        _ => store::lock(work, &[(&everywhere, false), (&format!("aux {project}/{table}"), alone)]),
    }
}

/// Keeps other bulk writes from a table on PostgreSQL, while single entries of it are written: one at a time.
pub(crate) fn lock_bulk(work: &mut Work<'_>, project: &str, table: &str) -> Result<()> {
    store::lock(work, &[(&format!("bulk {project}/{table}"), true)])
}

/// Forgets the keys and references that were made by other keywords; the next write makes them anew.
fn forget_links(exec: &mut dyn Executor, meant: Meant<'_>) -> Result<()> {
    for project in check::projects(exec, meant)? {
        let of_table = [project.into(), meant.table.into()];
        exec.execute("DELETE FROM sprongus_aux_keys WHERE project_id = $1 AND table_name = $2", &of_table)?;
        exec.execute("DELETE FROM sprongus_aux_refs WHERE project_id = $1 AND from_table = $2", &of_table)?;
    }
    Ok(())
}

fn refuse_failing(report: &BindReport, request: &BindPreset) -> Result<()> {
    if report.failing == 0 || request.force {
        return Ok(());
    }
    let message = format!(
        "{} of the {} entries in {} would break {}; correct them, or bind with force",
        report.failing, report.checked, request.table, request.address
    );
    Err(Error::new(ErrorCode::Conflict, message).with_details(json!(report)))
}

/// Binds a kind of runs.
pub(super) fn run(session: Session<'_>, kind: &str, address: &str, project: &str) -> Result<()> {
    check_name("the kind", kind)?;
    session.write(|work| {
        let preset = store::get(work.exec(), address)?;
        published(&preset)?;
        if preset.kind != PresetKind::RunInput {
            let message = format!(
                "{} is of kind {}; runs take presets of kind run_input",
                preset.address(),
                preset.kind.as_str()
            );
            return Err(Error::invalid(message));
        }
        store::keep(work, &preset, "FOR SHARE")?;
        let nothing = BindReport { checked: 0, failing: 0, errors: Vec::new(), bound: true };
        put(work, Target::Run, kind, project, &preset, &nothing)
    })
}

fn fits_table(preset: &Preset, table: &str) -> Result<()> {
    check_name("the table", table)?;
    published(preset)?;
    let refuse = |wanted: &str| {
        Err(Error::invalid(format!("{} is of kind {}; {wanted}", preset.address(), preset.kind.as_str())))
    };
    match (preset.kind, Builtin::bound_to(table)) {
        (PresetKind::RunInput, _) => refuse("that is for runs (bind_run), not for tables"),
        (PresetKind::Custom, _) | (_, None) => Ok(()),
        (kind, Some(builtin)) if kind == builtin.kind => Ok(()),
        _ => refuse(&format!("the table {table} takes presets of kind {table} or custom")),
    }
}

fn published(preset: &Preset) -> Result<()> {
    match preset.published_at {
        Some(_) => Ok(()),
        None => Err(Error::new(
            ErrorCode::InvalidState,
            format!("{} is a draft; publish it before it is bound", preset.address()),
        )),
    }
}

fn put(
    work: &mut Work<'_>,
    target: Target,
    name: &str,
    project: &str,
    preset: &Preset,
    report: &BindReport,
) -> Result<()> {
    let now = work.dialect().now(5);
    let sql = format!(
        "INSERT INTO sprongus_bindings (target, name, project_id, preset_id, updated_at) VALUES ($1, $2, $3, $4, {now}) \
         ON CONFLICT (target, name, project_id) DO UPDATE SET preset_id = excluded.preset_id, updated_at = excluded.updated_at \
         WHERE sprongus_bindings.preset_id <> excluded.preset_id"
    );
    let params: [Value<'_>; 5] = [target.as_str().into(), name.into(), project.into(), (&preset.id).into(), work.now()];
    if work.execute(&sql, &params)? == 0 {
        return Ok(());
    }
    let project = Some(project).filter(|project| !project.is_empty());
    let payload = json!({ target.as_str(): name, "projectId": project, "label": preset.label, "version": preset.version,
        "checked": report.checked, "failing": report.failing });
    store::event(work, preset, "preset.bound", project, &payload)
}

/// Binds each table of the workspace data model that has no preset there, in a project or ("") for all; which those were.
pub(crate) fn install(work: &mut Work<'_>, project: &str) -> Result<Vec<String>> {
    let mut bound = Vec::new();
    for builtin in BUILTINS.iter().filter(|builtin| builtin.is_installed()) {
        lock_table(work, project, builtin.label, true)?;
        if bound_id(work.exec(), Target::Table, builtin.label, Some(project))?.is_none() {
            let nothing = BindReport { checked: 0, failing: 0, errors: Vec::new(), bound: true };
            put(work, Target::Table, builtin.label, project, &builtin.preset(), &nothing)?;
            bound.push(builtin.label.to_owned());
        }
    }
    Ok(bound)
}

/// The id of the preset that holds there: the project's own binding, else the one for all, else the built-in.
fn bound_id(exec: &mut dyn Executor, target: Target, name: &str, project: Option<&str>) -> Result<Option<String>> {
    let sql = match exec.dialect() {
        // For IN, SQLite would make a table of the two, each time.
        Dialect::Sqlite => {
            "SELECT coalesce((SELECT preset_id FROM sprongus_bindings WHERE target = $1 AND name = $2 AND project_id = $3), \
             (SELECT preset_id FROM sprongus_bindings WHERE target = $1 AND name = $2 AND project_id = ''))"
        }
        Dialect::Postgres => {
            "SELECT preset_id FROM sprongus_bindings WHERE target = $1 AND name = $2 AND project_id IN ('', $3) \
             ORDER BY project_id DESC LIMIT 1"
        }
    };
    let params: [Value<'_>; 3] = [target.as_str().into(), name.into(), project.unwrap_or_default().into()];
    let found = exec.query(sql, &params)?.into_iter().next();
    if let Some(id) = found.map(|mut row| row.take_opt_text(0)).transpose()?.flatten() {
        return Ok(Some(id));
    }
    Ok(Builtin::bound_to(name).filter(|_| target == Target::Table).map(|builtin| builtin.preset().id))
}

/// The preset of a table; `not_found` says how to bind one.
pub(super) fn of_table(exec: &mut dyn Executor, table: &str, project: Option<&str>) -> Result<Preset> {
    let found = match bound_id(exec, Target::Table, table, project)? {
        Some(id) => store::of_id(exec, &id)?,
        None => None,
    };
    found.ok_or_else(|| unbound(table))
}

fn unbound(table: &str) -> Error {
    Error::not_found(format!("no preset is bound to the table {table}; bind one with presets.bind(table, preset)"))
}

/// The compiled preset of a table, for a write: one short statement where it was used before.
///
/// `not_found` where none is bound, saying how to bind one.
pub(crate) fn for_table(
    session: Session<'_>,
    exec: &mut dyn Executor,
    project: &str,
    table: &str,
) -> Result<Arc<Compiled>> {
    compiled(session, exec, Target::Table, table, Some(project))?.ok_or_else(|| unbound(table))
}

/// The tables of a project, built-in ones included, whose presets refer to that table.
pub(crate) fn referring_tables(
    session: Session<'_>,
    exec: &mut dyn Executor,
    project: &str,
    to_table: &str,
) -> Result<Vec<String>> {
    // The project's own binding comes last and counts.
    let sql = "SELECT name, preset_id FROM sprongus_bindings WHERE target = 'table' AND project_id IN ('', $1) ORDER BY project_id";
    let mut bound: BTreeMap<String, String> =
        BUILTINS.iter().filter(|one| !one.is_installed()).map(|one| (one.label.to_owned(), one.preset().id)).collect();
    for row in exec.query(sql, &[project.into()])? {
        bound.insert(row.text(0)?, row.text(1)?);
    }
    let mut referring = Vec::new();
    for (table, id) in bound {
        let preset = of_bound(session, exec, &table, &id)?;
        if preset.keywords().refs.iter().any(|field| field.table == to_table) {
            referring.push(table);
        }
    }
    Ok(referring)
}

/// The SQL condition that no preset is bound to such runs; of a project, where its SQL is given ('' there for none).
pub(crate) fn unbound_run(dialect: Dialect, kind: &str, project: Option<&str>) -> String {
    let none = |of| {
        format!(
            "NOT EXISTS (SELECT 1 FROM sprongus_bindings WHERE target = 'run' AND name = {kind} AND project_id {of})"
        )
    };
    match (dialect, project) {
        (_, None) => none("= ''"),
        // For IN, SQLite would make a table of the two, each time.
        (Dialect::Sqlite, Some(project)) => format!("{} AND {}", none("= ''"), none(&format!("= {project}"))),
        (Dialect::Postgres, Some(project)) => none(&format!("IN ('', {project})")),
    }
}

/// The compiled preset of a kind of runs, where one is bound.
pub(crate) fn for_run(
    session: Session<'_>,
    exec: &mut dyn Executor,
    project: Option<&str>,
    kind: &str,
) -> Result<Option<Arc<Compiled>>> {
    compiled(session, exec, Target::Run, kind, project)
}

fn compiled(
    session: Session<'_>,
    exec: &mut dyn Executor,
    target: Target,
    name: &str,
    project: Option<&str>,
) -> Result<Option<Arc<Compiled>>> {
    let Some(id) = bound_id(exec, target, name, project)? else { return Ok(None) };
    of_bound(session, exec, name, &id).map(Some)
}

fn of_bound(session: Session<'_>, exec: &mut dyn Executor, name: &str, id: &str) -> Result<Arc<Compiled>> {
    let definition = || match store::of_id(exec, id)? {
        Some(preset) => Ok(preset.definition),
        None => Err(Error::new(ErrorCode::Corrupt, format!("the preset bound to {name} is not there; bind another"))),
    };
    session.core().shared::<Cache>().keyed(id, definition)
}
