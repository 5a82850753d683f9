//! Credentials where they would be stored: each is refused.

use std::time::Duration;

use serde_json::{Value, json};
use sprongus::artifacts::PutArtifact;
use sprongus::aux_store::{BulkOptions, ImportOptions, Mode, OnError, PutProfile, UpdateOptions};
use sprongus::inbox::Accept;
use sprongus::presets::{BindPreset, CreatePreset, PresetKind};
use sprongus::runs::approvals::{Decide, RequestApproval};
use sprongus::runs::schedules::PutSchedule;
use sprongus::runs::{Cancel, Claim, Enqueue, EnqueueMany};
use sprongus::{Error, ErrorCode, Store, ops};
use sprongus_testkit::temp_file;

use crate::grep::Grep;
use crate::planted::{json_of, map, secret};

/// A document that holds it under a telling key, within a URL, and as a key.
fn telling(way: &str) -> Value {
    let secret = secret(way);
    json!({"n": 1, "Api-Key": secret, "url": format!("https://ann:{secret}@example.org"), "deep": [{"password": [secret]}]})
}

/// Everything that stores what a host gives.
pub(crate) fn all(store: &Store, grep: &mut Grep) {
    runs(store, grep);
    documents(store, grep);
    files(store, grep);
    others(store, grep);
    the_door(store, grep);
}

fn refused<T: std::fmt::Debug>(grep: &mut Grep, result: sprongus::Result<T>) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), ErrorCode::SecretDetected);
    grep.error(&error);
}

fn runs(store: &Store, grep: &mut Grep) {
    let run = |way| Enqueue::new("k", json_of(&telling(way)));
    refused(grep, store.runs().enqueue(&run("enqueue")));
    refused(grep, store.runs().enqueue_many(&EnqueueMany { items: vec![run("enqueue_many")] }));
    let mail = Accept { enqueue: Some(run("inbox")), ..Accept::new("mail", "m-1") };
    refused(grep, store.inbox().accept(&mail));
    let mut schedule = PutSchedule::new("nightly", "k");
    schedule.every = Some(Duration::from_secs(3600));
    schedule.input = json_of(&telling("schedule"));
    refused(grep, store.schedules().put(&schedule));
    refused(grep, store.transaction(|tx| tx.runs().enqueue(&run("transaction"))));
    store.runs().enqueue(&Enqueue::new("held", json_of(&json!(1)))).unwrap();
    let held = store.runs().claim_next(&Claim::new("w")).unwrap().remove(0);
    let ask = |way| RequestApproval {
        metadata: json_of(&telling(way)),
        ..RequestApproval::new(&held.id, held.lease, "scope", "does it")
    };
    refused(grep, store.approvals().request(&ask("approval")));
    store.approvals().request(&RequestApproval { metadata: json_of(&json!({})), ..ask("no approval") }).unwrap();
    let decide =
        Decide { scope: "scope".into(), metadata: json_of(&telling("decision")), ..Decide::new(&held.id, "ann") };
    refused(grep, store.approvals().approve(&decide));
    store.runs().cancel(&Cancel::new(&held.id)).unwrap();
}

fn documents(store: &Store, grep: &mut Grep) {
    let aux = store.aux("p", "assets");
    refused(grep, aux.create(telling("create"), None));
    refused(grep, aux.upsert(telling("upsert"), Some("a"), false));
    aux.create(json!({"n": 0}), Some("a")).unwrap();
    refused(grep, aux.update("a", telling("update"), UpdateOptions::default()));
    let key = json!({ format!("https://ann:{}@example.org", secret("key")): 1 });
    refused(grep, aux.update("a", key, UpdateOptions::default()));
    for on_error in [OnError::Abort, OnError::Report] {
        let options = BulkOptions { mode: Mode::Merge, on_error, dry_run: false };
        match aux.bulk_upsert([Ok(telling("bulk"))], options, &mut |_, _| Ok(())) {
            Ok(report) => {
                assert_eq!(report.errors[0].keyword, "secret");
                grep.text("reports of bulk writes and imports", &format!("{report:?}"));
            }
            Err(error) => grep.error(&error),
        }
    }
    marked(store, grep);
}

