//! From a definition to a validator, once.

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Map, Value, json};

use super::defaults::Defaults;
use super::graph::Graph;
use super::keywords::Keywords;
use super::nesting::Nesting;
use super::schema::{Document, anchors, change_each, children};
use super::stack::{depth, with_room};
use super::{fields, formats, validate};
use crate::error::{Error, Result, Violation};
use crate::json::Json;

/// A step of validation is a few stack frames: below this many, the caller's stack serves.
const FRUGAL: usize = 128;
/// Patterns without look-around and back-references run in linear time; the others may try this often.
const BACKTRACK_LIMIT: usize = 100_000;

/// A definition, ready to judge documents: built once, shared by threads behind an `Arc`.
///
/// ```
/// use serde_json::json;
/// use sprongus::json::Json;
/// use sprongus::presets::Compiled;
///
/// let definition = Json::parse(r#"{"fields": [{"name": "title", "type": "string", "required": true}]}"#)?;
/// let preset = Compiled::new(&definition)?;
/// assert!(preset.validate(&json!({"title": "Coburg"})).is_empty());
/// let violations = preset.validate(&json!({"year": 1863}));
/// assert_eq!(violations[0].path, "/title");
/// assert_eq!(violations[0].keyword, "required");
/// assert_eq!(violations[1].path, "/year");
/// # Ok::<(), sprongus::Error>(())
/// ```
#[derive(Debug)]
pub struct Compiled {
    schema: Value,
    validator: Validator,
    keywords: Keywords,
    defaults: Defaults,
    nesting: Nesting,
}

impl Compiled {
    /// Compiles a field list (an object with an array `fields`) or a JSON Schema (any other object, or a boolean;
    /// draft 7, 2019-09 or 2020-12, the last where `$schema` is missing). `format` is asserted.
    ///
    /// # Errors
    /// `validation`, with paths in the definition: it is no field list and no schema of its draft, a `$ref` leads to
    /// another document (none is ever fetched) or nowhere, an `x-…` keyword is malformed.
    pub fn new(definition: &Json) -> Result<Self> {
        let definition = definition.to_value();
        let schema = if fields::is_field_list(&definition) { fields::to_schema(&definition)? } else { definition };
        if !schema.is_object() && !schema.is_boolean() {
            let message = "a definition is a field list ({\"fields\": […]}) or a JSON Schema: an object or a boolean";
            return Err(one("", "type", message));
        }
        with_room(|| Self::of_schema(schema))?
    }

    fn of_schema(mut schema: Value) -> Result<Self> {
        let draft = draft_of(&schema)?;
        obeys_metaschema(&schema, draft)?;
        change_each(&mut schema, &prepared);
        let nesting = Nesting::of(Graph::read(&schema, draft)?)?;
        let anchors = anchors(&schema);
        let document = Document::with_anchors(&schema, &anchors);
        local_references_resolve(document)?;
        let keywords = Keywords::read(document)?;
        let validator = options(draft).build(&schema).map_err(|error| refused(document, &error))?;
        let defaults = Defaults::read(document)?;
        Ok(Self { validator, keywords, defaults, nesting, schema })
    }

    /// Every way in which that document breaks the preset, ordered by path and keyword; none where it is valid.
    ///
    /// Paths lead to the property itself, a missing or a surplus one included; messages hold no value of the document.
    pub fn validate(&self, document: &Value) -> Vec<Violation> {
        if self.is_frugal(document) {
            return self.judge(document);
        }
        with_room(|| self.judge(document)).unwrap_or_else(|error| vec![Violation::new("", "json", error.message())])
    }

    fn judge(&self, document: &Value) -> Vec<Violation> {
        let endless = |what: &str| {
            let message = format!("{what}: the schemas of its preset refer to one another too often");
            vec![Violation::new("", "$ref", message)]
        };
        if self.nesting.is_endless(document) {
            return endless("cannot be judged");
        }
        if self.validator.is_valid(document) {
            return Vec::new();
        }
        if self.nesting.has_endless_reasons(document) {
            return endless("breaks the preset, but the reasons cannot be told");
        }
        validate::violations(&self.validator, document)
    }

    /// Whether the caller's stack is enough: a schema that is nested no deeper than itself always is.
    fn is_frugal(&self, document: &Value) -> bool {
        self.nesting.chain == 1 || depth(document, FRUGAL) * self.nesting.chain <= FRUGAL
    }

    /// The JSON Schema that documents are judged by.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// The extension keywords.
    pub fn keywords(&self) -> &Keywords {
        &self.keywords
    }

    /// The top-level property that is the entry's id (`x-id`), if one is.
    pub fn id_field(&self) -> Option<&str> {
        self.keywords.id.as_deref()
    }

    /// Whether a document may get a default.
    pub(crate) fn has_defaults(&self) -> bool {
        !self.defaults.are_none()
    }

    pub(super) fn defaults(&self) -> &Defaults {
        &self.defaults
    }
}

pub(super) fn one(path: &str, keyword: &str, message: impl Into<String>) -> Error {
    Error::validation(vec![Violation::new(path, keyword, message)])
}

