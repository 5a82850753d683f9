//! Data flows one way through the core (DESIGN.md §2): a module imports only what lies below it.
#![allow(clippy::unwrap_used, clippy::panic)]

mod source;

use std::path::{Path, PathBuf};

use source::Source;

/// From the ground up. A module may import what stands on a lower line, and its neighbours only where [`SIDEWAYS`] says so.
const TIERS: &[&[&str]] = &[
    &["error"],
    &["clock", "id", "json", "text", "page", "fork"],
    &["options", "secrets"],
    &["db"],
    &["events", "session", "scope", "sql", "new_file"],
    &["presets", "telemetry"],
    &["runs", "aux_store", "tables", "artifacts", "inbox", "projects", "config"],
    &["worker"],
    &["doctor"],
    &["settle"],
    &["store", "transaction"],
    &["ops"],
    &["cli"],
];

/// Edges between neighbours, each with its reason.
const SIDEWAYS: &[(&str, &str, &str)] = &[
    ("page", "json", "a cursor is a small JSON document"),
    ("id", "text", "an id is checked as any name is"),
    ("events", "session", "an append notes its signal on the unit of work"),
    ("events", "scope", "a type is read by whoever may read what it tells of"),
    ("session", "events", "the store's wake-up is the feed's"),
    ("session", "scope", "a session carries what its handle may do"),
    ("scope", "session", "one place checks what a session may do"),
    ("store", "transaction", "a store opens transactions"),
    ("transaction", "store", "a commit is settled through the store it came from"),
    ("aux_store", "runs", "a sync is a run"),
    ("aux_store", "artifacts", "a sync keeps its diff"),
    ("tables", "aux_store", "documents have one order and one equality"),
    ("artifacts", "runs", "an artifact names the run that made it"),
    ("projects", "runs", "a project is deleted with its runs"),
    ("projects", "aux_store", "a project is deleted with its entries"),
    ("options", "secrets", "a host gives its resolver when it opens a store"),
    ("inbox", "runs", "the run of a message is enqueued in its commit"),
    ("worker", "store", "a worker is a user of the store, and so are its handlers"),
    ("worker", "transaction", "a handler's transaction extends its run's lease"),
];

/// Files outside `db/` that may name a driver, each with its reason.
const NAMES_A_DRIVER: &[(&str, &str)] = &[];

const DRIVERS: &[&str] = &["rusqlite", "libsqlite3_sys", "postgres", "postgres_types", "tokio_postgres", "tokio"];

fn tier(module: &str) -> usize {
    let found = TIERS.iter().position(|tier| tier.contains(&module));
    found.unwrap_or_else(|| panic!("module `{module}` has no place in TIERS: give it one (DESIGN.md §2)"))
}

fn allowed(from: &str, to: &str) -> bool {
    from == to || tier(to) < tier(from) || SIDEWAYS.iter().any(|(above, below, _)| (*above, *below) == (from, to))
}

fn core() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("sprongus-core/src")
}

#[test]
fn modules_import_only_what_lies_below_them() {
    let sources = Source::all(&core());
    let root = sources.iter().find(|source| source.path == "lib.rs").unwrap().reexports();
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|source| source.path != "lib.rs") {
        for to in source.imports(&root) {
            if !allowed(&source.module, &to) {
                wrong.push(format!("{} imports crate::{to}", source.path));
            }
        }
    }
    assert!(sources.len() > 5 && wrong.is_empty(), "edges that DESIGN.md §2 does not have:\n{}", wrong.join("\n"));
}

#[test]
fn only_db_names_a_driver() {
    let mut wrong = Vec::new();
    for source in Source::all(&core()).iter().filter(|source| source.module != "db") {
        for driver in DRIVERS.iter().filter(|driver| source.names(driver)) {
            if !NAMES_A_DRIVER.iter().any(|(path, _)| *path == source.path) {
                wrong.push(format!("{} names {driver}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "drivers are for db/ alone:\n{}", wrong.join("\n"));
}

#[test]
fn every_dependency_says_why_it_is_here() {
    let root = core().ancestors().nth(2).unwrap().to_owned();
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let (manifest, page) = (read("Cargo.toml"), read("docs/dependencies.md"));
    let listed = manifest.split("[workspace.dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let names = listed
        .lines()
        .filter(|line| !line.contains("path ="))
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name);
    let silent: Vec<&str> = names.filter(|name| !page.contains(&format!("| `{name}` |"))).collect();
    assert!(silent.is_empty(), "docs/dependencies.md has no line for {silent:?}");
}

#[test]
fn no_neighbourly_edge_is_listed_in_vain() {
    let sources = Source::all(&core());
    let root = sources.iter().find(|source| source.path == "lib.rs").unwrap().reexports();
    for (from, to, _) in SIDEWAYS {
        let used =
            sources.iter().any(|source| source.module == *from && source.imports(&root).iter().any(|name| name == to));
        assert!(used, "SIDEWAYS lists {from} -> {to}, which nothing uses");
    }
}

#[test]
fn a_forbidden_edge_would_be_seen() {
    let root = vec![("Store".to_owned(), "store".to_owned())];
    let text = "use crate::{json::Json, runs::{Run, State}};\nfn f(s: &crate::Store) {} // crate::cli\n#[cfg(test)]\nmod tests { use crate::ops; }";
    let source = Source::new("db/pool.rs", text);
    assert_eq!(source.imports(&root), ["json", "runs", "store"]);
    assert!(
        allowed("db", "json")
            && !allowed("db", "runs")
            && !allowed("presets", "aux_store")
            && !allowed("json", "session")
    );
    assert!(Source::new("runs/claim.rs", "fn f(c: &rusqlite::Connection) {}").names("rusqlite"));
    assert!(!Source::new("runs/claim.rs", "use crate::db::postgres::Pool;").names("postgres"));
}
