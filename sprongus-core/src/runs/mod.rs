//! Durable runs: enqueued once, executed at least once, each report fenced by its lease (DESIGN.md §5).

mod binds;
mod cancel;
mod change;
mod claim;
mod congestion;
mod enqueue;
mod insert;
mod judge;
mod kinds;
mod lease;
mod list;
mod model;
mod read;
mod record;
mod report;
mod requests;
mod state;
mod sweep;

pub use model::Run;
pub use requests::{
    Cancel, Claim, Enqueue, EnqueueMany, Fail, GetRun, Heartbeat, ListRuns, Order, Rescue, RunEvents, RunOutput,
    StartRun, Succeed,
};
pub use state::RunState;

use crate::error::Result;
use crate::events::Event;
use crate::json::Json;
use crate::page::Page;
use crate::session::Session;

/// The runs of a store, or of an open transaction; from [`Store::runs`](crate::Store::runs) or [`Tx::runs`](crate::Tx::runs).
///
/// Errors of all: `permission_denied` where the handle lacks the scope, `not_found` for an id of another project, and those
/// of the database.
///
/// ```
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

    fn one_call(self) -> Self {
        Self { session: self.session.one_call() }
    }

    /// Puts a run into the queue, or gives the one already there under its idempotency key (`deduplicated`).
    ///
    /// Errors: `invalid_argument`; `conflict` where the key belongs to a run of another kind or input; `too_large`;
    /// `validation` where the kind is bound to a preset.
    pub fn enqueue(&self, request: &Enqueue) -> Result<Run> {
        self.one_call().do_enqueue(request)
    }

    /// Puts runs into the queue, all or none; the answer is in their order. Errors: as [`Runs::enqueue`].
    pub fn enqueue_many(&self, request: &EnqueueMany) -> Result<Vec<Run>> {
        // Not one deadline: judging many inputs is work, and no waiting.
        self.do_enqueue_many(request)
    }

    /// Takes due runs for a worker: highest priority first, then the earliest `run_at`, then by id; none is no error.
    ///
    /// Runs whose lease has run out are rescued within the same call. Errors: `invalid_argument`.
    pub fn claim_next(&self, request: &Claim) -> Result<Vec<Run>> {
        self.one_call().do_claim(request)
    }

    /// Begins a run that was claimed with `dispatch`; once more under the same lease is no change.
    ///
    /// Errors: `invalid_state`, `lease_lost`, `not_found`.
    pub fn start(&self, request: &StartRun) -> Result<Run> {
        self.one_call().do_start(request)
    }

    /// Extends the lease of a running run and may tell its progress; a canceled run is returned as it is.
    ///
    /// Errors: `lease_lost`, `invalid_state` where it was never claimed or not started, `not_found`, `too_large`.
    pub fn heartbeat(&self, request: &Heartbeat) -> Result<Run> {
        self.one_call().do_heartbeat(request)
    }

    /// Reports success. The same again under the same lease gives the stored outcome.
    ///
    /// Errors: `lease_lost`, `invalid_state` where it was never claimed or not started, `not_found`, `invalid_argument`
    /// for an output and a reference together, `too_large`.
    pub fn succeed(&self, request: &Succeed) -> Result<Run> {
        self.one_call().do_succeed(request)
    }

    /// Reports failure: queued again with a delay while attempts are left and it is retryable, else failed.
    ///
    /// Errors: `lease_lost`, `invalid_state` where it was never claimed or not started, `not_found`, `invalid_argument`.
    pub fn fail(&self, request: &Fail) -> Result<Run> {
        self.one_call().do_fail(request)
    }

    /// Cancels a run that is not final; its worker learns by its next heartbeat. Once more is no change.
    ///
    /// Errors: `invalid_state` where it ended otherwise, `not_found`.
    pub fn cancel(&self, request: &Cancel) -> Result<Run> {
        self.one_call().do_cancel(request)
    }

    /// Rescues runs whose lease has run out, and gives their number; claims do the same as they go.
    pub fn rescue(&self, request: &Rescue) -> Result<i64> {
        self.one_call().do_rescue(request)
    }

    /// One run. Errors: `not_found`.
    pub fn get(&self, request: &GetRun) -> Result<Run> {
        self.one_call().do_get(request)
    }

    /// Runs by filters, a page at a time. Errors: `invalid_argument`.
    pub fn list(&self, request: &ListRuns) -> Result<Page<Run>> {
        self.one_call().do_list(request)
    }

    /// All events of a run, in their order. Errors: `not_found`.
    pub fn events(&self, request: &RunEvents) -> Result<Vec<Event>> {
        self.one_call().do_events(request)
    }

    /// What a run's last success put out. Errors: `not_found` where there is none here: without an output, or kept elsewhere by
    /// `output_ref`.
    pub fn output(&self, request: &RunOutput) -> Result<Json> {
        self.one_call().do_output(request)
    }
}
