//! What a worker does with runs: claims them, tells that it works on them, and reports.

use std::ffi::{c_char, c_void};
use std::time::Duration;

use sprongus::runs::{Claim, Fail, Heartbeat, Rescue, Snooze, StartRun, Succeed};
use sprongus::{Error, Result};

use super::one;
use crate::args::{self, Out, Plain};
use crate::error::sprongus_error;
use crate::record::List;
use crate::run::{sprongus_run, sprongus_run_list};
use crate::{door, target};

/// What a worker claims; zero is the default of each. Begin with `SPRONGUS_INIT(options)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sprongus_claim_options {
    /// `sizeof(sprongus_claim_options)`.
    pub struct_size: usize,
    /// `kinds_count` kinds; "sync/*" is all that begin with "sync/". NULL: every kind.
    pub kinds: *const *const c_char,
    /// How many kinds.
    pub kinds_count: usize,
    /// `projects_count` projects; NULL: all that the handle sees.
    pub projects: *const *const c_char,
    /// How many projects.
    pub projects_count: usize,
    /// At most so many runs, up to 1,000; 1. SPRONGUS_NONE: none.
    pub limit: i64,
    /// For how long; a heartbeat extends it by as much. 60,000.
    pub lease_ms: i64,
    /// Not 0: leave them "dispatching", to be started by sprongus_runs_start.
    pub dispatch: i32,
    /// The id of a run that has succeeded, under `succeeded_lease`: it is reported first, in the claim's own commit where
    /// nothing else is to be done. Where the report is refused, nothing is claimed. NULL: none.
    pub succeeded: *const c_char,
    /// The lease under which it ran.
    pub succeeded_lease: i64,
    /// Its output, JSON of `output_length` bytes; NULL: none.
    pub output: *const c_char,
    /// How many bytes.
    pub output_length: usize,
}

// SAFETY: `repr(C)`, begins with its size, integers and pointers alone.
unsafe impl Plain for sprongus_claim_options {}

/// Takes due runs for a worker: highest priority first, then the earliest `run_at`, then by id. None is no error: the list
/// is empty then.
///
/// `options` may be NULL: one run of any kind, for a minute. Runs whose lease has run out are rescued within the same call.
///
/// ```c
/// sprongus_run_list *runs = NULL;
/// sprongus_runs_claim_next(store, "worker-1", NULL, &runs, &error);
/// const sprongus_run *run = sprongus_run_list_at(runs, 0);
/// if (run != NULL)
///     sprongus_runs_succeed(store, sprongus_run_id(run), sprongus_run_lease(run), "42", 2, NULL, NULL, &error);
/// sprongus_run_list_free(runs);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_claim_next(
    store_or_tx: *const c_void,
    worker_id: *const c_char,
    options: *const sprongus_claim_options,
    runs: *mut *mut sprongus_run_list,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, structs and out-pointers.
        let (out, request) = unsafe { (args::place("runs", runs)?, claim(worker_id, options)?) };
        let claimed = target::on(store_or_tx, |on| on.runs().claim_next(&request))?;
        out.give(List::all(&claimed)?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

unsafe fn claim(worker_id: *const c_char, options: *const sprongus_claim_options) -> Result<Claim> {
    // SAFETY: the caller's promises for text and structs.
    unsafe {
        let given = args::plain("options", options)?;
        let new = Claim::new(args::text("worker_id", worker_id)?);
        let done = args::text_opt("options.succeeded", given.succeeded)?;
        let output = args::json_opt("options.output", given.output, given.output_length)?;
        if done.is_none() && output.is_some() {
            return Err(Error::invalid("options.output is that of a run that succeeded: name it in options.succeeded"));
        }
        Ok(Claim {
            kinds: args::texts_opt("options.kinds", given.kinds, given.kinds_count)?,
            projects: args::texts_opt("options.projects", given.projects, given.projects_count)?,
            limit: args::limit(given.limit, new.limit),
            lease: args::millis("options.lease_ms", given.lease_ms)?.unwrap_or(new.lease),
            dispatch: given.dispatch != 0,
            succeeded: done.map(|id| Succeed { output, ..Succeed::new(id, given.succeeded_lease) }),
            ..new
        })
    }
}

/// Begins a run that was claimed with `dispatch`; once more under the same lease is no change. `run` may be NULL.
///
/// Errors: `invalid_state`, `lease_lost`, `not_found`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_start(
    store_or_tx: *const c_void,
    id: *const c_char,
    lease: i64,
    run: *mut *mut sprongus_run,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, id) = unsafe { (args::place_opt(run), args::text("id", id)?) };
        one(store_or_tx, out, |runs| runs.start(&StartRun::new(id, lease)))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Extends the lease of a running run, and tells its progress where `progress` (JSON of `length` bytes) is not NULL.
