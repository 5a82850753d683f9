//! Keys and references of a large bulk write on SQLite.
//!
//! What is wrong with its rows is found on a connection of its own, over a snapshot, with the statements of every bulk write:
//! nobody waits meanwhile. Then the keys and references of created entries are written step by step, as the entries are: they
//! are of nothing that is seen. Those that change what is seen wait for the last transaction: of entries whose keys or
//! references change or go, and of those that take a value from such a one. So until then every entry that is seen has its
//! keys and references, whole, and besides there are those of hidden ones.

mod last;
mod steps;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};

use super::created::Common;
use super::merging::{Findings, Merging};
use super::prepare::Prepared;
use super::spool::Judged;
use super::{Others, tell};
use crate::aux_store::model::{BulkReport, Mode};
use crate::aux_store::rows::Place;
use crate::db::{Commit, Connection, Executor};
use crate::error::Result;
use crate::session::Session;

/// So many rows and deletions at most wait for the last transaction, whose lock all others wait for: about a second's work.
/// Where there are more, all is written in one.
const MOST: u64 = 50_000;
const TOO_MANY: i64 = MOST as i64 + 1;

/// The ids of rows that were refused, and whether a row counts that has it.
const REFUSED: &str =
    "SELECT r.id, EXISTS (SELECT 1 FROM sprongus_stage s WHERE s.id = r.id) FROM sprongus_stage_refused r";

/// What was found, and where it is kept.
pub(super) struct Keyed {
    /// Has the rows that count, their keys and their references in temporary tables.
    scratch: RefCell<Box<dyn Connection>>,
    /// Rows that do not count: they are refused, or another one of their id stands in their place.
    pub(super) out: HashSet<u64>,
    /// Of those, the ones in whose place another stands.
    earlier: HashSet<u64>,
    /// Rows whose keys and references wait for the last transaction.
    waiting: BTreeSet<u64>,
    /// The same with what they hold, once that was read.
    held: Vec<Judged>,
    /// Given ids of which no row counts.
    pub(super) refused: HashSet<String>,
    /// Those, and the ones of which a row was refused and another one counts.
    pub(super) all_refused: Vec<String>,
    /// Whether entries of the table must refer to others of it.
    strict_within: bool,
    /// An entry whose keys were written here.
    pub(super) written: Option<String>,
}

impl Keyed {
    /// Finds what is wrong with the rows, for the report, and what of them has to wait; `None` where too much has, and in
    /// memory, where there is but one connection.
    pub(super) fn find(
        session: Session<'_>,
        place: Place<'_>,
        prepared: &Prepared,
        mode: Mode,
        others: Others,
        common: Common<'_>,
        report: BulkReport,
    ) -> Result<Option<(Self, BulkReport)>> {
        let Some(mut scratch) = session.scratch()? else { return Ok(None) };
        scratch.begin(false)?;
        let (rules, spool) = (&prepared.rules, &prepared.spool);
        let merging = Merging::new(&mut *scratch, place, rules, spool, mode, others, true, common, report);
        let Findings { mut report, earlier, out, again } = merging.find(&prepared.refused)?;
        let waiting = waiting(&mut *scratch, place, prepared.fresh)?;
        let doomed = if others == Others::AreDeleted { doomed(&mut *scratch, place)? } else { 0 };
        if let Commit::Unknown(error) = scratch.commit()? {
            return Err(error);
        }
        if waiting.len() as u64 + doomed + again > MOST {
            return Ok(None);
        }
        for (id, rows) in &earlier {
            report.warnings.extend(rows.iter().map(|row| tell::repeated(*row, id)));
        }
        let within = "SELECT 1 FROM sprongus_stage_refs WHERE strict = 1 AND to_table = $1 LIMIT 1";
        let strict_within = !scratch.query(within, &[place.table.into()])?.is_empty();
        let (mut refused, mut all_refused) = (HashSet::new(), Vec::new());
        for row in scratch.query(REFUSED, &[])? {
            all_refused.push(row.text(0)?);
            if !row.bool(1)? {
                refused.insert(row.text(0)?);
            }
        }
        let earlier = earlier.into_values().flatten().collect();
        let (held, written) = (Vec::new(), None);
        if strict_within {
            scratch.batch("CREATE INDEX sprongus_stage_refs_to ON sprongus_stage_refs (to_id) WHERE strict = 1")?;
        }
        let scratch = RefCell::new(scratch);
        Ok(Some((Self { scratch, out, earlier, waiting, held, refused, all_refused, strict_within, written }, report)))
    }

