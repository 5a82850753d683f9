//! What a service runs against: a store or an open transaction, and who is asking.

mod attempt;
mod core;
mod tally;
mod within;
mod work;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::db::{Connection, Dialect, Executor, Unit};
use crate::error::{Error, ErrorCode, Result};
use crate::options::Options;
use crate::scope::Grant;

pub(crate) use self::core::{Core, locked};
pub(crate) use tally::{Tallies, Tally};
pub(crate) use within::Within;
pub(crate) use work::{After, Witness, Work, now_param, present};

/// Who acts, why, and within what.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    pub(crate) actor: Arc<str>,
    pub(crate) reason: Option<Arc<str>>,
    pub(crate) grant: Option<Arc<Grant>>,
}

/// A piece of writing that any thread may do.
pub(crate) type SentWork = Box<dyn FnMut(&mut Work<'_>) -> Result<()> + Send>;

/// A store or a transaction, as a service sees it.
pub(crate) trait Ground {
    fn core(&self) -> &Core;
    fn who(&self) -> &Who;
    /// With `snapshot` all statements see one state.
    fn read(&self, snapshot: bool, by: Instant, work: &mut dyn FnMut(&mut dyn Executor) -> Result<()>) -> Result<()>;
    /// The work is in force when this returns: committed, or part of the open transaction. It may be run more than once.
    fn write(&self, unit: Unit, by: Instant, work: &mut dyn FnMut(&mut Work<'_>) -> Result<()>) -> Result<()>;
    /// The same for work that owns what it needs: while another caller has the writer, that one may do it.
    fn send(&self, unit: Unit, by: Instant, mut work: SentWork) -> Result<()> {
        self.write(unit, by, &mut *work)
    }
    /// Writes with one statement in a commit of its own (PostgreSQL), beside an open transaction; not where there is no
    /// connection for it.
    fn beside(&self, by: Instant, work: &mut dyn FnMut(&mut dyn Executor) -> Result<()>) -> Result<()>;
    /// The same, to be kept beyond this call; an open transaction cannot be.
    fn lasting(&self) -> Option<Lasting>;
    /// The first position that an event of the open transaction may have (SQLite).
    fn own_events_from(&self) -> Option<i64>;
    /// Whether it is one transaction, whose reads see no end of what others do.
    fn in_transaction(&self) -> bool;
}

/// A store, kept.
pub(crate) type Lasting = Arc<dyn Ground + Send + Sync>;

/// A service's way to the database, the same from a store and from a transaction.
#[derive(Clone, Copy)]
pub(crate) struct Session<'s> {
    ground: &'s (dyn Ground + 's),
    /// The deadline of the call under way; none: each piece of work has its own.
    by: Option<Instant>,
}

impl<'s> Session<'s> {
    pub(crate) fn new(ground: &'s (dyn Ground + 's)) -> Self {
        Self { ground, by: None }
    }

    /// The same for one call of several steps: all their waiting ends by one deadline (DESIGN.md §2 "SQLite").
    pub(crate) fn one_call(self) -> Self {
        Self { by: self.by.or_else(|| Some(self.core().deadline())), ..self }
    }

    /// When the next step has waited long enough; `timeout` where the steps before it have already.
    fn by(&self) -> Result<Instant> {
        match self.by {
            None => Ok(self.core().deadline()),
            Some(by) if Instant::now() < by => Ok(by),
            Some(_) => Err(Error::new(ErrorCode::Timeout, "the call waited as long as call_timeout allows")),
        }
    }

    pub(crate) fn core(&self) -> &'s Core {
        self.ground.core()
    }

    pub(crate) fn options(&self) -> &'s Options {
        &self.ground.core().options
    }

    pub(crate) fn who(&self) -> &'s Who {
        self.ground.who()
    }

    pub(crate) fn in_transaction(&self) -> bool {
        self.ground.in_transaction()
    }

    /// Reads with one statement, or with several that need not agree.
    pub(crate) fn read<T>(&self, mut work: impl FnMut(&mut dyn Executor) -> Result<T>) -> Result<T> {
        let mut out = None;
        self.ground.read(false, self.by()?, &mut |exec| work(exec).map(|value| out = Some(value)))?;
        taken(out)
    }

    /// Reads with several statements that see one state.
    pub(crate) fn read_snapshot<T>(&self, mut work: impl FnMut(&mut dyn Executor) -> Result<T>) -> Result<T> {
        let mut out = None;
        self.ground.read(true, self.by()?, &mut |exec| work(exec).map(|value| out = Some(value)))?;
        taken(out)
    }

    /// A connection for one long piece of reading and what it notes in temporary tables (SQLite); none in memory.
    pub(crate) fn scratch(&self) -> Result<Option<Box<dyn Connection>>> {
        self.core().db()?.scratch(self.by()?)
    }

    /// Writes with at most one statement on PostgreSQL, which commits by itself; a transaction on SQLite.
    pub(crate) fn write_one<T>(&self, work: impl FnMut(&mut Work<'_>) -> Result<T>) -> Result<T> {
        self.write_as(Unit::Statement, work)
    }

    /// The same by work that owns what it needs, so that callers side by side need not wake one another on SQLite: whoever
    /// has the writer does it.
    pub(crate) fn send_one<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut Work<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.may_write()?;
        let out = Arc::new(Mutex::new(None));
        let done = out.clone();
        let work = move |at: &mut Work<'_>| work(at).map(|value| *locked(&done) = Some(value));
        self.ground.send(Unit::Statement, self.by()?, Box::new(work))?;
        let out = locked(&out).take();
        taken(out)
    }

    /// Writes in one transaction; in an open one, in a savepoint: an error has written nothing.
    pub(crate) fn write<T>(&self, work: impl FnMut(&mut Work<'_>) -> Result<T>) -> Result<T> {
        self.write_as(Unit::Transaction, work)
    }

    /// As [`Session::write`], with no statement timeout over the work.
    pub(crate) fn write_bulk<T>(&self, work: impl FnMut(&mut Work<'_>) -> Result<T>) -> Result<T> {
        self.write_as(Unit::Bulk, work)
    }

    /// One of many writes of which the last, by [`write_bulk`](Self::write_bulk), makes all of them last.
    pub(crate) fn write_step<T>(&self, work: impl FnMut(&mut Work<'_>) -> Result<T>) -> Result<T> {
        self.write_as(Unit::Step, work)
    }

    /// Writes with one statement in a commit of its own, beside an open transaction (PostgreSQL); `None` where that cannot be.
    pub(crate) fn beside<T>(&self, mut work: impl FnMut(&mut dyn Executor) -> Result<T>) -> Result<Option<T>> {
        let mut out = None;
        self.ground.beside(self.by()?, &mut |exec| work(exec).map(|value| out = Some(value)))?;
        Ok(out)
    }

    /// Writes in a short transaction of its own if the writer is free just now, for what can as well be done another time:
    /// `None` within a transaction and on a store that is only read, `busy` where somebody else writes.
    pub(crate) fn write_in_passing<T>(&self, mut work: impl FnMut(&mut Work<'_>) -> Result<T>) -> Result<Option<T>> {
        let options = self.options();
        if options.read_only || self.in_transaction() {
            return Ok(None);
        }
        let by = match self.core().dialect() {
            // That long before the deadline of a call ends its share of waiting for the writer.
            Dialect::Sqlite => Instant::now() + options.call_timeout.saturating_sub(options.busy_timeout),
            Dialect::Postgres => Instant::now() + options.call_timeout.min(Duration::from_secs(1)),
        };
        let mut out = None;
        self.ground.write(Unit::Transaction, by, &mut |at| work(at).map(|value| out = Some(value)))?;
        Ok(out)
    }

    /// See [`Ground::lasting`].
    pub(crate) fn lasting(&self) -> Option<Lasting> {
        self.ground.lasting()
    }

    /// See [`Ground::own_events_from`].
    pub(crate) fn own_events_from(&self) -> Option<i64> {
        self.ground.own_events_from()
    }

    /// Refuses a writing call through a store that was opened read_only, also where it would find nothing to write.
    pub(crate) fn may_write(&self) -> Result<()> {
        match self.options().read_only {
            true => Err(Error::new(ErrorCode::PermissionDenied, "the store was opened read_only")),
            false => Ok(()),
        }
    }

    fn write_as<T>(&self, unit: Unit, mut work: impl FnMut(&mut Work<'_>) -> Result<T>) -> Result<T> {
        self.may_write()?;
        let mut out = None;
        let written = self.ground.write(unit, self.by()?, &mut |work_at| work(work_at).map(|value| out = Some(value)));
        if unit != Unit::Statement {
            // After it is in force: who looked before that has not seen it.
            self.core().count_transaction();
        }
        written.and_then(|()| taken(out))
    }
}

fn taken<T>(out: Option<T>) -> Result<T> {
    out.ok_or_else(|| Error::new(ErrorCode::Panic, "the work ended without a result"))
}
