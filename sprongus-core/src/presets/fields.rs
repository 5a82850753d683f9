//! Field lists: the short form of a definition, compiled to the JSON Schema it stands for.

use std::collections::HashSet;

use jsonschema::Draft;
use serde_json::{Map, Value, json};

use super::compile::options;
use super::reserved::RESERVED;
use super::schema::escaped;
use crate::error::{Error, Result, Violation};
use crate::text::check_name;

const PROPERTIES: [&str; 16] = [
    "name",
    "type",
    "required",
    "default",
    "enumValues",
    "description",
    "unique",
    "index",
    "search",
    "secret",
    "id",
    "maxBytes",
    "many",
    "strict",
    "table",
    "title",
];
const TYPES: &str = "string, number, integer, boolean, json, enum or ref";
const JSON_TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// Whether a definition is a field list: an object with an array `fields`.
pub(super) fn is_field_list(definition: &Value) -> bool {
    definition.get("fields").is_some_and(Value::is_array)
}

/// The JSON Schema (2020-12) of a field list; `validation` with every fault and its path in the definition.
pub(super) fn to_schema(definition: &Value) -> Result<Value> {
    let mut list = List::default();
    for (key, value) in definition.as_object().into_iter().flatten() {
        list.top(key, value);
    }
    if list.errors.is_empty() { Ok(list.into_schema()) } else { Err(Error::validation(list.errors)) }
}

#[derive(Default)]
struct List {
    properties: Map<String, Value>,
    required: Vec<Value>,
    additional: bool,
    /// What goes to the top of the schema as it is.
    top: Map<String, Value>,
    errors: Vec<Violation>,
}

impl List {
    fn top(&mut self, key: &str, value: &Value) {
        match (key, value) {
            ("fields", Value::Array(fields)) => {
                fields.iter().enumerate().for_each(|(index, field)| self.field(index, field))
            }
            ("additional", Value::Bool(on)) => self.additional = *on,
            ("additional", _) => self.refuse("/additional", "is true or false"),
            // The lists themselves are judged with the keywords they become.
            ("unique" | "index", value) => drop(self.top.insert(format!("x-{key}"), value.clone())),
            ("title" | "description", Value::String(_)) => drop(self.top.insert(key.to_owned(), value.clone())),
            ("title" | "description", _) => self.refuse(&format!("/{key}"), "is text"),
            _ => self.refuse(
                &format!("/{}", escaped(key)),
                "is no part of a field list: fields, additional, unique, index, title, description",
            ),
        }
    }

    fn refuse(&mut self, path: &str, message: impl Into<String>) {
        self.errors.push(Violation::new(path, "fields", message));
    }

    fn field(&mut self, index: usize, field: &Value) {
        let at = format!("/fields/{index}");
        let Some(field) = field.as_object() else { return self.refuse(&at, "is an object with a name and a type") };
        for key in field.keys().filter(|key| !PROPERTIES.contains(&key.as_str())) {
            self.refuse(
                &format!("{at}/{}", escaped(key)),
                format!("is no property of a field: {}", PROPERTIES.join(", ")),
            );
        }
        let before = self.errors.len();
        let flags = Flags::read(field, &at, &mut self.errors);
        let name = self.name(field, &at, flags.id);
        let schema = self.schema(field, &at, &flags);
        if let (Some(name), Some(schema), true) = (name, schema, self.errors.len() == before) {
            if flags.required {
                self.required.push(json!(name));
            }
            self.properties.insert(name.to_owned(), schema);
        }
    }

