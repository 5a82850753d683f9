//! Walks a table page by page, in an order the database has an index for.

use std::ops::ControlFlow;

use serde_json::Value as JsonValue;

use super::filter::{Candidate, Filter};
use super::rows::{self, Place};
use super::search::Search;
use crate::clock::Timestamp;
use crate::db::{Dialect, Executor, Row, Value};
use crate::error::Result;
use crate::id::check_id;
use crate::json::Json;
use crate::presets::FieldPath;

/// Entries of a page: few at first, more while they are small, so that large payloads do not fill the memory.
const FIRST: i64 = 64;
const MOST: i64 = 1_024;
const PAGE_BYTES: usize = 1 << 20;

/// What a walk gives.
#[derive(Debug, Clone)]
pub(super) struct Scanned {
    pub(super) id: String,
    pub(super) payload: Json,
    pub(super) version: i64,
    pub(super) last_updated: Timestamp,
    pub(super) search_text: Option<String>,
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
}

impl Wanted {
    /// Whether every entry is wanted.
    pub(super) fn all(&self) -> bool {
        self.filter.is_empty() && self.search.is_none()
    }

    pub(super) fn holds(&self, entry: &Scanned) -> bool {
        if self.all() {
            return true;
        }
        let payload: JsonValue = entry.payload.to_value();
        let candidate =
            Candidate { id: &entry.id, version: entry.version, last_updated: entry.last_updated, payload: &payload };
        self.filter.matches(&candidate) && self.search.as_ref().is_none_or(|search| self.found(search, entry, &payload))
    }

    fn found(&self, search: &Search, entry: &Scanned, payload: &JsonValue) -> bool {
        let text = entry.search_text.as_deref().filter(|_| !self.fingerprint.is_empty());
        let stored = text.and_then(|text| text.strip_prefix(&self.fingerprint));
        let told = stored.and_then(|text| search.matches_text(text));
        told.unwrap_or_else(|| search.matches(payload, &self.fields))
    }
}

/// Walks the wanted entries after `start` (the id, or the time and the id, of the last one seen) until `visit` breaks.
pub(super) fn walk(
    exec: &mut dyn Executor,
    place: Place<'_>,
    wanted: &Wanted,
    order: Order,
    start: Option<(Option<Timestamp>, String)>,
    mut visit: impl FnMut(Scanned) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut after = start;
    let mut limit = FIRST;
    loop {
        let rows = page(exec, place, Some(wanted), order, after.as_ref(), limit)?;
        let whole = rows.len() as i64 == limit;
        let mut bytes = 0;
        for row in &rows {
            let entry = read(row)?;
            bytes += entry.payload.as_str().len();
            after = Some((Some(entry.last_updated), entry.id.clone()));
            if wanted.holds(&entry) && visit(entry)?.is_break() {
                return Ok(());
            }
        }
        if !whole {
            return Ok(());
        }
        limit = if bytes < PAGE_BYTES / 2 { MOST.min(limit * 2) } else { FIRST.max(limit / 2) };
    }
}

/// One page of all entries, by id.
pub(super) fn page_by_id(exec: &mut dyn Executor, place: Place<'_>, after: Option<&str>) -> Result<Vec<Scanned>> {
    let after = after.map(|id| (None, id.to_owned()));
    page(exec, place, None, Order::Id { descending: false }, after.as_ref(), FIRST)?.iter().map(read).collect()
}

fn page(
    exec: &mut dyn Executor,
    place: Place<'_>,
    wanted: Option<&Wanted>,
    order: Order,
    after: Option<&(Option<Timestamp>, String)>,
    limit: i64,
) -> Result<Vec<Row>> {
    let mut ids = wanted.and_then(|wanted| wanted.filter.ids());
    ids.iter_mut().for_each(|ids| ids.retain(|id| check_id("id", id).is_ok()));
    let search = wanted.is_some_and(|wanted| wanted.search.is_some());
    let mut sql = Sql::new(exec.dialect(), place, ids.as_deref(), search);
    if let Some(wanted) = wanted {
        leave_out(&mut sql, exec.dialect(), wanted);
    }
    match (order, after) {
        (Order::Id { descending }, Some((_, id))) => {
            let than = if descending { "<" } else { ">" };
            let id = sql.bind(id.as_str());
            sql.text.push_str(&format!(" AND id {than} {id}"));
        }
        (Order::NewestFirst, Some((Some(time), id))) => {
            let (time, id) = (sql.bind(*time), sql.bind(id.as_str()));
            sql.text.push_str(&format!(" AND last_updated <= {time} AND (last_updated < {time} OR id > {id})"));
        }
        _ => {}
    }
    sql.text.push_str(match order {
        Order::Id { descending: false } => " ORDER BY id",
        Order::Id { descending: true } => " ORDER BY id DESC",
        Order::NewestFirst => " ORDER BY last_updated DESC, id",
    });
    let limit = sql.bind(limit);
    sql.text.push_str(&format!(" LIMIT {limit}"));
    exec.query(&sql.text, &sql.params)
}

/// What SQL can leave out without deciding: texts without the term.
fn leave_out<'w>(sql: &mut Sql<'w>, dialect: Dialect, wanted: &'w Wanted) {
    let tellable = |search: &&Search| {
        let askable = !wanted.fingerprint.is_empty() && !search.folded().contains('\0');
        askable && search.matches_text("").is_some()
    };
    if let Some(search) = wanted.search.as_ref().filter(tellable) {
        let (fingerprint, term) = (sql.bind(wanted.fingerprint.as_str()), sql.bind(search.folded()));
        let find = if dialect == Dialect::Sqlite { "instr" } else { "strpos" };
        let length = wanted.fingerprint.chars().count();
        sql.text.push_str(&format!(
            " AND (search_text IS NULL OR substr(search_text, 1, {length}) <> {fingerprint} OR {find}(search_text, {term}) > 0)"
        ));
    }
}

struct Sql<'v> {
    text: String,
    params: Vec<Value<'v>>,
}

impl<'v> Sql<'v> {
    /// Every entry of the table, or those of these ids.
    fn new(dialect: Dialect, place: Place<'v>, ids: Option<&[&str]>, search: bool) -> Self {
        let search = if search { ", search_text" } else { "" };
        let source = if ids.is_some() { rows::named(dialect) } else { rows::ENTRIES.to_owned() };
        let text = format!(
            "SELECT id, payload, version, last_updated{search} FROM {source} \
             WHERE project_id = $1 AND table_name = $2"
        );
        let mut params = vec![place.project.into(), place.table.into()];
        params.extend(ids.map(rows::ids));
        Self { text, params }
    }

    fn bind(&mut self, value: impl Into<Value<'v>>) -> String {
        self.params.push(value.into());
        format!("${}", self.params.len())
    }
}

fn read(row: &Row) -> Result<Scanned> {
    Ok(Scanned {
        id: row.text(0)?,
        payload: row.json(1)?,
        version: row.int(2)?,
        last_updated: row.time(3)?,
        search_text: row.opt_text(4)?,
    })
}
