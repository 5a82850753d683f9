//! In-process subscribers: a function of the host's, told of this store's own commits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::ThreadId;

use super::filter::Filter;
use super::queue::Queue;
use super::subscribers::Subscribers;
use super::{Event, Events};
use crate::error::{Error, ErrorCode, Result};

/// Which events a subscriber is told of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubscribeEvents {
    /// Of these types; `aux.*` is all that begin with `aux.`. None: all that the handle may read.
    pub types: Option<Vec<String>>,
    /// Of that project; none: a scoped handle's own, else all.
    pub project: Option<String>,
}

impl Events<'_> {
    /// Calls `tell` with each event that is written through this opened store from now on, by whichever of its handles and
    /// workers, once it is committed. What is rolled back is never told, nor what is written in a transaction that the host
    /// lends: nobody knows when that is committed.
    ///
    /// The calls come one after another from a thread of the subscription's own: each subject's events in the order of their
    /// commits, no lock or transaction of ours held. So a slow subscriber holds nobody up. Of those that wait for it, 10,000
    /// are kept; later ones are counted by [`Subscription::missed`] and not told: who must not miss any reads the feed. A panic
    /// in `tell` is logged, and the next event told.
    ///
    /// It ends with [`Subscription::close`], with the drop of the [`Subscription`], and, after what was told so far, with the
    /// store. A `tell` that keeps the store keeps it open.
    ///
    /// Errors: `invalid_argument` (a type), `permission_denied`, `misuse` in a transaction and on a closed store.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use sprongus::events::SubscribeEvents;
    /// use sprongus::runs::Enqueue;
    /// use sprongus::{Json, Options, Store};
    /// let store = Store::open(":memory:", Options::default())?;
    /// let (tell, told) = mpsc::channel();
    /// let ended = SubscribeEvents { types: Some(vec!["run.*".to_owned()]), ..SubscribeEvents::default() };
    /// let subscription = store.events().subscribe(&ended, move |event| tell.send(event.kind.clone()).unwrap_or(()))?;
    /// store.runs().enqueue(&Enqueue::new("mail.send", Json::null()))?;
    /// assert_eq!(told.recv().unwrap(), "run.enqueued");
    /// subscription.close();
    /// # Ok::<(), sprongus::Error>(())
    /// ```
    pub fn subscribe(
        &self,
        request: &SubscribeEvents,
        tell: impl FnMut(&Event) + Send + 'static,
    ) -> Result<Subscription> {
        let filter = Filter::new(&self.session, request.types.as_deref(), request.project.as_deref())?;
        let core = self.session.core();
        core.check()?;
        if self.session.lasting().is_none() {
            return Err(Error::misuse("a transaction is over too soon to be subscribed to: subscribe on the store"));
        }
        let (queue, subscribers) = (Arc::new(Queue::new(filter)), core.subscribers.clone());
        let own = queue.clone();
        let spawned = std::thread::Builder::new().name("sprongus-events".to_owned()).spawn(move || deliver(&own, tell));
        let thread = match spawned {
            Ok(thread) => thread.thread().id(),
            Err(error) => {
                return Err(Error::new(ErrorCode::Unavailable, "the system has no thread for a subscription")
                    .with_source(error));
            }
        };
        let subscription = Subscription { queue, subscribers, thread, process: std::process::id() };
        if !subscription.subscribers.add(subscription.queue.clone()) {
            return Err(Error::misuse("the store is closed"));
        }
        Ok(subscription)
    }
}

fn deliver(queue: &Queue, tell: impl FnMut(&Event)) {
    let _ended = Ended(queue);
    // Dropped before anybody is told that it is no longer called.
    let mut tell = tell;
    while let Some(event) = queue.take() {
        if catch_unwind(AssertUnwindSafe(|| tell(&event))).is_err() {
            tracing::error!(event = %event.id, "a subscriber panicked");
        }
    }
}

struct Ended<'q>(&'q Queue);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// A subscription; dropped, it ends, and what has not been told is not told.
pub struct Subscription {
    queue: Arc<Queue>,
    subscribers: Arc<Subscribers>,
    thread: ThreadId,
    process: u32,
}

impl Subscription {
    /// Ends it. When this returns, the function is not called any more and has been dropped; a call under way is waited for,
    /// except by itself. Twice is nothing.
    pub fn close(&self) {
        if self.end() && std::thread::current().id() != self.thread {
            self.queue.wait_for_end();
        }
    }

    /// How many events were not told because too many waited already.
    pub fn missed(&self) -> u64 {
        self.queue.missed()
    }

    /// Ends it without waiting; false in a forked child, where there is no thread, and its locks may be held for ever.
    fn end(&self) -> bool {
        let ours = std::process::id() == self.process;
        if ours {
            self.subscribers.remove(&self.queue);
            self.queue.close();
        }
        ours
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.end();
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}
