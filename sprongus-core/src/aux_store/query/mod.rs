//! `list` and `count`: SQL and the kept keys narrow, the filter and the order here decide.

mod ahead;
mod best;
mod ordered;
mod others;
mod plan;
mod sorted;
mod walk;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use serde_json::{Value as JsonValue, json};

use self::best::{Best, Keys};
use self::others::{By, MOST_FIELDS, MOST_RANGES, Others};
use self::plan::{KeyOrder, Plan};
use self::walk::{After, KeyWalk};
use super::bound::search_fingerprint;
use super::filter::Filter;
use super::index;
use super::model::{Entry, ListQuery};
use super::rows::{self, Place};
use super::scan::{self, Order, Scanned, Shape, Sql, Wanted, walk, walk_shaped};
use super::search::{self, Search, Searched};
use super::sort::Sort;
use super::unseen;
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
    /// The sort keys and the id of the last entry of the page before.
    after: Option<(Keys, String)>,
}

impl Listing {
    pub(super) fn parse(place: Place<'_>, query: &ListQuery) -> Result<Self> {
        let scope = json!([place.project, place.table, query.q, query.filter, query.sort]);
        let cursor = Cursor::new("aux.list", &scope);
        let sort = Sort::parse(&query.sort)?;
        let after = query.cursor.as_deref().map(|text| split(cursor.decode(text)?, &sort)).transpose()?;
        if after.is_some() && query.offset != 0 {
            return Err(Error::invalid("a cursor says where to go on; leave offset out"));
        }
        let offset = usize::try_from(query.offset).map_err(|_| Error::invalid("offset is 0 or more"))?;
        let limit = check_limit(query.limit, MAX_LIMIT)?;
        let wanted = wanted(query.q.as_deref(), query.filter.as_ref())?;
        Ok(Self { wanted, sort, limit: usize::try_from(limit).unwrap_or_default(), offset, cursor, after })
    }

    /// Reads the page; all of it from one snapshot.
    pub(super) fn page(mut self, session: Session<'_>, place: Place<'_>) -> Result<Page<Entry>> {
        let began = Instant::now();
        let page = session.read_snapshot(|exec| {
            let helped = self.wanted.know_preset(session, exec, place, &self.sort)?;
            if self.limit == 0 {
                return Ok(Page::default());
            }
            let most = self.offset.saturating_add(self.limit).saturating_add(1);
            let mut found = match choose(exec, place, helped, self.order().is_some())? {
                Way::Ordered(plan, order) => self.by_keys(exec, place, &plan, &order, most)?,
                Way::Narrowed(plan) => self.best(exec, place, Some(&plan), most)?,
                Way::Whole => match self.order() {
                    Some(order) => self.in_order(exec, place, order)?,
                    None => self.sorted(exec, place, most)?,
                },
            };
            let more = found.len() > self.limit;
            found.truncate(self.limit);
            let next_cursor = found.last().filter(|_| more).map(|entry| self.cursor_after(entry));
            Ok(Page { items: found.into_iter().map(|entry| entry.into_entry(place)).collect(), next_cursor })
        })?;
        self.wanted.was_searched(session, place, began.elapsed());
        Ok(page)
    }

    /// The order of the table's own index that gives the wanted one, if there is one.
    fn order(&self) -> Option<Order> {
        let by_id = self.sort.by_id().map(|descending| Order::Id { descending });
        by_id.or_else(|| self.sort.by_last_updated().filter(|descending| *descending).map(|_| Order::NewestFirst))
    }

    fn in_order(&self, exec: &mut dyn Executor, place: Place<'_>, order: Order) -> Result<Vec<Scanned>> {
        let mut start = None;
        if let Some((keys, id)) = &self.after {
            let time =
                || keys.first().and_then(Option::as_ref).and_then(JsonValue::as_str).map(str::parse::<Timestamp>);
            let time = if order == Order::NewestFirst { time() } else { None };
            start = Some((time.transpose()?, id.clone()));
        }
        let mut taken = Taken::new(self);
        walk(exec, place, &self.wanted, order, start, |entry| Ok(taken.take(entry)))?;
        Ok(taken.entries)
    }

    fn by_keys(
        &self,
        exec: &mut dyn Executor,
        place: Place<'_>,
        plan: &Plan,
        order: &KeyOrder,
        most: usize,
    ) -> Result<Vec<Scanned>> {
        let mut taken = Taken::new(self);
        let walk = KeyWalk::new(place, &self.wanted, plan);
        walk.in_order(exec, (order, &self.sort), self.behind(), most, &mut |entry| Ok(taken.take(entry)))?;
        Ok(taken.entries)
    }

    fn sorted(&self, exec: &mut dyn Executor, place: Place<'_>, most: usize) -> Result<Vec<Scanned>> {
        let after = self.after.as_ref().map(|(keys, id)| (keys, id.as_str()));
        let rows = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
        let window = (rows(self.offset), rows(most - self.offset));
        match sorted::page(exec, place, &self.wanted, &self.sort, after, window)? {
            Some(entries) => Ok(entries),
            None => self.best(exec, place, None, most),
        }
    }

