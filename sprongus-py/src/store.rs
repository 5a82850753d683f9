//! `Store`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyAny;
use sprongus::{Error, Rate, Rates, Result, Scope, ScopedOptions, WorkerOptions};

use crate::approvals::Approvals;
use crate::args::{Text, Texts, Whole, text, texts};
use crate::artifacts::Artifacts;
use crate::aux_table::AuxTable;
use crate::block::TransactionBlock;
use crate::call::{Detached, wait};
use crate::config::Config;
use crate::error::raised;
use crate::events::Events;
use crate::ground::Ground;
use crate::inbox::Inbox;
use crate::presets::Presets;
use crate::projects::Projects;
use crate::providers::Providers;
use crate::records::Report;
use crate::runs::Runs;
use crate::schedules::Schedules;
use crate::tables::Tables;
use crate::time::Seconds;
use crate::worker::Worker;
use crate::{host_sql, json_out};

/// A store: runs, aux entries and presets in one SQLite file or PostgreSQL database. Made by `sprongus.open`.
///
/// Any thread may use it; every call that can wait releases the GIL, and Ctrl-C ends the wait. It does not survive
/// `os.fork()` (`ForkedError`) and does not pickle: open another in the other process. As a context manager it closes.
///
/// >>> with sprongus.open(":memory:") as store:
/// ...     store.query("SELECT 1 AS one")
/// [{'one': 1}]
#[pyclass(module = "sprongus", frozen, weakref)]
pub(crate) struct Store {
    inner: Arc<Detached<sprongus::Store>>,
}

impl Store {
    pub(crate) fn new(store: sprongus::Store) -> Self {
        Self { inner: Arc::new(Detached::new(store)) }
    }

    fn ground(&self) -> Ground {
        Ground::Store(self.inner.clone())
    }
}

