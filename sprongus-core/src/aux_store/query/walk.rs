//! Walks entries by their kept keys.

use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::ops::ControlFlow;

use serde_json::Value as JsonValue;

use super::ahead::{self, Ahead, Field, Pair, Stretch};
use super::plan::Plan;
use crate::aux_store::keys::Range;
use crate::aux_store::rows::{self, Place};
use crate::aux_store::scan::{self, Batch, Scanned, Shape, Sql, Wanted};
use crate::aux_store::unseen;
use crate::db::{Dialect, Executor, Row};
use crate::error::Result;

/// An entry's sort keys and its id.
pub(super) type After<'a> = (&'a [Option<JsonValue>], &'a str);
pub(super) type Visit<'v> = &'v mut dyn FnMut(Scanned) -> Result<ControlFlow<()>>;

/// What walks the keys of one field of a table.
pub(super) struct KeyWalk<'w> {
    pub(super) place: Place<'w>,
    pub(super) wanted: &'w Wanted,
    pub(super) plan: &'w Plan,
    /// Gathered once there is need of it.
    ahead: OnceCell<Ahead>,
    /// The first keys are read by one statement with their entries, for they may be all that is needed.
    pub(super) first_joined: Cell<bool>,
}

/// A key, and the entry that has it where it is wanted.
pub(super) struct Keyed {
    pub(super) key: Vec<u8>,
    pub(super) id: String,
    pub(super) entry: Option<Scanned>,
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
    pub(super) fn new(place: Place<'w>, wanted: &'w Wanted, plan: &'w Plan) -> Self {
        Self { place, wanted, plan, ahead: OnceCell::new(), first_joined: Cell::new(false) }
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

    pub(super) fn each_in(
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

    fn field(&self) -> Field<'_> {
        Field { place: self.place, name: &self.plan.field }
    }

    fn ahead(&self, exec: &mut dyn Executor) -> Result<&Ahead> {
        if let Some(ahead) = self.ahead.get() {
            return Ok(ahead);
        }
        let ahead = Ahead::gather(exec, self.field(), &self.plan.others)?;
        Ok(self.ahead.get_or_init(|| ahead))
    }

    /// The first keys of a stretch, with the entries that are wanted.
    pub(super) fn read(
        &self,
        exec: &mut dyn Executor,
        shape: Shape<'_>,
        stretch: Stretch<'_>,
        batch: &mut Batch,
    ) -> Result<Keys> {
        let most = usize::try_from(batch.rows).unwrap_or_default();
        let known = match self.first_joined.take() {
            true => None,
            false => self.ahead(exec)?.pairs(exec, self.field(), stretch, most)?,
        };
        let keys = match known {
            Some((pairs, all)) => Keys { rows: self.entries(exec, shape, pairs, batch)?, all },
            // Beside the keys of what is seen there are those of entries that a bulk write under way has made.
            None if unseen::under_way(exec, self.place)?.is_some() => {
                let (pairs, all) = self.pairs(exec, stretch, most)?;
                Keys { rows: self.entries(exec, shape, pairs, batch)?, all }
            }
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

    /// The first keys of a stretch, and whether there are no more.
    fn pairs(&self, exec: &mut dyn Executor, stretch: Stretch<'_>, most: usize) -> Result<(Vec<Pair>, bool)> {
        let mut sql = self.field().sql();
        let keys = self.keys(&mut sql, exec.dialect(), stretch, i64::try_from(most).unwrap_or(i64::MAX));
        let rows = exec.query(&format!("SELECT keyed.key, keyed.entry_id FROM {keys}"), &sql.params)?;
        let mut pairs = rows.iter().map(ahead::pair).collect::<Result<Vec<_>>>()?;
        pairs.sort_unstable();
        if stretch.backwards {
            pairs.reverse();
        }
        let all = pairs.len() < most;
        Ok((pairs, all))
    }

    /// The first keys of a stretch, to be selected from as `keyed`.
    fn keys<'s>(&self, sql: &mut Sql<'s>, dialect: Dialect, stretch: Stretch<'s>, most: i64) -> String {
        let (bounds, descending) = stretch.bounds(sql);
        let limit = sql.bind(most);
        let keys = self.plan.others.keys(sql, dialect);
        format!(
            "(SELECT kept.key, kept.entry_id {keys} AND {bounds} \
             ORDER BY kept.key{descending}, kept.entry_id{descending} LIMIT {limit}) AS keyed"
        )
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
        let keys = self.keys(&mut sql, exec.dialect(), stretch, batch.rows);
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
pub(super) struct Keys {
    pub(super) rows: Vec<Keyed>,
    /// Whether there are no more.
    pub(super) all: bool,
}
