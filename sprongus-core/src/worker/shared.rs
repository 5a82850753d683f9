//! What the threads of a worker share.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::handlers::Handlers;
use super::held::Held;
use super::metrics::Meters;
use super::options::WorkerOptions;
use super::report::{Ended, Report};
use super::state::{Leased, Phase, State};
use crate::db::{Signal, Signals};
use crate::events::OnCancel;
use crate::runs::Run;
use crate::session::locked;
use crate::store::Store;

/// A worker's settings, handlers, and the runs it has.
pub(super) struct Shared {
    pub(super) worker_id: String,
    pub(super) options: WorkerOptions,
    /// As the host opened it: for handlers.
    pub(super) store: Store,
    /// Over the worker's own connections: for claims and reports.
    pub(super) own: Store,
    /// Over a connection that leases are extended on, and nothing else.
    pub(super) leases: Store,
    pub(super) handlers: Mutex<Handlers>,
    pub(super) meters: Meters,
    state: Mutex<State>,
    /// Runs wait for a thread, or none will come any more.
    work: Condvar,
    /// Reports wait to be made, or none will come any more.
    ended: Condvar,
    /// Whatever else: the phase, the threads, what is held.
    changed: Condvar,
}

/// Where no end is given.
const LONG: Duration = Duration::from_secs(3600);

/// A report that has waited so long is stuck behind another: the spare thread takes it.
const STUCK: Duration = Duration::from_millis(100);

/// For how long a run stays leased that a worker let go of while its handler was running.
pub(super) const GRACE: Duration = Duration::from_secs(1);

/// What the thread that extends leases is to do next.
pub(super) enum Duty {
    /// It is time for a heartbeat.
    Beat,
    /// These handlers took too long.
    TimeOut(Vec<Arc<Held>>),
    /// Everything was let go: these handlers are still running.
    LetGo(Vec<Arc<Held>>),
    /// There is nothing left to be held.
    End,
}

impl Shared {
    pub(super) fn new(store: Store, options: WorkerOptions, worker_id: String) -> Arc<Self> {
        let (own, leases) = (store.for_worker(), store.for_leases());
        let (handlers, meters, state) = Default::default();
        let (work, ended, changed) = Default::default();
        let shared =
            Arc::new(Self { worker_id, options, store, own, leases, handlers, meters, state, work, ended, changed });
        let listener: Arc<dyn OnCancel> = shared.clone();
        shared.own.core().cancels.listen(Arc::downgrade(&listener));
        shared
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
        *state = State { phase: Phase::Working, claiming: true, threads, ..State::default() };
        true
    }

    pub(super) fn is_working(&self) -> bool {
        locked(&self.state).threads > 0
    }

    /// Claims no more than what may be under way.
    pub(super) fn stop(&self) {
        let mut state = locked(&self.state);
        if state.phase == Phase::Working {
            state.phase = Phase::Stopping;
        }
        drop(state);
        self.tell_all();
    }

    /// No claim is under way, and none will follow.
    pub(super) fn claims_over(&self) {
        let mut state = locked(&self.state);
        state.claiming = false;
        if state.phase == Phase::Working {
            state.phase = Phase::Stopping;
        }
        drop(state);
        self.tell_all();
    }

    /// Lets go of everything: what has not begun is given back, handlers see that they are no longer wanted.
    pub(super) fn abandon(&self) {
        let mut state = locked(&self.state);
        if state.threads == 0 || state.phase == Phase::Abandoned {
            return;
        }
        state.phase = Phase::Abandoned;
        state.let_go = Some((Instant::now(), false));
        let waiting = std::mem::take(&mut state.waiting);
        waiting.into_iter().for_each(|held| state.give_back(held));
        state.held.values().for_each(|leased| leased.held.tell());
        drop(state);
        self.tell_all();
    }

    /// Wakes all threads of the worker, the claimer included.
    fn tell_all(&self) {
        self.work.notify_all();
        self.ended.notify_all();
        self.changed.notify_all();
        self.tell_claimer();
    }

    fn tell_claimer(&self) {
        self.own.core().watch.tell(Signals::of(&[Signal::Worker]));
    }

    /// How many runs to claim now.
    pub(super) fn free(&self) -> usize {
        locked(&self.state).room(self.options.concurrency)
    }

    /// Takes claimed runs, for the next free threads.
    pub(super) fn take(&self, runs: Vec<Run>) {
        self.meters.claimed(runs.len());
        let mut state = locked(&self.state);
        for run in runs {
            let held = Arc::new(Held::new(run));
            state.held.insert(held.key(), Leased { until: held.deadline(), held: held.clone() });
            match state.phase {
                Phase::Abandoned => state.give_back(held),
                _ => state.waiting.push_back(held),
            }
        }
        drop(state);
        self.work.notify_all();
        self.ended.notify_all();
        self.changed.notify_all();
    }

