//! What runs, entries and presets have in common: texts made for C on first use, and lists.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ffi::{CStr, c_char};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use sprongus::page::Page;
use sprongus::{Error, ErrorCode, Result};

use crate::args::Out;
use crate::door;
use crate::error::c_text;
use crate::handle::{self, Noun};

/// The texts that getters gave, kept until the record is freed.
#[derive(Default)]
pub(crate) struct Texts(Mutex<HashMap<&'static str, Arc<CStr>>>);

impl Texts {
    /// The text of that getter, made by the first call.
    pub(crate) fn get<'t>(&self, name: &'static str, text: impl FnOnce() -> Option<Cow<'t, str>>) -> *const c_char {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = kept.get(name) {
            return text.as_ptr();
        }
        let Some(text) = text() else { return std::ptr::null() };
        kept.entry(name).or_insert_with(|| c_text(&text).into()).as_ptr()
    }
}

/// A record as JSON; the same as `sprongus_call` gives.
pub(crate) fn json<T: Serialize>(record: &T) -> Result<String> {
    serde_json::to_string(record)
        .map_err(|error| Error::new(ErrorCode::Panic, "a record could not be written as JSON").with_source(error))
}

/// A type of ours that C sees: one by one, and in lists.
pub(crate) trait Shown: Serialize + Clone + Send + Sync + 'static {
    /// The opaque C type of one.
    type One;
    /// The opaque C type of a list.
    type Many;
    /// As [`Noun`] has it, of one and of a list.
    const TAGS: [u8; 2];
    const NAMES: [&'static str; 2];
}

/// One, with the texts that its getters gave.
pub(crate) struct Record<T> {
    value: T,
    texts: Texts,
}

impl<T: Shown> Noun for Record<T> {
    type C = T::One;
    const TAG: u8 = T::TAGS[0];
    const NAME: &'static str = T::NAMES[0];
}

impl<T> Record<T> {
    pub(crate) fn value(&self) -> &T {
        &self.value
    }
}

impl<T> From<T> for Record<T> {
    fn from(value: T) -> Self {
        Self { value, texts: Texts::default() }
    }
}

/// Several, each behind a handle of its own that the list frees.
pub(crate) struct List<T> {
    items: Vec<usize>,
    json: String,
    next_cursor: Option<String>,
    texts: Texts,
    of: PhantomData<T>,
}

impl<T: Shown> Noun for List<T> {
    type C = T::Many;
    const TAG: u8 = T::TAGS[1];
    const NAME: &'static str = T::NAMES[1];
}

impl<T: Shown> List<T> {
    /// Shown as JSON as a page is: items and nextCursor.
    pub(crate) fn page(page: &Page<T>) -> Result<Self> {
        Self::new(json(page)?, page.next_cursor.clone(), page.iter())
    }

    /// Shown as JSON as an array.
    pub(crate) fn all(items: &[T]) -> Result<Self> {
        Self::new(json(&items)?, None, items.iter())
    }

    fn new<'t>(json: String, next_cursor: Option<String>, items: impl Iterator<Item = &'t T>) -> Result<Self> {
        let items = handle::lend(items.cloned().map(Record::from))?;
        Ok(Self { items, json, next_cursor, texts: Texts::default(), of: PhantomData })
    }
}

impl<T> Drop for List<T> {
    fn drop(&mut self) {
        handle::take_back(&self.items);
    }
}

/// A getter of a text; NULL where the record is none or has none.
pub(crate) fn text<T: Shown>(
    one: *const T::One,
    name: &'static str,
    get: fn(&T) -> Option<Cow<'_, str>>,
) -> *const c_char {
    door::peek(std::ptr::null(), || {
        let record = handle::peek::<Record<T>>(one)?;
        Some(record.texts.get(name, || get(&record.value)))
    })
}

/// A getter of a number; `none` where the record is none.
pub(crate) fn number<T: Shown, N>(one: *const T::One, none: N, get: fn(&T) -> N) -> N {
    door::peek(none, || Some(get(&handle::peek::<Record<T>>(one)?.value)))
}

/// How many a list has.
pub(crate) fn count<T: Shown>(list: *const T::Many) -> usize {
    door::peek(0, || Some(handle::peek::<List<T>>(list)?.items.len()))
}

/// One of a list.
pub(crate) fn at<T: Shown>(list: *const T::Many, index: usize) -> *const T::One {
    door::peek(std::ptr::null(), || {
        let id = *handle::peek::<List<T>>(list)?.items.get(index)?;
        Some(std::ptr::without_provenance(id))
    })
}

/// The cursor of the next page; NULL on the last.
pub(crate) fn next_cursor<T: Shown>(list: *const T::Many) -> *const c_char {
    door::peek(std::ptr::null(), || {
        let list = handle::peek::<List<T>>(list)?;
        Some(list.texts.get("next_cursor", || list.next_cursor.as_deref().map(Cow::Borrowed)))
    })
}

/// A list as JSON.
pub(crate) fn list_json<T: Shown>(list: *const T::Many) -> *const c_char {
    door::peek(std::ptr::null(), || {
        let list = handle::peek::<List<T>>(list)?;
        Some(list.texts.get("json", || Some(Cow::Borrowed(&list.json))))
    })
}

/// Hands a JSON text over as a buffer.
pub(crate) fn give_json<T: Serialize>(out: Out<*mut crate::buf::sprongus_buf>, record: &T) -> Result<()> {
    out.give(crate::buf::Buf::text(&json(record)?))
}
