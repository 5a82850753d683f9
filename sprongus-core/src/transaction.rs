//! An open transaction: the same services, inside one commit, plus the host's own SQL.

mod ground;
mod state;

use std::sync::{Arc, Mutex};
use std::thread::ThreadId;

use self::state::{Held, Savepoint, State, ended};
use crate::artifacts::Artifacts;
use crate::aux_store::{Aux, Providers, counters};
use crate::config::Config;
use crate::db::{Commit, Connection, Executor, Row, Unit, Value, check_schema};
use crate::error::{Error, Result};
use crate::events::Events;
use crate::inbox::Inbox;
use crate::options::Options;
use crate::presets::Presets;
use crate::projects::Projects;
use crate::runs::Runs;
use crate::runs::approvals::Approvals;
use crate::runs::schedules::Schedules;
use crate::scope::Scope;
use crate::session::{After, Core, Session, Tallies, Who, locked};
use crate::settle::{Settled, settle};
use crate::sql;
use crate::store::{Store, os_user};
use crate::tables::Tables;

/// A transaction, or a savepoint within one (DESIGN.md §2 "One API, in or out of a transaction").
///
/// Our operations are atomic in it: one that fails has written nothing and the transaction goes on. A failed statement of
/// the host's own poisons it: it can then only be rolled back, to a savepoint or whole.
pub struct Tx<'c> {
    shared: Arc<Shared<'c>>,
    who: Arc<Who>,
    /// 0 for the transaction itself, else the number of the savepoint.
    number: u64,
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
        let state =
            State { held, open: Vec::new(), opened: 0, poisoned: None, own_events_from: None, after: After::default() };
        Self { shared: Arc::new(Shared { core, store, state: Mutex::new(state), thread }), who, number: 0, owner: true }
    }

    /// The documents of a table of a project, within this transaction.
    pub fn aux(&self, project: &str, table: &str) -> Aux<'_> {
        Aux::new(self.session(), project, table)
    }

    /// The presets, within this transaction.
    pub fn presets(&self) -> Presets<'_> {
        Presets::new(self.session())
    }

    /// Approvals: leave to go on.
    pub fn approvals(&self) -> Approvals<'_> {
        Approvals::new(self.session())
    }

    /// Runs enqueued again and again.
    pub fn schedules(&self) -> Schedules<'_> {
        Schedules::new(self.session())
    }

    /// Messages from outside, each processed once.
    pub fn inbox(&self) -> Inbox<'_> {
        Inbox::new(self.session())
    }

    /// Versioned contents that never change.
    pub fn artifacts(&self) -> Artifacts<'_> {
        Artifacts::new(self.session())
    }

    /// The projects.
    pub fn projects(&self) -> Projects<'_> {
        Projects::new(self.session())
    }

    /// The settings, of the store and of its projects.
    pub fn config(&self) -> Config<'_> {
        Config::new(self.session())
    }

    /// Typed tables of the host's own.
    pub fn tables(&self) -> Tables<'_> {
        Tables::new(self.session())
    }

    /// What tables can be synced with.
    pub fn providers(&self) -> Providers<'_> {
        Providers::new(self.session())
    }

    /// The feed of all events.
    pub fn events(&self) -> Events<'_> {
        Events::new(self.session())
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
        Ok(Self { shared: self.shared.clone(), who, number: self.number, owner: false })
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
        let result = run(state.usable(self.number)?);
        if result.is_err() {
            state.poisoned = Some(state.open.len());
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
        let name = savepoint_name(state.open.len() + 1);
        state.usable(self.number)?.batch(&format!("SAVEPOINT {name}"))?;
        state.opened += 1;
        let number = state.opened;
        let After { signals, canceled, news, witness, .. } = &state.after;
        let (signals, canceled, news, witness) = (signals.len(), canceled.len(), news.len(), witness.clone());
        state.open.push(Savepoint { number, signals, canceled, news, witness, tallies: Tallies::default() });
        Ok(Self { shared: self.shared.clone(), who: self.who.clone(), number, owner: true })
    }

    /// Runs the work, then commits or rolls back.
    pub(crate) fn finish<T>(self, work: impl FnOnce(&Tx<'c>) -> Result<T>) -> Result<T> {
        match work(&self) {
            Ok(value) => self.commit().map(|()| value),
            Err(error) => {
                self.rollback_after(&error);
                Err(error)
            }
        }
    }

    /// Rolls back for that reason. Where even that fails, the reason is still what the host is told: a savepoint that
    /// stays open keeps the whole from being committed.
    pub(crate) fn rollback_after(self, reason: &Error) {
        if let Err(error) = self.rollback() {
            tracing::debug!(code = %error.code(), reason = %reason.code(), "a transaction could not be rolled back");
        }
    }

    /// Commits the transaction, or keeps the savepoint.
    ///
    /// Errors: `misuse` where a statement failed in it (it is rolled back then), where it has ended, or where it is the
    /// host's to commit; `outcome_unknown` where COMMIT's answer was lost and nothing of ours tells how it ended.
    pub fn commit(mut self) -> Result<()> {
        self.shared.core.check_process()?;
        self.owner = false;
        let mut state = locked(&self.shared.state);
        let depth = state.depth(self.number).ok_or_else(ended)?;
        if state.poisoned.is_some() {
            drop(state);
            self.undo()?;
            return Err(Error::misuse(
                "a statement failed in this transaction, so it was rolled back: nothing of it was written",
            ));
        }
        if state.open.len() > depth {
            drop(state);
            self.undo()?;
            return Err(Error::misuse(
                "a savepoint within was still open, so the transaction was rolled back: end savepoints first",
            ));
        }
        if depth > 0 {
            state.exec()?.batch(&format!("RELEASE SAVEPOINT {}", savepoint_name(depth)))?;
            if let Some(kept) = state.open.pop() {
                state.tallies().add_all(kept.tallies);
            }
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
        let call = self.shared.core.subscribers.call();
        let committed = connection.commit();
        drop(connection);
        let after = std::mem::take(&mut state.after);
        match committed? {
            Commit::Done => {}
            Commit::Unknown(error) => store.settle(&after, error)?,
        }
        self.shared.core.watch.tell(after.told());
        self.shared.core.cancels.tell(&after.canceled);
        self.shared.core.subscribers.tell(call, after.news);
        counters::add(&self.shared.core, after.tallies);
        Ok(())
    }

    /// Rolls back the transaction or the savepoint, and all savepoints within.
    ///
    /// Errors: `misuse` where it is the host's to roll back, `forked` in a child process: it goes on in the parent.
    pub fn rollback(mut self) -> Result<()> {
        self.shared.core.check_process()?;
        self.owner = false;
        self.undo()
    }

    fn undo(&self) -> Result<()> {
        if self.shared.core.forked() {
            // The connection and its transaction are the parent's: leaked, for closing it would end them.
            std::mem::forget(self.shared.clone());
            return Ok(());
        }
        let mut state = locked(&self.shared.state);
        let Some(depth) = state.depth(self.number) else { return Ok(()) };
        let Some(outer) = depth.checked_sub(1) else { return self.undo_whole(&mut state) };
        let name = savepoint_name(depth);
        state.exec()?.batch(&format!("ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}"))?;
        // An event that was undone is no witness of the rest.
        if let Some(undone) = state.open.split_off(outer).into_iter().next() {
            state.after.signals.truncate(undone.signals);
            state.after.canceled.truncate(undone.canceled);
            state.after.news.truncate(undone.news);
            state.after.witness = undone.witness;
        }
        if state.poisoned.is_some_and(|failed| failed >= depth) {
            state.poisoned = None;
        }
        Ok(())
    }

    fn undo_whole(&self, state: &mut State<'_>) -> Result<()> {
        if self.shared.store.is_none() {
            return Err(Error::misuse("the host's own transaction is rolled back by the host"));
        }
        if let Held::Ours(mut connection) = std::mem::replace(&mut state.held, Held::Ended) {
            self.shared.left();
            connection.rollback();
        }
        Ok(())
    }
}

/// The SQL name of the savepoint at that depth.
fn savepoint_name(depth: usize) -> String {
    format!("sprongus_{depth}")
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
        let lent_whole = self.number == 0 && self.shared.store.is_none();
        if self.owner
            && !lent_whole
            && let Err(error) = self.undo()
        {
            tracing::debug!(code = %error.code(), "a dropped transaction could not be rolled back");
        }
    }
}

impl Store {
    fn settle(&self, after: &After, error: Error) -> Result<()> {
        let (db, core) = (self.core().db()?, self.core());
        match settle(&db, self.seat(), after, Unit::Transaction, error, core.deadline())? {
            Settled::Committed => Ok(()),
            Settled::Lost(error) => Err(error),
        }
    }
}