    /// The next run for a thread; none where no more will come.
    pub(super) fn next(&self) -> Option<Arc<Held>> {
        let mut state = locked(&self.state);
        loop {
            let before = state.room(self.options.concurrency);
            if let Some(next) = state.waiting.pop_front() {
                state.begun += 1;
                let free = before == 0 && state.room(self.options.concurrency) > 0;
                drop(state);
                if free {
                    self.tell_claimer();
                }
                return Some(next);
            }
            if !state.claiming || state.phase == Phase::Abandoned {
                return None;
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A handler has ended: its report is to be made, and its thread is free. Without a report its lease runs out.
    pub(super) fn handler_ended(&self, held: &Held, time: Duration, report: Option<Report>) {
        let mut state = locked(&self.state);
        let before = state.room(self.options.concurrency);
        state.begun -= 1;
        state.pace.took(time);
        held.end();
        match &report {
            // In time: the report is what counts now.
            Some(_) => drop(state.held.entry(held.key()).and_modify(|leased| leased.until = None)),
            None => drop(state.held.remove(&held.key())),
        }
        state.reports.extend(report);
        let free = before == 0 && state.room(self.options.concurrency) > 0;
        // Whoever is reporting looks again by itself.
        let first = state.reports.len() <= 1;
        drop(state);
        if first {
            self.ended.notify_all();
        }
        if free {
            self.tell_claimer();
        }
    }

    /// What is to be reported, at most so many; none where no more will come. A `spare` thread takes what is stuck.
    pub(super) fn next_reports(&self, most: usize, spare: bool) -> Option<Vec<Report>> {
        let mut state = locked(&self.state);
        loop {
            let waits = state.reports.front().map(|report| report.since.elapsed());
            let left = match waits {
                Some(waited) if !spare || waited >= STUCK => {
                    let count = most.min(state.reports.len());
                    return Some(state.reports.drain(..count).collect());
                }
                Some(waited) => STUCK - waited,
                None if state.is_over() => return None,
                None => LONG,
            };
            state = self.ended.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What could not be reported is to be tried again.
    pub(super) fn put_back(&self, reports: Vec<Report>) {
        locked(&self.state).reports.extend(reports);
        self.ended.notify_all();
    }

    /// Runs that are reported, or given up.
    pub(super) fn release<'h>(&self, released: impl IntoIterator<Item = &'h Report>) {
        let mut state = locked(&self.state);
        let before = state.room(self.options.concurrency);
        for report in released {
            state.held.remove(&report.held.key());
            state.returning -= usize::from(matches!(report.ended, Ended::Unbegun));
        }
        let free = before == 0 && state.room(self.options.concurrency) > 0;
        let (empty, let_go) = (state.held.is_empty(), state.let_go.is_some());
        drop(state);
        if empty || let_go {
            self.ended.notify_all();
            self.changed.notify_all();
        }
        if free || empty {
            self.tell_claimer();
        }
    }

    /// All runs whose leases are to be extended: not those that are gone.
    pub(super) fn held(&self) -> Vec<Arc<Held>> {
        locked(&self.state).leased()
    }

    /// Whether it has no run, reported or not.
    pub(super) fn is_empty(&self) -> bool {
        locked(&self.state).held.is_empty()
    }

    /// How many handlers are running, how many runs wait for one, and how many reports are to be made.
    pub(super) fn in_flight(&self) -> (usize, usize, usize) {
        let state = locked(&self.state);
        (state.begun, state.waiting.len(), state.held.len().saturating_sub(state.begun + state.waiting.len()))
    }

    /// So many threads less; after the last it may go to work again.
    pub(super) fn threads_ended(&self, ended: usize) {
        let mut state = locked(&self.state);
        state.threads = state.threads.saturating_sub(ended);
        if state.threads == 0 {
            *state = State::default();
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits, at most that long, until no thread is left; whether that is so.
    pub(super) fn wait_ended(&self, timeout: Option<Duration>) -> bool {
        self.wait(timeout, |state| state.threads == 0)
    }

    /// Waits, at most that long, until the database knows what was let go.
    pub(super) fn wait_let_go(&self, timeout: Duration) {
        let known = |state: &State| state.let_go.is_none_or(|(_, known)| known) && state.returning == 0;
        self.wait(Some(timeout), |state| state.threads == 0 || (!state.claiming && known(state)));
    }

    /// Waits until only the caller's own thread is left, or everything was let go.
    pub(super) fn wait_alone(&self) {
        self.wait(None, |state| state.threads <= 1 || state.phase == Phase::Abandoned);
    }

    fn wait(&self, timeout: Option<Duration>, holds: impl Fn(&State) -> bool) -> bool {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = locked(&self.state);
        while !holds(&state) {
            let left = deadline.map_or(LONG, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// When everything was let go, if it was.
    pub(super) fn let_go_at(&self) -> Option<Instant> {
        locked(&self.state).let_go.map(|(at, _)| at)
    }

    /// The database knows what was let go.
    pub(super) fn let_go_known(&self) {
        if let Some((_, known)) = &mut locked(&self.state).let_go {
            *known = true;
        }
        self.changed.notify_all();
    }

    /// Sleeps until there is something to be done for what is held, at the latest at that moment.
    pub(super) fn duty(&self, beat: Instant) -> Duty {
        let mut state = locked(&self.state);
        loop {
            if let Some((_, known)) = state.let_go {
                return if known { Duty::End } else { Duty::LetGo(state.leased()) };
            }
            if !state.claiming && state.held.is_empty() && state.begun == 0 {
                return Duty::End;
            }
            let now = Instant::now();
            if state.give_back_overdue(now) {
                self.ended.notify_all();
            }
            let late = state.late(now);
            if !late.is_empty() {
                return Duty::TimeOut(late);
            }
            if now >= beat {
                return Duty::Beat;
            }
            let left = state.next_due().map_or(beat, |due| due.min(beat)).saturating_duration_since(now);
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl OnCancel for Shared {
    fn canceled(&self, run: &str) {
        let state = locked(&self.state);
        state.held.values().filter(|leased| leased.held.run.id == run).for_each(|leased| leased.held.tell());
    }
}
