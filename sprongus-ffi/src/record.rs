//! What records have in common: texts made for C on first use, and lists of them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ffi::{CStr, c_char};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use sprongus::{Error, ErrorCode, Result};

use crate::args::Out;
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

/// Records, each behind a handle of its own that the list frees.
pub(crate) struct List {
    items: Vec<usize>,
    json: String,
    next_cursor: Option<String>,
    pub(crate) texts: Texts,
}

impl List {
    /// Of those records; `whole` is what the list shows as JSON.
    pub(crate) fn new<T: Noun>(
        whole: &impl Serialize,
        next_cursor: Option<String>,
        items: impl IntoIterator<Item = T>,
    ) -> Result<Self> {
        let json = json(whole)?;
        Ok(Self { items: handle::lend(items)?, json, next_cursor, texts: Texts::default() })
    }

    pub(crate) fn count(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn at<C>(&self, index: usize) -> *const C {
        self.items.get(index).map_or(std::ptr::null(), |id| std::ptr::without_provenance(*id))
    }

    pub(crate) fn next_cursor(&self) -> *const c_char {
        self.texts.get("next_cursor", || self.next_cursor.as_deref().map(Cow::Borrowed))
    }

    pub(crate) fn json(&self) -> *const c_char {
        self.texts.get("json", || Some(Cow::Borrowed(&self.json)))
    }
}

impl Drop for List {
    fn drop(&mut self) {
        handle::take_back(&self.items);
    }
}

/// Hands a JSON text over as a buffer.
pub(crate) fn give_json<T: Serialize>(out: Out<*mut crate::buf::sprongus_buf>, record: &T) -> Result<()> {
    out.give(crate::buf::Buf::text(&json(record)?))
}
