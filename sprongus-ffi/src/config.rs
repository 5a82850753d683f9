//! Small settings, of the store or of a project.

use std::ffi::{c_char, c_void};

use sprongus::config::{GetConfig, ListConfig, SetConfig, UnsetConfig};

use crate::args;
use crate::buf::{Buf, sprongus_buf};
use crate::error::sprongus_error;
use crate::record::give_json;
use crate::{door, target};

/// The value of a setting as JSON; `*value` is NULL where it is not set ("null" where it is set to null).
///
/// `key` is of `a-z 0-9 . _ : -`. `project` may be NULL: a scoped handle's own, else the store. Errors: `invalid_argument`,
/// `permission_denied`.
///
/// ```c
/// sprongus_buf *value = NULL;
/// sprongus_config_set(store, "active.project", "\"p1\"", 4, NULL, &error);
/// if (sprongus_config_get(store, "active.project", NULL, &value, &error) == SPRONGUS_OK && value != NULL)
///     puts(sprongus_buf_data(value));
/// sprongus_buf_free(value);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_config_get(
    store_or_tx: *const c_void,
    key: *const c_char,
    project: *const c_char,
    value: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, request) = unsafe {
            let out = args::place("value", value)?;
            let request =
                GetConfig { key: args::text("key", key)?.to_owned(), project: args::owned_opt("project", project)? };
            (out, request)
        };
        let setting = target::on(store_or_tx, |on| on.config().get(&request))?;
        if setting.found { out.give(Buf::text(setting.value.as_str())) } else { Ok(()) }
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Sets a setting to a JSON value of `length` bytes. `project` as of sprongus_config_get. Errors: as there, and `validation`,
/// `too_large`, `secret_detected`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_config_set(
    store_or_tx: *const c_void,
    key: *const c_char,
    value: *const c_char,
    length: usize,
    project: *const c_char,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and bytes.
        let request = unsafe {
            SetConfig {
                key: args::text("key", key)?.to_owned(),
                value: args::json("value", value, length)?,
                project: args::owned_opt("project", project)?,
            }
        };
        target::on(store_or_tx, |on| on.config().set(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Removes a setting; nothing where it is not set. `project` and errors as of sprongus_config_get.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_config_unset(
    store_or_tx: *const c_void,
    key: *const c_char,
    project: *const c_char,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text.
        let request = unsafe {
            UnsetConfig { key: args::text("key", key)?.to_owned(), project: args::owned_opt("project", project)? }
        };
        target::on(store_or_tx, |on| on.config().unset(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The settings whose keys begin with `prefix` (NULL: all), a JSON object by key. `project` and errors as of
/// sprongus_config_get.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_config_list(
    store_or_tx: *const c_void,
    prefix: *const c_char,
    project: *const c_char,
    settings: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, request) = unsafe {
            let out = args::place("settings", settings)?;
            let request = ListConfig {
                prefix: args::owned_opt("prefix", prefix)?.unwrap_or_default(),
                project: args::owned_opt("project", project)?,
            };
            (out, request)
        };
        give_json(out, &target::on(store_or_tx, |on| on.config().list(&request))?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
