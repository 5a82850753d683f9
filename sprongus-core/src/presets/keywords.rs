//! The extension keywords (`x-ref`, `x-unique`, …), read from a schema once.
//!
//! They are looked for on every schema that is reached from the root through `properties`, `items`, `prefixItems`,
//! `allOf`, `anyOf`, `oneOf`, `then`, `else` and local `$ref`; a recursive schema is followed once around.

use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;

use serde_json::{Map, Value};

use super::schema::{Document, Leads, alternatives, escaped};
use crate::error::{Error, Result, Violation};
use crate::text::{check_name, path_key, path_keys};

/// How many places of a schema are looked at: references that fan out more than that are refused.
const MAX_PLACES: usize = 20_000;

/// A step on the way from a document to a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The property of that name.
    Property(String),
    /// Each item of an array.
    Items,
}

/// Where a field stands in a document: properties, and the items of arrays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FieldPath(Vec<Step>);

impl FieldPath {
    /// A path as lists of fields and filters write it: `.` descends, `\.` is a dot, `\\` a backslash.
    ///
    /// None where a backslash stands before anything else.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(path_keys(text)?.into_iter().map(Step::Property).collect()))
    }

    /// The steps, outermost first.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The values that stand there, each with its JSON Pointer; none where the document has no such place.
    pub fn values<'v>(&self, document: &'v Value) -> Vec<(String, &'v Value)> {
        let mut places = vec![(String::new(), document)];
        for step in &self.0 {
            places = places.into_iter().flat_map(|(pointer, value)| below(step, &pointer, value)).collect();
        }
        places
    }
}

fn below<'v>(step: &Step, pointer: &str, value: &'v Value) -> Vec<(String, &'v Value)> {
    match (step, value) {
        (Step::Property(name), Value::Object(map)) => {
            map.get(name).map(|value| (format!("{pointer}/{}", escaped(name)), value)).into_iter().collect()
        }
        (Step::Items, Value::Array(items)) => {
            items.iter().enumerate().map(|(index, item)| (format!("{pointer}/{index}"), item)).collect()
        }
        _ => Vec::new(),
    }
}

/// As `a.b[]`: dots between properties, `[]` for each item; dots and backslashes of a name escaped.
impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Items => f.write_str("[]")?,
                Step::Property(name) => {
                    let dot = if index == 0 { "" } else { "." };
                    write!(f, "{dot}{}", path_key(name))?;
                }
            }
        }
        Ok(())
    }
}

/// A field that holds the id of an entry of another table (`x-ref`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefField {
    /// Where: a string, or (through [`Step::Items`]) each string of an array.
    pub path: FieldPath,
    /// The table the ids belong to.
    pub table: String,
    /// Whether a dangling reference is refused instead of warned about.
    pub strict: bool,
}

/// The fields of one key (`x-unique`, `x-index`): one, or several that count together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The fields, in order; never through an array.
    pub fields: Vec<FieldPath>,
}

impl Key {
    /// The name under which the key is kept: its fields, separated by commas.
    pub fn name(&self) -> String {
        self.fields.iter().map(FieldPath::to_string).collect::<Vec<_>>().join(",")
    }
}

/// Every extension keyword of a preset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keywords {
    /// `x-ref`: fields that refer to entries.
    pub refs: Vec<RefField>,
    /// `x-unique`: values no two entries of a table share.
    pub unique: Vec<Key>,
    /// `x-index`: values that are looked up often.
    pub index: Vec<Key>,
    /// `x-search`: the fields `q` searches; where there are none, every string.
    pub search: Vec<FieldPath>,
    /// `x-secret`: fields that hold `{"$secret": name}`.
    pub secret: Vec<FieldPath>,
    /// `x-id`: the top-level property that is the entry's id.
    pub id: Option<String>,
}

/// A reference that a document holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Referring<'d> {
    pub(crate) field: &'d RefField,
    pub(crate) id: &'d str,
}

