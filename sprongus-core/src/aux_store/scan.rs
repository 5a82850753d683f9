//! Walks a table page by page, in an order the database has an index for.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::ControlFlow;

use serde_json::Value as JsonValue;

use super::filter::{Field, Fields, Filter};
use super::path::Path;
use super::rows::{self, Place};
use super::search::Search;
use super::{extract, narrow, unseen};
use crate::clock::Timestamp;
use crate::db::{Dialect, Executor, Row, Value};
use crate::error::Result;
use crate::id::check_id;
use crate::json::{Json, parse_value};
use crate::presets::FieldPath;

/// Entries of a page: few at first, more while they are small, so that large payloads do not fill the memory.
pub(super) const FIRST: i64 = 64;
const MOST: i64 = 1_024;
const PAGE_BYTES: usize = 1 << 20;

/// What a walk gives.
#[derive(Debug, Clone)]
pub(super) struct Scanned {
    pub(super) id: String,
    /// `null` where only fields were asked for and the database told them one by one.
    pub(super) payload: Json,
    pub(super) version: i64,
    pub(super) last_updated: Timestamp,
    pub(super) search_text: Option<String>,
    /// The fields that were asked for, where the database told them; else they are in the payload.
    pub(super) values: Vec<(Path, Option<JsonValue>)>,
}

impl Fields for Scanned {
    fn value(&self, field: &Field) -> Option<Cow<'_, JsonValue>> {
        match field {
            Field::Id => Some(Cow::Owned(self.id.as_str().into())),
            Field::Version => Some(Cow::Owned(self.version.into())),
            Field::LastUpdated => Some(Cow::Owned(self.last_updated.to_string().into())),
            Field::Payload(path) => match self.values.iter().find(|(told, _)| told == path) {
                Some((_, value)) => value.as_ref().map(Cow::Borrowed),
                None => extract::value(self.payload.as_str(), path).map(Cow::Owned),
            },
        }
    }
}

/// How much of each entry is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape<'w> {
    Whole,
    /// Without its version and time, which are made up.
    Document,
    /// No more of the payload than these paths.
    Fields(&'w [Path]),
}

impl<'w> Shape<'w> {
    /// Enough to tell these paths, and where it is `timely` when and how often an entry was written. From SQLite's text
    /// they are cheaper to take here, and a search may look anywhere.
    pub(super) fn telling(paths: &'w [Path], timely: bool, dialect: Dialect, wanted: &Wanted) -> Self {
        match dialect == Dialect::Postgres && wanted.search.is_none() && paths.iter().all(narrow::tellable) {
            true => Self::Fields(paths),
            false if timely => Self::Whole,
            false => Self::Document,
        }
    }
}

/// The orders that a walk can have; the second ends in ids ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Id { descending: bool },
    NewestFirst,
}

/// Which entries a walk is for. SQL narrows by what it can, [`Wanted::holds`] decides.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) filter: Filter,
    pub(super) search: Option<Search>,
    pub(super) fields: Vec<FieldPath>,
    /// Before the stored search texts that were made of `fields`.
    pub(super) fingerprint: String,
    /// Where a pre-filter told them: all ids that the search may match.
    pub(super) among: Option<Vec<String>>,
}

impl Wanted {
    /// Whether every entry is wanted.
    pub(super) fn all(&self) -> bool {
        self.filter.is_empty() && self.search.is_none()
    }

    /// The only ids that can be wanted, where that is known.
    fn ids(&self) -> Option<Vec<&str>> {
        let Some(among) = &self.among else { return self.filter.ids() };
        let named = self.filter.ids().map(|ids| ids.into_iter().collect::<HashSet<_>>());
        let among = among.iter().map(String::as_str);
        Some(among.filter(|id| named.as_ref().is_none_or(|named| named.contains(id))).collect())
    }

    pub(super) fn holds(&self, entry: &Scanned) -> bool {
        self.filter.holds(entry) && self.search.as_ref().is_none_or(|search| self.found(search, entry))
    }

    fn found(&self, search: &Search, entry: &Scanned) -> bool {
        let text = entry.search_text.as_deref().filter(|_| !self.fingerprint.is_empty());
        let stored = text.and_then(|text| text.strip_prefix(&self.fingerprint));
        let told = stored.and_then(|text| search.matches_text(text));
        told.unwrap_or_else(|| search.matches(&entry.payload.to_value(), &self.fields))
    }
}

