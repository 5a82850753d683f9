//! Ids in documents: what a payload may say about the entry it belongs to (DESIGN.md §15 "Ids in documents").

use serde_json::{Map, Value};

use super::compile::Compiled;
use crate::error::{Error, ErrorCode, Result, Violation};

/// The properties that belong to the entry, not to its payload.
pub const RESERVED: [&str; 4] = ["id", "projectId", "tableName", "lastUpdated"];

/// Takes out of a payload what belongs to the entry, and returns the entry's id: the given one, else the payload's.
///
/// With an `x-id` property the id is read from there, and stays; any other top-level `id` is taken out. A whole number
/// is an id by its decimal digits. `projectId` and `tableName` equal to the entry's are taken out.
///
/// # Errors
/// `reserved_field` with every violation: an id other than the given one, another project or table, any `lastUpdated`.
/// `validation` where an id is neither text nor a whole number, or not 1 to 128 bytes without control characters.
/// In both cases the payload is left as it was.
pub fn take_identity(
    payload: &mut Map<String, Value>,
    preset: &Compiled,
    given_id: Option<&str>,
    project: &str,
    table: &str,
) -> Result<Option<String>> {
    let mut found = Found { id: given_id.map(str::to_owned), reserved: Vec::new(), malformed: Vec::new() };
    for name in preset.id_field().into_iter().chain(["id"]) {
        found.id_in(name, payload.get(name));
    }
    found.own("projectId", payload, project);
    found.own("tableName", payload, table);
    if payload.contains_key("lastUpdated") {
        found.reserve("lastUpdated", "is set by the store; leave it out");
    }
    if !found.malformed.is_empty() {
        return Err(Error::validation(found.malformed));
    }
    if !found.reserved.is_empty() {
        return Err(Error::violations(ErrorCode::ReservedField, found.reserved));
    }
    for name in RESERVED.iter().filter(|name| Some(**name) != preset.id_field()) {
        payload.remove(*name);
    }
    Ok(found.id)
}

/// Shows an entry's id in the preset's id field (`x-id`), where it has one and the payload does not say it yet.
///
/// A field that takes only integers gets a number.
pub fn put_identity(payload: &mut Map<String, Value>, preset: &Compiled, id: &str) {
    let Some(name) = preset.id_field().filter(|name| !payload.contains_key(*name)) else { return };
    let typed = preset.type_of(&[name]).and_then(|cell| cell.parse_cell(id).ok());
    let value = typed.filter(|value| value.is_i64() || value.is_u64()).unwrap_or_else(|| Value::String(id.to_owned()));
    payload.insert(name.to_owned(), value);
}

struct Found {
    id: Option<String>,
    reserved: Vec<Violation>,
    malformed: Vec<Violation>,
}

impl Found {
    fn id_in(&mut self, name: &str, value: Option<&Value>) {
        let text = match value {
            None => return,
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) if number.is_i64() || number.is_u64() => number.to_string(),
            Some(_) => return self.malform(name, "an id is text or a whole number"),
        };
        if let Err(error) = crate::id::check_id("an id", &text) {
            return self.malform(name, error.message());
        }
        match &self.id {
            Some(known) if *known != text => {
                self.reserve(name, "is not the id of this entry; leave it out or make them equal")
            }
            _ => self.id = Some(text),
        }
    }

    fn own(&mut self, name: &str, payload: &Map<String, Value>, own: &str) {
        if payload.get(name).is_some_and(|value| value.as_str() != Some(own)) {
            self.reserve(name, "belongs to the entry and is not its value; leave it out");
        }
    }

    fn malform(&mut self, name: &str, message: &str) {
        self.push(name, message, false);
    }

    fn reserve(&mut self, name: &str, message: &str) {
        self.push(name, message, true);
    }

    fn push(&mut self, name: &str, message: &str, reserved: bool) {
        let (list, keyword) = if reserved { (&mut self.reserved, "reserved") } else { (&mut self.malformed, "id") };
        let violation = Violation::new(format!("/{}", super::schema::escaped(name)), keyword, message);
        if !list.contains(&violation) {
            list.push(violation);
        }
    }
}
