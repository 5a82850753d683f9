//! Defaults: what a document gets where it says nothing.

use serde_json::{Map, Value};

use super::compile::Compiled;
use super::schema::Document;

/// How deep nested properties are looked at for defaults; recursive schemas end there.
const DEEPEST: usize = 16;

/// The defaults of an object's properties, and of the objects among them.
#[derive(Debug, Default)]
pub(super) struct Defaults {
    missing: Vec<(String, Value)>,
    nested: Vec<(String, Defaults)>,
}

impl Defaults {
    /// Reads them from `properties`, through local `$ref`, `allOf`, `anyOf` and `oneOf`; the first met counts.
    pub(super) fn read(document: Document<'_>) -> Self {
        Self::of(document, document.root(), &mut Vec::new())
    }

    fn of<'a>(document: Document<'a>, schema: &'a Value, open: &mut Vec<*const Value>) -> Self {
        let mut defaults = Self::default();
        if open.len() > DEEPEST || open.contains(&std::ptr::from_ref(schema)) {
            return defaults;
        }
        open.push(schema);
        for (name, property) in
            document.facets(schema).into_iter().filter_map(|facet| facet.get("properties")?.as_object()).flatten()
        {
            defaults.property(document, name, property, open);
        }
        open.pop();
        defaults
    }

    fn property<'a>(&mut self, document: Document<'a>, name: &str, schema: &'a Value, open: &mut Vec<*const Value>) {
        let known = self.missing.iter().any(|(known, _)| known == name);
        let default = document.facets(schema).into_iter().find_map(|facet| facet.get("default"));
        if let (Some(default), false) = (default, known) {
            self.missing.push((name.to_owned(), default.clone()));
        }
        let nested = Self::of(document, schema, open);
        if !nested.missing.is_empty() || !nested.nested.is_empty() {
            self.nested.push((name.to_owned(), nested));
        }
    }

    fn apply(&self, object: &mut Map<String, Value>) {
        for (name, default) in &self.missing {
            if !object.contains_key(name) {
                object.insert(name.clone(), default.clone());
            }
        }
        for (name, nested) in &self.nested {
            if let Some(Value::Object(inner)) = object.get_mut(name) {
                nested.apply(inner);
            }
        }
    }
}

/// Fills in the preset's defaults where a property is missing: at the top, and in nested objects that are there.
///
/// An explicit null is not missing. Idempotent; judges nothing (validate afterwards).
pub fn apply_defaults(preset: &Compiled, payload: &mut Map<String, Value>) {
    preset.defaults().apply(payload);
}
