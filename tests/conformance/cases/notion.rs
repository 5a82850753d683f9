//! Tables synced with a Notion data source: a server on this host that behaves as the published API does.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sprongus::artifacts::ArtifactId;
use sprongus::aux_store::{Entry, OnReferenced, Policy, ProfileName, PutProfile, SyncDiff, SyncTable, UpdateOptions};
use sprongus::presets::{BindPreset, CreatePreset, PresetKind};
use sprongus::runs::{GetRun, RunEvents};
use sprongus::{ErrorCode, Options, Run, RunState, Store, WorkerOptions};
use sprongus_conformance::{Case, Env};
use sprongus_testkit::{Fault, NotionServer};

use crate::runs::{code, json as parsed};

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, run| Case { name, covers: &[], transactional: false, run };
    vec![
        case("notion::a_table_and_a_data_source_become_the_same", both_ways),
        case("notion::conflicts_are_decided_by_the_policy", conflicts),
        case("notion::a_worker_bears_what_passes", worked),
        case("notion::a_push_that_broke_off_is_done_once", broken_off),
        case("notion::a_pull_that_broke_off_changes_nothing", broken_pull),
        case("notion::the_token_is_nowhere", token),
    ]
}

const PROPERTIES: &[(&str, &str)] =
    &[("Name", "title"), ("Key", "rich_text"), ("Year", "number"), ("Tags", "multi_select")];

fn text(content: &str) -> Value {
    json!([{ "type": "text", "text": { "content": content } }])
}

fn page(key: &str, name: &str, year: i64) -> Value {
    json!({ "Key": { "rich_text": text(key) }, "Name": { "title": text(name) }, "Year": { "number": year } })
}

/// A store whose table `books` has a profile `wiki` of that server.
fn store(env: &Env, server: &NotionServer) -> Store {
    let resolver = |name: &str| match name {
        "NOTION_TOKEN" => Ok(NotionServer::TOKEN.to_owned()),
        other => Err(sprongus::Error::not_found(format!("no secret {other}"))),
    };
    let backoff = Duration::from_millis(10);
    let options =
        Options { secrets: Some(Arc::new(resolver)), backoff_base: backoff, backoff_cap: backoff, ..env.options() };
    let store = env.open_with(options);
    let definition = json!({"fields": [
        {"name": "title", "type": "string", "required": true},
        {"name": "year", "type": "integer"},
        {"name": "tags", "type": "json"}]});
    store.presets().create(&CreatePreset::new("books", PresetKind::Custom, parsed(&definition.to_string()))).unwrap();
    let bind =
        BindPreset { table: "books".into(), address: "books".into(), project: None, dry_run: false, force: false };
    store.presets().bind(&bind).unwrap();
    put(&store, server, "wiki", json!({ "$secret": "NOTION_TOKEN" }));
    store
}

fn put(store: &Store, server: &NotionServer, name: &str, token: Value) {
    let mut config = server.config(&token);
    config["idProperty"] = json!("Key");
    config["properties"] = json!({ "title": "Name", "year": "Year", "tags": "Tags" });
    let config = config.as_object().unwrap().clone();
    store.providers().put(&PutProfile { name: name.into(), kind: "notion".into(), config }).unwrap();
}

fn sync(store: &Store, sync: &SyncTable) -> sprongus::Result<Run> {
    store.aux("p", "books").sync(sync)
}

fn wiki() -> SyncTable {
    SyncTable::new("books", "wiki")
}

fn diff(store: &Store, run: &Run) -> SyncDiff {
    let id = run.output_ref.as_deref().unwrap().strip_prefix("artifact:").unwrap();
    SyncDiff::parse(&store.artifacts().get(&ArtifactId::new(id)).unwrap().content.unwrap()).unwrap()
}

fn entry(store: &Store, id: &str) -> Entry {
    store.aux("p", "books").get(id).unwrap()
}

fn payload(store: &Store, id: &str) -> Value {
    entry(store, id).payload.to_value()
}

fn update(store: &Store, id: &str, patch: Value) {
    store.aux("p", "books").update(id, patch, UpdateOptions::default()).unwrap();
}

/// The page of that key.
fn at_notion(server: &NotionServer, key: &str) -> Option<Value> {
    let of_key = |page: &Value| page["properties"]["Key"]["rich_text"][0]["plain_text"] == key;
    server.pages().into_iter().find(of_key)
}

