//! The face: opens a store, and hands out its services.

mod ground;
mod who;

use std::sync::Arc;
use std::time::Instant;

use crate::artifacts::Artifacts;
use crate::aux_store::counters::{self, StoreStats};
use crate::aux_store::{Aux, Providers};
use crate::config::Config;
use crate::db::{
    Db, Dialect, Lane, Row, SCHEMA_VERSION, Seat, Value, check_schema, is_outdated, migrate, row_security, shown,
};
use crate::doctor::{self, Examine, Report};
use crate::error::{Error, ErrorCode, Result};
use crate::events::Events;
use crate::inbox::Inbox;
use crate::options::{Location, Options};
use crate::presets::Presets;
use crate::projects::Projects;
use crate::runs::Runs;
use crate::runs::approvals::Approvals;
use crate::runs::schedules::Schedules;
use crate::scope::{Grant, Scope, ScopedOptions};
use crate::session::{Core, Session, Who};
use crate::sql;
use crate::tables::Tables;
use crate::transaction::Tx;

pub(crate) use who::os_user;

/// A store: runs, aux entries, presets and events in one SQLite file or PostgreSQL database.
///
/// Cheap to clone; all clones share its connections. Every call is synchronous, and any thread may make it.
///
/// ```
/// use sprongus::{Options, Store};
/// let store = Store::open(":memory:", Options::default())?;
/// assert_eq!(store.backend().as_str(), "sqlite");
/// # Ok::<(), sprongus::Error>(())
/// ```
#[derive(Clone)]
pub struct Store {
    core: Arc<Core>,
    who: Arc<Who>,
    lane: Lane,
    url: Arc<str>,
}

impl Store {
    /// Opens `app.db`, `sqlite:app.db`, `:memory:`, `postgresql://user@host/db` or `host=… dbname=…`, and brings its schema up
    /// to date.
    ///
    /// Errors: `invalid_argument` (the URL, a directory), `not_found` (its folder), `permission_denied`, `unsupported` (a
    /// network file system, an old database), `unavailable`, `corrupt` (not a database), `schema_version` (newer than this
    /// library, or not current where `migrate` is off). A password in the URL never shows in them.
    pub fn open(url: &str, options: Options) -> Result<Self> {
        options.check()?;
        let location = Location::parse(url)?;
        let db = Db::open(&location, &options)?;
        prepare_schema(&db, &options)?;
        if options.row_security {
            let deadline = Instant::now() + options.call_timeout;
            db.read(Lane::Host.into(), false, deadline, &mut |exec| row_security::check(exec))?;
        }
        let actor = options.actor.clone().unwrap_or_else(os_user);
        let dialect = db.dialect();
        let who = Who { actor: actor.into(), reason: None, grant: None };
        let core = Arc::new(Core::new(options, dialect, Some(db)));
        Ok(Self { core, who: Arc::new(who), lane: Lane::Host, url: shown(&location).into() })
    }

    /// Which database this is.
    pub fn backend(&self) -> Dialect {
        self.core.dialect()
    }

    /// The URL it was opened with, without the password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The version of the schema in use.
    pub fn schema_version(&self) -> i64 {
        SCHEMA_VERSION
    }

    /// The options it was opened with.
    pub fn options(&self) -> &Options {
        &self.core.options
    }

    /// Brings the schema up to date, as opening does with `migrate` on; the version reached. Needs `admin` on a scoped handle.
    pub fn migrate(&self) -> Result<i64> {
        self.session().allow(Scope::Admin)?;
        let db = self.core.db()?;
        let mut connection = db.hold(self.lane.into(), self.core.deadline())?;
        migrate(&mut *connection, self.core.options.schema.as_deref(), self.core.options.clock.now())
    }

    /// PostgreSQL 15 or newer: puts row-level security on every table of ours, so that a role which does not own them sees the
    /// projects it is granted ([`Store::grant_projects`]) and no others, whatever SQL it runs. To be called by the tables'
    /// owner, once, and after an update of the schema again; owners and superusers are not bound. Needs `admin` on a scoped
    /// handle. See docs/scopes.md.
    ///
    /// Errors: `unsupported` on SQLite and older servers, `permission_denied` for who does not own the tables.
    pub fn enable_row_security(&self) -> Result<()> {
        self.session().allow(Scope::Admin)?;
        let db = self.core.db()?;
        row_security::enable(&mut *db.hold(self.lane.into(), self.core.deadline())?)
    }

