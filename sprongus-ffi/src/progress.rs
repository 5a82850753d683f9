//! `sprongus_on_progress`: how far a long call is, and whether it is to go on.

use std::ffi::c_void;

use sprongus::{Error, ErrorCode, Result};

/// Told how many rows are done, and of how many (0: not known). Returns true to go on; false ends the call with `timeout`, and
/// nothing is written. It runs on the calling thread, must not throw, and must not call the store or transaction at work.
pub type sprongus_on_progress = Option<unsafe extern "C" fn(user_data: *mut c_void, done: u64, total: u64) -> bool>;

/// The host's function as the core calls it; without one, nobody asks.
pub(crate) fn told(
    progress: sprongus_on_progress,
    user_data: *mut c_void,
) -> impl FnMut(u64, Option<u64>) -> Result<()> {
    move |done, total| {
        let Some(tell) = progress else { return Ok(()) };
        // SAFETY: the host's own function, with what it gave for it, on its own thread during its call.
        match unsafe { tell(user_data, done, total.unwrap_or(0)) } {
            true => Ok(()),
            false => Err(Error::new(ErrorCode::Timeout, "the progress function ended the call")),
        }
    }
}