    /// Keeps the best of all entries by their sort keys alone; payloads are read for the page.
    fn best(
        &self,
        exec: &mut dyn Executor,
        place: Place<'_>,
        plan: Option<&Plan>,
        most: usize,
    ) -> Result<Vec<Scanned>> {
        let mut best = Best::new(&self.sort, most, self.behind());
        each(exec, place, &self.wanted, plan, &self.sort, &mut |entry| best.push(entry))?;
        let ids = best.finish();
        by_ids(exec, place, ids.get(self.offset..).unwrap_or_default())
    }

    fn behind(&self) -> Option<After<'_>> {
        self.after.as_ref().map(|(keys, id)| (keys.as_slice(), id.as_str()))
    }

    fn cursor_after(&self, entry: &Scanned) -> String {
        let keys = self.sort.keys(entry).into_iter().map(|key| best::small(key.unwrap_or_default()));
        self.cursor.encode(&keys.chain([entry.id.as_str().into()]).collect::<Vec<_>>())
    }
}

/// What of a walk becomes the page, with one more to tell that there is more.
struct Taken {
    skip: usize,
    most: usize,
    entries: Vec<Scanned>,
}

impl Taken {
    fn new(listing: &Listing) -> Self {
        Self { skip: listing.offset, most: listing.limit + 1, entries: Vec::new() }
    }

