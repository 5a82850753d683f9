//! The columns of a CSV export, found by a first pass over the documents.

use super::trail::Trail;
use crate::aux_store::import::{Cell, CellTypes, JSON_MARK};
use crate::aux_store::path::Path;
use crate::error::Result;
use crate::json::{Raw, parse_value};

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

/// What stands at a key: a column, or an object whose members are columns.
#[derive(Debug)]
pub(super) enum Spot {
    Column(Cells),
    /// In the order of their keys, and how many columns they are in all.
    Object(Vec<(String, Spot)>, usize),
}

impl Spot {
    /// How many columns it is.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Column(_) => 1,
            Self::Object(_, width) => *width,
        }
    }
}

/// The columns of a file: `id`, then the others in the order of their paths.
pub(super) struct Layout {
    pub(super) headers: Vec<String>,
    pub(super) id: Spot,
    pub(super) others: Vec<(String, Spot)>,
}

/// Collects the columns of a set of documents, in whatever order they come.
///
/// `id` is first, the others follow in the order of their paths. Each column is written so that an import, typed by the same
/// preset, reads back what was there: plain where that suffices, as JSON where the preset's type takes JSON, and as JSON under
/// a header that says so (`size\:json`) where the preset would read something else.
pub(crate) struct Columns<'t> {
    types: &'t CellTypes<'t>,
    root: Vec<(String, Node)>,
}

#[derive(Default)]
struct Node {
    /// In the order of their keys, as canonical documents have them.
    children: Vec<(String, Node)>,
    /// Too many keys: a cell of JSON whatever it holds.
    collapsed: bool,
    leaf: Option<Leaf>,
}

/// Values that were seen at a path, and whether each reads back from its cell.
struct Leaf {
    cell: Cell,
    plain: bool,
    json: bool,
}

impl<'t> Columns<'t> {
    /// No columns yet but `id`; `types` is what an import will read the cells by.
    pub(crate) fn new(types: &'t CellTypes<'t>) -> Self {
        let id = Leaf::new(types(&["id".to_owned()]));
        Self { types, root: vec![("id".to_owned(), Node { leaf: Some(id), ..Node::default() })] }
    }

    /// Takes an entry into account: its canonical payload, and its id where the payload does not show one.
    ///
    /// # Errors
    /// `corrupt` where that is no object.
    pub(crate) fn observe(&mut self, id: &str, payload: &str) -> Result<()> {
        let mut shown = false;
        observe_object(&mut self.root, Raw::of(payload), None, self.types, &mut |key| shown = shown || key == "id")?;
        if !shown {
            let at = place(&mut self.root, 0, "id");
            self.root[at].1.leaf.get_or_insert_with(|| Leaf::new((self.types)(&["id".to_owned()]))).observe_text(id);
        }
        Ok(())
    }

    /// The columns in their order.
    pub(super) fn into_layout(self) -> Layout {
        let (mut ids, others): (Vec<_>, Vec<_>) = self.root.into_iter().partition(|(key, _)| key == "id");
        let mut headers = Vec::new();
        let mut spot = |(key, node): (String, Node)| {
            let spot = node.into_spot(Trail { above: None, key: &key }, self.types, &mut headers);
            (key, spot)
        };
        let id = ids.pop().map_or(Spot::Column(Cells::Plain), |id| spot(id).1);
        let others = others.into_iter().map(spot).collect();
        Layout { headers, id, others }
    }
}

/// Where the node of that key stands, at or after `from`; made where there is none.
fn place(nodes: &mut Vec<(String, Node)>, from: usize, key: &str) -> usize {
    let after =
        nodes[from..].iter().position(|(known, _)| known.as_str() >= key).map_or(nodes.len(), |more| from + more);
    if nodes.get(after).is_none_or(|(known, _)| known != key) {
        nodes.insert(after, (key.to_owned(), Node::default()));
    }
    after
}

/// Both the nodes and the members are in the order of their keys: one walk along both.
fn observe_object(
    nodes: &mut Vec<(String, Node)>,
    object: Raw<'_>,
    above: Option<&Trail<'_>>,
    types: &CellTypes<'_>,
    met: &mut dyn FnMut(&str),
) -> Result<()> {
    let (mut at, mut members) = (0, object.members());
    for (key, value) in members.by_ref() {
        met(&key);
        at = place(nodes, at, &key);
        nodes[at].1.observe(value, &Trail { above, key: &key }, types)?;
    }
    members.finish()
}

impl Node {
    fn observe(&mut self, value: Raw<'_>, trail: &Trail<'_>, types: &CellTypes<'_>) -> Result<()> {
        if !value.has_members() || trail.depth() >= MAX_DEPTH {
            self.leaf.get_or_insert_with(|| Leaf::new(types(&trail.keys()))).observe(value);
        } else if !self.collapsed {
            observe_object(&mut self.children, value, Some(trail), types, &mut |_| {})?;
            self.collapsed = self.children.len() > MAX_KEYS;
            if self.collapsed {
                self.children.clear();
            }
        }
        Ok(())
    }

    /// Where values and objects were both seen, or too many keys, the whole is one column.
    fn into_spot(self, trail: Trail<'_>, types: &CellTypes<'_>, headers: &mut Vec<String>) -> Spot {
        let holds_objects = self.collapsed || !self.children.is_empty();
        if self.leaf.is_none() && !self.collapsed {
            let before = headers.len();
            let children = self.children.into_iter().map(|(key, node)| {
                let spot = node.into_spot(Trail { above: Some(&trail), key: &key }, types, headers);
                (key, spot)
            });
            let children = children.collect();
            return Spot::Object(children, headers.len() - before);
        }
        let mut leaf = self.leaf.unwrap_or_else(|| Leaf::new(types(&trail.keys())));
        if holds_objects {
            leaf.observe(Raw::of(r#"{"":""}"#));
        }
        let (cells, mark) = leaf.cells();
        headers.push(format!("{}{mark}", Path::from(trail.keys())));
        Spot::Column(cells)
    }
}

impl Leaf {
    fn new(cell: Cell) -> Self {
        Self { cell, plain: true, json: true }
    }

    /// A null needs no type: it is `\N` in every column.
    fn observe(&mut self, value: Raw<'_>) {
        if value.is_null() || !(self.plain || self.json) {
            return;
        }
        match value.text() {
            Some(text) => self.observe_text(&text),
            None => {
                let same = self.reads_literal(value);
                self.plain = self.plain && same;
                self.json = self.json && same;
            }
        }
    }

    fn observe_text(&mut self, text: &str) {
        let reads = |cell: &str| self.cell.parse(cell).is_ok_and(|read| read == *text);
        self.plain = self.plain && (self.cell.is_text() || reads(text));
        self.json = self.json && !self.cell.is_text() && reads(&serde_json::Value::from(text).to_string());
    }

    /// What is no string has one form in both kinds of cells.
    fn reads_literal(&self, value: Raw<'_>) -> bool {
        if let Cell::Typed(cell) = self.cell
            && cell.surely_reads(value.as_str())
        {
            return true;
        }
        let known = || parse_value(value.as_str()).ok();
        self.cell.parse(value.as_str()).is_ok_and(|read| known().is_some_and(|known| known == read))
    }

    fn cells(&self) -> (Cells, &'static str) {
        match (self.plain, self.json) {
            (true, _) => (Cells::Plain, ""),
            (false, true) => (Cells::Json, ""),
            (false, false) => (Cells::Json, JSON_MARK),
        }
    }
}
