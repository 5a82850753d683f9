//! Records: what calls return. Frozen; they compare, hash and pickle by their JSON.

mod accepted;
mod approval;
mod artifact;
mod base;
mod entry;
mod event;
mod field;
mod figures;
mod history;
mod metrics;
mod preset;
mod project;
mod report;
mod run;
mod schedule;

use pyo3::prelude::*;

pub(crate) use accepted::Accepted;
pub(crate) use approval::Approval;
pub(crate) use artifact::Artifact;
pub(crate) use base::{Data, Record, of};
pub(crate) use entry::{BulkReport, Entry};
pub(crate) use event::Event;
pub(crate) use field::Field;
pub(crate) use figures::{KindLimit, RunStats, Step};
pub(crate) use history::{EntryVersion, RefView};
pub(crate) use metrics::WorkerMetrics;
pub(crate) use preset::Preset;
pub(crate) use project::Project;
pub(crate) use report::Report;
pub(crate) use run::Run;
pub(crate) use schedule::Schedule;

/// Defines a record: its class and one read-only attribute for each line.
///
/// A macro because the attributes of a class must stand in one `impl` block that pyo3's own macro reads.
macro_rules! record {
    ($(#[$class_doc:meta])* $class:ident($it:ident: $inner:ty) { $($(#[$doc:meta])* $name:ident = $value:expr;)* }) => {
        $(#[$class_doc])*
        #[pyo3::pyclass(module = "sprongus", extends = $crate::records::Record, frozen)]
        pub(crate) struct $class(std::sync::Arc<$inner>);

        impl $class {
            /// The record itself.
            #[allow(dead_code)] // not every record is read again
            pub(crate) fn inner(&self) -> &$inner {
                &self.0
            }

            pub(crate) fn make(py: pyo3::Python<'_>, inner: $inner) -> pyo3::PyResult<pyo3::Bound<'_, Self>> {
                let inner = std::sync::Arc::new(inner);
                let base = $crate::records::of(inner.clone());
                pyo3::Bound::new(py, pyo3::PyClassInitializer::from(base).add_subclass(Self(inner)))
            }
        }

        impl $crate::records::Data for $inner {
            fn class(&self) -> &'static str {
                stringify!($class)
            }

            fn fields(&self) -> &'static [&'static str] {
                &[$(stringify!($name)),*]
            }

            fn json(&self) -> serde_json::Result<String> {
                serde_json::to_string(self)
            }
        }

        #[pyo3::pymethods]
        impl $class {
            $($(#[$doc])*
            #[getter]
            fn $name<'py>(&self, py: pyo3::Python<'py>) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::PyAny>> {
                let $it = &*self.0;
                $crate::records::Field::object(&$value, py)
            })*
        }
    };
}
pub(crate) use record;

/// Makes a record anew from what pickling kept of it.
#[pyfunction]
fn _record<'py>(py: Python<'py>, class: &str, json: &str) -> PyResult<Bound<'py, PyAny>> {
    match class {
        "Accepted" => Accepted::make(py, base::read(py, json)?).map(Bound::into_any),
        "Approval" => Approval::make(py, base::read(py, json)?).map(Bound::into_any),
        "Artifact" => Artifact::make(py, base::read(py, json)?).map(Bound::into_any),
        "BulkReport" => BulkReport::make(py, base::read(py, json)?).map(Bound::into_any),
        "Entry" => Entry::make(py, base::read(py, json)?).map(Bound::into_any),
        "EntryVersion" => EntryVersion::make(py, base::read(py, json)?).map(Bound::into_any),
        "Event" => Event::make(py, base::read(py, json)?).map(Bound::into_any),
        "KindLimit" => KindLimit::make(py, base::read(py, json)?).map(Bound::into_any),
        "Preset" => Preset::make(py, base::read(py, json)?).map(Bound::into_any),
        "Project" => Project::make(py, base::read(py, json)?).map(Bound::into_any),
        "RefView" => RefView::make(py, base::read(py, json)?).map(Bound::into_any),
        "Report" => Report::make(py, base::read(py, json)?).map(Bound::into_any),
        "Run" => Run::make(py, base::read(py, json)?).map(Bound::into_any),
        "RunStats" => RunStats::make(py, base::read(py, json)?).map(Bound::into_any),
        "Schedule" => Schedule::make(py, base::read(py, json)?).map(Bound::into_any),
        "Step" => Step::make(py, base::read(py, json)?).map(Bound::into_any),
        "WorkerMetrics" => WorkerMetrics::make(py, base::read(py, json)?).map(Bound::into_any),
        _ => Err(pyo3::exceptions::PyValueError::new_err("no such record")),
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(_record, module)?)?;
    module.add_class::<Record>()?;
    module.add_class::<Accepted>()?;
    module.add_class::<Approval>()?;
    module.add_class::<Artifact>()?;
    module.add_class::<BulkReport>()?;
    module.add_class::<Entry>()?;
    module.add_class::<EntryVersion>()?;
    module.add_class::<Event>()?;
    module.add_class::<KindLimit>()?;
    module.add_class::<Preset>()?;
    module.add_class::<Project>()?;
    module.add_class::<RefView>()?;
    module.add_class::<Report>()?;
    module.add_class::<Run>()?;
    module.add_class::<RunStats>()?;
    module.add_class::<Schedule>()?;
    module.add_class::<Step>()?;
    module.add_class::<WorkerMetrics>()
}
