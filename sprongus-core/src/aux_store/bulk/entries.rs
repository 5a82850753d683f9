//! The entries of a bulk write, by sets.

use super::created::Common;
use super::merging::{MEETS, Merging};
use super::stage;
use crate::aux_store::rows;
use crate::aux_store::search;
use crate::db::{Dialect, Value};
use crate::error::Result;

impl Merging<'_> {
    /// `$1` to `$5`: the table, the time, who and why.
    pub(super) fn with_who(&self) -> [Value<'static>; 5] {
        let [project, table] = self.table();
        let Common { at, actor, reason, .. } = &self.common;
        [project, table, at.clone(), actor.clone().into(), reason.clone().into()]
    }

    /// False where others came in between.
    pub(super) fn write_entries(&mut self) -> Result<bool> {
        if self.report.updated > 0 {
            let superseded = "EXISTS (SELECT 1 FROM sprongus_stage s WHERE s.id = e.id AND s.hash <> e.hash)";
            self.execute(&format!("{KEEP_VERSION} WHERE e.project_id = $1 AND e.table_name = $2 AND {superseded}"))?;
        }
        if self.report.created + self.report.updated == 0 {
            return Ok(true);
        }
        search::mark(self.exec, self.place, self.common.at.clone())?;
        match self.exec.dialect() {
            Dialect::Sqlite => self.upsert_each().map(|()| true),
            Dialect::Postgres if self.alone => {
                let sql = format!("{} {UPDATE}", self.insert("s.payload", "s.search_text", "true")?);
                let params = self.with_who();
                self.exec.execute(&sql, &params).map(|_| true)
            }
            Dialect::Postgres => self.write_among_others(),
        }
    }

    /// Only what was meant to be created is, and only what is held is superseded: so many as were counted.
    fn write_among_others(&mut self) -> Result<bool> {
        let params = self.with_who();
        let update = format!(
            "UPDATE sprongus_aux_entries AS e SET payload = s.payload, hash = s.hash, search_text = s.search_text, \
             version = e.version + 1, last_updated = {}, actor = $4, reason = $5, change_summary = s.summary \
             FROM sprongus_stage s WHERE {MEETS} AND e.hash <> s.hash",
            self.exec.dialect().now(3)
        );
        let updated = if self.report.updated > 0 { self.exec.execute(&update, &params)? } else { 0 };
        let insert = format!("{} DO NOTHING", self.insert("s.payload", "s.search_text", "true")?);
        let created = if self.report.created > 0 { self.exec.execute(&insert, &params)? } else { 0 };
        // One that came and went beside our statements has left versions that ours must follow.
        let overtaken = format!(
            "SELECT 1 FROM sprongus_stage s JOIN sprongus_aux_entries e ON {MEETS} JOIN sprongus_aux_versions v \
             ON v.project_id = $1 AND v.table_name = $2 AND v.id = s.id AND v.version >= e.version LIMIT 1"
        );
        Ok((created, updated) == (self.report.created, self.report.updated) && self.query(&overtaken)?.is_empty())
    }

    /// From the spool, so that no document is written into a temporary table first. The stage says which rows are left; one
    /// that was judged again has its document there.
    fn upsert_each(&mut self) -> Result<()> {
        let insert = self.insert("coalesce(s.payload, $6)", "coalesce(s.search_text, $7)", "s.row_number = $8")?;
        let upsert = format!("{insert} {UPDATE}");
        let mut params = self.with_who().to_vec();
        let spool = self.spool;
        for row in spool.iter()? {
            let row = row?;
            params.truncate(5);
            params.extend([Value::Json(row.payload.into()), row.search_text.into(), stage::number(row.row)]);
            self.exec.execute(&upsert, &params)?;
        }
        Ok(())
    }

    /// Ends where it is to be said what becomes of those that are there.
    fn insert(&mut self, payload: &str, search_text: &str, which: &str) -> Result<String> {
        let now = self.exec.dialect().now(3);
        let first = match rows::holds_any(self.exec, self.place, "sprongus_aux_versions")? {
            false => "1",
            true => {
                "1 + coalesce((SELECT max(v.version) FROM sprongus_aux_versions v \
                 WHERE v.project_id = $1 AND v.table_name = $2 AND v.id = s.id), 0)"
            }
        };
        Ok(format!(
            "INSERT INTO sprongus_aux_entries \
             (project_id, table_name, id, payload, hash, search_text, version, last_updated, actor, reason, change_summary) \
             SELECT $1, $2, s.id, {payload}, s.hash, {search_text}, {first}, {now}, $4, $5, s.summary \
             FROM sprongus_stage s WHERE {which} ON CONFLICT (project_id, table_name, id)"
        ))
    }
}

/// What becomes of those that are there: the next version, where that is another document.
const UPDATE: &str = "DO UPDATE SET payload = excluded.payload, hash = excluded.hash, search_text = excluded.search_text, \
    version = sprongus_aux_entries.version + 1, last_updated = excluded.last_updated, actor = excluded.actor, \
    reason = excluded.reason, change_summary = excluded.change_summary WHERE sprongus_aux_entries.hash <> excluded.hash";

/// Copies entries `e` to the versions, before they are superseded.
pub(super) const KEEP_VERSION: &str = "INSERT INTO sprongus_aux_versions \
    (project_id, table_name, id, version, snapshot, change_summary, actor, reason, at) \
    SELECT e.project_id, e.table_name, e.id, e.version, e.payload, e.change_summary, e.actor, e.reason, e.last_updated \
    FROM sprongus_aux_entries e";
