//! Blocking calls are refused where they would stall, or panic in, an async runtime.

use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};

use tokio::runtime::Handle;
use tokio::task::coop::poll_proceed;

use crate::error::{Error, Result};

/// More than the cooperative budget of a task (128 in tokio 1), which code outside a task does not have.
const OVER_BUDGET: usize = 512;

/// `misuse` where this thread is running a task of a tokio runtime; `spawn_blocking` and `block_in_place` pass.
pub(super) fn check() -> Result<()> {
    let Ok(handle) = Handle::try_current() else { return Ok(()) };
    // The budget is asked first because a probe that fails reports a panic, and aborts a host built with panic=abort.
    if has_budget() || catch_unwind(AssertUnwindSafe(|| handle.block_on(ready(())))).is_err() {
        return Err(Error::misuse(
            "a blocking call was made on an async worker thread; make it inside tokio::task::spawn_blocking",
        ));
    }
    Ok(())
}

/// Whether a cooperative budget is in force here; what the question uses of it is given back.
fn has_budget() -> bool {
    let mut context = Context::from_waker(Waker::noop());
    let mut used = Vec::new();
    let mut bounded = false;
    while used.len() < OVER_BUDGET && !bounded {
        match poll_proceed(&mut context) {
            Poll::Ready(restore) => used.push(restore),
            Poll::Pending => bounded = true,
        }
    }
    // Each gives back the budget it found: the first one, which found it whole, comes last.
    while used.pop().is_some() {}
    bounded
}