    /// Grants a role of the server the rows of those projects and no others, and the tables; `*` is every project and what
    /// belongs to the store, no project takes everything back. Row-level security must be enabled. Needs `admin` on a scoped
    /// handle.
    ///
    /// Errors: `unsupported`, `not_found` for a role that is not there, `permission_denied` for who does not own the tables.
    pub fn grant_projects(&self, role: &str, projects: &[&str]) -> Result<()> {
        self.session().allow(Scope::Admin)?;
        projects.iter().try_for_each(|project| crate::id::check_id("project", project))?;
        let db = self.core.db()?;
        row_security::grant(&mut *db.hold(self.lane.into(), self.core.deadline())?, role, projects)
    }

    /// Refuses further calls on all clones; the database is closed once those under way have ended. Twice is nothing.
    pub fn close(&self) {
        self.core.close();
    }

    /// The same store, its events and history in the name of `actor`, for that reason.
    pub fn acting_as(&self, actor: &str, reason: Option<&str>) -> Result<Self> {
        let who = self.who.acting_as(actor, reason)?;
        Ok(Self { who: Arc::new(who), ..self.clone() })
    }

    /// A handle that neither sees nor touches another project, and holds those scopes. On a scoped handle it only narrows.
    ///
    /// Errors: `permission_denied` where this handle does not hold what is asked for.
    pub fn scoped(&self, project: &str, scopes: &[Scope]) -> Result<Self> {
        self.scoped_with(project, &ScopedOptions { scopes: scopes.to_vec(), ..ScopedOptions::default() })
    }

    /// The same with rates, which every process counts in the database (docs/scopes.md "Rates").
    ///
    /// Errors: as [`Store::scoped`], and `invalid_argument` for what is no rate.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sprongus::runs::Enqueue;
    /// use sprongus::{ErrorCode, Json, Options, Rate, Rates, ScopedOptions, Store};
    /// let store = Store::open(":memory:", Options::default())?;
    /// let rate = Rates { enqueue: Some(Rate::new(1, Duration::from_secs(60))), ..Rates::default() };
    /// let plugin = store.scoped_with("p1", &ScopedOptions { rate, ..ScopedOptions::default() })?;
    /// plugin.runs().enqueue(&Enqueue::new("mail", Json::null()))?;
    /// let error = plugin.runs().enqueue(&Enqueue::new("mail", Json::null())).unwrap_err();
    /// assert_eq!(error.code(), ErrorCode::RateLimited);
    /// # Ok::<(), sprongus::Error>(())
    /// ```
    pub fn scoped_with(&self, project: &str, options: &ScopedOptions) -> Result<Self> {
        let grant = Grant::narrowed(self.who.grant.as_deref(), project, options)?;
        let who = Who { grant: Some(Arc::new(grant)), ..(*self.who).clone() };
        Ok(Self { who: Arc::new(who), ..self.clone() })
    }

    /// The same store over a worker's own connections, outside `pool_size`.
    pub(crate) fn for_worker(&self) -> Self {
        Self { lane: Lane::Worker, ..self.clone() }
    }

    /// The same over a connection that nothing but extending leases needs.
    pub(crate) fn for_leases(&self) -> Self {
        Self { lane: Lane::Leases, ..self.clone() }
    }

