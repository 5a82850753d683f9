//! `Report`.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::Field;

super::record! {
    /// What the doctor found. `print(report)` shows it as text, a finding a line with its fix below; a notebook as a table.
    Report(it: sprongus::doctor::Report) {
        /// Whether nothing worse than advice was found.
        ok = it.ok;
        /// The worst first; each with `code`, `severity` ("error", "warning", "advice"), `message` and `fix`.
        findings = it.findings;
    }
}

#[pymethods]
impl Report {
    fn __str__(&self) -> String {
        self.inner().to_string()
    }

    fn _repr_html_<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        static SHOW: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let findings = Field::object(&self.inner().findings, py)?;
        SHOW.import(py, "sprongus._tables", "report_html")?.call1((findings,))
    }
}
