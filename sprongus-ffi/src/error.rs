//! `sprongus_error` and the codes.

use std::ffi::{CString, c_char};

use sprongus::{Error, ErrorCode};

use crate::handle::{self, Noun};
use crate::{args, door};

/// The status of a call that did what it says.
pub const SPRONGUS_OK: i32 = 0;
/// An argument is outside what the call takes.
pub const SPRONGUS_ERR_INVALID_ARGUMENT: i32 = 101;
/// The call itself is wrong here: a freed handle, a store used inside its own transaction, an async worker thread.
pub const SPRONGUS_ERR_MISUSE: i32 = 102;
/// No such thing, or it belongs to another project.
pub const SPRONGUS_ERR_NOT_FOUND: i32 = 103;
/// A document breaks its preset or is not JSON; the details carry every violation.
pub const SPRONGUS_ERR_VALIDATION: i32 = 104;
/// A payload sets a field that belongs to the entry.
pub const SPRONGUS_ERR_RESERVED_FIELD: i32 = 105;
/// Larger than the limit named in the message.
pub const SPRONGUS_ERR_TOO_LARGE: i32 = 106;
/// What looks like a credential stands where it would be stored.
pub const SPRONGUS_ERR_SECRET_DETECTED: i32 = 107;
/// This handle may not do that.
pub const SPRONGUS_ERR_PERMISSION_DENIED: i32 = 108;
/// Not available on this database or in this build.
pub const SPRONGUS_ERR_UNSUPPORTED: i32 = 109;
/// The store was opened before fork(); open another in the child.
pub const SPRONGUS_ERR_FORKED: i32 = 110;
/// A unique value, an idempotency key or a version is taken.
pub const SPRONGUS_ERR_CONFLICT: i32 = 201;
/// The state machine has no such transition.
pub const SPRONGUS_ERR_INVALID_STATE: i32 = 202;
/// Another attempt holds the run now.
pub const SPRONGUS_ERR_LEASE_LOST: i32 = 203;
/// Something else refers to it.
pub const SPRONGUS_ERR_REFERENCED: i32 = 204;
/// Over the rate given to this handle or kind.
pub const SPRONGUS_ERR_RATE_LIMITED: i32 = 205;
/// The database stayed locked past the deadline.
pub const SPRONGUS_ERR_BUSY: i32 = 301;
/// The deadline of the call passed.
pub const SPRONGUS_ERR_TIMEOUT: i32 = 302;
/// The database cannot be reached.
pub const SPRONGUS_ERR_UNAVAILABLE: i32 = 303;
/// COMMIT broke and it cannot be told whether it took effect.
pub const SPRONGUS_ERR_OUTCOME_UNKNOWN: i32 = 304;
/// The database refused for a reason not listed here.
pub const SPRONGUS_ERR_STORAGE: i32 = 401;
/// No room left.
pub const SPRONGUS_ERR_STORAGE_FULL: i32 = 402;
/// The write-ahead log was replaced under an open store: two SQLite copies in one process.
pub const SPRONGUS_ERR_SPLIT_BRAIN: i32 = 403;
/// The file is damaged or not a database.
pub const SPRONGUS_ERR_CORRUPT: i32 = 404;
/// The schema is newer than this library, or older and not to be migrated.
pub const SPRONGUS_ERR_SCHEMA_VERSION: i32 = 405;
/// A bug of the library, caught at its border.
pub const SPRONGUS_ERR_PANIC: i32 = 901;

/// Why a call failed. Freed by sprongus_error_free; what its getters give lives until then.
pub struct sprongus_error {
    _opaque: [u8; 0],
}

pub(crate) struct Failure {
    error: Error,
    name: CString,
    message: CString,
    details: Option<CString>,
    json: CString,
}

impl Noun for Failure {
    type C = sprongus_error;
    const TAG: u8 = 1;
    const NAME: &'static str = "sprongus_error";
}

impl Failure {
    pub(crate) fn new(error: Error) -> Self {
        let name = c_text(error.code().as_str());
        let message = c_text(error.message());
        let details = error.details().map(|details| c_text(&details.to_string()));
        let json = c_text(&error.to_json().to_string());
        Self { error, name, message, details, json }
    }

