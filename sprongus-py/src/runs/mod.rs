//! `Runs`.

mod look;
mod queue;
mod report;
mod steps;
mod upkeep;

use pyo3::prelude::*;
use sprongus::Json;

use crate::ground::Ground;
use crate::json_in;

pub(crate) use steps::step;

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

/// A document that may be left out; then it is null.
pub(crate) fn document(given: Option<Bound<'_, PyAny>>) -> PyResult<Json> {
    given.map_or_else(|| Ok(Json::null()), |given| json_in::document(&given))
}
