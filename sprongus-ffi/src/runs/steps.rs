//! Steps of a run, whose results are stored once.

use std::ffi::{c_char, c_void};

use sprongus::runs::{FindStep, ListSteps, SaveStep};

use crate::args;
use crate::buf::{Buf, sprongus_buf};
use crate::error::sprongus_error;
use crate::record::give_json;
use crate::{door, target};

/// The stored result of a step, as JSON; `*output` is NULL where the step has not been done.
///
/// Do it then, and store what came out of it by sprongus_runs_save_step: an attempt that comes later, on whatever worker, gets
/// it from here. Errors: `lease_lost`, `invalid_state`, `not_found`, `invalid_argument`.
///
/// ```c
/// sprongus_buf *charged = NULL;
/// sprongus_runs_find_step(store, id, lease, "charge", &charged, &error);
/// if (charged == NULL) {
///     const char *receipt = charge_the_card();
///     sprongus_runs_save_step(store, id, lease, "charge", receipt, strlen(receipt), &charged, &error);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_find_step(
    store_or_tx: *const c_void,
    id: *const c_char,
    lease: i64,
    name: *const c_char,
    output: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, id, name) =
            unsafe { (args::place("output", output)?, args::text("id", id)?, args::text("name", name)?) };
        match target::on(store_or_tx, |on| on.runs().find_step(&FindStep::new(id, lease, name)))? {
            Some(step) => out.give(Buf::text(step.output.as_str())),
            None => Ok(()),
        }
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Stores the result of a step: `result` is JSON of `length` bytes. Where the step has one already, that one stays.
///
/// `output`, which may be NULL, gets the one that is stored. Errors: `lease_lost`: nothing was stored; `invalid_state`,
/// `not_found`, `too_large`, `validation` (not JSON).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_save_step(
    store_or_tx: *const c_void,
    id: *const c_char,
    lease: i64,
    name: *const c_char,
    result: *const c_char,
    length: usize,
    output: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes and out-pointers.
        let (out, id, name, result) = unsafe {
            let (out, id) = (args::place_opt(output), args::text("id", id)?);
            (out, id, args::text("name", name)?, args::json("result", result, length)?)
        };
        let request = SaveStep { id: id.to_owned(), lease, name: name.to_owned(), output: result };
        out.give(Buf::text(target::on(store_or_tx, |on| on.runs().save_step(&request))?.output.as_str()))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The stored steps of a run, in the order they were stored, as a JSON array (name, output, attempt, at).
///
/// Errors: `not_found`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_steps(
    store_or_tx: *const c_void,
    id: *const c_char,
    steps: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, id) = unsafe { (args::place("steps", steps)?, args::text("id", id)?) };
        give_json(out, &target::on(store_or_tx, |on| on.runs().steps(&ListSteps::new(id)))?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
