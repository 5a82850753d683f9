//! Lends pooled connections: waits its turn until the deadline, hears the host's interrupt, says why it waited in vain.
//!
//! Connections are opened on the caller's thread, and only std's locks are used, so that a process may fork with a store open
//! and its child open one of its own (docs/decisions/0009).

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorCode, Result};
use crate::options::Interrupt;

/// Between two looks at the deadline and the interrupt.
pub(crate) const SLICE: Duration = Duration::from_millis(50);
/// A connection that nobody needed for so long is closed.
const IDLE: Duration = Duration::from_secs(600);

/// How a pool makes its connections, and which it keeps.
pub(super) trait Manage: Send + Sync {
    type Connection: Send;

    fn connect(&self, by: Instant) -> Result<Self::Connection>;

    /// Whether a connection that lay idle can be lent again.
    fn is_alive(&self, _: &mut Self::Connection) -> bool {
        true
    }

    /// Makes clean what comes back; false where that cannot be done.
    fn is_clean(&self, connection: &mut Self::Connection) -> bool;
}

/// At most so many connections, opened when they are asked for. Dropped, it closes the idle ones at once and those on loan
/// when they come back.
pub(super) struct Pool<M: Manage> {
    inner: Arc<Inner<M>>,
    interrupt: Option<Interrupt>,
}

struct Inner<M: Manage> {
    manager: M,
    size: u32,
    shelf: Mutex<Shelf<M::Connection>>,
    returned: Condvar,
}

struct Shelf<C> {
    /// The one that came back last is lent first; since when each lies there.
    idle: Vec<(C, Instant)>,
    /// Idle, on loan, or about to be opened.
    open: u32,
    /// Callers that wait for one to come back: where nobody does, nobody is woken, which the system would be asked for.
    waiting: u32,
    closed: bool,
}

impl<M: Manage> Pool<M> {
    /// A pool that begins with the connections given.
    pub(super) fn new(manager: M, size: u32, interrupt: Option<Interrupt>, first: Option<M::Connection>) -> Self {
        let idle: Vec<_> = first.into_iter().map(|connection| (connection, Instant::now())).collect();
        let shelf = Shelf { open: u32::from(!idle.is_empty()), idle, waiting: 0, closed: false };
        let inner = Inner { manager, size: size.max(1), shelf: Mutex::new(shelf), returned: Condvar::new() };
        Self { inner: Arc::new(inner), interrupt }
    }

    /// A connection by the deadline. Errors: `busy` where all are in use, `timeout` for an interrupt, else why none could
    /// be opened.
    pub(super) fn lend(&self, deadline: Instant) -> Result<Lent<M>> {
        let mut lent = Lent { connection: self.turn(deadline)?, inner: self.inner.clone() };
        if lent.connection.as_mut().is_some_and(|idle| !self.inner.manager.is_alive(idle)) {
            lent.connection = None;
        }
        if lent.connection.is_none() {
            lent.connection = Some(self.connect(deadline)?);
        }
        Ok(lent)
    }

    /// Waits until one is idle, or may be opened.
    fn turn(&self, deadline: Instant) -> Result<Option<M::Connection>> {
        let mut slice = Duration::ZERO;
        loop {
            if let Some(turn) = self.inner.take(slice) {
                return Ok(turn);
            }
            // With the shelf unlocked: what the interrupt runs may use the store itself.
            slice = self.slice(deadline)?.ok_or_else(|| self.all_in_use())?;
        }
    }

    /// A database that is away may come back before the deadline.
    fn connect(&self, deadline: Instant) -> Result<M::Connection> {
        loop {
            let failed = match self.inner.manager.connect(deadline) {
                Err(error) if error.code() == ErrorCode::Unavailable => error,
                done => return done,
            };
            match self.slice(deadline)? {
                Some(slice) => sleep(slice),
                None => return Err(failed),
            }
        }
    }

