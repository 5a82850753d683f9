//! What every exported function passes through: no panic crosses, errors become handles and codes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sprongus::{Error, ErrorCode, Result};

use crate::error::{SPRONGUS_OK, sprongus_error};
use crate::{error, handle};

/// Runs a function that may fail: its status, and the error in `*error` where the caller wants it.
///
/// # Safety
/// `error` is NULL or may be written.
pub(crate) unsafe fn call(error: *mut *mut sprongus_error, body: impl FnOnce() -> Result<()>) -> i32 {
    let failed = caught(body).err();
    let status = failed.as_ref().map_or(SPRONGUS_OK, |failed| failed.code().number());
    if !error.is_null() {
        let handle = failed.map(|failed| caught(|| handle::give(error::Failure::new(failed))));
        // Where there is no handle left for the error, the status still tells.
        let handle = handle.and_then(Result::ok).unwrap_or(std::ptr::null_mut());
        // SAFETY: not NULL, and the caller's to be written.
        unsafe { error.write(handle) };
    }
    status
}

/// Runs a getter: `otherwise` where the handle is none.
pub(crate) fn peek<T>(otherwise: T, body: impl FnOnce() -> Option<T>) -> T {
    catch_unwind(AssertUnwindSafe(body)).ok().flatten().unwrap_or(otherwise)
}

/// Runs what frees.
pub(crate) fn quiet(body: impl FnOnce()) {
    // The panic hook has reported it; there is nobody to tell.
    drop(catch_unwind(AssertUnwindSafe(body)));
}

fn caught<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let message = format!("a bug of the library: {}", text.unwrap_or("it panicked"));
        Err(Error::new(ErrorCode::Panic, message))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::error::*;

    #[test]
    fn a_panic_is_an_answer() {
        let mut error = std::ptr::null_mut();
        // SAFETY: a local.
        let status = unsafe { call(&raw mut error, || panic!("boom {}", 1)) };
        assert_eq!(status, SPRONGUS_ERR_PANIC);
        let failure = handle::get::<error::Failure>("error", error).unwrap();
        assert!(failure.error().message().contains("boom 1"));
        handle::free::<error::Failure>(error);
        assert_eq!(peek(-1, || panic!("boom")), -1);
        quiet(|| panic!("boom"));
    }

    #[test]
    fn success_clears_the_error() {
        let mut error = std::ptr::without_provenance_mut(0x1001);
        // SAFETY: a local.
        assert_eq!(unsafe { call(&raw mut error, || Ok(())) }, SPRONGUS_OK);
        assert!(error.is_null());
        // SAFETY: NULL is allowed.
        assert_eq!(unsafe { call(std::ptr::null_mut(), || Err(Error::misuse("x"))) }, SPRONGUS_ERR_MISUSE);
    }
}
