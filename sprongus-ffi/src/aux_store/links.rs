//! References between entries, and tables kept in step with outside sources.

use std::ffi::{c_char, c_void};

use sprongus::aux_store::{Policy, SyncTable};

use super::{table as on_table, word};
use crate::args;
use crate::buf::sprongus_buf;
use crate::door;
use crate::error::sprongus_error;
use crate::flags::{self, SPRONGUS_DRY_RUN, SPRONGUS_ENQUEUE, SPRONGUS_FORCE};
use crate::record::{Record, give_json};
use crate::run::sprongus_run;

/// The entries that refer to one: `referrers` is a JSON array of table, id, field, in that order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_aux_referrers(
    store_or_tx: *const c_void,
    project: *const c_char,
    table: *const c_char,
    id: *const c_char,
    referrers: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        unsafe {
            let (out, id) = (args::place("referrers", referrers)?, args::text("id", id)?);
            give_json(out, &on_table(store_or_tx, project, table, |aux| aux.referrers(id))?)
        }
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// What `count` ids of the table lead to: `views` is a JSON array of id, missing, label, url, one per id, in the order asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_aux_resolve_refs(
    store_or_tx: *const c_void,
    project: *const c_char,
    table: *const c_char,
    ids: *const *const c_char,
    count: usize,
    views: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, arrays and out-pointers.
        unsafe {
            let (out, ids) = (args::place("views", views)?, args::texts_opt("ids", ids, count)?.unwrap_or_default());
            give_json(out, &on_table(store_or_tx, project, table, |aux| aux.resolve_refs(&ids))?)
        }
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Syncs the table with a provider: the name of a profile (sprongus_providers_put), "csv:PATH" or "json:PATH".
///
/// `policy` says who is right where both sides changed an entry: "provider", "local", "newest", or "manual" (NULL: nobody; it
/// stays a conflict, and is listed). `flags`: SPRONGUS_DRY_RUN, SPRONGUS_FORCE (an empty pull may empty the table),
/// SPRONGUS_ENQUEUE (leave it to a worker that serves syncs). `idempotency_key` may be NULL; the same one again gives the
/// earlier run. `run`, which may be NULL, is the run that did or will do it; its output_ref names the artifact with the
/// differences.
///
/// Errors: what the sync failed with, its run being failed then; `misuse` in a transaction, unless SPRONGUS_ENQUEUE is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_aux_sync(
    store_or_tx: *const c_void,
    project: *const c_char,
    table: *const c_char,
    provider: *const c_char,
    policy: *const c_char,
    flags: u32,
    idempotency_key: *const c_char,
    run: *mut *mut sprongus_run,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        unsafe {
            let (out, provider) = (args::place_opt(run), args::text("provider", provider)?);
            let flags = flags::check(flags, SPRONGUS_DRY_RUN | SPRONGUS_FORCE | SPRONGUS_ENQUEUE)?;
            let policy = match args::text_opt("policy", policy)? {
                None => Policy::default(),
                Some(policy) => word("policy", policy, "provider, local, newest, manual")?,
            };
            let request = SyncTable {
                policy,
                dry_run: flags & SPRONGUS_DRY_RUN != 0,
                force: flags & SPRONGUS_FORCE != 0,
                enqueue: flags & SPRONGUS_ENQUEUE != 0,
                idempotency_key: args::owned_opt("idempotency_key", idempotency_key)?,
                ..SyncTable::new(args::text("table", table)?, provider)
            };
            out.give(Record::from(on_table(store_or_tx, project, table, |aux| aux.sync(&request))?))
        }
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
