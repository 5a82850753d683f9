//! Somebody who waits for commits, of this process or another.

use std::time::{Duration, Instant};

use crate::db::{Counts, SLICE, Signal, Signals, interrupted};
use crate::error::Result;
use crate::session::Core;

/// How long news may be missed where not every commit is sure to be told: polling is the net under the wake-up.
const NET: Duration = Duration::from_secs(1);

/// Waits for news of commits. While it lives, the store watches for those of other processes.
///
/// ```text
/// let mut waiter = core.waiter(&[Signal::RunEnded]);
/// loop {
///     waiter.looking(); // what is told from here on is not slept through
///     if let Some(found) = look()? { return Ok(found) }
///     if Instant::now() >= until { return Err(too_late()) }
///     waiter.wait(until)?;
/// }
/// ```
pub(crate) struct Waiter<'c> {
    core: &'c Core,
    wanted: Signals,
    seen: Counts,
}

impl Core {
    /// Begins to wait for news of these kinds.
    pub(crate) fn waiter(&self, wanted: &[Signal]) -> Waiter<'_> {
        self.watch.join();
        Waiter { core: self, wanted: Signals::of(wanted), seen: self.watch.wake().counts() }
    }
}

impl Waiter<'_> {
    /// To be called before each look at the database.
    pub(crate) fn looking(&mut self) {
        self.seen = self.core.watch.wake().counts();
    }

    /// Whether no commit goes unheard: without news there is nothing to look for.
    pub(crate) fn is_complete(&self) -> bool {
        self.core.watch.is_complete()
    }

    /// Waits for a reason to look again: news since the last look, `until`, or a second where news may be missed.
    ///
    /// Errors: `timeout` where the host's interrupt ends it; `misuse` where the store was closed, `forked`.
    pub(crate) fn wait(&self, until: Instant) -> Result<()> {
        let until = if self.is_complete() { until } else { until.min(Instant::now() + NET) };
        let interrupt = self.core.options.interrupt.as_ref();
        loop {
            self.core.check()?;
            let left = until.saturating_duration_since(Instant::now());
            let slice = if interrupt.is_some() { left.min(SLICE) } else { left };
            if self.news(self.wanted, slice).any(self.wanted) || left.is_zero() {
                return self.core.check();
            }
            if interrupt.is_some_and(|asked| asked()) {
                return Err(interrupted());
            }
        }
    }

    /// Waits for news of those kinds, for so long at most; what was told since the last look, of whatever kind.
    pub(crate) fn news(&self, wanted: Signals, timeout: Duration) -> Signals {
        self.core.watch.wait(&self.seen, wanted, timeout).news(&self.seen)
    }

    /// The same; what was told of `passing` ends the wait, and is not told again.
    pub(crate) fn news_and(&mut self, wanted: Signals, passing: Signals, timeout: Duration) -> Signals {
        let counts = self.core.watch.wait(&self.seen, wanted.with(passing), timeout);
        let news = counts.news(&self.seen);
        self.seen.catch_up(&counts, passing);
        news
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        // In a forked child a thread of the parent's may hold the lock for ever.
        if !self.core.forked() {
            self.core.watch.leave();
        }
    }
}
