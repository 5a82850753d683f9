//! What is done with entries of the aux store. (Never a file named aux.*: Windows refuses it.)

pub mod links;
pub mod many;
pub mod past;

use std::ffi::{c_char, c_void};

use serde::de::DeserializeOwned;
use sprongus::aux_store::{Aux, Entry, ListQuery, Nulls, OnReferenced, UpdateOptions};
use sprongus::json::parse_value;
use sprongus::{Error, Result};

use crate::args::{self, Out, Plain};
use crate::buf::sprongus_buf;
use crate::entry::{sprongus_entry, sprongus_entry_list};
use crate::error::sprongus_error;
use crate::flags::{self, SPRONGUS_KEEP_NULLS, SPRONGUS_REPLACE};
use crate::record::{List, Record, give_json};
use crate::{door, target};

/// Which entries to list; zero is the default of each. Begin with `SPRONGUS_INIT(query)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sprongus_aux_query {
    /// `sizeof(sprongus_aux_query)`.
    pub struct_size: usize,
    /// A text that one of the searched strings holds, in any case.
    pub q: *const c_char,
    /// A filter as JSON, NUL-terminated: `{"year": {"gte": 1900}}`.
    pub filter: *const c_char,
    /// `sort_count` fields to sort by: "title", "-year", "-lastUpdated", "$version"; NULL: by id.
    pub sort: *const *const c_char,
    /// How many fields.
    pub sort_count: usize,
    /// At most so many, up to 1,000; 50. SPRONGUS_NONE: none.
    pub limit: i64,
    /// Entries passed over; not together with a cursor.
    pub offset: i64,
    /// sprongus_entry_list_next_cursor of the page before, with the same filter and order.
    pub cursor: *const c_char,
}

// SAFETY: `repr(C)`, begins with its size, integers and pointers alone.
unsafe impl Plain for sprongus_aux_query {}

