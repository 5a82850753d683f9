//! A project that owns something of everything, and a search for what is left of one: through every table of ours that the
//! database has, so that a new one cannot be forgotten.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use sprongus::artifacts::PutArtifact;
use sprongus::aux_store::{BulkOptions, ListQuery, SyncTable, UpdateOptions};
use sprongus::config::SetConfig;
use sprongus::inbox::Accept;
use sprongus::presets::{BindRunPreset, CreatePreset, PresetKind};
use sprongus::projects::InstallProject;
use sprongus::runs::approvals::RequestApproval;
use sprongus::runs::schedules::PutSchedule;
use sprongus::runs::{Cancel, Claim, Enqueue, SaveStep, Succeed};
use sprongus::{Dialect, Json, Rate, Rates, Run, ScopedOptions, Store, Value};

use super::named;
use crate::runs::json as parsed;

/// Tables without a project's id: those of the store, and those whose rows are found by others.
const OF_THE_STORE: &[&str] =
    &["sprongus_kind_limits", "sprongus_migrations", "sprongus_presets", "sprongus_providers", "sprongus_tables"];

/// Rows of tables that have another way to their project: SQL that counts those that lead to none.
const ASTRAY: &[(&str, &str)] = &[
    ("sprongus_projects", "SELECT count(*) FROM sprongus_projects WHERE id = $1"),
    (
        "sprongus_run_steps",
        "SELECT count(*) FROM sprongus_run_steps WHERE run_id NOT IN (SELECT id FROM sprongus_runs) OR $1 = ''",
    ),
    (
        "sprongus_search_texts",
        "SELECT count(*) FROM sprongus_search_texts WHERE table_number NOT IN (SELECT number FROM sprongus_search_tables) OR $1 = ''",
    ),
    (
        "sprongus_aux_rivals",
        "SELECT count(*) FROM sprongus_aux_rivals WHERE batch NOT IN (SELECT id FROM sprongus_aux_batches) OR $1 = ''",
    ),
    (
        "sprongus_search_docsize",
        "SELECT count(*) FROM sprongus_search_docsize WHERE id NOT IN (SELECT number FROM sprongus_search_texts) OR $1 = ''",
    ),
];

/// What the full-text index of SQLite keeps of its own.
const INSIDE_FTS: &[&str] =
    &["sprongus_search", "sprongus_search_config", "sprongus_search_data", "sprongus_search_idx"];

fn text(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        other => panic!("{other:?}"),
    }
}

fn number(store: &Store, sql: &str, params: &[Value<'_>]) -> i64 {
    match store.query(sql, params).unwrap()[0].values()[0] {
        Value::Int(number) => number,
        ref other => panic!("{sql}: {other:?}"),
    }
}

/// Every table of ours, and whether it has a column for the project.
fn tables(store: &Store) -> BTreeMap<String, bool> {
    let sql = match store.backend() {
        Dialect::Sqlite => {
            "SELECT name, CASE WHEN sql LIKE '%project_id%' THEN 'yes' ELSE 'no' END FROM sqlite_schema \
             WHERE type = 'table' AND name LIKE 'sprongus%'"
        }
        Dialect::Postgres => {
            "SELECT tablename::text, CASE WHEN EXISTS (SELECT 1 FROM information_schema.columns c \
             WHERE c.table_schema = t.schemaname AND c.table_name = t.tablename AND c.column_name = 'project_id') \
             THEN 'yes' ELSE 'no' END FROM pg_catalog.pg_tables t WHERE schemaname = current_schema() \
             AND tablename LIKE 'sprongus%'"
        }
    };
    let rows = store.query(sql, &[]).unwrap();
    let found: BTreeMap<_, _> =
        rows.iter().map(|row| (text(&row.values()[0]), text(&row.values()[1]) == "yes")).collect();
    assert!(found.len() > 20, "{found:?}");
    found
}

/// How many rows of a project each table holds.
pub(super) fn counts(store: &Store, project: &str) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    for (table, has_project) in tables(store) {
        let count = if has_project {
            number(store, &format!("SELECT count(*) FROM {table} WHERE project_id = $1"), &[project.into()])
        } else if let Some((_, sql)) = ASTRAY.iter().find(|(name, _)| *name == table) {
            number(store, sql, &[project.into()])
        } else {
            let known = OF_THE_STORE.contains(&table.as_str()) || INSIDE_FTS.contains(&table.as_str());
            assert!(known, "say where the rows of {table} belong, and have projects.delete take them");
            0
        };
        counts.insert(table, count);
    }
    counts
}

/// Every row of every table that names it, but for the event that is to stay.
pub(super) fn mentions(store: &Store, project: &str) -> Vec<String> {
    let mut found = Vec::new();
    for table in tables(store).keys().filter(|table| !INSIDE_FTS.contains(&table.as_str())) {
        for row in store.query(&format!("SELECT * FROM {table}"), &[]).unwrap() {
            let row = format!("{table}: {row:?}");
            if row.contains(project) && !row.contains("project.deleted") {
                found.push(row);
            }
        }
    }
    found
}

fn enqueue(store: &Store, project: &str, request: Enqueue) -> Run {
    store.runs().enqueue(&Enqueue { project: Some(project.to_owned()), ..request }).unwrap()
}

