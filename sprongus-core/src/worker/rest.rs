//! How long a claimer sleeps, and what ends its sleep.

use std::time::{Duration, Instant};

use super::shared::Shared;
use super::state::Phase;
use crate::clock::Clock;
use crate::db::{Signal, Signals};
use crate::events::Waiter;
use crate::runs::Outlook;

/// While others commit all the time, looks that find nothing take this part of it at most, once they took [`BURST`]; none is
/// put off for longer than [`LONGEST_GAP`].
const SHARE: u32 = 20;
const BURST: Duration = Duration::from_millis(5);
const LONGEST_GAP: Duration = Duration::from_millis(20);
/// Before what was due, and could not be had, is tried again; doubled each time, up to the poll interval.
const AGAIN: Duration = Duration::from_millis(1);

/// A claimer's sleep.
pub(super) struct Rest<'s> {
    shared: &'s Shared,
    waiter: Waiter<'s>,
    /// It works until it is idle, which ends of runs elsewhere may make it.
    patient: bool,
    /// A run is likely to be there: a claim needs no look before it.
    told: bool,
    /// The last time that was so, there was none for this worker.
    doubtful: bool,
    /// How many claims in a row got nothing though something was due.
    fruitless: u32,
    /// What looks that found nothing took of late.
    debt: Duration,
    ended: Instant,
}

impl<'s> Rest<'s> {
    pub(super) fn new(shared: &'s Shared, patient: bool) -> Self {
        let waiter = shared.own.core().waiter(&[]);
        let (debt, ended) = (Duration::ZERO, Instant::now());
        Self { shared, waiter, patient, told: false, doubtful: false, fruitless: 0, debt, ended }
    }

    pub(super) fn clock(&self) -> &'s dyn Clock {
        &*self.shared.own.core().options.clock
    }

    pub(super) fn looking(&mut self) {
        self.waiter.looking();
    }

    pub(super) fn is_told(&self) -> bool {
        self.told
    }

    /// A claim got something; whether there is likely more.
    pub(super) fn worked(&mut self, more: bool) {
        (self.told, self.doubtful, self.fruitless, self.debt) = (more, false, 0, Duration::ZERO);
    }

    /// Until a thread is free.
    pub(super) fn until_free(&mut self) {
        self.waiter.news(Signals::of(&[Signal::Worker]), self.shared.options.poll_interval);
    }

    /// A poll interval, whatever is told meanwhile: the database is in trouble.
    pub(super) fn poll(&mut self) {
        self.told = false;
        let until = Instant::now() + self.shared.options.poll_interval;
        while self.is_working() && Instant::now() < until {
            self.news(Signals::default(), until);
        }
    }

    /// Until there is reason to look again, after a turn that took so long and got nothing, a claim or not.
    pub(super) fn after(&mut self, outlook: &Outlook, claimed: bool, took: Duration) {
        self.doubtful |= self.told;
        self.told = false;
        self.fruitless = if claimed && outlook.is_due(self.clock()) { self.fruitless + 1 } else { 0 };
        let begun = Instant::now();
        self.debt = self.debt.saturating_sub((begun - self.ended) / SHARE) + took;
        self.ended = begun;
        let wanted = self.wanted(outlook);
        while self.is_working() {
            let Some(until) = self.until(outlook, begun) else { return };
            let news = self.news(wanted, until);
            if news.any(wanted) {
                self.told = news.has(Signal::RunReady) && !news.has(Signal::Guess) && !self.doubtful;
                let gap = (self.debt.saturating_sub(BURST) * SHARE).min(LONGEST_GAP);
                std::thread::sleep(gap.saturating_sub(begun.elapsed()));
                return;
            }
        }
    }

    /// What may change the outlook.
    fn wanted(&self, outlook: &Outlook) -> Signals {
        let mut wanted = Signals::of(&[Signal::RunReady]);
        if self.patient || outlook.limited {
            wanted = wanted.with(Signals::of(&[Signal::RunEnded]));
        }
        // Its own last run was reported: it may be idle now.
        if self.patient {
            wanted = wanted.with(Signals::of(&[Signal::Worker]));
        }
        wanted
    }

    /// When to look, or to read the clock, again; none: now.
    fn until(&self, outlook: &Outlook, begun: Instant) -> Option<Instant> {
        let poll = self.shared.options.poll_interval;
        let left = match outlook.left(self.clock()) {
            _ if self.fruitless > 0 => {
                (AGAIN * 2_u32.saturating_pow(self.fruitless.min(16))).min(poll).saturating_sub(begun.elapsed())
            }
            left if self.waiter.is_complete() && !outlook.limited => left.unwrap_or(poll),
            left => left.unwrap_or(poll).min(poll.saturating_sub(begun.elapsed())),
        };
        // The wall clock may be set: it is read once a poll interval, whatever it said.
        (!left.is_zero()).then(|| Instant::now() + left.min(poll))
    }

    /// What was told by then, at the latest when something of those kinds was, or a worker's thread has become free.
    fn news(&mut self, wanted: Signals, until: Instant) -> Signals {
        let left = until.saturating_duration_since(Instant::now());
        self.waiter.news_and(wanted, Signals::of(&[Signal::Worker]), left)
    }

    fn is_working(&self) -> bool {
        self.shared.phase() == Phase::Working
    }
}
