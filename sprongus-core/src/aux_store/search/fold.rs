//! Fills the pre-filter behind the writers: short steps of their own, done in passing by searches and writes.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value as JsonValue;

use super::index::{self, Text};
use super::search_text;
use crate::aux_store::bound::search_fingerprint;
use crate::aux_store::rows::Place;
use crate::db::{Dialect, Executor, Row, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::presets::{FieldPath, for_table, lock_table};
use crate::session::{Session, Work, locked};

/// Fewer entries than these are scanned in less time than a commit takes: not worth a step.
const WORTH: i64 = 256;
/// How long a step holds SQLite's writer, but for its commit.
const STEP: Duration = Duration::from_millis(8);
/// The same on PostgreSQL, where it holds up none but others who would fill the same table.
const STEP_BESIDE: Duration = Duration::from_millis(50);
/// The longest that one call works at it.
const LONGEST: Duration = Duration::from_millis(250);
/// Entries read at once within a step, and on PostgreSQL, where each statement is a round trip.
const ROWS: i64 = 32;
const ROWS_BESIDE: i64 = 256;
/// How long nothing is tried after an error: no right to make an index, no pg_trgm.
const PAUSE: Duration = Duration::from_secs(60);
/// The same where somebody else had the lock.
const BUSY: Duration = Duration::from_millis(500);
/// Of single writes one in so many does a step.
const SELDOM: u32 = 64;

/// The fields whose texts are searched.
#[derive(Debug, Clone, Copy)]
pub(in crate::aux_store) struct Searched<'f> {
    pub(in crate::aux_store) fields: &'f [FieldPath],
    pub(in crate::aux_store) fingerprint: &'f str,
}

/// Until when no step is tried, since one failed.
#[derive(Debug, Default)]
struct Failed(Mutex<Option<Instant>>);

/// After a search that took so long: works as long again, so that the next ones are quicker.
pub(in crate::aux_store) fn after_search(session: Session<'_>, place: Place<'_>, of: Searched<'_>, took: Duration) {
    fold(session, place, of, took.clamp(STEP, LONGEST));
}

/// After a write of one entry: seldom a step, so that what is only written is folded in too.
pub(in crate::aux_store) fn after_write(session: Session<'_>, place: Place<'_>) {
    if fastrand::u32(..SELDOM) == 0 {
        after_bulk(session, place);
    }
}

/// After a write of many: one step. A table without fields marked for search waits for its first search.
pub(in crate::aux_store) fn after_bulk(session: Session<'_>, place: Place<'_>) {
    if session.in_transaction() {
        return;
    }
    let preset = session.read(|exec| {
        let preset = for_table(session, exec, place.project, place.table)?;
        let marked = !preset.keywords().search.is_empty();
        Ok((marked || registered(exec, place)?.is_some()).then_some(preset))
    });
    if let Ok(Some(preset)) = preset {
        let fingerprint = search_fingerprint(preset.keywords());
        let of = Searched { fields: &preset.keywords().search, fingerprint: &fingerprint };
        fold(session, place, of, Duration::ZERO);
    }
}

fn fold(session: Session<'_>, place: Place<'_>, of: Searched<'_>, budget: Duration) {
    if of.fingerprint.is_empty() || session.in_transaction() || session.options().read_only {
        return;
    }
    let failed = session.core().shared::<Failed>();
    if locked(&failed.0).is_some_and(|until| Instant::now() < until) {
        return;
    }
    if let Err(error) = steps(session, place, of, budget) {
        tracing::debug!(code = %error.code(), "a table's texts were not folded in");
        let pause = if error.code() == ErrorCode::Busy { BUSY } else { PAUSE };
        *locked(&failed.0) = Some(Instant::now() + pause);
    }
}

/// At least one step, where it is worth it, then more until the time is up.
fn steps(session: Session<'_>, place: Place<'_>, of: Searched<'_>, budget: Duration) -> Result<()> {
    let until = Instant::now() + budget;
    let mut more = session.read(|exec| is_worth(exec, place, of))?;
    while more {
        more = step(session, place, of)? && Instant::now() < until;
    }
    Ok(())
}

/// One short transaction; whether another may find more to do.
fn step(session: Session<'_>, place: Place<'_>, of: Searched<'_>) -> Result<bool> {
    let done = session.write_in_passing(|work| {
        if !alone(work, &format!("search {}/{}", place.project, place.table))? {
            return Ok(Done::Nothing);
        }
        match ready(work, place, of)? {
            Some(table) => Folding::new(work.exec(), place, of, table).run(),
            None => Ok(Done::Some),
        }
    })?;
    if done == Some(Done::Filled) {
        session.write_in_passing(|work| index::analyze(work.exec()))?;
    }
    Ok(done.is_some_and(|done| done != Done::Nothing))
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Nothing,
    Some,
    /// The last of the entries that were there.
    Filled,
}

/// What is known of a table that has a pre-filter.
struct Table {
    number: i64,
    /// None: all entries are folded in, or marked.
    filled_to: Option<String>,
    swept_to: String,
}

