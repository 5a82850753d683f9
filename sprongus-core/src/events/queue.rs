//! What a subscription was told and has not delivered yet.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

use super::Event;
use super::filter::Filter;
use super::subscribers::News;
use crate::session::locked;

/// Events that wait for a slow subscriber, at most; later ones are counted and dropped.
pub(super) const ROOM: usize = 10_000;

/// A bounded queue: whoever commits never waits for a subscriber.
pub(super) struct Queue {
    filter: Filter,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    events: VecDeque<Event>,
    missed: u64,
    /// Nothing more will come.
    finished: bool,
    /// Nothing more is wanted.
    closed: bool,
    /// Nobody takes anything out any more.
    ended: bool,
}

impl Queue {
    pub(super) fn new(filter: Filter) -> Self {
        Self { filter, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Adds an event that was asked for, if there is room.
    pub(super) fn push(&self, news: &News) {
        if !self.filter.matches(news.project.as_deref(), &news.event) {
            return;
        }
        let mut state = locked(&self.state);
        if state.events.len() < ROOM {
            state.events.push_back(news.event.clone());
            self.changed.notify_all();
            return;
        }
        state.missed += 1;
        if state.missed.is_power_of_two() {
            tracing::warn!(missed = state.missed, "a subscriber is too slow: events are not delivered to it");
        }
    }

    /// The next event; `None` once no more will come, or are wanted.
    pub(super) fn take(&self) -> Option<Event> {
        let idle = |state: &mut State| state.events.is_empty() && !state.finished && !state.closed;
        let waited = self.changed.wait_while(locked(&self.state), idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if state.closed { None } else { state.events.pop_front() }
    }

    pub(super) fn missed(&self) -> u64 {
        locked(&self.state).missed
    }

    /// Nothing more will come; what is there is still delivered.
    pub(super) fn finish(&self) {
        locked(&self.state).finished = true;
        self.changed.notify_all();
    }

    /// Nothing more is wanted.
    pub(super) fn close(&self) {
        let mut state = locked(&self.state);
        state.closed = true;
        state.events.clear();
        self.changed.notify_all();
    }

    /// Nobody takes anything out any more.
    pub(super) fn end(&self) {
        locked(&self.state).ended = true;
        self.changed.notify_all();
    }

    /// Waits for that.
    pub(super) fn wait_for_end(&self) {
        let waited = self.changed.wait_while(locked(&self.state), |state| !state.ended);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> Vec<Event> {
        locked(&self.state).events.iter().cloned().collect()
    }
}
