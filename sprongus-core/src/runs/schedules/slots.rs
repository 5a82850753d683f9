//! When a schedule's slots are, and which of those that have come are still to be made up for.

use std::time::Duration;

use super::cron::{CronSlots, zone};
use crate::clock::Timestamp;
use crate::error::{Error, Result};

/// So late, the newest slot that has come is enqueued whatever `catch_up` is: workers look now and then, and are restarted.
pub(super) const GRACE: Duration = Duration::from_secs(300);

/// What decides when the slots are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Timing {
    pub(super) cron: Option<String>,
    pub(super) every: Option<Duration>,
    pub(super) tz: String,
}

/// The slots of a schedule, in the order of time.
pub(super) enum Slots {
    Cron(Box<CronSlots>),
    /// Whole steps from the anchor, so that they do not drift; the anchor itself is none.
    Every {
        anchor: Timestamp,
        step: i64,
    },
}

/// What becomes of the slots that have come.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// To be enqueued, the oldest first.
    pub(super) slots: Vec<Timestamp>,
    /// The slot to come; already there where it is more than were asked for.
    pub(super) next: Option<Timestamp>,
}

impl Slots {
    pub(super) fn new(timing: &Timing, anchor: Timestamp) -> Result<Self> {
        let zone = zone(&timing.tz)?;
        match (&timing.cron, timing.every) {
            (Some(cron), None) => CronSlots::parse(cron, zone).map(|cron| Self::Cron(Box::new(cron))),
            (None, Some(every)) if every >= Duration::from_secs(1) => {
                Ok(Self::Every { anchor, step: crate::runs::lease::micros("every", every)? })
            }
            (None, Some(_)) => Err(Error::invalid("every is at least 1 second")),
            _ => Err(Error::invalid("a schedule goes by cron or by every: give one of them")),
        }
    }

    /// The first slot after that time; none where there is none to come.
    pub(super) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cron(cron) => cron.next(after),
            Self::Every { anchor, step } => {
                let steps = (after.as_micros() - anchor.as_micros()).div_euclid(*step).max(0) + 1;
                let micros = steps.checked_mul(*step)?.checked_add(anchor.as_micros())?;
                Some(Timestamp::from_micros(micros)).filter(|time| time.as_micros() == micros)
            }
        }
    }

    /// What is to be done at `now` of a schedule whose next slot was `next_at`, `most` at a time.
    ///
    /// Slots later than `catch_up` are left out, but for the newest: that one has at least [`GRACE`].
    pub(super) fn due(&self, next_at: Timestamp, now: Timestamp, catch_up: Duration, most: usize) -> Due {
        let oldest = now.saturating_sub(catch_up).max(next_at);
        let mut slots = Vec::new();
        let mut next = self.from(oldest);
        while let Some(slot) = next.filter(|slot| *slot <= now && slots.len() < most) {
            slots.push(slot);
            next = self.next(slot);
        }
        if slots.is_empty() && most > 0 {
            slots.extend(self.newest(next_at.max(now.saturating_sub(GRACE)), now));
        }
        Due { slots, next }
    }

    /// The first slot at or after that time.
    fn from(&self, time: Timestamp) -> Option<Timestamp> {
        self.next(Timestamp::from_micros(time.as_micros() - 1))
    }

    /// The last slot of that span, both ends included.
    fn newest(&self, since: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let within = |slot: &Timestamp| *slot <= until;
        std::iter::successors(self.from(since).filter(within), |slot| self.next(*slot).filter(within)).last()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn every(seconds: u64) -> Slots {
        let timing = Timing { cron: None, every: Some(secs(seconds)), tz: "UTC".to_owned() };
        Slots::new(&timing, at(7)).unwrap()
    }

    fn due(slots: &Slots, next_at: i64, now: i64, catch_up: u64, most: usize) -> (Vec<i64>, Option<i64>) {
        let Due { slots, next } = slots.due(at(next_at), at(now), secs(catch_up), most);
        let second = |slot: Timestamp| slot.as_micros() / 1_000_000;
        (slots.into_iter().map(second).collect(), next.map(second))
    }

    #[test]
    fn intervals_do_not_drift() {
        let slots = every(10);
        assert_eq!(slots.next(at(7)), Some(at(17)));
        assert_eq!(slots.next(at(16)), Some(at(17)));
        assert_eq!(slots.next(at(17)), Some(at(27)));
        assert_eq!(slots.next(at(-1_000)), Some(at(17)), "none before the anchor");
        assert_eq!(slots.next(Timestamp::MAX), None);
    }

    #[test]
    fn missed_slots_are_made_up_for_as_far_as_asked() {
        let slots = every(600);
        assert_eq!(due(&slots, 607, 606, 0, 9), (vec![], Some(607)), "not yet");
        assert_eq!(due(&slots, 607, 607, 0, 9), (vec![607], Some(1207)), "on time");
        assert_eq!(due(&slots, 607, 907, 0, 9), (vec![607], Some(1207)), "late within the grace");
        assert_eq!(due(&slots, 607, 908, 0, 9), (vec![], Some(1207)), "later than that");
        assert_eq!(due(&slots, 607, 3_010, 0, 9), (vec![3_007], Some(3_607)), "the newest alone");
        assert_eq!(due(&slots, 607, 3_000, 1_500, 9), (vec![1_807, 2_407], Some(3_007)));
        assert_eq!(due(&slots, 607, 3_000, 1_500, 1), (vec![1_807], Some(2_407)), "the rest stays due");
        assert_eq!(due(&slots, 607, 3_000, 9_999, 9).0.len(), 4, "no slot twice");
    }

    #[test]
    fn a_year_of_seconds_is_not_counted_through() {
        let slots = every(1);
        let year = 365 * 86_400;
        assert_eq!(due(&slots, 8, year, 100 * 365 * 86_400, 3), (vec![8, 9, 10], Some(11)));
        assert_eq!(due(&slots, 8, year, 0, 3), (vec![year], Some(year + 1)));
    }
}