fn registered(exec: &mut dyn Executor, place: Place<'_>) -> Result<Option<(Table, String)>> {
    let sql = "SELECT number, filled_to, swept_to, fingerprint FROM sprongus_search_tables \
               WHERE project_id = $1 AND table_name = $2";
    let rows = exec.query(sql, &[place.project.into(), place.table.into()])?;
    let read = |row: &Row| {
        let table = Table { number: row.int(0)?, filled_to: row.opt_text(1)?, swept_to: row.text(2)? };
        Ok((table, row.text(3)?))
    };
    rows.first().map(read).transpose()
}

/// Whether enough is not folded in, or a table has been begun.
fn is_worth(exec: &mut dyn Executor, place: Place<'_>, of: Searched<'_>) -> Result<bool> {
    let there = index::is_there(exec)?;
    let known = registered(exec, place)?.filter(|(_, fingerprint)| there && fingerprint == of.fingerprint);
    let filled_to = known.map_or(Some(String::new()), |(table, _)| table.filled_to);
    // Where all is filled, no plan is to be made for the rest.
    let rest = match &filled_to {
        Some(id) if !id.is_empty() => return Ok(true),
        Some(_) => "UNION ALL SELECT 1 FROM sprongus_aux_entries WHERE project_id = $1 AND table_name = $2",
        None => "",
    };
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM sprongus_search_marks m LEFT JOIN sprongus_aux_entries e \
         ON e.project_id = $1 AND e.table_name = $2 AND e.last_updated = m.at AND e.id > m.after_id \
         WHERE m.project_id = $1 AND m.table_name = $2 {rest} LIMIT {WORTH}) AS few"
    );
    let rows = exec.query(&sql, &[place.project.into(), place.table.into()])?;
    rows.first().map_or(Ok(false), |row| Ok(row.int(0)? >= WORTH))
}

/// Whether nobody else is at that until this transaction ends (PostgreSQL).
fn alone(work: &mut Work<'_>, name: &str) -> Result<bool> {
    if work.dialect() == Dialect::Sqlite {
        return Ok(true);
    }
    let sql = "SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' sprongus ' || $1::text, 0))";
    let rows = work.query(sql, &[name.into()])?;
    rows.first().map_or(Ok(false), |row| row.bool(0))
}

/// The table, to be filled; `None` where there was so much to prepare that the next step goes on.
fn ready(work: &mut Work<'_>, place: Place<'_>, of: Searched<'_>) -> Result<Option<Table>> {
    if !index::is_there(work.exec())? {
        impatient(work)?;
        if !alone(work, "search")? || !index::make(work.exec())? {
            return Ok(None);
        }
    }
    let known = registered(work.exec(), place)?;
    match known {
        Some((table, fingerprint)) if fingerprint == of.fingerprint => return Ok(Some(table)),
        Some(_) => {}
        None => {
            // From here on every writer leaves a mark: one that is at work would not (PostgreSQL).
            impatient(work)?;
            lock_table(work, place.project, place.table, true)?;
        }
    }
    let sql = "INSERT INTO sprongus_search_tables (project_id, table_name, fingerprint, filled_to) VALUES ($1, $2, $3, '') \
               ON CONFLICT (project_id, table_name) DO UPDATE SET fingerprint = excluded.fingerprint, filled_to = ''";
    work.execute(sql, &[place.project.into(), place.table.into(), of.fingerprint.into()])?;
    Ok(registered(work.exec(), place)?.map(|(table, _)| table))
}

/// Who waits for a lock holds up those behind: briefly.
fn impatient(work: &mut Work<'_>) -> Result<()> {
    match work.dialect() {
        Dialect::Sqlite => Ok(()),
        Dialect::Postgres => work.exec().batch("SET LOCAL lock_timeout = '50ms'"),
    }
}

struct Folding<'f> {
    exec: &'f mut dyn Executor,
    place: Place<'f>,
    of: Searched<'f>,
    table: Table,
    until: Instant,
    /// Entries read at once.
    rows: i64,
}

impl<'f> Folding<'f> {
    fn new(exec: &'f mut dyn Executor, place: Place<'f>, of: Searched<'f>, table: Table) -> Self {
        let (rows, step) = match exec.dialect() {
            Dialect::Sqlite => (ROWS, STEP),
            Dialect::Postgres => (ROWS_BESIDE, STEP_BESIDE),
        };
        Self { exec, place, of, table, until: Instant::now() + step, rows }
    }

    fn run(mut self) -> Result<Done> {
        let (mut folded, mut filled) = (0, false);
        while let Some(from) = self.table.filled_to.clone().filter(|_| self.in_time()) {
            folded += self.fill(&from)?;
            filled = self.table.filled_to.is_none();
        }
        if self.table.filled_to.is_none() {
            folded += self.marked()?;
        }
        self.sweep(2 * folded)?;
        Ok(if filled {
            Done::Filled
        } else if folded > 0 {
            Done::Some
        } else {
            Done::Nothing
        })
    }

    fn in_time(&self) -> bool {
        Instant::now() < self.until
    }

