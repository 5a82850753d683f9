//! What entries were before.

use pyo3::prelude::*;
use pyo3::types::PyInt;
use sprongus::aux_store::Moment;

use super::AuxTable;
use crate::args::{Text, Whole};
use crate::pages;
use crate::records::{Entry, EntryVersion};
use crate::time::At;

#[pymethods]
impl AuxTable {
    /// Every version of an entry, oldest first; a deletion is one, and a deleted entry's are there too.
    ///
    /// Raises `NotFoundError` where there never was such an entry.
    ///
    /// >>> assets = store.acting_as("ada", "the sale is over").aux("p6", "assets")
    /// >>> asset = assets.create({"title": "Coburg"}, id="a")
    /// >>> asset = assets.update("a", {"title": "Coburg, from the north"})
    /// >>> [(made.version, made.change_summary, made.actor) for made in assets.history("a")]
    /// [(1, 'created', 'ada'), (2, 'updated: title', 'ada')]
    fn history<'py>(&self, py: Python<'py>, id: Text) -> PyResult<Bound<'py, PyAny>> {
        let versions = self.ground.aux(py, self.place(), |aux| aux.history(&id.0))?;
        pages::list(py, versions, EntryVersion::make)
    }

    /// What differs between two versions of an entry, down to the leaves: each with `path`, `op`, `old`, `new`.
    ///
    /// a, b: a version's number, or a time, which means the version that was the present one then; without b, the present one.
    /// op: "added", "removed" or "changed". Raises `NotFoundError` where there is no such version, or none at such a time.
    ///
    /// >>> assets = store.aux("p7", "assets")
    /// >>> asset = assets.create({"title": "Coburg", "tags": ["town"]}, id="a")
    /// >>> asset = assets.update("a", {"title": "Coburg, from the north"})
    /// >>> assets.diff("a", 1, 2)
    /// [{'path': '/title', 'op': 'changed', 'old': 'Coburg', 'new': 'Coburg, from the north'}]
    #[pyo3(signature = (id, a, b = None))]
    fn diff<'py>(&self, py: Python<'py>, id: Text, a: When, b: Option<When>) -> PyResult<Bound<'py, PyAny>> {
        let (a, b) = (a.0, b.map(|b| b.0));
        let differences = self.ground.aux(py, self.place(), |aux| aux.diff(&id.0, a, b))?;
        pages::dicts(py, &differences)
    }

    /// The table as it was at a time: its entries then, by id.
    ///
    /// >>> import datetime
    /// >>> assets = store.aux("p8", "assets")
    /// >>> made = assets.create({"title": "Coburg"}, id="a")
    /// >>> assets.delete("a")
    /// []
    /// >>> [entry.id for entry in assets.as_of(made.last_updated)]
    /// ['a']
    fn as_of<'py>(&self, py: Python<'py>, at: At) -> PyResult<Bound<'py, PyAny>> {
        let entries = self.ground.aux(py, self.place(), |aux| aux.as_of(at.0))?;
        pages::list(py, entries, Entry::make)
    }

    /// Makes the document of an earlier version the present one, as the next version; a deleted entry comes back.
    ///
    /// Raises `NotFoundError` (the entry, the version), `InvalidStateError` where that version is a deletion,
    /// `ValidationError` where the preset no longer takes the document.
    ///
    /// >>> assets = store.aux("p9", "assets")
    /// >>> asset = assets.create({"title": "Coburg"}, id="a")
    /// >>> asset = assets.update("a", {"title": "?"})
    /// >>> restored = assets.restore("a", 1)
    /// >>> restored.payload["title"], restored.version
    /// ('Coburg', 3)
    fn restore<'py>(&self, py: Python<'py>, id: Text, version: Whole) -> PyResult<Bound<'py, Entry>> {
        Entry::make(py, self.ground.aux(py, self.place(), |aux| aux.restore(&id.0, version.0))?)
    }
}

/// A version's number, or a time.
struct When(Moment);

impl<'a, 'py> FromPyObject<'a, 'py> for When {
    type Error = PyErr;

    fn extract(ob: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if ob.is_instance_of::<PyInt>() {
            return ob.extract::<Whole>().map(|version| Self(Moment::Version(version.0)));
        }
        ob.extract::<At>().map(|at| Self(Moment::At(at.0)))
    }
}
