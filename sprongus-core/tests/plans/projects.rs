//! Deleting a project reads what is its own, and lists of projects read a page: whatever other projects there are, with
//! statistics or without.

use sprongus::projects::{CreateProject, DeleteProject, ListProjects};
use sprongus::{Dialect, ErrorCode, Executor, LentPostgres, LentSqlite, Options, Store, Tx};
use sprongus_testkit::temp_file;

use crate::explain::{Explaining, Plans};
use crate::ground::{analyze, migrated};

/// Projects that are not asked about, and what each has in each table.
const OTHERS: u32 = 200;
const EACH: u32 = 50;
/// What the one that is asked about has.
const MINE: u32 = 5;

/// Tables, their columns and the values of row `{n}` of project `{p}`.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "runs",
        "id, project_id, kind, input, state, priority, run_at, max_attempts, created_at, updated_at",
        "{p} || '-' || {n}, {p}, 'k', {json}, 'succeeded', 0, {at}, 1, {at}, {at}",
    ),
    (
        "events",
        "id, project_id, subject, seq, type, at, actor, payload",
        "{p} || '-' || {n}, {p}, 'aux:' || {p} || '/assets/' || {n}, 1, 'aux.created', {at}, 'x', {json}",
    ),
    (
        "events",
        "id, run_id, project_id, subject, seq, type, at, actor, payload",
        "{p} || '-r' || {n}, {p} || '-' || {n}, {p}, 'run:' || {p} || '-' || {n}, 1, 'run.enqueued', {at}, 'x', {json}",
    ),
    ("run_steps", "run_id, name, output, attempt, at", "{p} || '-' || {n}, 's', {json}, 1, {at}"),
    (
        "approvals",
        "id, project_id, run_id, scope, step, metadata, created_at",
        "{p} || '-' || {n}, {p}, {p} || '-' || {n}, 'run', '', {json}, {at}",
    ),
    (
        "artifacts",
        "id, project_id, run_id, kind, logical_key, version, media_type, sha256, size, metadata, created_at",
        "{p} || '-' || {n}, {p}, {p} || '-' || {n}, 'k', 'k' || {n}, 1, 'x', 'x', 0, {json}, {at}",
    ),
    (
        "schedules",
        "project_id, name, tz, kind, input, overlap, catch_up_us, anchor_at, created_at, updated_at",
        "{p}, 's' || {n}, 'UTC', 'k', {json}, 'skip', 0, {at}, {at}, {at}",
    ),
    ("inbox", "project_id, channel_id, message_id, id, at", "{p}, 'c', 'm' || {n}, {p} || {n}, {at}"),
    ("config", "project_id, key, value, updated_at", "{p}, 'k' || {n}, {json}, {at}"),
    ("bindings", "target, name, project_id, preset_id, updated_at", "'table', 't' || {n}, {p}, 'builtin-repos', {at}"),
    (
        "aux_entries",
        "project_id, table_name, id, payload, hash, version, last_updated, actor",
        "{p}, 'assets', 'e' || {n}, {json}, {bytes}, 1, {at}, 'x'",
    ),
    (
        "aux_versions",
        "project_id, table_name, id, version, change_summary, actor, at",
        "{p}, 'assets', 'e' || {n}, 1, 'x', 'x', {at}",
    ),
    (
        "aux_keys",
        "project_id, table_name, field, key, entry_id, is_unique",
        "{p}, 'assets', 'f', {bytes}, 'e' || {n}, {false}",
    ),
    (
        "aux_refs",
        "project_id, from_table, from_id, field, to_table, to_id",
        "{p}, 'storyboard', 'r' || {n}, 'assetIds', 'assets', 'e' || {n}",
    ),
    ("sync_entries", "project_id, table_name, provider, id", "{p}, 'assets', 'csv:x', 'e' || {n}"),
    ("search_marks", "project_id, table_name, at", "{p}, 'assets', {at}"),
];

