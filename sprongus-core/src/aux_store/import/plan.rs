//! How a row of cells becomes the text of a document without a tree between, and is known to be valid.
//!
//! It answers for the usual row of a usual preset; whatever is out of the ordinary, a violation above all, is left to the
//! way all documents take, which also tells what is wrong.

use serde_json::{Map, Value};

use super::Cell;
use super::csv::NULL;
use super::csv_header::Column;
use super::sheet::Cells;
use crate::aux_store::search::{push_text, strings};
use crate::json::{Json, quote};
use crate::presets::{ByMember, Compiled, Keywords, RESERVED, Rule, Step};

/// What the header and the preset tell of every row.
#[derive(Debug)]
pub(super) struct Plan {
    /// The column of the id, if there is one.
    pub(super) id: Option<usize>,
    /// Whether the id is a part of the document (`x-id`): then every row has one.
    pub(super) shows_id: bool,
    /// In the order of their keys.
    members: Vec<Member>,
    /// Whether all strings are searched, not only those of some fields.
    searches_all: bool,
}

#[derive(Debug)]
struct Member {
    column: usize,
    key: String,
    /// The key in quotes, and the colon.
    start: String,
    cell: Cell,
    rule: Rule,
    required: bool,
    /// Whether references, keys or the search want its value.
    wanted: bool,
}

/// A valid document.
pub(crate) struct Written {
    /// Canonical.
    pub(crate) text: String,
    /// The members that references, keys and the search of some fields are read from.
    pub(crate) wanted: Map<String, Value>,
    /// Every string, folded, where all are searched.
    pub(crate) search: Option<String>,
}

impl Plan {
    /// None where rows of such columns need a tree: columns within columns, a preset that judges more than one property at
    /// a time or has defaults, an id that is no text, what belongs to the entry itself.
    pub(super) fn new(columns: &[Column], preset: &Compiled) -> Option<Self> {
        let rules = preset.by_member()?;
        let name = preset.id_field().unwrap_or("id");
        let shows_id = preset.id_field().is_some();
        let id = columns.iter().position(|column| column.path.keys() == [name]);
        let wanted = wanted(preset.keywords());
        let mut members = Vec::new();
        for (number, column) in columns.iter().enumerate() {
            let [key] = column.path.keys() else { return None };
            let is_id = Some(number) == id;
            if (is_id && !column.cell.is_text()) || (!is_id && RESERVED.contains(&key.as_str())) {
                return None;
            }
            if !is_id || shows_id {
                members.push(Member::new(number, key, column.cell, &rules, wanted.contains(&key.as_str()))?);
            }
        }
        let missing = rules.required().any(|name| !members.iter().any(|member| member.key == name));
        if missing || (shows_id && id.is_none()) {
            return None;
        }
        members.sort_by(|a, b| a.key.cmp(&b.key));
        Some(Self { id, shows_id, members, searches_all: preset.keywords().search.is_empty() })
    }

    fn write(&self, cells: &Cells) -> Option<Written> {
        let mut text =
            String::with_capacity(cells.size() + self.members.iter().map(|one| one.start.len() + 3).sum::<usize>());
        let (mut wanted, mut search) = (Map::new(), self.searches_all.then(|| String::with_capacity(cells.size())));
        for member in &self.members {
            let (cell, quoted) = cells.record.field(member.column);
            if cell.is_empty() && !quoted {
                if member.required {
                    return None;
                }
                continue;
            }
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str(&member.start);
            member.write(cell, quoted, &mut text, &mut wanted, search.as_mut())?;
        }
        text.push_str(if text.is_empty() { "{}" } else { "}" });
        Some(Written { text, wanted, search })
    }
}

impl Cells {
    /// The document, where it is valid and nothing about the row is out of the ordinary. Only of a row that
    /// [`are_plain`](Self::are_plain) holds of.
    pub(crate) fn written(&self) -> Option<Written> {
        self.sheet.plan.as_ref()?.write(self)
    }
}

/// The top-level keys of the fields that are looked into.
fn wanted(keywords: &Keywords) -> Vec<&str> {
    let keys = keywords.unique.iter().chain(&keywords.index).flat_map(|key| &key.fields);
    let fields = keywords.refs.iter().map(|field| &field.path).chain(keys).chain(&keywords.search);
    fields
        .filter_map(|field| match field.steps().first() {
            Some(Step::Property(name)) => Some(name.as_str()),
            _ => None,
        })
        .collect()
}

impl Member {
    fn new(column: usize, key: &str, cell: Cell, rules: &ByMember<'_>, wanted: bool) -> Option<Self> {
        let mut start = String::new();
        quote(key, &mut start);
        start.push(':');
        // What the cell of another type than the preset's gives is to be judged whole.
        let rule = rules.rule(key).filter(|_| cell != Cell::Json)?;
        let required = rules.required().any(|name| name == key);
        Some(Self { column, key: key.to_owned(), start, cell, rule, required, wanted })
    }

    /// Writes the value of a cell, if it is valid.
    fn write(
        &self,
        cell: &str,
        quoted: bool,
        text: &mut String,
        wanted: &mut Map<String, Value>,
        search: Option<&mut String>,
    ) -> Option<()> {
        if self.cell.is_text() && matches!(self.rule, Rule::Typed { .. }) && !self.wanted && (quoted || cell != NULL) {
            if cell.contains('\0') {
                return None;
            }
            quote(cell, text);
            search.into_iter().for_each(|search| push_text(cell, search));
            return Some(());
        }
        let value = match cell {
            NULL if !quoted => Value::Null,
            _ if cell.contains('\0') => return None,
            _ => self.cell.parse(cell).ok()?,
        };
        if !self.rule.holds(&value) {
            return None;
        }
        Json::push_canonical(&value, text).ok()?;
        search.into_iter().for_each(|search| strings(&value, &mut |text| push_text(text, search)));
        if self.wanted {
            wanted.insert(self.key.clone(), value);
        }
        Some(())
    }
}
