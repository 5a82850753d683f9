//! `Events`.

use pyo3::prelude::*;
use sprongus::events::ReadEvents;

use crate::args::{Text, Whole, text, texts};
use crate::ground::Ground;
use crate::pages;

/// The feed of all events: runs, documents and presets, by a cursor that skips nothing though commits overtake one another.
///
/// >>> batch = store.events.read(types=["run.*"])
/// >>> [event.type for event in batch]
/// ['run.enqueued']
/// >>> store.events.read(after=batch.cursor, types=["run.*"])
/// []
#[pyclass(module = "sprongus", frozen)]
pub(crate) struct Events {
    ground: Ground,
}

impl Events {
    pub(crate) fn new(ground: Ground) -> Self {
        Self { ground }
    }
}

#[pymethods]
impl Events {
    /// The events after a position, oldest first, each subject's in the order of its `seq`; None: from the beginning.
    ///
    /// after: `cursor` of the batch before; it stays good over a dump and restore of the database. types: "run.*" is all that
    /// begin with "run.". Raises `InvalidArgumentError` for a cursor that is none.
    #[pyo3(
        signature = (*, after = None, types = None, project = None, limit = Whole(100)),
        text_signature = "($self, *, after=None, types=None, project=None, limit=100)"
    )]
    fn read<'py>(
        &self,
        py: Python<'py>,
        after: Option<Text>,
        types: Option<Vec<Text>>,
        project: Option<Text>,
        limit: Whole,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request =
            ReadEvents { after: text(after), types: types.map(texts), project: text(project), limit: limit.0 };
        pages::batch(py, self.ground.events(py, |events| events.read(&request))?)
    }

    /// The position after the last event there is: `read(after=…)` gives what comes later.
    fn position(&self, py: Python<'_>) -> PyResult<String> {
        self.ground.events(py, |events| events.position())
    }
}
