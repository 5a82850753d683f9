//! The columns of a CSV export, found by a first pass over the documents.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::csv::{json_text, plain_text};
use crate::aux_store::import::{CellTypes, JSON_MARK, ParseCell};
use crate::aux_store::path::Path;

/// Keys an object may spread over columns, and how deep; beyond that it is a cell of JSON. An object that is used as a
/// dictionary would otherwise make a column of each of its entries.
const MAX_KEYS: usize = 200;
const MAX_DEPTH: usize = 32;

/// What a column's cells hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cells {
    /// Text as it is; numbers, booleans, arrays and objects as JSON.
    Plain,
    /// JSON, strings in quotes.
    Json,
}

/// One column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) path: Path,
    pub(super) header: String,
    pub(super) cells: Cells,
}

/// Collects the columns of a set of documents, in whatever order they come.
///
/// `id` is first, the others follow in the order of their paths. Each column is written so that an import, typed by the same
/// preset, reads back what was there: plain where that suffices, as JSON where the preset's type takes JSON, and as JSON under
/// a header that says so (`size\:json`) where the preset would read something else.
pub(crate) struct Columns<'t> {
    types: &'t CellTypes<'t>,
    root: BTreeMap<String, Node>,
}

#[derive(Default)]
struct Node {
    children: BTreeMap<String, Node>,
    /// Too many keys: a cell of JSON whatever it holds.
    collapsed: bool,
    leaf: Option<Leaf>,
}

/// Values that were seen at a path, and whether each reads back from its cell.
struct Leaf {
    parse: ParseCell,
    plain: bool,
    json: bool,
}

impl<'t> Columns<'t> {
    /// No columns yet but `id`; `types` is what an import will read the cells by.
    pub(crate) fn new(types: &'t CellTypes<'t>) -> Self {
        let mut columns = Self { types, root: BTreeMap::new() };
        columns.observe(&Map::from_iter([("id".to_owned(), Value::Null)]));
        columns
    }

    /// Takes a document's fields into account.
    pub(crate) fn observe(&mut self, document: &Map<String, Value>) {
        observe_object(&mut self.root, document, &mut Vec::new(), self.types);
    }

    /// The columns in their order.
    pub(super) fn into_columns(mut self) -> Vec<Column> {
        let mut found = Vec::new();
        let id = self.root.remove_entry("id");
        for (key, node) in id.into_iter().chain(self.root) {
            node.collect(&mut vec![key], self.types, &mut found);
        }
        found
    }
}

fn observe_object(
    nodes: &mut BTreeMap<String, Node>,
    map: &Map<String, Value>,
    keys: &mut Vec<String>,
    types: &CellTypes<'_>,
) {
    for (key, value) in map {
        keys.push(key.clone());
        nodes.entry(key.clone()).or_default().observe(value, keys, types);
        keys.pop();
    }
}

impl Node {
    fn observe(&mut self, value: &Value, keys: &mut Vec<String>, types: &CellTypes<'_>) {
        match value {
            Value::Object(_) if self.collapsed => {}
            Value::Object(map) if !map.is_empty() && keys.len() < MAX_DEPTH => {
                observe_object(&mut self.children, map, keys, types);
                self.collapsed = self.children.len() > MAX_KEYS;
                if self.collapsed {
                    self.children.clear();
                }
            }
            value => self.leaf.get_or_insert_with(|| Leaf::new(types(keys))).observe(value),
        }
    }

    /// Where values and objects were both seen, or too many keys, the whole is one column.
    fn collect(self, keys: &mut Vec<String>, types: &CellTypes<'_>, found: &mut Vec<Column>) {
        let holds_objects = self.collapsed || !self.children.is_empty();
        if self.leaf.is_none() && !self.collapsed {
            for (key, node) in self.children {
                keys.push(key);
                node.collect(keys, types, found);
                keys.pop();
            }
            return;
        }
        let mut leaf = self.leaf.unwrap_or_else(|| Leaf::new(types(keys)));
        if holds_objects {
            leaf.observe(&json!({"": ""}));
        }
        found.push(leaf.column(keys.clone()));
    }
}

impl Leaf {
    fn new(parse: ParseCell) -> Self {
        Self { parse, plain: true, json: true }
    }

    /// A null needs no type: it is `\N` in every column.
    fn observe(&mut self, value: &Value) {
        if value.is_null() || !(self.plain || self.json) {
            return;
        }
        self.plain = self.plain && plain_text(value).is_ok_and(|cell| self.reads_back(&cell, value));
        self.json = self.json && json_text(value).is_ok_and(|cell| self.reads_back(&cell, value));
    }

    fn reads_back(&self, cell: &str, value: &Value) -> bool {
        (self.parse)(cell).is_ok_and(|read| read == *value)
    }

    fn column(self, keys: Vec<String>) -> Column {
        let (cells, mark) = match (self.plain, self.json) {
            (true, _) => (Cells::Plain, ""),
            (false, true) => (Cells::Json, ""),
            (false, false) => (Cells::Json, JSON_MARK),
        };
        let path = Path::from(keys);
        Column { header: format!("{path}{mark}"), path, cells }
    }
}
