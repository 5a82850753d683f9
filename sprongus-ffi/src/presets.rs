//! What is done with presets.

use std::ffi::{c_char, c_void};

use sprongus::Result;
use sprongus::presets::{
    BindPreset, BindRunPreset, BoundPreset, CreatePreset, ExportPresets, ImportPresets, ListPresets, PresetImportMode,
    PresetKind, ValidatePayload,
};

use crate::buf::sprongus_buf;
use crate::error::sprongus_error;
use crate::flags::{self, SPRONGUS_DRAFT, SPRONGUS_DRY_RUN, SPRONGUS_FORCE, SPRONGUS_REPLACE};
use crate::preset::{sprongus_preset, sprongus_preset_list};
use crate::record::{List, Record, give_json};
use crate::{args, door, target};

/// Stores a preset: `definition` is a field list or a JSON Schema, JSON of `length` bytes; published, unless `flags` is
/// SPRONGUS_DRAFT.
///
/// `kind` is "storyboard", "assets", "citations", "custom" or "run_input"; `version` 0 is the label's next. `preset` may be
/// NULL. Errors: `validation` (the definition, every fault of it), `conflict` (the version is taken), `invalid_argument`.
///
/// ```c
/// const char *fields = "{\"fields\": [{\"name\": \"title\", \"type\": \"string\", \"required\": true}]}";
/// sprongus_presets_create(store, "paper", "custom", fields, strlen(fields), 0, 0, NULL, &error);
/// sprongus_presets_bind(store, "papers", "paper", NULL, 0, NULL, &error);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_presets_create(
    store_or_tx: *const c_void,
    label: *const c_char,
    kind: *const c_char,
    definition: *const c_char,
    length: usize,
    version: i64,
    flags: u32,
    preset: *mut *mut sprongus_preset,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes and out-pointers.
        let (out, label, kind, definition) = unsafe {
            let (out, label, kind) = (args::place_opt(preset), args::text("label", label)?, args::text("kind", kind)?);
            (out, label, kind, args::json("definition", definition, length)?)
        };
        let publish = flags::check(flags, SPRONGUS_DRAFT)? & SPRONGUS_DRAFT == 0;
        let version = (version != 0).then_some(version);
        let request =
            CreatePreset { version, publish, ..CreatePreset::new(label, PresetKind::parse(kind)?, definition) };
        out.give(Record::from(target::on(store_or_tx, |on| on.presets().create(&request))?))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Makes a draft immutable and addressable by its label; a published one stays as it is. `preset` may be NULL.
///
/// `address` is "label@2", "label" (its newest published version) or an id. Errors: `not_found`, `validation`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_presets_publish(
    store_or_tx: *const c_void,
    address: *const c_char,
    preset: *mut *mut sprongus_preset,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, address) = unsafe { (args::place_opt(preset), args::text("address", address)?) };
        out.give(Record::from(target::on(store_or_tx, |on| on.presets().publish(address))?))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// One preset, by "label@2", "label" (its newest published version) or its id. Errors: `not_found`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_presets_get(
    store_or_tx: *const c_void,
    address: *const c_char,
    preset: *mut *mut sprongus_preset,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, address) = unsafe { (args::place("preset", preset)?, args::text("address", address)?) };
        out.give(Record::from(target::on(store_or_tx, |on| on.presets().get(address))?))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Presets in the order of label and version, a page at a time. `kind`, `label_prefix` and `cursor` may be NULL; `limit` 0