#[pymethods]
impl Store {
    /// `"sqlite"` or `"postgres"`.
    #[getter]
    fn backend(&self) -> &'static str {
        self.inner.backend().as_str()
    }

    /// The URL it was opened with, without the password.
    #[getter]
    fn url(&self) -> &str {
        self.inner.url()
    }

    /// The version of the schema in use.
    #[getter]
    fn schema_version(&self) -> i64 {
        self.inner.schema_version()
    }

    /// The runs: durable work, enqueued once and executed at least once.
    #[getter]
    fn runs(&self) -> Runs {
        Runs::new(self.ground())
    }

    /// Leave to go on: the gate before the queue, and what runs ask for while they run.
    #[getter]
    fn approvals(&self) -> Approvals {
        Approvals::new(self.ground())
    }

    /// Messages from outside, each processed once.
    #[getter]
    fn inbox(&self) -> Inbox {
        Inbox::new(self.ground())
    }

    /// The feed of all events.
    #[getter]
    fn events(&self) -> Events {
        Events::new(self.ground())
    }

    /// Runs enqueued again and again.
    #[getter]
    fn schedules(&self) -> Schedules {
        Schedules::new(self.ground())
    }

    /// The documents of a table of a project.
    fn aux(&self, project: Text, table: Text) -> AuxTable {
        AuxTable::new(self.ground(), project.0, table.0)
    }

    /// The presets: definitions by which documents are checked.
    #[getter]
    fn presets(&self) -> Presets {
        Presets::new(self.ground())
    }

    /// Versioned contents that never change: reports, outputs, files.
    #[getter]
    fn artifacts(&self) -> Artifacts {
        Artifacts::new(self.ground())
    }

    /// Custom tables: typed tables of your own.
    #[getter]
    fn tables(&self) -> Tables {
        Tables::new(self.ground())
    }

    /// Projects on record.
    #[getter]
    fn projects(&self) -> Projects {
        Projects::new(self.ground())
    }

    /// Small settings, of the store or of a project.
    #[getter]
    fn config(&self) -> Config {
        Config::new(self.ground())
    }

    /// What tables can be synced with.
    #[getter]
    fn providers(&self) -> Providers {
        Providers::new(self.ground())
    }

    /// A worker over this store, on connections of its own beside `pool_size`.
    ///
    /// concurrency: how many handlers run at a time. lease: for how many seconds runs are claimed; extended as long as their
    /// handlers run. poll_interval: how often the database is asked where nothing woke the worker. projects: whose runs.
    #[pyo3(
        signature = (worker_id = None, *, concurrency = Whole(4), lease = None, poll_interval = None, projects = None),
        text_signature = "($self, worker_id=None, *, concurrency=4, lease=60.0, poll_interval=1.0, projects=None)"
    )]
    fn worker(
        &self,
        py: Python<'_>,
        worker_id: Option<Text>,
        concurrency: Whole,
        lease: Option<Seconds>,
        poll_interval: Option<Seconds>,
        projects: Option<Texts>,
    ) -> PyResult<Worker> {
        let default = WorkerOptions::default();
        let options = WorkerOptions {
            worker_id: text(worker_id),
            concurrency: concurrency.fit(py, "concurrency")?,
            lease: lease.map_or(default.lease, |lease| lease.0),
            poll_interval: poll_interval.map_or(default.poll_interval, |interval| interval.0),
            projects: projects.map(texts),
        };
        wait(py, || self.inner.worker(options)).map(Worker::new)
    }

    /// One transaction as a context manager: commits on leaving, rolls back on an exception.
    ///
    /// Inside it, call the transaction and not the store: that is a `MisuseError` on this thread.
    ///
    /// >>> with store.transaction() as tx:
    /// ...     tx.execute("INSERT INTO orders (id, cents) VALUES ($1, $2)", ["a-17", 4200])
    /// 1
    fn transaction(&self) -> TransactionBlock {
        TransactionBlock::on(self.ground())
    }

    /// Reads with SQL of your own, `$1..$n` on both databases; each row a dict by column name.
    ///
    /// Raises `InvalidArgumentError` for SQL that writes or that the database does not take. Ctrl-C ends it.
    ///
    /// >>> store.query("SELECT $1 + 1 AS n", [41])
    /// [{'n': 42}]
    #[pyo3(signature = (sql, params = None), text_signature = "($self, sql, params=())")]
    fn query<'py>(&self, py: Python<'py>, sql: Text, params: Option<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        let params = host_sql::params(py, params)?;
        let rows = wait(py, || self.inner.query(&sql.0, &params))?;
        host_sql::rows(py, &rows)
    }

    /// Runs one statement of your own in a transaction of its own; the number of rows it changed.
    #[pyo3(signature = (sql, params = None), text_signature = "($self, sql, params=())")]
    fn execute(&self, py: Python<'_>, sql: Text, params: Option<Bound<'_, PyAny>>) -> PyResult<u64> {
        let params = host_sql::params(py, params)?;
        wait(py, || self.inner.execute(&sql.0, &params))
    }

    /// A handle that neither sees nor touches another project and holds those scopes; on a scoped handle it only narrows.
    ///
    /// Scopes: `runs:read`, `runs:write`, `aux:read`, `aux:write`, `presets:read`, and `admin`, which lifts the wall.
    /// `rate`: for `enqueue` and `cancel`, how many in how many seconds, counted in the database by every process. Over it
    /// they raise `RateLimitedError`, whose `details["retryIn"]` are the seconds to wait; a handle made from this one has the
    /// tighter rate of both.
    ///
    /// Raises `PermissionDeniedError` where this handle does not hold what is asked for, `InvalidArgumentError` for what is no
    /// scope or no rate.
    ///
    /// >>> plugin = store.scoped("p12", ["runs:write"], rate={"enqueue": (100, 1.0)})
    /// >>> plugin.runs.enqueue("mail").project_id
    /// 'p12'
    #[pyo3(
        signature = (project, scopes = None, *, rate = None),
        text_signature = "($self, project, scopes=('runs:read', 'runs:write', 'aux:read', 'aux:write', 'presets:read'), *, rate=None)"
    )]
    fn scoped(
        &self,
        py: Python<'_>,
        project: Text,
        scopes: Option<Texts>,
        rate: Option<BTreeMap<String, (Whole, Seconds)>>,
    ) -> PyResult<Self> {
        let scoped = wait(py, || {
            let mut rate = rate.unwrap_or_default().into_iter();
            let rate = rate.try_fold(Rates::default(), |rates, (operation, (count, per))| {
                rates.with(&operation, Rate::new(count.0, per.0))
            })?;
            let scopes: Vec<Scope> = match scopes {
                None => Scope::DEFAULT.to_vec(),
                Some(names) => names.0.iter().map(|name| Scope::parse(name)).collect::<Result<_>>()?,
            };
            self.inner.scoped_with(&project.0, &ScopedOptions { scopes, rate })
        })?;
        Ok(Self::new(scoped))
    }

    /// PostgreSQL 15 or newer: puts row-level security on every table of ours, so that a role which does not own them sees the
    /// projects it is granted and no others, whatever SQL it runs; open the store as that role with `row_security=True`.
    ///
    /// To be called by the tables' owner, once, and after an update of the schema again. Raises `UnsupportedError` on SQLite
    /// and older servers, `PermissionDeniedError` for who does not own the tables.
    fn enable_row_security(&self, py: Python<'_>) -> PyResult<()> {
        wait(py, || self.inner.enable_row_security())
    }

    /// Grants a role of the server the rows of those projects and no others; "*" is every project and what belongs to the
    /// store, none takes everything back. Raises as `enable_row_security`, and `NotFoundError` for no such role.
    fn grant_projects(&self, py: Python<'_>, role: Text, projects: Texts) -> PyResult<()> {
        wait(py, || {
            let projects: Vec<&str> = projects.0.iter().map(String::as_str).collect();
            self.inner.grant_projects(&role.0, &projects)
        })
    }

    /// The same store, its events and history in the name of `actor`, for that reason.
    #[pyo3(signature = (actor, reason = None))]
    fn acting_as(&self, py: Python<'_>, actor: Text, reason: Option<Text>) -> PyResult<Self> {
        let reason = text(reason);
        wait(py, || self.inner.acting_as(&actor.0, reason.as_deref())).map(Self::new)
    }

    /// What this process did to the tables since the store was opened, rows made by syncs included.
    ///
    /// `tables`: by project and table, each with `created`, `updated`, `deleted` and `refused` documents. `syncs`: how many
    /// there were, how many failed, and their latency. A scoped handle sees its own project's tables.
    ///
    /// >>> asset = store.aux("p11", "assets").create({"title": "Coburg"})
    /// >>> [table["created"] for table in store.stats()["tables"] if table["projectId"] == "p11"]
    /// [1]
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let stats = wait(py, || self.inner.stats())?;
        json_out::serialized(py, &stats)
    }

    /// What is wrong with the store, or soon will be, and what to do about it. Needs `admin` on a scoped handle.
    ///
    /// It never writes and looks at a bounded number of rows; with `deep` it reads everything, for however long that takes:
    /// each page of a SQLite file, each index on PostgreSQL (where the extension amcheck is), each artifact.
    ///
    /// >>> print(store.doctor())
    /// nothing found
    #[pyo3(signature = (*, deep = false))]
    fn doctor<'py>(&self, py: Python<'py>, deep: bool) -> PyResult<Bound<'py, Report>> {
        Report::make(py, wait(py, || self.inner.examine(&sprongus::doctor::Examine { deep }))?)
    }

    /// SQLite: writes a consistent copy of the database to a new file. PostgreSQL: `UnsupportedError`, use pg_dump.
    fn snapshot(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        wait(py, || self.inner.snapshot(&path))
    }

    /// Brings the schema up to date, as opening does unless `migrate=False`; the version reached.
    fn migrate(&self, py: Python<'_>) -> PyResult<i64> {
        wait(py, || self.inner.migrate())
    }

    /// Refuses further calls, here and on every handle made from this one. Twice is nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        wait(py, || {
            self.inner.close();
            Ok(())
        })
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*exc), text_signature = "($self, *exc)")]
    fn __exit__(&self, py: Python<'_>, exc: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ = exc;
        self.close(py)
    }

    fn __repr__(&self) -> String {
        format!("<sprongus.Store {:?}>", self.inner.url())
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<()> {
        let error = Error::misuse("a Store does not pickle: it belongs to its process; open another in the other one");
        Err(raised(py, &error))
    }
}
