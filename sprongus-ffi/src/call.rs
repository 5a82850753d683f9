//! The JSON door, and what the library says of itself.

use std::ffi::{c_char, c_void};

use sprongus::ops;

use crate::buf::{Buf, sprongus_buf};
use crate::error::sprongus_error;
use crate::{args, door, target};

/// Calls an operation of the library by name, JSON in, JSON out: everything that the library does.
///
/// `store_or_tx` is a sprongus_store or a sprongus_tx. The request is one JSON object of `length` bytes as
/// `include/schema/<operation>.json` has it; NULL of length 0 is `{}`. The response is handed over in `*response`, which
/// may be NULL.
///
/// Errors: `not_found` (no such operation), `validation` (not JSON), `invalid_argument` (a missing, unknown or wrong
/// member), and those of the operation.
///
/// ```c
/// sprongus_buf *run = NULL;
/// const char *json = "{\"kind\": \"mail.send\", \"input\": {\"to\": \"a@b.c\"}}";
/// if (sprongus_call(store, "runs.enqueue", json, strlen(json), &run, &error) == SPRONGUS_OK)
///     puts(sprongus_buf_data(run));
/// sprongus_buf_free(run);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_call(
    store_or_tx: *const c_void,
    operation: *const c_char,
    request: *const c_char,
    length: usize,
    response: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes and out-pointers.
        let (response, operation, request) = unsafe {
            (args::place_opt(response), args::text("operation", operation)?, args::bytes("request", request, length)?)
        };
        let answer = target::on(store_or_tx, |on| on.call(operation, request))?;
        response.give(Buf::text(&answer))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The names of all operations, in order, as a JSON array.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_operations(names: *mut *mut sprongus_buf, error: *mut *mut sprongus_error) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for out-pointers.
        let names = unsafe { args::place("names", names) }?;
        let all: Vec<&str> = ops::all().iter().map(|operation| operation.name).collect();
        names.give(Buf::text(&serde_json::json!(all).to_string()))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The JSON Schema of an operation's request and response, as `include/schema/<operation>.json` has it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_operation_schema(
    operation: *const c_char,
    schema: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (schema, operation) = unsafe { (args::place("schema", schema)?, args::text("operation", operation)?) };
        schema.give(Buf::text(&ops::find(operation)?.schema().to_string()))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The version of the library, "0.1.0". Never freed.
#[unsafe(no_mangle)]
pub extern "C" fn sprongus_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}
