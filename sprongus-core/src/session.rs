//! What a service runs against: a store or an open transaction, and who is asking.

mod attempt;
mod tally;
mod within;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use crate::clock::Timestamp;
use crate::db::{Connection, Db, Dialect, Executor, Signals, Unit, Value, Watch};
use crate::error::{Error, ErrorCode, Result};
use crate::events::{Cancels, News, Signal, Subscribers};
use crate::options::Options;
use crate::scope::Grant;

pub(crate) use tally::{Tallies, Tally};
pub(crate) use within::Within;

/// What all handles of one opened store share.
pub(crate) struct Core {
    pub(crate) options: Options,
    pub(crate) watch: Watch,
    pub(crate) cancels: Cancels,
    pub(crate) subscribers: Arc<Subscribers>,
    db: RwLock<Option<Arc<Db>>>,
    dialect: Dialect,
    closed: AtomicBool,
    /// The process that opened it: after a fork, everything here belongs to the parent.
    process: u32,
    /// Threads with a transaction of this store open, for the check against using the store inside it.
    inside: Mutex<Vec<ThreadId>>,
    inside_count: AtomicUsize,
    transactions: AtomicU64,
    shared: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Core {
    pub(crate) fn new(options: Options, dialect: Dialect, db: Option<Db>) -> Self {
        Self {
            options,
            watch: Watch::new(db.as_ref().and_then(Db::watcher)),
            cancels: Cancels::default(),
            subscribers: Arc::default(),
            db: RwLock::new(db.map(Arc::new)),
            dialect,
            closed: AtomicBool::new(false),
            process: std::process::id(),
            inside: Mutex::default(),
            inside_count: AtomicUsize::new(0),
            transactions: AtomicU64::new(0),
            shared: Mutex::default(),
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How many writes of more than one statement there have been. Those of one, and what is sent, let nothing fall due: runs
    /// are enqueued, claimed and reported as succeeded, and leases extended.
    pub(crate) fn transactions(&self) -> u64 {
        self.transactions.load(Ordering::Acquire)
    }

    /// Refuses a store inherited by a fork, or closed.
    pub(crate) fn check(&self) -> Result<()> {
        self.check_process()?;
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::misuse("the store is closed"));
        }
        Ok(())
    }

    pub(crate) fn check_process(&self) -> Result<()> {
        if self.forked() {
            return Err(Error::new(
                ErrorCode::Forked,
                "this store was opened before fork(): open one in the child process, and on SQLite fork before opening",
            ));
        }
        Ok(())
    }

    pub(crate) fn forked(&self) -> bool {
        std::process::id() != self.process
    }

    /// The database, for a call on the store itself: not from inside its own transaction.
    pub(crate) fn db(&self) -> Result<Arc<Db>> {
        self.check()?;
        if self.inside_count.load(Ordering::Acquire) > 0 && locked(&self.inside).contains(&std::thread::current().id())
        {
            return Err(Error::misuse(
                "this thread has a transaction of this store open: call the transaction, not the store",
            ));
        }
        self.opened()
    }

    /// The same for a commit of its own beside a transaction of this thread.
    pub(crate) fn db_beside(&self) -> Result<Arc<Db>> {
        self.check()?;
        self.opened()
    }

    fn opened(&self) -> Result<Arc<Db>> {
        let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
        db.clone().ok_or_else(|| Error::misuse("the store is closed"))
    }

    /// Marks the thread as inside a transaction.
    pub(crate) fn enter(&self) -> ThreadId {
        let thread = std::thread::current().id();
        locked(&self.inside).push(thread);
        self.inside_count.fetch_add(1, Ordering::AcqRel);
        thread
    }

    pub(crate) fn leave(&self, thread: ThreadId) {
        let mut inside = locked(&self.inside);
        if let Some(index) = inside.iter().position(|other| *other == thread) {
            inside.swap_remove(index);
            self.inside_count.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// No new calls; the database is closed when the last one under way has ended.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // In a forked child a thread of the parent's may hold the lock for ever.
        if !self.forked() {
            self.watch.close();
            self.subscribers.close();
            let db = self.db.write().unwrap_or_else(PoisonError::into_inner).take();
            drop(db);
        }
    }

    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.options.call_timeout
    }

    /// One value of that type for all handles of the store: caches that belong to a service.
    pub(crate) fn shared<T: Any + Send + Sync + Default>(&self) -> Arc<T> {
        let mut shared = locked(&self.shared);
        let slot = shared.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        slot.clone().downcast().unwrap_or_default()
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let db = self.db.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if self.forked() {
            // Closing would drop the parent's locks and end its server sessions.
            std::mem::forget(db);
        } else {
            // Before the database: on SQLite the writer's connection is the last to go.
            self.watch.close();
            self.subscribers.close();
        }
    }
}

pub(crate) fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

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
            self.core().transactions.fetch_add(1, Ordering::AcqRel);
        }
        written.and_then(|()| taken(out))
    }
}

