//! Wakes what waits in this process.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::signal::{KINDS, Signals};

/// Counters of news with a condition variable: nobody who counted before a look sleeps through what came after it.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    counts: Mutex<Counts>,
    changed: Condvar,
}

/// How often each kind of news was told.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts([u64; KINDS]);

impl Wake {
    /// Tells all who wait.
    pub(crate) fn signal(&self, signals: Signals) {
        if signals.is_empty() {
            return;
        }
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        signals.numbers().for_each(|number| counts.0[number] += 1);
        drop(counts);
        self.changed.notify_all();
    }

    /// The present counts; to be taken before looking at the database.
    pub(crate) fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something of `wanted` was told since `seen`, or for `timeout`; the counts then.
    pub(crate) fn wait(&self, seen: &Counts, wanted: Signals, timeout: Duration) -> Counts {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = |counts: &mut Counts| !counts.news(seen).any(wanted);
        let waited = self.changed.wait_timeout_while(counts, timeout, silent);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Counts {
    /// What was told since then.
    pub(crate) fn news(&self, seen: &Self) -> Signals {
        Signals::numbered((0..KINDS).filter(|number| self.0[*number] > seen.0[*number]))
    }

    /// Takes the counts of some kinds from later ones.
    pub(crate) fn catch_up(&mut self, later: &Self, of: Signals) {
        of.numbers().for_each(|number| self.0[number] = later.0[number]);
    }
}
