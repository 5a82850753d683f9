//! What the walk over the operations does not come by: workers, the host's own SQL, files, and what `admin` opens.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use sprongus::runs::{Enqueue, ListRuns};
use sprongus::worker::{Outcome, WorkerOptions};
use sprongus::{Dialect, ErrorCode, Json, RunState, Scope, Store, ops};
use sprongus_conformance::{Case, Env};

use super::case;
use crate::runs::code;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("scopes::a_worker_of_a_handle_works_its_project_alone", worker),
        case("scopes::what_belongs_to_the_store_needs_admin", admin),
        case("scopes::a_handle_only_narrows", narrows),
    ]
}

fn worker(env: &Env) {
    let store = env.open();
    for project in [Some("p"), Some("q"), None] {
        let run = Enqueue { project: project.map(str::to_owned), ..Enqueue::new("a", Json::null()) };
        store.runs().enqueue(&run).unwrap();
    }
    let mine = store.scoped("p", Scope::DEFAULT).unwrap();
    let options = || WorkerOptions { poll_interval: Duration::from_millis(20), ..WorkerOptions::default() };
    let worked = std::sync::Arc::new(Mutex::new(Vec::new()));
    let worker = mine.worker(options()).unwrap();
    let seen = worked.clone();
    worker
        .handle("a", move |context| {
            // What a handler does is as narrow as its worker's handle.
            let list = context.store().runs().list(&ListRuns::default()).unwrap();
            seen.lock().unwrap().push((context.run().project_id.clone(), list.items.len()));
            Ok(Outcome::None)
        })
        .unwrap();
    worker.run_until_idle(Duration::ZERO).unwrap();
    assert_eq!(*worked.lock().unwrap(), [(Some("p".to_owned()), 1)]);
    let queued = ListRuns { state: Some(vec![RunState::Queued]), ..ListRuns::default() };
    assert_eq!(store.runs().list(&queued).unwrap().items.len(), 2);
    let greedy = mine.worker(WorkerOptions { projects: Some(vec!["p".into(), "q".into()]), ..options() }).unwrap();
    greedy.handle("a", |_| Ok(Outcome::None)).unwrap();
    assert_eq!(code(greedy.run_until_idle(Duration::ZERO)), ErrorCode::PermissionDenied);
}

fn call(on: &Store, operation: &str, request: &Value) -> Result<String, sprongus::Error> {
    ops::call(on, operation, request.to_string().as_bytes())
}

/// In an order in which each works on what those before have made.
fn of_the_store() -> Vec<(&'static str, Value)> {
    let preset = json!({"label": "x", "kind": "custom", "definition": {}, "publish": false});
    vec![
        ("presets.create", preset),
        ("presets.publish", json!({"address": "x@1"})),
        ("presets.bind", json!({"table": "t", "address": "x"})),
        ("presets.import", json!({"items": []})),
        ("runs.limit_kind", json!({"kind": "a", "concurrency": 1})),
        ("providers.put", json!({"name": "n", "kind": "json"})),
        ("providers.delete", json!({"name": "n"})),
        ("projects.create", json!({"id": "q", "name": "Q"})),
        ("projects.update", json!({"id": "q", "name": "R"})),
        ("projects.install", json!({"project": "q"})),
        ("projects.delete", json!({"id": "q", "cascade": true})),
        ("store.doctor", json!({})),
        // Another project's things are no other's to one with admin.
        ("schedules.put", json!({"name": "s", "kind": "a", "every": 60, "project": "q"})),
        ("config.set", json!({"key": "k", "value": 1, "project": "q"})),
        ("events.read", json!({"project": "q"})),
    ]
}

fn admin(env: &Env) {
    let store = env.open();
    let (plain, admin) = (store.scoped("p", Scope::DEFAULT).unwrap(), store.scoped("p", &[Scope::Admin]).unwrap());
    for (operation, request) in of_the_store() {
        assert_eq!(code(call(&plain, operation, &request)), ErrorCode::PermissionDenied, "{operation}");
        call(&admin, operation, &request).unwrap_or_else(|error| panic!("{operation}: {error:?}"));
    }
    let folder = sprongus_testkit::temp_dir();
    let copy = folder.path().join("copy.db");
    let denied = [
        code(plain.migrate()),
        code(plain.snapshot(&copy)),
        code(plain.doctor()),
        code(plain.query("SELECT 1", &[])),
        code(plain.execute("CREATE TABLE mine (n INTEGER)", &[])),
        code(plain.transaction(|tx| tx.execute("DELETE FROM sprongus_runs", &[]))),
        code(plain.transaction(|tx| tx.acting_as("x", None)?.query("SELECT 1", &[]))),
        code(plain.transaction(|tx| tx.transaction(|inner| inner.query("SELECT 1", &[])))),
    ];
    assert_eq!(denied, [ErrorCode::PermissionDenied; 8]);
    assert!(!copy.exists());
    admin.migrate().unwrap();
    match store.backend() {
        Dialect::Sqlite => admin.snapshot(&copy).unwrap(),
        Dialect::Postgres => assert_eq!(code(admin.snapshot(&copy)), ErrorCode::Unsupported),
    }
    admin.execute("CREATE TABLE mine (n INTEGER)", &[]).unwrap();
    admin.query("SELECT n FROM mine", &[]).unwrap();
    // Its project is what is meant where none is named, also of settings: the store's are for handles without a scope.
    store.config().set(&sprongus::config::SetConfig::new("k", Json::parse("\"store\"").unwrap())).unwrap();
    call(&admin, "config.set", &json!({"key": "k", "value": "own"})).unwrap();
    let of = |on: &Store| call(on, "config.get", &json!({"key": "k"})).unwrap();
    assert!(of(&admin).contains("own") && of(&plain).contains("own") && of(&store).contains("store"));
}

fn narrows(env: &Env) {
    let store = env.open();
    let few = store.scoped("p", &[Scope::RunsRead, Scope::AuxRead]).unwrap();
    few.scoped("p", &[Scope::AuxRead]).unwrap();
    few.scoped("p", &[]).unwrap();
    for (project, scopes) in [
        ("q", &[Scope::RunsRead][..]),
        ("p", &[Scope::RunsWrite]),
        ("p", &[Scope::RunsRead, Scope::Admin]),
        ("p", Scope::DEFAULT),
    ] {
        for handle in [few.clone(), few.acting_as("x", None).unwrap()] {
            assert_eq!(code(handle.scoped(project, scopes).map(drop)), ErrorCode::PermissionDenied);
        }
    }
    let none = few.scoped("p", &[]).unwrap();
    assert_eq!(code(none.runs().list(&ListRuns::default())), ErrorCode::PermissionDenied);
    assert_eq!(code(few.scoped("", &[]).map(drop)), ErrorCode::InvalidArgument);
    let admin = store.scoped("p", &[Scope::Admin]).unwrap();
    let other = admin.scoped("q", &[Scope::RunsRead]).unwrap();
    assert_eq!(code(other.scoped("p", &[]).map(drop)), ErrorCode::PermissionDenied, "what admin made is as narrow");
}
