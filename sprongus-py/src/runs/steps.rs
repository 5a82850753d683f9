//! Steps: results that a retry finds again.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use sprongus::Json;
use sprongus::runs::{FindStep, ListSteps, SaveStep, StepResult};

use super::Runs;
use crate::args::Text;
use crate::lease::Fence;
use crate::records::Step;
use crate::{json_in, json_out, pages};

#[pymethods]
impl Runs {
    /// The result of a step: the stored one, else what `fn()` gives, which is stored under the run's lease.
    ///
    /// A retry of the run gets the stored result and goes on after it. fn is called with no lock and no transaction of ours
    /// open; it gives JSON, and what it raises is raised. Raises `LeaseLostError` where another attempt holds the run now.
    ///
    /// >>> for run in store.runs.claim_next("worker-1", ["mail.send"]):
    /// ...     print(store.runs.step(run, "render", lambda: {"body": "Dear customer"}))
    /// {'body': 'Dear customer'}
    #[pyo3(signature = (run, name, r#fn), text_signature = "($self, run, name, fn)")]
    fn step<'py>(
        &self,
        py: Python<'py>,
        run: Fence,
        name: Text,
        r#fn: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Fence { id, lease } = run;
        let request = FindStep::new(&id, lease, &name.0);
        step(
            r#fn,
            || self.ground.runs(py, |runs| runs.find_step(&request)),
            |output| {
                let request = SaveStep { id, lease, name: name.0, output };
                self.ground.runs(py, |runs| runs.save_step(&request))
            },
        )
    }

    /// The stored steps of a run, in the order they were stored; `NotFoundError` where there is no such run.
    fn steps<'py>(&self, py: Python<'py>, id: Text) -> PyResult<Bound<'py, PyAny>> {
        let request = ListSteps::new(id.0);
        pages::list(py, self.ground.runs(py, |runs| runs.steps(&request))?, Step::make)
    }
}

/// Runs a step: between two calls rather than within one, so that the function may use the store as it likes.
pub(crate) fn step<'py>(
    function: &Bound<'py, PyAny>,
    find: impl FnOnce() -> PyResult<Option<StepResult>>,
    save: impl FnOnce(Json) -> PyResult<StepResult>,
) -> PyResult<Bound<'py, PyAny>> {
    if !function.is_callable() {
        return Err(PyTypeError::new_err("fn is a function without parameters"));
    }
    let stored = match find()? {
        Some(stored) => stored,
        None => save(json_in::document(&function.call0()?)?)?,
    };
    json_out::document(function.py(), &stored.output)
}
