//! Where a worker stands: its phase, the runs it has, and what is to be done with them. Looked at and changed under one lock.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::held::Held;
use super::pace::Pace;
use super::report::{Ended, Report};
use crate::telemetry::Timings;

/// While so many reports wait to be made, nothing is claimed.
const MOST_REPORTS: usize = 512;

/// A run that was claimed ahead and has not begun after so long is given back.
const OVERDUE: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct State {
    pub(super) phase: Phase,
    /// A claim may be under way, or follow.
    pub(super) claiming: bool,
    /// Claimed, and not in a thread's hands yet.
    pub(super) waiting: VecDeque<Arc<Held>>,
    /// In a handler's hands.
    pub(super) begun: usize,
    /// Claimed, and not reported yet.
    pub(super) held: HashMap<(String, i64), Leased>,
    /// To be reported, the first that ended first.
    pub(super) reports: VecDeque<Report>,
    /// Taken to be given back unbegun, and not given back yet.
    pub(super) returning: usize,
    /// When everything was let go, and whether the database knows.
    pub(super) let_go: Option<(Instant, bool)>,
    pub(super) pace: Pace,
    /// Threads that have not ended.
    pub(super) threads: usize,
}

/// A lease that is to be extended.
pub(super) struct Leased {
    pub(super) held: Arc<Held>,
    /// When the handler is to be told that its time is over.
    pub(super) until: Option<Instant>,
}

/// How far a worker is between its start and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Phase {
    #[default]
    Idle,
    Working,
    /// Claims no more; what it has goes on.
    Stopping,
    /// Begins nothing more, and extends no lease.
    Abandoned,
}

impl State {
    /// How many more runs to claim: few at a time would cost more than many.
    pub(super) fn room(&self, threads: usize) -> usize {
        let ahead = self.pace.ahead(threads);
        let unreported = self.held.len().saturating_sub(self.begun + self.waiting.len());
        let enough = ahead > 0 && self.waiting.len() > ahead / 2;
        if self.phase != Phase::Working || unreported >= MOST_REPORTS || enough {
            return 0;
        }
        (threads + ahead).saturating_sub(self.begun + self.waiting.len())
    }

    pub(super) fn give_back(&mut self, held: Arc<Held>) {
        self.returning += 1;
        held.end();
        self.reports.push_back(Report::new(held, Ended::Unbegun, Timings::default()));
    }

    /// What was claimed ahead and would have to wait for a slow handler is better off with another worker; whether there
    /// was any.
    pub(super) fn give_back_overdue(&mut self, now: Instant) -> bool {
        let overdue = self.waiting.iter().take_while(|held| now.duration_since(held.taken) >= OVERDUE).count();
        for held in self.waiting.drain(..overdue).collect::<Vec<_>>() {
            self.pace.took(OVERDUE);
            self.give_back(held);
        }
        overdue > 0
    }

    /// Whether nothing is left and nothing will come.
    pub(super) fn is_over(&self) -> bool {
        !self.claiming && self.waiting.is_empty() && self.begun == 0 && self.reports.is_empty()
    }

    /// All runs whose leases are to be extended: not those that are gone.
    pub(super) fn leased(&self) -> Vec<Arc<Held>> {
        self.held.values().filter(|leased| leased.held.gone().is_none()).map(|leased| leased.held.clone()).collect()
    }

    /// Those whose time is over, each once.
    pub(super) fn late(&mut self, now: Instant) -> Vec<Arc<Held>> {
        let late = self.held.values_mut().filter(|leased| leased.until.is_some_and(|until| until <= now));
        late.map(|leased| {
            leased.until = None;
            leased.held.clone()
        })
        .collect()
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        let overdue = self.waiting.front().map(|held| held.taken + OVERDUE);
        self.held.values().filter_map(|leased| leased.until).chain(overdue).min()
    }
}