fn taken<T>(out: Option<T>) -> Result<T> {
    out.ok_or_else(|| Error::new(ErrorCode::Panic, "the work ended without a result"))
}

/// A piece of writing under way: the executor, and what is done once it is committed.
pub(crate) struct Work<'w> {
    exec: &'w mut dyn Executor,
    core: &'w Core,
    who: &'w Who,
    waited: Duration,
    pub(crate) after: After,
}

/// What a piece of writing leaves to be done after its commit.
#[derive(Debug, Default)]
pub(crate) struct After {
    /// An event of the work: it is there if, and only if, the work was committed.
    pub(crate) witness: Option<Witness>,
    pub(crate) signals: Vec<Signal>,
    /// Runs that were canceled.
    pub(crate) canceled: Vec<String>,
    /// The events that were written, where somebody listens.
    pub(crate) news: Vec<News>,
    /// What became of the entries of tables.
    pub(crate) tallies: Tallies,
}

impl After {
    /// Takes over what a part of the work left.
    fn add(&mut self, part: Self) {
        let Self { witness, signals, canceled, news, tallies } = part;
        self.witness = witness.or_else(|| self.witness.take());
        self.signals.extend(signals);
        self.canceled.extend(canceled);
        self.news.extend(news);
        self.tallies.add_all(tallies);
    }

    /// What those who wait are told.
    pub(crate) fn told(&self) -> Signals {
        let event: &[Signal] = if self.witness.is_some() { &[Signal::Event] } else { &[] };
        Signals::of(&self.signals).with(Signals::of(event))
    }
}

/// The key and the id of an event.
#[derive(Debug, Clone)]
pub(crate) struct Witness {
    pub(crate) subject: String,
    pub(crate) seq: i64,
    pub(crate) id: String,
}

impl<'w> Work<'w> {
    pub(crate) fn new(exec: &'w mut dyn Executor, core: &'w Core, who: &'w Who, waited: Duration) -> Self {
        Self { exec, core, who, waited, after: After::default() }
    }

    pub(crate) fn exec(&mut self) -> &mut dyn Executor {
        self.exec
    }

    pub(crate) fn options(&self) -> &'w Options {
        &self.core.options
    }

    pub(crate) fn who(&self) -> &'w Who {
        self.who
    }

    /// Those in this process who want to know of events.
    pub(crate) fn subscribers(&self) -> &'w Arc<Subscribers> {
        &self.core.subscribers
    }

    /// Whether there are any.
    pub(crate) fn has_listeners(&self) -> bool {
        self.core.subscribers.any()
    }

    /// How long the writer was waited for.
    pub(crate) fn waited(&self) -> Duration {
        self.waited
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.exec.dialect()
    }

    /// The parameter behind [`Dialect::now`]: this process's time on SQLite, NULL on PostgreSQL, whose own clock decides.
    pub(crate) fn now(&self) -> Value<'static> {
        now_param(self.exec.dialect(), self.options())
    }

    pub(crate) fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        self.exec.execute(sql, params)
    }

    pub(crate) fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<crate::db::Row>> {
        self.exec.query(sql, params)
    }
}

/// The present as the database has it: its own clock on PostgreSQL, where a test's does not stand in its place.
pub(crate) fn present(exec: &mut dyn Executor, options: &Options) -> Result<Timestamp> {
    let dialect = exec.dialect();
    if dialect == Dialect::Sqlite {
        return Ok(options.clock.now());
    }
    let rows = exec.query(&format!("SELECT {}", dialect.now(1)), &[now_param(dialect, options)])?;
    rows.first()
        .map_or_else(|| Err(Error::new(ErrorCode::Storage, "the server did not tell its time")), |row| row.time(0))
}

/// See [`Work::now`].
pub(crate) fn now_param(dialect: Dialect, options: &Options) -> Value<'static> {
    let now: Option<Timestamp> = match dialect {
        Dialect::Sqlite => Some(options.clock.now()),
        Dialect::Postgres => options.clock.for_database(),
    };
    now.into()
}
