//! Limits, figures and retention.

use std::ffi::{c_char, c_void};

use sprongus::runs::{LimitKind, Prune, RunStatsOf};

use crate::args::{self, Out};
use crate::buf::sprongus_buf;
use crate::error::sprongus_error;
use crate::record::give_json;
use crate::{door, target};

/// The figures of the queue, as JSON (byState, byKind, oldestDueAge, wait, run, successRate, window, sampled).
///
/// `project` may be NULL. `window_ms` is how far back outcomes and latencies are looked at; 0: an hour. Durations in the
/// JSON are seconds. Errors: `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_stats(
    store_or_tx: *const c_void,
    project: *const c_char,
    window_ms: i64,
    stats: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, project) = unsafe { (args::place("stats", stats)?, args::owned_opt("project", project)?) };
        let window = args::millis("window_ms", window_ms)?.unwrap_or(RunStatsOf::default().window);
        give_json(out, &target::on(store_or_tx, |on| on.runs().stats(&RunStatsOf { project, window }))?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The limits of all kinds that have one, as a JSON array (kind, concurrency, rate, per in seconds).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_limits(
    store_or_tx: *const c_void,
    limits: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for out-pointers.
        let out = unsafe { args::place("limits", limits) }?;
        give_json(out, &target::on(store_or_tx, |on| on.runs().limits())?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Limits the runs of a kind, for all projects: at most `concurrency` at once (0: any number), and a bucket of `rate` claims
/// (0: any number) refilled every `per_ms` (0: a second). Both 0 lifts the limits.
///
/// Errors: `invalid_argument`; `permission_denied` on a scoped handle without "admin".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_limit_kind(
    store_or_tx: *const c_void,
    kind: *const c_char,
    concurrency: i64,
    rate: i64,
    per_ms: i64,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for text.
        let new = LimitKind::new(unsafe { args::text("kind", kind) }?);
        let some = |given: i64| if given == 0 { None } else { Some(given) };
        let per = args::millis("per_ms", per_ms)?.unwrap_or(new.per);
        let request = LimitKind { concurrency: some(concurrency), rate: some(rate), per, ..new };
        target::on(store_or_tx, |on| on.runs().limit_kind(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Removes runs that ended long ago, with their events, steps, approvals and outputs; never a live one.
///
/// `succeeded_after_ms`: how long ago they succeeded (0: 30 days); `failed_after_ms`: failed, denied, canceled or timed out
/// (0: 90 days). `limit`: at most so many (up to 10,000; 0: 10,000). `pruned`, which may be NULL, is their number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_prune(
    store_or_tx: *const c_void,
    succeeded_after_ms: i64,
    failed_after_ms: i64,
    limit: i64,
    pruned: *mut i64,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: `pruned` is NULL or the caller's to be written.
        let out = unsafe { Out::optional(pruned, 0) };
        let ours = Prune::default();
        let request = Prune {
            succeeded_after: args::millis("succeeded_after_ms", succeeded_after_ms)?.unwrap_or(ours.succeeded_after),
            failed_after: args::millis("failed_after_ms", failed_after_ms)?.unwrap_or(ours.failed_after),
            limit: args::limit(limit, ours.limit),
        };
        out.set(target::on(store_or_tx, |on| on.runs().prune(&request))?);
        Ok(())
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
