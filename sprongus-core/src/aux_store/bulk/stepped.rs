//! A large bulk write on SQLite: many short transactions, so that other writers get the lock between them; what they write
//! is seen when the last one says so (see `unseen.rs`).

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use super::batch::Batch;
use super::created::{COLUMNS, Common};
use super::ids::Ids;
use super::pace::{Held, Pace};
use super::prepare::{self, Prepared};
use super::spool::Judged;
use super::{Others, merge};
use crate::aux_store::bound;
use crate::aux_store::model::{BulkOptions, BulkReport};
use crate::aux_store::rows::{self, Place, object};
use crate::db::{Dialect, Value};
use crate::error::{ErrorCode, Result};
use crate::json::Json;
use crate::session::{Session, Work};

/// Fewer rows are written in one transaction, which is short enough.
const FROM: u64 = 2_000;
/// So many rows that are to be judged again are left to the last transaction, and the others' turn comes so often before.
const FEW: usize = 100;
const ROUNDS: usize = 5;
/// Bytes of the documents of a step, about.
const BYTES: usize = 2 << 20;

/// Writes what was prepared; in a dry run only says what would be.
pub(super) fn write(
    session: Session<'_>,
    place: Place<'_>,
    prepared: &Prepared,
    options: BulkOptions,
    others: Others,
) -> Result<BulkReport> {
    let batch = Batch::begin(session, place)?;
    let written = Stepped::begin(session, place, prepared, options, others, &batch).and_then(Stepped::run);
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
    !session.in_transaction() && prepared.spool.rows() >= FROM && !prepared.rules.links()
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
    refused: Ids,
    /// Entries that refer to what is deleted: table, id and field.
    pub(super) bereft: BTreeSet<(String, String, String)>,
    /// Rows of ids that were given more than once, in their order.
    pub(super) repeated: HashMap<String, Vec<u64>>,
    /// Ids whose entries are not what their rows were judged over.
    pub(super) amiss: BTreeSet<String>,
    common: Common<'s>,
    /// Whether entries were deleted here: an id that comes back goes on from the version it had.
    past: bool,
    pace: Pace,
}

impl<'s> Stepped<'s> {
    fn begin(
        session: Session<'s>,
        place: Place<'s>,
        prepared: &'s Prepared,
        options: BulkOptions,
        others: Others,
        batch: &'s Batch<'s>,
    ) -> Result<Self> {
        let others = prepared.others(others);
        let (common, past) = batch.step(|work| {
            merge::same_rules(session, work, place, prepared, true)?;
            if others == Others::AreDeleted {
                bound::know_referrers(session, work, place)?;
            }
            let past = rows::holds_any(work.exec(), place, "sprongus_aux_versions")?;
            Ok((Common::new(work, place, work.now()), past))
        })?;
        let report = BulkReport { errors: prepared.errors.clone(), ..BulkReport::default() };
        let repeated = repeated(prepared)?;
        Ok(Self {
            session,
            place,
            prepared,
            options,
            others,
            batch,
            report,
            refused: prepared.refused.iter().map(String::as_str).collect(),
            bereft: BTreeSet::new(),
            repeated,
            amiss: BTreeSet::new(),
            common,
            past,
            pace: Pace::default(),
        })
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
        for _ in 0..ROUNDS {
            let rivals = self.given_rivals()?;
            if self.amiss.len() + rivals.len() <= FEW {
                break;
            }
            self.forget(&rivals)?;
            self.rows_again()?;
        }
        if self.others == Others::AreDeleted {
            self.delete_others()?;
        }
        self.finish()
    }

    /// Rows whose entries others have changed since they were judged are judged over what those are now, step by step. What is
    /// still amiss then is left to the last transaction.
    fn rows_again(&mut self) -> Result<()> {
        let mut amiss = std::mem::take(&mut self.amiss);
        let mut rows = self.prepared.spool.iter()?;
        loop {
            let mut chunk = self.chunk(&mut rows)?;
            if chunk.is_empty() {
                break;
            }
            chunk.retain(|row| amiss.contains(&row.id));
            for some in chunk.chunks(500) {
                let judged = self.judge_again(some)?;
                for row in &judged {
                    amiss.remove(&row.id);
                }
                self.rows(&judged)?;
            }
        }
        self.amiss.append(&mut amiss);
        Ok(())
    }

