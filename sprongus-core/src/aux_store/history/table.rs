//! A whole table as it was at a time.

use crate::aux_store::model::Entry;
use crate::aux_store::rows::{Place, Stored};
use crate::aux_store::unseen;
use crate::clock::Timestamp;
use crate::db::Row;
use crate::error::Result;
use crate::session::Session;

/// Entries by one statement: few at first, more while they are small.
const FIRST: i64 = 64;
const MOST: i64 = 1_024;
const PAGE_BYTES: usize = 1 << 20;

/// The entries of the table `$1`, `$2` after the id `$3` as they were at `$4`, at most `$5`.
///
/// Where the present version is old enough, it is the one. Else it is the highest kept version that is, unless that is a
/// deletion. Scalar subqueries, for PostgreSQL would make joins of EXISTS, which read the whole history for each page.
fn statement(entries: &str, versions: &str) -> String {
    format!(
        "SELECT id, payload, version, at FROM (\
         SELECT * FROM (SELECT e.id, e.payload, e.version, e.last_updated AS at FROM {entries} AS e \
         WHERE e.project_id = $1 AND e.table_name = $2 AND e.id > $3 AND e.last_updated <= $4 ORDER BY e.id LIMIT $5) AS present \
         UNION ALL \
         SELECT * FROM (SELECT v.id, v.snapshot AS payload, v.version, v.at FROM {versions} AS v \
         WHERE v.project_id = $1 AND v.table_name = $2 AND v.id > $3 AND v.at <= $4 AND v.snapshot IS NOT NULL \
         AND (SELECT w.version FROM {versions} AS w WHERE w.project_id = $1 AND w.table_name = $2 AND w.id = v.id \
         AND w.version > v.version AND w.at <= $4 LIMIT 1) IS NULL \
         AND coalesce((SELECT e.last_updated FROM {entries} AS e WHERE e.project_id = $1 AND e.table_name = $2 \
         AND e.id = v.id) > $4, true) ORDER BY v.id LIMIT $5) AS past) AS then_there ORDER BY id LIMIT $5"
    )
}

/// Every entry as it was, ordered by id.
pub(in crate::aux_store) fn as_of(session: Session<'_>, place: Place<'_>, at: Timestamp) -> Result<Vec<Entry>> {
    session.read_snapshot(|exec| {
        let sql = statement(unseen::entries(exec, place)?, unseen::versions(exec, place)?);
        let (mut entries, mut limit) = (Vec::<Entry>::new(), FIRST);
        loop {
            let after = entries.last().map_or("", |entry| entry.id.as_str());
            let rows =
                exec.query(&sql, &[place.project.into(), place.table.into(), after.into(), at.into(), limit.into()])?;
            let whole = rows.len() as i64 == limit;
            let mut bytes = 0;
            for row in &rows {
                let entry = read(row, place)?;
                bytes += entry.payload.as_str().len();
                entries.push(entry);
            }
            if !whole {
                return Ok(entries);
            }
            limit = if bytes < PAGE_BYTES / 2 { MOST.min(limit * 2) } else { FIRST.max(limit / 2) };
        }
    })
}

fn read(row: &Row, place: Place<'_>) -> Result<Entry> {
    let stored = Stored { payload: row.json(1)?, hash: Vec::new(), version: row.int(2)?, last_updated: row.time(3)? };
    Ok(stored.entry(place, &row.text(0)?, Vec::new()))
}
