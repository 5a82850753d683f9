//! A large bulk write on SQLite: many short transactions, so that other writers get the lock between them; what they write
//! is seen when the last one says so (see `unseen.rs`).

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use super::batch::Batch;
use super::created::Common;
use super::ids::Ids;
use super::keyed::Keyed;
use super::pace::{Held, Pace};
use super::prepare::Prepared;
use super::spool::Judged;
use super::{Others, merge};
use crate::aux_store::bound;
use crate::aux_store::model::{BulkOptions, BulkReport, OnError};
use crate::aux_store::rows::{self, Place};
use crate::db::{Dialect, Value};
use crate::error::{Error, Result};
use crate::session::Session;

/// Fewer rows are written in one transaction, which is short enough.
const FROM: u64 = 2_000;
/// So many rows that are to be judged again are left to the last transaction, and the others' turn comes so often before.
const FEW: usize = 100;
const ROUNDS: usize = 5;
/// Bytes of the documents of a step, about.
const BYTES: usize = 2 << 20;

/// Writes what was prepared; in a dry run only says what would be. `None` where one transaction has to do it.
pub(super) fn write(
    session: Session<'_>,
    place: Place<'_>,
    prepared: &Prepared,
    options: BulkOptions,
    others: Others,
) -> Result<Option<BulkReport>> {
    let batch = Batch::begin(session, place)?;
    let written = match Stepped::begin(session, place, prepared, options, others, &batch) {
        Ok(Some(stepped)) => stepped.run().map(Some),
        Ok(None) => batch.end().map(|()| None),
        Err(error) => Err(error),
    };
    if written.is_err() {
        // What cannot be undone now is unseen, and undone by who comes next.
        let _ = batch.undo();
    }
    written
}

/// Whether rows are written so: where there are many, on SQLite.
pub(super) fn suits(session: Session<'_>, prepared: &Prepared) -> bool {
    session.core().dialect() == Dialect::Sqlite && many(session, prepared)
}

/// Whether there are so many rows that others should not wait for all of them, and need not: where the caller's own
/// transaction does not hold them up anyway.
pub(super) fn many(session: Session<'_>, prepared: &Prepared) -> bool {
    !session.in_transaction() && prepared.spool.rows() >= FROM
}

pub(super) struct Stepped<'s> {
    pub(super) session: Session<'s>,
    pub(super) place: Place<'s>,
    pub(super) prepared: &'s Prepared,
    pub(super) options: BulkOptions,
    pub(super) others: Others,
    pub(super) batch: &'s Batch<'s>,
    pub(super) report: BulkReport,
    /// The ids of rows that were refused: their entries stay as they are.
    pub(super) refused: Ids,
    /// Entries that refer to what is deleted: table, id and field.
    pub(super) bereft: BTreeSet<(String, String, String)>,
    /// Rows of ids that were given more than once, in their order.
    pub(super) repeated: HashMap<String, Vec<u64>>,
    /// Ids whose entries are not what their rows were judged over.
    pub(super) amiss: BTreeSet<String>,
    pub(super) common: Common<'s>,
    /// Whether entries were deleted here: an id that comes back goes on from the version it had.
    pub(super) past: bool,
    pub(super) pace: Pace,
    /// Of a table whose entries have keys or references.
    pub(super) keyed: Option<Keyed>,
    /// What was deleted there.
    pub(super) deleted: Vec<String>,
}

impl<'s> Stepped<'s> {
    fn begin(
        session: Session<'s>,
        place: Place<'s>,
        prepared: &'s Prepared,
        options: BulkOptions,
        others: Others,
        batch: &'s Batch<'s>,
    ) -> Result<Option<Self>> {
        let others = prepared.others(others);
        let (common, past) = batch.step(|work| {
            merge::same_rules(session, work, place, prepared, true)?;
            if others == Others::AreDeleted {
                bound::know_referrers(session, work, place)?;
            }
            let past = rows::holds_any(work.exec(), place, "sprongus_aux_versions")?;
            Ok((Common::new(work, place, work.now()), past))
        })?;
        let mut report = BulkReport { errors: prepared.errors.clone(), ..BulkReport::default() };
        let (mut keyed, mut repeated) = (None, HashMap::new());
        if prepared.rules.links() {
            let (common, mode) = (common.clone(), options.mode);
            let found = batch.alive_while(|| Keyed::find(session, place, prepared, mode, others, common, report))?;
            let Some((found, told)) = found else { return Ok(None) };
            (keyed, report) = (Some(found), told);
        } else {
            repeated = repeated_ids(prepared)?;
        }
        if options.on_error == OnError::Abort && !report.errors.is_empty() {
            report.errors.sort_by_key(|one| one.row);
            return Err(Error::validation(report.errors));
        }
        let refused = keyed.as_ref().map_or(&prepared.refused, |keyed| &keyed.all_refused);
        Ok(Some(Self {
            session,
            place,
            prepared,
            options,
            others,
            batch,
            report,
            refused: refused.iter().map(String::as_str).collect(),
            bereft: BTreeSet::new(),
            repeated,
            amiss: BTreeSet::new(),
            common,
            past,
            pace: Pace::default(),
            keyed,
            deleted: Vec::new(),
        }))
    }

