//! What a handler is given.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, ErrorCode, Result};
use crate::json::Json;
use crate::runs::{Heartbeat, Run, RunState};
use crate::store::Store;
use crate::transaction::Tx;

/// A run in a handler's hands, and its ways to the store. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    run: Run,
    store: Store,
    /// Over the worker's own connections.
    own: Store,
    canceled: Arc<AtomicBool>,
}

impl Context {
    pub(super) fn new(run: Run, store: Store, own: Store, canceled: Arc<AtomicBool>) -> Self {
        Self { run, store, own, canceled }
    }

    /// The run as it was claimed.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Its input.
    pub fn input(&self) -> &Json {
        &self.run.input
    }

    /// Whether it is no longer wanted: canceled, its lease lost, or the worker gone without waiting. Then end soon; what
    /// the handler returns will not count.
    pub fn canceled(&self) -> bool {
        self.canceled.load(Ordering::Acquire)
    }

    /// The store, for whatever the work needs.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Tells how far the work is, and extends the lease; the worker extends it by itself as well.
    ///
    /// Errors: `lease_lost` where the run is no longer this handler's, canceled included.
    pub fn heartbeat(&self, progress: Json) -> Result<()> {
        self.beat(Some(progress))
    }

    /// As [`Context::heartbeat`]; without `progress` what was told before stays.
    pub fn beat(&self, progress: Option<Json>) -> Result<()> {
        let beat = Heartbeat { progress, ..Heartbeat::new(&self.run.id, self.run.lease) };
        let told = self.own.runs().heartbeat(&beat).and_then(|run| still(&run));
        self.noted(told)
    }

    /// Runs `work` in one transaction that commits only while the run is still this handler's, and extends its lease.
    ///
    /// Errors: those of the work; `lease_lost` where the run was canceled or taken: nothing was written then.
    pub fn transaction<T>(&self, work: impl FnOnce(&Tx<'static>) -> Result<T>) -> Result<T> {
        let tx = self.begin()?;
        match work(&tx) {
            Ok(value) => self.commit(tx).map(|()| value),
            Err(error) => {
                tx.rollback_after(&error);
                self.noted(Err(error))
            }
        }
    }

    /// Opens a transaction that [`Context::commit`] ends; dropped, it is rolled back.
    pub fn begin(&self) -> Result<Tx<'static>> {
        self.store.begin()
    }

    /// Commits what [`Context::begin`] opened, if the run is still this handler's, and extends its lease with it.
    ///
    /// Errors: as [`Tx::commit`]; `lease_lost` where the run was canceled or taken: nothing was written then.
    pub fn commit(&self, tx: Tx<'static>) -> Result<()> {
        let run = tx.runs().heartbeat(&Heartbeat::new(&self.run.id, self.run.lease));
        let done = match run.and_then(|run| still(&run)) {
            Ok(()) => tx.commit(),
            Err(error) => {
                tx.rollback_after(&error);
                Err(error)
            }
        };
        self.noted(done)
    }

    /// Remembers that the lease is gone.
    fn noted<T>(&self, result: Result<T>) -> Result<T> {
        if result.as_ref().is_err_and(|error| error.code() == ErrorCode::LeaseLost) {
            self.canceled.store(true, Ordering::Release);
        }
        result
    }
}

/// Refuses to go on with a run that was canceled.
fn still(run: &Run) -> Result<()> {
    if run.state == RunState::Canceled {
        return Err(Error::new(ErrorCode::LeaseLost, format!("the run {} was canceled", run.id)));
    }
    Ok(())
}
