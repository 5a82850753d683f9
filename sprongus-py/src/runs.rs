//! `Runs`.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use sprongus::runs::{
    Cancel, Claim, Enqueue, EnqueueMany, Fail, GetRun, Heartbeat, ListRuns, Order, Rescue, RunEvents, RunOutput,
    RunState, StartRun, Succeed,
};
use sprongus::{Error, Json};

use crate::args::{Given, Text, Whole, text, texts};
use crate::enqueue_item;
use crate::error::raised;
use crate::ground::Ground;
use crate::lease::Fence;
use crate::records::{Event, Run};
use crate::time::{At, Seconds};
use crate::{json_in, json_out, pages};

/// Durable runs: enqueued once, executed at least once, each report fenced by its lease.
#[pyclass(module = "sprongus", frozen)]
pub(crate) struct Runs {
    ground: Ground,
}

impl Runs {
    pub(crate) fn new(ground: Ground) -> Self {
        Self { ground }
    }
}

#[pymethods]
impl Runs {
    /// Puts a run into the queue, or gives the one already there under its idempotency key (`deduplicated`).
    ///
    /// input: JSON. run_at: not before that moment; delay: not before so many seconds have passed. priority: higher first.
    /// Raises `ConflictError` where the key belongs to a run of another kind or input, `ValidationError` where a preset
    /// bound to the kind refuses the input, `TooLargeError`.
    ///
    /// >>> store.runs.enqueue("thumbnail", {"file": "cat.png"}, idempotency_key="cat.png").state
    /// 'queued'
    #[pyo3(
        signature = (
            kind, input = None, *, project = None, idempotency_key = None, max_attempts = Whole(3), priority = Whole(0),
            run_at = None, delay = None, timeout = None, needs_approval = false, requested_by = None, channel_id = None,
            conversation_id = None, parent = None
        ),
        text_signature = "($self, kind, input=None, *, project=None, idempotency_key=None, max_attempts=3, priority=0, \
                          run_at=None, delay=None, timeout=None, needs_approval=False, requested_by=None, \
                          channel_id=None, conversation_id=None, parent=None)"
    )]
    #[allow(clippy::too_many_arguments)] // Python's keyword arguments
    fn enqueue<'py>(
        &self,
        py: Python<'py>,
        kind: Text,
        input: Option<Bound<'py, PyAny>>,
        project: Option<Text>,
        idempotency_key: Option<Text>,
        max_attempts: Whole,
        priority: Whole,
        run_at: Option<At>,
        delay: Option<Seconds>,
        timeout: Option<Seconds>,
        needs_approval: bool,
        requested_by: Option<Text>,
        channel_id: Option<Text>,
        conversation_id: Option<Text>,
        parent: Option<Text>,
    ) -> PyResult<Bound<'py, Run>> {
        let request = Enqueue {
            project: text(project),
            idempotency_key: text(idempotency_key),
            max_attempts: max_attempts.0,
            priority: priority.0,
            run_at: run_at.map(|at| at.0),
            delay: delay.map(|delay| delay.0),
            timeout: timeout.map(|timeout| timeout.0),
            needs_approval,
            requested_by: text(requested_by),
            channel_id: text(channel_id),
            conversation_id: text(conversation_id),
            parent: text(parent),
            ..Enqueue::new(kind.0, document(input)?)
        };
        Run::make(py, self.ground.runs(py, |runs| runs.enqueue(&request))?)
    }

    /// Puts runs into the queue, all or none, from dicts of enqueue's parameters; the answer is in their order.
    fn enqueue_many<'py>(&self, py: Python<'py>, items: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let request = EnqueueMany::new(enqueue_item::read_all(items)?);
        pages::list(py, self.ground.runs(py, |runs| runs.enqueue_many(&request))?, Run::make)
    }

    /// Takes due runs for a worker: highest priority first, then the earliest `run_at`; [] where there are none.
    ///
    /// kinds: "sync/*" is all that begin with "sync/". lease: seconds; a heartbeat extends it. dispatch: leave them
    /// "dispatching" until `start`. Whoever claims reports: a `Worker` does it all.
    ///
    /// >>> for run in store.runs.claim_next("worker-1", ["mail.send"], lease=30):
    /// ...     print(store.runs.succeed(run, output="sent").state)
    /// succeeded
    #[pyo3(
        signature = (worker_id, kinds = None, limit = Whole(1), *, lease = None, projects = None, dispatch = false),
        text_signature = "($self, worker_id, kinds=None, limit=1, *, lease=60.0, projects=None, dispatch=False)"
    )]
    #[allow(clippy::too_many_arguments)] // Python's keyword arguments
    fn claim_next<'py>(
        &self,
        py: Python<'py>,
        worker_id: Text,
        kinds: Option<Vec<Text>>,
        limit: Whole,
        lease: Option<Seconds>,
        projects: Option<Vec<Text>>,
        dispatch: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let default = Claim::new(worker_id.0);
        let request = Claim {
            kinds: kinds.map(texts),
            projects: projects.map(texts),
            limit: limit.0,
            lease: lease.map_or(default.lease, |lease| lease.0),
            dispatch,
            ..default
        };
        pages::list(py, self.ground.runs(py, |runs| runs.claim_next(&request))?, Run::make)
    }

    /// Begins a run that was claimed with `dispatch`; once more under the same lease is no change.
    fn start<'py>(&self, py: Python<'py>, run: Fence) -> PyResult<Bound<'py, Run>> {
        let request = StartRun::new(run.id, run.lease);
        Run::make(py, self.ground.runs(py, |runs| runs.start(&request))?)
    }

    /// Extends the lease of a running run and may tell its progress; the state of the answer says if it was canceled.
    ///
    /// Raises `LeaseLostError` where another attempt holds the run now.
    #[pyo3(
        signature = (run, *, progress = Given::No, lease = None),
        text_signature = "($self, run, *, progress=..., lease=None)"
    )]
    fn heartbeat<'py>(
        &self,
        py: Python<'py>,
        run: Fence,
        progress: Given<'py>,
        lease: Option<Seconds>,
    ) -> PyResult<Bound<'py, Run>> {
        let progress = progress.into_option().map(|progress| document(Some(progress))).transpose()?;
        let request = Heartbeat { progress, extend: lease.map(|lease| lease.0), ..Heartbeat::new(run.id, run.lease) };
        Run::make(py, self.ground.runs(py, |runs| runs.heartbeat(&request))?)
    }

    /// Reports success, with an output (JSON, kept with the run) or a reference to where it is kept.
    ///
    /// The same again under the same lease gives the stored outcome. Raises `LeaseLostError`, `InvalidStateError`.
    #[pyo3(
        signature = (run, output_ref = None, *, output = Given::No),
        text_signature = "($self, run, output_ref=None, *, output=...)"
    )]
    fn succeed<'py>(
        &self,
        py: Python<'py>,
        run: Fence,
        output_ref: Option<Text>,
        output: Given<'py>,
    ) -> PyResult<Bound<'py, Run>> {
        let output = output.into_option().map(|output| document(Some(output))).transpose()?;
        let request = Succeed { output, output_ref: text(output_ref), ..Succeed::new(run.id, run.lease) };
        Run::make(py, self.ground.runs(py, |runs| runs.succeed(&request))?)
    }

    /// Reports failure: queued again with a delay while attempts are left and it is retryable, else failed.
    #[pyo3(signature = (run, error, *, retryable = true, retry_in = None))]
    fn fail<'py>(
        &self,
        py: Python<'py>,
        run: Fence,
        error: &Bound<'py, PyString>,
        retryable: bool,
        retry_in: Option<Seconds>,
    ) -> PyResult<Bound<'py, Run>> {
        // A failure must be told whatever its text holds.
        let error = error.to_string_lossy().into_owned();
        let request =
            Fail { retryable, retry_in: retry_in.map(|delay| delay.0), ..Fail::new(run.id, run.lease, error) };
        Run::make(py, self.ground.runs(py, |runs| runs.fail(&request))?)
    }

    /// What a run's last success put out; `NotFoundError` where there is none here.
    fn output<'py>(&self, py: Python<'py>, id: Text) -> PyResult<Bound<'py, PyAny>> {
        let request = RunOutput::new(id.0);
        json_out::document(py, &self.ground.runs(py, |runs| runs.output(&request))?)
    }

    /// Cancels a run that is not final; its worker learns by its next heartbeat. Once more is no change.
    #[pyo3(signature = (id, *, reason = None))]
    fn cancel<'py>(&self, py: Python<'py>, id: Text, reason: Option<Text>) -> PyResult<Bound<'py, Run>> {
        let request = Cancel { reason: text(reason), ..Cancel::new(id.0) };
        Run::make(py, self.ground.runs(py, |runs| runs.cancel(&request))?)
    }

    /// One run; `NotFoundError` where there is none.
    fn get<'py>(&self, py: Python<'py>, id: Text) -> PyResult<Bound<'py, Run>> {
        let request = GetRun::new(id.0);
        Run::make(py, self.ground.runs(py, |runs| runs.get(&request))?)
    }

    /// A page of runs, newest first; filters hold together. since is inclusive, before exclusive.
    #[pyo3(
        signature = (
            *, project = None, state = None, kind = None, since = None, before = None, channel_id = None,
            conversation_id = None, order = None, limit = Whole(50), cursor = None
        ),
        text_signature = "($self, *, project=None, state=None, kind=None, since=None, before=None, channel_id=None, \
                          conversation_id=None, order='newest', limit=50, cursor=None)"
    )]
    #[allow(clippy::too_many_arguments)] // Python's keyword arguments
    fn list<'py>(
        &self,
        py: Python<'py>,
        project: Option<Text>,
        state: Option<OneOrMore>,
        kind: Option<OneOrMore>,
        since: Option<At>,
        before: Option<At>,
        channel_id: Option<Text>,
        conversation_id: Option<Text>,
        order: Option<Text>,
        limit: Whole,
        cursor: Option<Text>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = ListRuns {
            project: text(project),
            state: state.map(|names| states(py, &names.0)).transpose()?,
            kind: kind.map(|names| names.0),
            since: since.map(|at| at.0),
            before: before.map(|at| at.0),
            channel_id: text(channel_id),
            conversation_id: text(conversation_id),
            order: order.map_or(Ok(Order::Newest), |name| parse_order(py, &name.0))?,
            limit: limit.0,
            cursor: text(cursor),
        };
        pages::page(py, self.ground.runs(py, |runs| runs.list(&request))?, Run::make)
    }

    /// The runs of every page of `list(**filters)`; `limit` is the size of a page.
    #[pyo3(signature = (**filters))]
    fn iter<'py>(slf: &Bound<'py, Self>, filters: Option<&Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyAny>> {
        pages::every(slf.as_any(), filters)
    }

    /// All events of a run, in their order.
    fn events<'py>(&self, py: Python<'py>, id: Text) -> PyResult<Bound<'py, PyAny>> {
        let request = RunEvents::new(id.0);
        pages::list(py, self.ground.runs(py, |runs| runs.events(&request))?, Event::make)
    }

    /// Puts runs whose lease has run out back into the queue, and gives their number; claims do the same as they go.
    #[pyo3(signature = (*, limit = Whole(1000)), text_signature = "($self, *, limit=1000)")]
    fn rescue(&self, py: Python<'_>, limit: Whole) -> PyResult<i64> {
        let request = Rescue { limit: limit.0 };
        self.ground.runs(py, |runs| runs.rescue(&request))
    }
}

fn document(given: Option<Bound<'_, PyAny>>) -> PyResult<Json> {
    given.map_or_else(|| Ok(Json::null()), |given| json_in::document(&given))
}

/// A string or several.
struct OneOrMore(Vec<String>);

impl<'a, 'py> FromPyObject<'a, 'py> for OneOrMore {
    type Error = PyErr;

    fn extract(ob: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if ob.is_instance_of::<PyString>() {
            return Ok(Self(vec![ob.extract::<Text>()?.0]));
        }
        Ok(Self(texts(ob.extract()?)))
    }
}

fn states(py: Python<'_>, names: &[String]) -> PyResult<Vec<RunState>> {
    let parsed: sprongus::Result<_> = names.iter().map(|name| RunState::parse(name)).collect();
    parsed.map_err(|error| raised(py, &error))
}

fn parse_order(py: Python<'_>, name: &str) -> PyResult<Order> {
    match name {
        "newest" => Ok(Order::Newest),
        "oldest" => Ok(Order::Oldest),
        _ => Err(raised(py, &Error::invalid("order is \"newest\" or \"oldest\""))),
    }
}