///
/// `extend_ms` is for how long from now; 0: as long as it was claimed for. `run` may be NULL; look at its state: a canceled
/// run is given as it is, and its worker stops. Errors: `lease_lost`, `invalid_state`, `not_found`, `too_large`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_heartbeat(
    store_or_tx: *const c_void,
    id: *const c_char,
    lease: i64,
    progress: *const c_char,
    length: usize,
    extend_ms: i64,
    run: *mut *mut sprongus_run,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes and out-pointers.
        let (out, id, progress) =
            unsafe { (args::place_opt(run), args::text("id", id)?, args::json_opt("progress", progress, length)?) };
        let extend: Option<Duration> = args::millis("extend_ms", extend_ms)?;
        let request = Heartbeat { progress, extend, ..Heartbeat::new(id, lease) };
        one(store_or_tx, out, |runs| runs.heartbeat(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Reports success, with an output (JSON of `length` bytes) or, where that is NULL, with `output_ref` (may be NULL): where
/// it is kept. `run` may be NULL. The same again under the same lease gives the stored outcome.
///
/// Errors: `lease_lost`, `invalid_state` where it was never claimed or not started, `not_found`, `too_large`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_succeed(
    store_or_tx: *const c_void,
    id: *const c_char,
    lease: i64,
    output: *const c_char,
    length: usize,
    output_ref: *const c_char,
    run: *mut *mut sprongus_run,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes and out-pointers.
        let (out, id, output, output_ref) = unsafe {
            let (out, id) = (args::place_opt(run), args::text("id", id)?);
            (out, id, args::json_opt("output", output, length)?, args::owned_opt("output_ref", output_ref)?)
        };
        let request = Succeed { output, output_ref, ..Succeed::new(id, lease) };
        one(store_or_tx, out, |runs| runs.succeed(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Reports failure; `message` says what went wrong. Queued again while attempts are left, unless `is_final` is not 0.
///
/// `retry_in_ms` is when the next attempt is due: 0 is exponential backoff with full jitter, SPRONGUS_NONE at once. `run`
/// may be NULL. Errors: `lease_lost`, `invalid_state` where it was never claimed or not started, `not_found`,
/// `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_fail(
    store_or_tx: *const c_void,
    id: *const c_char,
    lease: i64,
    message: *const c_char,
    is_final: i32,
    retry_in_ms: i64,
    run: *mut *mut sprongus_run,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, id, message) =
            unsafe { (args::place_opt(run), args::text("id", id)?, args::text("message", message)?) };
        let retry_in = args::millis("retry_in_ms", retry_in_ms)?;
        let request = Fail { retryable: is_final == 0, retry_in, ..Fail::new(id, lease, message) };
        one(store_or_tx, out, |runs| runs.fail(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Puts a run off: it is due again in `delay_ms` (SPRONGUS_NONE: at once), and the attempt is given back. `run` may be NULL.
///
/// Errors: as sprongus_runs_fail.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_snooze(
    store_or_tx: *const c_void,
    id: *const c_char,
    lease: i64,
    delay_ms: i64,
    run: *mut *mut sprongus_run,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, id) = unsafe { (args::place_opt(run), args::text("id", id)?) };
        let delay = args::millis("delay_ms", delay_ms)?.unwrap_or_default();
        one(store_or_tx, out, |runs| runs.snooze(&Snooze::new(id, lease, delay)))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Puts runs whose lease has run out back into the queue, at most `limit` (up to 1,000; 0: 1,000); claims do the same as
/// they go. `rescued`, which may be NULL, is their number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_rescue(
    store_or_tx: *const c_void,
    limit: i64,
    rescued: *mut i64,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: `rescued` is NULL or the caller's to be written.
        let out = unsafe { Out::optional(rescued, 0) };
        let request = Rescue { limit: args::limit(limit, Rescue::default().limit) };
        out.set(target::on(store_or_tx, |on| on.runs().rescue(&request))?);
        Ok(())
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