/// Rows of every other project, and some of `mine`.
pub(crate) fn seed(execute: &mut dyn FnMut(&str), dialect: Dialect) {
    let (series, json, bytes, at, no) = match dialect {
        Dialect::Sqlite => (
            "WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < {last})",
            "'{}'",
            "x'00'",
            "'2026-01-01T00:00:00.000000Z'",
            "0",
        ),
        Dialect::Postgres => (
            "WITH n AS (SELECT generate_series(0, {last}) AS n)",
            "'{}'::jsonb",
            "'\\x00'::bytea",
            "'2026-01-01T00:00:00Z'::timestamptz",
            "FALSE",
        ),
    };
    let mut insert = |table: &str, columns: &str, values: &str, projects: u32| {
        let project = if projects == 1 { "'mine'".to_owned() } else { format!("'other' || (n.n / {EACH})") };
        let values = values.replace("{p}", &project).replace("{n}", "n.n").replace("{at}", at);
        let values = values.replace("{json}", json).replace("{bytes}", bytes).replace("{false}", no);
        let series = series.replace("{last}", &(if projects == 1 { MINE } else { projects * EACH } - 1).to_string());
        execute(&format!("INSERT INTO sprongus_{table} ({columns}) {series} SELECT {values} FROM n"));
    };
    for (table, columns, values) in ROWS {
        insert(table, columns, values, OTHERS);
        insert(table, columns, values, 1);
    }
    let columns = "id, owner, name, slug, status, created_at, updated_at";
    let values = "{p} || '-' || {n}, 'o' || ({n} % 20), 'x', 's' || {n}, 'active', {at}, {at}";
    insert("projects", columns, values, OTHERS);
    let (more, text) = if dialect == Dialect::Postgres { (", text", ", 'x'") } else { ("", "") };
    let values = format!("1 + n.n / {EACH}, 'e' || {{n}}{text}");
    insert("search_texts", &format!("table_number, entry_id{more}"), &values, OTHERS);
    execute("INSERT INTO sprongus_search_tables (project_id, table_name, fingerprint) VALUES ('mine', 'assets', 'x')");
}

fn ask(tx: &Tx<'_>) {
    let on = tx.projects();
    let mut list = ListProjects::default();
    list.cursor = on.list(&list).unwrap().next_cursor;
    assert_eq!(on.list(&list).unwrap().len(), 50);
    let owned = ListProjects { owner: Some("o3".to_owned()), ..ListProjects::default() };
    assert_eq!(on.list(&owned).unwrap().len(), 50);
    on.create(&CreateProject { id: Some("mine".to_owned()), ..CreateProject::new("s17") }).unwrap();
    let refused = on.delete(&DeleteProject::new("mine")).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Referenced);
    on.delete(&DeleteProject::cascade("mine")).unwrap();
    assert_eq!(on.delete(&DeleteProject::cascade("mine")).unwrap_err().code(), ErrorCode::NotFound);
}

fn explained(inner: impl Executor, walks: impl Fn(&String) -> bool) {
    let plans = Plans::default();
    let explaining = Explaining { inner, plans: plans.clone(), about: "sprongus_" };
    let tx = Tx::attach(explaining, Options::default()).unwrap();
    ask(&tx);
    let plans = plans.lock().unwrap();
    assert!(
        plans.iter().filter(|(sql, _)| sql.contains("DELETE FROM sprongus_")).count() > 5,
        "deletions were explained"
    );
    for (sql, plan) in plans.iter() {
        assert!(!plan.iter().any(&walks), "reads other projects: {sql}\n{}", plan.join("\n"));
    }
}

/// Tables that hold a few rows for all projects.
fn is_small(line: &str) -> bool {
    ["search_tables", "sprongus_syncs", "aux_batches", "aux_rivals", "rates", "migrations"]
        .iter()
        .any(|table| line.contains(table))
}

#[test]
fn sqlite_deletes_a_project_without_a_look_at_others() {
    let (_folder, file) = temp_file("projects.db");
    drop(Store::open(file.to_str().unwrap(), Options::default()).unwrap());
    let mut host = rusqlite::Connection::open(&file).unwrap();
    seed(&mut |sql| host.execute_batch(sql).unwrap(), Dialect::Sqlite);
    let own = host.transaction().unwrap();
    explained(LentSqlite::new(&own).unwrap(), |line| {
        line.starts_with("SCAN sprongus_") && !is_small(line) && !line.contains("USING INDEX sprongus_projects_updated")
    });
}

#[test]
fn postgres_deletes_a_project_without_a_look_at_others() {
    for analyzed in [true, false] {
        let mut host = migrated(&format!("project_plans_{analyzed}"), |_| {});
        seed(&mut |sql| host.batch_execute(sql).unwrap(), Dialect::Postgres);
        if analyzed {
            host.batch_execute(analyze(Dialect::Postgres)).unwrap();
        }
        let mut own = host.transaction().unwrap();
        explained(LentPostgres::new(&mut own), |line| line.contains("Seq Scan on sprongus_") && !is_small(line));
    }
}
