//! Durable runs: enqueued once, executed at least once, each report fenced by its lease (DESIGN.md §5).

mod model;
mod requests;
mod state;

pub use model::Run;
pub use requests::{
    Cancel, Claim, Enqueue, EnqueueMany, Fail, GetRun, Heartbeat, ListRuns, Order, Rescue, RunEvents, RunOutput,
    StartRun, Succeed,
};
pub use state::RunState;

use crate::error::{Error, ErrorCode, Result};
use crate::events::Event;
use crate::json::Json;
use crate::page::Page;
use crate::session::Session;

/// The runs of a store, or of an open transaction; from [`Store::runs`](crate::Store::runs) or [`Tx::runs`](crate::Tx::runs).
///
/// Errors of all: `permission_denied` where the handle lacks the scope, `not_found` for an id of another project, and those
/// of the database.
///
/// ```no_run
/// use sprongus::{Json, Options, RunState, Store};
/// use sprongus::runs::{Claim, Enqueue, Succeed};
/// let store = Store::open(":memory:", Options::default())?;
/// let run = store.runs().enqueue(&Enqueue::new("resize", Json::parse(r#"{"file":"a.png"}"#)?))?;
/// let mine = store.runs().claim_next(&Claim::new("worker-1"))?.remove(0);
/// assert_eq!((mine.id.as_str(), mine.attempt), (run.id.as_str(), 1));
/// let done = store.runs().succeed(&Succeed::new(&mine.id, mine.lease))?;
/// assert_eq!(done.state, RunState::Succeeded);
/// # Ok::<(), sprongus::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Runs<'s> {
    session: Session<'s>,
}

impl<'s> Runs<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    /// Puts a run into the queue, or gives the one already there under its idempotency key (`deduplicated`).
    ///
    /// Errors: `invalid_argument`; `conflict` where the key belongs to a run of another kind or input; `too_large`;
    /// `validation` where the kind is bound to a preset.
    pub fn enqueue(&self, request: &Enqueue) -> Result<Run> {
        let _ = (&self.session, request);
        Err(Error::new(ErrorCode::Unsupported, "not there yet"))
    }

    /// Puts runs into the queue, all or none; the answer is in their order. Errors: as [`Runs::enqueue`].
    pub fn enqueue_many(&self, request: &EnqueueMany) -> Result<Vec<Run>> {
        let _ = (&self.session, request);
        Err(Error::new(ErrorCode::Unsupported, "not there yet"))
    }

    /// Takes due runs for a worker: highest priority first, then the earliest `run_at`, then by id; none is no error.
    ///
    /// Runs whose lease has run out are rescued within the same call. Errors: `invalid_argument`.
    pub fn claim_next(&self, request: &Claim) -> Result<Vec<Run>> {
        let _ = (&self.session, request);
        Err(Error::new(ErrorCode::Unsupported, "not there yet"))
    }

    /// Begins a run that was claimed with `dispatch`; once more under the same lease is no change.
    ///
    /// Errors: `invalid_state`, `lease_lost`, `not_found`.
    pub fn start(&self, request: &StartRun) -> Result<Run> {
        let _ = (&self.session, request);
        Err(Error::new(ErrorCode::Unsupported, "not there yet"))
    }

    /// Extends the lease of a running run and may tell its progress; a canceled run is returned as it is.
    ///
    /// Errors: `lease_lost`, `invalid_state` where it was never claimed or not started, `not_found`, `too_large`.
    pub fn heartbeat(&self, request: &Heartbeat) -> Result<Run> {
        let _ = (&self.session, request);
        Err(Error::new(ErrorCode::Unsupported, "not there yet"))
    }

    /// Reports success. The same again under the same lease gives the stored outcome.
    ///
    /// Errors: `lease_lost`, `invalid_state` where it was never claimed or not started, `not_found`, `invalid_argument`
    /// for an output and a reference together, `too_large`.
    pub fn succeed(&self, request: &Succeed) -> Result<Run> {
        let _ = (&self.session, request);
        Err(Error::new(ErrorCode::Unsupported, "not there yet"))
    }

    /// Reports failure: queued again with a delay while attempts are left and it is retryable, else failed.
    ///
    /// Errors: `lease_lost`, `invalid_state` where it was never claimed or not started, `not_found`, `invalid_argument`.
    pub fn fail(&self, request: &Fail) -> Result<Run> {
        let _ = (&self.session, request);
        Err(Error::new(ErrorCode::Unsupported, "not there yet"))
    }

    /// Cancels a run that is not final; its worker learns by its next heartbeat. Once more is no change.
    ///
    /// Errors: `invalid_state` where it ended otherwise, `not_found`.
    pub fn cancel(&self, request: &Cancel) -> Result<Run> {
        let _ = (&self.session, request);
        Err(Error::new(ErrorCode::Unsupported, "not there yet"))
    }

    /// Rescues runs whose lease has run out, and gives their number; claims do the same as they go.
    pub fn rescue(&self, request: &Rescue) -> Result<i64> {
        let _ = (&self.session, request);
        Err(Error::new(ErrorCode::Unsupported, "not there yet"))
    }

    /// One run. Errors: `not_found`.
    pub fn get(&self, request: &GetRun) -> Result<Run> {
        let _ = (&self.session, request);
        Err(Error::new(ErrorCode::Unsupported, "not there yet"))
    }

    /// Runs by filters, a page at a time. Errors: `invalid_argument`.
    pub fn list(&self, request: &ListRuns) -> Result<Page<Run>> {
        let _ = (&self.session, request);
        Err(Error::new(ErrorCode::Unsupported, "not there yet"))
    }

    /// All events of a run, in their order. Errors: `not_found`.
    pub fn events(&self, request: &RunEvents) -> Result<Vec<Event>> {
        let _ = (&self.session, request);
        Err(Error::new(ErrorCode::Unsupported, "not there yet"))
    }

    /// What a run's last success put out. Errors: `not_found` where there is none here: without an output, or kept elsewhere by
    /// `output_ref`.
    pub fn output(&self, request: &RunOutput) -> Result<Json> {
        let _ = (&self.session, request);
        Err(Error::new(ErrorCode::Unsupported, "not there yet"))
    }
}
