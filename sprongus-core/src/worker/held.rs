//! A run that a worker has, from its claim to its report.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorCode};
use crate::runs::{Run, RunState};
use crate::secrets::Masks;
use crate::session::locked;
use crate::telemetry::About;

/// Why a run is no longer the worker's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    Canceled,
    TimedOut,
    LeaseLost,
}

impl Gone {
    pub(super) fn of(state: Option<RunState>) -> Self {
        match state {
            Some(RunState::Canceled) => Self::Canceled,
            Some(RunState::TimedOut) => Self::TimedOut,
            _ => Self::LeaseLost,
        }
    }

    /// What an error says of that; none where the run may still be the worker's.
    pub(super) fn told_by(error: &Error) -> Option<Self> {
        match error.code() {
            ErrorCode::LeaseLost | ErrorCode::NotFound => {
                let state = error.details().and_then(|details| details.get("state")).and_then(|state| state.as_str());
                Some(Self::of(state.and_then(|state| RunState::parse(state).ok())))
            }
            _ => None,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Canceled => "canceled",
            Self::TimedOut => "timed_out",
            Self::LeaseLost => "lease_lost",
        }
    }
}

/// A claimed run, and what its handler is to know.
pub(super) struct Held {
    pub(super) run: Run,
    pub(super) taken: Instant,
    told: AtomicBool,
    waiting: (Mutex<()>, Condvar),
    gone: OnceLock<Gone>,
    late: AtomicBool,
    ended: AtomicBool,
    /// The secrets that its handler asked for: cut out of what is stored of it.
    secrets: Mutex<Masks>,
}

impl Held {
    pub(super) fn new(run: Run) -> Self {
        let (told, waiting, gone, late, ended, secrets) = Default::default();
        Self { run, taken: Instant::now(), told, waiting, gone, late, ended, secrets }
    }

    /// The secrets that its handler asked for.
    pub(super) fn secrets(&self) -> MutexGuard<'_, Masks> {
        locked(&self.secrets)
    }

    pub(super) fn about<'a>(&'a self, worker: &'a str) -> About<'a> {
        About { run: &self.run.id, kind: &self.run.kind, attempt: self.run.attempt, worker }
    }

    /// Unique among what a worker has: a run that failed may be claimed anew before it is released.
    pub(super) fn key(&self) -> (String, i64) {
        (self.run.id.clone(), self.run.lease)
    }

    /// When its attempt has taken too long. Counted from when the claim was answered: never before the database does.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.run.timeout.and_then(|timeout| self.taken.checked_add(timeout))
    }

    /// From due to now.
    pub(super) fn waited(&self) -> Duration {
        let claimed = self.run.claimed_at.map_or(0, |at| at.as_micros() - self.run.run_at.as_micros());
        Duration::from_micros(u64::try_from(claimed).unwrap_or(0)) + self.taken.elapsed()
    }

    /// Tells the handler to end.
    pub(super) fn tell(&self) {
        self.told.store(true, Ordering::Release);
        // Under the lock: who has just looked and goes to wait is not missed.
        let _waiting = locked(&self.waiting.0);
        self.waiting.1.notify_all();
    }

    pub(super) fn told(&self) -> bool {
        self.told.load(Ordering::Acquire)
    }

    /// Waits until the handler is told to end, at most that long; whether it is.
    pub(super) fn wait_told(&self, timeout: Duration) -> bool {
        let guard = locked(&self.waiting.0);
        let waited = self.waiting.1.wait_timeout_while(guard, timeout, |()| !self.told());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        self.told()
    }

    /// The run is no longer the worker's; whether that is news.
    pub(super) fn lose(&self, gone: Gone) -> bool {
        let news = self.gone.set(gone).is_ok();
        self.tell();
        news
    }

    /// Its time is over: whatever its handler answers from now on comes too late.
    pub(super) fn time_out(&self) {
        self.late.store(true, Ordering::Release);
        self.tell();
    }

    pub(super) fn is_late(&self) -> bool {
        self.late.load(Ordering::Acquire)
    }

    /// No handler has it any more: its report is to be made.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    pub(super) fn gone(&self) -> Option<Gone> {
        self.gone.get().copied()
    }
}