/// A field that a preset marks, with a value that has no look of one.
fn marked(store: &Store, grep: &mut Grep) {
    let fields = json!({"fields": [{"name": "plain", "type": "string", "secret": true}, {"name": "one", "type": "enum", "enumValues": ["a"]}]});
    store.presets().create(&CreatePreset::new("marked", PresetKind::Custom, json_of(&fields))).unwrap();
    let bind = BindPreset { table: "marked".into(), address: "marked".into(), ..Default::default() };
    store.presets().bind(&bind).unwrap();
    for document in [json!({"plain": secret("x-secret")}), json!({"one": secret("enum")})] {
        let error = store.aux("p", "marked").create(document, None).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Validation);
        grep.error(&error);
    }
}

fn files(store: &Store, grep: &mut Grep) {
    let secret = secret("file");
    let rows = [
        ("a.csv", format!("id,api_key,url\nx,{secret},\ny,,https://u:{secret}@h\n")),
        ("a.json", format!(r#"[{{"id":"x","token":"{secret}"}}]"#)),
        ("a.jsonl", format!(r#"{{"id":"x","token":"{secret}"}}"#)),
        ("broken.csv", format!("id,token\nx,\"{secret}\ny")),
        ("broken.json", format!(r#"[{{"id":"x","token":"{secret}""#)),
    ];
    for (name, text) in rows {
        let (_folder, path) = temp_file(name);
        std::fs::write(&path, text).unwrap();
        for on_error in [OnError::Abort, OnError::Report] {
            let bulk = BulkOptions { mode: Mode::Merge, on_error, dry_run: false };
            let options = ImportOptions { bulk, ..ImportOptions::default() };
            match store.aux("p", "assets").import(&path, &options, &mut |_, _| Ok(())) {
                Ok(report) => {
                    assert!(!report.errors.is_empty() && report.created == 0, "{name}");
                    grep.text("reports of bulk writes and imports", &format!("{report:?}"));
                }
                Err(error) => grep.error(&error),
            }
        }
    }
}

fn others(store: &Store, grep: &mut Grep) {
    let config = map(telling("profile"));
    refused(grep, store.providers().put(&PutProfile { name: "a".into(), kind: "csv".into(), config }));
    let put = PutArtifact { metadata: Some(json_of(&telling("artifact"))), ..PutArtifact::text("report", "a", "x") };
    refused(grep, store.artifacts().put(&put));
    let definition = json!({"properties": {"a": {"default": telling("preset")["url"]}}});
    refused(grep, store.presets().create(&CreatePreset::new("d", PresetKind::Custom, json_of(&definition))));
}

/// The JSON door, where requests are texts: some of them are none.
fn the_door(store: &Store, grep: &mut Grep) {
    let secret = secret("door");
    let told = telling("door");
    let requests = [
        ("runs.enqueue", json!({"kind": "k", "input": told}).to_string()),
        ("aux.create", json!({"project": "p", "table": "assets", "payload": told}).to_string()),
        ("aux.bulk_upsert", json!({"project": "p", "table": "assets", "items": [told]}).to_string()),
        ("providers.put", json!({"name": "a", "kind": "csv", "config": told}).to_string()),
        ("runs.enqueue", format!(r#"{{"kind": "k", "input": {{"token": "{secret}", "token": "{secret}"}}}}"#)),
        ("runs.enqueue", format!(r#"{{"kind": "k", "input": {{"token": "{secret}"#)),
        ("runs.enqueue", json!({"kind": "k", "maxAttempts": secret}).to_string()),
        ("aux.create", json!({"project": "p", "table": "assets", "payload": secret}).to_string()),
    ];
    for (operation, request) in requests {
        let answer: Result<_, Error> = ops::call(store, operation, request.as_bytes());
        grep.error(&answer.unwrap_err());
    }
}