/// Calls the table on the store or transaction.
///
/// # Safety
/// The names are NULL or terminated.
unsafe fn table<T>(
    store_or_tx: *const c_void,
    project: *const c_char,
    table: *const c_char,
    ask: impl FnOnce(Aux<'_>) -> Result<T>,
) -> Result<T> {
    // SAFETY: the same promise.
    let (project, table) = unsafe { (args::text("project", project)?, args::text("table", table)?) };
    target::on(store_or_tx, |on| ask(on.aux(project, table)))
}

fn give(out: Out<*mut sprongus_entry>, entry: Entry) -> Result<()> {
    out.give(Record::from(entry))
}

/// One of the words that stand in JSON for an enum.
fn word<T: DeserializeOwned>(name: &str, text: &str, words: &str) -> Result<T> {
    serde_json::from_value(text.into()).map_err(|_| Error::invalid(format!("{name} is one of {words}")))
}

/// Creates an entry from a whole document, a JSON object of `length` bytes, with the preset's defaults.
///
/// Its id is `id`, else (NULL) the document's, else a new one. `entry` may be NULL. Errors: `validation` with every
/// violation in the details, `reserved_field`, `conflict` (the id or a unique value is taken), `too_large`, `not_found`
/// where no preset is bound to the table (sprongus_presets_bind; "assets", "citations", "storyboard" are from the start).
///
/// ```c
/// const char *json = "{\"title\": \"Coburg\"}";
/// sprongus_entry *entry = NULL;
/// if (sprongus_aux_create(store, "p1", "assets", json, strlen(json), "a-1", &entry, &error) == SPRONGUS_OK)
///     puts(sprongus_entry_payload(entry));
/// sprongus_entry_free(entry);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_aux_create(
    store_or_tx: *const c_void,
    project: *const c_char,
    table: *const c_char,
    payload: *const c_char,
    length: usize,
    id: *const c_char,
    entry: *mut *mut sprongus_entry,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes and out-pointers.
        unsafe {
            let (out, id) = (args::place_opt(entry), args::text_opt("id", id)?);
            let payload = parse_value(args::required("payload", payload, length)?)?;
            give(out, self::table(store_or_tx, project, table, |aux| aux.create(payload, id))?)
        }
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// One entry. Errors: `not_found`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_aux_get(
    store_or_tx: *const c_void,
    project: *const c_char,
    table: *const c_char,
    id: *const c_char,
    entry: *mut *mut sprongus_entry,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        unsafe {
            let (out, id) = (args::place("entry", entry)?, args::text("id", id)?);
            give(out, self::table(store_or_tx, project, table, |aux| aux.get(id))?)
        }
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Merges a patch, a JSON object of `length` bytes, into an entry (RFC 7396); the result is what is validated. A result
/// equal to what is there makes no new version.
///
/// `flags`: SPRONGUS_REPLACE (the patch is the whole document), SPRONGUS_KEEP_NULLS. `if_version` other than 0 refuses with
/// `conflict` unless the entry has that version. `entry` may be NULL. Errors: as sprongus_aux_create, and `not_found`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_aux_update(
    store_or_tx: *const c_void,
    project: *const c_char,
    table: *const c_char,
    id: *const c_char,
    patch: *const c_char,
    length: usize,
    flags: u32,
    if_version: i64,
    entry: *mut *mut sprongus_entry,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes and out-pointers.
        unsafe {
            let (out, id) = (args::place_opt(entry), args::text("id", id)?);
            let patch = parse_value(args::required("patch", patch, length)?)?;
            let flags = flags::check(flags, SPRONGUS_REPLACE | SPRONGUS_KEEP_NULLS)?;
            let options = UpdateOptions {
                replace: flags & SPRONGUS_REPLACE != 0,
                nulls: if flags & SPRONGUS_KEEP_NULLS == 0 { Nulls::Remove } else { Nulls::Keep },
                if_version: (if_version != 0).then_some(if_version),
            };
            give(out, self::table(store_or_tx, project, table, |aux| aux.update(id, patch, options))?)
        }
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Creates an entry, or merges the document, a JSON object of `length` bytes, into the one of its id; a null is stored.
///
/// `id` may be NULL (the document's, else a new one), `flags` is 0 or SPRONGUS_REPLACE, `entry` may be NULL. Errors: as
/// sprongus_aux_create, but for the id being taken.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_aux_upsert(
    store_or_tx: *const c_void,
    project: *const c_char,
    table: *const c_char,
    payload: *const c_char,
    length: usize,
    id: *const c_char,
    flags: u32,
    entry: *mut *mut sprongus_entry,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes and out-pointers.
        unsafe {
            let (out, id) = (args::place_opt(entry), args::text_opt("id", id)?);
            let payload = parse_value(args::required("payload", payload, length)?)?;
            let replace = flags::check(flags, SPRONGUS_REPLACE)? != 0;
            give(out, self::table(store_or_tx, project, table, |aux| aux.upsert(payload, id, replace))?)
        }
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Deletes an entry. `on_referenced` says what to do about entries that refer to it: "restrict" (NULL: refuse, and name
/// them in the details of `referenced`), "warn" (delete, leave them), "unlink" (take the id out of them), "force" (do not
/// look).
///
/// `referrers`, which may be NULL, is a JSON array of table, id, field. Errors: `not_found`, `referenced`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_aux_delete(
    store_or_tx: *const c_void,
    project: *const c_char,
    table: *const c_char,
    id: *const c_char,
    on_referenced: *const c_char,
    referrers: *mut *mut sprongus_buf,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        unsafe {
            let (out, id) = (args::place_opt(referrers), args::text("id", id)?);
            let how = match args::text_opt("on_referenced", on_referenced)? {
                None => OnReferenced::default(),
                Some(how) => word("on_referenced", how, "restrict, warn, unlink, force")?,
            };
            give_json(out, &self::table(store_or_tx, project, table, |aux| aux.delete(id, how))?)
        }
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// A page of the entries that match, in the order asked for. `query` may be NULL. Errors: `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_aux_list(
    store_or_tx: *const c_void,
    project: *const c_char,
    table: *const c_char,
    query: *const sprongus_aux_query,
    entries: *mut *mut sprongus_entry_list,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, structs and out-pointers.
        unsafe {
            let (out, query) = (args::place("entries", entries)?, list(query)?);
            out.give(List::page(&self::table(store_or_tx, project, table, |aux| aux.list(&query))?)?)
        }
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// # Safety
/// `query` is NULL or a readable struct of the size it says, its texts terminated.
unsafe fn list(query: *const sprongus_aux_query) -> Result<ListQuery> {
    // SAFETY: the same promise.
    unsafe {
        let given = args::plain("query", query)?;
        Ok(ListQuery {
            q: args::owned_opt("query.q", given.q)?,
            filter: args::text_opt("query.filter", given.filter)?.map(parse_value).transpose()?,
            sort: args::texts_opt("query.sort", given.sort, given.sort_count)?.unwrap_or_default(),
            limit: args::limit(given.limit, sprongus::page::DEFAULT_LIMIT),
            offset: given.offset,
            cursor: args::owned_opt("query.cursor", given.cursor)?,
        })
    }
}

/// How many entries match; `q` and `filter` (JSON, NUL-terminated) may be NULL. Errors: `invalid_argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_aux_count(
    store_or_tx: *const c_void,
    project: *const c_char,
    table: *const c_char,
    q: *const c_char,
    filter: *const c_char,
    count: *mut u64,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        unsafe {
            let (out, q) = (args::number("count", count)?, args::text_opt("q", q)?);
            let filter = args::text_opt("filter", filter)?.map(parse_value).transpose()?;
            out.set(self::table(store_or_tx, project, table, |aux| aux.count(q, filter.as_ref()))?);
        }
        Ok(())
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
