//! What the threads of a worker share.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::handlers::Handlers;
use super::options::WorkerOptions;
use crate::db::{Signal, Signals};
use crate::runs::Run;
use crate::session::locked;
use crate::store::Store;

/// A worker's settings, handlers, and the runs it has.
pub(super) struct Shared {
    pub(super) worker_id: String,
    pub(super) options: WorkerOptions,
    /// As the host opened it: for handlers.
    pub(super) store: Store,
    /// Over the worker's own connections: for claims, reports, heartbeats.
    pub(super) own: Store,
    pub(super) handlers: Mutex<Handlers>,
    state: Mutex<State>,
    changed: Condvar,
}

/// Where no end is given.
const LONG: Duration = Duration::from_secs(3600);

#[derive(Default)]
struct State {
    phase: Phase,
    /// Claimed, and not in a thread's hands yet.
    waiting: VecDeque<(Run, Held)>,
    /// Claimed, and not reported yet. By the lease too: a run that failed may be claimed anew before it is released.
    held: HashMap<(String, i64), Held>,
    /// Threads that have not ended.
    threads: usize,
}

/// How far a worker is between its start and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Phase {
    #[default]
    Idle,
    Working,
    /// Claims no more; a claim may still be under way.
    Stopping,
    /// What it has goes on, and no more will come.
    Draining,
    /// Nothing more is extended or reported.
    Abandoned,
}

/// A run that the worker has.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) id: String,
    pub(super) lease: i64,
    pub(super) canceled: Arc<AtomicBool>,
}

impl Shared {
    pub(super) fn new(store: Store, options: WorkerOptions, worker_id: String) -> Self {
        let own = store.for_worker();
        Self {
            worker_id,
            options,
            store,
            own,
            handlers: Mutex::default(),
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        locked(&self.state).phase
    }

    /// Goes to work with so many threads; false where it is at work already.
    pub(super) fn begin(&self, threads: usize) -> bool {
        let mut state = locked(&self.state);
        if state.threads > 0 {
            return false;
        }
        (state.phase, state.threads) = (Phase::Working, threads);
        true
    }

    pub(super) fn is_working(&self) -> bool {
        locked(&self.state).threads > 0
    }

    /// Goes on to a later phase; never back from having let go.
    pub(super) fn advance(&self, phase: Phase) {
        let mut state = locked(&self.state);
        if matches!(state.phase, Phase::Working | Phase::Stopping) {
            state.phase = phase;
        }
        drop(state);
        self.tell();
    }

    /// Lets go of everything; handlers see that they are no longer wanted.
    pub(super) fn abandon(&self) {
        let mut state = locked(&self.state);
        if state.threads == 0 {
            return;
        }
        state.phase = Phase::Abandoned;
        state.waiting.clear();
        state.held.values().for_each(|held| held.canceled.store(true, Ordering::Release));
        drop(state);
        self.tell();
    }

    /// Wakes all threads of the worker, the claimer included.
    fn tell(&self) {
        self.changed.notify_all();
        self.own.core().watch.tell(Signals::of(&[Signal::Worker]));
    }

    /// How many more runs it can work at once.
    pub(super) fn free(&self) -> usize {
        self.options.concurrency.saturating_sub(locked(&self.state).held.len())
    }

    /// Takes claimed runs, for the next free threads.
    pub(super) fn take(&self, runs: Vec<Run>) {
        let mut state = locked(&self.state);
        if state.phase == Phase::Abandoned {
            return;
        }
        for run in runs {
            let held = Held { id: run.id.clone(), lease: run.lease, canceled: Arc::default() };
            state.held.insert((run.id.clone(), run.lease), held.clone());
            state.waiting.push_back((run, held));
        }
        self.changed.notify_all();
    }

    /// The next run for a thread; none where the worker is at its end.
    pub(super) fn next(&self) -> Option<(Run, Held)> {
        let mut state = locked(&self.state);
        loop {
            if let Some(next) = state.waiting.pop_front() {
                return Some(next);
            }
            if !matches!(state.phase, Phase::Working | Phase::Stopping) {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The run is reported, or given up.
    pub(super) fn release(&self, held: Held) {
        locked(&self.state).held.remove(&(held.id, held.lease));
        self.tell();
    }

    /// All runs it has.
    pub(super) fn held(&self) -> Vec<Held> {
        locked(&self.state).held.values().cloned().collect()
    }

    /// So many threads less; after the last it may go to work again.
    pub(super) fn threads_ended(&self, ended: usize) {
        let mut state = locked(&self.state);
        state.threads = state.threads.saturating_sub(ended);
        if state.threads == 0 {
            state.phase = Phase::Idle;
            state.held.clear();
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits, at most that long, until no thread is left; whether that is so.
    pub(super) fn wait_ended(&self, timeout: Option<Duration>) -> bool {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = locked(&self.state);
        while state.threads > 0 {
            let left = deadline.map_or(LONG, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Waits until only the caller's own thread is left, or everything was let go.
    pub(super) fn wait_alone(&self) {
        let mut state = locked(&self.state);
        while state.threads > 1 && state.phase != Phase::Abandoned {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Sleeps, but not past the moment when nothing is left to be held; whether the worker goes on.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        let mut state = locked(&self.state);
        loop {
            let over = match state.phase {
                Phase::Working | Phase::Stopping => false,
                Phase::Draining => state.held.is_empty(),
                Phase::Idle | Phase::Abandoned => true,
            };
            if over {
                return false;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
