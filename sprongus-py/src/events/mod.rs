//! `Events`.

mod follow;
mod handover;
mod subscription;

use pyo3::prelude::*;
use sprongus::events::{FollowEvents, ReadEvents, SubscribeEvents};

use crate::args::{Text, Texts, Whole, text, texts};
use crate::ground::Ground;
use crate::pages;

pub(crate) use follow::Follow;
pub(crate) use subscription::Subscription;

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
    /// begin with "run.". One call looks at 10,000 events at most: of a rare type it may bring none, and a cursor that is
    /// further on; read until the cursor stays. Raises `InvalidArgumentError` for a cursor that is none.
    #[pyo3(
        signature = (*, after = None, types = None, project = None, limit = Whole(100)),
        text_signature = "($self, *, after=None, types=None, project=None, limit=100)"
    )]
    fn read<'py>(
        &self,
        py: Python<'py>,
        after: Option<Text>,
        types: Option<Texts>,
        project: Option<Text>,
        limit: Whole,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request =
            ReadEvents { after: text(after), types: types.map(texts), project: text(project), limit: limit.0 };
        pages::batch(py, self.ground.events(py, |events| events.read(&request))?)
    }

    /// The position after the last event there is: `read(after=…)` gives what comes later.
    ///
    /// >>> position = store.events.position()
    /// >>> run = store.runs.enqueue("thumbnail")
    /// >>> [event.type for event in store.events.read(after=position)]
    /// ['run.enqueued']
    fn position(&self, py: Python<'_>) -> PyResult<String> {
        self.ground.events(py, |events| events.position())
    }

    /// The feed as it grows: an iterator that waits for the next event, whichever process commits it. Ctrl-C ends the wait.
    ///
    /// after: a cursor of `read`, or of the iterator, whose `cursor` moves on with each event; None: from now on. Its
    /// `close()` ends it from another thread. Raises `InvalidArgumentError`, and `MisuseError` on a transaction.
    ///
    /// >>> feed = store.events.follow(types=["run.*"])
    /// >>> run = store.runs.enqueue("thumbnail")
    /// >>> for event in feed:
    /// ...     print(event.type, event.run_id == run.id)
    /// ...     break
    /// run.enqueued True
    #[pyo3(signature = (*, after = None, types = None, project = None))]
    fn follow(
        &self,
        py: Python<'_>,
        after: Option<Text>,
        types: Option<Texts>,
        project: Option<Text>,
    ) -> PyResult<Follow> {
        let request = FollowEvents { after: text(after), types: types.map(texts), project: text(project) };
        self.ground.events(py, |events| events.follow(&request)).map(Follow::new)
    }

    /// Calls `fn(event)` with each event that this opened store commits from now on, by whichever of its handles and workers.
    ///
    /// The calls come one after another on a thread of their own, each subject's events in their order; commits do not wait
    /// for them. What it raises is logged under `sprongus.events`. It lasts until it is closed, or the store is. What other
    /// processes commit comes by `follow`. Raises `InvalidArgumentError`, and `MisuseError` on a transaction.
    ///
    /// >>> import queue
    /// >>> told = queue.Queue()
    /// >>> with store.events.subscribe(told.put, types=["run.enqueued"]):
    /// ...     run = store.runs.enqueue("thumbnail")
    /// ...     print(told.get(timeout=10).run_id == run.id)
    /// True
    #[pyo3(signature = (r#fn, *, types = None, project = None), text_signature = "($self, fn, *, types=None, project=None)")]
    fn subscribe(
        &self,
        r#fn: &Bound<'_, PyAny>,
        types: Option<Texts>,
        project: Option<Text>,
    ) -> PyResult<Subscription> {
        let request = SubscribeEvents { types: types.map(texts), project: text(project) };
        Subscription::new(r#fn, &self.ground, &request)
    }
}