/// is 50, SPRONGUS_NONE none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_presets_list(
    store_or_tx: *const c_void,
    kind: *const c_char,
    label_prefix: *const c_char,
    limit: i64,
    cursor: *const c_char,
    presets: *mut *mut sprongus_preset_list,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, request) = unsafe {
            let out = args::place("presets", presets)?;
            let request = ListPresets {
                kind: kind_opt(kind)?,
                label_prefix: args::owned_opt("label_prefix", label_prefix)?,
                limit: Some(args::limit(limit, sprongus::page::DEFAULT_LIMIT)),
                cursor: args::owned_opt("cursor", cursor)?,
            };
            (out, request)
        };
        out.give(List::page(&target::on(store_or_tx, |on| on.presets().list(&request))?)?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// # Safety
/// `kind` is NULL or terminated.
unsafe fn kind_opt(kind: *const c_char) -> Result<Option<PresetKind>> {
    // SAFETY: the same promise.
    unsafe { args::text_opt("kind", kind) }?.map(PresetKind::parse).transpose()
}

/// Removes a preset. Errors: `not_found`, `conflict` where it is bound.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_presets_delete(
    store_or_tx: *const c_void,
    address: *const c_char,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promise for text.
        let address = unsafe { args::text("address", address) }?;
        target::on(store_or_tx, |on| on.presets().delete(address))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Binds a table to a published preset, after checking the stored entries; `project` NULL is every project that has no
/// binding of its own.
///
/// `flags`: SPRONGUS_DRY_RUN, SPRONGUS_FORCE. `report`, which may be NULL, is a JSON object of checked, failing, errors,
/// bound. Errors: `conflict` where entries fail (the report in its details), `not_found`, `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_presets_bind(
    store_or_tx: *const c_void,
    table: *const c_char,
    address: *const c_char,
    project: *const c_char,
    flags: u32,
    report: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, request) = unsafe {
            let out = args::place_opt(report);
            let flags = flags::check(flags, SPRONGUS_DRY_RUN | SPRONGUS_FORCE)?;
            let request = BindPreset {
                table: args::text("table", table)?.to_owned(),
                address: args::text("address", address)?.to_owned(),
                project: args::owned_opt("project", project)?,
                dry_run: flags & SPRONGUS_DRY_RUN != 0,
                force: flags & SPRONGUS_FORCE != 0,
            };
            (out, request)
        };
        give_json(out, &target::on(store_or_tx, |on| on.presets().bind(&request))?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Binds a kind of runs to a published preset of kind "run_input", which their input has to follow from then on;
/// `project` NULL is every project that has no binding of its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_presets_bind_run(
    store_or_tx: *const c_void,
    kind: *const c_char,
    address: *const c_char,
    project: *const c_char,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text.
        let request = unsafe {
            BindRunPreset {
                kind: args::text("kind", kind)?.to_owned(),
                address: args::text("address", address)?.to_owned(),
                project: args::owned_opt("project", project)?,
            }
        };
        target::on(store_or_tx, |on| on.presets().bind_run(&request))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The preset that a table is bound to, in that project (NULL: where a project has no binding of its own).
///
/// Errors: `not_found`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_presets_bound(
    store_or_tx: *const c_void,
    table: *const c_char,
    project: *const c_char,
    preset: *mut *mut sprongus_preset,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, request) = unsafe {
            let out = args::place("preset", preset)?;
            let table = args::text("table", table)?.to_owned();
            (out, BoundPreset { table, project: args::owned_opt("project", project)? })
        };
        out.give(Record::from(target::on(store_or_tx, |on| on.presets().bound(&request))?))
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Judges a document, JSON of `length` bytes, as it is given. `violations` is a JSON array of path (JSON Pointer), keyword,
/// message; empty where it is valid. Nothing is written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_presets_validate(
    store_or_tx: *const c_void,
    address: *const c_char,
    payload: *const c_char,
    length: usize,
    violations: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes and out-pointers.
        let (out, request) = unsafe {
            let out = args::place("violations", violations)?;
            let address = args::text("address", address)?.to_owned();
            (out, ValidatePayload { address, payload: args::json("payload", payload, length)? })
        };
        give_json(out, &target::on(store_or_tx, |on| on.presets().validate(&request))?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Presets as they travel between stores: a JSON array of label, kind, version, definition, published. `kind` and
/// `label_prefix` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_presets_export(
    store_or_tx: *const c_void,
    kind: *const c_char,
    label_prefix: *const c_char,
    items: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, request) = unsafe {
            let out = args::place("items", items)?;
            let label_prefix = args::owned_opt("label_prefix", label_prefix)?;
            (out, ExportPresets { kind: kind_opt(kind)?, label_prefix })
        };
        give_json(out, &target::on(store_or_tx, |on| on.presets().export(&request))?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Stores what sprongus_presets_export gave, JSON of `length` bytes, all or none.
///
/// `flags`: SPRONGUS_REPLACE removes the presets that are not among them. `report`, which may be NULL, is a JSON object of
/// created, updated, unchanged, deleted. Errors: `conflict` where a published preset differs, `validation`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_presets_import(
    store_or_tx: *const c_void,
    items: *const c_char,
    length: usize,
    flags: u32,
    report: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for bytes and out-pointers.
        let (out, items) = unsafe { (args::place_opt(report), args::required("items", items, length)?) };
        let replace = flags::check(flags, SPRONGUS_REPLACE)? != 0;
        let mode = if replace { PresetImportMode::Replace } else { PresetImportMode::Merge };
        let request = ImportPresets { items: sprongus::json::decode(items)?, mode };
        give_json(out, &target::on(store_or_tx, |on| on.presets().import(&request))?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
