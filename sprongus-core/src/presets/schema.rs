//! Walking a JSON Schema without validating: what applies at a place, and what stands below it.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::json::pointer::Segment;

/// Keywords whose value is a list of schemas for the same place.
const IN_PLACE_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Keywords whose value is one schema for the same place.
const IN_PLACE: [&str; 4] = ["if", "then", "else", "not"];
/// Keywords whose value is one schema, for places below.
const BELOW: [&str; 8] = [
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "items",
    "additionalItems",
    "unevaluatedItems",
    "contains",
    "contentSchema",
];
/// Keywords whose value maps names to schemas.
const MAPS: [&str; 6] = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];

/// A schema document, in which local references are followed.
#[derive(Clone, Copy)]
pub(super) struct Document<'a> {
    root: &'a Value,
    /// The schemas that have a name of their own, where they were looked for once.
    anchors: Option<&'a Anchors<'a>>,
}

/// Schemas by the names that references may call them.
pub(super) type Anchors<'a> = HashMap<&'a str, &'a Value>;

/// Those of a document.
pub(super) fn anchors(root: &Value) -> Anchors<'_> {
    let (mut found, mut waiting) = (Anchors::new(), vec![root]);
    while let Some(schema) = waiting.pop() {
        let Some(map) = schema.as_object() else { continue };
        for name in names(map) {
            found.entry(name).or_insert(schema);
        }
        waiting.extend(children(map).into_iter().rev());
    }
    found
}

impl<'a> Document<'a> {
    pub(super) fn new(root: &'a Value) -> Self {
        Self { root, anchors: None }
    }

    /// The same, for much following of references.
    pub(super) fn with_anchors(root: &'a Value, anchors: &'a Anchors<'a>) -> Self {
        Self { root, anchors: Some(anchors) }
    }

    pub(super) fn root(self) -> &'a Value {
        self.root
    }

    /// The target of a `$ref` within this document: `#`, `#/a/pointer` or `#anchor`; of another resource none.
    pub(super) fn resolve(self, reference: &str) -> Option<&'a Value> {
        let fragment = reference.strip_prefix('#')?;
        if fragment.is_empty() || fragment.starts_with('/') {
            return self.root.pointer(&percent_decoded(fragment)?);
        }
        match self.anchors {
            Some(anchors) => anchors.get(fragment).copied(),
            None => anchors(self.root).remove(fragment),
        }
    }

    /// The JSON Pointer of the first object for which that holds.
    pub(super) fn place(self, wanted: &impl Fn(&Map<String, Value>) -> bool) -> Option<String> {
        place(self.root, wanted).map(|segments| segments.iter().rev().map(|segment| format!("/{segment}")).collect())
    }

    /// What `$ref` of that schema leads to, if it is within this document.
    pub(super) fn target(self, schema: &Map<String, Value>) -> Option<&'a Value> {
        schema.get("$ref").and_then(Value::as_str).and_then(|reference| self.resolve(reference))
    }

    /// That schema and whatever else speaks of the same place through local `$ref`, `allOf`, `anyOf` and `oneOf`.
    pub(super) fn facets<'s>(self, schema: &'s Value) -> Vec<&'s Map<String, Value>>
    where
        'a: 's,
    {
        self.gather(schema, &IN_PLACE_LISTS)
    }

    /// The same through local `$ref` and `allOf` only: what speaks of the place whatever stands there.
    pub(super) fn certain<'s>(self, schema: &'s Value) -> Vec<&'s Map<String, Value>>
    where
        'a: 's,
    {
        self.gather(schema, &["allOf"])
    }

    fn gather<'s>(self, schema: &'s Value, lists: &[&str]) -> Vec<&'s Map<String, Value>>
    where
        'a: 's,
    {
        let mut found: Vec<&'s Map<String, Value>> = Vec::new();
        let (mut seen, mut waiting) = (HashSet::new(), vec![schema]);
        while let Some(next) = waiting.pop() {
            let Some(map) = next.as_object().filter(|map| seen.insert(std::ptr::from_ref(*map))) else { continue };
            found.push(map);
            waiting.extend(self.target(map));
            waiting.extend(lists.iter().filter_map(|keyword| map.get(*keyword)?.as_array()).flatten());
        }
        found
    }

    /// The schemas that hold what is wanted, or lead to one that does.
    pub(super) fn leading_to(self, wanted: impl Fn(&Map<String, Value>) -> bool) -> Leads {
        let mut parents: HashMap<*const Map<String, Value>, Vec<&Map<String, Value>>> = HashMap::new();
        let mut found: Vec<&Map<String, Value>> = Vec::new();
        let mut waiting: Vec<&Map<String, Value>> = self.root.as_object().into_iter().collect();
        let mut seen: HashSet<*const Map<String, Value>> = HashSet::new();
        while let Some(map) = waiting.pop() {
            if !seen.insert(map) {
                continue;
            }
            if wanted(map) {
                found.push(map);
            }
            for next in children(map).into_iter().chain(self.target(map)).filter_map(Value::as_object) {
                parents.entry(next).or_default().push(map);
                waiting.push(next);
            }
        }
        let mut leads = HashSet::new();
        while let Some(map) = found.pop() {
            if leads.insert(std::ptr::from_ref(map)) {
                found.extend(parents.get(&std::ptr::from_ref(map)).into_iter().flatten());
            }
        }
        Leads(leads)
    }
}

