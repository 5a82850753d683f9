//! The feed as it grows: blocks until there is more.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::filter::Filter;
use super::look::{Found, look};
use super::{Event, Events, Signal, cursor};
use crate::db::Signals;
use crate::error::{Error, Result};
use crate::session::{Ground, Lasting, Session};

/// Events that are read at once.
const BATCH: i64 = 100;
/// The first wait for another reader, who is giving positions just now; doubles up to [`POLL`].
const MOMENT: Duration = Duration::from_millis(5);
/// The wait where nothing tells of positions that others give: on a store that only reads.
const POLL: Duration = Duration::from_millis(200);
/// For ever, as clocks can say it.
const LONG: Duration = Duration::from_secs(365 * 24 * 3600);

/// Where to begin, and which events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FollowEvents {
    /// The cursor of a batch or of a [`Follow`]; none: now.
    pub after: Option<String>,
    /// Of these types; `aux.*` is all that begin with `aux.`. None: all that the handle may read.
    pub types: Option<Vec<String>>,
    /// Of that project; none: a scoped handle's own, else all.
    pub project: Option<String>,
}

impl Events<'_> {
    /// Follows the feed: an iterator that waits for the next event, whoever commits it.
    ///
    /// Errors: `invalid_argument` (the cursor, a type), `permission_denied`, `misuse` in a transaction.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sprongus::events::FollowEvents;
    /// use sprongus::runs::Enqueue;
    /// use sprongus::{Json, Options, Store};
    /// let store = Store::open(":memory:", Options::default())?;
    /// let mut follow = store.events().follow(&FollowEvents::default())?;
    /// store.runs().enqueue(&Enqueue::new("mail.send", Json::null()))?;
    /// assert_eq!(follow.next().unwrap()?.kind, "run.enqueued");
    /// assert!(follow.next_within(Duration::ZERO)?.is_none());
    /// # Ok::<(), sprongus::Error>(())
    /// ```
    pub fn follow(&self, request: &FollowEvents) -> Result<Follow> {
        let filter = Filter::new(&self.session, request.types.as_deref(), request.project.as_deref())?;
        let Some(ground) = self.session.lasting() else {
            return Err(Error::misuse("a transaction is over too soon to be followed: follow the feed of the store"));
        };
        let at = match &request.after {
            Some(after) => {
                let at = cursor::position(Some(after))?;
                look(self.session, &filter, at, 0)?;
                at
            }
            None => self.end()?,
        };
        ground.core().watch.join();
        let stop = Stop { stopped: Arc::default(), ground: Arc::downgrade(&ground) };
        Ok(Follow { ground, filter, waiting: VecDeque::new(), seen: at, handed_out: at, stop, failed: false })
    }
}

/// The events of a feed, as they come. Nothing is held between two calls, and nothing is lost: [`Follow::cursor`] says where to
/// go on another time.
///
/// As an iterator it ends when it is stopped, and after an error that trying again cannot help (the store was closed); after
/// another one the next call tries again.
pub struct Follow {
    ground: Lasting,
    filter: Filter,
    waiting: VecDeque<(i64, Event)>,
    seen: i64,
    handed_out: i64,
    stop: Stop,
    failed: bool,
}

impl Follow {
    /// The next event, waited for that long; `None` where there was none, or it was stopped.
    pub fn next_within(&mut self, timeout: Duration) -> Result<Option<Event>> {
        let until = Instant::now() + timeout.min(LONG);
        let ground = self.ground.clone();
        // Before any lock: in a forked child a thread of the parent's may hold it for ever.
        ground.core().check_process()?;
        let mut waiter = ground.core().waiter(&[Signal::Event]);
        let mut moment = MOMENT;
        while !self.stop.is_stopped() {
            waiter.looking();
            if let Some(event) = self.hand_out() {
                return Ok(Some(event));
            }
            let Found { events, until: seen, more } = look(Session::new(&*ground), &self.filter, self.seen, BATCH)?;
            let moved = std::mem::replace(&mut self.seen, seen) != seen;
            self.waiting.extend(events);
            if self.waiting.is_empty() {
                // What the filter kept back has been looked at too.
                self.handed_out = seen;
            }
            let now = Instant::now();
            match more {
                _ if !self.waiting.is_empty() => {}
                _ if now >= until => break,
                _ if moved => {}
                true => {
                    std::thread::sleep(moment.min(until - now));
                    moment = POLL.min(moment * 2);
                }
                false if ground.core().options.read_only => waiter.wait(until.min(now + POLL))?,
                false => waiter.wait(until)?,
            }
        }
        Ok(None)
    }

    /// The position after the last event that was handed out: as `after`, another one goes on from there.
    pub fn cursor(&self) -> String {
        cursor::text(self.handed_out)
    }

    /// Stops it from another thread.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    fn hand_out(&mut self) -> Option<Event> {
        let (position, event) = self.waiting.pop_front()?;
        self.handed_out = position;
        Some(event)
    }
}

impl Iterator for Follow {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Result<Event>> {
        if self.failed {
            return None;
        }
        loop {
            match self.next_within(LONG) {
                Ok(None) if !self.stop.is_stopped() => {}
                Ok(event) => return event.map(Ok),
                Err(error) => {
                    self.failed = !error.retryable();
                    return Some(Err(error));
                }
            }
        }
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        // In a forked child a thread of the parent's may hold the lock for ever.
        if !self.ground.core().forked() {
            self.ground.core().watch.leave();
        }
    }
}

impl std::fmt::Debug for Follow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follow").field("cursor", &self.cursor()).finish_non_exhaustive()
    }
}

/// Stops a [`Follow`], from any thread: whoever waits for its next event gets `None`, at once.
#[derive(Clone)]
pub struct Stop {
    stopped: Arc<AtomicBool>,
    ground: Weak<dyn Ground + Send + Sync>,
}

impl Stop {
    /// Stops it, for good.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        if let Some(ground) = self.ground.upgrade().filter(|ground| !ground.core().forked()) {
            ground.core().watch.wake().signal(Signals::of(&[Signal::Event]));
        }
    }

    /// Whether it was stopped.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}

impl std::fmt::Debug for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Stop").field(&self.is_stopped()).finish()
    }
}
