//! `Follow`: the feed as an iterator.

use std::sync::{Mutex, PoisonError, TryLockError};

use pyo3::prelude::*;
use sprongus::Error;
use sprongus::events::{Follow as CoreFollow, Stop};

use crate::call::{Detached, wait};
use crate::error::raised;
use crate::records::Event;

/// The feed as it grows: each `next()` waits for an event. Made by `Events.follow`.
#[pyclass(module = "sprongus", frozen)]
pub(crate) struct Follow {
    feed: Detached<Mutex<CoreFollow>>,
    stop: Stop,
    /// Known without waiting for whoever waits for the next event.
    cursor: Mutex<String>,
}

impl Follow {
    pub(crate) fn new(feed: CoreFollow) -> Self {
        let (stop, cursor) = (feed.stop(), Mutex::new(feed.cursor()));
        Self { feed: Detached::new(Mutex::new(feed)), stop, cursor }
    }

    fn draw(&self) -> sprongus::Result<Option<sprongus::Event>> {
        let mut feed = match self.feed.try_lock() {
            Ok(feed) => feed,
            Err(TryLockError::Poisoned(feed)) => feed.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(Error::misuse("another thread waits on this iterator: follow once for each thread"));
            }
        };
        let drawn = feed.next().transpose();
        *self.cursor.lock().unwrap_or_else(PoisonError::into_inner) = feed.cursor();
        drawn
    }
}

#[pymethods]
impl Follow {
    /// The position after the last event that came: as `after`, another one goes on from there.
    #[getter]
    fn cursor(&self) -> String {
        self.cursor.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends it, from any thread: whoever waits for its next event leaves its loop. Twice is nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        wait(py, || {
            self.stop.stop();
            Ok(())
        })
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, Event>>> {
        wait(py, || self.draw())?.map(|event| Event::make(py, event)).transpose()
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<()> {
        Err(raised(py, &Error::misuse("this does not pickle: its cursor does; follow(after=…) goes on from there")))
    }
}
