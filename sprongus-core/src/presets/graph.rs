//! Which schemas judge what: a schema document as a graph, references by pointer, anchor and URI followed.

use std::collections::HashMap;

use jsonschema::{Draft, Registry, Retrieve, Uri, uri};
use serde_json::{Map, Value};

use super::compile::one;
use super::schema::{children, in_place};
use super::validate::shortened;
use crate::error::Result;

/// What the validator takes for the URI of a document that has none.
const NO_URI: &str = "json-schema:///";

/// The schemas of a document; the first is its own.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) places: Vec<Place>,
}

/// A schema, and those it leads to.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// Judge the same value: `allOf`, `if`, `$ref`, ….
    pub(super) here: Vec<usize>,
    /// Each judges the property of its name.
    pub(super) properties: HashMap<String, usize>,
    /// Judges the properties that have no schema of their own.
    pub(super) additional: Option<usize>,
    /// May judge any property.
    pub(super) members: Vec<usize>,
    /// Each judges the item of its index.
    pub(super) prefix: Vec<usize>,
    /// Judges the items after those.
    pub(super) rest: Option<usize>,
    /// May judge any item.
    pub(super) items: Vec<usize>,
    /// Everything that stands inside it or that it refers to, definitions included.
    pub(super) inside: Vec<usize>,
}

impl Place {
    /// Every schema that judges something because this one does.
    pub(super) fn judges(&self) -> impl Iterator<Item = usize> + '_ {
        let below = [&self.members, &self.prefix, &self.items].into_iter().flatten();
        let single = self.properties.values().chain(&self.additional).chain(&self.rest);
        self.here.iter().chain(below).chain(single).copied()
    }

    /// Those that judge a property of that name, patterns not looked at.
    pub(super) fn of_property(&self, name: &str) -> impl Iterator<Item = usize> + '_ {
        let own = self.properties.get(name);
        let additional = self.additional.as_ref().filter(|_| own.is_none());
        own.into_iter().chain(additional).chain(&self.members).copied()
    }

    /// Those that judge the item of that index.
    pub(super) fn of_item(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        let own = self.prefix.get(index);
        let rest = self.rest.as_ref().filter(|_| own.is_none());
        own.into_iter().chain(rest).chain(&self.items).copied()
    }
}

/// Whatever another document says: the validator refuses all but the metaschemas, and what those say has an end.
struct Elsewhere;

impl Retrieve for Elsewhere {
    fn retrieve(&self, _: &Uri<String>) -> std::result::Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Value::Bool(true))
    }
}

impl Graph {
    /// Reads a document; `validation` where a URI in it is none.
    pub(super) fn read(schema: &Value, draft: Draft) -> Result<Self> {
        let base = uri::from_str(NO_URI).map_err(refused)?;
        let registry = Registry::new().draft(draft).retriever(Elsewhere).add(NO_URI, schema).map_err(refused)?;
        let registry = registry.prepare().map_err(refused)?;
        let mut reader =
            Reader { draft, registry: &registry, anchored: Vec::new(), known: HashMap::new(), waiting: Vec::new() };
        reader.anchors(schema, &base);
        reader.place(schema, &base);
        let mut places = Vec::new();
        while let Some((schema, base)) = reader.waiting.get(places.len()).cloned() {
            places.push(reader.read(schema, &base));
        }
        Ok(Self { places })
    }
}

fn refused(error: jsonschema::ReferencingError) -> crate::Error {
    one("", "$ref", shortened(&format!("its references cannot be followed ({error})")))
}

