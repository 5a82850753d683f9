//! An open transaction: the same services, inside one commit, plus the host's own SQL.

use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use crate::aux_store::Aux;
use crate::db::{Commit, Connection, Executor, Lane, Row, Unit, Value, check_schema};
use crate::error::{Error, Result};
use crate::options::Options;
use crate::presets::Presets;
use crate::runs::Runs;
use crate::scope::Scope;
use crate::session::{After, Core, Ground, Session, Who, Witness, Work, locked};
use crate::settle::{Settled, settle};
use crate::sql;
use crate::store::{Store, os_user};

/// A transaction, or a savepoint within one (DESIGN.md §2 "One API, in or out of a transaction").
///
/// Our operations are atomic in it: one that fails has written nothing and the transaction goes on. A failed statement of
/// the host's own poisons it: it can then only be rolled back, to a savepoint or whole.
pub struct Tx<'c> {
    shared: Arc<Shared<'c>>,
    who: Arc<Who>,
    /// 0 for the transaction itself, n for the n-th savepoint within.
    level: usize,
    /// Dropping this handle rolls back what it opened.
    owner: bool,
}

struct Shared<'c> {
    core: Arc<Core>,
    /// None over a host's connection.
    store: Option<Store>,
    state: Mutex<State<'c>>,
    thread: Option<ThreadId>,
}

struct State<'c> {
    held: Held<'c>,
    /// How many savepoints are open.
    level: usize,
    /// The level at which a statement of the host's failed.
    poisoned: Option<usize>,
    after: After,
    /// What there was to do after the commit when each savepoint was opened.
    marks: Vec<Mark>,
}

struct Mark {
    signals: usize,
    witness: Option<Witness>,
}

enum Held<'c> {
    Ours(Box<dyn Connection>),
    Lent(Box<dyn Executor + 'c>),
    Ended,
}

impl State<'_> {
    fn exec(&mut self) -> Result<&mut dyn Executor> {
        match &mut self.held {
            Held::Ours(connection) => Ok(&mut **connection),
            Held::Lent(executor) => Ok(&mut **executor),
            Held::Ended => Err(ended()),
        }
    }

    /// The executor, for a call at that level: not after its end, not while poisoned.
    fn usable(&mut self, level: usize) -> Result<&mut dyn Executor> {
        if matches!(self.held, Held::Ended) || self.level < level {
            return Err(ended());
        }
        if self.poisoned.is_some() {
            return Err(poisoned());
        }
        self.exec()
    }

    fn waited(&self) -> Duration {
        match &self.held {
            Held::Ours(connection) => connection.waited(),
            _ => Duration::ZERO,
        }
    }
}

fn ended() -> Error {
    Error::misuse("the transaction has ended")
}

fn poisoned() -> Error {
    Error::misuse("a statement failed in this transaction: it can only be rolled back, to a savepoint or whole")
}

/// Our operations' savepoint within the host's transaction.
const OPERATION: &str = "sprongus_operation";

impl Tx<'static> {
    pub(crate) fn ours(store: Store, connection: Box<dyn Connection>) -> Self {
        let core = store.shared_core();
        let thread = Some(core.enter());
        let who = store.shared_who();
        Self::over(core, who, Some(store), thread, Held::Ours(connection))
    }
}

impl<'c> Tx<'c> {
    /// The services over a host's own connection and its open transaction; the host begins and commits.
    ///
    /// The schema must be there already (open a [`Store`] once, or run [`migration_sql`](crate::migration_sql)):
    /// `schema_version` otherwise. Options that concern connections have no effect.
    ///
    /// ```
    /// use sprongus::{LentSqlite, Options, Tx};
    /// let mut host = rusqlite::Connection::open_in_memory().unwrap();
    /// host.execute_batch(&sprongus::migration_sql(sprongus::Dialect::Sqlite)).unwrap();
    /// let own = host.transaction().unwrap();
    /// let tx = Tx::attach(LentSqlite::new(&own)?, Options::default())?;
    /// tx.execute("CREATE TABLE orders (id TEXT)", &[])?;
    /// drop(tx);
    /// own.commit().unwrap();
    /// # Ok::<(), sprongus::Error>(())
    /// ```
    pub fn attach(executor: impl Executor + 'c, options: Options) -> Result<Self> {
        options.check()?;
        let mut executor: Box<dyn Executor + 'c> = Box::new(executor);
        check_schema(&mut *executor)?;
        let actor = options.actor.clone().unwrap_or_else(os_user);
        let who = Arc::new(Who { actor: actor.into(), reason: None, grant: None });
        let core = Arc::new(Core::new(options, executor.dialect(), None));
        Ok(Self::over(core, who, None, None, Held::Lent(executor)))
    }

