//! Real webhook payloads held against their published schemas, by presets bound to run kinds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sprongus::presets::{BindRunPreset, CreatePreset, PresetKind};
use sprongus::runs::{Claim, Enqueue, EnqueueMany, FindIdempotent, ListRuns};
use sprongus::{ErrorCode, Json, Store};
use sprongus_conformance::{Case, Env};
use sprongus_testkit::data_dir;

use super::{case, code};

pub(super) fn cases() -> Vec<Case> {
    const OPERATIONS: &[&str] = &["presets.bind_run", "runs.enqueue", "runs.enqueue_many"];
    vec![case("runs::webhooks_are_held_against_their_schemas", OPERATIONS, false, webhooks)]
}

/// Payloads by the event they are of.
fn payloads(folder: &std::path::Path, events: &BTreeSet<String>) -> BTreeMap<String, Vec<Value>> {
    let mut all = BTreeMap::<String, Vec<Value>>::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(name) = name.strip_suffix(".payload.json") else { continue };
        let event = name.split('.').next().unwrap();
        if events.contains(event) {
            let payload = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            all.entry(event.to_owned()).or_default().push(payload);
        }
    }
    all
}

/// The names of the definitions that a schema refers to.
fn references(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            let reference = members.get("$ref").and_then(Value::as_str);
            found.extend(reference.and_then(|at| at.strip_prefix("#/definitions/")).map(str::to_owned));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// The schema of one event, with those definitions of the whole that it needs.
fn schema_of(event: &str, definitions: &Map<String, Value>) -> Json {
    let (mut needed, mut open) = (Map::new(), vec![event.to_owned()]);
    while let Some(name) = open.pop() {
        let definition = &definitions[&name];
        if needed.insert(name, definition.clone()).is_none() {
            references(definition, &mut open);
        }
    }
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "allOf": [{ "$ref": format!("#/definitions/{event}") }],
        "definitions": needed,
    });
    Json::from_value(&schema).unwrap()
}

fn bind(store: &Store, event: &str, schema: Json) {
    store.presets().create(&CreatePreset::new(format!("hook-{event}"), PresetKind::RunInput, schema)).unwrap();
    let binding = BindRunPreset { kind: format!("hook/{event}"), address: format!("hook-{event}@1"), project: None };
    store.presets().bind_run(&binding).unwrap();
}

fn hook(event: &str, input: &Value) -> Enqueue {
    Enqueue::new(format!("hook/{event}"), Json::from_value(input).unwrap())
}

fn webhooks(env: &Env) {
    let Some(data) = data_dir() else { return };
    let folder = data.join("run-inputs/github-webhooks");
    let text = std::fs::read(folder.join("_schema/octokit-webhooks.schema.json")).unwrap();
    let whole: Value = serde_json::from_slice(&text).unwrap();
    let definitions = whole["definitions"].as_object().unwrap();
    // An event has one schema, or is one of several by its action.
    let named: BTreeSet<String> =
        definitions.keys().filter_map(|name| Some(name.strip_suffix("_event")?.to_owned())).collect();
    let payloads = payloads(&folder, &named);
    let store = env.open();
    let mut taken = 0;
    for (event, inputs) in &payloads {
        bind(&store, event, schema_of(&format!("{event}_event"), definitions));
        let items: Vec<Enqueue> = inputs.iter().map(|input| hook(event, input)).collect();
        for (run, input) in store.runs().enqueue_many(&EnqueueMany::new(items)).unwrap().iter().zip(inputs) {
            assert_eq!(run.input, Json::from_value(input).unwrap());
            taken += 1;
        }
    }
    assert!(taken >= 25 && payloads.len() >= 15, "{taken} payloads of {} events", payloads.len());
    let refused = refused(&store, &payloads);
    assert!(refused >= 2 * payloads.len(), "{refused}");
    let runs = store.runs().list(&ListRuns { limit: 1000, ..ListRuns::default() }).unwrap();
    assert_eq!(runs.len(), taken, "what was refused was not written");
    let hooks = Claim { kinds: Some(vec!["hook/*".to_owned()]), limit: 1000, ..Claim::new("w") };
    assert_eq!(store.runs().claim_next(&hooks).unwrap().len(), taken);
}

/// Damaged payloads, each by every way in; how many.
fn refused(store: &Store, payloads: &BTreeMap<String, Vec<Value>>) -> usize {
    let mut refused = 0;
    for (event, inputs) in payloads {
        let mut damaged = inputs[0].clone();
        damaged["sender"] = json!(5);
        let mut bare = inputs[0].clone();
        bare.as_object_mut().unwrap().clear();
        for input in [&damaged, &bare, &Value::Null] {
            let error = store.runs().enqueue(&hook(event, input)).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Validation, "{event}: {error}");
            assert!(!error.violations_list().is_empty());
            let items = vec![hook(event, &inputs[0]), hook(event, input)];
            let many = store.runs().enqueue_many(&EnqueueMany::new(items)).unwrap_err();
            assert_eq!(many.details().unwrap()["item"], 1, "{event}");
            let made = store.runs().ensure_idempotent(&FindIdempotent::new("k"), || Ok(hook(event, input)));
            assert_eq!(code(made), ErrorCode::Validation, "{event}");
            refused += 1;
        }
    }
    refused
}
