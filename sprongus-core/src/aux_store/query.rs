//! `list` and `count`: SQL narrows, the filter and the order here decide.

use std::ops::ControlFlow;

use serde_json::{Value as JsonValue, json};

use super::bound::search_fingerprint;
use super::filter::{Candidate, Filter};
use super::model::{Entry, ListQuery};
use super::rows::{self, Place};
use super::scan::{Order, Scanned, Wanted, walk};
use super::search::Search;
use super::sort::Sort;
use crate::clock::Timestamp;
use crate::db::Executor;
use crate::error::{Error, ErrorCode, Result};
use crate::page::{Cursor, MAX_LIMIT, Page, check_limit};
use crate::presets::for_table;
use crate::session::Session;

/// A list's query, checked.
pub(super) struct Listing {
    wanted: Wanted,
    sort: Sort,
    limit: usize,
    offset: usize,
    cursor: Cursor,
    after: Option<Vec<JsonValue>>,
}

impl Listing {
    pub(super) fn parse(place: Place<'_>, query: &ListQuery) -> Result<Self> {
        let scope = json!([place.project, place.table, query.q, query.filter, query.sort]);
        let cursor = Cursor::new("aux.list", &scope);
        let after = query.cursor.as_deref().map(|text| cursor.decode(text)).transpose()?;
        if after.is_some() && query.offset != 0 {
            return Err(Error::invalid("a cursor says where to go on; leave offset out"));
        }
        let offset = usize::try_from(query.offset).map_err(|_| Error::invalid("offset is 0 or more"))?;
        let limit = check_limit(query.limit, MAX_LIMIT)?;
        let sort = Sort::parse(&query.sort)?;
        let wanted = wanted(query.q.as_deref(), query.filter.as_ref())?;
        Ok(Self { wanted, sort, limit: usize::try_from(limit).unwrap_or_default(), offset, cursor, after })
    }

    /// Reads the page; all of it from one snapshot.
    pub(super) fn page(mut self, session: Session<'_>, place: Place<'_>) -> Result<Page<Entry>> {
        session.read_snapshot(|exec| {
            self.wanted.know_fields(session, exec, place)?;
            if self.limit == 0 {
                return Ok(Page::default());
            }
            match self.order() {
                Some(order) => self.in_order(exec, place, order),
                None => self.sorted(exec, place),
            }
        })
    }

    /// The order of the index that gives the wanted one, if there is one.
    fn order(&self) -> Option<Order> {
        let by_id = self.sort.by_id().map(|descending| Order::Id { descending });
        by_id.or_else(|| self.sort.by_last_updated().filter(|descending| *descending).map(|_| Order::NewestFirst))
    }

