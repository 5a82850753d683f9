//! What is generated from the sources stands in `include/` as it would be generated now.
//!
//! `make generate` (SPRONGUS_GENERATE=1) writes it anew. That the library exports just that, tests/c/run.sh checks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const MANIFEST: &str = env!("CARGO_MANIFEST_DIR");

fn include(name: &str) -> PathBuf {
    Path::new(MANIFEST).parent().unwrap().join("include").join(name)
}

fn header() -> String {
    let config = cbindgen::Config::from_file(Path::new(MANIFEST).join("cbindgen.toml")).unwrap();
    let bindings = cbindgen::Builder::new().with_crate(MANIFEST).with_config(config).generate().unwrap();
    let mut text = Vec::new();
    bindings.write(&mut text);
    String::from_utf8(text).unwrap()
}

/// The functions that the header declares.
fn declared(header: &str) -> BTreeSet<String> {
    let lines = header.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    let names = lines.filter(|line| !line.starts_with("typedef") && !line.starts_with("static"));
    names.filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next().map(str::to_owned)).collect()
}

/// The file holds that text; written where asked for.
fn stands(name: &str, text: &str) {
    let path = include(name);
    if std::env::var_os("SPRONGUS_GENERATE").is_some_and(|wanted| !wanted.is_empty()) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "include/{name} is not what the sources give: run `make generate`");
}

#[test]
fn generated_header_stands() {
    stands("sprongus.h", &header());
}

#[test]
fn generated_symbols_stand() {
    let names: Vec<String> = declared(&header()).into_iter().collect();
    assert!(names.len() > 30 && names.iter().all(|name| name.starts_with("sprongus_")), "{names:?}");
    stands("sprongus.symbols", &(names.join("\n") + "\n"));
}

#[test]
fn every_function_is_documented() {
    let header = header();
    let lines: Vec<&str> = header.lines().collect();
    for name in declared(&header) {
        let line = lines.iter().position(|line| !line.starts_with("//") && line.contains(&format!("{name}("))).unwrap();
        assert!(lines[line - 1].starts_with("//"), "{name} has no documentation");
    }
}