    fn take(&mut self, entry: Scanned) -> ControlFlow<()> {
        if self.skip > 0 {
            self.skip -= 1;
            return ControlFlow::Continue(());
        }
        self.entries.push(entry);
        if self.entries.len() < self.most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// Entries narrowed down to so few by their keys are all read, whatever other order there is.
const FEW: i64 = 500;
/// So many keys are gathered and put in the order of another field's keys, rather than looked up along it.
const FEW_KEYS: i64 = 2_000;
/// The ids of so many are kept, and found along the order; of more, every key's entry is looked up.
const FEW_IDS: i64 = 3_000;
/// Beyond so many, reading the whole table is no slower than looking up each.
const MANY: i64 = 10_000;

/// How the entries of a list are found.
enum Way {
    /// By keys that are in the order of the list.
    Ordered(Plan, KeyOrder),
    /// By keys that are few.
    Narrowed(Plan),
    /// Without keys.
    Whole,
}

/// The way that reads the least, as far as a look at the keys tells.
fn choose(exec: &mut dyn Executor, place: Place<'_>, plans: Vec<Plan>, own_order: bool) -> Result<Way> {
    let helps = |plan: &Plan| plan.order.as_ref().map(|order| (order.whole, plan.narrows, order.values()));
    let ordered = plans.iter().filter(|plan| plan.order.is_some()).max_by_key(|plan| helps(plan)).cloned();
    let bound = match (&ordered, own_order) {
        (Some(_), _) => FEW_IDS,
        (None, true) => FEW,
        (None, false) => MANY,
    };
    let (narrowing, own): (Vec<Plan>, Vec<Plan>) = plans
        .into_iter()
        .filter(|plan| plan.narrows)
        .partition(|plan| ordered.as_ref().is_none_or(|ordered| ordered.field != plan.field));
    let mut fewest: Option<(i64, &Plan)> = None;
    // Those in the order are counted where fewer are to be had elsewhere: they are walked no further than the page.
    for (plan, is_own) in narrowing.iter().map(|plan| (plan, false)).chain(own.iter().map(|plan| (plan, true))) {
        let most = match fewest {
            Some((count, _)) => count,
            None if is_own => break,
            None => bound + 1,
        };
        let count = walk::count(exec, place, plan, most)?;
        if count < most {
            fewest = Some((count, plan));
        }
    }
    let Some((mut plan, order)) = ordered.and_then(|plan| plan.order.clone().map(|order| (plan, order))) else {
        return Ok(fewest.map_or(Way::Whole, |(_, plan)| Way::Narrowed(plan.clone().of_few())));
    };
    match fewest.filter(|(_, few)| few.field != plan.field) {
        Some((count, few)) => {
            let by = if count <= FEW_KEYS { By::All } else { By::Ids };
            plan.others = Others { fields: vec![few.as_other()], by };
        }
        None if plan.others.by == By::Join => {}
        None => {
            let others = narrowing.iter().map(Plan::as_other).filter(|other| other.ranges.len() <= MOST_RANGES);
            plan.others.fields = others.take(MOST_FIELDS).collect();
        }
    }
    Ok(Way::Ordered(plan, order))
}

/// Every wanted entry, narrowed by a plan where there is one, with no more of it than the filter and the order need.
fn each(
    exec: &mut dyn Executor,
    place: Place<'_>,
    wanted: &Wanted,
    plan: Option<&Plan>,
    sort: &Sort,
    visit: &mut dyn FnMut(Scanned),
) -> Result<()> {
    let paths = plan::paths(&wanted.filter, sort);
    let timely = plan::is_timely(&wanted.filter, sort);
    let shape = Shape::telling(&paths, timely, exec.dialect(), wanted);
    let mut visit = |entry| {
        visit(entry);
        Ok(ControlFlow::Continue(()))
    };
    match plan {
        Some(plan) => KeyWalk::new(place, wanted, plan).each(exec, shape, &mut visit),
        None => walk_shaped(exec, place, wanted, shape, Order::Id { descending: false }, None, visit),
    }
}

/// The entries of these ids, in this order.
fn by_ids(exec: &mut dyn Executor, place: Place<'_>, ids: &[String]) -> Result<Vec<Scanned>> {
    let mut sql = Sql { text: String::new(), params: vec![place.project.into(), place.table.into()] };
    sql.params.push(rows::ids(&ids.iter().map(String::as_str).collect::<Vec<_>>()));
    let columns = scan::columns(&mut sql, None, Shape::Whole);
    sql.push(&format!("SELECT {columns} FROM {}", rows::named(exec, place)?));
    let rows = exec.query(&sql.text, &sql.params)?;
    let entries = rows.iter().map(|row| scan::read(row, 0, Shape::Whole));
    let mut entries: HashMap<String, Scanned> =
        entries.map(|entry| entry.map(|entry| (entry.id.clone(), entry))).collect::<Result<_>>()?;
    let gone = || Error::new(ErrorCode::Storage, "an entry vanished within a snapshot");
    ids.iter().map(|id| entries.remove(id).ok_or_else(gone)).collect()
}

/// How many entries are wanted.
pub(super) fn count(
    session: Session<'_>,
    place: Place<'_>,
    q: Option<&str>,
    filter: Option<&JsonValue>,
) -> Result<u64> {
    let mut wanted = wanted(q, filter)?;
    let began = Instant::now();
    let count = session.read_snapshot(|exec| {
        if wanted.all() {
            return rows::count(exec, place);
        }
        let sort = Sort::default();
        let mut plans = wanted.know_preset(session, exec, place, &sort)?;
        plans.iter_mut().for_each(|plan| plan.order = None);
        let plan = match choose(exec, place, plans, false)? {
            Way::Narrowed(plan) => Some(plan),
            Way::Ordered(..) | Way::Whole => None,
        };
        let mut count = 0;
        each(exec, place, &wanted, plan.as_ref(), &sort, &mut |_| count += 1)?;
        Ok(count)
    })?;
    wanted.was_searched(session, place, began.elapsed());
    Ok(count)
}

fn wanted(q: Option<&str>, filter: Option<&JsonValue>) -> Result<Wanted> {
    let filter = filter.filter(|filter| !filter.is_null()).map(Filter::parse).transpose()?.unwrap_or_default();
    Ok(Wanted { filter, search: q.and_then(Search::new), ..Wanted::default() })
}

impl Wanted {
    /// What the preset of the table has to say: which fields are searched (a table without one is searched everywhere), and
    /// which keys help.
    fn know_preset(
        &mut self,
        session: Session<'_>,
        exec: &mut dyn Executor,
        place: Place<'_>,
        sort: &Sort,
    ) -> Result<Vec<Plan>> {
        let keyed = self.filter.ids().is_none() && !plan::paths(&self.filter, sort).is_empty();
        if self.search.is_none() && !keyed {
            return Ok(Vec::new());
        }
        let preset = match for_table(session, exec, place.project, place.table) {
            Ok(preset) => preset,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let keywords = preset.keywords();
        if let Some(search) = &self.search {
            // While a bulk write is under way, the index of texts is not that of what is seen.
            let seen = unseen::under_way(exec, place)?.is_none();
            self.fields.clone_from(&keywords.search);
            self.fingerprint = search_fingerprint(keywords);
            self.among = if seen { search::candidates(exec, place, search, &self.fingerprint)? } else { None };
        }
        // The few that the search is among are looked up, whatever keys there are.
        let keyed = keyed && self.among.is_none();
        let plans = if keyed { plan::plans(keywords, &self.filter, sort) } else { Vec::new() };
        // Keys of another preset are not those of every entry.
        let made = !plans.is_empty() && index::known(exec, place, keywords)?;
        Ok(if made { plans } else { Vec::new() })
    }

    /// Now that nothing is read any more, the next search may be made quicker.
    fn was_searched(&self, session: Session<'_>, place: Place<'_>, took: Duration) {
        let of = Searched { fields: &self.fields, fingerprint: &self.fingerprint };
        search::after_search(session, place, of, took);
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

fn split(mut keys: Vec<JsonValue>, sort: &Sort) -> Result<(Keys, String)> {
    let id = keys.pop().and_then(|id| id.as_str().map(str::to_owned)).ok_or_else(damaged)?;
    if keys.len() != sort.fields().len() {
        return Err(damaged());
    }
    Ok((keys.into_iter().map(Some).collect(), id))
}

fn damaged() -> Error {
    Error::invalid("the cursor is damaged; pass nextCursor of the page before as it was given")
}

/// The programs of the page on finding entries run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/queries.md")]
struct DocsPage;
