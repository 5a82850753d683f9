//! A bulk write of many short transactions: its place in the table it writes, and the way back.

use std::cell::Cell;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::pace::{Held, Pace};
use crate::aux_store::rows::Place;
use crate::aux_store::unseen;
use crate::clock::Clock;
use crate::db::{Executor, interrupted};
use crate::error::{Error, ErrorCode, Result};
use crate::id::new_id;
use crate::session::{Session, Work};

/// One that has not written for so long is dead, and others undo what it did. Microseconds.
const DEAD_AFTER: i64 = 5_000_000;
/// One that only reads for so long lets others know that it lives.
const SILENT: Duration = Duration::from_secs(1);
/// Between two looks at whether another one has ended.
const NAP: Duration = Duration::from_millis(20);

/// A row of `sprongus_aux_batches` that is ours.
pub(super) struct Batch<'b> {
    session: Session<'b>,
    place: Place<'b>,
    pub(super) id: i64,
    owner: String,
    /// When it last wrote.
    heard: Cell<Instant>,
}

enum Entered {
    Ours(i64),
    /// Its owner is gone; it is ours to be undone.
    Dead(i64),
    Taken,
}

impl<'b> Batch<'b> {
    /// Enters the table, when the one before has left it: there is one at a time. What a dead one left is undone first.
    pub(super) fn begin(session: Session<'b>, place: Place<'b>) -> Result<Self> {
        let (owner, by) = (new_id(), session.core().deadline());
        loop {
            let ours = |id| Self::of(session, place, id, owner.clone());
            match session.write(|work| enter(work, place, &owner))? {
                Entered::Ours(id) => return Ok(ours(id)),
                Entered::Dead(id) => ours(id).undo()?,
                Entered::Taken => {
                    if Instant::now() >= by {
                        session.read(|exec| unseen::refuse_another(exec, place))?;
                    }
                    std::thread::sleep(NAP);
                }
            }
            check(session)?;
        }
    }

    fn of(session: Session<'b>, place: Place<'b>, id: i64, owner: String) -> Self {
        Self { session, place, id, owner, heard: Cell::new(Instant::now()) }
    }

    /// To be called now and then where there may be nothing to write for long: it is not dead.
    pub(super) fn live(&self) -> Result<()> {
        if self.heard.get().elapsed() < SILENT { Ok(()) } else { self.step(|_| Ok(())) }
    }

