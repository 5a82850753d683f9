//! How many rows a step of a bulk write takes, and how long others are let at the lock after it.

use std::time::{Duration, Instant};

/// How long a step may hold the lock, about.
const HOLD: Duration = Duration::from_millis(8);
/// Between two steps, for those who wait for the lock and look for it now and then; and where there are any.
const REST: Duration = Duration::from_millis(2);
const CROWDED: Duration = Duration::from_millis(10);
/// No rest is longer.
const LONGEST: Duration = Duration::from_millis(200);

/// How long a step waited for the lock, and held it.
pub(super) struct Held {
    pub(super) waited: Duration,
    pub(super) work: Duration,
}

/// As many rows a step as hold the lock for about [`HOLD`].
pub(super) struct Pace {
    pub(super) rows: usize,
    /// Until then the lock is the others'.
    rests: Option<Instant>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { rows: 200, rests: None }
    }
}

impl Pace {
    /// To be called before a step, when all is made ready for it: lets others at the lock.
    pub(super) fn rest(&self) {
        if let Some(until) = self.rests {
            std::thread::sleep(until.saturating_duration_since(Instant::now()));
        }
    }

    /// To be called after a step: fits the next one, and the [`rest`](Self::rest) before it.
    pub(super) fn stepped(&mut self, rows: usize, held: Held) {
        let fitting = rows as f64 * HOLD.as_secs_f64() / held.work.as_secs_f64().max(1e-6);
        // Towards it, but not by leaps: one slow step is no reason to crawl.
        self.rows = (fitting as usize).clamp(self.rows / 2, self.rows * 2).clamp(50, 4_000);
        self.rests = Some(Instant::now() + rest(&held));
    }
}

/// A busy machine makes steps long, and late who waits: the rest grows with the step.
fn rest(held: &Held) -> Duration {
    let least = if held.waited > REST { CROWDED } else { REST };
    least.mul_f64(held.work.as_secs_f64() / HOLD.as_secs_f64()).clamp(least, LONGEST)
}