    fn name<'f>(&mut self, field: &'f Map<String, Value>, at: &str, is_id: bool) -> Option<&'f str> {
        let at = format!("{at}/name");
        let Some(name) = field.get("name").and_then(Value::as_str).filter(|name| check_name("a name", name).is_ok())
        else {
            self.refuse(&at, "is text of 1 to 512 bytes without control characters");
            return None;
        };
        if RESERVED.contains(&name) && !(name == "id" && is_id) {
            let way_out = if name == "id" { "; mark it with \"id\": true if it is the entry's id" } else { "" };
            self.refuse(&at, format!("{name} belongs to the entry itself{way_out}"));
        }
        if self.properties.contains_key(name) {
            self.refuse(&at, format!("{name} is there twice"));
        }
        Some(name)
    }

    fn schema(&mut self, field: &Map<String, Value>, at: &str, flags: &Flags) -> Option<Value> {
        let kind = field.get("type").and_then(Value::as_str).unwrap_or_default();
        self.only_for(field, at, kind, "enum", &["enumValues"]);
        self.only_for(field, at, kind, "ref", &["table", "many", "strict"]);
        let typed = match kind {
            "string" | "number" | "integer" | "boolean" => json!({ "type": kind }),
            "json" => json!({ "type": JSON_TYPES }),
            "enum" => json!({ "enum": self.enum_values(field, at)? }),
            "ref" => self.reference(field, at, flags)?,
            _ => {
                self.refuse(&format!("{at}/type"), format!("is {TYPES}"));
                return None;
            }
        };
        if flags.id && !matches!(kind, "string" | "integer" | "enum") {
            self.refuse(&format!("{at}/id"), "an id is a string, an integer or an enum");
        }
        let Value::Object(mut schema) = (if flags.secret { json!({ "x-secret": true }) } else { typed }) else {
            return None;
        };
        self.annotate(field, at, flags, &mut schema);
        Some(Value::Object(schema))
    }

    fn only_for(&mut self, field: &Map<String, Value>, at: &str, kind: &str, wanted: &str, keys: &[&str]) {
        if kind == wanted {
            return;
        }
        for key in keys.iter().filter(|key| field.contains_key(**key)) {
            self.refuse(&format!("{at}/{key}"), format!("belongs to fields of type {wanted}"));
        }
    }

    fn enum_values<'f>(&mut self, field: &'f Map<String, Value>, at: &str) -> Option<&'f [Value]> {
        let values = field.get("enumValues").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut seen = HashSet::new();
        if values.is_empty() || !values.iter().all(|value| seen.insert(value.to_string())) {
            self.refuse(&format!("{at}/enumValues"), "is a list of one or more different values");
            return None;
        }
        Some(values)
    }

    fn reference(&mut self, field: &Map<String, Value>, at: &str, flags: &Flags) -> Option<Value> {
        let Some(table) = field.get("table").and_then(Value::as_str).filter(|name| check_name("a name", name).is_ok())
        else {
            self.refuse(
                &format!("{at}/table"),
                "names the table referred to: 1 to 512 bytes without control characters",
            );
            return None;
        };
        let one = json!({ "type": "string", "x-ref": { "table": table, "strict": flags.strict } });
        Some(if flags.many { json!({ "type": "array", "items": one }) } else { one })
    }

    fn annotate(&mut self, field: &Map<String, Value>, at: &str, flags: &Flags, schema: &mut Map<String, Value>) {
        let marks =
            [("x-unique", flags.unique), ("x-index", flags.index), ("x-search", flags.search), ("x-id", flags.id)];
        for (keyword, _) in marks.into_iter().filter(|(_, on)| *on) {
            schema.insert(keyword.to_owned(), json!(true));
        }
        match field.get("maxBytes") {
            None => {}
            Some(limit) if limit.as_u64().is_some() => drop(schema.insert("x-max-bytes".to_owned(), limit.clone())),
            Some(_) => self.refuse(&format!("{at}/maxBytes"), "is a number of bytes: an integer, 0 or more"),
        }
        for key in ["title", "description"] {
            match field.get(key) {
                None => {}
                Some(text @ Value::String(_)) => drop(schema.insert(key.to_owned(), text.clone())),
                Some(_) => self.refuse(&format!("{at}/{key}"), "is text"),
            }
        }
        if let Some(default) = field.get("default") {
            if !fits(default, schema) {
                self.refuse(&format!("{at}/default"), "is no value this field could hold");
            }
            schema.insert("default".to_owned(), default.clone());
        }
    }

    fn into_schema(self) -> Value {
        let mut schema = self.top;
        schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        schema.insert("type".to_owned(), json!("object"));
        schema.insert("properties".to_owned(), Value::Object(self.properties));
        if !self.required.is_empty() {
            schema.insert("required".to_owned(), Value::Array(self.required));
        }
        if !self.additional {
            schema.insert("additionalProperties".to_owned(), json!(false));
        }
        Value::Object(schema)
    }
}

fn fits(default: &Value, schema: &Map<String, Value>) -> bool {
    let validator = options(Draft::Draft202012).build(&Value::Object(schema.clone()));
    validator.is_ok_and(|validator| validator.is_valid(default))
}

/// The yes-or-no properties of a field.
#[derive(Default)]
struct Flags {
    required: bool,
    unique: bool,
    index: bool,
    search: bool,
    secret: bool,
    id: bool,
    many: bool,
    strict: bool,
}

impl Flags {
    fn read(field: &Map<String, Value>, at: &str, errors: &mut Vec<Violation>) -> Self {
        let mut flag = |key: &str| match field.get(key) {
            None => false,
            Some(Value::Bool(on)) => *on,
            Some(_) => {
                errors.push(Violation::new(format!("{at}/{key}"), "fields", "is true or false"));
                false
            }
        };
        Self {
            required: flag("required"),
            unique: flag("unique"),
            index: flag("index"),
            search: flag("search"),
            secret: flag("secret"),
            id: flag("id"),
            many: flag("many"),
            strict: flag("strict"),
        }
    }
}