impl Keywords {
    /// Every reference of a document with its JSON Pointer, in the order of the fields.
    pub(crate) fn references<'d>(&'d self, document: &'d Value) -> Vec<(String, Referring<'d>)> {
        let mut found = Vec::new();
        for field in &self.refs {
            let mut add = |pointer: String, value: &'d Value| {
                found.extend(value.as_str().map(|id| (pointer, Referring { field, id })));
            };
            for (pointer, value) in field.path.values(document) {
                match value {
                    Value::Array(items) => {
                        items.iter().enumerate().for_each(|(index, item)| add(format!("{pointer}/{index}"), item));
                    }
                    one => add(pointer, one),
                }
            }
        }
        found
    }

    /// Reads them; a malformed one is `validation` with its path in the schema.
    pub(super) fn read(document: Document<'_>) -> Result<Self> {
        let leads = document.leading_to(|schema| schema.keys().any(|keyword| keyword.starts_with("x-")));
        let mut reader =
            Reader { document, leads, found: Self::default(), errors: Vec::new(), open: Vec::new(), places: 0 };
        reader.visit(document.root(), &FieldPath::default(), "");
        if !reader.errors.is_empty() {
            return Err(Error::validation(reader.errors));
        }
        let mut found = reader.found;
        distinct(&mut found.refs);
        distinct(&mut found.unique);
        distinct(&mut found.index);
        distinct(&mut found.search);
        distinct(&mut found.secret);
        Ok(found)
    }
}

struct Reader<'a> {
    document: Document<'a>,
    /// Only these are worth visiting: a schema without our keywords may be as entangled as it likes.
    leads: Leads,
    found: Keywords,
    errors: Vec<Violation>,
    /// The schemas we are inside of: meeting one again is recursion.
    open: Vec<*const Value>,
    places: usize,
}

impl<'a> Reader<'a> {
    fn visit(&mut self, schema: &'a Value, path: &FieldPath, at: &str) {
        let Some(map) = schema.as_object() else { return };
        let place: *const Value = schema;
        if !self.leads.hold(map) || self.open.contains(&place) || self.places > MAX_PLACES {
            return;
        }
        self.places += 1;
        if self.places > MAX_PLACES {
            self.refuse("", "$ref", format!("its references fan out to more than {MAX_PLACES} places"));
            return;
        }
        self.open.push(place);
        self.read(map, path, at);
        self.descend(map, path, at);
        self.open.pop();
    }

    fn descend(&mut self, map: &'a Map<String, Value>, path: &FieldPath, at: &str) {
        if let Some(target) = self.document.target(map) {
            self.visit(target, path, at);
        }
        let conditional = ["then", "else"].iter().filter_map(|keyword| map.get(*keyword));
        for schema in alternatives(map).chain(conditional) {
            self.visit(schema, path, at);
        }
        for (name, schema) in map.get("properties").and_then(Value::as_object).into_iter().flatten() {
            self.visit(
                schema,
                &step(path, Step::Property(name.clone())),
                &format!("{at}/properties/{}", escaped(name)),
            );
        }
        for keyword in ["items", "prefixItems"] {
            let at = format!("{at}/{keyword}");
            match map.get(keyword) {
                Some(Value::Array(list)) => {
                    list.iter().for_each(|schema| self.visit(schema, &step(path, Step::Items), &at))
                }
                Some(schema) => self.visit(schema, &step(path, Step::Items), &at),
                None => {}
            }
        }
    }

    fn read(&mut self, map: &Map<String, Value>, path: &FieldPath, at: &str) {
        for (keyword, value) in map.iter().filter(|(keyword, _)| keyword.starts_with("x-")) {
            let outcome = match keyword.as_str() {
                "x-ref" => self.reference(value, path),
                "x-unique" => keys(value, path).map(|keys| self.found.unique.extend(keys)),
                "x-index" => keys(value, path).map(|keys| self.found.index.extend(keys)),
                "x-search" => flag(value).map(|on| self.found.search.extend(on.then(|| path.clone()))),
                "x-secret" => flag(value).map(|on| self.found.secret.extend(on.then(|| path.clone()))),
                "x-id" => self.id(value, path),
                "x-max-bytes" => max_bytes(value).map(drop),
                _ => Ok(()),
            };
            if let Err(message) = outcome {
                self.refuse(&format!("{at}/{keyword}"), keyword, message);
            }
        }
    }

