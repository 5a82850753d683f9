//! The worker's side: claims and reports, fenced by the lease.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use sprongus::Error;
use sprongus::runs::{Claim, Fail, FailMany, Heartbeat, Snooze, StartRun, Succeed, SucceedMany};

use super::{Runs, document};
use crate::args::{Given, Text, Texts, Whole, text, texts};
use crate::error::{at_item, raised};
use crate::lease::Fence;
use crate::pages;
use crate::records::Run;
use crate::time::Seconds;

#[pymethods]
impl Runs {
    /// Takes due runs for a worker: highest priority first, then the earliest `run_at`; [] where there are none.
    ///
    /// kinds: "sync/*" is all that begin with "sync/". lease: seconds; a heartbeat extends it. dispatch: leave them
    /// "dispatching" until `start`. succeeded: a run that is reported first, with its `output`, in the same commit where
    /// nothing else is to be done; refused, it raises and nothing is claimed. Whoever claims reports: a `Worker` does it all.
    ///
    /// >>> for run in store.runs.claim_next("worker-1", ["mail.send"], lease=30):
    /// ...     print(store.runs.succeed(run, output="sent").state)
    /// succeeded
    #[pyo3(
        signature = (worker_id, kinds = None, limit = Whole(1), *, lease = None, projects = None, dispatch = false,
                     succeeded = None, output = Given::No),
        text_signature = "($self, worker_id, kinds=None, limit=1, *, lease=60.0, projects=None, dispatch=False, succeeded=None, output=...)"
    )]
    #[allow(clippy::too_many_arguments)] // Python's keyword arguments
    fn claim_next<'py>(
        &self,
        py: Python<'py>,
        worker_id: Text,
        kinds: Option<Texts>,
        limit: Whole,
        lease: Option<Seconds>,
        projects: Option<Texts>,
        dispatch: bool,
        succeeded: Option<Fence>,
        output: Given<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let output = output.into_option().map(|output| document(Some(output))).transpose()?;
        if output.is_some() && succeeded.is_none() {
            return Err(raised(
                py,
                &Error::invalid("output is that of a run that succeeded: pass the run as succeeded"),
            ));
        }
        let default = Claim::new(worker_id.0);
        let request = Claim {
            kinds: kinds.map(texts),
            projects: projects.map(texts),
            limit: limit.0,
            lease: lease.map_or(default.lease, |lease| lease.0),
            dispatch,
            succeeded: succeeded.map(|run| Succeed { output, ..Succeed::new(run.id, run.lease) }),
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

    /// Puts a run off: it is due again after the delay, and the attempt is given back. Raises as `fail`.
    ///
    /// >>> [run] = store.runs.claim_next("worker-1")
    /// >>> put_off = store.runs.snooze(run, 3600)
    /// >>> (put_off.state, put_off.attempt)
    /// ('queued', 0)
    fn snooze<'py>(&self, py: Python<'py>, run: Fence, delay: Seconds) -> PyResult<Bound<'py, Run>> {
        let request = Snooze::new(run.id, run.lease, delay.0);
        Run::make(py, self.ground.runs(py, |runs| runs.snooze(&request))?)
    }

    /// Reports many successes in one go, each for itself: the answer has, in their order, the run or the error of each.
    ///
    /// A stale one is a `LeaseLostError` in its place, and holds up none of the others.
    ///
    /// >>> for outcome in store.runs.succeed_many(store.runs.claim_next("worker-1", limit=100)):
    /// ...     print(outcome.state if isinstance(outcome, sprongus.Run) else outcome.code)
    /// succeeded
    fn succeed_many<'py>(&self, py: Python<'py>, runs: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let read = |one: &Bound<'py, PyAny>| one.extract().map(|run: Fence| Succeed::new(run.id, run.lease));
        let request = SucceedMany { items: each(runs, read)? };
        reported(py, self.ground.runs(py, |runs| runs.succeed_many(&request))?)
    }

    /// Reports many failures in one go, from pairs of a run and its error; otherwise as `succeed_many`.
    ///
    /// >>> runs = store.runs.claim_next("worker-1", limit=100)
    /// >>> [run.state for run in store.runs.fail_many((run, "no route to host") for run in runs)]
    /// ['queued']
    fn fail_many<'py>(&self, py: Python<'py>, failures: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let read = |one: &Bound<'py, PyAny>| {
            let (run, error): (Fence, Bound<'py, PyString>) = one.extract()?;
            Ok(Fail::new(run.id, run.lease, error.to_string_lossy()))
        };
        let request = FailMany { items: each(failures, read)? };
        reported(py, self.ground.runs(py, |runs| runs.fail_many(&request))?)
    }
}

/// Reads each of many; an error tells which one it is about, counted from 0.
fn each<'py, T>(items: &Bound<'py, PyAny>, read: impl Fn(&Bound<'py, PyAny>) -> PyResult<T>) -> PyResult<Vec<T>> {
    let read = |(index, item): (usize, PyResult<Bound<'py, PyAny>>)| {
        read(&item?).map_err(|error| at_item(items.py(), index, error))
    };
    items.try_iter()?.enumerate().map(read).collect()
}

/// Runs, and exceptions as the objects they are.
fn reported(py: Python<'_>, results: Vec<sprongus::Result<sprongus::Run>>) -> PyResult<Bound<'_, PyList>> {
    let told = PyList::empty(py);
    for result in results {
        match result {
            Ok(run) => told.append(Run::make(py, run)?)?,
            Err(error) => told.append(raised(py, &error).value(py))?,
        }
    }
    Ok(told)
}
