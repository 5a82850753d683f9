//! The last transaction of a bulk write of many: what others wrote meanwhile is met again, then all of it is seen.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::rivals::{Rows, uncount};
use super::spool::Judged;
use super::stepped::Stepped;
use super::{Others, merge, prepare, tell};
use crate::aux_store::Nulls;
use crate::aux_store::document::Rules;
use crate::aux_store::model::{BulkReport, OnError};
use crate::aux_store::rows::{self, object};
use crate::aux_store::search;
use crate::aux_store::unseen::{self, Undone};
use crate::error::{Error, Result};
use crate::json::Json;
use crate::session::Work;

/// Times the rows of rivals are read before the lock is taken, rather than under it.
const AHEAD: usize = 5;

/// What of a bulk write stands by now.
pub(super) struct Standing {
    pub(super) report: BulkReport,
    /// Ids whose rows are to be met with their entries as these are now.
    pub(super) again: BTreeSet<String>,
    /// Given ids that no entry will have, for their rows are refused at last.
    pub(super) lost: HashSet<String>,
}

/// What became of an attempt.
enum Settled {
    /// The report, and the rows that count of the ids that were met again.
    Whole(BulkReport, HashMap<String, Option<u64>>),
    /// These ids are to be met again too; these have no entry.
    Not { again: BTreeSet<String>, lost: HashSet<String> },
}

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
        if let Some(keyed) = &mut self.keyed {
            keyed.read_waiting(self.prepared.spool.iter()?)?;
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

    /// `None` where rows are to be read first that are not known.
    fn be_seen(&self, work: &mut Work<'_>, known: &mut Rows, read: bool) -> Result<Option<BulkReport>> {
        let rules = merge::same_rules(self.session, work, self.place, self.prepared, true)?;
        let rivals = self.rivals(work.exec())?;
        if read {
            self.read_rows(&rivals, known)?;
        }
        if rivals.keys().any(|id| self.counts(id) && !known.contains_key(id)) {
            return Ok(None);
        }
        let mut standing = self.standing(work, &rivals)?;
        let (report, counting) = loop {
            let settle = |work: &mut Work<'_>| self.settle(work, &rules, known, &rivals, &standing);
            match work.attempt(settle, |settled| matches!(settled, Settled::Whole(..)))? {
                Settled::Whole(report, counting) => break (report, counting),
                Settled::Not { again, lost } => {
                    again.into_iter().try_for_each(|id| self.take_back(work, id, &mut standing))?;
                    standing.lost.extend(lost);
                    self.read_rows_of(&standing.again, known)?;
                }
            }
        };
        let report = self.told(report, &counting);
        if self.options.on_error == OnError::Abort && !report.errors.is_empty() {
            return Err(Error::validation(report.errors));
        }
        search::mark(work.exec(), self.place, self.at())?;
        tell::audit(work, self.place, &report, self.prepared.rows)?;
        self.batch.leave(work)?;
        Ok(Some(report))
    }

    fn standing(&self, work: &mut Work<'_>, rivals: &BTreeMap<String, Undone>) -> Result<Standing> {
        let (mut report, mut again) = (self.report.clone(), self.amiss.clone());
        for (id, undone) in rivals {
            if self.counts(id) {
                let ours = self.is_ours(work, id)?;
                uncount(&mut report, &mut again, id.clone(), *undone, ours);
                continue;
            }
            report.deleted -= u64::from(*undone == Undone::Deleted);
            if self.others == Others::AreDeleted && self.is_doomed(id) {
                report.deleted += self.delete_rival(work, id)?;
            }
        }
        Ok(Standing { report, again, lost: HashSet::new() })
    }

    /// Meets what others wrote, and writes what waited for that.
    fn settle(
        &self,
        work: &mut Work<'_>,
        rules: &Rules,
        known: &Rows,
        rivals: &BTreeMap<String, Undone>,
        standing: &Standing,
    ) -> Result<Settled> {
        self.make_room(work, rivals, &standing.again)?;
        let (mut report, mut counting, mut lost) = (standing.report.clone(), HashMap::new(), HashSet::new());
        let met = known.iter().filter(|(id, _)| standing.again.contains(*id));
        let mut met: Vec<(&String, &Vec<Judged>)> = met.collect();
        met.sort_by_key(|(_, rows)| rows.last().map(|row| row.row));
        for (id, rows) in met {
            let counts = self.meet(work, rules, id, rows, standing, &mut report)?;
            if counts.is_none()
                && !standing.lost.contains(id)
                && rows::find(work.exec(), self.place, id, false)?.is_none()
            {
                lost.insert(id.clone());
            }
            counting.insert(id.clone(), counts);
        }
        let mut again = self.write_waiting(work, standing)?;
        again.extend(self.dependent_on(&lost, standing)?);
        Ok(match again.is_empty() && (lost.is_empty() || !self.is_strict_within()) {
            true => Settled::Whole(report, counting),
            false => Settled::Not { again, lost },
        })
    }

    /// Undoes what was written of an id, to be met again.
    fn take_back(&self, work: &mut Work<'_>, id: String, standing: &mut Standing) -> Result<()> {
        let undone = unseen::undo(work.exec(), self.place, self.batch.id, &id)?;
        uncount(&mut standing.report, &mut standing.again, id, undone, false);
        Ok(())
    }

    /// Writes the last good row of an id over the entry as it is by now; the number of that row.
    fn meet(
        &self,
        work: &mut Work<'_>,
        rules: &Rules,
        id: &str,
        rows: &[Judged],
        standing: &Standing,
        report: &mut BulkReport,
    ) -> Result<Option<u64>> {
        let stored = rows::find(work.exec(), self.place, id, true)?;
        let base = stored.as_ref().map(|stored| stored.map());
        let refused = |row: &&Judged| self.keyed.as_ref().is_some_and(|keyed| keyed.is_refused(row.row));
        for row in rows.iter().rev().filter(|row| !refused(row)) {
            let given = Json::from_canonical(row.given.clone().unwrap_or_else(|| row.payload.clone()));
            let judged = match rules.written(id, object(&given), base.as_ref(), self.options.mode, Nulls::Keep) {
                Ok(judged) => judged,
                Err(error) if prepare::is_of_row(error.code()) => {
                    report.errors.extend(prepare::of_row(row.row, Some(id), prepare::violations(&error)));
                    continue;
                }
                Err(error) => return Err(error),
            };
            if stored.as_ref().is_some_and(|stored| stored.hash == judged.hash) {
                report.unchanged += 1;
                return Ok(Some(row.row));
            }
            match self.put(work, id, stored.as_ref(), &judged, standing)? {
                Ok(warnings) => report.warnings.extend(prepare::of_row(row.row, Some(id), warnings)),
                Err(violations) => {
                    report.errors.extend(prepare::of_row(row.row, Some(id), violations));
                    continue;
                }
            }
            match stored {
                None => report.created += 1,
                Some(_) => report.updated += 1,
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
