//! Ids (ULID text) and random waiting times. Nothing here keeps state that a `fork()` could copy into two children.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use ulid::Ulid;

use crate::error::Result;
use crate::text::check_text;

/// The longest id a caller may bring, in bytes.
pub const MAX_ID: usize = 128;

/// The upper half of the last id: 48 bits of milliseconds, then a 16-bit counter that runs over into them.
///
/// An atomic rather than a locked generator: a lock held by another thread at `fork()` would hang the child.
static LAST: AtomicU64 = AtomicU64::new(0);

/// A new ULID, 26 characters: greater than every one this process made before, on whichever thread.
///
/// Its lower 64 bits come from the operating system each time, so two children of one fork never make the same.
///
/// ```
/// let (first, second) = (sprongus::id::new_id(), sprongus::id::new_id());
/// assert!(first < second && first.len() == 26);
/// ```
pub fn new_id() -> String {
    ulid(next(&LAST, SystemTime::now()), entropy()).to_string()
}

/// Makes ids as [`new_id`] does, for many rows of one call: the operating system is asked for the randomness of several at a
/// time. It lives no longer than the call, so no `fork()` copies what is left of it.
pub(crate) struct NewIds {
    random: [[u8; 8]; Self::AT_ONCE],
    used: usize,
}

impl NewIds {
    /// Ids between two questions: 256 bytes, which Linux gives in one piece whatever else goes on (getrandom(2)).
    const AT_ONCE: usize = 32;

    pub(crate) const fn new() -> Self {
        Self { random: [[0; 8]; Self::AT_ONCE], used: Self::AT_ONCE }
    }

    pub(crate) fn next(&mut self) -> String {
        if self.used == Self::AT_ONCE && getrandom::fill(self.random.as_flattened_mut()).is_ok() {
            self.used = 0;
        }
        let lower = match self.random.get(self.used) {
            Some(random) => u64::from_ne_bytes(*random),
            None => return new_id(),
        };
        self.used += 1;
        ulid(next(&LAST, SystemTime::now()), lower).to_string()
    }
}

fn ulid(upper: u64, lower: u64) -> Ulid {
    Ulid(u128::from(upper) << 64 | u128::from(lower))
}

fn next(last: &AtomicU64, now: SystemTime) -> u64 {
    let millis = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_millis());
    let now = u64::try_from(millis).unwrap_or(0) << 16;
    let step = |last: u64| now.max(last.saturating_add(1));
    let before = last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(step(last)));
    step(before.unwrap_or_else(|last| last))
}

/// Whether a caller may use this as an id: 1–128 bytes, no control characters (NUL is one); `invalid_argument` names `what`.
///
/// # Errors
/// `invalid_argument`.
pub fn check_id(what: &str, id: &str) -> Result<()> {
    check_text(what, id, MAX_ID)
}

/// A random time, uniform in `0..=max`.
pub fn jitter(max: Duration) -> Duration {
    let nanos = u64::try_from(max.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(fastrand::Rng::with_seed(entropy()).u64(0..=nanos))
}

/// How long to wait before the next attempt: `random(0, min(cap, base · 2^(attempt-1)))` (DESIGN.md §15), `attempt` from 1.
pub fn backoff(attempt: u32, base: Duration, cap: Duration) -> Duration {
    jitter(ceiling(attempt, base, cap))
}

fn ceiling(attempt: u32, base: Duration, cap: Duration) -> Duration {
    let factor = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
    base.saturating_mul(factor).min(cap)
}

/// 64 bits from the operating system.
fn entropy() -> u64 {
    getrandom::u64().unwrap_or_else(|_| {
        // Only where the system has no randomness at all; the process id keeps forked children apart.
        fastrand::u64(..) ^ u64::from(std::process::id()).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_rise_within_a_thread_and_never_meet_across_threads() {
        let make = || (0..20_000).map(|_| new_id()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(make)).collect();
        let mut all = BTreeSet::new();
        for thread in threads {
            let ids = thread.join().unwrap();
            assert!(ids.is_sorted_by(|a, b| a < b));
            all.extend(ids.iter().map(|id| id.parse::<Ulid>().unwrap().0 >> 64));
        }
        assert_eq!(all.len(), 80_000, "the upper 64 bits alone tell them apart");
    }

    #[test]
    fn many_ids_rise_and_share_no_randomness() {
        let mut ids = NewIds::new();
        let made: Vec<_> = (0..1_000).map(|_| ids.next()).collect();
        assert!(made.is_sorted_by(|a, b| a < b) && *made.last().unwrap() < new_id());
        let lower: BTreeSet<_> = made.iter().map(|id| id.parse::<Ulid>().unwrap().0 as u64).collect();
        assert_eq!(lower.len(), 1_000, "64 bits each, none used twice");
    }

    #[test]
    fn an_id_carries_the_time_and_survives_its_steps() {
        let at = |millis| SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        let last = AtomicU64::new(0);
        assert_eq!(next(&last, at(1_469_922_850_259)) >> 16, 1_469_922_850_259);
        assert_eq!(next(&last, at(5)), (1_469_922_850_259 << 16) + 1, "set back");
        last.store((7 << 16) - 1, Ordering::Relaxed);
        assert_eq!(next(&last, at(6)), 7 << 16, "the counter runs over into the next millisecond");
        assert!(new_id().parse::<Ulid>().unwrap().timestamp_ms() > 1_700_000_000_000);
    }

    #[test]
    fn two_children_of_one_fork_part_ways_at_once() {
        let copy = || AtomicU64::new(7 << 16);
        let (left, right) = (copy(), copy());
        let now = SystemTime::UNIX_EPOCH;
        let (left, right) = (next(&left, now), next(&right, now));
        assert_eq!(left, right, "all that a fork copies");
        assert_ne!(ulid(left, entropy()), ulid(right, entropy()));
    }

    #[test]
    fn ids_of_callers_are_checked() {
        for good in ["a", "épée", "a b", &"x".repeat(128)] {
            check_id("the id", good).unwrap();
        }
        for bad in ["", "a\0", "a\n", "\u{7f}", "\u{85}", &"x".repeat(129), &"é".repeat(65)] {
            assert!(check_id("the id", bad).unwrap_err().message().starts_with("the id "));
        }
    }

    #[test]
    fn waiting_times_stay_within_their_bounds() {
        let (base, cap) = (Duration::from_secs(1), Duration::from_secs(300));
        let bounds: Vec<_> = [0, 1, 2, 9, 10, 33, u32::MAX].map(|n| ceiling(n, base, cap).as_secs()).into();
        assert_eq!(bounds, [1, 1, 2, 256, 300, 300, 300]);
        assert_eq!(jitter(Duration::ZERO), Duration::ZERO);
        assert!(jitter(Duration::MAX) <= Duration::MAX);
        let drawn: Vec<_> = (0..500).map(|_| backoff(3, base, cap)).collect();
        assert!(drawn.iter().all(|time| *time <= Duration::from_secs(4)));
        assert!(drawn.iter().any(|time| *time < base) && drawn.iter().any(|time| *time > 3 * base));
    }
}