/// Walks the wanted entries after `start` (the id, or the time and the id, of the last one seen) until `visit` breaks.
pub(super) fn walk(
    exec: &mut dyn Executor,
    place: Place<'_>,
    wanted: &Wanted,
    order: Order,
    start: Option<(Option<Timestamp>, String)>,
    visit: impl FnMut(Scanned) -> Result<ControlFlow<()>>,
) -> Result<()> {
    walk_shaped(exec, place, wanted, Shape::Whole, order, start, visit)
}

/// The same, reading no more of each entry than that.
pub(super) fn walk_shaped(
    exec: &mut dyn Executor,
    place: Place<'_>,
    wanted: &Wanted,
    shape: Shape<'_>,
    order: Order,
    start: Option<(Option<Timestamp>, String)>,
    mut visit: impl FnMut(Scanned) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut after = start;
    let mut limit = Batch::default();
    loop {
        let rows = page(exec, place, Some(wanted), shape, order, after.as_ref(), limit.rows)?;
        let whole = rows.len() as i64 == limit.rows;
        for (n, row) in rows.iter().enumerate() {
            let entry = read(row, 0, shape)?;
            limit.saw(&entry);
            if n + 1 == rows.len() {
                after = Some((Some(entry.last_updated), entry.id.clone()));
            }
            if wanted.holds(&entry) && visit(entry)?.is_break() {
                return Ok(());
            }
        }
        if !whole {
            return Ok(());
        }
        limit.next();
    }
}

/// One page of all entries, by id.
pub(super) fn page_by_id(exec: &mut dyn Executor, place: Place<'_>, after: Option<&str>) -> Result<Vec<Scanned>> {
    let after = after.map(|id| (None, id.to_owned()));
    let (shape, order) = (Shape::Whole, Order::Id { descending: false });
    page(exec, place, None, shape, order, after.as_ref(), FIRST)?.iter().map(|row| read(row, 0, shape)).collect()
}

/// How many rows to ask for next, by how large the last ones were.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) rows: i64,
    bytes: usize,
}

impl Default for Batch {
    fn default() -> Self {
        Self { rows: FIRST, bytes: 0 }
    }
}

impl Batch {
    /// One for so many rows, where they are few.
    pub(super) fn of(most: usize) -> Self {
        Self { rows: i64::try_from(most).map_or(FIRST, |most| most.min(FIRST)), bytes: 0 }
    }

    pub(super) fn saw(&mut self, entry: &Scanned) {
        self.bytes += entry.payload.as_str().len();
    }

    pub(super) fn next(&mut self) {
        self.rows = if self.bytes < PAGE_BYTES / 2 { MOST.min(self.rows * 2) } else { FIRST.max(self.rows / 2) };
        self.bytes = 0;
    }
}

fn page(
    exec: &mut dyn Executor,
    place: Place<'_>,
    wanted: Option<&Wanted>,
    shape: Shape<'_>,
    order: Order,
    after: Option<&(Option<Timestamp>, String)>,
    limit: i64,
) -> Result<Vec<Row>> {
    let mut sql = select(exec, place, wanted, shape)?;
    match (order, after) {
        (Order::Id { descending }, Some((_, id))) => {
            let than = if descending { "<" } else { ">" };
            let id = sql.bind(id.as_str());
            sql.push(&format!(" AND id {than} {id}"));
        }
        (Order::NewestFirst, Some((Some(time), id))) => {
            let (time, id) = (sql.bind(*time), sql.bind(id.as_str()));
            sql.push(&format!(" AND last_updated <= {time} AND (last_updated < {time} OR id > {id})"));
        }
        _ => {}
    }
    sql.push(match order {
        Order::Id { descending: false } => " ORDER BY id",
        Order::Id { descending: true } => " ORDER BY id DESC",
        Order::NewestFirst => " ORDER BY last_updated DESC, id",
    });
    let limit = sql.bind(limit);
    sql.push(&format!(" LIMIT {limit}"));
    exec.query(&sql.text, &sql.params)
}

