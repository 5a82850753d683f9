//! Clocks for tests: one that stands still until it is moved, one that is wrong. Not for production.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Clock, SystemClock, Timestamp};

/// A clock that a test moves by hand; clones share the time. It replaces the database server's clock too.
///
/// ```
/// use std::time::Duration;
/// use sprongus::clock::{Clock, Timestamp, testing::ManualClock};
/// let clock = ManualClock::new(Timestamp::from_micros(0));
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().to_string(), "1970-01-01T00:01:00.000000Z");
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<State>);

#[derive(Debug)]
struct State {
    wall: AtomicI64,
    monotonic: AtomicI64,
    boot_id: Mutex<Arc<str>>,
}

impl ManualClock {
    /// A clock that shows `now`; its monotonic reading starts at 1,000 s.
    pub fn new(now: Timestamp) -> Self {
        Self(Arc::new(State {
            wall: AtomicI64::new(now.as_micros()),
            monotonic: AtomicI64::new(1_000_000_000),
            boot_id: Mutex::new("boot-1".into()),
        }))
    }

    /// Sets the wall clock; the monotonic one stays.
    pub fn set(&self, now: Timestamp) {
        self.0.wall.store(now.as_micros(), Ordering::SeqCst);
    }

    /// Lets that much time pass, on both clocks.
    pub fn advance(&self, time: Duration) {
        self.set(self.now().saturating_add(time));
        let micros = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        self.0.monotonic.store(self.monotonic().saturating_add(micros), Ordering::SeqCst);
    }

    /// Steps the wall clock alone, by microseconds forward or (negative) back.
    pub fn step_wall(&self, micros: i64) {
        self.set(Timestamp::from_micros(self.now().as_micros().saturating_add(micros)));
    }

    /// Starts another boot: a new boot id, the monotonic clock at zero.
    pub fn reboot(&self) {
        let mut id = self.0.boot_id.lock().unwrap_or_else(PoisonError::into_inner);
        *id = format!("{id}+").into();
        self.0.monotonic.store(0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.wall.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> i64 {
        self.0.monotonic.load(Ordering::SeqCst)
    }

    fn boot_id(&self) -> Arc<str> {
        Arc::clone(&self.0.boot_id.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn overrides_database(&self) -> bool {
        true
    }
}

/// A machine whose wall clock is wrong by a fixed amount; its monotonic clock is right, the database keeps its own time.
#[derive(Debug, Clone)]
pub struct SkewedClock {
    machine: SystemClock,
    micros: i64,
}

impl SkewedClock {
    /// Wrong by that many seconds; negative is behind.
    pub fn new(seconds: i64) -> Self {
        Self { machine: SystemClock::new(), micros: seconds.saturating_mul(1_000_000) }
    }
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.machine.now().as_micros().saturating_add(self.micros))
    }

    fn monotonic(&self) -> i64 {
        self.machine.monotonic()
    }

    fn boot_id(&self) -> Arc<str> {
        self.machine.boot_id()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_time() {
        let clock = ManualClock::new(Timestamp::from_micros(5));
        let other = clock.clone();
        other.advance(Duration::from_micros(10));
        assert_eq!((clock.now().as_micros(), clock.monotonic()), (15, 1_000_000_010));
        clock.step_wall(-20);
        assert_eq!((other.now().as_micros(), other.monotonic()), (-5, 1_000_000_010));
        assert_eq!(clock.for_database(), Some(clock.now()));
    }

    #[test]
    fn a_reboot_is_seen() {
        let clock = ManualClock::new(Timestamp::from_micros(0));
        let before = clock.boot_id();
        clock.reboot();
        assert!(clock.boot_id() != before && clock.monotonic() == 0);
    }

    #[test]
    fn a_skewed_clock_is_off_by_what_it_was_given() {
        let (right, wrong) = (SystemClock::new(), SkewedClock::new(-3_600));
        assert!(right.now().since(wrong.now()) >= Duration::from_secs(3_599));
        assert!(wrong.monotonic().abs_diff(right.monotonic()) < 60_000_000);
        assert_eq!(wrong.for_database(), None);
    }
}
