//! `Lease`, and what a report takes: a Run as it was claimed, or a Lease.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::args::{Text, Whole};
use crate::records::Run;

/// What a report needs where no Run is at hand: from JSON, in another process. `Lease(run.id, run.lease)`.
#[pyclass(module = "sprongus", frozen, eq, hash)]
#[derive(PartialEq, Hash)]
pub(crate) struct Lease {
    /// The run.
    #[pyo3(get)]
    id: String,
    /// The number of its claim.
    #[pyo3(get)]
    lease: i64,
}

#[pymethods]
impl Lease {
    #[new]
    fn new(id: Text, lease: Whole) -> Self {
        Self { id: id.0, lease: lease.0 }
    }

    fn __repr__(&self) -> String {
        format!("Lease(id='{}', lease={})", self.id, self.lease)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, (String, i64)) {
        (py.get_type::<Self>(), (self.id.clone(), self.lease))
    }
}

/// The fence of a report: the run's id and the lease it was claimed under.
pub(crate) struct Fence {
    pub(crate) id: String,
    pub(crate) lease: i64,
}

impl<'a, 'py> FromPyObject<'a, 'py> for Fence {
    type Error = PyErr;

    fn extract(ob: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(run) = ob.cast::<Run>() {
            let run = run.get().inner();
            return Ok(Self { id: run.id.clone(), lease: run.lease });
        }
        if let Ok(lease) = ob.cast::<Lease>() {
            let lease = lease.get();
            return Ok(Self { id: lease.id.clone(), lease: lease.lease });
        }
        Err(PyTypeError::new_err("a report takes the Run as it was claimed, or a Lease"))
    }
}