    fn over(core: Arc<Core>, who: Arc<Who>, store: Option<Store>, thread: Option<ThreadId>, held: Held<'c>) -> Self {
        let state = State { held, level: 0, poisoned: None, after: After::default(), marks: Vec::new() };
        Self { shared: Arc::new(Shared { core, store, state: Mutex::new(state), thread }), who, level: 0, owner: true }
    }

    /// The documents of a table of a project, within this transaction.
    pub fn aux(&self, project: &str, table: &str) -> Aux<'_> {
        Aux::new(self.session(), project, table)
    }

    /// The presets, within this transaction.
    pub fn presets(&self) -> Presets<'_> {
        Presets::new(self.session())
    }

    pub(crate) fn session(&self) -> Session<'_> {
        Session::new(self)
    }

    /// The runs, within this transaction.
    pub fn runs(&self) -> Runs<'_> {
        Runs::new(self.session())
    }

    /// The same transaction, its events and history in the name of `actor`, for that reason.
    pub fn acting_as(&self, actor: &str, reason: Option<&str>) -> Result<Self> {
        let who = Arc::new(self.who.acting_as(actor, reason)?);
        Ok(Self { shared: self.shared.clone(), who, level: self.level, owner: false })
    }

    /// Runs one statement of the host's own SQL; the number of rows it changed. One that fails poisons the transaction.
    pub fn execute(&self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        self.host(sql, |exec| exec.execute(sql, params))
    }

    /// Runs one statement of the host's own SQL (RETURNING included); its rows.
    pub fn query(&self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        self.host(sql, |exec| exec.query_host(sql, params))
    }

    fn host<T>(&self, sql: &str, run: impl FnOnce(&mut dyn Executor) -> Result<T>) -> Result<T> {
        self.session().allow(Scope::Admin)?;
        sql::check(sql, self.shared.core.dialect())?;
        self.shared.core.check()?;
        let mut state = locked(&self.shared.state);
        let result = run(state.usable(self.level)?);
        if result.is_err() {
            state.poisoned = Some(state.level);
        }
        result
    }

    /// Runs `work` in a savepoint: kept where it returns `Ok`, undone where it returns an error or panics.
    pub fn transaction<T>(&self, work: impl FnOnce(&Tx<'c>) -> Result<T>) -> Result<T> {
        self.savepoint()?.finish(work)
    }

    /// Opens a savepoint that the caller ends with [`Tx::commit`] or [`Tx::rollback`]; dropped, it is undone.
    pub fn savepoint(&self) -> Result<Self> {
        self.shared.core.check()?;
        let mut state = locked(&self.shared.state);
        let level = state.level + 1;
        state.usable(self.level)?.batch(&format!("SAVEPOINT sprongus_{level}"))?;
        state.level = level;
        let mark = Mark { signals: state.after.signals.len(), witness: state.after.witness.clone() };
        state.marks.push(mark);
        Ok(Self { shared: self.shared.clone(), who: self.who.clone(), level, owner: true })
    }

    /// Runs the work, then commits or rolls back.
    pub(crate) fn finish<T>(self, work: impl FnOnce(&Tx<'c>) -> Result<T>) -> Result<T> {
        match work(&self) {
            Ok(value) => self.commit().map(|()| value),
            Err(error) => {
                self.rollback()?;
                Err(error)
            }
        }
    }

    /// Commits the transaction, or keeps the savepoint.
    ///
    /// Errors: `misuse` where a statement failed in it (it is rolled back then), where it has ended, or where it is the
    /// host's to commit; `outcome_unknown` where COMMIT's answer was lost and nothing of ours tells how it ended.
    pub fn commit(mut self) -> Result<()> {
        self.owner = false;
        let mut state = locked(&self.shared.state);
        if matches!(state.held, Held::Ended) || state.level < self.level {
            return Err(ended());
        }
        if state.poisoned.is_some() {
            drop(state);
            self.undo()?;
            return Err(Error::misuse(
                "a statement failed in this transaction, so it was rolled back: nothing of it was written",
            ));
        }
        if state.level > self.level {
            drop(state);
            self.undo()?;
            return Err(Error::misuse(
                "a savepoint within was still open, so the transaction was rolled back: end savepoints first",
            ));
        }
        if self.level > 0 {
            state.exec()?.batch(&format!("RELEASE SAVEPOINT sprongus_{}", self.level))?;
            state.level -= 1;
            state.marks.pop();
            return Ok(());
        }
        self.commit_whole(&mut state)
    }

    fn commit_whole(&self, state: &mut State<'_>) -> Result<()> {
        let Some(store) = &self.shared.store else {
            return Err(Error::misuse("the host's own transaction is committed by the host"));
        };
        let Held::Ours(mut connection) = std::mem::replace(&mut state.held, Held::Ended) else {
            return Err(ended());
        };
        self.shared.left();
        let committed = connection.commit();
        drop(connection);
        let after = std::mem::take(&mut state.after);
        match committed? {
            Commit::Done => {}
            Commit::Unknown(error) => store.settle(&after, error)?,
        }
        self.shared.core.wake.signal(&after.signals);
        Ok(())
    }

    /// Rolls back the transaction or the savepoint, and all savepoints within.
    pub fn rollback(mut self) -> Result<()> {
        self.owner = false;
        self.undo()
    }

    fn undo(&self) -> Result<()> {
        let mut state = locked(&self.shared.state);
        if matches!(state.held, Held::Ended) || state.level < self.level {
            return Ok(());
        }
        if self.level == 0 {
            if self.shared.store.is_none() {
                return Err(Error::misuse("the host's own transaction is rolled back by the host"));
            }
            if let Held::Ours(mut connection) = std::mem::replace(&mut state.held, Held::Ended) {
                self.shared.left();
                if self.shared.core.forked() {
                    std::mem::forget(connection);
                } else {
                    connection.rollback();
                }
            }
            return Ok(());
        }
        let name = format!("sprongus_{}", self.level);
        state.exec()?.batch(&format!("ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}"))?;
        state.level = self.level - 1;
        // An event that was undone is no witness of the rest.
        let mark = state.marks.drain(self.level - 1..).next();
        if let Some(mark) = mark {
            state.after.signals.truncate(mark.signals);
            state.after.witness = mark.witness;
        }
        if state.poisoned.is_some_and(|level| level >= self.level) {
            state.poisoned = None;
        }
        Ok(())
    }
}

impl Shared<'_> {
    fn left(&self) {
        if let Some(thread) = self.thread {
            self.core.leave(thread);
        }
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        let lent_whole = self.level == 0 && self.shared.store.is_none();
        if self.owner
            && !lent_whole
            && let Err(error) = self.undo()
        {
            tracing::debug!(code = %error.code(), "a dropped transaction could not be rolled back");
        }
    }
}

