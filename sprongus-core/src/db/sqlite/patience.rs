//! How long the call at work may still wait for a lock: told to SQLite's busy handler, looked at in slices. And whether a
//! query of the host's may be interrupted: told to its progress handler.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::db::pool::{SLICE, interrupted};
use crate::error::{Error, ErrorCode};
use crate::options::Interrupt;

/// Instructions of SQLite's between two looks at the clock: about a millisecond.
pub(super) const STEPS: i32 = 100_000;

/// Shared by a connection and its handlers.
#[derive(Default)]
pub(super) struct Patience {
    until: Mutex<Option<Instant>>,
    interrupt: Option<Interrupt>,
    interrupted: AtomicBool,
    heeds: AtomicBool,
    asked: Mutex<Option<Instant>>,
}

impl Patience {
    pub(super) fn new(interrupt: Option<Interrupt>) -> Self {
        Self { interrupt, ..Self::default() }
    }

    /// Sets the deadline of the call that uses the connection now.
    pub(super) fn until(&self, deadline: Instant) {
        *lock(&self.until) = Some(deadline);
        self.interrupted.store(false, Ordering::Relaxed);
    }

    /// The error of a wait that has ended: not "busy" where it was the interrupt that ended it.
    pub(super) fn explain(&self, error: Error) -> Error {
        let stopped = error.code() == ErrorCode::Busy && self.interrupted.load(Ordering::Relaxed);
        if stopped { interrupted() } else { error }
    }

    /// Whether an interrupt ends the statement at work.
    pub(super) fn heed(&self, heeds: bool) {
        *lock(&self.asked) = Some(Instant::now());
        self.heeds.store(heeds, Ordering::Relaxed);
    }

    /// Whether the statement at work is to end now; the host is asked once a slice.
    pub(super) fn is_over(&self) -> bool {
        let Some(interrupt) = self.interrupt.as_ref().filter(|_| self.heeds.load(Ordering::Relaxed)) else {
            return false;
        };
        let mut asked = lock(&self.asked);
        if asked.is_some_and(|asked| asked.elapsed() < SLICE) {
            return false;
        }
        *asked = Some(Instant::now());
        interrupt()
    }

    /// Sleeps a little and says whether to try again; short sleeps first, for most locks are short. Never long ones: SQLite's
    /// lock has no queue, and who looks seldom finds it taken by those who look often.
    pub(super) fn wait(&self, attempt: i32) -> bool {
        let left = lock(&self.until).map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return false;
        }
        if self.interrupt.as_ref().is_some_and(|asked| asked()) {
            self.interrupted.store(true, Ordering::Relaxed);
            return false;
        }
        let nap = Duration::from_micros(200 << attempt.clamp(0, 5));
        std::thread::sleep(nap.min(SLICE).min(left));
        true
    }
}

/// A lock that a panic elsewhere cannot poison for us: what it guards is a plain value.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
