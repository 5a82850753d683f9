//! The writer's queue: callers get the one writing connection in the order they came, each by its own deadline.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

use super::patience::lock;
use crate::db::pool::{SLICE, interrupted};
use crate::error::{Error, ErrorCode, Result};
use crate::options::Interrupt;

/// Hands out a `T` to one caller at a time, first come, first served.
pub(super) struct FairQueue<T> {
    state: Mutex<State<T>>,
    interrupt: Option<Interrupt>,
}

struct State<T> {
    /// The thing itself while nobody holds it.
    idle: Option<T>,
    waiting: VecDeque<Arc<Waiter>>,
}

/// A caller in the queue, woken by itself alone.
struct Waiter {
    /// May join a transaction that another caller has opened.
    joins: bool,
    wake: Condvar,
}

impl<T> FairQueue<T> {
    pub(super) fn new(thing: T, interrupt: Option<Interrupt>) -> Self {
        Self { state: Mutex::new(State { idle: Some(thing), waiting: VecDeque::new() }), interrupt }
    }

    /// Waits for the thing until the deadline; `busy` after it.
    pub(super) fn take(&self, joins: bool, deadline: Instant) -> Result<T> {
        let mut state = lock(&self.state);
        if state.waiting.is_empty()
            && let Some(thing) = state.idle.take()
        {
            return Ok(thing);
        }
        let me = Arc::new(Waiter { joins, wake: Condvar::new() });
        state.waiting.push_back(me.clone());
        loop {
            let first = state.waiting.front().is_some_and(|front| Arc::ptr_eq(front, &me));
            // Looked at before the deadline: what was handed to the first in the queue is never left lying.
            if let Some(thing) = if first { state.idle.take() } else { None } {
                state.waiting.pop_front();
                return Ok(thing);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.leave(state, &me);
                return Err(in_use());
            }
            let (after, slice) =
                me.wake.wait_timeout(state, left.min(SLICE)).unwrap_or_else(std::sync::PoisonError::into_inner);
            state = after;
            if slice.timed_out() {
                // Asked without the lock: the answer may need Python's, whose holder may need ours.
                drop(state);
                let stop = self.interrupt.as_ref().is_some_and(|asked| asked());
                state = lock(&self.state);
                let idle_for_me =
                    state.idle.is_some() && state.waiting.front().is_some_and(|front| Arc::ptr_eq(front, &me));
                if stop && !idle_for_me {
                    self.leave(state, &me);
                    return Err(interrupted());
                }
            }
        }
    }

    fn leave(&self, mut state: MutexGuard<'_, State<T>>, me: &Arc<Waiter>) {
        state.waiting.retain(|waiter| !Arc::ptr_eq(waiter, me));
        if state.idle.is_some()
            && let Some(next) = state.waiting.front()
        {
            next.wake.notify_one();
        }
    }

    /// Gives the thing back; the first in the queue is woken.
    pub(super) fn give(&self, thing: T) {
        let mut state = lock(&self.state);
        state.idle = Some(thing);
        if let Some(next) = state.waiting.front() {
            next.wake.notify_one();
        }
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        lock(&self.state).waiting.len()
    }

    /// Passes the thing on if the first in the queue may join what is open; else gives it back to the caller.
    pub(super) fn pass(&self, thing: T) -> Option<T> {
        let mut state = lock(&self.state);
        match state.waiting.front() {
            Some(next) if next.joins => {
                next.wake.notify_one();
                state.idle = Some(thing);
                None
            }
            _ => Some(thing),
        }
    }
}

fn in_use() -> Error {
    Error::new(ErrorCode::Busy, "the store's writer stayed in use past busy_timeout; a long transaction holds it")
}