/// Selects what may be wanted of a table's entries, in that shape: further conditions may be appended.
pub(super) fn select<'v>(
    exec: &mut dyn Executor,
    place: Place<'v>,
    wanted: Option<&'v Wanted>,
    shape: Shape<'_>,
) -> Result<Sql<'v>> {
    let mut sql = Sql { text: String::new(), params: vec![place.project.into(), place.table.into()] };
    let mut ids = wanted.and_then(Wanted::ids);
    ids.iter_mut().for_each(|ids| ids.retain(|id| check_id("id", id).is_ok()));
    sql.params.extend(ids.as_deref().map(rows::ids));
    let columns = columns(&mut sql, wanted, shape);
    let source = if ids.is_some() { rows::named(exec, place)? } else { unseen::entries(exec, place)?.to_owned() };
    sql.push(&format!("SELECT {columns} FROM {source} WHERE project_id = $1 AND table_name = $2"));
    if let Some(wanted) = wanted {
        leave_out(&mut sql, exec.dialect(), wanted);
    }
    Ok(sql)
}

/// The columns that [`read`] reads.
pub(super) fn columns(sql: &mut Sql<'_>, wanted: Option<&Wanted>, shape: Shape<'_>) -> String {
    let searched = if wanted.is_some_and(|wanted| wanted.search.is_some()) { ", search_text" } else { "" };
    match shape {
        Shape::Fields(paths) => {
            let values = paths.iter().map(|path| format!(", {}", narrow::json_at(sql, path)));
            format!("id, version, last_updated{}", values.collect::<String>())
        }
        Shape::Document => format!("id, NULL, NULL, payload{searched}"),
        Shape::Whole => format!("id, version, last_updated, payload{searched}"),
    }
}

/// What SQL can leave out without deciding: entries for which the filter or the search cannot hold.
pub(super) fn leave_out<'w>(sql: &mut Sql<'w>, dialect: Dialect, wanted: &'w Wanted) {
    narrow::filter(sql, dialect, &wanted.filter);
    let tellable = |search: &&Search| {
        let askable = !wanted.fingerprint.is_empty() && !search.folded().contains('\0');
        askable && search.matches_text("").is_some()
    };
    if let Some(search) = wanted.search.as_ref().filter(tellable) {
        let (fingerprint, term) = (sql.bind(wanted.fingerprint.as_str()), sql.bind(search.folded()));
        let find = if dialect == Dialect::Sqlite { "instr" } else { "strpos" };
        let length = wanted.fingerprint.chars().count();
        sql.push(&format!(
            " AND (search_text IS NULL OR substr(search_text, 1, {length}) <> {fingerprint} OR {find}(search_text, {term}) > 0)"
        ));
    }
}

/// A statement in the making: its text, and its parameters in the order of their numbers.
#[derive(Debug)]
pub(super) struct Sql<'v> {
    pub(super) text: String,
    pub(super) params: Vec<Value<'v>>,
}

impl<'v> Sql<'v> {
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// A further parameter; how it is written in the text.
    pub(super) fn bind(&mut self, value: impl Into<Value<'v>>) -> String {
        self.params.push(value.into());
        format!("${}", self.params.len())
    }
}

/// Reads what [`columns`] selects, from that column on.
pub(super) fn read(row: &Row, from: usize, shape: Shape<'_>) -> Result<Scanned> {
    let mut entry = Scanned {
        id: row.text(from)?,
        version: row.opt_int(from + 1)?.unwrap_or_default(),
        last_updated: row.opt_time(from + 2)?.unwrap_or(Timestamp::from_micros(0)),
        payload: Json::null(),
        search_text: None,
        values: Vec::new(),
    };
    match shape {
        Shape::Whole | Shape::Document => {
            entry.payload = row.json(from + 3)?;
            entry.search_text = row.opt_text(from + 4)?;
        }
        Shape::Fields(paths) => {
            let value = |(n, path): (usize, &Path)| {
                let told = row.opt_text(from + 3 + n)?.map(parse_value).transpose()?;
                Ok((path.clone(), told))
            };
            entry.values = paths.iter().enumerate().map(value).collect::<Result<_>>()?;
        }
    }
    Ok(entry)
}
