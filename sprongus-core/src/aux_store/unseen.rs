//! What a bulk write has written and nobody is to see yet (SQLite).
//!
//! A large bulk write on SQLite is many short transactions, so that others get the lock between them. Until its row in
//! `sprongus_aux_batches` is gone, which is one more short transaction, everybody sees the table as it was before: what the
//! batch made is left out, and what it superseded or deleted is taken from the versions, where it was kept. Another writer
//! that wants such an entry undoes what the batch did to it; the batch finds it among its rivals and looks again.

use super::refs;
use super::rows::{self, ENTRIES, Place};
use super::search;
use crate::db::{Dialect, Executor, Value};
use crate::error::{Error, ErrorCode, Result};

/// The view of all entries as they are seen, whatever is under way: for those whose keys are known. A walk over it reads all
/// versions; see [`entries`].
pub(super) const SEEN: &str = "sprongus_aux_seen";

/// The entries as they are seen that meet a condition on their project, table and id, as a subquery. SQLite takes no IN into
/// the view, and would read all of the table.
fn seen_where(condition: &str) -> String {
    format!(
        "SELECT project_id, table_name, id, payload, hash, search_text, version, last_updated, actor, reason, change_summary \
         FROM sprongus_aux_entries WHERE {condition} AND (batch IS NULL OR batch NOT IN (SELECT b.id FROM sprongus_aux_batches b)) \
         UNION ALL SELECT project_id, table_name, id, snapshot, NULL, NULL, version, at, actor, reason, change_summary \
         FROM sprongus_aux_versions WHERE {condition} AND batch IN (SELECT b.id FROM sprongus_aux_batches b) \
         AND snapshot IS NOT NULL"
    )
}

/// The entries of the table `$1`, `$2` with an id in `$3`, as a subquery.
pub(super) fn named(exec: &mut dyn Executor, place: Place<'_>) -> Result<String> {
    let named = "project_id = $1 AND table_name = $2 AND id IN (SELECT value FROM json_each($3))";
    Ok(match under_way(exec, place)? {
        None => format!("SELECT * FROM {ENTRIES} WHERE {named}"),
        Some(_) => seen_where(named),
    })
}

/// The version of an entry, by expressions for its project, table and id, as an expression; NULL where none is seen. For many
/// rows: SQLite takes no condition on an outer row into the view, and would read all entries.
pub(crate) fn version_seen(dialect: Dialect, [project, table, id]: [&str; 3]) -> String {
    let of = |rows: &str| format!("{rows}.project_id = {project} AND {rows}.table_name = {table} AND {rows}.id = {id}");
    match dialect {
        Dialect::Postgres => {
            format!("(SELECT e.version FROM sprongus_aux_entries AS e WHERE {})", of("e"))
        }
        Dialect::Sqlite => format!(
            "coalesce((SELECT e.version FROM sprongus_aux_entries AS e WHERE {} \
             AND (e.batch IS NULL OR e.batch NOT IN (SELECT id FROM sprongus_aux_batches))), \
             (SELECT v.version FROM sprongus_aux_versions AS v WHERE {} \
             AND v.batch IN (SELECT id FROM sprongus_aux_batches) AND v.snapshot IS NOT NULL))",
            of("e"),
            of("v")
        ),
    }
}

