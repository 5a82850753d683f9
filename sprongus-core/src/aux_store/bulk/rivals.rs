//! What others write while a bulk write of many is under way.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::spool::Judged;
use super::stepped::Stepped;
use crate::aux_store::model::BulkReport;
use crate::aux_store::refs;
use crate::aux_store::rows;
use crate::aux_store::unseen::Undone;
use crate::db::Executor;
use crate::error::Result;
use crate::session::Work;

/// All rows of some ids, in their order.
pub(super) type Rows = HashMap<String, Vec<Judged>>;

impl Stepped<'_> {
    /// Entries that others wrote, and what of ours was undone there.
    pub(super) fn rivals(&self, exec: &mut dyn Executor) -> Result<BTreeMap<String, Undone>> {
        let sql = "SELECT entry_id, undone FROM sprongus_aux_rivals WHERE batch = $1";
        let rows = exec.query(sql, &[self.batch.id.into()])?;
        rows.iter().map(|row| Ok((row.text(0)?, Undone::of(row.int(1)?)))).collect()
    }

    /// Rivals whose entries were given.
    pub(super) fn given_rivals(&self) -> Result<Vec<String>> {
        if self.options.dry_run {
            return Ok(Vec::new());
        }
        let rivals = self.session.read(|exec| self.rivals(exec))?;
        Ok(rivals.into_keys().filter(|id| self.counts(id)).collect())
    }

    /// What was undone is to be done again; should its rival come back, that is told anew.
    pub(super) fn forget(&mut self, rivals: &[String]) -> Result<()> {
        let sql = "DELETE FROM sprongus_aux_rivals WHERE batch = $1 AND entry_id = $2 RETURNING undone";
        for some in rivals.chunks(250) {
            let found = self.batch.step(|work| {
                let mut found = Vec::with_capacity(some.len());
                for id in some {
                    let undone = work.query(sql, &[self.batch.id.into(), id.as_str().into()])?;
                    let undone = undone.first().map_or(Ok(Undone::Nothing), |row| row.int(0).map(Undone::of))?;
                    found.push((id.clone(), undone, self.is_ours(work, id)?));
                }
                Ok(found)
            })?;
            for (id, undone, ours) in found {
                uncount(&mut self.report, &mut self.amiss, id, undone, ours);
            }
        }
        Ok(())
    }

    /// Reads the rows of those ids, and of those whose entries were amiss.
    pub(super) fn read_rows(&self, rivals: &BTreeMap<String, Undone>, known: &mut Rows) -> Result<()> {
        let given = rivals.keys().filter(|id| self.counts(id));
        self.read_rows_of(given.chain(&self.amiss), known)
    }

    /// Reads the rows of those ids that are not known.
    pub(super) fn read_rows_of<'i>(&self, ids: impl IntoIterator<Item = &'i String>, known: &mut Rows) -> Result<()> {
        let wanted: BTreeSet<&String> = ids.into_iter().filter(|id| !known.contains_key(*id)).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let mut found = Rows::new();
        for row in self.prepared.spool.iter()? {
            let row = row?;
            if wanted.contains(&row.id) {
                found.entry(row.id.clone()).or_default().push(row);
            }
        }
        known.extend(found);
        Ok(())
    }

    /// Whether an entry was given, by a row that was not refused.
    pub(super) fn counts(&self, id: &str) -> bool {
        self.prepared.ids.contains(id) && self.keyed.as_ref().is_none_or(|keyed| !keyed.refused.contains(id))
    }

    /// Whether the entry is as this batch made it.
    pub(super) fn is_ours(&self, work: &mut Work<'_>, id: &str) -> Result<bool> {
        let sql =
            "SELECT 1 FROM sprongus_aux_entries WHERE project_id = $1 AND table_name = $2 AND id = $3 AND batch = $4";
        let params = [self.place.project.into(), self.place.table.into(), id.into(), self.batch.id.into()];
        Ok(!work.query(sql, &params)?.is_empty())
    }

    pub(super) fn delete_rival(&self, work: &mut Work<'_>, id: &str) -> Result<u64> {
        let there = rows::find(work.exec(), self.place, id, true)?.is_some();
        if there {
            rows::delete(work, self.place, id)?;
            refs::remove(work.exec(), self.place, id)?;
        }
        Ok(there.into())
    }
}

/// Takes a given entry that a rival wrote out of the counts, and among those that are amiss; not where it came before.
pub(super) fn uncount(report: &mut BulkReport, amiss: &mut BTreeSet<String>, id: String, undone: Undone, ours: bool) {
    match undone {
        Undone::Created => report.created -= 1,
        Undone::Updated => report.updated -= 1,
        Undone::Deleted => report.deleted -= 1,
        // Never counted, or ours over what the rival wrote.
        Undone::Nothing if ours || amiss.contains(&id) => return,
        Undone::Nothing => report.unchanged -= 1,
    }
    amiss.insert(id);
}
