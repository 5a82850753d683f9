//! JSONTestSuite, where its files are at hand.

use std::fs;
use std::path::PathBuf;

use super::*;

/// Valid by RFC 8259, which leaves what they mean to the reader; refused here (DESIGN.md §3).
const REFUSED_BY_OUR_RULES: &[&str] =
    &["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json", "y_string_null_escape.json"];

fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let data = std::env::var_os("SPRONGUS_TEST_DATA").map(PathBuf::from);
    let data = data.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"));
    let Ok(entries) = fs::read_dir(data.join("json-parsing").join(folder)) else {
        println!("json-parsing/{folder} is not here: our own samples alone are tested");
        return Vec::new();
    };
    let read = |path: PathBuf| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap());
    entries.map(|entry| read(entry.unwrap().path())).collect()
}

#[test]
fn the_suite_is_answered_as_it_asks() {
    for (name, text) in files("test_parsing") {
        let result = Json::parse(&text);
        match &name[..2] {
            "y_" => assert_eq!(result.is_ok(), !REFUSED_BY_OUR_RULES.contains(&name.as_str()), "{name}"),
            "n_" => assert!(result.is_err(), "{name}"),
            _ => {}
        }
        match result {
            Ok(json) => assert_eq!(Json::parse(json.as_str()).unwrap(), json, "{name}"),
            Err(error) => drop(refused(Err(error))),
        }
    }
}

#[test]
fn ambiguous_documents_are_stable_or_refused() {
    for (name, text) in files("test_transform") {
        match Json::parse(&text) {
            Ok(json) => assert_eq!(Json::from_database(&json.for_jsonb()).unwrap(), json, "{name}"),
            Err(error) => drop(refused(Err(error))),
        }
    }
}