pub(super) fn draft_of(schema: &Value) -> Result<Draft> {
    let Some(named) = schema.get("$schema") else { return Ok(Draft::Draft202012) };
    let uri = named.as_str().unwrap_or_default().trim_end_matches('#').trim_end_matches('/');
    match uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://")) {
        Some("json-schema.org/draft-07/schema") => Ok(Draft::Draft7),
        Some("json-schema.org/draft/2019-09/schema") => Ok(Draft::Draft201909),
        Some("json-schema.org/draft/2020-12/schema") => Ok(Draft::Draft202012),
        _ => Err(one(
            "/$schema",
            "$schema",
            "is one of http://json-schema.org/draft-07/schema#, \
            https://json-schema.org/draft/2019-09/schema and https://json-schema.org/draft/2020-12/schema",
        )),
    }
}

fn obeys_metaschema(schema: &Value, draft: Draft) -> Result<()> {
    let metaschema = match draft {
        Draft::Draft7 => jsonschema::draft7::meta::validator(),
        Draft::Draft201909 => jsonschema::draft201909::meta::validator(),
        _ => jsonschema::draft202012::meta::validator(),
    };
    if metaschema.is_valid(schema) {
        return Ok(());
    }
    Err(Error::validation(validate::violations(&metaschema, schema)))
}

/// What validators are built by.
pub(super) fn options(draft: Draft) -> jsonschema::ValidationOptions<'static> {
    jsonschema::options()
        .with_draft(draft)
        .should_validate_formats(true)
        .with_format("idn-email", formats::idn_email)
        .with_format("idn-hostname", formats::idn_hostname)
        .offline()
        .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(BACKTRACK_LIMIT))
        .with_keyword("x-max-bytes", validate::max_bytes_keyword)
        .with_keyword("x-secret", validate::secret_keyword)
}

/// What the validator refused after the metaschema did not: a reference, a pattern.
fn refused(document: Document<'_>, error: &jsonschema::ValidationError<'_>) -> Error {
    let path = error.instance_path().as_str();
    if let jsonschema::error::ValidationErrorKind::Referencing(cause) = error.kind() {
        let cause = cause.to_string();
        let message =
            format!("a $ref leads nowhere within this document, and other documents are never fetched ({cause})");
        return one(&named_in(document, &cause), "$ref", validate::shortened(&message));
    }
    one(path, error.kind().keyword(), validate::shortened(&validate::message(error)))
}

/// The place of the reference that the validator's words name; the document's own where they name none.
fn named_in(document: Document<'_>, words: &str) -> String {
    let named = |schema: &Map<String, Value>| {
        let reference = schema.get("$ref").and_then(Value::as_str).unwrap_or_default();
        let (base, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let told = if base.is_empty() { fragment } else { base };
        !told.is_empty() && words.contains(told)
    };
    document.place(&named).map(|place| format!("{place}/$ref")).unwrap_or_default()
}

/// The schema as the validator takes it.
fn prepared(schema: &mut Map<String, Value>) {
    if schema.get("x-secret") == Some(&json!(true)) {
        // What is stored is the name of a secret: whatever else the schema says is about the secret itself.
        let kept = ["$defs", "definitions", "$id", "$anchor", "title", "description", "default"];
        schema.retain(|keyword, _| kept.contains(&keyword.as_str()) || keyword.starts_with("x-"));
    }
    // The validator names only the first surplus property of an object that may have none; so asked, it names each.
    if schema.get("additionalProperties") == Some(&json!(false)) {
        schema.entry("properties").or_insert_with(|| json!({}));
    }
    if schema.get("propertyNames") == Some(&json!(false)) {
        schema.insert("propertyNames".to_owned(), json!({ "not": {} }));
    }
    if schema.contains_key("x-max-bytes") {
        // Draft 7 ignores what stands beside a `$ref`.
        if let Some(reference) = schema.remove("$ref") {
            let all = schema.entry("allOf").or_insert_with(|| json!([]));
            if let Some(list) = all.as_array_mut() {
                list.push(json!({ "$ref": reference }));
            }
        }
    }
}

/// Pointers into the document itself; references by URI are the validator's, which knows embedded resources.
fn local_references_resolve(document: Document<'_>) -> Result<()> {
    let mut waiting: Vec<&Value> = vec![document.root()];
    while let Some(map) = waiting.pop().and_then(Value::as_object) {
        let embedded = map.get("$id").and_then(Value::as_str).is_some_and(|id| !id.starts_with('#'));
        if embedded && !document.root().as_object().is_some_and(|root| std::ptr::eq(root, map)) {
            continue;
        }
        let local = map
            .get("$ref")
            .and_then(Value::as_str)
            .filter(|reference| *reference == "#" || reference.starts_with("#/"));
        if let Some(reference) = local.filter(|reference| document.resolve(reference).is_none()) {
            let message = format!("the $ref {} leads nowhere in this document", validate::shortened(reference));
            let place = document.place(&|schema| std::ptr::eq(schema, map)).unwrap_or_default();
            return Err(one(&format!("{place}/$ref"), "$ref", message));
        }
        waiting.extend(children(map));
    }
    Ok(())
}
