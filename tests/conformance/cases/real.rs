//! Published data and suites through the store (`SPRONGUS_TEST_DATA`, default ../shared/data).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sprongus::aux_store::{BulkOptions, Format, ImportOptions, ListQuery, OnError};
use sprongus::presets::{BindPreset, CreatePreset, PresetKind, ValidatePayload};
use sprongus::runs::{Enqueue, GetRun, ListRuns};
use sprongus::{ErrorCode, Json, Store, Violation, ops};
use sprongus_conformance::{Case, Env};
use sprongus_testkit::data_dir;

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, covers, run| Case { name, covers, transactional: false, run };
    vec![
        case("real::json_suite_at_the_edge", &["runs.enqueue"], json_edge),
        case("real::citations_against_their_schema", &["aux.import"], citations),
        case("real::json_schema_suite", &["presets.validate"], schema_suite),
        case("real::webhooks_as_inputs", &["runs.enqueue"], webhooks),
    ]
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    found.sort();
    assert!(!found.is_empty(), "{} holds no JSON", folder.display());
    found
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Valid by RFC 8259, and refused by the rules of DESIGN.md §3: duplicate keys, a NUL.
const REFUSED: &[&str] =
    &["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json", "y_string_null_escape.json"];

fn json_edge(env: &Env) {
    let Some(data) = data_dir() else { return };
    let store = env.open();
    let mut accepted = 0;
    for path in files(&data.join("json-parsing/test_parsing")) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read(&path).unwrap();
        let mut request = br#"{"kind":"json","input":"#.to_vec();
        request.extend_from_slice(&text);
        request.push(b'}');
        match (Json::parse(&text), ops::call(&store, "runs.enqueue", &request)) {
            (Ok(document), Ok(run)) => {
                assert!(!name.starts_with("n_"), "{name} was accepted");
                let run: Value = serde_json::from_str(&run).unwrap();
                let kept = store.runs().get(&GetRun::new(run["id"].as_str().unwrap())).unwrap();
                assert_eq!(kept.input, document, "{name}");
                accepted += 1;
            }
            (Err(alone), Err(within)) => {
                assert!(!name.starts_with("y_") || REFUSED.contains(&name.as_str()), "{name}: {alone}");
                assert_eq!((alone.code(), within.code()), (ErrorCode::Validation, ErrorCode::Validation), "{name}");
                assert_eq!(alone.violations_list()[0].keyword, "json", "{name}");
            }
            (alone, within) => panic!("{name}: {alone:?} alone, {within:?} within a request"),
        }
    }
    let kept = store.runs().list(&ListRuns { limit: 1000, ..ListRuns::default() }).unwrap();
    assert_eq!(kept.items.len(), accepted, "what was refused wrote nothing");
}

fn citations(env: &Env) {
    let Some(data) = data_dir() else { return };
    let folder = data.join("citations");
    let mut schema = read(&folder.join("schema/csl-item.derived.json"));
    schema["properties"]["id"]["x-id"] = json!(true);
    let store = env.open();
    bind(&store, "csl", &schema);
    let mut refused = 0;
    for (file, wanted) in read(&folder.join("expected-invalid.json")).as_object().unwrap() {
        refused += citations_of(&store, &folder.join(file), wanted);
    }
    assert_eq!(refused, 5);
}

fn bind(store: &Store, table: &str, schema: &Value) {
    let preset = CreatePreset::new(table, PresetKind::Custom, Json::from_value(schema).unwrap());
    store.presets().create(&preset).unwrap();
    store
        .presets()
        .bind(&BindPreset { table: table.to_owned(), address: table.to_owned(), ..BindPreset::default() })
        .unwrap();
}

