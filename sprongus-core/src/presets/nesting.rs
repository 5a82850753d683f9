//! How much there is to follow from a schema: what would exhaust the stack or never end is refused before it is built.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::compile::one;
use super::schema::{Document, children, in_place};
use crate::error::Result;

/// How many schemas may stand one inside (or behind a reference of) another.
const MAX_NESTING: usize = 2_000;
/// How many schemas may judge one place of a document: references to references multiply.
const MAX_JUDGES: u64 = 1_000_000;

/// How many schemas judge one place in turn, at most.
///
/// `validation` where schemas nest too deep to follow, or too many judge one place.
pub(super) fn chain(schema: &Value) -> Result<usize> {
    let document = Document::new(schema);
    if deepest(document, schema, children, &mut HashSet::new(), 1) > MAX_NESTING {
        let message = format!("schemas stand more than {MAX_NESTING} deep one inside or behind another");
        return Err(one("", "$ref", message));
    }
    let mut longest = 1;
    let mut counted = HashMap::new();
    let mut waiting = vec![schema];
    while let Some(next) = waiting.pop() {
        if judges(document, next, &mut counted) > MAX_JUDGES {
            let message = format!("references multiply: more than {MAX_JUDGES} schemas would judge one place");
            return Err(one("", "$ref", message));
        }
        longest = longest.max(deepest(document, next, in_place, &mut HashSet::new(), 1));
        waiting.extend(next.as_object().into_iter().flat_map(children));
    }
    Ok(longest)
}

/// From a schema to the schemas that are followed from it, besides its references.
type Edges = for<'m> fn(&'m Map<String, Value>) -> Vec<&'m Value>;

fn follow<'a>(document: Document<'a>, schema: &'a Map<String, Value>, edges: Edges) -> impl Iterator<Item = &'a Value> {
    let keywords = ["$ref", "$dynamicRef", "$recursiveRef"];
    let references = keywords.into_iter().filter_map(|keyword| schema.get(keyword)?.as_str());
    edges(schema).into_iter().chain(references.filter_map(move |reference| document.resolve(reference)))
}

fn deepest<'a>(
    document: Document<'a>,
    schema: &'a Value,
    edges: Edges,
    seen: &mut HashSet<*const Value>,
    level: usize,
) -> usize {
    let Some(map) = schema.as_object() else { return level };
    if level > MAX_NESTING || !seen.insert(schema) {
        return level;
    }
    follow(document, map, edges).map(|next| deepest(document, next, edges, seen, level + 1)).max().unwrap_or(level)
}

/// How many schemas judge a place for this one, itself included; one that is met again on the way counts once.
fn judges<'a>(document: Document<'a>, schema: &'a Value, counted: &mut HashMap<*const Value, u64>) -> u64 {
    let Some(map) = schema.as_object() else { return 1 };
    if let Some(known) = counted.get(&std::ptr::from_ref(schema)) {
        return *known;
    }
    counted.insert(schema, 1);
    let below = follow(document, map, in_place).map(|next| judges(document, next, counted));
    let all = below.fold(1_u64, u64::saturating_add);
    counted.insert(schema, all);
    all
}
