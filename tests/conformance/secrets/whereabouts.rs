//! Wherever a store leaves a trace.

use std::path::Path;

use sprongus::artifacts::ListArtifacts;
use sprongus::aux_store::{ExportOptions, ListQuery};
use sprongus::events::ReadEvents;
use sprongus::presets::{ExportPresets, ListPresets};
use sprongus::runs::approvals::ListApprovals;
use sprongus::runs::{ListRuns, ListSteps, RunEvents, RunStatsOf};
use sprongus::{Dialect, Row, Store, Value};
use sprongus_conformance::Env;
use sprongus_testkit::{Postgres, temp_dir};

use crate::grep::Grep;

pub(crate) fn all(env: &Env, store: &Store, grep: &mut Grep) {
    records(store, grep);
    tables(store, grep);
    files(store, grep);
    grep.text("store: url", store.url());
    grep.text("store: options", &format!("{:?}", store.options()));
    grep.text("store: stats", &format!("{:?} {:?}", store.stats(), store.runs().stats(&RunStatsOf::default())));
    grep.text("store: doctor", &format!("{:?}", store.doctor().unwrap()));
    match store.backend() {
        Dialect::Postgres => server(env, store, grep),
        Dialect::Sqlite if env.url() != ":memory:" => {
            for end in ["", "-wal", "-shm"] {
                grep.bytes("files: the database, -wal, -shm", &std::fs::read(format!("{}{end}", env.url())).unwrap());
            }
        }
        Dialect::Sqlite => {}
    }
}

fn records(store: &Store, grep: &mut Grep) {
    let runs = store.runs().list(&ListRuns { limit: 1000, ..ListRuns::default() }).unwrap().items;
    assert!(runs.len() > 10);
    grep.text("records: runs", &format!("{runs:?} {}", serde_json::to_string(&runs).unwrap()));
    for run in &runs {
        grep.text("records: steps", &format!("{:?}", store.runs().steps(&ListSteps::new(&run.id)).unwrap()));
        let events = store.runs().events(&RunEvents::new(&run.id)).unwrap();
        grep.text("events of runs", &format!("{events:?} {}", serde_json::to_string(&events).unwrap()));
    }
    let feed = store.events().read(&ReadEvents { limit: 1000, ..ReadEvents::default() }).unwrap();
    grep.text("events of the feed", &format!("{feed:?}"));
    let aux = store.aux("p", "assets");
    grep.text("records: entries", &format!("{:?}", aux.list(&ListQuery::default()).unwrap().items));
    grep.text("records: history", &format!("{:?}", aux.history("control").unwrap()));
    let of_project = ListArtifacts { project: Some("p".into()), ..ListArtifacts::default() };
    for artifact in store.artifacts().list(&of_project).unwrap().items {
        grep.text("records: artifacts", &format!("{artifact:?}"));
        grep.bytes("records: artifacts", artifact.content.as_deref().unwrap_or_default());
    }
    grep.text("records: profiles of providers", &format!("{:?}", store.providers().list().unwrap()));
    grep.text("approvals", &format!("{:?}", store.approvals().list(&ListApprovals::default()).unwrap().items));
    grep.text("schedules", &format!("{:?}", store.schedules().list().unwrap()));
    grep.text("presets", &format!("{:?}", store.presets().list(&ListPresets::default()).unwrap().items));
    grep.text("presets", &format!("{:?}", store.presets().export(&ExportPresets::default()).unwrap()));
}

fn text(row: &Row) -> &str {
    match row.values() {
        [Value::Text(text)] => text,
        other => panic!("{other:?}"),
    }
}

/// Every table there is, and what SQLite keeps beside.
fn tables(store: &Store, grep: &mut Grep) {
    let sql = match store.backend() {
        Dialect::Sqlite => "SELECT name FROM sqlite_schema WHERE type = 'table'",
        Dialect::Postgres => {
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()"
        }
    };
    let names = store.query(sql, &[]).unwrap();
    assert!(names.len() > 15);
    for name in names.iter().map(text) {
        for row in store.query(&format!("SELECT * FROM \"{name}\""), &[]).unwrap() {
            for value in row.values() {
                match value {
                    Value::Bytes(bytes) => grep.bytes(&format!("table {name}"), bytes),
                    other => grep.text(&format!("table {name}"), &format!("{other:?}")),
                }
            }
        }
    }
}

/// What is written for others to take away.
fn files(store: &Store, grep: &mut Grep) {
    let folder = temp_dir();
    let path = |name: &str| folder.path().join(name);
    let aux = store.aux("p", "assets");
    for name in ["notes.csv", "notes.json", "notes.jsonl"] {
        aux.export(&path(name), ExportOptions::default(), &mut |_, _| Ok(())).unwrap();
    }
    store.artifacts().export_zip(&path("artifacts.zip"), Some("p")).unwrap();
    if store.backend() == Dialect::Sqlite {
        store.snapshot(&path("snapshot.db")).unwrap();
    }
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap().path();
        let name = file.file_name().and_then(|name| name.to_str()).unwrap();
        grep.bytes(&format!("files: {name}"), &read(&file));
    }
}

fn read(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap()
}

/// A dump, and what the server tells everybody of its sessions.
fn server(env: &Env, store: &Store, grep: &mut Grep) {
    let server = Postgres::shared();
    let schema = env.schema().unwrap();
    grep.text("dump by pg_dump", &Postgres::dump(server.url(), schema));
    let sessions = "SELECT * FROM pg_stat_activity";
    let told = server.psql(sessions);
    assert!(told.contains("sprongus"), "the store's sessions have a name: {told}");
    grep.text("pg_stat_activity", &told);
    grep.text(
        "pg_stat_activity",
        &format!("{:?}", store.query(&format!("SELECT t::text FROM ({sessions}) t"), &[]).unwrap()),
    );
    grep.text(
        "pg_prepared_statements",
        &format!("{:?}", store.query("SELECT statement FROM pg_prepared_statements", &[]).unwrap()),
    );
}
