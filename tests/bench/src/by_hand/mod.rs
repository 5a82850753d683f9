//! The yardstick: the same work on the bare driver, with no code of the library but the text of its schema; written to win.

mod entries;
pub(crate) mod postgres;
mod queue;
pub(crate) mod sqlite;

use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

pub(crate) use entries::Entries;
pub(crate) use queue::{Held, Queue};

/// A connection that does all of it.
pub(crate) trait Hand: Queue + Entries + Send {}

impl<T: Queue + Entries + Send> Hand for T {}

/// The kind of every run, and its input.
pub(crate) const KIND: &str = "mail.send";
pub(crate) const INPUT: &str = r#"{"attachments":3,"subject":"Your order 48213","to":"orders@example.org"}"#;
const ENQUEUED: &str = r#"{"attempt":0,"from":null,"to":"queued"}"#;
const ACTOR: &str = "bench";
/// For how long a run is claimed, in seconds.
const LEASE: i64 = 60;
const PROJECT: &str = "demo";
const TABLE: &str = "works";

fn new_id() -> String {
    ulid::Ulid::generate().to_string()
}

/// As the schema has it on SQLite: UTC, microseconds, fixed width.
fn text(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

fn now() -> String {
    text(Timestamp::now())
}

fn hash(document: &str) -> Vec<u8> {
    Sha256::digest(document).to_vec()
}

/// What a search looks into: the strings of the row, folded.
fn folded(record: &csv::StringRecord) -> String {
    let strings = crate::works::COLUMNS
        .iter()
        .zip(record)
        .skip(1)
        .filter(|(column, cell)| column.1 == "string" && !cell.is_empty());
    strings.map(|(_, cell)| cell.to_lowercase()).collect::<Vec<_>>().join("\n")
}

/// A document as it is stored: its id, its text, its hash, its strings folded.
fn stored(mut document: Map<String, Value>) -> (String, String, Vec<u8>, String) {
    let id = document.remove("id").unwrap();
    let strings: Vec<String> = document.values().filter_map(Value::as_str).map(str::to_lowercase).collect();
    let text = Value::Object(document).to_string();
    let hash = hash(&text);
    (id.as_str().unwrap().to_owned(), text, hash, strings.join("\n"))
}
