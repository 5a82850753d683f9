//! Which entry a document of a provider is, and when it was last written there.

use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::error::{Error, Result, Violation};
use crate::json::Json;
use crate::presets::{Compiled, take_identity};

/// A document of a provider, without what belongs to the entry.
pub(in crate::aux_store) struct Identified {
    pub(in crate::aux_store) id: String,
    pub(in crate::aux_store) document: Map<String, Value>,
    /// Its canonical form.
    pub(in crate::aux_store) json: Json,
    /// When it was last written, where the source says so.
    pub(in crate::aux_store) at: Option<Timestamp>,
}

/// What cannot be told apart from other documents; the id, where there is one, is what it seems to be meant for.
pub(in crate::aux_store) struct Unidentified {
    pub(in crate::aux_store) id: Option<String>,
    pub(in crate::aux_store) error: Error,
}

/// Takes the id and the time out of a document. One without an id is named by its content.
pub(in crate::aux_store) fn identify(
    preset: &Compiled,
    project: &str,
    table: &str,
    mut document: Map<String, Value>,
) -> Result<Identified, Unidentified> {
    let time = document.remove("lastUpdated").filter(|time| !time.is_null());
    let refused = |id: Option<String>, error| Unidentified { id, error };
    let id = match take_identity(&mut document, preset, None, project, table) {
        Ok(id) => id,
        Err(error) => return Err(refused(meant_for(preset, &document), error)),
    };
    let at = match time.as_ref().map(parse_time).transpose() {
        Ok(at) => at,
        Err(error) => return Err(refused(id, error)),
    };
    let value = Value::Object(document);
    match (Json::from_value(&value), value) {
        (Ok(json), Value::Object(document)) => {
            Ok(Identified { id: id.unwrap_or_else(|| content_id(&json)), document, json, at })
        }
        (Err(error), _) => Err(refused(id, error)),
        (Ok(_), _) => Err(refused(id, Error::validation(vec![not_an_object()]))),
    }
}

/// The id a document seems to be meant for, though it cannot have it.
fn meant_for(preset: &Compiled, document: &Map<String, Value>) -> Option<String> {
    document.get(preset.id_field().unwrap_or("id")).and_then(Value::as_str).map(str::to_owned)
}

/// Half of the SHA-256 of a document, in hexadecimal.
fn content_id(json: &Json) -> String {
    json.hash_hex().chars().take(32).collect()
}

fn parse_time(time: &Value) -> Result<Timestamp> {
    let parsed = time.as_str().and_then(|text| text.parse().ok());
    let message = "is when the source last wrote it, as RFC 3339 has it; leave it out where that is not known";
    parsed.ok_or_else(|| Error::validation(vec![Violation::new("/lastUpdated", "format", message)]))
}

/// The id that a document shows as `id`: text or a whole number.
pub(in crate::aux_store) fn shown_id(document: &Map<String, Value>) -> Option<String> {
    match document.get("id")? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What is wrong with a document that is none.
pub(in crate::aux_store) fn not_an_object() -> Violation {
    Violation::new("", "type", "a document is a JSON object")
}