    /// Runs what takes long and writes nothing, while a thread lets others know that this one lives.
    pub(super) fn alive_while<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let Some(lasting) = self.session.lasting() else { return work() };
        let (id, owner) = (self.id, self.owner.as_str());
        let (working, done) = channel::<()>();
        let beat = move || {
            while done.recv_timeout(SILENT) == Err(RecvTimeoutError::Timeout) {
                // Where it is lost, the next step finds that out.
                let _ = Session::new(&*lasting).write_step(|at| renew(at, id, owner).map(drop));
            }
        };
        std::thread::scope(|scope| {
            // Where there is no thread for it, the work may still be done in time.
            let _ = std::thread::Builder::new().name("sprongus-bulk".to_owned()).spawn_scoped(scope, beat);
            let result = work();
            drop(working);
            result
        })
    }

    /// Writes in a short transaction of its own; not where another has taken this one for dead. Nobody sees what it writes, so
    /// it is the last one's commit that waits for the disk.
    pub(super) fn step<T>(&self, mut work: impl FnMut(&mut Work<'_>) -> Result<T>) -> Result<T> {
        check(self.session)?;
        self.session.write_step(|at| {
            self.renew(at)?;
            work(at)
        })
    }

    /// The same for the one that lets everything be seen: on the disk when this returns, and all before it.
    pub(super) fn last<T>(&self, mut work: impl FnMut(&mut Work<'_>) -> Result<T>) -> Result<T> {
        check(self.session)?;
        self.session.write_bulk(|at| {
            self.renew(at)?;
            work(at)
        })
    }

    /// To be called first in every transaction.
    pub(super) fn renew(&self, work: &mut Work<'_>) -> Result<()> {
        if renew(work, self.id, &self.owner)? {
            self.heard.set(Instant::now());
            return Ok(());
        }
        let message = "another process took this bulk write for dead and has undone it; try again";
        Err(Error::new(ErrorCode::Busy, message))
    }

    /// Leaves the table, where nothing was written.
    pub(super) fn end(&self) -> Result<()> {
        self.session.write(|work| {
            self.renew(work)?;
            self.leave(work)
        })
    }

    /// Leaves the table, and with that what was written is seen.
    pub(super) fn leave(&self, work: &mut Work<'_>) -> Result<()> {
        work.execute("DELETE FROM sprongus_aux_rivals WHERE batch = $1", &[self.id.into()])?;
        work.execute("DELETE FROM sprongus_aux_batches WHERE id = $1", &[self.id.into()]).map(drop)
    }

    /// Puts everything back, step by step, and leaves.
    pub(super) fn undo(&self) -> Result<()> {
        for table in ["sprongus_aux_entries", "sprongus_aux_versions"] {
            let (mut after, mut pace) = (String::new(), Pace::default());
            while let Some(last) = self.undo_some(table, &after, &mut pace)? {
                after = last;
            }
        }
        self.end()
    }

    /// Looked for without the lock: it may take long to find one among many that are not of the batch.
    fn undo_some(&self, table: &str, after: &str, pace: &mut Pace) -> Result<Option<String>> {
        let sql = format!(
            "SELECT id FROM {table} WHERE project_id = $1 AND table_name = $2 AND id > $3 AND batch = $4 ORDER BY id LIMIT {}",
            pace.rows
        );
        let Place { project, table } = self.place;
        let found = self
            .session
            .read(|exec| exec.query(&sql, &[project.into(), table.into(), after.into(), self.id.into()]))?;
        let ids = found.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
        let Some(last) = ids.last() else { return Ok(None) };
        pace.rest();
        // Where the disk loses it, it is undone again: it is the end that waits for that.
        let held = self.session.write_step(|work| {
            let start = Instant::now();
            self.renew(work)?;
            ids.iter().try_for_each(|id| unseen::undo(work.exec(), self.place, self.id, id).map(drop))?;
            Ok(Held { waited: work.waited(), work: start.elapsed() })
        })?;
        pace.stepped(ids.len(), held);
        Ok(Some(last.clone()))
    }
}

/// Says that a bulk write lives; false where it is another's by now.
fn renew(work: &mut Work<'_>, id: i64, owner: &str) -> Result<bool> {
    let sql = "UPDATE sprongus_aux_batches SET alive = $1 WHERE id = $2 AND owner = $3";
    let alive = work.options().clock.monotonic();
    Ok(work.execute(sql, &[alive.into(), id.into(), owner.into()])? == 1)
}

/// Undoes what a dead bulk write left in the table, so that what comes next finds it whole. Not within a transaction, which
/// would hold everybody up for as long as that takes.
pub(in crate::aux_store) fn clear_dead(session: Session<'_>, place: Place<'_>) -> Result<()> {
    if session.in_transaction() || session.read(|exec| unseen::under_way(exec, place))?.is_none() {
        return Ok(());
    }
    let owner = new_id();
    match session.write(|work| take_dead(work, place, &owner))? {
        Some(Entered::Dead(id)) => Batch::of(session, place, id, owner).undo(),
        _ => Ok(()),
    }
}

/// The tables in which a bulk write is dead: project and name.
pub(crate) fn dead_batches(exec: &mut dyn Executor, clock: &dyn Clock) -> Result<Vec<(String, String)>> {
    let sql = "SELECT project_id, table_name FROM sprongus_aux_batches WHERE boot <> $1 OR alive <= $2 \
               ORDER BY project_id, table_name";
    let (boot, now) = (clock.boot_id(), clock.monotonic());
    let rows = exec.query(sql, &[(&*boot).into(), (now - DEAD_AFTER).into()])?;
    rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

/// Takes over a dead one, to be undone; none where there is nobody in the table.
fn take_dead(work: &mut Work<'_>, place: Place<'_>, owner: &str) -> Result<Option<Entered>> {
    let clock = work.options().clock.clone();
    let (boot, now) = (clock.boot_id(), clock.monotonic());
    let sql = "SELECT id, boot, alive FROM sprongus_aux_batches WHERE project_id = $1 AND table_name = $2";
    let found = work.query(sql, &[place.project.into(), place.table.into()])?;
    let Some(other) = found.first() else { return Ok(None) };
    let id = other.int(0)?;
    if other.text(1)? == *boot && other.int(2)? > now - DEAD_AFTER {
        return Ok(Some(Entered::Taken));
    }
    let sql = "UPDATE sprongus_aux_batches SET owner = $2, boot = $3, alive = $4 WHERE id = $1";
    work.execute(sql, &[id.into(), owner.into(), (&*boot).into(), now.into()])?;
    Ok(Some(Entered::Dead(id)))
}

fn enter(work: &mut Work<'_>, place: Place<'_>, owner: &str) -> Result<Entered> {
    if let Some(other) = take_dead(work, place, owner)? {
        return Ok(other);
    }
    let clock = work.options().clock.clone();
    let (boot, now) = (clock.boot_id(), clock.monotonic());
    let sql = "INSERT INTO sprongus_aux_batches (project_id, table_name, owner, boot, alive) VALUES ($1, $2, $3, $4, $5) \
               RETURNING id";
    let made = [place.project.into(), place.table.into(), owner.into(), (&*boot).into(), now.into()];
    let id = work.query(sql, &made)?.first().map_or(Ok(0), |row| row.int(0))?;
    Ok(Entered::Ours(id))
}

/// Ends the call where the host wants it ended.
fn check(session: Session<'_>) -> Result<()> {
    match &session.options().interrupt {
        Some(asked) if asked() => Err(interrupted()),
        _ => Ok(()),
    }
}
