//! What is done with many entries at once: bulk calls and files.

use std::ffi::{c_char, c_void};
use std::path::Path;

use sprongus::aux_store::{BulkOptions, ExportOptions, Format, ImportOptions, Mode, OnError};
use sprongus::json::parse_value;
use sprongus::{Error, Result};

use super::word;
use crate::args::{self, Out};
use crate::buf::sprongus_buf;
use crate::door;
use crate::error::sprongus_error;
use crate::flags::{self, SPRONGUS_DRY_RUN, SPRONGUS_ESCAPE_FORMULAS, SPRONGUS_REPLACE, SPRONGUS_REPORT};
use crate::progress::{sprongus_on_progress, told};
use crate::record::give_json;

/// # Safety
/// `format` is NULL or terminated.
unsafe fn format_opt(format: *const c_char) -> Result<Option<Format>> {
    // SAFETY: the same promise.
    let format = unsafe { args::text_opt("format", format) }?;
    format.map(|format| word("format", format, "csv, json, ndjson")).transpose()
}

fn bulk(flags: u32) -> Result<BulkOptions> {
    let flags = flags::check(flags, SPRONGUS_REPLACE | SPRONGUS_REPORT | SPRONGUS_DRY_RUN)?;
    Ok(BulkOptions {
        mode: if flags & SPRONGUS_REPLACE == 0 { Mode::Merge } else { Mode::Replace },
        on_error: if flags & SPRONGUS_REPORT == 0 { OnError::Abort } else { OnError::Report },
        dry_run: flags & SPRONGUS_DRY_RUN != 0,
    })
}

/// Creates or changes many entries, which others see at once: `items` is a JSON array of documents, `length` bytes, each
/// with its `id` or without one. Rows are numbered from 1; of a repeated id the last one counts.
///
/// `flags`: SPRONGUS_REPLACE (each replaces the entry of its id; others stay), SPRONGUS_REPORT, SPRONGUS_DRY_RUN. `progress`
/// may be NULL; `user_data` is handed to it. `report`, which may be NULL, is a JSON object of created, updated, unchanged, deleted, errors, warnings, dryRun. Errors:
/// `validation` with every violation of every row, unless SPRONGUS_REPORT is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_aux_bulk_upsert(
    store_or_tx: *const c_void,
    project: *const c_char,
    table: *const c_char,
    items: *const c_char,
    length: usize,
    flags: u32,
    progress: sprongus_on_progress,
    user_data: *mut c_void,
    report: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes and out-pointers.
        unsafe {
            let (out, options) = (args::place_opt(report), bulk(flags)?);
            let serde_json::Value::Array(items) = parse_value(args::required("items", items, length)?)? else {
                return Err(Error::invalid("items is not a JSON array"));
            };
            let items = items.into_iter().map(Ok);
            let done = super::table(store_or_tx, project, table, |aux| {
                aux.bulk_upsert(items, options, &mut told(progress, user_data))
            })?;
            give_json(out, &done)
        }
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Imports a file: CSV typed by the table's preset, a JSON array, or one JSON object per line, read as a stream.
///
/// `format` is "csv", "json" or "ndjson"; NULL: the file's extension tells. `delimiter` stands between the cells of a CSV;
/// NULL: a comma. `flags`: SPRONGUS_REPLACE (the table becomes equal to the file), SPRONGUS_REPORT, SPRONGUS_DRY_RUN.
/// `report` as of sprongus_aux_bulk_upsert, may be NULL. Errors: `not_found` (the file), `invalid_argument` (a directory, a
/// format that cannot be told, a delimiter), `validation`: every bad row, or a file that cannot be read on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_aux_import(
    store_or_tx: *const c_void,
    project: *const c_char,
    table: *const c_char,
    path: *const c_char,
    format: *const c_char,
    delimiter: *const c_char,
    flags: u32,
    progress: sprongus_on_progress,
    user_data: *mut c_void,
    report: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        unsafe {
            let (out, path) = (args::place_opt(report), Path::new(args::text("path", path)?));
            let delimiter = args::owned_opt("delimiter", delimiter)?;
            let options = ImportOptions { format: format_opt(format)?, delimiter, bulk: bulk(flags)? };
            let done = super::table(store_or_tx, project, table, |aux| {
                aux.import(path, &options, &mut told(progress, user_data))
            })?;
            give_json(out, &done)
        }
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Writes the whole table to a file, by id, from one snapshot; `count`, which may be NULL, is the number of rows. The file
/// appears when it is complete, byte for byte the same for the same entries.
///
/// `format` as of sprongus_aux_import; `flags` is 0 or SPRONGUS_ESCAPE_FORMULAS. Errors: `invalid_argument`, `not_found` (its
/// folder), `permission_denied`, `storage_full`, `storage`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_aux_export(
    store_or_tx: *const c_void,
    project: *const c_char,
    table: *const c_char,
    path: *const c_char,
    format: *const c_char,
    flags: u32,
    progress: sprongus_on_progress,
    user_data: *mut c_void,
    count: *mut u64,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        unsafe {
            let (out, path) = (Out::optional(count, 0), Path::new(args::text("path", path)?));
            let escape_formulas = flags::check(flags, SPRONGUS_ESCAPE_FORMULAS)? != 0;
            let options = ExportOptions { format: format_opt(format)?, escape_formulas };
            out.set(super::table(store_or_tx, project, table, |aux| {
                aux.export(path, options, &mut told(progress, user_data))
            })?);
        }
        Ok(())
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
