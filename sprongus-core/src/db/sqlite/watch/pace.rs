//! When to ask for the data version.

use std::time::{Duration, Instant};

use super::bell::{Bell, Heard};

/// Under the bell: what it misses is seen after so long.
const NET: Duration = Duration::from_millis(100);
/// Between two looks while others write all the time.
const GAP: Duration = Duration::from_millis(1);
/// A commit is written, then flushed to the disk, and only then seen: the shortest time between two looks meanwhile.
const SHORT: Duration = Duration::from_micros(100);
/// Without a bell: soon after a commit, and after a while without any.
const SOON: Duration = Duration::from_millis(4);
const LATER: Duration = Duration::from_millis(8);
const WHILE: Duration = Duration::from_secs(10);
/// After so many commits without a ring there is no bell: a file system may not tell of writes from elsewhere.
const SILENT: u32 = 3;

/// How often it is asked: at once when the bell rings, then more and more slowly until the commit is there.
pub(super) struct Pace {
    has_bell: bool,
    /// When the log was first, and last, written; until what was written is sure to be seen, or the net sees to it.
    ringing: Option<(Instant, Instant)>,
    changed: Instant,
    /// The last look saw a change.
    fresh: bool,
    /// Commits since the bell last rang.
    silent: u32,
}

impl Pace {
    pub(super) fn new(has_bell: bool) -> Self {
        Self { has_bell, ringing: None, changed: Instant::now(), fresh: false, silent: 0 }
    }

    /// Waits until it is time to ask; what was heard of the bell.
    pub(super) fn wait(&self, bell: &mut Bell) -> Heard {
        // What rings is not looked at each time: a large transaction writes many pages, others may commit all the time.
        let (deaf, nap) = match self.ringing {
            _ if self.fresh => (GAP, GAP),
            Some((first, _)) => {
                let nap = (first.elapsed() / 4).clamp(SHORT, NET);
                (nap.min(GAP), nap)
            }
            None if self.has_bell => (Duration::ZERO, NET),
            None if self.changed.elapsed() < WHILE => (SOON, SOON),
            None => (LATER, LATER),
        };
        if !deaf.is_zero() {
            bell.sleep(deaf);
        }
        if self.has_bell { bell.wait(nap - deaf) } else { Heard::Nothing }
    }

    /// Learns from a look.
    pub(super) fn saw(&mut self, heard: Heard, changed: bool) {
        let now = Instant::now();
        self.fresh = changed;
        if heard == Heard::Ring {
            self.silent = 0;
        }
        if heard != Heard::Nothing {
            // One ring after another is one commit, as far as can be told.
            let first = self.ringing.filter(|(_, last)| now - *last < 2 * GAP).map_or(now, |(first, _)| first);
            self.ringing = Some((first, now));
        } else if self.ringing.is_some_and(|(_, last)| last.elapsed() > NET) {
            self.ringing = None;
        }
        if changed {
            self.changed = now;
            // The ring may have been that of the next commit too.
            self.ringing = self.ringing.map(|_| (now, now));
            self.silent += u32::from(heard == Heard::Nothing && self.ringing.is_none());
        }
        if self.has_bell && self.silent >= SILENT {
            tracing::debug!("the log is written without a sign: the file is asked every few milliseconds");
            self.has_bell = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_that_never_rings_is_given_up() {
        let mut pace = Pace::new(true);
        for _ in 0..SILENT {
            assert!(pace.has_bell);
            pace.saw(Heard::Unknown, true);
            std::thread::sleep(NET + SHORT);
            pace.saw(Heard::Nothing, false);
            pace.saw(Heard::Nothing, true);
        }
        assert!(!pace.has_bell);
    }

    #[test]
    fn a_ring_is_followed_until_its_commit_is_seen() {
        let mut pace = Pace::new(true);
        pace.saw(Heard::Ring, false);
        assert!(pace.ringing.is_some(), "written, and not seen yet");
        pace.saw(Heard::Nothing, true);
        assert!(pace.has_bell && pace.silent == 0 && pace.ringing.is_some(), "the next one may have rung as well");
        std::thread::sleep(NET + SHORT);
        pace.saw(Heard::Nothing, false);
        assert!(pace.ringing.is_none() && !pace.fresh);
    }
}
