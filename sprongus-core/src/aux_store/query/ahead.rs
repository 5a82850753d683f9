//! What is gathered before a walk along keys, so that it need not ask about each of them.

use hashbrown::HashSet;

use super::others::{By, OF_FIELD, Others};
use crate::aux_store::keys::Range;
use crate::aux_store::rows::Place;
use crate::aux_store::scan::Sql;
use crate::db::{Dialect, Executor, Row, Value};
use crate::error::Result;

/// Keys that one statement reads where most are passed over.
const STRIDE: usize = 1_024;

/// A key and its entry's id.
pub(super) type Pair = (Vec<u8>, String);

/// What was gathered.
pub(super) enum Ahead {
    Nothing,
    /// All keys, in their order.
    Keys(Vec<Pair>),
    /// The entries whose keys are wanted (PostgreSQL).
    Ids(HashSet<String>),
}

/// The keys of one field of a table.
#[derive(Clone, Copy)]
pub(super) struct Field<'f> {
    pub(super) place: Place<'f>,
    pub(super) name: &'f str,
}

/// A stretch of keys: those of the range's first key only after that id; or backwards from the range's end.
#[derive(Clone, Copy)]
pub(super) struct Stretch<'s> {
    pub(super) range: &'s Range,
    pub(super) after: &'s str,
    pub(super) backwards: bool,
}

impl Ahead {
    pub(super) fn gather(exec: &mut dyn Executor, field: Field<'_>, others: &Others) -> Result<Self> {
        match (others.by, others.fields.first()) {
            (By::All, _) => {
                let mut sql = field.sql();
                let keys = others.keys(&mut sql, exec.dialect());
                sql.push(&format!("SELECT kept.key, kept.entry_id {keys}"));
                let mut pairs = exec.query(&sql.text, &sql.params)?.iter().map(pair).collect::<Result<Vec<_>>>()?;
                pairs.sort_unstable();
                Ok(Self::Keys(pairs))
            }
            (By::Ids, Some(other)) if exec.dialect() == Dialect::Postgres => {
                let sql = other.ids(field.place);
                let rows = exec.query(&sql.text, &sql.params)?;
                Ok(Self::Ids(rows.iter().map(|row| row.text(0)).collect::<Result<_>>()?))
            }
            _ => Ok(Self::Nothing),
        }
    }

    /// The first so many pairs of a stretch, and whether there are no more; `None` where nothing was gathered.
    pub(super) fn pairs(
        &self,
        exec: &mut dyn Executor,
        field: Field<'_>,
        stretch: Stretch<'_>,
        most: usize,
    ) -> Result<Option<(Vec<Pair>, bool)>> {
        match self {
            Self::Nothing => Ok(None),
            Self::Keys(pairs) => Ok(Some(stretch.of(pairs, most))),
            Self::Ids(ids) => stretch.among(exec, field, ids, most).map(Some),
        }
    }
}

impl<'f> Field<'f> {
    /// `$1` to `$3`.
    pub(super) fn sql(self) -> Sql<'f> {
        let params = vec![self.place.project.into(), self.place.table.into(), self.name.into()];
        Sql { text: String::new(), params }
    }
}

impl<'s> Stretch<'s> {
    /// The condition on `kept`, and the order.
    pub(super) fn bounds(self, sql: &mut Sql<'s>) -> (String, &'static str) {
        let (first, last) = (sql.bind(self.range.from.as_slice()), sql.bind(self.range.to.as_slice()));
        let after = sql.bind(self.after);
        match self.backwards {
            false => (format!("(kept.key, kept.entry_id) > ({first}, {after}) AND kept.key < {last}"), ""),
            true => (format!("(kept.key, kept.entry_id) < ({last}, {after}) AND kept.key >= {first}"), " DESC"),
        }
    }

    fn of(self, pairs: &[Pair], most: usize) -> (Vec<Pair>, bool) {
        let Self { range: Range { from, to }, after, backwards } = self;
        let before = |end: &[u8], end_id: &str| pairs.partition_point(|(key, id)| (&key[..], &id[..]) < (end, end_id));
        let (start, end) = match backwards {
            false => (pairs.partition_point(|(key, id)| (key, id.as_str()) <= (from, after)), before(to, "")),
            true => (before(from, ""), before(to, after)),
        };
        let within = pairs.get(start..end).unwrap_or_default();
        let part = match backwards {
            false => within.iter().take(most).cloned().collect(),
            true => within.iter().rev().take(most).cloned().collect(),
        };
        (part, within.len() < most)
    }

    /// Reads keys along the stretch and keeps those of certain entries.
    fn among(
        self,
        exec: &mut dyn Executor,
        field: Field<'_>,
        ids: &HashSet<String>,
        most: usize,
    ) -> Result<(Vec<Pair>, bool)> {
        let (mut range, mut after, mut kept) = (self.range.clone(), self.after.to_owned(), Vec::new());
        loop {
            let mut sql = field.sql();
            let left = Stretch { range: &range, after: &after, backwards: self.backwards };
            let (bounds, descending) = left.bounds(&mut sql);
            sql.push(&format!(
                "SELECT kept.key, kept.entry_id FROM sprongus_aux_keys AS kept WHERE {OF_FIELD} AND {bounds} \
                 ORDER BY kept.key{descending}, kept.entry_id{descending} LIMIT {STRIDE}"
            ));
            let rows = exec.query(&sql.text, &sql.params)?;
            let has = |row: &&Row| matches!(row.values(), [_, Value::Text(id)] if ids.contains(&**id));
            for row in rows.iter().filter(has) {
                if kept.len() == most {
                    return Ok((kept, false));
                }
                kept.push(pair(row)?);
            }
            let Some(last) = rows.last().filter(|_| rows.len() == STRIDE) else { return Ok((kept, true)) };
            let (key, id) = pair(last)?;
            (*(if self.backwards { &mut range.to } else { &mut range.from }), after) = (key, id);
        }
    }
}

pub(super) fn pair(row: &Row) -> Result<Pair> {
    Ok((row.opt_bytes(0)?.unwrap_or_default(), row.text(1)?))
}
