//! How long the call at work may still wait for a lock: told to SQLite's busy handler, looked at in slices.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::options::Interrupt;

/// Between two looks at the deadline and the interrupt.
pub(super) const SLICE: Duration = Duration::from_millis(50);

/// Shared by a connection and its busy handler.
#[derive(Default)]
pub(super) struct Patience {
    until: Mutex<Option<Instant>>,
    interrupt: Option<Interrupt>,
}

impl Patience {
    pub(super) fn new(interrupt: Option<Interrupt>) -> Self {
        Self { until: Mutex::new(None), interrupt }
    }

    /// Sets the deadline of the call that uses the connection now.
    pub(super) fn until(&self, deadline: Instant) {
        *lock(&self.until) = Some(deadline);
    }

    /// Sleeps a little and says whether to try again; short sleeps first, for most locks are short.
    pub(super) fn wait(&self, attempt: i32) -> bool {
        let left = lock(&self.until).map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
        if left.is_zero() || self.interrupt.as_ref().is_some_and(|asked| asked()) {
            return false;
        }
        let nap = Duration::from_micros(200 << attempt.clamp(0, 8));
        std::thread::sleep(nap.min(SLICE).min(left));
        true
    }
}

/// A lock that a panic elsewhere cannot poison for us: what it guards is a plain value.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