    /// How long to wait before the next look; none where the time is over.
    fn slice(&self, deadline: Instant) -> Result<Option<Duration>> {
        if self.interrupt.as_ref().is_some_and(|asked| asked()) {
            return Err(interrupted());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        Ok(Some(left.min(SLICE)).filter(|slice| !slice.is_zero()))
    }

    fn all_in_use(&self) -> Error {
        let size = self.inner.size;
        let message = format!("no connection was free in time: all {size} of the pool are in use; raise pool_size");
        Error::new(ErrorCode::Busy, message)
    }
}

impl<M: Manage> Drop for Pool<M> {
    fn drop(&mut self) {
        let idle = {
            let mut shelf = self.inner.shelf();
            shelf.closed = true;
            std::mem::take(&mut shelf.idle)
        };
        drop(idle);
    }
}

impl<M: Manage> Inner<M> {
    fn shelf(&self) -> MutexGuard<'_, Shelf<M::Connection>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An idle connection, or leave to open one; nothing where all are still in use after `wait`.
    fn take(&self, wait: Duration) -> Option<Option<M::Connection>> {
        let full = |shelf: &mut Shelf<M::Connection>| shelf.idle.is_empty() && shelf.open == self.size;
        let mut shelf = self.shelf();
        if full(&mut shelf) && !wait.is_zero() {
            shelf.waiting += 1;
            let waited = self.returned.wait_timeout_while(shelf, wait, full);
            shelf = waited.unwrap_or_else(PoisonError::into_inner).0;
            shelf.waiting -= 1;
        }
        if let Some((connection, _)) = shelf.idle.pop() {
            return Some(Some(connection));
        }
        let room = shelf.open < self.size;
        shelf.open += u32::from(room);
        room.then_some(None)
    }

    /// Takes a connection back, or what is left of a loan that came to none; what is to be closed.
    fn take_back(&self, connection: Option<M::Connection>) -> Vec<(M::Connection, Instant)> {
        let now = Instant::now();
        let mut shelf = self.shelf();
        let stale = shelf.idle.iter().take_while(|(_, since)| now.duration_since(*since) > IDLE).count();
        let mut closing: Vec<_> = shelf.idle.drain(..stale).collect();
        let kept = connection.map(|connection| (connection, now));
        match kept {
            Some(kept) if shelf.closed => closing.push(kept),
            Some(kept) => shelf.idle.push(kept),
            None => shelf.open -= 1,
        }
        shelf.open -= u32::try_from(stale).unwrap_or(0);
        let awaited = shelf.waiting > 0;
        drop(shelf);
        if awaited {
            self.returned.notify_one();
        }
        closing
    }
}

/// A connection on loan; clean, it goes back when it is dropped.
pub(super) struct Lent<M: Manage> {
    connection: Option<M::Connection>,
    inner: Arc<Inner<M>>,
}

impl<M: Manage> Deref for Lent<M> {
    type Target = M::Connection;

    fn deref(&self) -> &M::Connection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("only drop takes it out"),
        }
    }
}

impl<M: Manage> DerefMut for Lent<M> {
    fn deref_mut(&mut self) -> &mut M::Connection {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("only drop takes it out"),
        }
    }
}

impl<M: Manage> Drop for Lent<M> {
    fn drop(&mut self) {
        let mut connection = self.connection.take();
        if connection.as_mut().is_some_and(|connection| !self.inner.manager.is_clean(connection)) {
            connection = None;
        }
        drop(self.inner.take_back(connection));
    }
}

/// The error of a wait that the host's interrupt ended.
pub(crate) fn interrupted() -> Error {
    Error::new(ErrorCode::Timeout, "the host interrupted the wait for the database")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    struct Numbers;

    impl Manage for Numbers {
        type Connection = u32;

        fn connect(&self, _: Instant) -> Result<u32> {
            Ok(7)
        }

        fn is_clean(&self, _: &mut u32) -> bool {
            true
        }
    }

    #[test]
    fn an_interrupt_may_use_the_pool_it_interrupts() {
        let held: Arc<Mutex<Option<Lent<Numbers>>>> = Arc::default();
        let given = held.clone();
        let interrupt: Interrupt = Arc::new(move || {
            drop(given.lock().unwrap().take());
            false
        });
        let pool = Pool::new(Numbers, 1, Some(interrupt), None);
        let deadline = Instant::now() + Duration::from_secs(5);
        *held.lock().unwrap() = Some(pool.lend(deadline).unwrap());
        assert_eq!(*pool.lend(deadline).unwrap(), 7, "given back by the interrupt of the one who waits");
        assert!(Instant::now() < deadline);
    }
}
