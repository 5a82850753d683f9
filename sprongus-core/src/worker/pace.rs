//! How many runs a worker claims ahead of its free threads.

use std::time::Duration;

/// A run that is claimed ahead is to wait no longer than about this.
const HORIZON: Duration = Duration::from_millis(20);

/// Nor are more than so many claimed ahead: enough that commits are no longer what takes the time.
const MOST: usize = 256;

/// The longest that handlers took of late; it is forgotten by an eighth with each that ends.
///
/// The longest, not the average: one slow handler in ten would keep what was claimed ahead waiting.
#[derive(Debug, Default)]
pub(super) struct Pace(Option<Duration>);

impl Pace {
    /// A handler has ended, or has not for so long.
    pub(super) fn took(&mut self, time: Duration) {
        self.0 = Some(self.0.map_or(time, |recent| time.max(recent - recent / 8)));
    }

    /// So many more than there are threads; none until something is known of the handlers.
    pub(super) fn ahead(&self, threads: usize) -> usize {
        let Some(recent) = self.0 else { return 0 };
        let each = HORIZON.as_micros() / recent.as_micros().max(1);
        usize::try_from(each).unwrap_or(MOST).saturating_mul(threads).min(MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_handlers_are_claimed_for_ahead() {
        let mut pace = Pace::default();
        assert_eq!(pace.ahead(4), 0, "nothing is known yet");
        pace.took(Duration::from_micros(10));
        assert_eq!(pace.ahead(4), MOST);
        pace.took(Duration::from_millis(5));
        assert_eq!(pace.ahead(4), 16);
        pace.took(Duration::from_secs(1));
        pace.took(Duration::from_micros(10));
        assert_eq!(pace.ahead(4), 0, "a slow one is remembered");
        (0..100).for_each(|_| pace.took(Duration::from_micros(10)));
        assert_eq!(pace.ahead(4), MOST);
    }
}
