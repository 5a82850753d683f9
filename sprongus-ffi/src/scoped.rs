//! Scoped handles, and row-level security beneath them.

use std::ffi::c_char;

use sprongus::{Rate, Rates, Result, Scope, ScopedOptions};

use crate::args::{self, Plain};
use crate::error::sprongus_error;
use crate::store::{StoreHandle, sprongus_store};
use crate::{door, handle};

/// What a scoped handle is given; zero is the default of each. Begin with `SPRONGUS_INIT(options)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sprongus_scoped_options {
    /// `sizeof(sprongus_scoped_options)`.
    pub struct_size: usize,
    /// "runs:read", "runs:write", "aux:read", "aux:write", "presets:read", "admin"; NULL and 0: all but "admin".
    pub scopes: *const *const c_char,
    /// How many there are.
    pub scopes_count: usize,
    /// Runs that it may enqueue in `enqueue_per_ms`, at once or spread, up to 1,000,000,000; 0: as many as it likes.
    pub enqueue_rate: i64,
    /// Milliseconds; 0: 1,000.
    pub enqueue_per_ms: i64,
    /// Runs that it may cancel in `cancel_per_ms`; 0: as many as it likes.
    pub cancel_rate: i64,
    /// Milliseconds; 0: 1,000.
    pub cancel_per_ms: i64,
}

// SAFETY: `repr(C)`, begins with its size, integers and pointers alone.
unsafe impl Plain for sprongus_scoped_options {}

/// A further handle of the same store that neither sees nor touches another project than `project`. Freed on its own.
///
/// `scopes` are `count` of "runs:read", "runs:write", "aux:read", "aux:write", "presets:read", "admin"; NULL and 0 are
/// all but "admin". On a scoped handle this only narrows: `permission_denied` otherwise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_store_scoped(
    store: *const sprongus_store,
    project: *const c_char,
    scopes: *const *const c_char,
    count: usize,
    scoped: *mut *mut sprongus_store,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, arrays and out-pointers.
        let (out, project, scopes) = unsafe {
            (args::place("scoped", scoped)?, args::text("project", project)?, read_scopes("scopes", scopes, count)?)
        };
        let store = handle::get::<StoreHandle>("store", store)?;
        out.give(StoreHandle::new(store.store().scoped(project, &scopes)?))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The same with rates, which every process counts in the database: over one, sprongus_runs_enqueue and sprongus_runs_cancel
/// are `rate_limited`, with the seconds to wait as `retryIn` of the error's details, and nothing is written.
///
/// `options` may be NULL. Errors: as sprongus_store_scoped, and `invalid_argument` for what is no rate.
///
/// ```c
/// sprongus_scoped_options options;
/// SPRONGUS_INIT(options);
/// options.enqueue_rate = 100;
/// sprongus_store *plugin = NULL;
/// sprongus_store_scoped_with(store, "p1", &options, &plugin, &error);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_store_scoped_with(
    store: *const sprongus_store,
    project: *const c_char,
    options: *const sprongus_scoped_options,
    scoped: *mut *mut sprongus_store,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, structs, arrays and out-pointers.
        let (out, project, given, scopes) = unsafe {
            let (out, project) = (args::place("scoped", scoped)?, args::text("project", project)?);
            let given = args::plain("options", options)?;
            (out, project, given, read_scopes("options.scopes", given.scopes, given.scopes_count)?)
        };
        let rate = Rates {
            enqueue: rate("options.enqueue_per_ms", given.enqueue_rate, given.enqueue_per_ms)?,
            cancel: rate("options.cancel_per_ms", given.cancel_rate, given.cancel_per_ms)?,
        };
        let store = handle::get::<StoreHandle>("store", store)?;
        out.give(StoreHandle::new(store.store().scoped_with(project, &ScopedOptions { scopes, rate })?))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

fn rate(name: &str, count: i64, per_ms: i64) -> Result<Option<Rate>> {
    let per = args::millis(name, per_ms)?.unwrap_or(std::time::Duration::from_secs(1));
    Ok(if count == 0 { None } else { Some(Rate::new(count, per)) })
}

/// # Safety
/// `scopes` is NULL or points to `count` terminated texts.
unsafe fn read_scopes(name: &str, scopes: *const *const c_char, count: usize) -> Result<Vec<Scope>> {
    // SAFETY: the same promise.
    let names = unsafe { read_texts(name, scopes, count) }?;
    match scopes.is_null() {
        true => Ok(Scope::DEFAULT.to_vec()),
        false => names.into_iter().map(Scope::parse).collect(),
    }
}

/// # Safety
/// `texts` is NULL or points to `count` terminated texts.
unsafe fn read_texts<'t>(name: &str, texts: *const *const c_char, count: usize) -> Result<Vec<&'t str>> {
    // SAFETY: the same promise.
    let texts = unsafe { args::slice(name, texts, count) }?;
    // SAFETY: the same promise.
    let text = |(index, text): (usize, &*const c_char)| unsafe { args::text(&format!("{name}[{index}]"), *text) };
    texts.iter().enumerate().map(text).collect()
}

/// PostgreSQL 15 or newer: puts row-level security on every table of ours, so that a role which does not own them sees the
/// projects it is granted (sprongus_store_grant_projects) and no others, whatever SQL it runs. Called by their owner, once,
/// and after an update of the schema again. See docs/scopes.md; SPRONGUS_ROW_SECURITY.
///
/// Errors: `unsupported` on SQLite and older servers; `permission_denied` for who does not own the tables, and on a scoped
/// handle without admin.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_store_enable_row_security(
    store: *const sprongus_store,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || handle::get::<StoreHandle>("store", store)?.store().enable_row_security();
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Grants a role of the server the rows of `count` projects and no others; "*" is every project and what belongs to the
/// store, none takes everything back.
///
/// Errors: as sprongus_store_enable_row_security; `not_found` (the role), `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_store_grant_projects(
    store: *const sprongus_store,
    role: *const c_char,
    projects: *const *const c_char,
    count: usize,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and arrays.
        let (role, projects) = unsafe { (args::text("role", role)?, read_texts("projects", projects, count)?) };
        handle::get::<StoreHandle>("store", store)?.store().grant_projects(role, &projects)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
