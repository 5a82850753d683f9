//! What all handles of one opened store share.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::ThreadId;
use std::time::Instant;

use crate::db::{Db, Dialect, Watch};
use crate::error::{Error, ErrorCode, Result};
use crate::events::{Cancels, Subscribers};
use crate::options::Options;

/// What all handles of one opened store share.
pub(crate) struct Core {
    pub(crate) options: Options,
    pub(crate) watch: Watch,
    pub(crate) cancels: Cancels,
    pub(crate) subscribers: Arc<Subscribers>,
    db: RwLock<Option<Arc<Db>>>,
    dialect: Dialect,
    closed: AtomicBool,
    /// The process that opened it: after a fork, everything here belongs to the parent.
    process: u32,
    /// Threads with a transaction of this store open, for the check against using the store inside it.
    inside: Mutex<Vec<ThreadId>>,
    inside_count: AtomicUsize,
    transactions: AtomicU64,
    shared: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Core {
    pub(crate) fn new(options: Options, dialect: Dialect, db: Option<Db>) -> Self {
        Self {
            options,
            watch: Watch::new(db.as_ref().and_then(Db::watcher)),
            cancels: Cancels::default(),
            subscribers: Arc::default(),
            db: RwLock::new(db.map(Arc::new)),
            dialect,
            closed: AtomicBool::new(false),
            process: std::process::id(),
            inside: Mutex::default(),
            inside_count: AtomicUsize::new(0),
            transactions: AtomicU64::new(0),
            shared: Mutex::default(),
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How many writes of more than one statement there have been. Those of one, and what is sent, let nothing fall due: runs
    /// are enqueued, claimed and reported as succeeded, and leases extended.
    pub(crate) fn transactions(&self) -> u64 {
        self.transactions.load(Ordering::Acquire)
    }

    /// One more of them.
    pub(super) fn count_transaction(&self) {
        self.transactions.fetch_add(1, Ordering::AcqRel);
    }

    /// Refuses a store inherited by a fork, or closed.
    pub(crate) fn check(&self) -> Result<()> {
        self.check_process()?;
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::misuse("the store is closed"));
        }
        Ok(())
    }

    pub(crate) fn check_process(&self) -> Result<()> {
        if self.forked() {
            return Err(Error::new(
                ErrorCode::Forked,
                "this store was opened before fork(): open one in the child process, and on SQLite fork before opening",
            ));
        }
        Ok(())
    }

    pub(crate) fn forked(&self) -> bool {
        std::process::id() != self.process
    }

    /// The database, for a call on the store itself: not from inside its own transaction.
    pub(crate) fn db(&self) -> Result<Arc<Db>> {
        self.check()?;
        if self.inside_count.load(Ordering::Acquire) > 0 && locked(&self.inside).contains(&std::thread::current().id())
        {
            return Err(Error::misuse(
                "this thread has a transaction of this store open: call the transaction, not the store",
            ));
        }
        self.opened()
    }

    /// The same for a commit of its own beside a transaction of this thread.
    pub(crate) fn db_beside(&self) -> Result<Arc<Db>> {
        self.check()?;
        self.opened()
    }

    fn opened(&self) -> Result<Arc<Db>> {
        let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
        db.clone().ok_or_else(|| Error::misuse("the store is closed"))
    }

    /// Marks the thread as inside a transaction.
    pub(crate) fn enter(&self) -> ThreadId {
        let thread = std::thread::current().id();
        locked(&self.inside).push(thread);
        self.inside_count.fetch_add(1, Ordering::AcqRel);
        thread
    }

    pub(crate) fn leave(&self, thread: ThreadId) {
        let mut inside = locked(&self.inside);
        if let Some(index) = inside.iter().position(|other| *other == thread) {
            inside.swap_remove(index);
            self.inside_count.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// No new calls; the database is closed when the last one under way has ended.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // In a forked child a thread of the parent's may hold the lock for ever.
        if !self.forked() {
            self.watch.close();
            self.subscribers.close();
            let db = self.db.write().unwrap_or_else(PoisonError::into_inner).take();
            drop(db);
        }
    }

    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.options.call_timeout
    }

    /// One value of that type for all handles of the store: caches that belong to a service.
    pub(crate) fn shared<T: Any + Send + Sync + Default>(&self) -> Arc<T> {
        let mut shared = locked(&self.shared);
        let slot = shared.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        slot.clone().downcast().unwrap_or_default()
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let db = self.db.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if self.forked() {
            // Closing would drop the parent's locks and end its server sessions.
            std::mem::forget(db);
        } else {
            // Before the database: on SQLite the writer's connection is the last to go.
            self.watch.close();
            self.subscribers.close();
        }
    }
}

pub(crate) fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
