//! Defaults: what a document gets where it says nothing.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::compile::Compiled;
use super::schema::{Document, Leads};

/// The defaults of a schema, by schema: a recursive one comes back to itself as documents do.
#[derive(Debug)]
pub(super) struct Defaults {
    /// The first is the document's own.
    places: Vec<Place>,
}

#[derive(Debug, Default)]
struct Place {
    missing: Vec<(String, Value)>,
    /// Properties whose own properties have defaults, and where those are.
    nested: Vec<(String, usize)>,
}

impl Defaults {
    /// Reads them from `properties`, through local `$ref` and `allOf`; the first met counts.
    pub(super) fn read(document: Document<'_>) -> Self {
        let leads = document.leading_to(|schema| schema.contains_key("default"));
        let mut reader = Reader { document, leads, known: HashMap::new(), waiting: Vec::new() };
        reader.place(document.root());
        let mut places = Vec::new();
        while let Some(schema) = reader.waiting.get(places.len()).copied() {
            places.push(reader.read(schema));
        }
        Self { places }
    }

    pub(super) fn are_none(&self) -> bool {
        self.places.iter().all(|place| place.missing.is_empty())
    }

    fn apply(&self, place: usize, object: &mut Map<String, Value>) {
        let Some(place) = self.places.get(place) else { return };
        for (name, default) in &place.missing {
            if !object.contains_key(name) {
                object.insert(name.clone(), default.clone());
            }
        }
        for (name, nested) in &place.nested {
            if let Some(Value::Object(inner)) = object.get_mut(name) {
                self.apply(*nested, inner);
            }
        }
    }
}

struct Reader<'a> {
    document: Document<'a>,
    leads: Leads,
    known: HashMap<*const Value, usize>,
    /// Schemas in the order of their places.
    waiting: Vec<&'a Value>,
}

impl<'a> Reader<'a> {
    fn place(&mut self, schema: &'a Value) -> usize {
        *self.known.entry(schema).or_insert_with(|| {
            self.waiting.push(schema);
            self.waiting.len() - 1
        })
    }

    fn read(&mut self, schema: &'a Value) -> Place {
        let mut place = Place::default();
        let facets = self.document.certain(schema);
        for (name, property) in facets.into_iter().filter_map(|facet| facet.get("properties")?.as_object()).flatten() {
            if !property.as_object().is_some_and(|map| self.leads.hold(map)) {
                continue;
            }
            let default = self.document.certain(property).into_iter().find_map(|facet| facet.get("default"));
            if let Some(default) = default.filter(|_| place.missing.iter().all(|(known, _)| known != name)) {
                place.missing.push((name.clone(), default.clone()));
            }
            place.nested.push((name.clone(), self.place(property)));
        }
        place
    }
}

/// Fills in the preset's defaults where a property is missing: at the top, and in nested objects that are there.
///
/// An explicit null is not missing. Idempotent; judges nothing (validate afterwards).
pub fn apply_defaults(preset: &Compiled, payload: &mut Map<String, Value>) {
    preset.defaults().apply(0, payload);
}
