//! Wakes what waits in this process, after a commit.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// What a commit tells to those who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// A run became ready to be claimed.
    RunReady,
    /// A run reached a final state.
    RunEnded,
}

/// A counter of signals with a condition variable: nobody who looked before a signal sleeps through it.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Wake {
    /// Tells all who wait.
    pub(crate) fn signal(&self, signals: &[Signal]) {
        if signals.is_empty() {
            return;
        }
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    /// The present count; take it before looking at the database.
    pub(crate) fn count(&self) -> u64 {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the count is past `seen`, or for `timeout`; whether it is.
    pub(crate) fn wait(&self, seen: u64, timeout: Duration) -> bool {
        let guard = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let (guard, _) = self
            .changed
            .wait_timeout_while(guard, timeout, |count| *count <= seen)
            .unwrap_or_else(PoisonError::into_inner);
        *guard > seen
    }
}
