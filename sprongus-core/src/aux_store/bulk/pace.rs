//! How many rows a step of a bulk write takes, and how long others are let at the lock after it.

use std::time::Duration;

use super::batch::REST;

/// How long a step may hold the lock, about.
const HOLD: Duration = Duration::from_millis(8);
/// Between two steps, where others want the lock too.
const CROWDED: Duration = Duration::from_millis(10);

/// How long a step waited for the lock, and held it.
pub(super) struct Held {
    pub(super) waited: Duration,
    pub(super) work: Duration,
}

/// As many rows a step as hold the lock for about [`HOLD`].
pub(super) struct Pace {
    pub(super) rows: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { rows: 200 }
    }
}

impl Pace {
    /// Fits the next step, and lets others at the lock: for longer where there are any, for they look for it now and then.
    pub(super) fn after(&mut self, rows: usize, held: Held) {
        let fitting = rows as f64 * HOLD.as_secs_f64() / held.work.as_secs_f64().max(1e-6);
        // Towards it, but not by leaps: one slow step is no reason to crawl.
        self.rows = (fitting as usize).clamp(self.rows / 2, self.rows * 2).clamp(50, 4_000);
        std::thread::sleep(if held.waited > REST { CROWDED } else { REST });
    }
}
