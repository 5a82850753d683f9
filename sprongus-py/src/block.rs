//! The context manager of a transaction.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use sprongus::worker::Context;
use sprongus::{Error, Result, Tx};

use crate::call::{Detached, wait};
use crate::error::raised;
use crate::ground::Ground;
use crate::transaction::Transaction;

/// What `transaction()` returns: `with` begins, commits on leaving and rolls back on an exception.
#[pyclass(module = "sprongus", frozen)]
pub(crate) struct TransactionBlock {
    of: Of,
    /// Never held while something waits: whoever wants it has the GIL.
    state: Mutex<State>,
}

/// What a block begins its transaction on.
enum Of {
    /// A store, or a transaction to set a savepoint in.
    Ground(Ground),
    /// A handler's run, which must still be its own at the end.
    Run(Arc<Detached<Context>>),
}

enum State {
    Closed,
    /// Between the call and its answer.
    Opening,
    Open(Ground),
}

impl TransactionBlock {
    pub(crate) fn on(ground: Ground) -> Self {
        Self { of: Of::Ground(ground), state: Mutex::new(State::Closed) }
    }

    pub(crate) fn of_run(context: Arc<Detached<Context>>) -> Self {
        Self { of: Of::Run(context), state: Mutex::new(State::Closed) }
    }

    fn swap(&self, state: State) -> State {
        std::mem::replace(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner), state)
    }

    /// Takes the right to open it, which one caller has at a time.
    fn claim(&self) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*state, State::Closed) {
            return Err(Error::misuse("this transaction is open already; call transaction() for another"));
        }
        *state = State::Opening;
        Ok(())
    }

    fn begin(&self, py: Python<'_>) -> PyResult<Tx<'static>> {
        match &self.of {
            Of::Ground(ground) => ground.either(py, (), |(), store| store.begin(), |(), tx| tx.savepoint()),
            Of::Run(context) => wait(py, || context.begin()),
        }
    }

    fn commit(&self, tx: Tx<'static>) -> Result<()> {
        match &self.of {
            Of::Ground(_) => tx.commit(),
            Of::Run(context) => context.commit(tx),
        }
    }
}

#[pymethods]
impl TransactionBlock {
    fn __enter__(&self, py: Python<'_>) -> PyResult<Transaction> {
        self.claim().map_err(|error| raised(py, &error))?;
        let begun = self.begin(py).map(Ground::tx);
        self.swap(begun.as_ref().map_or(State::Closed, |ground| State::Open(ground.clone())));
        begun.map(Transaction::on)
    }

    #[pyo3(signature = (*exc), text_signature = "($self, *exc)")]
    fn __exit__(&self, py: Python<'_>, exc: &Bound<'_, PyTuple>) -> PyResult<bool> {
        let failed = exc.get_item(0).is_ok_and(|kind| !kind.is_none());
        let State::Open(Ground::Tx(open)) = self.swap(State::Closed) else {
            return Err(raised(py, &Error::misuse("this transaction is not open")));
        };
        let ended = wait(py, || {
            let tx = open.take()?;
            if failed { tx.rollback() } else { self.commit(tx) }
        });
        // What was raised inside says more than a rollback that failed after it.
        if failed { Ok(false) } else { ended.map(|()| false) }
    }
}