    pub(crate) fn error(&self) -> &Error {
        &self.error
    }
}

/// Text for C; a NUL, which only a host's own message could bring, is shown as U+FFFD.
pub(crate) fn c_text(text: &str) -> CString {
    CString::new(text).unwrap_or_else(|_| CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default())
}

/// The number of the code, SPRONGUS_ERR_…; the same as the status of the call. 0 where `error` is no error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_error_code(error: *const sprongus_error) -> i32 {
    door::peek(SPRONGUS_OK, || Some(handle::peek::<Failure>(error)?.error.code().number()))
}

/// The name of the code ("not_found"), as it stands in JSON and in the other languages. Borrowed; NULL for no error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_error_name(error: *const sprongus_error) -> *const c_char {
    door::peek(std::ptr::null(), || Some(handle::peek::<Failure>(error)?.name.as_ptr()))
}

/// What was wrong, where, and what would be right; no payload, no secret. Borrowed; NULL for no error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_error_message(error: *const sprongus_error) -> *const c_char {
    door::peek(std::ptr::null(), || Some(handle::peek::<Failure>(error)?.message.as_ptr()))
}

/// Further data as a JSON object: for `validation` every violation under `errors`. Borrowed; NULL where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_error_details(error: *const sprongus_error) -> *const c_char {
    door::peek(std::ptr::null(), || Some(handle::peek::<Failure>(error)?.details.as_ref()?.as_ptr()))
}

/// Whether the same call may succeed later without a change.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_error_retryable(error: *const sprongus_error) -> bool {
    door::peek(false, || Some(handle::peek::<Failure>(error)?.error.retryable()))
}

/// The error as JSON: code, message, details, retryable. Borrowed; NULL for no error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_error_to_json(error: *const sprongus_error) -> *const c_char {
    door::peek(std::ptr::null(), || Some(handle::peek::<Failure>(error)?.json.as_ptr()))
}

/// Frees an error. NULL and what is no error are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_error_free(error: *mut sprongus_error) {
    door::quiet(|| handle::free::<Failure>(error));
}

/// For a host's own functions (sprongus_host): an error to answer with. `message` is kept as it is; put no values in it.
///
/// Returns `code`, or SPRONGUS_ERR_STORAGE where there is no such code, so that a function can end with
/// `return sprongus_error_new(SPRONGUS_ERR_CONFLICT, "…", error);`
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_error_new(code: i32, message: *const c_char, error: *mut *mut sprongus_error) -> i32 {
    let known = ErrorCode::ALL.iter().copied().find(|known| known.number() == code).unwrap_or(ErrorCode::Storage);
    // SAFETY: the caller promises a terminated message and a place for the error.
    unsafe { door::call(error, || Err(Error::new(known, args::text("message", message)?))) }
}

/// As sprongus_error_new, with the code for SQLite's extended result code (`sqlite3_extended_errcode(db)`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_error_from_sqlite(
    extended_code: i32,
    message: *const c_char,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller promises a terminated message.
        let message = unsafe { args::text("message", message) }?;
        Err(sprongus::db::sqlite_error(extended_code, message))
    };
    // SAFETY: the caller promises a place for the error.
    unsafe { door::call(error, body) }
}

/// As sprongus_error_new, with the code for a SQLSTATE (`PQresultErrorField(result, PG_DIAG_SQLSTATE)`; NULL where the
/// connection is gone).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_error_from_sqlstate(
    sqlstate: *const c_char,
    message: *const c_char,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller promises terminated texts.
        let (sqlstate, message) = unsafe { (args::text_opt("sqlstate", sqlstate)?, args::text("message", message)?) };
        Err(sprongus::db::postgres_error(sqlstate, message))
    };
    // SAFETY: the caller promises a place for the error.
    unsafe { door::call(error, body) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_number_here() {
        let source = include_str!("error.rs");
        for code in ErrorCode::ALL {
            let name = code.as_str().to_uppercase();
            let line = format!("pub const SPRONGUS_ERR_{name}: i32 = {};", code.number());
            assert!(source.contains(&line), "{line}");
        }
    }
}