/// What the entries of a table are read from, as a FROM clause names it. To be asked in the transaction that reads: a bulk
/// write may begin after it. While one is under way the index of texts does not tell what is seen, and the keys are of hidden
/// entries too.
pub(super) fn entries(exec: &mut dyn Executor, place: Place<'_>) -> Result<&'static str> {
    Ok(if under_way(exec, place)?.is_some() { SEEN } else { ENTRIES })
}

/// The same of its versions: without those that a bulk write under way has superseded or deleted.
pub(super) fn versions(exec: &mut dyn Executor, place: Place<'_>) -> Result<&'static str> {
    Ok(match under_way(exec, place)? {
        None => "sprongus_aux_versions",
        Some(_) => {
            "(SELECT * FROM sprongus_aux_versions WHERE batch IS NULL OR batch NOT IN (SELECT id FROM sprongus_aux_batches))"
        }
    })
}

/// The bulk write that has unseen rows in a table.
pub(super) fn under_way(exec: &mut dyn Executor, place: Place<'_>) -> Result<Option<i64>> {
    if exec.dialect() == Dialect::Postgres {
        return Ok(None);
    }
    let sql = "SELECT id FROM sprongus_aux_batches WHERE project_id = $1 AND table_name = $2";
    let rows = exec.query(sql, &[place.project.into(), place.table.into()])?;
    rows.first().map(|row| row.int(0)).transpose()
}

/// Refuses what compares all of a table with something else while a bulk write is under way there: `busy`, to be tried again.
pub(super) fn refuse_another(exec: &mut dyn Executor, place: Place<'_>) -> Result<()> {
    if under_way(exec, place)?.is_none() {
        return Ok(());
    }
    let message =
        format!("another bulk write of the table {:?} is under way; try again when it has ended", place.table);
    Err(Error::new(ErrorCode::Busy, message))
}

/// What a batch had done to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undone {
    Nothing = 0,
    Created = 1,
    Updated = 2,
    Deleted = 3,
}

impl Undone {
    pub(super) fn of(number: i64) -> Self {
        [Self::Nothing, Self::Created, Self::Updated, Self::Deleted][number.clamp(0, 3) as usize]
    }
}

/// Before another writes an entry: undoes what a bulk write under way did to it, and lets that know.
pub(super) fn make_way(exec: &mut dyn Executor, place: Place<'_>, id: &str) -> Result<()> {
    let Some(batch) = under_way(exec, place)? else { return Ok(()) };
    let undone = undo(exec, place, batch, id)?;
    // A batch comes to each entry once, so there is one thing at most to undo.
    let sql = "INSERT INTO sprongus_aux_rivals (batch, entry_id, undone) VALUES ($1, $2, $3) \
               ON CONFLICT (batch, entry_id) DO UPDATE SET undone = max(undone, excluded.undone)";
    exec.execute(sql, &[batch.into(), id.into(), (undone as i64).into()]).map(drop)
}

/// The same for the entry that has a unique key, where nobody sees that it does; false where somebody may.
pub(super) fn holder_makes_way(exec: &mut dyn Executor, place: Place<'_>, field: &str, key: &[u8]) -> Result<bool> {
    let Some(batch) = under_way(exec, place)? else { return Ok(false) };
    let sql = "SELECT k.entry_id FROM sprongus_aux_keys k JOIN sprongus_aux_entries e \
               ON e.project_id = $1 AND e.table_name = $2 AND e.id = k.entry_id AND e.batch = $5 \
               WHERE k.project_id = $1 AND k.table_name = $2 AND k.field = $3 AND k.key = $4 AND k.is_unique = 1 \
               AND NOT EXISTS (SELECT 1 FROM sprongus_aux_versions v WHERE v.project_id = $1 AND v.table_name = $2 \
               AND v.id = k.entry_id AND v.batch = $5)";
    let params = [place.project.into(), place.table.into(), field.into(), key.into(), batch.into()];
    let rows = exec.query(sql, &params)?;
    let Some(holder) = rows.first() else { return Ok(false) };
    make_way(exec, place, &holder.text(0)?)?;
    Ok(true)
}

/// Makes an entry again what it was before a batch. Its search text is not kept: it is searched by its payload, and marked
/// for the index of texts, which may have seen it otherwise or not at all.
pub(super) fn undo(exec: &mut dyn Executor, place: Place<'_>, batch: i64, id: &str) -> Result<Undone> {
    let of_batch: [Value<'_>; 4] = [place.project.into(), place.table.into(), id.into(), batch.into()];
    let one = "project_id = $1 AND table_name = $2 AND id = $3 AND batch = $4";
    let kept = exec.query(
        &format!("SELECT snapshot, at FROM sprongus_aux_versions WHERE {one} AND snapshot IS NOT NULL"),
        &of_batch,
    )?;
    let made = exec.execute(&format!("DELETE FROM sprongus_aux_entries WHERE {one}"), &of_batch)? > 0;
    let Some(kept) = kept.first() else {
        if !made {
            return Ok(Undone::Nothing);
        }
        rows::remove_keys(exec, place, id)?;
        refs::remove(exec, place, id)?;
        return Ok(Undone::Created);
    };
    let restore = format!(
        "INSERT INTO sprongus_aux_entries \
         (project_id, table_name, id, payload, hash, version, last_updated, actor, reason, change_summary) \
         SELECT project_id, table_name, id, snapshot, $5, version, at, actor, reason, change_summary \
         FROM sprongus_aux_versions WHERE {one} AND snapshot IS NOT NULL"
    );
    let hash = kept.json(0)?.hash();
    let mut params = of_batch.to_vec();
    params.push(hash.as_slice().into());
    exec.execute(&restore, &params)?;
    search::mark(exec, place, kept.time(1)?.into())?;
    exec.execute(&format!("DELETE FROM sprongus_aux_versions WHERE {one}"), &of_batch)?;
    Ok(if made { Undone::Updated } else { Undone::Deleted })
}
