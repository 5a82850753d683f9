//! `sprongus_tx`.

use std::ffi::c_char;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::ThreadId;

use sprongus::{Error, Result, Tx};

use crate::error::sprongus_error;
use crate::handle::{self, Noun};
use crate::store::{StoreHandle, sprongus_store};
use crate::{args, door};

/// An open transaction, or a savepoint within one: every call that takes `store_or_tx` takes it.
///
/// Ended by sprongus_tx_commit or sprongus_tx_rollback, freed by sprongus_tx_free, which rolls back what is still open.
pub struct sprongus_tx {
    _opaque: [u8; 0],
}

/// Which thread is inside a function that the host lent: it cannot come back into its transaction from there.
#[derive(Clone, Default)]
pub(crate) struct Inside(Arc<Mutex<Within>>);

#[derive(Default)]
struct Within {
    thread: Option<ThreadId>,
    /// Handles freed from there: ending them needs the transaction that is in use.
    left: Vec<Arc<TxHandle>>,
}

impl Inside {
    fn within(&self) -> MutexGuard<'_, Within> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a function of the host's.
    pub(crate) fn during<T>(&self, function: impl FnOnce() -> T) -> T {
        self.within().thread = Some(std::thread::current().id());
        let answer = function();
        self.within().thread = None;
        answer
    }

    /// Ends what was freed meanwhile; that calls the host too, which may free more.
    fn settle(&self) {
        loop {
            let left = std::mem::take(&mut self.within().left);
            if left.is_empty() {
                return;
            }
            drop(left);
        }
    }

    fn check(&self) -> Result<()> {
        if self.within().thread == Some(std::thread::current().id()) {
            return Err(Error::misuse("a function of sprongus_host calls back into the transaction that called it"));
        }
        Ok(())
    }
}

pub(crate) struct TxHandle {
    /// None once it is committed or rolled back.
    tx: RwLock<Option<Tx<'static>>>,
    inside: Inside,
}

impl Noun for TxHandle {
    type C = sprongus_tx;
    const TAG: u8 = 5;
    const NAME: &'static str = "sprongus_tx";
}

impl TxHandle {
    pub(crate) fn new(tx: Tx<'static>, inside: Inside) -> Self {
        Self { tx: RwLock::new(Some(tx)), inside }
    }

    /// Runs the work within the transaction; an end by another thread waits for it.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&Tx<'static>) -> Result<T>) -> Result<T> {
        self.call(|| {
            let tx = self.tx.read().unwrap_or_else(PoisonError::into_inner);
            work(tx.as_ref().ok_or_else(ended)?)
        })
    }

    /// Ends the transaction; an open call of it is waited for.
    pub(crate) fn end(&self, end: impl FnOnce(Tx<'static>) -> Result<()>) -> Result<()> {
        self.call(|| {
            let tx = self.tx.write().unwrap_or_else(PoisonError::into_inner).take();
            end(tx.ok_or_else(ended)?)
        })
    }

    /// Calls the transaction, not from within its own call, and then ends what its host left meanwhile.
    fn call<T>(&self, call: impl FnOnce() -> Result<T>) -> Result<T> {
        self.inside.check()?;
        let answer = call();
        self.inside.settle();
        answer
    }

    /// Ends a handle that was freed; later, where its own host freed it from within a call.
    fn leave(self: Arc<Self>) {
        let inside = self.inside.clone();
        if inside.check().is_err() {
            inside.within().left.push(self);
            return;
        }
        drop(self);
        inside.settle();
    }
}

fn ended() -> Error {
    Error::misuse("the transaction has ended")
}

/// Begins a transaction. The caller ends it by commit or rollback, and frees `*tx` in any case.
///
/// While it is open, calls on the store itself from this thread are `misuse`: call the transaction.
///
/// ```c
/// sprongus_tx *tx = NULL;
/// if (sprongus_tx_begin(store, &tx, &error) == SPRONGUS_OK
///     && sprongus_execute(tx, "UPDATE orders SET paid = 1", NULL, 0, NULL, &error) == SPRONGUS_OK
///     && sprongus_runs_enqueue(tx, "mail.send", "{}", 2, NULL, NULL, &error) == SPRONGUS_OK)
///     sprongus_tx_commit(tx, &error);
/// sprongus_tx_free(tx);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_tx_begin(
    store: *const sprongus_store,
    tx: *mut *mut sprongus_tx,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for out-pointers.
        let tx = unsafe { args::place("tx", tx) }?;
        let store = handle::get::<StoreHandle>("store", store)?;
        tx.give(TxHandle::new(store.store().begin()?, Inside::default()))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Opens a savepoint within a transaction or savepoint: a transaction that is committed into, or rolled back within, `tx`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_tx_savepoint(
    tx: *const sprongus_tx,
    savepoint: *mut *mut sprongus_tx,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for out-pointers.
        let savepoint = unsafe { args::place("savepoint", savepoint) }?;
        let outer = handle::get::<TxHandle>("tx", tx)?;
        savepoint.give(TxHandle::new(outer.with(Tx::savepoint)?, outer.inside.clone()))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// A further handle of the same transaction whose events and history are in the name of `actor`, for `reason` (may be
/// NULL). Freed on its own; that ends nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_tx_acting_as(
    tx: *const sprongus_tx,
    actor: *const c_char,
    reason: *const c_char,
    acting: *mut *mut sprongus_tx,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (acting, actor, reason) =
            unsafe { (args::place("acting", acting)?, args::text("actor", actor)?, args::text_opt("reason", reason)?) };
        let whole = handle::get::<TxHandle>("tx", tx)?;
        acting.give(TxHandle::new(whole.with(|tx| tx.acting_as(actor, reason))?, whole.inside.clone()))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Commits the transaction, or keeps the savepoint. It has ended then, whatever the answer; free it.
///
/// Errors: `misuse` where a statement failed in it or a savepoint within is open (it is rolled back then), where it has
/// ended, or where the host commits (sprongus_attach); `forked` in a child process; `outcome_unknown` where COMMIT's answer
/// was lost.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_tx_commit(tx: *mut sprongus_tx, error: *mut *mut sprongus_error) -> i32 {
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, || handle::get::<TxHandle>("tx", tx)?.end(Tx::commit)) }
}

/// Rolls back the transaction or the savepoint, and all savepoints within. It has ended then; free it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_tx_rollback(tx: *mut sprongus_tx, error: *mut *mut sprongus_error) -> i32 {
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, || handle::get::<TxHandle>("tx", tx)?.end(Tx::rollback)) }
}

/// Frees a transaction's handle; one still open is rolled back. NULL and what is no transaction are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_tx_free(tx: *mut sprongus_tx) {
    door::quiet(|| {
        if let Some(tx) = handle::take::<TxHandle>(tx) {
            tx.leave();
        }
    });
}
