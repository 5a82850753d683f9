//! Many reports in one call.

use std::ffi::{c_char, c_void};

use sprongus::runs::{FailMany, Reported, SucceedMany};
use sprongus::{Result, Run};

use crate::args::{self, Out};
use crate::buf::sprongus_buf;
use crate::error::sprongus_error;
use crate::record::give_json;
use crate::{door, target};

fn give(out: Out<*mut sprongus_buf>, results: Vec<Result<Run>>) -> Result<()> {
    give_json(out, &results.into_iter().map(Reported::of).collect::<Vec<_>>())
}

/// Reports many successes, each for itself: a stale one holds up none.
///
/// `items` is a JSON array of `length` bytes, at most 1,000 objects as `runs.succeed` of sprongus_call takes them (id, lease,
/// output, outputRef). `reports`, which may be NULL, gets a JSON array in their order, each `{"run": …}` or
/// `{"error": {"code", "message", "details", "retryable"}}`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_succeed_many(
    store_or_tx: *const c_void,
    items: *const c_char,
    length: usize,
    reports: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for bytes and out-pointers.
        let (out, items) = unsafe { (args::place_opt(reports), args::required("items", items, length)?) };
        let request = SucceedMany { items: sprongus::json::decode(items)? };
        give(out, target::on(store_or_tx, |on| on.runs().succeed_many(&request))?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Reports many failures, each for itself: a stale one holds up none.
///
/// `items` is a JSON array of `length` bytes, at most 1,000 objects as `runs.fail` of sprongus_call takes them (id, lease,
/// error, retryable, retryIn). `reports`: as sprongus_runs_succeed_many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_runs_fail_many(
    store_or_tx: *const c_void,
    items: *const c_char,
    length: usize,
    reports: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for bytes and out-pointers.
        let (out, items) = unsafe { (args::place_opt(reports), args::required("items", items, length)?) };
        let request = FailMany { items: sprongus::json::decode(items)? };
        give(out, target::on(store_or_tx, |on| on.runs().fail_many(&request))?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
