//! The loop that claims, executes, extends leases and reports (DESIGN.md §5 "Worker").

mod claimer;
mod context;
mod execute;
mod handlers;
mod heartbeats;
mod held;
mod metrics;
mod options;
mod pace;
mod report;
mod rest;
mod shared;
mod state;
mod syncs;

pub use context::Context;
pub use handlers::{Handler, HandlerError, Outcome};
pub use metrics::WorkerMetrics;
pub use options::WorkerOptions;

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorCode, Result};
use crate::session::locked;
use crate::store::Store;
use shared::Shared;

/// The longest that a stop waits for the database to take back what is let go.
const LETTING_GO: Duration = Duration::from_secs(2);

/// Works runs: a handler per kind, several at a time, each on a thread of its own.
///
/// No transaction of the library is open while a handler runs. A handler that fails or panics fails its attempt; one whose
/// run was canceled is told by [`Context::canceled`]. Dropped while at work, it lets go of its runs without waiting.
///
/// ```
/// use std::time::Duration;
/// use sprongus::{Json, Options, RunState, Store};
/// use sprongus::runs::{Enqueue, GetRun};
/// use sprongus::worker::{Outcome, WorkerOptions};
/// let store = Store::open(":memory:", Options::default())?;
/// let run = store.runs().enqueue(&Enqueue::new("greet", Json::parse(r#""Ada""#)?))?;
/// let worker = store.worker(WorkerOptions::default())?;
/// worker.handle("greet", |context| {
///     let name = context.input().to_value();
///     Ok(Outcome::Output(Json::from_serialize(&format!("hello {}", name.as_str().unwrap_or("you")))?))
/// })?;
/// worker.run_until_idle(Duration::ZERO)?;
/// assert_eq!(store.runs().get(&GetRun::new(&run.id))?.state, RunState::Succeeded);
/// # Ok::<(), sprongus::Error>(())
/// ```
pub struct Worker {
    shared: Arc<Shared>,
}

impl Store {
    /// A worker over this store, on connections of its own beside `pool_size`.
    ///
    /// Errors: `invalid_argument`.
    pub fn worker(&self, options: WorkerOptions) -> Result<Worker> {
        options.check()?;
        let made = || format!("{}-{}", std::process::id(), crate::id::new_id());
        let worker_id = options.worker_id.clone().unwrap_or_else(made);
        Ok(Worker { shared: Shared::new(self.clone(), options, worker_id) })
    }
}

impl Worker {
    /// Its name, as runs and events carry it.
    pub fn worker_id(&self) -> &str {
        &self.shared.worker_id
    }

    /// Works runs of that kind by that handler; `sync/*` is every kind that begins with `sync/`, where none fits better.
    ///
    /// Errors: `invalid_argument`; `misuse` while it is at work.
    pub fn handle<F>(&self, kind: &str, handler: F) -> Result<()>
    where
        F: Fn(&Context) -> Result<Outcome, HandlerError> + Send + Sync + 'static,
    {
        self.handle_with(kind, Arc::new(handler))
    }

    /// The same for a handler that is not a closure.
    pub fn handle_with(&self, kind: &str, handler: Arc<dyn Handler>) -> Result<()> {
        crate::text::check_name("the kind", kind)?;
        if self.shared.is_working() {
            return Err(Error::misuse("the worker is at work: give it its handlers before"));
        }
        locked(&self.shared.handlers).put(kind, handler);
        Ok(())
    }

    /// Works until [`Worker::stop`] is called from another thread; returns when all handlers have ended.
    ///
    /// Errors: `misuse` where it is at work already or has no handler; what makes claiming hopeless: the store closed,
    /// a scope missing. A database that is away for a while is no error.
    pub fn run(&self) -> Result<()> {
        self.begin()?;
        work(&self.shared, None)
    }

    /// Works until nothing of its kinds is running anywhere, due, or due within `patience`. Errors: as [`Worker::run`].
    pub fn run_until_idle(&self, patience: Duration) -> Result<()> {
        self.begin()?;
        work(&self.shared, Some(patience))
    }

