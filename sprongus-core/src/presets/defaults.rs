//! Defaults: what a document gets where it says nothing.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::compile::{Compiled, one};
use super::schema::{Document, Leads};
use crate::error::{Error, ErrorCode, Result};
use crate::json::MAX_DEPTH;

/// How much memory one document may get, about: far more than one may hold.
const MAX_BYTES: usize = 64 << 20;

/// What is left to fill.
struct Room {
    bytes: usize,
    /// Whether what lies deeper than any document may is passed over, for others to refuse.
    stops: bool,
}

/// The defaults of a schema, by schema: a recursive one comes back to itself as documents do.
#[derive(Debug)]
pub(super) struct Defaults {
    /// The first is the document's own.
    places: Vec<Place>,
}

#[derive(Debug, Default)]
struct Place {
    /// Each with about how much memory it takes.
    missing: Vec<(String, Value, usize)>,
    /// Properties whose own properties have defaults, and where those are.
    nested: Vec<(String, usize)>,
}

impl Defaults {
    /// Reads them from `properties`, through local `$ref` and `allOf`; the first met counts.
    ///
    /// `validation` where one brings along another without end: `{"properties": {"a": {"$ref": "#", "default": {}}}}`.
    pub(super) fn read(document: Document<'_>) -> Result<Self> {
        let leads = document.leading_to(|schema| schema.contains_key("default"));
        let mut reader = Reader { document, leads, known: HashMap::new(), waiting: Vec::new() };
        reader.place(document.root());
        let mut places = Vec::new();
        while let Some(schema) = reader.waiting.get(places.len()).copied() {
            places.push(reader.read(schema));
        }
        let defaults = Self { places };
        let mut room = Room { bytes: MAX_BYTES, stops: false };
        let ends = |place| defaults.apply(place, &mut Map::new(), 1, &mut room);
        if !(0..defaults.places.len()).all(ends) {
            return Err(one("", "default", "its defaults bring along one another without end"));
        }
        Ok(defaults)
    }

    pub(super) fn are_none(&self) -> bool {
        self.places.iter().all(|place| place.missing.is_empty())
    }

    /// False where there is no room left.
    fn apply(&self, place: usize, object: &mut Map<String, Value>, depth: usize, room: &mut Room) -> bool {
        let Some(place) = self.places.get(place).filter(|_| depth <= MAX_DEPTH) else { return room.stops };
        for (name, default, bytes) in &place.missing {
            if !object.contains_key(name) {
                let Some(left) = room.bytes.checked_sub(*bytes) else { return false };
                room.bytes = left;
                object.insert(name.clone(), default.clone());
            }
        }
        let mut nested = place.nested.iter();
        nested.all(|(name, nested)| match object.get_mut(name) {
            Some(Value::Object(inner)) => self.apply(*nested, inner, depth + 1, room),
            _ => true,
        })
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
        let (mut place, mut known) = (Place::default(), HashSet::new());
        let facets = self.document.certain(schema);
        for (name, property) in facets.into_iter().filter_map(|facet| facet.get("properties")?.as_object()).flatten() {
            if !property.as_object().is_some_and(|map| self.leads.hold(map)) {
                continue;
            }
            let default = self.document.certain(property).into_iter().find_map(|facet| facet.get("default"));
            if let Some(default) = default.filter(|_| known.insert(name)) {
                let bytes = 64 + name.len() + default.to_string().len();
                place.missing.push((name.clone(), default.clone(), bytes));
            }
            place.nested.push((name.clone(), self.place(property)));
        }
        place
    }
}

/// Fills in the preset's defaults where a property is missing: at the top, and in nested objects that are there.
///
/// An explicit null is not missing. Idempotent; judges nothing (validate afterwards).
///
/// # Errors
/// `too_large` where defaults upon defaults would fill the memory.
pub fn apply_defaults(preset: &Compiled, payload: &mut Map<String, Value>) -> Result<()> {
    if preset.defaults().apply(0, payload, 1, &mut Room { bytes: MAX_BYTES, stops: true }) {
        return Ok(());
    }
    Err(Error::new(ErrorCode::TooLarge, "the document is too large with the defaults of its preset"))
}
