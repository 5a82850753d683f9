//! Presets against published schemas and suites (the data folder: `SPRONGUS_TEST_DATA`, default ../shared/data).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sprongus::Violation;
use sprongus::json::Json;
use sprongus::presets::{BUILTINS, Compiled};
use sprongus_testkit::data_dir;

fn compile(schema: &Value) -> sprongus::Result<Compiled> {
    Compiled::new(&Json::from_value(schema)?)
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    found.sort();
    found
}

/// What came of a file of the suite.
#[derive(Default)]
struct Tally {
    passed: usize,
    refused: usize,
    failed: Vec<String>,
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

/// Documents that are not within the schema: the suite keeps them on a server of its own.
fn names_remote(schema: &Value) -> bool {
    schema.to_string().contains("http://localhost:1234")
}

fn holds_nul(schema: &Value) -> bool {
    schema.to_string().contains("\\u0000")
}

fn run(path: &Path, draft: &str, tally: &mut Tally) {
    for group in read(path).as_array().unwrap() {
        let schema = in_draft(&group["schema"], draft);
        let name = format!("{draft}/{}: {}", path.file_name().unwrap().to_string_lossy(), group["description"]);
        let compiled = match compile(&schema) {
            Ok(compiled) => compiled,
            Err(_) if names_remote(&schema) || holds_nul(&schema) => {
                tally.refused += 1;
                continue;
            }
            Err(error) => {
                tally.failed.push(format!("{name}: {error}"));
                continue;
            }
        };
        if holds_nul(&schema) {
            tally.failed.push(format!("{name}: NUL accepted"));
        }
        for test in group["tests"].as_array().unwrap() {
            // DESIGN.md §6: `format` is asserted, also by the drafts whose default it is not.
            let asserted = test["description"].as_str().unwrap().ends_with("is only an annotation by default");
            if compiled.validate(&test["data"]).is_empty() == (test["valid"].as_bool().unwrap() && !asserted) {
                tally.passed += 1;
            } else {
                tally.failed.push(format!("{name}: {}", test["description"]));
            }
        }
    }
}

#[test]
fn json_schema_suite_required() {
    let Some(data) = data_dir() else { return };
    let mut tally = Tally::default();
    for draft in ["draft7", "draft2020-12"] {
        for path in files(&data.join("json-schema-suite/tests").join(draft)) {
            run(&path, draft, &mut tally);
        }
    }
    println!("required: {} passed, {} groups refused", tally.passed, tally.refused);
    assert_eq!(tally.failed, Vec::<String>::new());
    assert!(tally.passed > 1_000 && tally.refused > 0);
}

#[test]
fn json_schema_suite_optional() {
    let Some(data) = data_dir() else { return };
    let mut tally = Tally::default();
    for draft in ["draft7", "draft2020-12"] {
        for path in files(&data.join("json-schema-suite/tests").join(draft).join("optional")) {
            run(&path, draft, &mut tally);
        }
    }
    println!("optional: {} passed, {} groups refused; exceptions: {:#?}", tally.passed, tally.refused, tally.failed);
    assert!(tally.failed.len() * 50 <= tally.passed, "{:#?}", tally.failed);
}

#[test]
fn remote_references_are_refused_never_fetched() {
    let Some(data) = data_dir() else { return };
    for draft in ["draft7", "draft2020-12"] {
        let path = data.join("json-schema-suite/tests").join(draft).join("refRemote.json");
        for group in read(&path).as_array().unwrap() {
            let error = compile(&in_draft(&group["schema"], draft)).expect_err(&group["description"].to_string());
            assert_eq!(error.code().as_str(), "validation");
            assert_eq!(error.violations_list()[0].keyword, "$ref", "{error}");
        }
    }
}

/// Judges the documents of `positive` and `negative`; the names of the negative ones that pass.
fn positive_and_negative(folder: &Path, schema: &Path) -> (usize, Vec<String>) {
    let compiled = compile(&read(schema)).unwrap();
    for path in files(&folder.join("positive")) {
        assert_eq!(compiled.validate(&read(&path)), [], "{}", path.display());
    }
    let negative = files(&folder.join("negative"));
    let passed = negative.iter().filter(|path| compiled.validate(&read(path)).is_empty());
    (negative.len(), passed.map(|path| path.display().to_string()).collect())
}

#[test]
fn published_schemas() {
    let Some(data) = data_dir() else { return };
    let mut judged = 0;
    for folder in
        fs::read_dir(data.join("schemastore")).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir())
    {
        let (count, passed) = positive_and_negative(&folder, &folder.join("schema.json"));
        assert_eq!(passed, Vec::<String>::new());
        judged += count;
    }
    assert!(judged >= 100);
}

#[test]
fn openapi() {
    let Some(data) = data_dir() else { return };
    let folder = data.join("openapi/openapi-3.1");
    let (count, passed) = positive_and_negative(&folder, &folder.join("schema.json"));
    assert_eq!((count, passed), (11, Vec::new()));
}

/// Upstream's validator puts a surplus property at its object and names it in the message.
fn expected(errors: &Value) -> BTreeSet<(String, String)> {
    let of = |error: &Value| {
        let keyword = error["keyword"].as_str().unwrap().to_owned();
        let message = error["message"].as_str().unwrap();
        if keyword != "additionalProperties" {
            return vec![(error["path"].as_str().unwrap().to_owned(), keyword)];
        }
        message.split('\'').skip(1).step_by(2).map(|name| (format!("/{name}"), keyword.clone())).collect()
    };
    errors.as_array().unwrap().iter().flat_map(of).collect()
}

fn found(violations: Vec<Violation>) -> BTreeSet<(String, String)> {
    violations.into_iter().map(|one| (one.path, one.keyword)).collect()
}

#[test]
fn citations_against_the_csl_item_schema() {
    let Some(data) = data_dir() else { return };
    let folder = data.join("citations");
    let compiled = compile(&read(&folder.join("schema/csl-item.derived.json"))).unwrap();
    let mut invalid = 0;
    for (file, wanted) in read(&folder.join("expected-invalid.json")).as_object().unwrap() {
        let items = read(&folder.join(file));
        let refused: Vec<&Value> = wanted["invalid_items"].as_array().unwrap().iter().collect();
        for (index, item) in items.as_array().unwrap().iter().enumerate() {
            let known = refused.iter().find(|one| one["index"] == json!(index)).map(|one| expected(&one["errors"]));
            invalid += usize::from(known.is_some());
            assert_eq!(found(compiled.validate(item)), known.unwrap_or_default(), "{file}[{index}]");
        }
    }
    assert_eq!(invalid, 5);
}

#[test]
fn built_in_presets_take_real_records() {
    let Some(data) = data_dir() else { return };
    let compiled: Vec<Compiled> =
        BUILTINS.iter().map(|builtin| Compiled::new(&builtin.definition()).unwrap()).collect();
    for file in ["assets/tate_artworks_500.jsonl", "assets/cmoa/cmoa_things_300.jsonl"] {
        for line in fs::read_to_string(data.join(file)).unwrap().lines() {
            assert_eq!(compiled[0].validate(&serde_json::from_str(line).unwrap()), [], "{file}");
        }
    }
    for path in files(&data.join("citations")).iter().filter(|path| !path.ends_with("expected-invalid.json")) {
        for item in read(path).as_array().unwrap() {
            assert_eq!(compiled[1].validate(item), [], "{}", path.display());
        }
    }
}
