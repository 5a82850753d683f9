//! `AuxTable`.

mod bulk;
mod entries;
mod list;
mod past;
mod sync;

use pyo3::prelude::*;

use crate::args::{self, Text};
use crate::ground::Ground;

/// Documents of one table of a project, validated by the preset bound to the table.
///
/// >>> assets = store.aux("p1", "assets")
/// >>> assets.create({"title": "Coburg"}, id="a-1").version
/// 1
#[pyclass(module = "sprongus", frozen)]
pub(crate) struct AuxTable {
    ground: Ground,
    /// The project.
    #[pyo3(get)]
    project: String,
    /// The table's name.
    #[pyo3(get)]
    name: String,
}

impl AuxTable {
    pub(crate) fn new(ground: Ground, project: String, name: String) -> Self {
        Self { ground, project, name }
    }

    fn place(&self) -> (&str, &str) {
        (&self.project, &self.name)
    }
}

#[pymethods]
impl AuxTable {
    fn __repr__(&self) -> String {
        format!("<sprongus.AuxTable {:?} of project {:?}>", self.name, self.project)
    }
}

/// The value of that name, or the first where none is given.
fn pick<T: Copy>(py: Python<'_>, what: &str, given: Option<Text>, choices: &[(&str, T)]) -> PyResult<T> {
    given.map_or(Ok(choices[0].1), |name| args::pick(py, what, &name, choices))
}
