//! Walks entries by their kept keys.
//!
//! Keys order entries as far as they tell values apart: entries whose keys begin alike are a group, in which arrays and
//! objects, texts that were cut, and fields the key does not hold are put in order here.

use std::collections::HashMap;
use std::ops::ControlFlow;

use serde_json::Value as JsonValue;

use super::ahead::{Ahead, Field, Pair, Stretch};
use super::best::Best;
use super::plan::{self, KeyOrder, Plan};
use crate::aux_store::keys::{Range, encoded, group, shortened};
use crate::aux_store::rows::{self, Place};
use crate::aux_store::scan::{self, Batch, Scanned, Shape, Sql, Wanted};
use crate::aux_store::sort::Sort;
use crate::db::{Dialect, Executor, Row};
use crate::error::Result;

/// An entry's sort keys and its id.
pub(super) type After<'a> = (&'a [Option<JsonValue>], &'a str);
type Visit<'v> = &'v mut dyn FnMut(Scanned) -> Result<ControlFlow<()>>;

/// What walks the keys of one field of a table.
pub(super) struct KeyWalk<'w> {
    place: Place<'w>,
    wanted: &'w Wanted,
    plan: &'w Plan,
    ahead: Ahead,
}

/// A key, and the entry that has it where it is wanted.
struct Keyed {
    key: Vec<u8>,
    id: String,
    entry: Option<Scanned>,
}

/// How many keys there are in the ranges of a plan, as far as `most`.
pub(super) fn count(exec: &mut dyn Executor, place: Place<'_>, plan: &Plan, most: i64) -> Result<i64> {
    let (field, mut count) = (Field { place, name: &plan.field }, 0);
    for range in &plan.ranges {
        let mut sql = field.sql();
        let (from, to) = (sql.bind(range.from.as_slice()), sql.bind(range.to.as_slice()));
        let (limit, keys) = (sql.bind(most - count), plan.others.keys(&mut sql, exec.dialect()));
        // In their order, or PostgreSQL may collect all before it counts the first.
        let text = format!(
            "SELECT count(*) FROM (SELECT 1 {keys} AND kept.key >= {from} AND kept.key < {to} \
             ORDER BY kept.key, kept.entry_id LIMIT {limit}) AS counted"
        );
        let rows = exec.query(&text, &sql.params)?;
        count += rows.first().map_or(Ok(0), |row| row.int(0))?;
        if count >= most {
            break;
        }
    }
    Ok(count)
}

impl<'w> KeyWalk<'w> {
    pub(super) fn begin(exec: &mut dyn Executor, place: Place<'w>, wanted: &'w Wanted, plan: &'w Plan) -> Result<Self> {
        let ahead = Ahead::gather(exec, Field { place, name: &plan.field }, &plan.others)?;
        Ok(Self { place, wanted, plan, ahead })
    }