    /// Whose connections its calls use, and as which project where row-level security lies beneath.
    pub(crate) fn seat(&self) -> Seat<'_> {
        let project = self.core.options.row_security.then(|| self.session().confined()).flatten();
        Seat { lane: self.lane, project }
    }

    /// The runs of this store.
    pub fn runs(&self) -> Runs<'_> {
        Runs::new(self.session())
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

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    pub(crate) fn shared_core(&self) -> Arc<Core> {
        self.core.clone()
    }

    pub(crate) fn shared_who(&self) -> Arc<Who> {
        self.who.clone()
    }

    /// The documents of a table of a project.
    pub fn aux(&self, project: &str, table: &str) -> Aux<'_> {
        Aux::new(self.session(), project, table)
    }

    /// The presets of this store.
    pub fn presets(&self) -> Presets<'_> {
        Presets::new(self.session())
    }

    pub(crate) fn session(&self) -> Session<'_> {
        Session::new(self)
    }

    /// Runs `work` in one transaction: committed where it returns `Ok`, rolled back where it returns an error or panics.
    ///
    /// While it runs, calls on the store itself from this thread are `misuse`: call the transaction.
    ///
    /// ```
    /// # use sprongus::{Options, Store};
    /// let store = Store::open(":memory:", Options::default())?;
    /// store.execute("CREATE TABLE orders (id TEXT PRIMARY KEY, total INTEGER)", &[])?;
    /// store.transaction(|tx| {
    ///     tx.execute("INSERT INTO orders VALUES ($1, $2)", &["a-17".into(), 4200.into()])
    /// })?;
    /// let rows = store.query("SELECT total FROM orders", &[])?;
    /// assert_eq!(rows[0].get("total"), Some(&4200.into()));
    /// # Ok::<(), sprongus::Error>(())
    /// ```
    pub fn transaction<T>(&self, work: impl FnOnce(&Tx<'static>) -> Result<T>) -> Result<T> {
        self.begin()?.finish(work)
    }

    /// Opens a transaction that the caller ends with [`Tx::commit`] or [`Tx::rollback`]; dropped, it is rolled back.
    pub fn begin(&self) -> Result<Tx<'static>> {
        if self.core.options.read_only {
            return Err(Error::new(ErrorCode::PermissionDenied, "the store was opened read_only"));
        }
        let db = self.core.db()?;
        let mut connection = db.hold(self.seat(), self.core.deadline())?;
        connection.begin(true)?;
        Ok(Tx::ours(self.clone(), connection))
    }

    /// Reads with the host's own SQL: `$1..$n` on both databases. Errors: `invalid_argument` for SQL that writes.
    pub fn query(&self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        self.session().allow(Scope::Admin)?;
        sql::check(sql, self.backend())?;
        let deadline = self.core.deadline();
        let db = self.core.db()?;
        db.must_read(sql, deadline)?;
        let mut rows = Vec::new();
        let read = db.read(self.seat(), true, deadline, &mut |exec| exec.query_host(sql, params).map(|got| rows = got));
        read.map_err(sql::only_reads)?;
        Ok(rows)
    }

    /// Runs one statement of the host's own SQL in a transaction of its own; the number of rows it changed.
    pub fn execute(&self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        self.session().allow(Scope::Admin)?;
        let once = || self.transaction(|tx| tx.execute(sql, params));
        match once() {
            Err(error) if is_outdated(&error) => once(),
            result => result,
        }
    }

    /// What this process did to the tables since the store was opened, syncs included. Needs `aux:read`; a scoped handle sees
    /// its own project's tables.
    pub fn stats(&self) -> Result<StoreStats> {
        counters::of(self.session())
    }

    /// What is wrong with the store, or soon will be, and what to do about it. Needs `admin` on a scoped handle.
    ///
    /// It never writes and looks at a bounded number of rows; [`examine`](Store::examine) can do more.
    pub fn doctor(&self) -> Result<Report> {
        self.examine(&Examine::default())
    }

    /// The same, as closely as asked for.
    pub fn examine(&self, how: &Examine) -> Result<Report> {
        doctor::examine(self.session(), *how)
    }

    /// SQLite: writes a consistent copy of the database to a new file. PostgreSQL: `unsupported`, use pg_dump.
    pub fn snapshot(&self, path: &std::path::Path) -> Result<()> {
        self.session().allow(Scope::Admin)?;
        self.core.db()?.snapshot(path, self.core.deadline())
    }
}

fn prepare_schema(db: &Db, options: &Options) -> Result<()> {
    let deadline = Instant::now() + options.call_timeout;
    if options.migrate && !options.read_only {
        let mut connection = db.hold(Lane::Host.into(), deadline)?;
        return migrate(&mut *connection, options.schema.as_deref(), options.clock.now()).map(drop);
    }
    db.read(Lane::Host.into(), false, deadline, &mut |exec| check_schema(exec))
}