    /// Folds in the next entries by id.
    fn fill(&mut self, from: &str) -> Result<i64> {
        let rows = self.entries("id > $4", &[from.into()])?;
        let last =
            if (rows.len() as i64) < self.rows { None } else { rows.last().map(|row| row.text(0)).transpose()? };
        let folded = self.put(&rows)?;
        let sql = "UPDATE sprongus_search_tables SET filled_to = $2 WHERE number = $1";
        self.exec.execute(sql, &[self.table.number.into(), last.clone().into()])?;
        self.table.filled_to = last;
        Ok(folded)
    }

    /// Folds in what was written since, the oldest first.
    fn marked(&mut self) -> Result<i64> {
        let sql = "SELECT number, at, after_id FROM sprongus_search_marks WHERE project_id = $1 AND table_name = $2 \
                   ORDER BY number LIMIT $3";
        let marks = self.exec.query(sql, &[self.place.project.into(), self.place.table.into(), WORTH.into()])?;
        let mut folded = 0;
        for mark in marks {
            let (number, at, mut after) = (mark.int(0)?, mark.time(1)?, Some(mark.text(2)?));
            while let Some(from) = after.take() {
                if !self.in_time() {
                    return self.leave_mark(number, &from).map(|()| folded);
                }
                let rows = self.entries("last_updated = $5 AND id > $4", &[from.into(), at.into()])?;
                after = if (rows.len() as i64) < self.rows {
                    None
                } else {
                    rows.last().map(|row| row.text(0)).transpose()?
                };
                folded += self.put(&rows)?;
            }
            let gone = "DELETE FROM sprongus_search_marks WHERE project_id = $1 AND table_name = $2 AND number = $3";
            self.exec.execute(gone, &[self.place.project.into(), self.place.table.into(), number.into()])?;
            folded += 1;
        }
        Ok(folded)
    }

    fn leave_mark(&mut self, number: i64, after: &str) -> Result<()> {
        let sql =
            "UPDATE sprongus_search_marks SET after_id = $4 WHERE project_id = $1 AND table_name = $2 AND number = $3";
        let params = [self.place.project.into(), self.place.table.into(), number.into(), after.into()];
        self.exec.execute(sql, &params).map(drop)
    }

    /// The next entries by id: id, stored text, and the payload where that text is of other fields.
    fn entries(&mut self, which: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        let length = self.of.fingerprint.chars().count();
        let fits = format!("substr(search_text, 1, {length}) = $3");
        let sql = format!(
            "SELECT id, CASE WHEN {fits} THEN search_text END, CASE WHEN {fits} THEN NULL ELSE payload END \
             FROM sprongus_aux_entries WHERE project_id = $1 AND table_name = $2 AND {which} ORDER BY id LIMIT {}",
            self.rows
        );
        let known = [self.place.project.into(), self.place.table.into(), Value::from(self.of.fingerprint)];
        self.exec.query(&sql, &[&known[..], params].concat())
    }

    fn put(&mut self, rows: &[Row]) -> Result<i64> {
        let texts = rows.iter().map(|row| self.text(row)).collect::<Result<Vec<_>>>()?;
        index::put(self.exec, self.table.number, texts)?;
        Ok(rows.len() as i64)
    }

    fn text(&self, row: &Row) -> Result<Text> {
        let stored = row.opt_text(1)?;
        let folded = match stored.as_deref().and_then(|text| text.strip_prefix(self.of.fingerprint)) {
            Some(text) => text.to_owned(),
            None => {
                let payload: JsonValue = row.json(2)?.to_value();
                search_text(&payload, self.of.fields)
            }
        };
        Ok(Text { id: row.text(0)?, folded })
    }

    /// Takes the texts of entries that are gone out, by looking at some more with each that comes.
    fn sweep(&mut self, most: i64) -> Result<()> {
        if most == 0 {
            return Ok(());
        }
        let sql = "SELECT s.entry_id, EXISTS (SELECT 1 FROM sprongus_aux_entries e WHERE e.project_id = $1 \
                   AND e.table_name = $2 AND e.id = s.entry_id) FROM sprongus_search_texts s \
                   WHERE s.table_number = $3 AND s.entry_id > $4 ORDER BY s.entry_id LIMIT $5";
        let from = self.table.swept_to.as_str();
        let params =
            [self.place.project.into(), self.place.table.into(), self.table.number.into(), from.into(), most.into()];
        let rows = self.exec.query(sql, &params)?;
        for row in &rows {
            if !row.bool(1)? {
                index::remove(self.exec, self.table.number, &row.text(0)?)?;
            }
        }
        let next = if (rows.len() as i64) < most { String::new() } else { last(&rows)? };
        let sql = "UPDATE sprongus_search_tables SET swept_to = $2 WHERE number = $1";
        self.exec.execute(sql, &[self.table.number.into(), next.into()]).map(drop)
    }
}

fn last(rows: &[Row]) -> Result<String> {
    rows.last().map_or_else(|| Err(Error::new(ErrorCode::Storage, "no row")), |row| row.text(0))
}