    /// Every wanted entry in the ranges, in the order of its key.
    pub(super) fn each(&self, exec: &mut dyn Executor, shape: Shape<'_>, visit: Visit<'_>) -> Result<()> {
        for range in &self.plan.ranges {
            if self.each_in(exec, shape, range, "", visit)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn each_in(
        &self,
        exec: &mut dyn Executor,
        shape: Shape<'_>,
        range: &Range,
        after: &str,
        visit: Visit<'_>,
    ) -> Result<ControlFlow<()>> {
        let (mut range, mut after, mut batch) = (range.clone(), after.to_owned(), Batch::default());
        loop {
            let stretch = Stretch { range: &range, after: &after, backwards: false };
            let keyed = self.read(exec, shape, stretch, &mut batch)?;
            let Some(last) = keyed.rows.last() else { return Ok(ControlFlow::Continue(())) };
            (range.from, after) = (last.key.clone(), last.id.clone());
            for entry in keyed.rows.into_iter().filter_map(|row| row.entry) {
                if visit(entry)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            if keyed.all {
                return Ok(ControlFlow::Continue(()));
            }
        }
    }

    /// The wanted entries in the order of the list, behind `after`; at most `most` are asked for.
    pub(super) fn in_order(
        &self,
        exec: &mut dyn Executor,
        (order, sort): (&KeyOrder, &Sort),
        after: Option<After<'_>>,
        most: usize,
        visit: Visit<'_>,
    ) -> Result<()> {
        let mut walk = Ordered { walk: self, order, sort, most, visit };
        let start = after.map(|after| (order.group_of(after), after));
        let mut ranges: Vec<&Range> = self.plan.ranges.iter().collect();
        if order.descending {
            ranges.reverse();
        }
        for range in ranges {
            if walk.range(exec, range, start.as_ref())?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn field(&self) -> Field<'_> {
        Field { place: self.place, name: &self.plan.field }
    }

    /// The first keys of a stretch, with the entries that are wanted.
    fn read(&self, exec: &mut dyn Executor, shape: Shape<'_>, stretch: Stretch<'_>, batch: &mut Batch) -> Result<Keys> {
        let most = usize::try_from(batch.rows).unwrap_or_default();
        let keys = match self.ahead.pairs(exec, self.field(), stretch, most)? {
            Some((pairs, all)) => Keys { rows: self.entries(exec, shape, pairs, batch)?, all },
            None => self.joined(exec, shape, stretch, batch)?,
        };
        batch.next();
        Ok(keys)
    }

    /// The entries of keys that are known.
    fn entries(
        &self,
        exec: &mut dyn Executor,
        shape: Shape<'_>,
        pairs: Vec<Pair>,
        batch: &mut Batch,
    ) -> Result<Vec<Keyed>> {
        let mut sql = Sql { text: String::new(), params: vec![self.place.project.into(), self.place.table.into()] };
        sql.params.push(rows::ids(&pairs.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>()));
        let columns = scan::columns(&mut sql, Some(self.wanted), shape);
        let named = rows::named(exec, self.place)?;
        sql.push(&format!("SELECT {columns} FROM {named} WHERE project_id = $1 AND table_name = $2"));
        scan::leave_out(&mut sql, exec.dialect(), self.wanted);
        let mut entries = HashMap::with_capacity(pairs.len());
        for row in exec.query(&sql.text, &sql.params)? {
            let entry = scan::read(&row, 0, shape)?;
            batch.saw(&entry);
            if self.wanted.holds(&entry) {
                entries.insert(entry.id.clone(), entry);
            }
        }
        Ok(pairs.into_iter().map(|(key, id)| Keyed { key, entry: entries.remove(&id), id }).collect())
    }

    /// Reads keys and entries by one statement.
    fn joined(
        &self,
        exec: &mut dyn Executor,
        shape: Shape<'_>,
        stretch: Stretch<'_>,
        batch: &mut Batch,
    ) -> Result<Keys> {
        let mut sql = self.field().sql();
        let (bounds, descending) = stretch.bounds(&mut sql);
        let limit = sql.bind(batch.rows);
        let keys = self.plan.others.keys(&mut sql, exec.dialect());
        let keys = format!(
            "(SELECT kept.key, kept.entry_id {keys} AND {bounds} \
             ORDER BY kept.key{descending}, kept.entry_id{descending} LIMIT {limit}) AS keyed"
        );
        let columns = scan::columns(&mut sql, Some(self.wanted), shape);
        let (entries, of_table) = (rows::ENTRIES, "project_id = $1 AND table_name = $2 AND id = keyed.entry_id");
        match exec.dialect() {
            Dialect::Sqlite => {
                sql.push(&format!(
                    "SELECT keyed.key, keyed.entry_id, {columns} FROM {keys} LEFT JOIN {entries} ON {of_table}"
                ));
                scan::leave_out(&mut sql, Dialect::Sqlite, self.wanted);
            }
            // The fence has it look up one entry after the other, also where it takes the table for empty.
            Dialect::Postgres => {
                sql.push(&format!(
                    "SELECT keyed.key, keyed.entry_id, entry.* FROM {keys} LEFT JOIN LATERAL \
                     (SELECT {columns} FROM {entries} WHERE {of_table}"
                ));
                scan::leave_out(&mut sql, Dialect::Postgres, self.wanted);
                sql.push(" OFFSET 0) AS entry ON TRUE");
            }
        }
        let rows = exec.query(&sql.text, &sql.params)?;
        let all = (rows.len() as i64) < batch.rows;
        let mut rows = rows.iter().map(|row| self.keyed(row, shape, batch)).collect::<Result<Vec<_>>>()?;
        rows.sort_by(|a, b| (&a.key, &a.id).cmp(&(&b.key, &b.id)));
        if stretch.backwards {
            rows.reverse();
        }
        Ok(Keys { rows, all })
    }

    fn keyed(&self, row: &Row, shape: Shape<'_>, batch: &mut Batch) -> Result<Keyed> {
        let (key, id) = (row.opt_bytes(0)?.unwrap_or_default(), row.text(1)?);
        if row.opt_text(2)?.is_none() {
            return Ok(Keyed { key, id, entry: None });
        }
        let entry = scan::read(row, 2, shape)?;
        batch.saw(&entry);
        Ok(Keyed { key, id, entry: Some(entry).filter(|entry| self.wanted.holds(entry)) })
    }
}

/// A batch of keys.
struct Keys {
    rows: Vec<Keyed>,
    /// Whether there are no more.
    all: bool,
}

impl KeyOrder {
    /// The group of an entry with these sort keys.
    fn group_of(&self, (keys, _): After<'_>) -> Range {
        let null = JsonValue::Null;
        let sorted = self.sorted.iter().map(|at| keys.get(*at).and_then(Option::as_ref).unwrap_or(&null));
        self.group_in(&shortened(encoded(self.fixed.iter().chain(sorted))))
    }

    /// The group that a key is in: the keys that begin as it does.
    fn group_in(&self, key: &[u8]) -> Range {
        let (prefix, exact) = group(key, self.values());
        match exact && self.then_by_id && prefix.len() == key.len() {
            true => Range::only(prefix.to_vec()),
            false => Range::beginning(prefix.to_vec()),
        }
    }

    /// Whether the keys of a group are all the same, so that its entries stand in their order by id.
    fn is_in_order(&self, group: &Range) -> bool {
        self.then_by_id && *group == Range::only(group.from.clone())
    }
}

struct Ordered<'w, 'v> {
    walk: &'w KeyWalk<'w>,
    order: &'w KeyOrder,
    sort: &'w Sort,
    most: usize,
    visit: Visit<'v>,
}

impl Ordered<'_, '_> {
    fn range(
        &mut self,
        exec: &mut dyn Executor,
        range: &Range,
        start: Option<&(Range, After<'_>)>,
    ) -> Result<ControlFlow<()>> {
        let mut left = range.clone();
        if let Some((group, after)) = start {
            let within = group.within(range);
            if !within.is_empty() && self.group(exec, &within, group, Some(*after))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            left = self.behind(group, &left);
        }
        let mut batch = Batch::default();
        while !left.is_empty() {
            let (backwards, walk) = (self.order.descending, self.walk);
            let keys = walk.read(exec, Shape::Whole, Stretch { range: &left, after: "", backwards }, &mut batch)?;
            let Some(last) = keys.rows.last() else { break };
            let open = self.order.group_in(&last.key);
            let (done, begun): (Vec<Keyed>, Vec<Keyed>) =
                keys.rows.into_iter().partition(|row| keys.all || !(open.from <= row.key && row.key < open.to));
            if self.groups(done)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            if keys.all {
                break;
            }
            drop(begun);
            if self.group(exec, &open.within(&left), &open, None)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            left = self.behind(&open, &left);
        }
        Ok(ControlFlow::Continue(()))
    }

    /// What of a range comes behind a group.
    fn behind(&self, group: &Range, range: &Range) -> Range {
        match self.order.descending {
            false => Range { from: range.from.clone().max(group.to.clone()), to: range.to.clone() },
            true => Range { from: range.from.clone(), to: range.to.clone().min(group.from.clone()) },
        }
    }

    /// Groups of which every key is there.
    fn groups(&mut self, rows: Vec<Keyed>) -> Result<ControlFlow<()>> {
        let groups = rows.chunk_by(|a, b| self.order.group_in(&a.key) == self.order.group_in(&b.key));
        let lengths: Vec<usize> = groups.map(<[Keyed]>::len).collect();
        let mut rows = rows.into_iter();
        for length in lengths {
            let entries = rows.by_ref().take(length).filter_map(|row| row.entry);
            let mut entries: Vec<_> = entries.map(|entry| (self.sort.keys(&entry), entry)).collect();
            entries.sort_by(|(a, one), (b, other)| self.sort.compare((a, &one.id), (b, &other.id)));
            for (_, entry) in entries {
                if (self.visit)(entry)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// A group, or what of it lies `within` a range, read from its beginning or from behind an entry.
    fn group(
        &mut self,
        exec: &mut dyn Executor,
        within: &Range,
        group: &Range,
        after: Option<After<'_>>,
    ) -> Result<ControlFlow<()>> {
        if self.order.is_in_order(group) {
            return self.walk.each_in(exec, Shape::Whole, within, after.map_or("", |(_, id)| id), self.visit);
        }
        let mut best = Best::new(self.sort, self.most, after);
        let paths = plan::paths(&self.walk.wanted.filter, self.sort);
        let timely = plan::is_timely(&self.walk.wanted.filter, self.sort);
        let shape = Shape::telling(&paths, timely, exec.dialect(), self.walk.wanted);
        let _ = self.walk.each_in(exec, shape, within, "", &mut |entry| {
            best.push(entry);
            Ok(ControlFlow::Continue(()))
        })?;
        for entry in super::by_ids(exec, self.walk.place, &best.finish())? {
            if (self.visit)(entry)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