fn year(server: &NotionServer, key: &str) -> Value {
    at_notion(server, key).unwrap()["properties"]["Year"]["number"].clone()
}

fn both_ways(env: &Env) {
    let server = NotionServer::start(PROPERTIES);
    let ids: Vec<String> = (0..230).map(|n| server.add(&page(&format!("b-{n}"), &format!("Book {n}"), n))).collect();
    let store = store(env, &server);
    let run = sync(&store, &wiki()).unwrap();
    assert_eq!(diff(&store, &run).counts.created, 230);
    assert_eq!(payload(&store, "b-7"), json!({ "title": "Book 7", "year": 7 }));
    // Each side changes, makes and deletes something.
    server.change(&ids[0], &json!({ "Year": { "number": 1000 } }));
    server.add(&page("new-there", "New there", 1));
    server.trash(&ids[1], true);
    update(&store, "b-2", json!({ "year": 2000, "tags": ["old"] }));
    store.aux("p", "books").create(json!({ "title": "New here" }), Some("new-here")).unwrap();
    store.aux("p", "books").delete("b-3", OnReferenced::Restrict).unwrap();
    let counts = diff(&store, &sync(&store, &wiki()).unwrap()).counts;
    assert_eq!((counts.created, counts.updated, counts.deleted, counts.conflicts), (1, 1, 1, 0));
    assert_eq!((counts.pushed_created, counts.pushed_updated, counts.pushed_deleted), (1, 1, 1));
    assert_eq!(payload(&store, "b-0")["year"], 1000);
    assert_eq!(payload(&store, "new-there"), json!({ "title": "New there", "year": 1 }));
    assert_eq!(code(store.aux("p", "books").get("b-1")), ErrorCode::NotFound);
    assert_eq!(year(&server, "b-2"), 2000);
    assert_eq!(at_notion(&server, "new-here").unwrap()["properties"]["Name"]["title"][0]["plain_text"], "New here");
    assert!(at_notion(&server, "b-3").is_none());
    // Now both are the same, and stay so.
    let made = server.requests().len();
    let again = diff(&store, &sync(&store, &wiki()).unwrap());
    assert_eq!(again.items, []);
    let asked = server.requests().split_off(made);
    assert!(asked.iter().all(|line| !line.starts_with("PATCH") && !line.ends_with("/pages")), "{asked:?}");
    assert_eq!(store.aux("p", "books").count(None, None).unwrap(), server.pages().len() as u64);
}

fn conflicts(env: &Env) {
    let server = NotionServer::start(PROPERTIES);
    let id = server.add(&page("dune", "Dune", 1));
    let store = store(env, &server);
    sync(&store, &wiki()).unwrap();
    for (policy, here, there, after) in
        [(Policy::Manual, 2, 3, (2, 3)), (Policy::Local, 4, 5, (4, 4)), (Policy::Provider, 6, 7, (7, 7))]
    {
        update(&store, "dune", json!({ "year": here }));
        server.change(&id, &json!({ "Year": { "number": there } }));
        let run = sync(&store, &SyncTable { policy, ..wiki() }).unwrap();
        assert_eq!(diff(&store, &run).counts.conflicts, 1, "{policy:?}");
        let found = (payload(&store, "dune")["year"].clone(), year(&server, "dune"));
        assert_eq!(found, (json!(after.0), json!(after.1)), "{policy:?}");
    }
}

fn worked(env: &Env) {
    let server = NotionServer::start(PROPERTIES);
    server.add(&page("dune", "Dune", 1));
    let store = store(env, &server);
    store.aux("p", "books").create(json!({ "title": "Emma" }), Some("emma")).unwrap();
    for (request, fault) in [
        ("GET", Fault::Status(429, Some(1))),
        ("POST /v1/data_sources", Fault::Status(503, None)),
        ("POST /v1/pages", Fault::CutAfter),
    ] {
        server.fail(request, fault);
    }
    let run = sync(&store, &SyncTable { enqueue: true, ..wiki() }).unwrap();
    let worker = store.worker(WorkerOptions::default()).unwrap();
    worker.serve_sync().unwrap();
    worker.run_until_idle(Duration::from_millis(200)).unwrap();
    let run = store.runs().get(&GetRun::new(&run.id)).unwrap();
    assert_eq!((run.state, run.attempt, server.faults_left()), (RunState::Succeeded, 1, 0));
    assert_eq!((payload(&store, "dune")["year"].as_i64(), server.pages().len()), (Some(1), 2));
}