struct Reader<'a> {
    draft: Draft,
    registry: &'a Registry<'a>,
    /// What a `$dynamicRef` or `$recursiveRef` may lead to, depending on the way to it.
    anchored: Vec<(&'a Value, Uri<String>)>,
    known: HashMap<*const Value, usize>,
    /// Schemas in the order of their places, each with the URI it stands under.
    waiting: Vec<(&'a Value, Uri<String>)>,
}

impl<'a> Reader<'a> {
    fn anchors(&mut self, schema: &'a Value, base: &Uri<String>) {
        let Some(map) = schema.as_object() else { return };
        if map.contains_key("$dynamicAnchor") || map.get("$recursiveAnchor") == Some(&Value::Bool(true)) {
            self.anchored.push((schema, base.clone()));
        }
        let base = &self.base(map, base);
        children(map).into_iter().for_each(|child| self.anchors(child, base));
    }

    fn place(&mut self, schema: &'a Value, base: &Uri<String>) -> usize {
        *self.known.entry(schema).or_insert_with(|| {
            self.waiting.push((schema, base.clone()));
            self.waiting.len() - 1
        })
    }

    fn read(&mut self, schema: &'a Value, base: &Uri<String>) -> Place {
        let Some(map) = schema.as_object() else { return Place::default() };
        let base = &self.base(map, base);
        let mut place = Place { here: self.references(map, base), ..Place::default() };
        place.inside.clone_from(&place.here);
        place.inside.extend(children(map).into_iter().map(|child| self.place(child, base)));
        let mut all = |schemas: Vec<&'a Value>| -> Vec<usize> {
            schemas.into_iter().map(|schema| self.place(schema, base)).collect()
        };
        place.here.extend(all(in_place(map)));
        place.members = all(named(map, "patternProperties"));
        place.members.extend(all(map.get("unevaluatedProperties").into_iter().collect()));
        place.additional = all(map.get("additionalProperties").into_iter().collect()).first().copied();
        place.items = all(["contains", "unevaluatedItems"].iter().filter_map(|keyword| map.get(*keyword)).collect());
        let listed = |keyword: &str| map.get(keyword).and_then(Value::as_array).map(|list| list.iter().collect());
        let prefix = listed("prefixItems").or_else(|| listed("items"));
        let rest = map.get("items").filter(|items| !items.is_array()).or_else(|| map.get("additionalItems"));
        place.prefix = all(prefix.unwrap_or_default());
        place.rest = all(rest.into_iter().collect()).first().copied();
        let properties = map.get("properties").and_then(Value::as_object).into_iter().flatten();
        place.properties = properties.map(|(name, schema)| (name.clone(), self.place(schema, base))).collect();
        place
    }

    /// The URI that what stands inside a schema is under.
    fn base(&self, map: &Map<String, Value>, base: &Uri<String>) -> Uri<String> {
        // In draft 7 nothing beside a `$ref` counts.
        let ignored = self.draft == Draft::Draft7 && map.contains_key("$ref");
        let id = map.get("$id").and_then(Value::as_str).filter(|id| !ignored && !id.starts_with('#'));
        let inner = id.and_then(|id| uri::resolve_against(&base.borrow(), id.trim_end_matches('#')).ok());
        inner.unwrap_or_else(|| base.clone())
    }

    /// Where the references of a schema lead; what leads nowhere is for the validator to refuse.
    fn references(&mut self, map: &Map<String, Value>, base: &Uri<String>) -> Vec<usize> {
        let mut found = Vec::new();
        let reference = |keyword: &str| map.get(keyword).and_then(Value::as_str);
        for reference in ["$ref", "$dynamicRef", "$recursiveRef"].into_iter().filter_map(reference) {
            if let Ok(target) = self.registry.resolver(base.clone()).lookup(reference) {
                let base = target.resolver().base_uri();
                found.push(self.place(target.contents(), &base));
            }
        }
        if map.contains_key("$dynamicRef") || map.contains_key("$recursiveRef") {
            let anchored = self.anchored.clone();
            found.extend(anchored.iter().map(|(schema, base)| self.place(schema, base)));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn named<'a>(map: &'a Map<String, Value>, keyword: &str) -> Vec<&'a Value> {
    map.get(keyword).and_then(Value::as_object).into_iter().flat_map(Map::values).collect()
}