    /// The rows as they are judged now, but for bad ones.
    fn judge_again(&self, rows: &[Judged]) -> Result<Vec<Judged>> {
        let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        let bases = prepare::bases(self.session, self.place, &ids)?;
        let mut again = Vec::with_capacity(rows.len());
        for row in rows {
            let base = bases.get(&row.id);
            let given = Json::from_canonical(row.given.clone().unwrap_or_else(|| row.payload.clone()));
            let (version, map) = (base.map_or(0, |base| base.version), base.map(|base| object(&base.payload)));
            let (rules, mode) = (&self.prepared.rules, self.options.mode);
            match prepare::judge(rules, row.row, &row.id, object(&given), map.as_ref(), version, mode) {
                Ok((judged, _)) => {
                    let same = base.is_some_and(|base| base.payload.as_str() == judged.payload);
                    again.push(Judged { same, ..judged });
                }
                Err(error) if prepare::is_of_row(error.code()) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(again)
    }

    /// When it all happens.
    pub(super) fn at(&self) -> Value<'static> {
        self.common.at.clone()
    }

    /// The next rows that count.
    fn chunk(&self, rows: &mut dyn Iterator<Item = Result<Judged>>) -> Result<Vec<Judged>> {
        let (mut chunk, mut bytes) = (Vec::with_capacity(self.pace.rows), 0);
        while chunk.len() < self.pace.rows && bytes < BYTES {
            let Some(row) = rows.next().transpose()? else { break };
            let superseded = self.repeated.get(&row.id).is_some_and(|all| all.last() != Some(&row.row));
            if !superseded {
                bytes += row.payload.len() + row.search_text.len();
                chunk.push(row);
            }
        }
        Ok(chunk)
    }

    fn rows(&mut self, chunk: &[Judged]) -> Result<()> {
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
        // Made before the lock is taken, once; a step that is run again makes it again.
        let mut made = Some(self.values(&created));
        let (amiss, held) = self.batch.step(|work| {
            let start = Instant::now();
            let values = made.take().unwrap_or_else(|| self.values(&created));
            let mut amiss = self.create(work, &created, values)?;
            amiss.extend(self.update(work, &updated)?);
            Ok((amiss, Held { waited: work.waited(), work: start.elapsed() }))
        })?;
        let missed = created.iter().filter(|row| amiss.contains(&row.id)).count();
        self.report.created += (created.len() - missed) as u64;
        self.report.updated += (updated.len() + missed - amiss.len()) as u64;
        self.amiss.extend(amiss);
        self.pace.after(created.len() + updated.len(), held);
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

    /// Writes entries that were not there; the ids of those that are by now.
    fn create(&self, work: &mut Work<'_>, rows: &[&Judged], values: Vec<Vec<Value<'static>>>) -> Result<Vec<String>> {
        let (mut amiss, columns) = (Vec::new(), [&COLUMNS[..], &["batch"]].concat());
        if self.past {
            let marks = "$1, $2, $3, $4, $5, $6, 1 + coalesce((SELECT max(version) FROM sprongus_aux_versions \
                         WHERE project_id = $1 AND table_name = $2 AND id = $3), 0) + 0 * $7, $8, $9, $10, $11, $12";
            let columns = columns.join(", ");
            let sql = format!("INSERT INTO sprongus_aux_entries ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING");
            for (row, values) in rows.iter().zip(values) {
                if work.execute(&sql, &values)? == 0 {
                    amiss.push(row.id.clone());
                }
            }
            return Ok(amiss);
        }
        let mut values = values.into_iter();
        loop {
            match work.exec().load("sprongus_aux_entries", &columns, &mut values.by_ref().map(Ok)) {
                Ok(_) => return Ok(amiss),
                // The row that was taken last.
                Err(error) if error.code() == ErrorCode::Conflict => {
                    amiss.push(rows[rows.len() - values.len() - 1].id.clone());
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives entries their next version, and keeps the one they have; the ids of those that have another by now.
    fn update(&self, work: &mut Work<'_>, rows: &[&Judged]) -> Result<Vec<String>> {
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

    fn values(&self, rows: &[&Judged]) -> Vec<Vec<Value<'static>>> {
        let values = |row: &&Judged| {
            let mut values = self.common.values(Dialect::Sqlite, (*row).clone());
            values.push(self.batch.id.into());
            values
        };
        rows.iter().map(values).collect()
    }

    /// What was not given is deleted, entry by entry through the table.
    fn delete_others(&mut self) -> Result<()> {
        let mut after = String::new();
        loop {
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
            let (deleted, held) = self.batch.step(|work| {
                let start = Instant::now();
                let deleted = doomed.iter().map(|id| self.delete(work, id)).sum::<Result<u64>>()?;
                Ok((deleted, Held { waited: work.waited(), work: start.elapsed() }))
            })?;
            self.report.deleted += deleted;
            self.pace.after(doomed.len(), held);
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

/// Copies entries to the versions, before they are superseded by the batch `$4`.
const KEEP: &str = "INSERT INTO sprongus_aux_versions \
    (project_id, table_name, id, version, snapshot, change_summary, actor, reason, at, batch) \
    SELECT project_id, table_name, id, version, payload, change_summary, actor, reason, last_updated, $4 \
    FROM sprongus_aux_entries";

/// Which rows have ids that were given more than once: the rows are read once more, where there are any.
fn repeated(prepared: &Prepared) -> Result<HashMap<String, Vec<u64>>> {
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
