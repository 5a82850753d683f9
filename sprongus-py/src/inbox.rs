//! `Inbox`.

use pyo3::prelude::*;
use sprongus::inbox::Accept;

use crate::args::{Text, text};
use crate::enqueue_item;
use crate::ground::Ground;
use crate::records::Accepted;

/// Messages from outside, each processed once.
///
/// >>> message = {"kind": "reply", "input": {"text": "hello"}}
/// >>> [store.inbox.accept("telegram", "42", message).first for _ in range(2)]
/// [True, False]
#[pyclass(module = "sprongus", frozen)]
pub(crate) struct Inbox {
    ground: Ground,
}

impl Inbox {
    pub(crate) fn new(ground: Ground) -> Self {
        Self { ground }
    }
}

#[pymethods]
impl Inbox {
    /// Takes a message once per project, channel and id: `first` says whether this was it, and `run` is the first time's.
    ///
    /// enqueue: a dict of enqueue's parameters for the run that works it, in the same commit; a repeat is answered with the
    /// first, whatever it brings. Without it the message is only remembered. Raises as `Runs.enqueue`.
    #[pyo3(signature = (channel_id, provider_message_id, enqueue = None, *, project = None))]
    fn accept<'py>(
        &self,
        py: Python<'py>,
        channel_id: Text,
        provider_message_id: Text,
        enqueue: Option<Bound<'py, PyAny>>,
        project: Option<Text>,
    ) -> PyResult<Bound<'py, Accepted>> {
        let request = Accept {
            enqueue: enqueue.map(|run| enqueue_item::read(&run)).transpose()?,
            project: text(project),
            ..Accept::new(channel_id.0, provider_message_id.0)
        };
        Accepted::make(py, self.ground.inbox(py, |inbox| inbox.accept(&request))?)
    }
}