    /// Whether a row was refused when all were looked at together, and its fault is told of.
    pub(super) fn is_refused(&self, row: u64) -> bool {
        self.out.contains(&row) && !self.earlier.contains(&row)
    }
}

/// Notes and tells the rows whose keys or references are not those that their entry has, and those that take a value which
/// another entry has still.
fn waiting(exec: &mut dyn Executor, place: Place<'_>, fresh: bool) -> Result<BTreeSet<u64>> {
    exec.batch("CREATE TEMP TABLE sprongus_stage_waiting (row_number INTEGER NOT NULL PRIMARY KEY)")?;
    if fresh {
        return Ok(BTreeSet::new());
    }
    let stored_key = "x.project_id = $1 AND x.table_name = $2 AND x.entry_id = s.id";
    let stored_ref = "x.project_id = $1 AND x.from_table = $2 AND x.from_id = s.id";
    let same_ref = "k.field = x.field AND k.to_table = x.to_table AND k.to_id = x.to_id";
    let other = format!(
        "EXISTS (SELECT 1 FROM sprongus_stage_keys k WHERE k.row_number = s.row_number AND NOT EXISTS \
         (SELECT 1 FROM sprongus_aux_keys x WHERE {stored_key} AND x.field = k.field AND x.key = k.key AND x.is_unique = k.is_unique)) \
         OR EXISTS (SELECT 1 FROM sprongus_aux_keys x WHERE {stored_key} AND NOT EXISTS \
         (SELECT 1 FROM sprongus_stage_keys k WHERE k.row_number = s.row_number AND k.field = x.field AND k.key = x.key)) \
         OR EXISTS (SELECT 1 FROM sprongus_stage_refs k WHERE k.row_number = s.row_number AND k.to_id <> '' AND NOT EXISTS \
         (SELECT 1 FROM sprongus_aux_refs x WHERE {stored_ref} AND {same_ref})) \
         OR EXISTS (SELECT 1 FROM sprongus_aux_refs x WHERE {stored_ref} AND NOT EXISTS \
         (SELECT 1 FROM sprongus_stage_refs k WHERE k.row_number = s.row_number AND {same_ref}))"
    );
    let taking = "EXISTS (SELECT 1 FROM sprongus_stage_keys k CROSS JOIN sprongus_aux_keys x \
                  ON x.project_id = $1 AND x.table_name = $2 AND x.field = k.field AND x.key = k.key AND x.is_unique = 1 \
                  WHERE k.row_number = s.row_number AND k.is_unique = 1 AND x.entry_id <> s.id)";
    let sql = format!(
        "INSERT INTO sprongus_stage_waiting SELECT s.row_number FROM sprongus_stage s \
         WHERE (s.base <> 0 AND ({other})) OR {taking} LIMIT $3 RETURNING row_number"
    );
    let rows = exec.query(&sql, &[place.project.into(), place.table.into(), TOO_MANY.into()])?;
    rows.iter().map(|row| tell::unsigned(row, 0)).collect()
}

/// How many entries are to be deleted, as far as that matters.
fn doomed(exec: &mut dyn Executor, place: Place<'_>) -> Result<u64> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM sprongus_aux_entries e WHERE e.project_id = $1 AND e.table_name = $2 \
               AND NOT EXISTS (SELECT 1 FROM sprongus_stage s WHERE s.id = e.id) \
               AND NOT EXISTS (SELECT 1 FROM sprongus_stage_refused r WHERE r.id = e.id) LIMIT $3)";
    let rows = exec.query(sql, &[place.project.into(), place.table.into(), TOO_MANY.into()])?;
    rows.first().map_or(Ok(0), |row| tell::unsigned(row, 0))
}
