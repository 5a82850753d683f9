//! The clocks of the operating system.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rustix::time::{ClockId, clock_gettime};

use super::{Clock, Timestamp};

/// The furthest the wall has ever been ahead of the monotonic clock, in this process.
///
/// One atomic and no lock: a lock held by another thread at `fork()` would hang the child.
static LEAD: AtomicI64 = AtomicI64::new(i64::MIN);

/// The machine's clocks, with a wall clock that never goes back within the process.
///
/// If the wall is set back, time goes on from the last value by the monotonic clock until the wall has caught up.
///
/// ```
/// use sprongus::clock::{Clock, SystemClock};
/// let clock = SystemClock::new();
/// let before = clock.now();
/// assert!(clock.now() >= before);
/// ```
#[derive(Debug, Clone)]
pub struct SystemClock {
    boot_id: Arc<str>,
}

impl SystemClock {
    /// Reads the boot id once.
    ///
    /// On Linux it is `/proc/sys/kernel/random/boot_id`, on macOS `kern.bootsessionuuid`. Where neither can be read it is
    /// the constant `unknown`: leases then outlive a reboot by as long as the monotonic clock needs to catch up, which
    /// delays work but never runs it twice.
    pub fn new() -> Self {
        Self { boot_id: read_boot_id().unwrap_or_else(|| "unknown".into()) }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // The wall first: a pause between the two readings then makes the lead too small, which the maximum ignores.
        let wall = micros(ClockId::Realtime);
        Timestamp::from_micros(guarded(&LEAD, wall, micros(ClockId::Monotonic)))
    }

    fn monotonic(&self) -> i64 {
        micros(ClockId::Monotonic)
    }

    fn boot_id(&self) -> Arc<str> {
        Arc::clone(&self.boot_id)
    }
}

fn guarded(lead: &AtomicI64, wall: i64, monotonic: i64) -> i64 {
    let now = wall.saturating_sub(monotonic);
    let before = lead.fetch_max(now, Ordering::Relaxed);
    monotonic.saturating_add(before.max(now))
}

fn micros(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    #[allow(clippy::useless_conversion, reason = "the fields' types differ between platforms")]
    let (seconds, nanos) = (i64::from(time.tv_sec), i64::from(time.tv_nsec));
    seconds.saturating_mul(1_000_000).saturating_add(nanos / 1_000)
}

fn read_boot_id() -> Option<Arc<str>> {
    let text = if cfg!(target_os = "macos") {
        let output = std::process::Command::new("/usr/sbin/sysctl").args(["-n", "kern.bootsessionuuid"]).output();
        String::from_utf8(output.ok()?.stdout).ok()?
    } else {
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?
    };
    let id = text.trim();
    (!id.is_empty()).then(|| id.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_back_goes_on_by_the_monotonic_clock() {
        let lead = AtomicI64::new(i64::MIN);
        assert_eq!(guarded(&lead, 1_000, 10), 1_000);
        assert_eq!(guarded(&lead, 400, 15), 1_005, "the wall was set back by 605");
        assert_eq!(guarded(&lead, 500, 115), 1_105);
        assert_eq!(guarded(&lead, 2_000, 120), 2_000, "and has caught up");
        assert_eq!(guarded(&lead, 2_010, 130), 2_010);
    }

    #[test]
    fn the_machine_has_a_present() {
        let clock = SystemClock::new();
        let (now, monotonic) = (clock.now(), clock.monotonic());
        assert!(now.to_string().as_str() > "2024");
        assert!(clock.now() >= now && clock.monotonic() >= monotonic && monotonic > 0);
        assert_eq!(clock.for_database(), None);
        #[cfg(target_os = "linux")]
        assert_eq!(clock.boot_id().len(), 36);
    }
}