    fn run(mut self) -> Result<BulkReport> {
        let mut rows = self.prepared.spool.iter()?;
        loop {
            let chunk = self.chunk(&mut rows)?;
            if chunk.is_empty() {
                break;
            }
            self.rows(&chunk)?;
        }
        drop(rows);
        if self.keyed.is_none() {
            self.meet_rivals()?;
        }
        if self.others == Others::AreDeleted {
            self.delete_others()?;
        }
        // After that has looked at who refers to what is deleted.
        if self.keyed.is_some() && !self.options.dry_run {
            self.write_keys()?;
            self.write_refs()?;
        }
        self.finish()
    }

    /// Rows that others came before, while they are many; the last few are met in the last transaction.
    fn meet_rivals(&mut self) -> Result<()> {
        for _ in 0..ROUNDS {
            let rivals = self.given_rivals()?;
            if self.amiss.len() + rivals.len() <= FEW {
                break;
            }
            self.forget(&rivals)?;
            self.rows_again()?;
        }
        Ok(())
    }

    /// When it all happens.
    pub(super) fn at(&self) -> Value<'static> {
        self.common.at.clone()
    }

    /// The next rows that count.
    pub(super) fn chunk(&self, rows: &mut dyn Iterator<Item = Result<Judged>>) -> Result<Vec<Judged>> {
        self.batch.live()?;
        let (mut chunk, mut bytes) = (Vec::with_capacity(self.pace.rows), 0);
        while chunk.len() < self.pace.rows && bytes < BYTES {
            let Some(row) = rows.next().transpose()? else { break };
            let counts = match &self.keyed {
                Some(keyed) => !keyed.out.contains(&row.row),
                None => self.repeated.get(&row.id).is_none_or(|all| all.last() == Some(&row.row)),
            };
            if counts {
                bytes += row.payload.len() + row.search_text.len();
                chunk.push(row);
            }
        }
        Ok(chunk)
    }

    pub(super) fn rows(&mut self, chunk: &[Judged]) -> Result<()> {
        let (same, changed): (Vec<_>, Vec<_>) = chunk.iter().partition(|row| row.same);
        self.unchanged(&same)?;
        let (created, updated): (Vec<_>, Vec<_>) = changed.into_iter().partition(|row| row.base == 0);
        if self.options.dry_run {
            self.report.created += created.len() as u64;
            self.report.updated += updated.len() as u64;
            return Ok(());
        }
        if created.is_empty() && updated.is_empty() {
            return Ok(());
        }
        // Made before the lock is taken, while others have it.
        let values = self.values(&created);
        self.pace.rest();
        let (amiss, held) = self.batch.step(|work| {
            let start = Instant::now();
            let mut amiss = self.create(work, &created, &values)?;
            amiss.extend(self.update(work, &updated)?);
            Ok((amiss, Held { waited: work.waited(), work: start.elapsed() }))
        })?;
        let missed = created.iter().filter(|row| amiss.contains(&row.id)).count();
        self.report.created += (created.len() - missed) as u64;
        self.report.updated += (updated.len() + missed - amiss.len()) as u64;
        self.amiss.extend(amiss);
        self.pace.stepped(created.len() + updated.len(), held);
        Ok(())
    }

    /// Rows whose entries are so already: nothing is to be written, if they still are what they were.
    fn unchanged(&mut self, same: &[&Judged]) -> Result<()> {
        for some in same.chunks(500) {
            let ids: Vec<&str> = some.iter().map(|row| row.id.as_str()).collect();
            let (place, ids) = (self.place, rows::ids(&ids));
            let found = self.session.read_snapshot(|exec| {
                let sql = format!("SELECT id, version FROM {}", rows::named(exec, place)?);
                exec.query(&sql, &[place.project.into(), place.table.into(), ids.clone()])
            })?;
            let versions =
                found.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect::<Result<HashMap<_, _>>>()?;
            for row in some {
                if versions.get(&row.id) == Some(&row.base) {
                    self.report.unchanged += 1;
                } else {
                    self.amiss.insert(row.id.clone());
                }
            }
        }
        Ok(())
    }
}

/// Which rows have ids that were given more than once: the rows are read once more, where there are any.
fn repeated_ids(prepared: &Prepared) -> Result<HashMap<String, Vec<u64>>> {
    let ids: Ids = prepared.ids.repeated();
    let mut repeated: HashMap<String, Vec<u64>> = HashMap::new();
    if ids.is_empty() {
        return Ok(repeated);
    }
    for row in prepared.spool.iter()? {
        let row = row?;
        if ids.contains(&row.id) {
            repeated.entry(row.id).or_default().push(row.row);
        }
    }
    Ok(repeated)
}
