//! What a store's callers and the thread that watches for them share.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use super::signal::Signals;
use super::wake::Wake;

/// Orders to the watching thread, and what it hears.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    wake: Wake,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// How many wait for news, now and then looking or at work.
    waiting: usize,
    /// How many of them sleep until there is news that may come from other processes.
    asleep: usize,
    /// The thread is to be woken when the next goes to sleep.
    resting: bool,
    /// What other processes are still to be told.
    outbox: Signals,
    closing: bool,
    /// The thread has just told others, and does not want to hear of more to be told yet.
    pausing: bool,
    /// Whether a thread is at work, or about to be.
    running: bool,
    /// Whether no commit goes unheard.
    complete: bool,
    /// Why nothing is heard just now.
    trouble: Option<String>,
    /// Gets the thread out of its wait.
    waker: Option<Waker>,
}

/// What the thread is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Orders {
    /// Somebody waits for news.
    pub(crate) listen: bool,
    /// There is something to be told to other processes.
    pub(crate) post: bool,
    /// The store is closing: what is to be told is told now, and then it is over.
    pub(crate) close: bool,
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wake(&self) -> &Wake {
        &self.wake
    }

    /// Whether no commit goes unheard: nobody need poll.
    pub(crate) fn is_complete(&self) -> bool {
        self.state().complete
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn set_complete(&self, complete: bool) {
        self.state().complete = complete;
    }

    /// For the thread: why nothing is heard, until something is again.
    #[cfg(feature = "postgres")]
    pub(crate) fn set_trouble(&self, trouble: Option<String>) {
        self.state().trouble = trouble;
    }

    /// Why nothing is heard just now, though somebody waits for it.
    pub(super) fn trouble(&self) -> Option<String> {
        self.state().trouble.clone()
    }

    /// Changes what the thread is to do; whether one must be started for it.
    fn order(&self, change: impl FnOnce(&mut State)) -> bool {
        let mut state = self.state();
        let before = state.urgent();
        change(&mut state);
        if state.urgent() != before
            && let Some(waker) = state.waker.take()
        {
            waker.wake();
        }
        let start = state.is_needed() && !state.running && !state.closing;
        state.running |= start;
        start
    }

    pub(super) fn join(&self) -> bool {
        self.order(|state| state.waiting += 1)
    }

    pub(super) fn leave(&self) {
        self.order(|state| state.waiting -= 1);
    }

    /// One of those who wait goes to sleep: from here on the thread hears what is committed, and of what was it says so.
    pub(super) fn sleep(&self) {
        let mut state = self.state();
        state.asleep += 1;
        if std::mem::take(&mut state.resting)
            && let Some(waker) = state.waker.take()
        {
            waker.wake();
        }
    }

    pub(super) fn awake(&self) {
        self.state().asleep -= 1;
    }

    /// For the thread: whether all are awake who wait. `waker` is called when one goes to sleep, or orders change.
    #[cfg(feature = "sqlite")]
    pub(crate) fn may_rest(&self, waker: &Waker) -> bool {
        let mut state = self.state();
        state.resting = state.asleep == 0 && state.waiting > 0 && !state.closing;
        state.waker = Some(waker.clone());
        state.resting
    }

    pub(super) fn post(&self, signals: Signals) -> bool {
        self.order(|state| state.outbox = state.outbox.with(signals))
    }

    /// Ends the thread, once it has told what is to be told; waits so long for it at most.
    pub(super) fn close(&self, patience: Duration) {
        self.order(|state| state.closing = true);
        let running = |state: &mut State| state.running;
        drop(self.ended.wait_timeout_while(self.state(), patience, running));
    }

    /// For the thread: what to do. `waker` is called when that changes.
    pub(crate) fn orders(&self, waker: &Waker) -> Orders {
        let mut state = self.state();
        (state.waker, state.pausing) = (Some(waker.clone()), false);
        state.orders()
    }

    /// The same between two posts: what else there is to do.
    #[cfg(feature = "postgres")]
    pub(crate) fn orders_but_post(&self, waker: &Waker) -> Orders {
        let mut state = self.state();
        (state.waker, state.pausing) = (Some(waker.clone()), true);
        state.urgent()
    }

    /// For the thread: takes what is to be told, before it is told: what comes meanwhile is told again.
    #[cfg(feature = "postgres")]
    pub(crate) fn take_post(&self) -> Signals {
        std::mem::take(&mut self.state().outbox)
    }

    /// For the thread: what could not be told.
    #[cfg(feature = "postgres")]
    pub(crate) fn put_back(&self, post: Signals) {
        let mut state = self.state();
        state.outbox = state.outbox.with(post);
    }

    /// For the thread: ends its work where nobody needs it; what then comes starts another.
    pub(crate) fn retire(&self) -> bool {
        let mut state = self.state();
        let needed = state.is_needed();
        if !needed {
            state.gone();
            self.ended.notify_all();
        }
        !needed
    }

    /// The thread is gone, in whatever way.
    pub(super) fn gone(&self) {
        self.state().gone();
        self.ended.notify_all();
    }
}

impl State {
    fn orders(&self) -> Orders {
        Orders { listen: self.waiting > 0, post: !self.outbox.is_empty(), close: self.closing }
    }

    /// What the thread is woken for.
    fn urgent(&self) -> Orders {
        let orders = self.orders();
        Orders { post: orders.post && !self.pausing, ..orders }
    }

    fn is_needed(&self) -> bool {
        !self.outbox.is_empty() || self.waiting > 0 && !self.closing
    }

    fn gone(&mut self) {
        (self.running, self.complete, self.pausing, self.resting) = (false, false, false, false);
        (self.waker, self.trouble) = (None, None);
    }
}