    fn refuse(&mut self, at: &str, keyword: &str, message: impl Into<String>) {
        self.errors.push(Violation::new(at, keyword, message));
    }

    fn reference(&mut self, value: &Value, path: &FieldPath) -> Result<(), String> {
        let (table, strict) = match value {
            Value::String(table) => (table, false),
            Value::Object(map) => reference_object(map)?,
            _ => return Err("names a table, as text or {\"table\", \"strict\"}".to_owned()),
        };
        check_name("a table's name", table).map_err(|error| error.message().to_owned())?;
        self.found.refs.push(RefField { path: path.clone(), table: table.clone(), strict });
        Ok(())
    }

    fn id(&mut self, value: &Value, path: &FieldPath) -> Result<(), String> {
        let name = match (value, path.steps()) {
            (Value::Bool(false), _) => return Ok(()),
            (Value::Bool(true), [Step::Property(name)]) | (Value::String(name), []) => name,
            _ => return Err("is true on a top-level property, or at the top that property's name".to_owned()),
        };
        if ["projectId", "tableName", "lastUpdated"].contains(&name.as_str()) {
            return Err(format!("cannot be {name}: that name belongs to the entry"));
        }
        match &self.found.id {
            Some(other) if other != name => Err("stands on two properties; an entry has one id".to_owned()),
            _ => {
                self.found.id = Some(name.clone());
                Ok(())
            }
        }
    }
}

fn reference_object(map: &Map<String, Value>) -> Result<(&String, bool), String> {
    let shape = || "is {\"table\": text, \"strict\": true or false}".to_owned();
    if map.keys().any(|key| key != "table" && key != "strict") {
        return Err(shape());
    }
    match (map.get("table"), map.get("strict")) {
        (Some(Value::String(table)), None) => Ok((table, false)),
        (Some(Value::String(table)), Some(Value::Bool(strict))) => Ok((table, *strict)),
        _ => Err(shape()),
    }
}

/// `true` on a field, or at the top a list of lists of fields.
fn keys(value: &Value, path: &FieldPath) -> Result<Vec<Key>, String> {
    let at_top = path.steps().is_empty();
    match value {
        Value::Bool(false) => Ok(Vec::new()),
        Value::Bool(true) if path.steps().contains(&Step::Items) => Err("cannot stand inside an array".to_owned()),
        Value::Bool(true) if !at_top => Ok(vec![Key { fields: vec![path.clone()] }]),
        Value::Array(lists) if at_top => lists.iter().map(composite).collect(),
        _ => Err("is true or false on a field, or at the top a list of lists of fields".to_owned()),
    }
}

fn composite(list: &Value) -> Result<Key, String> {
    let names = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let fields: Vec<FieldPath> =
        names.iter().filter_map(Value::as_str).filter(|name| !name.is_empty()).filter_map(FieldPath::parse).collect();
    let mut seen = HashSet::new();
    if fields.is_empty() || fields.len() != names.len() || !fields.iter().all(|field| seen.insert(field)) {
        return Err("holds lists of one or more different field names".to_owned());
    }
    Ok(Key { fields })
}

fn flag(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "is true or false".to_owned())
}

/// The limit of an `x-max-bytes`.
pub(super) fn max_bytes(value: &Value) -> Result<u64, String> {
    value.as_u64().ok_or_else(|| "is a number of bytes: an integer, 0 or more".to_owned())
}

fn step(path: &FieldPath, step: Step) -> FieldPath {
    FieldPath(path.0.iter().cloned().chain([step]).collect())
}

/// Each once, where it first stands.
fn distinct<T: Clone + Eq + Hash>(list: &mut Vec<T>) {
    let mut seen = HashSet::new();
    list.retain(|item| seen.insert(item.clone()));
}
