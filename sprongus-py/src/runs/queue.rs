//! Putting runs into the queue, and taking them out of it or back into it by hand.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use sprongus::runs::{Cancel, Enqueue, EnqueueMany, FindIdempotent, RetryRun};

use super::{Runs, document};
use crate::args::{Text, Whole, text};
use crate::enqueue_item;
use crate::pages;
use crate::records::Run;
use crate::time::{At, Seconds};

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

    /// The run under that key; where there is none, the one that `factory()` describes by a dict of enqueue's parameters.
    ///
    /// The factory is called with no lock held, and only where no such run is seen: in a race more than one caller may run
    /// theirs, one run is kept, and all get it. What the factory raises is raised. Raises `InvalidArgumentError` where the
    /// dict names another key or project.
    ///
    /// >>> store.runs.ensure_idempotent("report-2024", lambda: {"kind": "report", "input": {"year": 2024}}).kind
    /// 'report'
    #[pyo3(signature = (key, factory, *, project = None))]
    fn ensure_idempotent<'py>(
        &self,
        py: Python<'py>,
        key: Text,
        factory: &Bound<'py, PyAny>,
        project: Option<Text>,
    ) -> PyResult<Bound<'py, Run>> {
        if !factory.is_callable() {
            return Err(PyTypeError::new_err("factory is a function without parameters"));
        }
        let request = FindIdempotent { project: text(project), ..FindIdempotent::new(key.0) };
        if let Some(run) = self.ground.runs(py, |runs| runs.find_idempotent(&request))? {
            return Run::make(py, run);
        }
        // Between two calls rather than within one: the factory may use the store, and the transaction this stands in.
        let described = enqueue_item::read(&factory.call0()?)?;
        Run::make(py, self.ground.runs(py, |runs| runs.ensure_idempotent(&request, || Ok(described)))?)
    }

    /// Cancels a run that is not final; its worker learns by its next heartbeat. Once more is no change.
    #[pyo3(signature = (id, *, reason = None))]
    fn cancel<'py>(&self, py: Python<'py>, id: Text, reason: Option<Text>) -> PyResult<Bound<'py, Run>> {
        let request = Cancel { reason: text(reason), ..Cancel::new(id.0) };
        Run::make(py, self.ground.runs(py, |runs| runs.cancel(&request))?)
    }

    /// Queues a run that failed, timed out or was canceled once more: a new series of attempts, due at once.
    ///
    /// Raises `InvalidStateError` in any other state, `NotFoundError`.
    ///
    /// >>> run = store.runs.cancel(store.runs.enqueue("thumbnail").id)
    /// >>> store.runs.retry(run.id).series - run.series
    /// 1
    fn retry<'py>(&self, py: Python<'py>, id: Text) -> PyResult<Bound<'py, Run>> {
        let request = RetryRun::new(id.0);
        Run::make(py, self.ground.runs(py, |runs| runs.retry(&request))?)
    }
}
