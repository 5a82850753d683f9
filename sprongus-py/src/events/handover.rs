//! From the library's thread, which must not ask for the GIL of an interpreter that ends, to a thread of Python's.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sprongus::Event;

/// One event at a time, from a subscription to the function that is told.
#[derive(Default)]
pub(super) struct Handover {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    event: Option<Event>,
    /// The function is being called.
    busy: bool,
    /// Nothing more will come.
    finished: bool,
    /// Nothing more is wanted.
    closed: bool,
}

impl Handover {
    /// Hands an event over, when the one before it was taken.
    pub(super) fn put(&self, event: &Event) {
        let mut state = self.wait_while(|state| state.event.is_some() && !state.closed);
        if !state.closed {
            state.event = Some(event.clone());
        }
        self.changed.notify_all();
    }

    /// The next event; none when it is over. Whoever asks has ended the call before.
    pub(super) fn take(&self) -> Option<Event> {
        self.change(|state| state.busy = false);
        let mut state = self.wait_while(|state| state.event.is_none() && !state.finished && !state.closed);
        let event = if state.closed { None } else { state.event.take() };
        state.busy = event.is_some();
        self.changed.notify_all();
        event
    }

    pub(super) fn finish(&self) {
        self.change(|state| state.finished = true);
    }

    pub(super) fn close(&self) {
        self.change(|state| state.closed = true);
    }

    /// Waits a little for the end of a call; whether none is under way.
    pub(super) fn is_idle_within(&self, time: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.state(), time, |state| state.busy);
        !waited.unwrap_or_else(PoisonError::into_inner).0.busy
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, how: impl FnOnce(&mut State)) {
        how(&mut self.state());
        self.changed.notify_all();
    }

    fn wait_while(&self, condition: impl FnMut(&mut State) -> bool) -> MutexGuard<'_, State> {
        self.changed.wait_while(self.state(), condition).unwrap_or_else(PoisonError::into_inner)
    }
}
