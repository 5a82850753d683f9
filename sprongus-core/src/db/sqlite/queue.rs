//! The writer's queue: callers get the one writing connection in the order they came, each by its own deadline.
//!
//! A caller may leave an errand here: whoever has the writer may take it out of the queue and do it.

use std::collections::VecDeque;
use std::mem::take;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::patience::lock;
use crate::db::Errand;
use crate::db::pool::{SLICE, interrupted};
use crate::error::{Error, ErrorCode, Result};
use crate::options::Interrupt;

/// Hands out a `T` to one caller at a time, first come, first served; what another did for a caller ends with a `D`.
pub(super) struct FairQueue<T, D> {
    state: Mutex<State<T, D>>,
    /// Somebody came who was waited for.
    came: Condvar,
    interrupt: Option<Interrupt>,
}

struct State<T, D> {
    /// The thing itself while nobody holds it; then nobody waits.
    idle: Option<T>,
    waiting: VecDeque<Waiting<T, D>>,
    /// Who has it waits for the next caller.
    awaits: bool,
}

/// A caller in the queue.
pub(super) struct Waiting<T, D> {
    pub(super) caller: Arc<Caller<T, D>>,
    /// May join a transaction that another caller has opened.
    joins: bool,
    /// What may be done for the caller.
    pub(super) errand: Option<Errand>,
    /// Since when it waits.
    pub(super) since: Instant,
}

/// Where a caller waits, woken by itself alone.
pub(super) struct Caller<T, D> {
    answer: Mutex<Option<Answer<T, D>>>,
    wake: Condvar,
}

/// What a caller waited for.
pub(super) enum Answer<T, D> {
    /// The thing is the caller's; its errand was not done.
    Turn(T, Option<Errand>),
    /// Another did its errand.
    Done(D, Option<Errand>),
}

impl<T, D> FairQueue<T, D> {
    pub(super) fn new(thing: T, interrupt: Option<Interrupt>) -> Self {
        let state = State { idle: Some(thing), waiting: VecDeque::new(), awaits: false };
        Self { state: Mutex::new(state), came: Condvar::new(), interrupt }
    }

    /// Waits for the thing, or for the end of the errand, until the deadline; `busy` after it. An errand that was begun is
    /// waited for, however long. The errand comes back in either case.
    pub(super) fn take(&self, joins: bool, errand: &mut Option<Errand>, deadline: Instant) -> Result<Answer<T, D>> {
        let caller = {
            let mut state = lock(&self.state);
            if let Some(thing) = state.idle.take() {
                return Ok(Answer::Turn(thing, take(errand)));
            }
            let caller = Arc::new(Caller::default());
            let waiting = Waiting { caller: caller.clone(), joins, errand: take(errand), since: Instant::now() };
            state.waiting.push_back(waiting);
            if take(&mut state.awaits) {
                self.came.notify_one();
            }
            caller
        };
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if let Some(answer) = caller.wait(left.min(SLICE)) {
                return Ok(answer);
            }
            // Asked without a lock: the answer may need Python's, whose holder may need ours.
            let why = match left <= SLICE {
                true => in_use as fn() -> Error,
                false if self.interrupt.as_ref().is_some_and(|asked| asked()) => interrupted,
                false => continue,
            };
            return match self.leave(&caller) {
                Some(left) => {
                    *errand = left.errand;
                    Err(why())
                }
                // The thing, or the end of the errand, is on its way.
                None => Ok(caller.wait_on()),
            };
        }
    }

    /// Takes a caller out of the queue; none where it was taken out already, to be answered.
    fn leave(&self, caller: &Arc<Caller<T, D>>) -> Option<Waiting<T, D>> {
        let mut state = lock(&self.state);
        let place = state.waiting.iter().position(|waiting| Arc::ptr_eq(&waiting.caller, caller))?;
        state.waiting.remove(place)
    }

    /// Gives the thing to the first in the queue, or back.
    pub(super) fn give(&self, thing: T) {
        let mut state = lock(&self.state);
        match state.waiting.pop_front() {
            None => state.idle = Some(thing),
            Some(next) => {
                drop(state);
                next.caller.answer(Answer::Turn(thing, next.errand));
            }
        }
    }

    /// Takes the first out of the queue, if it may join what is open; it is to be answered. Where nobody is there, somebody is
    /// waited for until that time, if one is given.
    pub(super) fn next_to_join(&self, until: Option<Instant>) -> Option<Waiting<T, D>> {
        let mut state = lock(&self.state);
        while state.waiting.is_empty() {
            let left = until?.saturating_duration_since(Instant::now());
            state.awaits = !left.is_zero();
            if !state.awaits {
                return None;
            }
            state = self.came.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.awaits = false;
        if state.waiting.front()?.joins { state.waiting.pop_front() } else { None }
    }

    /// How many are in the queue.
    pub(super) fn waiting(&self) -> usize {
        lock(&self.state).waiting.len()
    }
}

impl<T, D> Default for Caller<T, D> {
    fn default() -> Self {
        Self { answer: Mutex::new(None), wake: Condvar::new() }
    }
}

impl<T, D> Caller<T, D> {
    pub(super) fn answer(&self, answer: Answer<T, D>) {
        *lock(&self.answer) = Some(answer);
        self.wake.notify_one();
    }

    fn wait(&self, limit: Duration) -> Option<Answer<T, D>> {
        let unanswered = |answer: &mut Option<Answer<T, D>>| answer.is_none();
        let waited = self.wake.wait_timeout_while(lock(&self.answer), limit, unanswered);
        waited.unwrap_or_else(PoisonError::into_inner).0.take()
    }

    /// Waits for as long as it takes.
    pub(super) fn wait_on(&self) -> Answer<T, D> {
        let mut answer = lock(&self.answer);
        loop {
            if let Some(answer) = answer.take() {
                return answer;
            }
            answer = self.wake.wait(answer).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn in_use() -> Error {
    Error::new(ErrorCode::Busy, "the store's writer stayed in use past busy_timeout; a long transaction holds it")
}