/// A set of schemas of one document.
pub(super) struct Leads(HashSet<*const Map<String, Value>>);

impl Leads {
    pub(super) fn hold(&self, schema: &Map<String, Value>) -> bool {
        self.0.contains(&std::ptr::from_ref(schema))
    }
}

/// The members of `allOf`, `anyOf` and `oneOf`.
pub(super) fn alternatives(schema: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    IN_PLACE_LISTS.iter().filter_map(|keyword| schema.get(*keyword)?.as_array()).flatten()
}

/// Every schema directly inside that one which speaks of the same place.
pub(super) fn in_place(schema: &Map<String, Value>) -> Vec<&Value> {
    let single = IN_PLACE.iter().filter_map(|keyword| schema.get(*keyword));
    let dependent = ["dependentSchemas", "dependencies"].iter().filter_map(|keyword| schema.get(*keyword)?.as_object());
    alternatives(schema).chain(single).chain(dependent.flat_map(Map::values)).collect()
}

/// Every schema directly inside that one; values that are no schemas (`enum`, `const`, `default`, …) are passed over.
pub(super) fn children(schema: &Map<String, Value>) -> Vec<&Value> {
    let lists = ["allOf", "anyOf", "oneOf", "prefixItems", "items"];
    let lists = lists.iter().filter_map(|keyword| schema.get(*keyword)?.as_array()).flatten();
    let maps = MAPS.iter().filter_map(|keyword| schema.get(*keyword)?.as_object()).flat_map(Map::values);
    let single = IN_PLACE.iter().chain(&BELOW).filter_map(|keyword| schema.get(*keyword));
    lists.chain(maps).chain(single).filter(|child| child.is_object()).collect()
}

/// Calls `change` on every schema of the document, outermost first.
pub(super) fn change_each(schema: &mut Value, change: &impl Fn(&mut Map<String, Value>)) {
    let Some(map) = schema.as_object_mut() else { return };
    change(map);
    for (keyword, value) in map.iter_mut() {
        let keyword = keyword.as_str();
        match value {
            Value::Object(named) if MAPS.contains(&keyword) => {
                named.values_mut().for_each(|child| change_each(child, change))
            }
            Value::Array(list)
                if IN_PLACE_LISTS.contains(&keyword) || keyword == "prefixItems" || keyword == "items" =>
            {
                list.iter_mut().for_each(|child| change_each(child, change));
            }
            Value::Object(_) if IN_PLACE.contains(&keyword) || BELOW.contains(&keyword) => change_each(value, change),
            _ => {}
        }
    }
}

/// One segment of a JSON Pointer, escaped (RFC 6901 §3).
pub(super) fn escaped(segment: &str) -> String {
    Segment::Key(segment).to_string()
}

fn names(schema: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let text = |keyword: &str| schema.get(keyword).and_then(Value::as_str);
    let id = text("$id").and_then(|id| id.strip_prefix('#'));
    [text("$anchor"), text("$dynamicAnchor"), id].into_iter().flatten()
}

/// The segments of the way there, innermost first.
fn place(value: &Value, wanted: &impl Fn(&Map<String, Value>) -> bool) -> Option<Vec<String>> {
    let within = |name: String, inner: &Value| {
        place(inner, wanted).map(|mut segments| {
            segments.push(name);
            segments
        })
    };
    match value {
        Value::Object(map) if wanted(map) => Some(Vec::new()),
        Value::Object(map) => map.iter().find_map(|(name, inner)| within(escaped(name), inner)),
        Value::Array(items) => items.iter().enumerate().find_map(|(index, inner)| within(index.to_string(), inner)),
        _ => None,
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after.get(2..)?;
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}