    /// Works on threads of its own until [`Worker::stop`]. Errors: `misuse` where it is at work already or has no handler.
    pub fn start(&self) -> Result<()> {
        self.begin()?;
        let shared = self.shared.clone();
        let started = spawn("sprongus-claims", move || {
            if let Err(error) = work(&shared, None) {
                tracing::error!(code = %error.code(), "the worker gave up: {}", error.message());
            }
        });
        started.inspect_err(|_| self.let_go(1))
    }

    /// Claims no more and waits for the handlers to end, at most that long, or without end where no time is given.
    ///
    /// Whether all have ended. If not, the worker lets go, which takes it two seconds more at most: runs that have not begun
    /// are queued again with their attempt given back; handlers still running are told by [`Context::canceled`], and have a
    /// second to end before others may take their runs, which are then executed twice. Not to be called by a handler, which
    /// would wait for itself.
    pub fn stop(&self, timeout: Option<Duration>) -> bool {
        self.shared.stop();
        let ended = self.shared.wait_ended(timeout);
        if !ended {
            self.shared.abandon();
            self.shared.wait_let_go(LETTING_GO);
        }
        ended
    }

    /// What it has done since it was made, and what it is doing. Cheap: no database is asked.
    pub fn metrics(&self) -> WorkerMetrics {
        self.shared.metrics()
    }

    /// Starts the threads, but for the one that claims.
    fn begin(&self) -> Result<()> {
        if locked(&self.shared.handlers).kinds().is_empty() {
            return Err(Error::misuse("the worker has no handler: give it one with handle()"));
        }
        let mut works: Vec<(&str, Work)> = vec![
            ("sprongus-leases", heartbeats::run),
            ("sprongus-reports", |shared| report::run(shared, false)),
            ("sprongus-reports", |shared| report::run(shared, true)),
        ];
        works.extend(std::iter::repeat_n(("sprongus-worker", execute::run as Work), self.shared.options.concurrency));
        let threads = works.len() + 1;
        if !self.shared.begin(threads) {
            return Err(Error::misuse("the worker is at work already"));
        }
        for (started, (name, work)) in works.into_iter().enumerate() {
            let shared = self.shared.clone();
            let spawned = spawn(name, move || ended_after(&shared, work));
            spawned.inspect_err(|_| self.let_go(threads - started))?;
        }
        Ok(())
    }

    /// Gives up a start; so many of the threads it counted on never were.
    fn let_go(&self, missing: usize) {
        self.shared.abandon();
        self.shared.claims_over();
        self.shared.threads_ended(missing);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // In a forked child a thread of the parent's may hold the locks for ever; and the runs are the parent's.
        if self.shared.own.core().forked() {
            return;
        }
        self.shared.abandon();
        // A thread that has just ended may still be letting go of what it shares; the host's handlers end here and now.
        if !self.shared.is_working() {
            let handlers = std::mem::take(&mut *locked(&self.shared.handlers));
            drop(handlers);
        }
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("worker_id", &self.shared.worker_id).finish_non_exhaustive()
    }
}

/// Claims, then drains.
fn work(shared: &Shared, patience: Option<Duration>) -> Result<()> {
    struct Claiming<'s>(&'s Shared);
    impl Drop for Claiming<'_> {
        fn drop(&mut self) {
            self.0.claims_over();
        }
    }
    ended_after(shared, |shared| {
        let claiming = Claiming(shared);
        let result = claimer::run(shared, patience);
        drop(claiming);
        shared.wait_alone();
        result
    })
}

/// What a thread of a worker does, until there is nothing left to do.
type Work = fn(&Shared);

/// Counts the thread out when its work ends, by a panic too.
fn ended_after<T>(shared: &Shared, work: impl FnOnce(&Shared) -> T) -> T {
    struct Ended<'s>(&'s Shared);
    impl Drop for Ended<'_> {
        fn drop(&mut self) {
            self.0.threads_ended(1);
        }
    }
    let _ended = Ended(shared);
    work(shared)
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned.map(drop).map_err(|error| {
        Error::new(ErrorCode::Unavailable, format!("the system has no thread for the worker: {error}"))
            .with_source(error)
    })
}

/// The programs of the page on workers run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/worker.md")]
struct DocsPage;
