//! A walk over the table of operations: none lacks a case, a scope, a schema or a door.

use std::collections::BTreeSet;
use std::path::Path;

use sprongus::{ErrorCode, Options, Scope, Store, ops};
use sprongus_conformance::Case;

/// Operations whose C function or Python method is named otherwise, each with its reason.
const OTHERWISE: &[(&str, &str, &str)] = &[
    // store.info is three getters of the store in C and Python.
    ("store.info", "sprongus_store_backend", "schema_version"),
    // What a host does between two of these is a function in Python.
    ("runs.find_idempotent", "sprongus_runs_find_idempotent", "def ensure_idempotent("),
    ("runs.find_step", "sprongus_runs_find_step", "def step("),
    ("runs.save_step", "sprongus_runs_save_step", "def step("),
];

/// Operations that show a handle what it may read of theirs, and refuse one that may read nothing.
const IN_PART: &[&str] = &["events.read", "events.position"];

/// Panics with everything that is missing.
pub(crate) fn check(cases: &[Case]) {
    let covered: BTreeSet<&str> = cases.iter().flat_map(|case| case.covers).copied().collect();
    let header = read("include/sprongus.h");
    let stub = read("sprongus-py/python/sprongus/_sprongus.pyi");
    let mut missing = Vec::new();
    for operation in ops::all() {
        let name = operation.name;
        let otherwise = OTHERWISE.iter().find(|(other, ..)| *other == name);
        let c = otherwise.map_or_else(|| format!("sprongus_{}", name.replace('.', "_")), |(_, c, _)| (*c).to_owned());
        let python = otherwise.map_or_else(|| method(name), |(.., python)| (*python).to_owned());
        if !covered.contains(name) {
            missing.push(format!("{name} has no conformance case that covers it"));
        }
        if !header.contains(&format!("{c}(")) {
            missing.push(format!("{name} has no door in C: {c}"));
        }
        if !stub.contains(&python) {
            missing.push(format!("{name} has no door in Python: {python}"));
        }
        if !refuses_without(operation) {
            missing.push(format!("{name} does not ask for {}", operation.scope.as_str()));
        }
    }
    let known: BTreeSet<&str> = ops::all().iter().map(|operation| operation.name).collect();
    missing.extend(covered.difference(&known).map(|name| format!("a case covers {name}, which is no operation")));
    assert!(missing.is_empty(), "the table of operations:\n{}", missing.join("\n"));
    println!("{} operations walked: each has a case, a scope, a schema and its doors", known.len());
}

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// `runs.enqueue` is `def enqueue(`; a name that Python reserves ends with an underscore.
fn method(name: &str) -> String {
    let verb = name.rsplit('.').next().unwrap();
    let verb = if verb == "import" { "import_" } else { verb };
    format!("def {verb}(")
}

/// A handle that holds every scope but the one asked for is refused before anything else of the request is looked at.
fn refuses_without(operation: &ops::Operation) -> bool {
    let wanted = |scope: Scope| match IN_PART.contains(&operation.name) {
        true => scope.as_str().ends_with(":read"),
        false => scope == operation.scope,
    };
    let others: Vec<Scope> =
        Scope::ALL.iter().copied().filter(|scope| !wanted(*scope) && *scope != Scope::Admin).collect();
    let store = Store::open(":memory:", Options::default()).unwrap().scoped("p1", &others).unwrap();
    let request = sample(&operation.schema());
    match ops::call(&store, operation.name, request.to_string().as_bytes()) {
        Err(error) => error.code() == ErrorCode::PermissionDenied,
        Ok(_) => false,
    }
}

/// The least request that its schema takes.
fn sample(schema: &serde_json::Value) -> serde_json::Value {
    fill(schema, &schema["properties"]["request"])
}

fn fill(root: &serde_json::Value, schema: &serde_json::Value) -> serde_json::Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return fill(root, root.pointer(reference.trim_start_matches('#')).unwrap());
    }
    if let Some(first) = schema["enum"].get(0).or(schema.get("const")) {
        return first.clone();
    }
    if let Some(first) = schema["oneOf"].get(0).or(schema["anyOf"].get(0)).or(schema["allOf"].get(0)) {
        return fill(root, first);
    }
    let of = schema["type"].as_str().or(schema["type"].get(0).and_then(|first| first.as_str()));
    match of {
        Some("object") => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let member = |name: &serde_json::Value| {
                let name = name.as_str().unwrap();
                (name.to_owned(), fill(root, &schema["properties"][name]))
            };
            required.iter().map(member).collect::<serde_json::Map<_, _>>().into()
        }
        Some("array") => serde_json::json!([]),
        Some("string") if schema["format"] == "date-time" => "2026-01-02T03:04:05Z".into(),
        Some("string") => "x".into(),
        Some("integer" | "number") => 1.into(),
        Some("boolean") => true.into(),
        _ => serde_json::json!({}),
    }
}