    fn in_order(&self, exec: &mut dyn Executor, place: Place<'_>, order: Order) -> Result<Page<Entry>> {
        let mut start = None;
        if let Some(keys) = &self.after {
            let text = |at: usize| keys.get(at).and_then(JsonValue::as_str);
            let time = if order == Order::NewestFirst { text(0).map(str::parse::<Timestamp>) } else { None };
            let id = keys.last().and_then(JsonValue::as_str).ok_or_else(damaged)?;
            start = Some((time.transpose()?, id.to_owned()));
        }
        let (mut skip, mut found) = (self.offset, Vec::new());
        walk(exec, place, &self.wanted, order, start, |entry| {
            if skip > 0 {
                skip -= 1;
                return Ok(ControlFlow::Continue(()));
            }
            found.push(entry);
            Ok(if found.len() > self.limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        let more = found.len() > self.limit;
        found.truncate(self.limit);
        let last = found.last().filter(|_| more).map(|entry| self.cursor_after(&self.keys(entry), &entry.id));
        let items = found.into_iter().map(|entry| entry.into_entry(place)).collect();
        Ok(Page { items, next_cursor: last })
    }

    /// Keeps the best of all entries by their sort keys alone; payloads are read for the page.
    fn sorted(&self, exec: &mut dyn Executor, place: Place<'_>) -> Result<Page<Entry>> {
        let mut best =
            Best { sort: &self.sort, most: self.offset.saturating_add(self.limit).saturating_add(1), kept: Vec::new() };
        let after = self.after.as_ref().map(|keys| split(keys)).transpose()?;
        walk(exec, place, &self.wanted, Order::Id { descending: false }, None, |entry| {
            let keys = self.keys(&entry);
            let behind = |(from, id): &(Vec<Option<JsonValue>>, String)| {
                self.sort.compare((&keys, &entry.id), (from, id)).is_gt()
            };
            if after.as_ref().is_none_or(behind) {
                best.push(keys, entry.id);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let mut kept = best.finish();
        let more = kept.len() > self.offset.saturating_add(self.limit);
        kept.truncate(self.offset.saturating_add(self.limit));
        let page = kept.split_off(self.offset.min(kept.len()));
        let next_cursor = page.last().filter(|_| more).map(|(keys, id)| self.cursor_after(keys, id));
        let read = |(_, id): &(Vec<Option<JsonValue>>, String)| {
            let stored = rows::find(exec, place, id, false)?;
            let stored = stored.ok_or_else(|| Error::new(ErrorCode::Storage, "an entry vanished within a snapshot"))?;
            Ok(stored.entry(place, id, Vec::new()))
        };
        Ok(Page { items: page.iter().map(read).collect::<Result<_>>()?, next_cursor })
    }

    fn keys(&self, entry: &Scanned) -> Vec<Option<JsonValue>> {
        let payload = entry.payload.to_value();
        let (version, last_updated) = (entry.version, entry.last_updated);
        self.sort.keys(&Candidate { id: &entry.id, version, last_updated, payload: &payload })
    }

    fn cursor_after(&self, keys: &[Option<JsonValue>], id: &str) -> String {
        let keys = keys.iter().map(|key| small(key.clone().unwrap_or_default()));
        self.cursor.encode(&keys.chain([JsonValue::from(id)]).collect::<Vec<_>>())
    }
}

/// How many entries are wanted.
pub(super) fn count(
    session: Session<'_>,
    place: Place<'_>,
    q: Option<&str>,
    filter: Option<&JsonValue>,
) -> Result<u64> {
    let mut wanted = wanted(q, filter)?;
    session.read_snapshot(|exec| {
        if wanted.all() {
            return rows::count(exec, place);
        }
        wanted.know_fields(session, exec, place)?;
        let mut count = 0;
        walk(exec, place, &wanted, Order::Id { descending: false }, None, |_| {
            count += 1;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(count)
    })
}

fn wanted(q: Option<&str>, filter: Option<&JsonValue>) -> Result<Wanted> {
    let filter = filter.filter(|filter| !filter.is_null()).map(Filter::parse).transpose()?.unwrap_or_default();
    Ok(Wanted { filter, search: q.and_then(Search::new), ..Wanted::default() })
}

impl Wanted {
    /// A search is over the fields of the preset; a table without one is searched everywhere.
    fn know_fields(&mut self, session: Session<'_>, exec: &mut dyn Executor, place: Place<'_>) -> Result<()> {
        if self.search.is_none() {
            return Ok(());
        }
        match for_table(session, exec, place.project, place.table) {
            Ok(preset) => {
                self.fields.clone_from(&preset.keywords().search);
                self.fingerprint = search_fingerprint(preset.keywords());
                Ok(())
            }
            Err(error) if error.code() == ErrorCode::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Scanned {
    pub(super) fn into_entry(self, place: Place<'_>) -> Entry {
        Entry {
            id: self.id,
            project_id: place.project.to_owned(),
            table_name: place.table.to_owned(),
            payload: self.payload,
            version: self.version,
            last_updated: self.last_updated,
            warnings: Vec::new(),
        }
    }
}

/// The first so many of what is pushed, in order; at most twice as many are held.
struct Best<'s> {
    sort: &'s Sort,
    most: usize,
    kept: Vec<(Vec<Option<JsonValue>>, String)>,
}

impl Best<'_> {
    fn push(&mut self, keys: Vec<Option<JsonValue>>, id: String) {
        self.kept.push((keys.into_iter().map(|key| key.map(small)).collect(), id));
        if self.kept.len() >= self.most.saturating_mul(2).max(1_024) {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.kept.sort_unstable_by(|a, b| self.sort.compare((&a.0, &a.1), (&b.0, &b.1)));
        self.kept.truncate(self.most);
    }

    fn finish(mut self) -> Vec<(Vec<Option<JsonValue>>, String)> {
        self.settle();
        self.kept
    }
}

/// A sort key without what does not decide: arrays tie with arrays and objects with objects.
fn small(key: JsonValue) -> JsonValue {
    match key {
        JsonValue::Array(_) => JsonValue::Array(Vec::new()),
        JsonValue::Object(_) => json!({}),
        other => other,
    }
}

fn split(keys: &[JsonValue]) -> Result<(Vec<Option<JsonValue>>, String)> {
    let (id, keys) = keys.split_last().ok_or_else(damaged)?;
    let id = id.as_str().ok_or_else(damaged)?;
    Ok((keys.iter().cloned().map(Some).collect(), id.to_owned()))
}

fn damaged() -> Error {
    Error::invalid("the cursor is damaged; pass nextCursor of the page before as it was given")
}
