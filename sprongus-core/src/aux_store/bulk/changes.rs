//! What a step of a large bulk write creates and supersedes.

use std::borrow::Cow;

use super::created::COLUMNS;
use super::spool::Judged;
use super::stepped::Stepped;
use crate::db::{Dialect, Value};
use crate::error::Result;
use crate::session::Work;

impl Stepped<'_> {
    /// Writes entries that were not there; the ids of those that are by now.
    pub(super) fn create(
        &self,
        work: &mut Work<'_>,
        rows: &[&Judged],
        values: &[Vec<Value<'_>>],
    ) -> Result<Vec<String>> {
        let columns = [&COLUMNS[..], &["batch"]].concat();
        if self.past {
            let mut amiss = Vec::new();
            let marks = "$1, $2, $3, $4, $5, $6, 1 + coalesce((SELECT max(version) FROM sprongus_aux_versions \
                         WHERE project_id = $1 AND table_name = $2 AND id = $3), 0) + 0 * $7, $8, $9, $10, $11, $12";
            let columns = columns.join(", ");
            let sql = format!("INSERT INTO sprongus_aux_entries ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING");
            for (row, values) in rows.iter().zip(values) {
                if work.execute(&sql, values)? == 0 {
                    amiss.push(row.id.clone());
                }
            }
            return Ok(amiss);
        }
        let there = work.exec().load_new("sprongus_aux_entries", &columns, values)?;
        Ok(there.into_iter().map(|number| rows[number].id.clone()).collect())
    }

    /// Gives entries their next version, and keeps the one they have; the ids of those that have another by now.
    pub(super) fn update(&self, work: &mut Work<'_>, rows: &[&Judged]) -> Result<Vec<String>> {
        let keep = format!("{KEEP} WHERE project_id = $1 AND table_name = $2 AND id = $3 AND version = $5");
        let update = "UPDATE sprongus_aux_entries SET payload = $4, hash = $5, search_text = $6, version = version + 1, \
                      last_updated = $7, actor = $8, reason = $9, change_summary = $10, batch = $11 \
                      WHERE project_id = $1 AND table_name = $2 AND id = $3";
        let mut amiss = Vec::new();
        for row in rows {
            let key: [Value<'_>; 3] = [self.place.project.into(), self.place.table.into(), row.id.as_str().into()];
            let [project, table, id] = key.clone();
            if work.execute(&keep, &[project, table, id, self.batch.id.into(), row.base.into()])? == 0 {
                amiss.push(row.id.clone());
                continue;
            }
            let [project, table, id] = key;
            let params: [Value<'_>; 11] = [
                project,
                table,
                id,
                Value::Json(row.payload.as_str().into()),
                row.hash.as_slice().into(),
                row.search_text.as_str().into(),
                self.common.at.clone(),
                self.common.actor.as_str().into(),
                self.common.reason.as_deref().into(),
                row.summary.as_str().into(),
                self.batch.id.into(),
            ];
            work.execute(update, &params)?;
        }
        Ok(amiss)
    }

    pub(super) fn values<'v>(&'v self, rows: &[&'v Judged]) -> Vec<Vec<Value<'v>>> {
        let values = |row: &&'v Judged| {
            let mut values = self.common.values(Dialect::Sqlite, Cow::Borrowed(*row));
            values.push(self.batch.id.into());
            values
        };
        rows.iter().map(values).collect()
    }
}

/// Copies entries to the versions, before they are superseded by the batch `$4`.
pub(super) const KEEP: &str = "INSERT INTO sprongus_aux_versions \
    (project_id, table_name, id, version, snapshot, change_summary, actor, reason, at, batch) \
    SELECT project_id, table_name, id, version, payload, change_summary, actor, reason, last_updated, $4 \
    FROM sprongus_aux_entries";
