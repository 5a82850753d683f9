//! The columns of a CSV export, found by a first pass over the documents.

use super::trail::Trail;
use crate::aux_store::import::{Cell, CellTypes, JSON_MARK};
use crate::aux_store::path::Path;
use crate::error::Result;
use crate::json::{Member, Raw, parse_value};

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
    seen: Seen<'t>,
    root: Vec<(String, Node)>,
}

/// What is noted on the way through a document.
struct Seen<'t> {
    types: &'t CellTypes<'t>,
    /// Whether the columns are others than when last asked.
    news: bool,
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
#[derive(Clone, Copy, PartialEq)]
struct Leaf {
    cell: Cell,
    plain: bool,
    json: bool,
}

impl<'t> Columns<'t> {
    /// No columns yet but `id`; `types` is what an import will read the cells by.
    pub(crate) fn new(types: &'t CellTypes<'t>) -> Self {
        let id = Leaf::new(types(&["id".to_owned()]));
        let root = vec![("id".to_owned(), Node { leaf: Some(id), ..Node::default() })];
        Self { seen: Seen { types, news: true }, root }
    }

    /// Takes an entry into account: its payload, and its id where the payload does not show one. Whether the
    /// columns are still those that [`layout`](Self::layout) told last.
    ///
    /// # Errors
    /// `corrupt` where an object in it is not in canonical form.
    pub(crate) fn observe(&mut self, id: &str, payload: &[Member<'_>]) -> Result<bool> {
        let shown = self.seen.object(&mut self.root, payload.iter().map(known), None)?;
        if !shown {
            let at = self.seen.place(&mut self.root, 0, "id");
            let cell = || Leaf::new((self.seen.types)(&["id".to_owned()]));
            let leaf = self.root[at].1.leaf.get_or_insert_with(cell);
            let before = *leaf;
            leaf.observe_text(id);
            self.seen.news |= *leaf != before;
        }
        Ok(!self.seen.news)
    }

    /// The columns in their order.
    pub(super) fn layout(&mut self) -> Layout {
        self.seen.news = false;
        let mut headers = Vec::new();
        let mut spot = |(key, node): &(String, Node)| {
            let spot = node.spot(Trail { above: None, key }, self.seen.types, &mut headers);
            (key.clone(), spot)
        };
        let (ids, others): (Vec<_>, Vec<_>) = self.root.iter().partition(|(key, _)| key == "id");
        let id = ids.first().map_or(Spot::Column(Cells::Plain), |id| spot(id).1);
        let others = others.into_iter().map(spot).collect();
        Layout { headers, id, others }
    }
}

/// A member that is read already: without a copy of its key.
pub(super) fn known<'m>((key, value): &'m Member<'_>) -> (&'m str, Raw<'m>) {
    (key, *value)
}

impl Seen<'_> {
    /// Where the node of that key stands, at or after `from`; made where there is none.
    fn place(&mut self, nodes: &mut Vec<(String, Node)>, from: usize, key: &str) -> usize {
        // Documents of a table are much alike: most often it is the next one.
        if nodes.get(from).is_some_and(|(known, _)| known == key) {
            return from;
        }
        let more = nodes[from..].iter().position(|(known, _)| known.as_str() >= key);
        let at = more.map_or(nodes.len(), |more| from + more);
        if nodes.get(at).is_none_or(|(known, _)| known != key) {
            nodes.insert(at, (key.to_owned(), Node::default()));
            self.news = true;
        }
        at
    }

    /// Both the nodes and the members are in the order of their keys: one walk along both. Whether there is an `id`.
    fn object<'t, K: AsRef<str>>(
        &mut self,
        nodes: &mut Vec<(String, Node)>,
        members: impl Iterator<Item = (K, Raw<'t>)>,
        above: Option<&Trail<'_>>,
    ) -> Result<bool> {
        let (mut at, mut id) = (0, false);
        for (key, value) in members {
            let key = key.as_ref();
            id = id || key == "id";
            at = self.place(nodes, at, key);
            self.node(&mut nodes[at].1, value, &Trail { above, key })?;
            at += 1;
        }
        Ok(id)
    }

    fn node(&mut self, node: &mut Node, value: Raw<'_>, trail: &Trail<'_>) -> Result<()> {
        if !value.has_members() || trail.depth() >= MAX_DEPTH {
            let before = node.leaf;
            let leaf = node.leaf.get_or_insert_with(|| Leaf::new((self.types)(&trail.keys())));
            leaf.observe(value);
            self.news |= before != Some(*leaf);
        } else if !node.collapsed {
            let mut members = value.members();
            self.object(&mut node.children, &mut members, Some(trail))?;
            members.finish()?;
            if node.children.len() > MAX_KEYS {
                node.collapsed = true;
                node.children.clear();
            }
        }
        Ok(())
    }
}

impl Node {
    /// Where values and objects were both seen, or too many keys, the whole is one column.
    fn spot(&self, trail: Trail<'_>, types: &CellTypes<'_>, headers: &mut Vec<String>) -> Spot {
        if self.leaf.is_none() && !self.collapsed {
            let before = headers.len();
            let mut spots = Vec::with_capacity(self.children.len());
            for (key, node) in &self.children {
                spots.push((key.clone(), node.spot(Trail { above: Some(&trail), key }, types, headers)));
            }
            return Spot::Object(spots, headers.len() - before);
        }
        let mut leaf = self.leaf.unwrap_or_else(|| Leaf::new(types(&trail.keys())));
        if self.collapsed || !self.children.is_empty() {
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
        if value.first() == b'"' && self.cell.is_text() {
            self.json = false;
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
