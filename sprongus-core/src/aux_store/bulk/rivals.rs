//! The last transaction of a bulk write of many: what others wrote meanwhile is met again, then all of it is seen.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::spool::Judged;
use super::stepped::Stepped;
use super::{Others, merge, prepare, tell};
use crate::aux_store::Nulls;
use crate::aux_store::document::Rules;
use crate::aux_store::model::{BulkReport, OnError};
use crate::aux_store::rows::{self, object};
use crate::aux_store::search;
use crate::aux_store::unseen::Undone;
use crate::db::Executor;
use crate::error::{Error, Result};
use crate::json::Json;
use crate::session::Work;

/// Times the rows of rivals are read before the lock is taken, rather than under it.
const AHEAD: usize = 5;

/// All rows of some ids, in their order.
type Rows = HashMap<String, Vec<Judged>>;

impl Stepped<'_> {
    pub(super) fn finish(mut self) -> Result<BulkReport> {
        let bereft = std::mem::take(&mut self.bereft);
        let warnings = bereft.into_iter().map(|(table, id, field)| tell::bereft_referrer(id, &field, &table));
        self.report.warnings.extend(warnings);
        if self.options.dry_run {
            self.batch.last(|work| self.batch.leave(work))?;
            let report = self.report.clone();
            return Ok(BulkReport { dry_run: true, ..self.told(report, &HashMap::new()) });
        }
        let mut known = Rows::new();
        let mut round = 0;
        loop {
            let rivals = self.session.read(|exec| self.rivals(exec))?;
            self.read_rows(&rivals, &mut known)?;
            let seen = self.batch.last(|work| self.be_seen(work, &mut known, round >= AHEAD))?;
            if let Some(report) = seen {
                return Ok(report);
            }
            round += 1;
        }
    }

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
        Ok(rivals.into_keys().filter(|id| self.prepared.ids.contains(id)).collect())
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
    fn read_rows(&self, rivals: &BTreeMap<String, Undone>, known: &mut Rows) -> Result<()> {
        let given = rivals.keys().filter(|id| self.prepared.ids.contains(id));
        let wanted: BTreeSet<&String> = given.chain(&self.amiss).filter(|id| !known.contains_key(*id)).collect();
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

    /// `None` where rows are to be read first that are not known.
    fn be_seen(&self, work: &mut Work<'_>, known: &mut Rows, read: bool) -> Result<Option<BulkReport>> {
        let rules = merge::same_rules(self.session, work, self.place, self.prepared, true)?;
        let rivals = self.rivals(work.exec())?;
        if read {
            self.read_rows(&rivals, known)?;
        }
        if rivals.keys().any(|id| self.prepared.ids.contains(id) && !known.contains_key(id)) {
            return Ok(None);
        }
        let mut report = self.report.clone();
        let mut again = self.amiss.clone();
        for (id, undone) in rivals {
            if self.prepared.ids.contains(&id) {
                let ours = self.is_ours(work, &id)?;
                uncount(&mut report, &mut again, id, undone, ours);
                continue;
            }
            report.deleted -= u64::from(undone == Undone::Deleted);
            if self.others == Others::AreDeleted && self.is_doomed(&id) {
                report.deleted += self.delete_rival(work, &id)?;
            }
        }
        let mut counting = HashMap::new();
        let mut rows: Vec<(&String, &Vec<Judged>)> = known.iter().filter(|(id, _)| again.contains(*id)).collect();
        rows.sort_by_key(|(_, rows)| rows.last().map(|row| row.row));
        for (id, rows) in rows {
            counting.insert(id.clone(), self.meet(work, &rules, id, rows, &mut report)?);
        }
        let report = self.told(report, &counting);
        if self.options.on_error == OnError::Abort && !report.errors.is_empty() {
            return Err(Error::validation(report.errors));
        }
        search::mark(work.exec(), self.place, self.at())?;
        tell::audit(work, self.place, &report, self.prepared.rows)?;
        self.batch.leave(work)?;
        Ok(Some(report))
    }

    /// Whether the entry is as this batch made it.
    fn is_ours(&self, work: &mut Work<'_>, id: &str) -> Result<bool> {
        let sql =
            "SELECT 1 FROM sprongus_aux_entries WHERE project_id = $1 AND table_name = $2 AND id = $3 AND batch = $4";
        let params = [self.place.project.into(), self.place.table.into(), id.into(), self.batch.id.into()];
        Ok(!work.query(sql, &params)?.is_empty())
    }

    fn delete_rival(&self, work: &mut Work<'_>, id: &str) -> Result<u64> {
        let there = rows::find(work.exec(), self.place, id, true)?.is_some();
        if there {
            rows::delete(work, self.place, id)?;
        }
        Ok(there.into())
    }

    /// Writes the last good row of an id over the entry as it is by now; the number of that row.
    fn meet(
        &self,
        work: &mut Work<'_>,
        rules: &Rules,
        id: &str,
        rows: &[Judged],
        report: &mut BulkReport,
    ) -> Result<Option<u64>> {
        let stored = rows::find(work.exec(), self.place, id, true)?;
        let base = stored.as_ref().map(|stored| stored.map());
        for row in rows.iter().rev() {
            let given = Json::from_canonical(row.given.clone().unwrap_or_else(|| row.payload.clone()));
            let judged = match rules.written(id, object(&given), base.as_ref(), self.options.mode, Nulls::Keep) {
                Ok(judged) => judged,
                Err(error) if prepare::is_of_row(error.code()) => {
                    report.errors.extend(prepare::of_row(row.row, Some(id), prepare::violations(&error)));
                    continue;
                }
                Err(error) => return Err(error),
            };
            match &stored {
                None => {
                    rows::insert(work, self.place, id, &judged)?;
                    report.created += 1;
                }
                Some(stored) if stored.hash == judged.hash => report.unchanged += 1,
                Some(_) => {
                    rows::update(work, self.place, id, &judged)?;
                    report.updated += 1;
                }
            }
            return Ok(Some(row.row));
        }
        Ok(None)
    }

    /// Names the rows whose place another one took: the last of each id, or the one that counted in its stead.
    fn told(&self, mut report: BulkReport, counting: &HashMap<String, Option<u64>>) -> BulkReport {
        for (id, rows) in &self.repeated {
            let last = counting.get(id).copied().unwrap_or_else(|| rows.last().copied()).unwrap_or(0);
            report.warnings.extend(rows.iter().filter(|row| **row < last).map(|row| tell::repeated(*row, id)));
        }
        report.errors.sort_by_key(|one| one.row);
        report.warnings.sort_by_key(|one| one.row.unwrap_or(u64::MAX));
        report
    }
}

/// Takes a given entry that a rival wrote out of the counts, and among those that are amiss; not where it came before.
fn uncount(report: &mut BulkReport, amiss: &mut BTreeSet<String>, id: String, undone: Undone, ours: bool) {
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
