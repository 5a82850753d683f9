//! `sprongus_entry` and `sprongus_entry_list`: records of the aux store.

use std::borrow::Cow;
use std::ffi::c_char;

use sprongus::Result;
use sprongus::aux_store::Entry;
use sprongus::page::Page;

use crate::door;
use crate::handle::{self, Noun};
use crate::record::{List, Texts, json};

/// An entry as it was when the call returned. Freed by sprongus_entry_free, or with the list it came from.
pub struct sprongus_entry {
    _opaque: [u8; 0],
}

/// Entries. Freed by sprongus_entry_list_free, and its entries with it.
pub struct sprongus_entry_list {
    _opaque: [u8; 0],
}

pub(crate) struct EntryRecord {
    entry: Entry,
    texts: Texts,
}

impl Noun for EntryRecord {
    type C = sprongus_entry;
    const TAG: u8 = 11;
    const NAME: &'static str = "sprongus_entry";
}

impl From<Entry> for EntryRecord {
    fn from(entry: Entry) -> Self {
        Self { entry, texts: Texts::default() }
    }
}

pub(crate) struct EntryList(List);

impl Noun for EntryList {
    type C = sprongus_entry_list;
    const TAG: u8 = 12;
    const NAME: &'static str = "sprongus_entry_list";
}

impl EntryList {
    /// Shown as JSON as a page is: items and nextCursor.
    pub(crate) fn page(page: Page<Entry>) -> Result<Self> {
        let next = page.next_cursor.clone();
        let items: Vec<EntryRecord> = page.iter().cloned().map(EntryRecord::from).collect();
        List::new(&page, next, items).map(Self)
    }
}

fn text(entry: *const sprongus_entry, name: &'static str, get: fn(&Entry) -> Option<Cow<'_, str>>) -> *const c_char {
    door::peek(std::ptr::null(), || {
        let record = handle::peek::<EntryRecord>(entry)?;
        Some(record.texts.get(name, || get(&record.entry)))
    })
}

/// Its id, unique in its table of its project. Borrowed; NULL for no entry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_id(entry: *const sprongus_entry) -> *const c_char {
    text(entry, "id", |entry| Some(Cow::Borrowed(&entry.id)))
}

/// The project it belongs to. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_project_id(entry: *const sprongus_entry) -> *const c_char {
    text(entry, "project_id", |entry| Some(Cow::Borrowed(&entry.project_id)))
}

/// The table it stands in. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_table_name(entry: *const sprongus_entry) -> *const c_char {
    text(entry, "table_name", |entry| Some(Cow::Borrowed(&entry.table_name)))
}

/// The document, a JSON object. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_payload(entry: *const sprongus_entry) -> *const c_char {
    text(entry, "payload", |entry| Some(Cow::Borrowed(entry.payload.as_str())))
}

/// 1 and up; goes on across a deletion and re-creation of the id. 0 for no entry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_version(entry: *const sprongus_entry) -> i64 {
    door::peek(0, || Some(handle::peek::<EntryRecord>(entry)?.entry.version))
}

/// When it was last written. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_last_updated(entry: *const sprongus_entry) -> *const c_char {
    text(entry, "last_updated", |entry| Some(Cow::Owned(entry.last_updated.to_string())))
}

/// What a write accepted but is worth a look, a JSON array of path, keyword, message: dangling references. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_warnings(entry: *const sprongus_entry) -> *const c_char {
    text(entry, "warnings", |entry| json(&entry.warnings).ok().map(Cow::Owned))
}

/// All of it as JSON. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_to_json(entry: *const sprongus_entry) -> *const c_char {
    text(entry, "json", |entry| json(entry).ok().map(Cow::Owned))
}

/// Frees an entry. NULL, what is no entry, and an entry of a list are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_free(entry: *mut sprongus_entry) {
    door::quiet(|| handle::free::<EntryRecord>(entry));
}

/// How many entries there are; 0 for no list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_list_count(list: *const sprongus_entry_list) -> usize {
    door::peek(0, || Some(handle::peek::<EntryList>(list)?.0.count()))
}

/// An entry, counted from 0. Borrowed; NULL where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_list_at(
    list: *const sprongus_entry_list,
    index: usize,
) -> *const sprongus_entry {
    door::peek(std::ptr::null(), || Some(handle::peek::<EntryList>(list)?.0.at(index)))
}

/// What to give as `cursor` for the next page; NULL on the last. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_list_next_cursor(list: *const sprongus_entry_list) -> *const c_char {
    door::peek(std::ptr::null(), || Some(handle::peek::<EntryList>(list)?.0.next_cursor()))
}

/// All of it as JSON: an object of items and nextCursor. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_list_to_json(list: *const sprongus_entry_list) -> *const c_char {
    door::peek(std::ptr::null(), || Some(handle::peek::<EntryList>(list)?.0.json()))
}

/// Frees entries. NULL and what is no list are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_entry_list_free(list: *mut sprongus_entry_list) {
    door::quiet(|| handle::free::<EntryList>(list));
}
