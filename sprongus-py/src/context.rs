//! `Context`: what a handler is given.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use sprongus::artifacts::PutArtifact;
use sprongus::worker::Context as CoreContext;

use crate::args::{Given, Text, Whole, text};
use crate::artifacts::content_of;
use crate::block::TransactionBlock;
use crate::call::{Detached, wait};
use crate::records::{Approval, Artifact, Run};
use crate::runs::{document, step};
use crate::time::Seconds;
use crate::{json_in, json_out};

/// A run in a handler's hands, and its ways to the store.
///
/// Its calls wait for the database; in an `async def` handler they hold up that handler's own event loop and no other:
/// `await asyncio.to_thread(context.heartbeat)` where it has more to do meanwhile.
#[pyclass(module = "sprongus", frozen)]
#[derive(Clone)]
pub(crate) struct Context {
    inner: Arc<Detached<CoreContext>>,
    /// Whether the run was put to wait for an approval.
    waiting: Arc<AtomicBool>,
}

impl Context {
    pub(crate) fn new(context: CoreContext) -> Self {
        Self { inner: Arc::new(Detached::new(context)), waiting: Arc::default() }
    }

    pub(crate) fn inner(&self) -> &CoreContext {
        &self.inner
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Acquire)
    }
}

#[pymethods]
impl Context {
    /// The run as it was claimed.
    #[getter]
    fn run<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Run>> {
        Run::make(py, self.inner.run().clone())
    }

