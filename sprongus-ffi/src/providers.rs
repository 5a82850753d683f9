//! Profiles of providers: what tables can be synced with.

use std::ffi::{c_char, c_void};

use sprongus::Result;
use sprongus::aux_store::{Profile, ProfileName, Providers, PutProfile};

use crate::args::{self, Out};
use crate::buf::sprongus_buf;
use crate::error::sprongus_error;
use crate::record::give_json;
use crate::{door, target};

fn one(
    store_or_tx: *const c_void,
    out: Out<*mut sprongus_buf>,
    ask: impl FnOnce(Providers<'_>) -> Result<Profile>,
) -> Result<()> {
    give_json(out, &target::on(store_or_tx, |on| ask(on.providers()))?)
}

/// Keeps a profile under a name: the kind of its provider ("csv", "json", "notion", or one that is registered) and its config, a
/// JSON object of `length` bytes (NULL of length 0: none), secrets only as `{"$secret": "NAME"}`.
///
/// `profile`, which may be NULL, gets it as JSON. Errors: `secret_detected`, `invalid_argument`, `permission_denied`.
///
/// ```c
/// const char *config = "{\"path\": \"assets.csv\"}";
/// sprongus_providers_put(store, "assets", "csv", config, strlen(config), NULL, &error);
/// sprongus_aux_sync(store, "p1", "assets", "assets", NULL, 0, NULL, NULL, &error);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_providers_put(
    store_or_tx: *const c_void,
    name: *const c_char,
    kind: *const c_char,
    config: *const c_char,
    length: usize,
    profile: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes and out-pointers.
        let (out, request) = unsafe {
            let out = args::place_opt(profile);
            let (name, kind) = (args::text("name", name)?.to_owned(), args::text("kind", kind)?.to_owned());
            let config = args::bytes("config", config, length)?;
            let config = if config.is_empty() { b"{}" } else { config };
            (out, PutProfile { name, kind, config: sprongus::json::decode(config)? })
        };
        one(store_or_tx, out, |providers| providers.put(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// One profile as a JSON object of name, kind, config, updatedAt. Errors: `not_found`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_providers_get(
    store_or_tx: *const c_void,
    name: *const c_char,
    profile: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, name) = unsafe { (args::place("profile", profile)?, args::text("name", name)?.to_owned()) };
        one(store_or_tx, out, |providers| providers.get(&ProfileName { name }))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// All profiles, by name, as a JSON array.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_providers_list(
    store_or_tx: *const c_void,
    profiles: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for out-pointers.
        let out = unsafe { args::place("profiles", profiles) }?;
        give_json(out, &target::on(store_or_tx, |on| on.providers().list())?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Removes a profile; what was synced stays. Errors: `not_found`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_providers_delete(
    store_or_tx: *const c_void,
    name: *const c_char,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for text.
        let name = unsafe { args::text("name", name) }?.to_owned();
        target::on(store_or_tx, |on| on.providers().delete(&ProfileName { name }))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
