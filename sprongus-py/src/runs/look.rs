//! Looking at runs, and waiting for them.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use sprongus::runs::{ExplainRun, GetRun, ListRuns, Order, RunEvents, RunOutput, RunState, WaitRun};

use super::Runs;
use crate::args::{Text, Whole, pick, text, texts};
use crate::error::raised;
use crate::records::{Event, Run};
use crate::time::{At, Seconds};
use crate::{json_out, pages};

const ORDERS: [(&str, Order); 2] = [("newest", Order::Newest), ("oldest", Order::Oldest)];

#[pymethods]
impl Runs {
    /// What a run's last success put out; `NotFoundError` where there is none here.
    fn output<'py>(&self, py: Python<'py>, id: Text) -> PyResult<Bound<'py, PyAny>> {
        let request = RunOutput::new(id.0);
        json_out::document(py, &self.ground.runs(py, |runs| runs.output(&request))?)
    }

    /// One run; `NotFoundError` where there is none.
    fn get<'py>(&self, py: Python<'py>, id: Text) -> PyResult<Bound<'py, Run>> {
        let request = GetRun::new(id.0);
        Run::make(py, self.ground.runs(py, |runs| runs.get(&request))?)
    }

    /// A page of runs, newest first; filters hold together. since is inclusive, before exclusive; parent: its children.
    #[pyo3(
        signature = (
            *, project = None, state = None, kind = None, since = None, before = None, channel_id = None,
            conversation_id = None, parent = None, order = None, limit = Whole(50), cursor = None
        ),
        text_signature = "($self, *, project=None, state=None, kind=None, since=None, before=None, channel_id=None, \
                          conversation_id=None, parent=None, order='newest', limit=50, cursor=None)"
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
        parent: Option<Text>,
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
            parent: text(parent),
            order: order.map_or(Ok(Order::Newest), |name| pick(py, "order", &name, &ORDERS))?,
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

    /// Waits until a run has ended, and gives it as it is then; None: without end.
    ///
    /// Ctrl-C ends the wait. Raises `TimeoutError` after so many seconds, `NotFoundError`, and `MisuseError` inside a
    /// transaction, which would not see the end.
    ///
    /// >>> run = store.runs.enqueue("thumbnail")
    /// >>> try:
    /// ...     store.runs.wait(run.id, timeout=0.01)
    /// ... except sprongus.TimeoutError:
    /// ...     print(store.runs.get(run.id).state)
    /// queued
    #[pyo3(signature = (id, timeout = None))]
    fn wait<'py>(&self, py: Python<'py>, id: Text, timeout: Option<Seconds>) -> PyResult<Bound<'py, Run>> {
        let request = WaitRun { timeout: timeout.map(|timeout| timeout.0), ..WaitRun::new(id.0) };
        Run::make(py, self.ground.runs(py, |runs| runs.wait(&request))?)
    }

    /// In words: why a run is not running, and what would change that; `NotFoundError` where there is none.
    ///
    /// >>> run = store.runs.enqueue("deploy", needs_approval=True)
    /// >>> "approv" in store.runs.explain(run.id)
    /// True
    fn explain(&self, py: Python<'_>, id: Text) -> PyResult<String> {
        let request = ExplainRun::new(id.0);
        self.ground.runs(py, |runs| runs.explain(&request))
    }
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
