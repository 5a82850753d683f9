//! SQLite: one writing connection behind a fair queue, a few readers (DESIGN.md §2 "SQLite").

mod baton;
mod connection;
mod declared;
mod errors;
mod group;
mod lent;
mod load;
mod open;
mod opened;
mod patience;
mod place;
mod queue;
mod readers;
pub(crate) mod surroundings;
mod texts;
mod values;
mod wal;
mod watch;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use baton::{Baton, Done, Writer};
use connection::SqliteConnection;
use group::Company;
use open::Role;
use queue::{Answer, FairQueue};
use readers::Pools;
use watch::FileWatcher;

use super::watch::Watcher;
use super::{Commit, Connection, Dialect, Errand, Executor, Lane, Row, Unit, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::options::{Durability, Interrupt};

pub use errors::sqlite_error;
pub use lent::LentSqlite;
pub(crate) use place::Place;

/// What [`Options`](crate::Options) says to this database.
#[derive(Clone)]
pub(crate) struct SqliteSettings {
    pub(crate) durability: Durability,
    /// The share of `call_timeout` that may go into waiting for a lock, over all steps of a call.
    pub(crate) busy_timeout: Duration,
    pub(crate) call_timeout: Duration,
    pub(crate) pool_size: u32,
    pub(crate) statement_cache: bool,
    pub(crate) allow_network_fs: bool,
    pub(crate) read_only: bool,
    pub(crate) interrupt: Option<Interrupt>,
}

/// An open SQLite database.
pub(crate) struct SqliteDb {
    place: Place,
    settings: Arc<SqliteSettings>,
    /// None in memory: there the writer reads too. Closed before the writer, for the last to close moves the log into the
    /// file, which a reader may not.
    readers: Option<Pools>,
    writer: Arc<Writer>,
}

impl SqliteDb {
    /// Opens the file (made with mode 0600 where it does not exist), or a database in memory.
    pub(crate) fn open(path: Option<PathBuf>, settings: SqliteSettings) -> Result<Self> {
        let place = match path {
            None => Place::Memory,
            Some(path) => Place::File(place::prepare(&path, settings.read_only, settings.allow_network_fs)?),
        };
        if let Place::File(path) = &place {
            opened::warn(path);
        }
        let settings = Arc::new(settings);
        let writer = open::open(&place, Role::Writer, &settings, Instant::now() + settings.busy_timeout)?;
        let readers = match &place {
            Place::Memory => None,
            Place::File(_) => Some(Pools::new(&place, &settings)),
        };
        let writer = Arc::new(FairQueue::new(Baton::idle(writer), settings.interrupt.clone()));
        Ok(Self { place, settings, readers, writer })
    }

    /// What watches for the commits of others, where there may be any.
    pub(crate) fn watcher(&self) -> Option<Arc<dyn Watcher>> {
        FileWatcher::new(&self.place, &self.settings).map(|watcher| Arc::new(watcher) as _)
    }

    fn deadline(&self, call: Instant) -> Instant {
        let rest = self.settings.call_timeout.saturating_sub(self.settings.busy_timeout);
        call.checked_sub(rest).unwrap_or(call)
    }

    /// Reads; `snapshot`: all statements see one state.
    pub(crate) fn read(
        &self,
        lane: Lane,
        snapshot: bool,
        call: Instant,
        work: &mut dyn FnMut(&mut dyn Executor) -> Result<()>,
    ) -> Result<()> {
        let Some(readers) = &self.readers else {
            let mut held = self.hold(call)?;
            return work(&mut held);
        };
        let mut reader = readers.of(lane).lend(call)?;
        reader.by(self.deadline(call), Duration::ZERO);
        if snapshot {
            readers::begin(&mut reader)?;
        }
        let result = work(&mut *reader);
        reader.rollback();
        result
    }

    /// Writes in a transaction, its commit shared with concurrent callers; long work stays alone, for nobody should wait
    /// for it.
    pub(crate) fn write(
        &self,
        unit: Unit,
        call: Instant,
        work: &mut dyn FnMut(&mut dyn Executor, Duration) -> Result<()>,
    ) -> Result<Commit> {
        let start = Instant::now();
        loop {
            let done = match self.writer.take(!is_long(unit), &mut None, self.deadline(call))? {
                Answer::Turn(baton, _) => self.write_now(unit, call, start, baton, work),
                Answer::Done(done, _) => done,
            };
            if let Some(result) = done.ended() {
                return result;
            }
        }
    }

    /// The same for work that another caller may do, who has the writer when this one comes; the errand is there again
    /// when this returns. It writes rows, and changes no schema.
    pub(crate) fn send(&self, unit: Unit, call: Instant, errand: &mut Option<Errand>) -> Result<Commit> {
        let start = Instant::now();
        loop {
            let done = match self.writer.take(!is_long(unit), errand, self.deadline(call))? {
                Answer::Turn(baton, back) => {
                    *errand = back;
                    let missing = || Error::new(ErrorCode::Panic, "an errand was lost");
                    self.write_now(unit, call, start, baton, &mut |exec, waited| {
                        errand.as_mut().ok_or_else(missing)?(exec, waited)
                    })
                }
                Answer::Done(done, back) => {
                    *errand = back;
                    done
                }
            };
            if let Some(result) = done.ended() {
                return result;
            }
        }
    }

    fn write_now(
        &self,
        unit: Unit,
        call: Instant,
        start: Instant,
        mut baton: Baton,
        work: &mut dyn FnMut(&mut dyn Executor, Duration) -> Result<()>,
    ) -> Done {
        let deadline = self.deadline(call);
        baton.connection.by(deadline, start.elapsed());
        let lasts = self.settings.durability == Durability::Full && matches!(self.place, Place::File(_));
        baton.connection.eases = unit == Unit::Step && lasts;
        if !lasts {
            baton.hurry();
        }
        let renew = |baton: &Baton| self.renew(baton, deadline);
        group::write(&self.writer, baton, company(unit), &renew, &mut |connection| {
            let waited = start.elapsed();
            work(connection, waited)
        })
    }

    /// The writer for a transaction that its caller ends, with BEGIN still to be said.
    pub(crate) fn hold(&self, call: Instant) -> Result<HeldWriter> {
        let start = Instant::now();
        let deadline = self.deadline(call);
        let Answer::Turn(mut baton, _) = self.writer.take(false, &mut None, deadline)? else {
            return Err(Error::new(ErrorCode::Panic, "nothing was there to be done by another"));
        };
        if baton.connection.broken {
            match self.renew(&baton, deadline) {
                Ok(connection) => baton = Baton::idle(connection),
                Err(error) => {
                    self.writer.give(baton);
                    return Err(error);
                }
            }
        }
        baton.connection.by(deadline, start.elapsed());
        Ok(HeldWriter { queue: self.writer.clone(), baton: Some(baton) })
    }

    fn renew(&self, baton: &Baton, deadline: Instant) -> Result<SqliteConnection> {
        if baton.connection.split {
            return Err(wal::split_brain());
        }
        self.reopen(deadline)
    }

    fn reopen(&self, deadline: Instant) -> Result<SqliteConnection> {
        if self.place == Place::Memory {
            return Err(Error::new(
                ErrorCode::Unavailable,
                "the database in memory was lost with its connection; open another",
            ));
        }
        open::open(&self.place, Role::Writer, &self.settings, deadline)
    }

    /// A connection that reads the file, and writes nothing but temporary tables of its own; none in memory.
    pub(crate) fn scratch(&self, call: Instant) -> Result<Option<Box<dyn Connection>>> {
        if self.readers.is_none() {
            return Ok(None);
        }
        let own = open::open(&self.place, Role::Reader, &self.settings, self.deadline(call))?;
        own.make_scratch()?;
        Ok(Some(Box::new(own)))
    }

    /// Copies the database into a new file, as private as a store's own. A connection of its own does it: writers go on.
    pub(crate) fn snapshot(&self, path: &Path, call: Instant) -> Result<()> {
        let Some(text) = path.to_str() else {
            return Err(Error::invalid("the path of a snapshot is UTF-8"));
        };
        let copied = match &self.place {
            Place::Memory => {
                let mut only = self.hold(call)?;
                place::create_new(path)?;
                only.raw()?.copy_into(text)
            }
            Place::File(_) => {
                let mut own = open::open(&self.place, Role::Reader, &self.settings, self.deadline(call))?;
                place::create_new(path)?;
                own.copy_into(text)
            }
        };
        if copied.is_err() {
            // Ours, and empty or half written.
            let _ = std::fs::remove_file(path);
        }
        copied
    }

    /// Refuses SQL that writes, before it is run by [`SqliteDb::read`].
    pub(crate) fn must_read(&self, sql: &str, call: Instant) -> Result<()> {
        match &self.readers {
            None => connection::must_read(&self.hold(call)?.raw()?.raw, sql),
            Some(readers) => connection::must_read(&readers.of(Lane::Host).lend(call)?.raw, sql),
        }
    }
}

/// Whether nobody should wait for the end of such work.
fn is_long(unit: Unit) -> bool {
    company(unit) == Company::Alone
}

fn company(unit: Unit) -> Company {
    match unit {
        Unit::Statement => Company::Plain,
        Unit::Transaction => Company::Saved,
        Unit::Bulk | Unit::Step => Company::Alone,
    }
}

/// The writing connection in one caller's hands; goes back to the queue, rolled back, when dropped.
pub(crate) struct HeldWriter {
    queue: Arc<Writer>,
    baton: Option<Baton>,
}

impl HeldWriter {
    fn raw(&mut self) -> Result<&mut SqliteConnection> {
        match &mut self.baton {
            Some(baton) => Ok(&mut baton.connection),
            None => Err(Error::misuse("the transaction has ended")),
        }
    }
}

impl Drop for HeldWriter {
    fn drop(&mut self) {
        if let Some(mut baton) = self.baton.take() {
            baton.connection.rollback();
            self.queue.give(baton);
        }
    }
}

impl Executor for HeldWriter {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }
    fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        self.raw()?.execute(sql, params)
    }
    fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        self.raw()?.query(sql, params)
    }
    fn query_host(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        self.raw()?.query_host(sql, params)
    }
    fn batch(&mut self, sql: &str) -> Result<()> {
        self.raw()?.batch(sql)
    }
    fn load(
        &mut self,
        table: &str,
        columns: &[&str],
        rows: &mut dyn Iterator<Item = Result<Vec<Value<'_>>>>,
    ) -> Result<u64> {
        self.raw()?.load(table, columns, rows)
    }
    fn load_new(&mut self, table: &str, columns: &[&str], rows: &[Vec<Value<'_>>]) -> Result<Vec<usize>> {
        self.raw()?.load_new(table, columns, rows)
    }
}

impl Connection for HeldWriter {
    fn begin(&mut self, write: bool) -> Result<()> {
        self.raw()?.begin(write)
    }
    fn commit(&mut self) -> Result<Commit> {
        self.raw()?.commit()
    }
    fn rollback(&mut self) {
        if let Ok(connection) = self.raw() {
            connection.rollback();
        }
    }
    fn waited(&self) -> Duration {
        self.baton.as_ref().map_or(Duration::ZERO, |baton| baton.connection.waited)
    }
}
