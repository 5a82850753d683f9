//! `sprongus_entry` and `sprongus_entry_list`: records of the aux store.

use std::borrow::Cow;
use std::ffi::c_char;

use sprongus::aux_store::Entry;

use crate::record::{self, List, Record, Shown, json, number, text};
use crate::{door, handle};

/// An entry as it was when the call returned. Freed by sprongus_entry_free, or with the list it came from.
pub struct sprongus_entry {
    _opaque: [u8; 0],
}

/// Entries. Freed by sprongus_entry_list_free, and its entries with it.
pub struct sprongus_entry_list {
    _opaque: [u8; 0],
}

impl Shown for Entry {
    type One = sprongus_entry;
    type Many = sprongus_entry_list;
    const TAGS: [u8; 2] = [11, 12];
    const NAMES: [&'static str; 2] = ["sprongus_entry", "sprongus_entry_list"];
}

/// Its id, unique in its table of its project. Borrowed; NULL for no entry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_id(entry: *const sprongus_entry) -> *const c_char {
    text::<Entry>(entry, "id", |entry| Some(Cow::Borrowed(&entry.id)))
}

/// The project it belongs to. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_project_id(entry: *const sprongus_entry) -> *const c_char {
    text::<Entry>(entry, "project_id", |entry| Some(Cow::Borrowed(&entry.project_id)))
}

/// The table it stands in. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_table_name(entry: *const sprongus_entry) -> *const c_char {
    text::<Entry>(entry, "table_name", |entry| Some(Cow::Borrowed(&entry.table_name)))
}

/// The document, a JSON object. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_payload(entry: *const sprongus_entry) -> *const c_char {
    text::<Entry>(entry, "payload", |entry| Some(Cow::Borrowed(entry.payload.as_str())))
}

/// 1 and up; goes on across a deletion and re-creation of the id. 0 for no entry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_version(entry: *const sprongus_entry) -> i64 {
    number::<Entry, _>(entry, 0, |entry| entry.version)
}

/// When it was last written. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_last_updated(entry: *const sprongus_entry) -> *const c_char {
    text::<Entry>(entry, "last_updated", |entry| Some(Cow::Owned(entry.last_updated.to_string())))
}

/// What a write accepted but is worth a look, a JSON array of path, keyword, message: dangling references. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_warnings(entry: *const sprongus_entry) -> *const c_char {
    text::<Entry>(entry, "warnings", |entry| json(&entry.warnings).ok().map(Cow::Owned))
}

/// All of it as JSON. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_to_json(entry: *const sprongus_entry) -> *const c_char {
    text::<Entry>(entry, "json", |entry| json(entry).ok().map(Cow::Owned))
}

/// Frees an entry. NULL, what is no entry, and an entry of a list are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_free(entry: *mut sprongus_entry) {
    door::quiet(|| handle::free::<Record<Entry>>(entry));
}

/// How many entries there are; 0 for no list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_list_count(list: *const sprongus_entry_list) -> usize {
    record::count::<Entry>(list)
}

/// An entry, counted from 0. Borrowed; NULL where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_list_at(
    list: *const sprongus_entry_list,
    index: usize,
) -> *const sprongus_entry {
    record::at::<Entry>(list, index)
}

/// What to give as `cursor` for the next page; NULL on the last. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_list_next_cursor(list: *const sprongus_entry_list) -> *const c_char {
    record::next_cursor::<Entry>(list)
}

/// All of it as JSON: an object of items and nextCursor. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_list_to_json(list: *const sprongus_entry_list) -> *const c_char {
    record::list_json::<Entry>(list)
}

/// Frees entries. NULL and what is no list are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_list_free(list: *mut sprongus_entry_list) {
    door::quiet(|| handle::free::<List<Entry>>(list));
}