/// The push fails for good in its middle; the worker's next attempt does the rest.
fn broken_off(env: &Env) {
    let server = NotionServer::start(PROPERTIES);
    let store = store(env, &server);
    for n in 0..6 {
        store
            .aux("p", "books")
            .create(json!({ "title": format!("Book {n}"), "year": n }), Some(&format!("b-{n}")))
            .unwrap();
    }
    // Of three pages that are made the answers come; then Notion is away for longer than a request is tried.
    server.fail_after("POST /v1/pages", 3, Fault::Status(503, None), 5);
    let run = sync(&store, &SyncTable { enqueue: true, ..wiki() }).unwrap();
    let worker = store.worker(WorkerOptions::default()).unwrap();
    worker.serve_sync().unwrap();
    worker.run_until_idle(Duration::from_secs(1)).unwrap();
    let run = store.runs().get(&GetRun::new(&run.id)).unwrap();
    assert_eq!((run.state, run.attempt, server.faults_left()), (RunState::Succeeded, 2, 0), "{:?}", run.error);
    assert_eq!(server.pages().len(), 6);
    assert_eq!(diff(&store, &run).counts.conflicts, 0);
    assert_eq!(diff(&store, &sync(&store, &wiki()).unwrap()).items, []);
}

fn broken_pull(env: &Env) {
    let server = NotionServer::start(PROPERTIES);
    (0..150).for_each(|n| drop(server.add(&page(&format!("b-{n}"), "Book", n))));
    let store = store(env, &server);
    sync(&store, &wiki()).unwrap();
    // The second page of the pull is refused: what it would have held is not taken for deleted.
    server.fail_after("POST /v1/data_sources", 1, Fault::Status(403, None), 1);
    let error = sync(&store, &wiki()).unwrap_err();
    assert_eq!((error.code(), server.faults_left()), (ErrorCode::PermissionDenied, 0));
    assert_eq!(store.aux("p", "books").count(None, None).unwrap(), 150);
    // Nor what a query leaves out.
    server.limit_queries(40);
    assert_eq!(diff(&store, &sync(&store, &wiki()).unwrap()).items, []);
}

fn token(env: &Env) {
    let server = NotionServer::start(PROPERTIES);
    server.add(&page("dune", "Dune", 1));
    let store = store(env, &server);
    sync(&store, &wiki()).unwrap();
    server.fail_saying("GET", 400, &format!("is it {}?", NotionServer::TOKEN));
    let refused = sync(&store, &wiki()).unwrap_err();
    put(&store, &server, "unset", json!({ "$secret": "OTHER" }));
    let unset = sync(&store, &SyncTable::new("books", "unset")).unwrap_err();
    assert_eq!((refused.code(), unset.code()), (ErrorCode::Validation, ErrorCode::NotFound));
    let mut told = format!("{refused:?} {refused} {unset:?}");
    told += &format!("{:?}", store.providers().get(&ProfileName { name: "wiki".into() }).unwrap());
    for run in store.runs().list(&Default::default()).unwrap() {
        told += &format!("{run:?} {:?}", store.runs().events(&RunEvents::new(&run.id)).unwrap());
    }
    for table in ["runs", "events", "artifacts", "aux_entries", "aux_versions", "providers"] {
        for row in store.query(&format!("SELECT * FROM sprongus_{table}"), &[]).unwrap() {
            for value in row.values() {
                told += &match value {
                    sprongus::Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                    other => format!("{other:?}"),
                };
            }
        }
    }
    assert!(told.contains("NOTION_TOKEN"), "the reference is kept");
    assert!(!told.contains(NotionServer::TOKEN));
    let plain = server.config(&json!(NotionServer::TOKEN)).as_object().unwrap().clone();
    let plain = store.providers().put(&PutProfile { name: "plain".into(), kind: "notion".into(), config: plain });
    assert_eq!(code(plain), ErrorCode::SecretDetected);
}