    /// Its input.
    #[getter]
    fn input<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json_out::document(py, self.inner.input())
    }

    /// Whether it is to end soon: its run was canceled or took longer than its timeout, its lease is lost, or the worker
    /// stops and waits no longer.
    ///
    /// What the handler returns does not count then; but where the worker stops, a success does, unless somebody else has
    /// taken the run, and a failure that could be retried gives the run back as if it had not begun.
    #[getter]
    fn canceled(&self) -> bool {
        self.inner.canceled()
    }

    /// Waits until it is `canceled`, at most so many seconds; whether it is. Sleep with this, and a cancel is heard at once.
    fn wait_canceled(&self, py: Python<'_>, timeout: Seconds) -> PyResult<bool> {
        wait(py, || Ok(self.inner.wait_canceled(timeout.0)))
    }

    /// How many seconds are left of the run's timeout, where it has one; 0 when it is over.
    #[getter]
    fn time_left(&self) -> Option<f64> {
        self.inner.time_left().map(|left| left.as_secs_f64())
    }

    /// Tells how far the work is, and extends the lease; the worker extends it by itself as well.
    ///
    /// Raises `LeaseLostError` where the run is no longer this handler's, canceled included.
    #[pyo3(signature = (progress = Given::No), text_signature = "($self, progress=...)")]
    fn heartbeat(&self, py: Python<'_>, progress: Given<'_>) -> PyResult<()> {
        let progress = progress.into_option().map(|progress| json_in::document(&progress)).transpose()?;
        wait(py, || self.inner.beat(progress))
    }

    /// The result of a step: the stored one, else what `fn()` gives, which is stored.
    ///
    /// When the run is tried again, or goes on after an approval, the steps it has finished give their stored results and
    /// their functions are not called. A name stands once in a run. Raises `LeaseLostError` where the run is no longer this
    /// handler's.
    ///
    /// >>> worker = store.worker()
    /// >>> @worker.handler("mail.send")
    /// ... def send(context):
    /// ...     body = context.step("render", lambda: f"Dear {context.input['to']}")
    /// ...     return context.step("send", lambda: len(body))
    /// >>> worker.run(until_idle=True, patience=0)
    /// >>> [step.name for step in store.runs.steps(store.runs.list()[0].id)]
    /// ['render', 'send']
    #[pyo3(signature = (name, r#fn), text_signature = "($self, name, fn)")]
    fn step<'py>(&self, py: Python<'py>, name: Text, r#fn: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        step(
            r#fn,
            || wait(py, || self.inner.find_step(&name.0)),
            |output| wait(py, || self.inner.save_step(&name.0, output)),
        )
    }

    /// Asks for leave: gives the decided record, or leaves the handler until somebody decides.
    ///
    /// It leaves by an exception that is no `Exception`, so that `except Exception` lets it pass; do not catch it. The run
    /// waits without a lease and without a thread. When leave is given (`store.approvals.approve`) it is queued again and the
    /// handler begins anew, its finished steps at hand, and this call then returns; when it is refused the run ends denied.
    /// step: where a run asks for the same scope more than once. metadata: a dict.
    ///
    /// >>> worker = store.worker()
    /// >>> @worker.handler("deploy")
    /// ... def deploy(context):
    /// ...     leave = context.approval("deploy.production", "version 2.1 to all regions")
    /// ...     return f"deployed, with leave of {leave.decided_by}"
    /// >>> run = store.runs.enqueue("deploy")
    /// >>> worker.run(until_idle=True, patience=0)
    /// >>> store.runs.get(run.id).state
    /// 'awaiting_approval'
    /// >>> approval = store.approvals.approve(run.id, scope="deploy.production", by="ada")
    /// >>> worker.run(until_idle=True, patience=0)
    /// >>> store.runs.output(run.id)
    /// 'deployed, with leave of ada'
    #[pyo3(signature = (scope, intent_summary, *, step = None, metadata = None))]
    fn approval<'py>(
        &self,
        py: Python<'py>,
        scope: Text,
        intent_summary: Text,
        step: Option<Text>,
        metadata: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Approval>> {
        static WAITING: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let (step, metadata) = (text(step), document(metadata)?);
        let approval =
            wait(py, || self.inner.request_approval(&scope.0, &intent_summary.0, step.as_deref(), metadata))?;
        if approval.decision.is_some() {
            return Approval::make(py, approval);
        }
        self.waiting.store(true, Ordering::Release);
        let message = format!("the run waits for an approval of {}", approval.scope);
        Err(PyErr::from_type(WAITING.import(py, "sprongus._outcomes", "Waiting")?.clone(), message))
    }

    /// The secret that a `{"$secret": name}` of the input names, from `open(secrets=…)` or the environment, now.
    ///
    /// From then on `[secret]` stands in its place, if it has four characters or more, in what the worker stores of this
    /// attempt: what is raised, outputs, progress, the results of steps, approvals. Raises `InvalidArgumentError` where
    /// it is no such dict, `NotFoundError` where there is no such secret, `UnavailableError` where the resolver raises
    /// anything but a `LookupError`: without what it said.
    ///
    /// >>> with sprongus.open(":memory:", secrets={"MAIL_TOKEN": "s3cret"}.__getitem__) as own:
    /// ...     run = own.runs.enqueue("mail.send", {"token": {"$secret": "MAIL_TOKEN"}})
    /// ...     worker = own.worker()
    /// ...     @worker.handler("mail.send")
    /// ...     def send(context):
    /// ...         return len(context.secret(context.input["token"]))
    /// ...     worker.run(until_idle=True, patience=0)
    /// ...     own.runs.output(run.id)
    /// 6
    fn secret(&self, py: Python<'_>, r#ref: &Bound<'_, PyAny>) -> PyResult<String> {
        let reference = json_in::value(r#ref)?;
        wait(py, || self.inner.secret(&reference))
    }

    /// Keeps a content as the next version of its kind and key, as `store.artifacts.put` does, of this run and in its project; only
    /// while the run is still this handler's, whose lease is extended with it.
    ///
    /// Raises `LeaseLostError` where it was canceled or taken, `SecretDetectedError` where the content holds a secret that this
    /// handler asked for: nothing is written then.
    ///
    /// >>> worker = store.worker()
    /// >>> @worker.handler("mail.send")
    /// ... def send(context):
    /// ...     return context.artifact("letter", context.run.id, f"Dear {context.input['to']}").version
    /// >>> worker.run(until_idle=True, patience=0)
    /// >>> store.artifacts.list(kind="letter")[0].content
    /// b'Dear orders@example.org'
    #[pyo3(
        signature = (
            kind, key, content = None, *, media_type = None, metadata = None, if_changed = false, r#ref = None,
            sha256 = None, size = None
        ),
        text_signature = "($self, kind, key, content=None, *, media_type=None, metadata=None, if_changed=False, ref=None, \
                          sha256=None, size=None)"
    )]
    #[allow(clippy::too_many_arguments)] // Python's keyword arguments
    fn artifact<'py>(
        &self,
        py: Python<'py>,
        kind: Text,
        key: Text,
        content: Option<Bound<'py, PyAny>>,
        media_type: Option<Text>,
        metadata: Option<Bound<'py, PyAny>>,
        if_changed: bool,
        r#ref: Option<Text>,
        sha256: Option<Text>,
        size: Option<Whole>,
    ) -> PyResult<Bound<'py, Artifact>> {
        let put = PutArtifact {
            kind: kind.0,
            key: key.0,
            media_type: text(media_type),
            metadata: metadata.map(|metadata| json_in::document(&metadata)).transpose()?,
            if_changed,
            reference: text(r#ref),
            sha256: text(sha256),
            size: size.map(|size| size.0),
            ..content_of(content.as_ref())?
        };
        Artifact::make(py, wait(py, || self.inner.artifact(&put))?)
    }

    /// One transaction as a context manager, which commits only while the run is still this handler's.
    ///
    /// Raises `LeaseLostError` on leaving where it was canceled or taken: nothing was written then.
    fn transaction(&self) -> TransactionBlock {
        TransactionBlock::of_run(self.inner.clone())
    }
}
