//! How much there is to follow from a schema: what would exhaust the stack or never end is refused, before a validator is
//! built of the schema or, where it depends on the document, before that is judged.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::compile::one;
use super::graph::{Graph, Place};
use crate::error::Result;

/// How many schemas may stand one inside (or behind a reference of) another.
const MAX_NESTING: usize = 2_000;
/// How many schemas may judge one place of a document: references to references multiply.
const MAX_JUDGES: u64 = 1_000_000;
/// How many schemas may judge a document, where they are many more than there are schemas and places to judge.
const MAX_STEPS: u64 = 1_000_000;
/// As often as that each schema may judge each place it is for.
const TIMES: u64 = 100;

/// What is known of a schema's nesting.
#[derive(Debug)]
pub(super) struct Nesting {
    /// How many schemas judge one place in turn, at most.
    pub(super) chain: usize,
    graph: Graph,
    /// The schemas that lead back to themselves.
    recursive: HashSet<usize>,
    /// Whether references multiply from place to place, though not within one.
    multiplies: bool,
}

impl Nesting {
    /// `validation` where schemas nest too deep to follow, or too many judge one place.
    pub(super) fn of(graph: Graph) -> Result<Self> {
        if deepest(&graph, 0, &|place| place.inside.clone(), &mut HashSet::new(), 1) > MAX_NESTING {
            let message = format!("schemas stand more than {MAX_NESTING} deep one inside or behind another");
            return Err(one("", "$ref", message));
        }
        let (mut chain, mut here) = (1, Unrolled::new(&graph, |place| place.here.clone()));
        for place in 0..graph.places.len() {
            if here.count(place) > MAX_JUDGES {
                let message = format!("references multiply: more than {MAX_JUDGES} schemas would judge one place");
                return Err(one("", "$ref", message));
            }
            chain = chain.max(deepest(&graph, place, &|place| place.here.clone(), &mut HashSet::new(), 1));
        }
        let mut all = Unrolled::new(&graph, |place| place.judges().collect());
        let multiplies = all.count(0) > MAX_JUDGES;
        let recursive = all.recursive;
        Ok(Self { chain, recursive, multiplies, graph })
    }

    /// Whether finding out if that document is valid would take too long. A recursive reference is judged once for each
    /// place, for the validator remembers what came of it; others are not remembered.
    pub(super) fn is_endless(&self, document: &Value) -> bool {
        self.multiplies && Steps::are_endless(&self.graph, &self.recursive, document)
    }

    /// Whether finding every reason why it is not would: nothing is remembered then.
    pub(super) fn has_endless_reasons(&self, document: &Value) -> bool {
        let depends = self.multiplies || !self.recursive.is_empty();
        depends && Steps::are_endless(&self.graph, &HashSet::new(), document)
    }
}

fn deepest(
    graph: &Graph,
    place: usize,
    edges: &impl Fn(&Place) -> Vec<usize>,
    seen: &mut HashSet<usize>,
    level: usize,
) -> usize {
    if level > MAX_NESTING || !seen.insert(place) {
        return level;
    }
    let next = edges(&graph.places[place]).into_iter();
    next.map(|next| deepest(graph, next, edges, seen, level + 1)).max().unwrap_or(level)
}

/// Counts schemas with every reference written out; one that is met again on the way to itself counts once.
struct Unrolled<'g, E> {
    graph: &'g Graph,
    edges: E,
    counted: HashMap<usize, u64>,
    open: HashSet<usize>,
    /// Those that were met again.
    recursive: HashSet<usize>,
}

impl<'g, E: Fn(&Place) -> Vec<usize>> Unrolled<'g, E> {
    fn new(graph: &'g Graph, edges: E) -> Self {
        Self { graph, edges, counted: HashMap::new(), open: HashSet::new(), recursive: HashSet::new() }
    }

    fn count(&mut self, place: usize) -> u64 {
        if let Some(known) = self.counted.get(&place) {
            if self.open.contains(&place) {
                self.recursive.insert(place);
            }
            return *known;
        }
        self.counted.insert(place, 1);
        self.open.insert(place);
        let next = (self.edges)(&self.graph.places[place]);
        let all = next.into_iter().fold(1_u64, |all, next| all.saturating_add(self.count(next)));
        self.open.remove(&place);
        self.counted.insert(place, all);
        all
    }
}

/// Counts how often a schema judges a place of a document.
struct Steps<'g> {
    graph: &'g Graph,
    /// The schemas that judge a place once, however often they are asked.
    remembered: &'g HashSet<usize>,
    counted: HashMap<(usize, *const Value), u64>,
}

impl<'g> Steps<'g> {
    fn are_endless(graph: &'g Graph, remembered: &'g HashSet<usize>, document: &Value) -> bool {
        let mut steps = Self { graph, remembered, counted: HashMap::new() };
        let all = steps.count(0, document);
        all > MAX_STEPS && all > TIMES.saturating_mul(steps.counted.len() as u64)
    }

    fn count(&mut self, place: usize, value: &Value) -> u64 {
        let key = (place, std::ptr::from_ref(value));
        if let Some(known) = self.counted.get(&key) {
            let again = !self.remembered.contains(&place) || !(value.is_array() || value.is_object());
            return if again { *known } else { 1 };
        }
        self.counted.insert(key, 1);
        let schema = &self.graph.places[place];
        let mut all = 1_u64;
        let mut add = |place: usize, value: &Value| all = all.saturating_add(self.count(place, value));
        schema.here.iter().for_each(|place| add(*place, value));
        match value {
            Value::Object(map) => {
                for (name, value) in map {
                    schema.of_property(name).for_each(|place| add(place, value));
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    schema.of_item(index).for_each(|place| add(place, item));
                }
            }
            _ => {}
        }
        self.counted.insert(key, all);
        all
    }
}
