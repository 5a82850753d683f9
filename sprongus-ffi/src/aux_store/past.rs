//! What entries were before.

use std::ffi::{c_char, c_void};

use sprongus::aux_store::Moment;
use sprongus::{Result, Timestamp};

use super::{give, table as on_table};
use crate::args;
use crate::buf::sprongus_buf;
use crate::door;
use crate::entry::{sprongus_entry, sprongus_entry_list};
use crate::error::sprongus_error;
use crate::record::{List, give_json};

/// "3" is the third version, anything else a time.
fn moment(text: &str) -> Result<Moment> {
    match text.parse::<i64>() {
        Ok(version) => Ok(Moment::Version(version)),
        Err(_) => text.parse::<Timestamp>().map(Moment::At),
    }
}

/// Every version of an entry, oldest first, a deleted one's too: `versions` is a JSON array of version, snapshot (the document;
/// null: deleted), changeSummary, actor, reason, at. Errors: `not_found` where there never was such an entry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_aux_history(
    store_or_tx: *const c_void,
    project: *const c_char,
    table: *const c_char,
    id: *const c_char,
    versions: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        unsafe {
            let (out, id) = (args::place("versions", versions)?, args::text("id", id)?);
            give_json(out, &on_table(store_or_tx, project, table, |aux| aux.history(id))?)
        }
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// What differs between two versions of an entry, down to the leaves: `differences` is a JSON array of path (JSON Pointer), op
/// ("added", "removed", "changed"), old, new.
///
/// `a` and `b` are the number of a version, "3", or a time, "2026-11-20T12:00:00Z"; `b` NULL is the present one. Errors:
/// `not_found` where there is no such version, or none at such a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_aux_diff(
    store_or_tx: *const c_void,
    project: *const c_char,
    table: *const c_char,
    id: *const c_char,
    a: *const c_char,
    b: *const c_char,
    differences: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        unsafe {
            let (out, id) = (args::place("differences", differences)?, args::text("id", id)?);
            let (a, b) = (moment(args::text("a", a)?)?, args::text_opt("b", b)?.map(moment).transpose()?);
            give_json(out, &on_table(store_or_tx, project, table, |aux| aux.diff(id, a, b))?)
        }
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The table as it was at a time, `at`, ordered by id. Errors: `validation` (not a time).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_aux_as_of(
    store_or_tx: *const c_void,
    project: *const c_char,
    table: *const c_char,
    at: *const c_char,
    entries: *mut *mut sprongus_entry_list,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        unsafe {
            let (out, at) = (args::place("entries", entries)?, args::text("at", at)?.parse()?);
            out.give(List::all(&on_table(store_or_tx, project, table, |aux| aux.as_of(at))?)?)
        }
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Makes the document of an earlier version the present one, as the next version; a deleted entry comes back. `entry` may be
/// NULL. Errors: `not_found` (the entry, the version), `invalid_state` (that version is a deletion), `validation` (the preset
/// has changed since), `conflict` (a unique value is taken).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_aux_restore(
    store_or_tx: *const c_void,
    project: *const c_char,
    table: *const c_char,
    id: *const c_char,
    version: i64,
    entry: *mut *mut sprongus_entry,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        unsafe {
            let (out, id) = (args::place_opt(entry), args::text("id", id)?);
            give(out, on_table(store_or_tx, project, table, |aux| aux.restore(id, version))?)
        }
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
