//! Durable runs: enqueued once, executed at least once, each report fenced by its lease (DESIGN.md §5).

pub mod approvals;
mod batch;
mod binds;
mod cancel;
mod candidates;
mod change;
mod claim;
mod columns;
mod congestion;
mod enqueue;
mod explain;
mod figures;
mod forget;
mod heartbeats;
mod idempotent;
mod in_place;
mod insert;
mod insert_many;
mod judge;
mod kinds;
mod lane;
mod lease;
mod limits;
mod list;
mod looked;
mod many;
mod many_statement;
mod model;
mod next;
mod outlook;
mod pending;
mod picked;
mod promote;
mod prune;
mod read;
mod ready;
mod record;
mod report;
mod requests;
mod rescue;
mod retry;
pub mod schedules;
mod state;
mod stats;
mod steps;
mod sweep;
mod sync_input;
mod take;
mod texts;
mod timeouts;
mod together;
mod verdict;
mod wait;

pub(crate) use enqueue::put_one;
pub use figures::{KindLimit, Reported, RunStats, StepResult};
pub(crate) use forget::forget_project;
pub(crate) use heartbeats::Beat;
pub use model::Run;
pub(crate) use outlook::Outlook;
pub(crate) use read::find;
pub use requests::{
    Cancel, Claim, Enqueue, EnqueueMany, ExplainRun, Fail, FailMany, FindIdempotent, FindStep, GetRun, Heartbeat,
    LimitKind, ListRuns, ListSteps, Order, Prune, Rescue, RetryRun, RunEvents, RunOutput, RunStatsOf, SaveStep, Snooze,
    StartRun, Succeed, SucceedMany, WaitRun,
};
pub use state::RunState;
pub(crate) use sync_input::SYNC_KIND;
pub use sync_input::{Policy, SyncInput};

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
    /// `validation` where the kind is bound to a preset; `rate_limited` where the handle has a rate for it.
    pub fn enqueue(&self, request: &Enqueue) -> Result<Run> {
        self.one_call().do_enqueue(request)
    }

    /// Puts runs into the queue, all or none; the answer is in their order. Errors: as [`Runs::enqueue`], and `too_large` for
    /// more new runs than the handle's rate lets through at once.
    pub fn enqueue_many(&self, request: &EnqueueMany) -> Result<Vec<Run>> {
        // Not one deadline: judging many inputs is work, and no waiting.
        self.do_enqueue_many(request)
    }

    /// Takes due runs for a worker: highest priority first, then the earliest `run_at`, then by id; none is no error.
    ///
    /// Runs whose lease has run out are rescued within the same call, and attempts that take too long are timed out; while
    /// claims get all that they ask for, what falls due so is looked for every 50 ms.
    ///
    /// With `succeeded` it first reports that run as [`Runs::succeed`] does: one commit for both where nothing else is to be
    /// done. Errors: `invalid_argument`; with `succeeded` those of [`Runs::succeed`], and nothing is claimed then. Where it is
    /// `outcome_unknown`, the same call may be made again.
    ///
    /// ```
    /// # use sprongus::{Json, Options, Store};
    /// use sprongus::runs::{Claim, Enqueue, Succeed};
    /// # let store = Store::open(":memory:", Options::default())?;
    /// # for _ in 0..3 { store.runs().enqueue(&Enqueue::new("resize", Json::null()))?; }
    /// let mut next = store.runs().claim_next(&Claim::new("worker-1"))?.pop();
    /// while let Some(run) = next {
    ///     let succeeded = Some(Succeed::new(&run.id, run.lease));
    ///     next = store.runs().claim_next(&Claim { succeeded, ..Claim::new("worker-1") })?.pop();
    /// }
    /// # Ok::<(), sprongus::Error>(())
    /// ```
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
    /// Errors: `invalid_state` where it ended otherwise, `not_found`, `rate_limited` where the handle has a rate for it.
    pub fn cancel(&self, request: &Cancel) -> Result<Run> {
        self.one_call().do_cancel(request)
    }

    /// Rescues runs whose lease has run out, times out attempts that take too long, and gives the number of both; claims do
    /// the same as they go.
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

    /// The run under an idempotency key, if there is one. Errors: `invalid_argument`.
    pub fn find_idempotent(&self, request: &FindIdempotent) -> Result<Option<Run>> {
        self.one_call().do_find_idempotent(request)
    }

    /// The run under an idempotency key; where there is none, the one that `factory` describes, enqueued under that key.
    ///
    /// The factory runs with no lock held: under a race more than one may run theirs, one run is kept and all get it.
    /// Errors: those of the factory and of [`Runs::enqueue`].
    pub fn ensure_idempotent(
        &self,
        request: &FindIdempotent,
        factory: impl FnOnce() -> Result<Enqueue>,
    ) -> Result<Run> {
        self.do_ensure_idempotent(request, factory)
    }

    /// Puts a run off: it is due again after the delay, and the attempt is given back.
    ///
    /// Errors: as [`Runs::fail`].
    pub fn snooze(&self, request: &Snooze) -> Result<Run> {
        self.one_call().do_snooze(request)
    }

    /// Queues a run that failed, timed out or was canceled once more: a new series, due at once.
    ///
    /// Errors: `invalid_state`, `not_found`.
    pub fn retry(&self, request: &RetryRun) -> Result<Run> {
        self.one_call().do_retry(request)
    }

    /// Reports many successes, each for itself; the answer is in their order. Errors: as [`Runs::succeed`], each in its place.
    pub fn succeed_many(&self, request: &SucceedMany) -> Result<Vec<Result<Run>>> {
        self.one_call().do_succeed_many(request)
    }

    /// Reports many failures, each for itself; the answer is in their order. Errors: as [`Runs::fail`], each in its place.
    pub fn fail_many(&self, request: &FailMany) -> Result<Vec<Result<Run>>> {
        self.one_call().do_fail_many(request)
    }

    /// The same for who needs of each run but the state that it came to.
    pub(crate) fn succeed_briefly(&self, request: &SucceedMany) -> Result<Vec<Result<RunState>>> {
        self.one_call().do_succeed_many(request)
    }

    /// See [`Runs::succeed_briefly`].
    pub(crate) fn fail_briefly(&self, request: &FailMany) -> Result<Vec<Result<RunState>>> {
        self.one_call().do_fail_many(request)
    }

    /// The stored result of a step, if it has one; for the worker that has the run.
    ///
    /// Errors: `invalid_argument`, `lease_lost`, `invalid_state` where it was never claimed or not started, `not_found`.
    pub fn find_step(&self, request: &FindStep) -> Result<Option<StepResult>> {
        self.one_call().do_find_step(request)
    }

    /// Stores the result of a step; where there is one already, that one stays and is returned. No transition, no event.
    ///
    /// Errors: `invalid_argument`, `lease_lost`, `invalid_state` where it was never claimed or not started, `not_found`,
    /// `too_large`.
    pub fn save_step(&self, request: &SaveStep) -> Result<StepResult> {
        self.one_call().do_save_step(request)
    }

    /// The result of a step: the stored one, else what `work` gives, which is stored. Outside a transaction of the host's none
    /// is open meanwhile. Of two at once both may work; the first result to be stored is what both get.
    ///
    /// Errors: those of the work, of [`Runs::find_step`] and of [`Runs::save_step`].
    ///
    /// ```
    /// # use sprongus::{Json, Options, Store};
    /// # use sprongus::runs::{Claim, Enqueue, FindStep};
    /// # let store = Store::open(":memory:", Options::default())?;
    /// store.runs().enqueue(&Enqueue::new("publish", Json::null()))?;
    /// let run = store.runs().claim_next(&Claim::new("worker-1"))?.remove(0);
    /// let step = FindStep::new(&run.id, run.lease, "upload");
    /// let first = store.runs().step(&step, || Json::parse(r#"{"url":"s3://b/k"}"#))?;
    /// let again = store.runs().step(&step, || unreachable!("it is stored"))?;
    /// assert_eq!(first, again);
    /// # Ok::<(), sprongus::Error>(())
    /// ```
    pub fn step(&self, request: &FindStep, work: impl FnOnce() -> Result<Json>) -> Result<Json> {
        self.do_step(request, work)
    }

    /// The stored steps of a run, in the order they were stored. Errors: `not_found`.
    pub fn steps(&self, request: &ListSteps) -> Result<Vec<StepResult>> {
        self.one_call().do_steps(request)
    }

    /// Waits until a run has ended. Errors: `timeout`, `not_found`; `misuse` inside a transaction.
    pub fn wait(&self, request: &WaitRun) -> Result<Run> {
        // Not one deadline: it waits as long as it is told to.
        self.do_wait(request)
    }

    /// In words: why a run is not running, and what would change that. Errors: `not_found`.
    pub fn explain(&self, request: &ExplainRun) -> Result<String> {
        self.one_call().do_explain(request)
    }

    /// The figures of the queue, at bounded cost. Errors: `invalid_argument`.
    pub fn stats(&self, request: &RunStatsOf) -> Result<RunStats> {
        self.one_call().do_stats(request)
    }

    /// The limits of all kinds that have one, by kind.
    pub fn limits(&self) -> Result<Vec<KindLimit>> {
        self.one_call().do_limits()
    }

    /// Limits the runs of a kind, for all projects; needs `admin` on a scoped handle. Both limits `None` lift it.
    ///
    /// Claims alone look at limits: enqueueing is never refused, and what runs already goes on. Setting the same limit again is
    /// no change, so each worker may do it when it starts; a changed one does not give back what was taken out of the bucket.
    /// Errors: `invalid_argument`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sprongus::{Json, Options, Store};
    /// use sprongus::runs::{Claim, Enqueue, LimitKind};
    /// let store = Store::open(":memory:", Options::default())?;
    /// store.runs().limit_kind(&LimitKind { concurrency: Some(1), ..LimitKind::new("mail") })?;
    /// for _ in 0..3 {
    ///     store.runs().enqueue(&Enqueue::new("mail", Json::null()))?;
    /// }
    /// let claim = Claim { limit: 10, ..Claim::new("worker-1") };
    /// assert_eq!(store.runs().claim_next(&claim)?.len(), 1);
    /// assert_eq!(store.runs().claim_next(&claim)?.len(), 0);
    /// # Ok::<(), sprongus::Error>(())
    /// ```
    pub fn limit_kind(&self, request: &LimitKind) -> Result<()> {
        // Not one deadline: moving what is queued is work, and no waiting.
        self.do_limit_kind(request)
    }

    /// Removes runs that ended long ago, and gives their number; never a live one. Errors: `invalid_argument`.
    pub fn prune(&self, request: &Prune) -> Result<i64> {
        // Not one deadline: each batch is a transaction that may wait.
        self.do_prune(request)
    }
}

/// The programs of the page on runs run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/runs.md")]
struct DocsPage;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/cookbook.md")]
struct Cookbook;