fn claim(store: &Store, kind: &str) -> Run {
    let claim = Claim { kinds: Some(vec![kind.to_owned()]), ..Claim::new("w") };
    store.runs().claim_next(&claim).unwrap().remove(0)
}

/// Gives a project something in every table that has room for projects. The kinds of its runs begin with its id.
pub(super) fn furnish(store: &Store, project: &str) {
    let of = Some(project.to_owned());
    store.projects().create(&named(project, project)).unwrap();
    store.projects().install(&InstallProject { project: of.clone() }).unwrap();
    runs(store, project);
    entries(store, project);
    store.artifacts().put(&PutArtifact { project: of.clone(), ..PutArtifact::text("report", "march", "x") }).unwrap();
    let schedule =
        PutSchedule { every: Some(Duration::from_secs(3_600)), project: of.clone(), ..PutSchedule::new("s", "k") };
    store.schedules().put(&schedule).unwrap();
    let message = Accept {
        enqueue: Some(Enqueue::new("reply", Json::null())),
        project: of.clone(),
        ..Accept::new("mail", "m-1")
    };
    assert!(store.inbox().accept(&message).unwrap().first);
    store.config().set(&SetConfig { project: of, ..SetConfig::new("ui.theme", parsed(r#""dark""#)) }).unwrap();
    let rate = Rates { enqueue: Some(Rate::new(5, Duration::from_secs(3_600))), ..Rates::default() };
    let handle = store.scoped_with(project, &ScopedOptions { rate, ..ScopedOptions::default() }).unwrap();
    handle.runs().enqueue(&Enqueue::new("paced", Json::null())).unwrap();
}

/// Runs in every state that lasts, with steps, approvals, outputs and keys.
fn runs(store: &Store, project: &str) {
    let kind = |name: &str| format!("{project}.{name}");
    let input = |name: &str| Enqueue::new(kind(name), parsed(r#"{"n":1}"#));
    enqueue(store, project, Enqueue { idempotency_key: Some("once".into()), ..input("waits") });
    enqueue(store, project, Enqueue { needs_approval: true, ..input("gated") });
    enqueue(store, project, Enqueue { delay: Some(Duration::from_secs(3_600)), ..input("later") });
    let canceled = enqueue(store, project, input("canceled"));
    store.runs().cancel(&Cancel::new(canceled.id)).unwrap();
    enqueue(store, project, input("runs"));
    let running = claim(store, &kind("runs"));
    store.runs().save_step(&SaveStep::new(&running.id, running.lease, "first", Json::null())).unwrap();
    enqueue(store, project, input("asks"));
    let asking = claim(store, &kind("asks"));
    store.approvals().request(&RequestApproval::new(&asking.id, asking.lease, "deploy", "Deploys it")).unwrap();
    enqueue(store, project, input("done"));
    let done = claim(store, &kind("done"));
    let output = Succeed { output: Some(parsed(r#"{"made":1}"#)), ..Succeed::new(&done.id, done.lease) };
    store.runs().succeed(&output).unwrap();
    let label = format!("{project}-input");
    let definition = parsed(r#"{"type":"object"}"#);
    store.presets().create(&CreatePreset::new(&label, PresetKind::RunInput, definition)).unwrap();
    let bind = BindRunPreset { kind: kind("waits"), address: label, project: Some(project.to_owned()) };
    store.presets().bind_run(&bind).unwrap();
}

/// Entries that refer, were changed, deleted, synced, written in bulk, and are searched.
fn entries(store: &Store, project: &str) {
    let assets = store.aux(project, "assets");
    assets.create(json!({"title": "Coburg"}), Some("a-1")).unwrap();
    assets.update("a-1", json!({"title": "Gotha"}), UpdateOptions::default()).unwrap();
    assets.create(json!({"title": "gone"}), Some("a-2")).unwrap();
    assets.delete("a-2", sprongus::aux_store::OnReferenced::Force).unwrap();
    store.aux(project, "storyboard").create(json!({"assetIds": ["a-1"]}), Some("r-1")).unwrap();
    let threads = store.aux(project, "chat_threads");
    threads.create(json!({}), Some("t-1")).unwrap();
    let said = |n: usize| {
        let text = format!("the harbour of {project} in the year {n}");
        Ok(json!({"id": format!("m-{n:04}"), "threadId": "t-1", "role": "user", "content": text,
            "createdAt": "2026-01-02T03:04:05Z"}))
    };
    let messages = store.aux(project, "chat_messages");
    messages.bulk_upsert((0..700).map(said), BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
    let (folder, file) = sprongus_testkit::temp_file("files.json");
    std::fs::write(&file, r#"[{"id":"c-1","title":"Harbours"}]"#).unwrap();
    let sync = SyncTable::new("citations", format!("json:{}", file.display()));
    store.aux(project, "citations").sync(&sync).unwrap();
    drop(folder);
    for _ in 0..20 {
        let query = ListQuery { q: Some(format!("harbour of {project}")), ..ListQuery::default() };
        assert_eq!(messages.list(&query).unwrap().len(), 50);
    }
    messages.update("m-0001", json!({"metadata": {"seen": true}}), UpdateOptions::default()).unwrap();
}