impl Ground for Tx<'_> {
    fn core(&self) -> &Core {
        &self.shared.core
    }

    fn who(&self) -> &Who {
        &self.who
    }

    fn read(&self, _snapshot: bool, work: &mut dyn FnMut(&mut dyn Executor) -> Result<()>) -> Result<()> {
        self.in_savepoint(|exec, _| work(exec))
    }

    fn write(&self, _unit: Unit, work: &mut dyn FnMut(&mut Work<'_>) -> Result<()>) -> Result<()> {
        let after = self.in_savepoint(|exec, waited| {
            let mut at = Work::new(exec, &self.shared.core, &self.who, waited);
            work(&mut at).map(|()| at.after)
        })?;
        let mut state = locked(&self.shared.state);
        state.after.signals.extend(after.signals);
        if after.witness.is_some() {
            state.after.witness = after.witness;
        }
        Ok(())
    }
}

impl Tx<'_> {
    /// Runs a piece of ours so that its failure leaves nothing behind and the transaction usable.
    fn in_savepoint<T>(&self, work: impl FnOnce(&mut dyn Executor, Duration) -> Result<T>) -> Result<T> {
        self.shared.core.check()?;
        let mut state = locked(&self.shared.state);
        let waited = state.waited();
        let level = state.level;
        let exec = state.usable(self.level)?;
        exec.batch(&format!("SAVEPOINT {OPERATION}"))?;
        let result = work(exec, waited);
        let ended = match &result {
            Ok(_) => exec.batch(&format!("RELEASE SAVEPOINT {OPERATION}")),
            Err(_) => exec.batch(&format!("ROLLBACK TO SAVEPOINT {OPERATION}; RELEASE SAVEPOINT {OPERATION}")),
        };
        if let Err(error) = ended {
            // The transaction itself is gone (a full disk, a lost connection): nothing in it can be kept.
            state.poisoned = Some(level);
            return Err(result.err().unwrap_or(error));
        }
        result
    }
}

impl Store {
    fn settle(&self, after: &After, error: Error) -> Result<()> {
        let (db, core) = (self.core().db()?, self.core());
        match settle(&db, Lane::Host, after, Unit::Transaction, error, core.deadline())? {
            Settled::Committed => Ok(()),
            Settled::Lost(error) => Err(error),
        }
    }
}
