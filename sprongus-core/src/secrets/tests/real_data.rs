//! Real documents hold no credentials: how many are taken for some all the same.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::paths;
use crate::secrets::shapes;

/// Fewer than one document in so many may be refused by mistake.
const ONE_IN: usize = 1000;

#[test]
fn of_real_documents_fewer_than_one_in_a_thousand_is_refused() {
    let Some(folder) = sprongus_testkit::data_dir() else { return };
    let mut files = Vec::new();
    walk(&folder, &mut files);
    files.sort();
    let (mut documents, mut refused) = (0, Vec::new());
    for file in &files {
        for (number, document) in read(file).iter().enumerate() {
            documents += 1;
            let text = document.to_string();
            assert_eq!(shapes::may_hold(&text), shapes::may_hold_by_expressions(&text), "{text}");
            refused.extend(paths(document).first().map(|path| format!("{} {number} {path}", file.display())));
        }
    }
    let rate = refused.len() as f64 / documents as f64;
    println!(
        "{documents} documents of {} files, {} refused: {rate:.5}\n{}",
        files.len(),
        refused.len(),
        refused.join("\n")
    );
    assert!(documents > 10_000 && refused.len() * ONE_IN < documents, "{refused:#?}");
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
}

/// The documents of a file: a JSON value, or each of its items or lines; the rows of a table.
fn read(file: &Path) -> Vec<Value> {
    let bytes = std::fs::read(file).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_start_matches('\u{feff}');
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("json") => one_or_many(crate::json::parse_value(text).ok()),
        Some("jsonl") => text.lines().filter_map(|line| crate::json::parse_value(line).ok()).collect(),
        Some("csv") => rows(text, b','),
        Some("tsv") => rows(text, b'\t'),
        _ => Vec::new(),
    }
}

fn one_or_many(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(items)) => items,
        other => other.into_iter().collect(),
    }
}

fn rows(text: &str, delimiter: u8) -> Vec<Value> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let Ok(header) = reader.headers().cloned() else { return Vec::new() };
    let document = |row: csv::StringRecord| -> Map<String, Value> {
        header.iter().zip(&row).map(|(key, cell)| (key.to_owned(), cell.into())).collect()
    };
    reader.records().filter_map(Result::ok).map(|row| document(row).into()).collect()
}
