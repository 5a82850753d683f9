//! What a large bulk write that replaces the table deletes, step by step.

use std::time::Instant;

use super::changes::KEEP;
use super::pace::Held;
use super::stepped::Stepped;
use crate::aux_store::rows;
use crate::db::Value;
use crate::error::Result;
use crate::session::Work;

impl Stepped<'_> {
    /// What was not given is deleted, entry by entry through the table.
    pub(super) fn delete_others(&mut self) -> Result<()> {
        let mut after = String::new();
        loop {
            self.batch.live()?;
            let (place, limit) = (self.place, i64::try_from(self.pace.rows).unwrap_or(i64::MAX));
            let sql = "SELECT id FROM sprongus_aux_entries WHERE project_id = $1 AND table_name = $2 AND id > $3 ORDER BY id LIMIT $4";
            let params = [place.project.into(), place.table.into(), after.as_str().into(), limit.into()];
            let found = self.session.read(|exec| exec.query(sql, &params))?;
            let found = found.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
            let Some(last) = found.last() else { return Ok(()) };
            after.clone_from(last);
            let doomed: Vec<String> = found.into_iter().filter(|id| self.is_doomed(id)).collect();
            if doomed.is_empty() {
                continue;
            }
            self.warn_of(&doomed)?;
            if self.options.dry_run {
                self.report.deleted += doomed.len() as u64;
                continue;
            }
            self.pace.rest();
            let (deleted, held) = self.batch.step(|work| {
                let start = Instant::now();
                let deleted = doomed.iter().map(|id| self.delete(work, id)).sum::<Result<u64>>()?;
                Ok((deleted, Held { waited: work.waited(), work: start.elapsed() }))
            })?;
            self.report.deleted += deleted;
            if self.keyed.is_some() {
                self.deleted.extend(doomed.iter().cloned());
            }
            self.pace.stepped(doomed.len(), held);
        }
    }

    pub(super) fn is_doomed(&self, id: &str) -> bool {
        !self.prepared.ids.contains(id) && !self.refused.contains(id)
    }

    fn delete(&self, work: &mut Work<'_>, id: &str) -> Result<u64> {
        let one = "WHERE project_id = $1 AND table_name = $2 AND id = $3";
        let key: [Value<'_>; 3] = [self.place.project.into(), self.place.table.into(), id.into()];
        let mut params = key.to_vec();
        params.push(self.batch.id.into());
        if work.execute(&format!("{KEEP} {one}"), &params)? == 0 {
            // Another has deleted it.
            return Ok(0);
        }
        let deletion = format!(
            "INSERT INTO sprongus_aux_versions \
             (project_id, table_name, id, version, snapshot, change_summary, actor, reason, at, batch) \
             SELECT project_id, table_name, id, version + 1, NULL, 'deleted', $4, $5, $6, $7 FROM sprongus_aux_entries {one}"
        );
        params.truncate(3);
        params.extend([self.common.actor.as_str().into(), self.common.reason.as_deref().into()]);
        params.extend([self.common.at.clone(), self.batch.id.into()]);
        work.execute(&deletion, &params)?;
        work.execute(&format!("DELETE FROM sprongus_aux_entries {one}"), &key)
    }

    /// Entries of other tables, and those of refused rows, that refer to what is deleted.
    fn warn_of(&mut self, doomed: &[String]) -> Result<()> {
        let sql = "SELECT from_id, field, from_table FROM sprongus_aux_refs WHERE project_id = $1 AND to_table = $2 \
                   AND to_id IN (SELECT value FROM json_each($3))";
        for ids in doomed.chunks(500) {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let (place, ids) = (self.place, rows::ids(&ids));
            let params = [place.project.into(), place.table.into(), ids];
            for row in self.session.read(|exec| exec.query(sql, &params))? {
                let (id, field, table) = (row.text(0)?, row.text(1)?, row.text(2)?);
                if table != place.table || self.refused.contains(&id) {
                    self.bereft.insert((table, id, field));
                }
            }
        }
        Ok(())
    }
}
