//! `include/schema/*.json` is what the table of operations says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use sprongus::ops;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../include/schema")
}

fn current() -> BTreeMap<String, String> {
    let text = |operation: &ops::Operation| serde_json::to_string_pretty(&operation.schema()).unwrap() + "\n";
    let operations = ops::all().iter().map(|operation| (format!("{}.json", operation.name), text(operation)));
    operations.chain([sync_input()]).collect()
}

/// What runs of the kind `sync.aux/TABLE` take: no operation's request.
fn sync_input() -> (String, String) {
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(sprongus::aux_store::SyncInput)).unwrap();
    ("sync.aux.json".to_owned(), schema + "\n")
}

/// With `SPRONGUS_GENERATE=1` the files are written instead.
#[test]
fn the_generated_schemas_are_committed() {
    let current = current();
    if std::env::var_os("SPRONGUS_GENERATE").is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        for (name, text) in &current {
            std::fs::write(folder().join(name), text).unwrap();
        }
    }
    let mut found = BTreeMap::new();
    for file in std::fs::read_dir(folder()).expect("include/schema: run `make generate`") {
        let path = file.unwrap().path();
        found.insert(path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap());
    }
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&current), "files and operations differ: run `make generate`, remove what is gone");
    for (name, text) in &current {
        assert_eq!(&found[name], text, "{name} is out of date: run `make generate`");
    }
}

#[test]
fn every_schema_compiles_and_is_documented() {
    for operation in ops::all() {
        let schema = operation.schema();
        jsonschema::draft202012::new(&schema).unwrap_or_else(|error| panic!("{}: {error}", operation.name));
        assert!(operation.summary.ends_with('.'), "{} has no summary", operation.name);
    }
}

#[test]
fn names_are_unique_and_ordered() {
    let names: Vec<_> = ops::all().iter().map(|operation| operation.name).collect();
    assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
    assert!(names.iter().all(|name| ops::find(name).unwrap().name == *name));
}