fn citations_of(store: &Store, path: &Path, wanted: &Value) -> usize {
    let project = path.file_stem().unwrap().to_str().unwrap();
    let table = store.aux(project, "csl");
    let quiet = &mut |_, _| Ok(());
    let abort = ImportOptions { format: Some(Format::Json), ..ImportOptions::default() };
    let report =
        ImportOptions { bulk: BulkOptions { on_error: OnError::Report, ..BulkOptions::default() }, ..abort.clone() };
    let invalid: BTreeMap<u64, &Value> = wanted["invalid_items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["index"].as_u64().unwrap() + 1, &item["errors"]))
        .collect();
    if !invalid.is_empty() {
        assert_eq!(table.import(path, &abort, quiet).unwrap_err().code(), ErrorCode::Validation);
        assert_eq!(table.count(None, None).unwrap(), 0, "abort left something behind");
    }
    let report = table.import(path, &report, quiet).unwrap();
    let mut found: BTreeMap<u64, BTreeSet<(String, String)>> = BTreeMap::new();
    for Violation { row, path, keyword, .. } in report.errors {
        found.entry(row.unwrap()).or_default().insert((path, keyword));
    }
    let expected: BTreeMap<u64, _> = invalid.iter().map(|(row, errors)| (*row, places(errors))).collect();
    assert_eq!(found, expected, "{project}");
    let items = read(path);
    let ids: BTreeSet<String> = items
        .as_array()
        .unwrap()
        .iter()
        .zip(1..)
        .filter(|(_, row)| !invalid.contains_key(row))
        .map(|(item, _)| item["id"].as_str().map_or_else(|| item["id"].to_string(), str::to_owned))
        .collect();
    assert_eq!(table.count(None, None).unwrap(), ids.len() as u64, "{project}");
    let page = table.list(&ListQuery { limit: 1000, ..ListQuery::default() }).unwrap();
    assert_eq!(page.items.iter().map(|entry| entry.id.clone()).collect::<BTreeSet<_>>(), ids, "{project}");
    invalid.len()
}

/// Upstream's validator puts a surplus property at its object and names it in the message.
fn places(errors: &Value) -> BTreeSet<(String, String)> {
    let of = |error: &Value| {
        let keyword = error["keyword"].as_str().unwrap().to_owned();
        if keyword != "additionalProperties" {
            return vec![(error["path"].as_str().unwrap().to_owned(), keyword)];
        }
        let message = error["message"].as_str().unwrap();
        message.split('\'').skip(1).step_by(2).map(|name| (format!("/{name}"), keyword.clone())).collect()
    };
    errors.as_array().unwrap().iter().flat_map(of).collect()
}

fn schema_suite(env: &Env) {
    let Some(data) = data_dir() else { return };
    let store = env.open();
    let mut tally = Tally::default();
    for draft in ["draft7", "draft2020-12"] {
        for path in files(&data.join("json-schema-suite/tests").join(draft)) {
            for group in read(&path).as_array().unwrap() {
                tally.group(&store, draft, group);
            }
        }
    }
    assert_eq!(tally.failed, Vec::<String>::new());
    assert!(tally.judged > 1_000 && tally.refused > 0, "{} judged, {} refused", tally.judged, tally.refused);
}

#[derive(Default)]
struct Tally {
    judged: usize,
    refused: usize,
    presets: usize,
    failed: Vec<String>,
}

impl Tally {
    fn group(&mut self, store: &Store, draft: &str, group: &Value) {
        let schema = in_draft(&group["schema"], draft);
        let text = schema.to_string();
        // Text that no document may hold; and documents elsewhere, unless the URL is only a name of the schema's own.
        let nul = text.contains("\\u0000");
        let remote = text.contains("http://localhost:1234");
        self.presets += 1;
        let label = format!("suite-{}", self.presets);
        let created = Json::from_value(&schema)
            .and_then(|definition| store.presets().create(&CreatePreset::new(&label, PresetKind::Custom, definition)));
        match created {
            Err(error) if (nul || remote) && error.code() == ErrorCode::Validation => self.refused += 1,
            Err(error) => self.failed.push(format!("{draft} {}: {error}", group["description"])),
            Ok(_) if nul => self.failed.push(format!("{draft} {}: accepted", group["description"])),
            Ok(_) => self.tests(store, draft, &label, group),
        }
    }

    fn tests(&mut self, store: &Store, draft: &str, label: &str, group: &Value) {
        for test in group["tests"].as_array().unwrap() {
            let description = test["description"].as_str().unwrap();
            // DESIGN.md §6: `format` is asserted, also by the drafts whose default it is not.
            let asserted = description.ends_with("is only an annotation by default");
            let payload = Json::from_value(&test["data"]).unwrap();
            let violations = store.presets().validate(&ValidatePayload { address: label.to_owned(), payload }).unwrap();
            self.judged += 1;
            if violations.is_empty() != (test["valid"].as_bool().unwrap() && !asserted) {
                self.failed.push(format!("{draft} {}: {description}", group["description"]));
            }
        }
    }
}

fn in_draft(schema: &Value, draft: &str) -> Value {
    match schema {
        Value::Object(map) if !map.contains_key("$schema") && draft == "draft7" => {
            let mut map = map.clone();
            map.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
            Value::Object(map)
        }
        other => other.clone(),
    }
}

fn webhooks(env: &Env) {
    let Some(data) = data_dir() else { return };
    let store = env.open();
    let mut paths = Vec::new();
    walk(&data.join("run-inputs"), &mut paths);
    let mut outcomes = BTreeMap::from([("kept", 0), ("refused", 0), ("too large", 0)]);
    for path in paths {
        let text = std::fs::read(&path).unwrap();
        let input = match Json::parse(&text) {
            Ok(input) => input,
            Err(error) => {
                // Integers past 2^127 and a bare NaN.
                assert_eq!(error.code(), ErrorCode::Validation, "{}", path.display());
                *outcomes.entry("refused").or_default() += 1;
                continue;
            }
        };
        match store.runs().enqueue(&Enqueue::new("webhook", input.clone())) {
            Ok(run) => {
                assert_eq!(store.runs().get(&GetRun::new(&run.id)).unwrap().input, input, "{}", path.display());
                *outcomes.entry("kept").or_default() += 1;
            }
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::TooLarge, "{}: {error}", path.display());
                assert!(input.as_str().len() > 1 << 20, "{}", path.display());
                *outcomes.entry("too large").or_default() += 1;
            }
        }
    }
    assert!(outcomes["kept"] >= 40 && outcomes["refused"] >= 1, "{outcomes:?}");
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json" || extension == "otio") {
            found.push(path);
        }
    }
    found.sort();
}
