//! Lends pooled connections: waits until the deadline, hears the host's interrupt, and says why it waited in vain.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use r2d2::{Builder, HandleError, ManageConnection, PooledConnection};

use crate::error::{Error, ErrorCode, Result};
use crate::options::Interrupt;

/// Between two looks at the deadline and the interrupt.
pub(crate) const SLICE: Duration = Duration::from_millis(50);

/// A pool that opens its connections when they are asked for.
pub(super) struct Pool<M: ManageConnection> {
    inner: r2d2::Pool<M>,
    last_error: LastError,
    interrupt: Option<Interrupt>,
}

impl<M: ManageConnection<Error = Error>> Pool<M> {
    pub(super) fn new(builder: Builder<M>, manager: M, interrupt: Option<Interrupt>) -> Self {
        let last_error = LastError::default();
        let inner = builder.min_idle(Some(0)).error_handler(Box::new(last_error.clone())).build_unchecked(manager);
        Self { inner, last_error, interrupt }
    }

    /// A connection by the deadline. Errors: `busy` where all are in use, `timeout` for an interrupt, else why none could
    /// be opened.
    pub(super) fn lend(&self, deadline: Instant) -> Result<PooledConnection<M>> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let slice = if self.interrupt.is_some() { left.min(SLICE) } else { left };
            if let Ok(connection) = self.inner.get_timeout(slice) {
                self.last_error.set(None);
                return Ok(connection);
            }
            if self.interrupt.as_ref().is_some_and(|asked| asked()) {
                return Err(interrupted());
            }
            if slice == left {
                return Err(self.none_left());
            }
        }
    }

    fn none_left(&self) -> Error {
        let size = self.inner.max_size();
        if self.inner.state().connections == size {
            let message = format!("no connection was free in time: all {size} of the pool are in use; raise pool_size");
            return Error::new(ErrorCode::Busy, message);
        }
        let none = || Error::new(ErrorCode::Timeout, "no connection to the database could be opened in time");
        self.last_error.copy().unwrap_or_else(none)
    }
}

/// Why the last attempt to connect failed: r2d2 itself keeps only its text.
#[derive(Debug, Clone, Default)]
struct LastError(Arc<Mutex<Option<Error>>>);

impl LastError {
    fn set(&self, error: Option<Error>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    /// For every caller that waited in vain.
    fn copy(&self) -> Option<Error> {
        let error = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let error = error.as_ref()?;
        let copy = Error::new(error.code(), error.message());
        Some(match error.details() {
            Some(details) => copy.with_details(details.clone()),
            None => copy,
        })
    }
}

impl HandleError<Error> for LastError {
    fn handle_error(&self, error: Error) {
        tracing::debug!(%error, "a pooled connection failed");
        self.set(Some(error));
    }
}

/// The error of a wait that the host's interrupt ended.
pub(crate) fn interrupted() -> Error {
    Error::new(ErrorCode::Timeout, "the host interrupted the wait for the database")
}
