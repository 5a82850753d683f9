//! How news of commits comes to those who wait, in this process and from others (DESIGN.md §5 "Wake-up", decision 0010).

mod desk;
mod signal;
mod wake;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use desk::Desk;
#[cfg(feature = "postgres")]
pub(crate) use desk::Orders;
pub(crate) use signal::{Signal, Signals};
pub(crate) use wake::{Counts, Wake};

/// How long closing a store waits until others were told of its last commits.
const FLUSH: Duration = Duration::from_secs(1);
/// How long the thread stays when nobody needs it.
pub(crate) const LINGER: Duration = Duration::from_secs(10);

/// Watches one database from a thread of its own.
pub(crate) trait Watcher: Send + Sync {
    /// Whether other processes are told of this one's commits, or see them for themselves.
    fn posts(&self) -> bool;

    /// Whether it hears of them by being told; else who waits polls.
    fn listens(&self) -> bool {
        true
    }

    /// Watches and posts until [`Desk::retire`] says that nobody needs it.
    fn watch(&self, desk: &Desk);
}

/// How a store hears of the commits of other processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hearing {
    /// As it should, or nobody has to.
    Well,
    /// Not at all, as it was opened.
    Deaf,
    /// Not just now, and why.
    Troubled(String),
}

/// A store's wake-up: in this process always; across processes by a thread that is there only while somebody waits or
/// others are to be told.
pub(crate) struct Watch {
    desk: Arc<Desk>,
    /// None in memory, where nobody else commits, and on connections that the host lends.
    watcher: Option<Arc<dyn Watcher>>,
}

impl Watch {
    pub(crate) fn new(watcher: Option<Arc<dyn Watcher>>) -> Self {
        Self { desk: Arc::default(), watcher }
    }

    /// Tells of a commit of this store, after it.
    pub(crate) fn tell(&self, signals: Signals) {
        self.desk.wake().signal(signals);
        let abroad = signals.abroad();
        if !abroad.is_empty() && self.watcher.as_ref().is_some_and(|watcher| watcher.posts()) && self.desk.post(abroad)
        {
            self.start();
        }
    }

    /// Somebody waits from now on, until [`Watch::leave`].
    pub(crate) fn join(&self) {
        if self.watcher.is_some() && self.desk.join() {
            self.start();
        }
    }

    pub(crate) fn leave(&self) {
        if self.watcher.is_some() {
            self.desk.leave();
        }
    }

    /// Waits until something of `wanted` was told since `seen`, or for `timeout`; the counts then.
    pub(crate) fn wait(&self, seen: &Counts, wanted: Signals, timeout: Duration) -> Counts {
        // What this process alone tells of needs nobody to watch for others.
        if self.watcher.is_none() || !wanted.any(Signals::ANY) {
            return self.wake().wait(seen, wanted, timeout);
        }
        self.desk.sleep();
        let counts = self.wake().wait(seen, wanted, timeout);
        self.desk.awake();
        counts
    }

    /// Whether every commit, of whatever process, is told to those who wait: they need not poll.
    pub(crate) fn is_complete(&self) -> bool {
        self.watcher.is_none() || self.desk.is_complete()
    }

    pub(crate) fn hearing(&self) -> Hearing {
        match (self.watcher.as_ref().is_none_or(|watcher| watcher.listens()), self.desk.trouble()) {
            (_, Some(trouble)) => Hearing::Troubled(trouble),
            (true, None) => Hearing::Well,
            (false, None) => Hearing::Deaf,
        }
    }

    pub(crate) fn wake(&self) -> &Wake {
        self.desk.wake()
    }

    /// Tells others what they are still to be told, ends the thread, and wakes all who wait. Not for a forked child.
    pub(crate) fn close(&self) {
        self.desk.close(FLUSH);
        self.desk.wake().signal(Signals::ANY);
    }

    fn start(&self) {
        let Some(watcher) = self.watcher.clone() else { return };
        let desk = self.desk.clone();
        let spawned = std::thread::Builder::new().name("sprongus-wake".to_owned()).spawn(move || {
            let _gone = Gone(&desk);
            watcher.watch(&desk);
        });
        if let Err(error) = spawned {
            self.desk.gone();
            tracing::warn!(%error, "the system has no thread for wake-ups: workers poll");
        }
    }
}

/// A thread that ends in a panic is missed at once; another is started when it is needed next.
struct Gone<'d>(&'d Desk);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.gone();
        }
    }
}
