//! What of keys and references waits for the last transaction.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::Keyed;
use crate::aux_store::bulk::settle::Standing;
use crate::aux_store::bulk::spool::Judged;
use crate::aux_store::bulk::stepped::Stepped;
use crate::aux_store::document;
use crate::aux_store::refs::{self, Reference};
use crate::aux_store::rows::{self, Stored, unique_violation};
use crate::aux_store::unseen::Undone;
use crate::db::Executor;
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::session::Work;

impl Keyed {
    /// Reads the rows that wait, before the lock is taken.
    pub(in crate::aux_store::bulk) fn read_waiting(
        &mut self,
        rows: impl Iterator<Item = Result<Judged>>,
    ) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        for row in rows {
            let row = row?;
            if self.waiting.contains(&row.row) {
                self.held.push(Judged { payload: String::new(), search_text: String::new(), given: None, ..row });
            }
        }
        Ok(())
    }

    /// Rows that wait, but for those whose entries are met again.
    fn held_but<'k>(&'k self, again: &'k BTreeSet<String>) -> impl Iterator<Item = &'k Judged> {
        self.held.iter().filter(|row| !again.contains(&row.id))
    }
}

impl Stepped<'_> {
    /// Takes away the keys and references of entries that are deleted or get others, so that these have room.
    pub(in crate::aux_store::bulk) fn make_room(
        &self,
        work: &mut Work<'_>,
        rivals: &BTreeMap<String, Undone>,
        again: &BTreeSet<String>,
    ) -> Result<()> {
        let Some(keyed) = &self.keyed else { return Ok(()) };
        self.check_written(work, keyed, again)?;
        let deleted = self.deleted.iter().filter(|id| !rivals.contains_key(*id));
        for id in deleted.chain(keyed.held_but(again).map(|row| &row.id)) {
            rows::remove_keys(work.exec(), self.place, id)?;
            refs::remove(work.exec(), self.place, id)?;
        }
        Ok(())
    }

    /// Who binds another preset forgets all keys, and may have bound the same one again since.
    fn check_written(&self, work: &mut Work<'_>, keyed: &Keyed, again: &BTreeSet<String>) -> Result<()> {
        let Some(id) = keyed.written.as_ref().filter(|id| !again.contains(*id)) else { return Ok(()) };
        let of_entry = [self.place.project.into(), self.place.table.into(), id.as_str().into()];
        let key = "SELECT 1 FROM sprongus_aux_keys WHERE project_id = $1 AND table_name = $2 AND entry_id = $3 \
                   UNION ALL SELECT 1 FROM sprongus_aux_refs WHERE project_id = $1 AND from_table = $2 AND from_id = $3 LIMIT 1";
        match work.query(key, &of_entry)?.is_empty() {
            false => Ok(()),
            true => {
                Err(Error::new(ErrorCode::Conflict, "the table was bound anew while the rows were written; try again"))
            }
        }
    }

    /// Writes the keys and references that waited, when all rows that were met again have theirs; the ids of those that others
    /// came before.
    pub(in crate::aux_store::bulk) fn write_waiting(
        &self,
        work: &mut Work<'_>,
        standing: &Standing,
    ) -> Result<BTreeSet<String>> {
        let mut overtaken = BTreeSet::new();
        let Some(keyed) = &self.keyed else { return Ok(overtaken) };
        for row in keyed.held_but(&standing.again) {
            let mut free = true;
            for key in &row.keys {
                free = free && rows::insert_key(work.exec(), self.place, &row.id, key)?;
            }
            let nowhere = self.nowhere(work.exec(), &row.id, &row.refs, standing)?;
            if !free || nowhere.iter().any(|one| one.strict) {
                overtaken.insert(row.id.clone());
            }
            refs::insert(work.exec(), self.place, &row.id, &row.refs)?;
        }
        Ok(overtaken)
    }

    /// Whether entries must refer to others that are given.
    pub(in crate::aux_store::bulk) fn is_strict_within(&self) -> bool {
        self.keyed.as_ref().is_some_and(|keyed| keyed.strict_within)
    }

    /// Those that must refer to what no entry has, and are not met again as it is.
    pub(in crate::aux_store::bulk) fn dependent_on(
        &self,
        lost: &HashSet<String>,
        standing: &Standing,
    ) -> Result<BTreeSet<String>> {
        let mut dependent = BTreeSet::new();
        let Some(keyed) = self.keyed.as_ref().filter(|keyed| keyed.strict_within) else { return Ok(dependent) };
        let sql = "SELECT s.id FROM sprongus_stage_refs k JOIN sprongus_stage s ON s.row_number = k.row_number \
                   WHERE k.strict = 1 AND k.to_id = $1 AND k.to_table = $2";
        for id in lost {
            let found = keyed.scratch.borrow_mut().query(sql, &[id.as_str().into(), self.place.table.into()])?;
            dependent.extend(found.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?);
        }
        dependent.retain(|id| !standing.again.contains(id));
        Ok(dependent)
    }

    /// Whether an entry is there once all is seen, because it was given.
    pub(super) fn is_given(&self, table: &str, id: &str) -> bool {
        table == self.place.table && self.counts(id)
    }

    /// References that lead neither to an entry that is there nor to one that was given.
    fn nowhere<'r>(
        &self,
        exec: &mut dyn Executor,
        id: &str,
        all: &'r [Reference],
        standing: &Standing,
    ) -> Result<Vec<&'r Reference>> {
        let nowhere = refs::leading_nowhere(exec, self.place, id, all)?;
        let comes = |one: &Reference| self.is_given(&one.table, &one.id) && !standing.lost.contains(&one.id);
        Ok(nowhere.into_iter().filter(|one| !comes(one)).collect())
    }

    /// Writes what a row makes of its entry, with its keys and references, and gives its warnings; or, with nothing written,
    /// what is wrong with it.
    pub(in crate::aux_store::bulk) fn put(
        &self,
        work: &mut Work<'_>,
        id: &str,
        stored: Option<&Stored>,
        judged: &document::Judged,
        standing: &Standing,
    ) -> Result<Result<Vec<Violation>, Vec<Violation>>> {
        work.attempt(|work| self.put_linked(work, id, stored, judged, standing), Result::is_ok)
    }

    fn put_linked(
        &self,
        work: &mut Work<'_>,
        id: &str,
        stored: Option<&Stored>,
        judged: &document::Judged,
        standing: &Standing,
    ) -> Result<Result<Vec<Violation>, Vec<Violation>>> {
        match stored {
            None => rows::insert(work, self.place, id, judged).map(drop)?,
            Some(_) => {
                rows::update(work, self.place, id, judged)?;
                rows::remove_keys(work.exec(), self.place, id)?;
                refs::remove(work.exec(), self.place, id)?;
            }
        }
        for key in &judged.keys {
            if !rows::insert_key(work.exec(), self.place, id, key)? {
                return Ok(Err(vec![unique_violation(&key.pointer)]));
            }
        }
        let nowhere = self.nowhere(work.exec(), id, &judged.refs, standing)?;
        let (strict, warned): (Vec<_>, Vec<_>) = nowhere.into_iter().partition(|one| one.strict);
        let violations = |of: Vec<&Reference>| of.into_iter().map(Reference::violation).collect::<Vec<_>>();
        if !strict.is_empty() {
            return Ok(Err(violations(strict)));
        }
        refs::insert(work.exec(), self.place, id, &judged.refs)?;
        Ok(Ok(violations(warned)))
    }
}
