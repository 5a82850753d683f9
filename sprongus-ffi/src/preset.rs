//! `sprongus_preset` and `sprongus_preset_list`: records of presets.

use std::borrow::Cow;
use std::ffi::c_char;

use sprongus::Result;
use sprongus::page::Page;
use sprongus::presets::Preset;

use crate::door;
use crate::handle::{self, Noun};
use crate::record::{List, Texts, json};

/// A preset as it was when the call returned. Freed by sprongus_preset_free, or with the list it came from.
pub struct sprongus_preset {
    _opaque: [u8; 0],
}

/// Presets. Freed by sprongus_preset_list_free, and its presets with it.
pub struct sprongus_preset_list {
    _opaque: [u8; 0],
}

pub(crate) struct PresetRecord {
    preset: Preset,
    texts: Texts,
}

impl Noun for PresetRecord {
    type C = sprongus_preset;
    const TAG: u8 = 9;
    const NAME: &'static str = "sprongus_preset";
}

impl From<Preset> for PresetRecord {
    fn from(preset: Preset) -> Self {
        Self { preset, texts: Texts::default() }
    }
}

pub(crate) struct PresetList(List);

impl Noun for PresetList {
    type C = sprongus_preset_list;
    const TAG: u8 = 10;
    const NAME: &'static str = "sprongus_preset_list";
}

impl PresetList {
    /// Shown as JSON as a page is: items and nextCursor.
    pub(crate) fn page(page: Page<Preset>) -> Result<Self> {
        let next = page.next_cursor.clone();
        let items: Vec<PresetRecord> = page.iter().cloned().map(PresetRecord::from).collect();
        List::new(&page, next, items).map(Self)
    }
}

fn text(preset: *const sprongus_preset, name: &'static str, get: fn(&Preset) -> Option<Cow<'_, str>>) -> *const c_char {
    door::peek(std::ptr::null(), || {
        let record = handle::peek::<PresetRecord>(preset)?;
        Some(record.texts.get(name, || get(&record.preset)))
    })
}

/// Its id, a ULID. Borrowed; NULL for no preset.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_id(preset: *const sprongus_preset) -> *const c_char {
    text(preset, "id", |preset| Some(Cow::Borrowed(&preset.id)))
}

/// The name that its versions share. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_label(preset: *const sprongus_preset) -> *const c_char {
    text(preset, "label", |preset| Some(Cow::Borrowed(&preset.label)))
}

/// "storyboard", "assets", "citations", "custom" or "run_input". Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_kind(preset: *const sprongus_preset) -> *const c_char {
    text(preset, "kind", |preset| Some(Cow::Borrowed(preset.kind.as_str())))
}

/// 1 and up within the label; 0 for no preset.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_version(preset: *const sprongus_preset) -> i64 {
    door::peek(0, || Some(handle::peek::<PresetRecord>(preset)?.preset.version))
}

/// Its definition, a field list or a JSON Schema, as JSON. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_definition(preset: *const sprongus_preset) -> *const c_char {
    text(preset, "definition", |preset| Some(Cow::Borrowed(preset.definition.as_str())))
}

/// When it became immutable; NULL for a draft. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_published_at(preset: *const sprongus_preset) -> *const c_char {
    text(preset, "published_at", |preset| preset.published_at.map(|at| Cow::Owned(at.to_string())))
}

/// All of it as JSON. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_to_json(preset: *const sprongus_preset) -> *const c_char {
    text(preset, "json", |preset| json(preset).ok().map(Cow::Owned))
}

/// Frees a preset. NULL, what is no preset, and a preset of a list are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_free(preset: *mut sprongus_preset) {
    door::quiet(|| handle::free::<PresetRecord>(preset));
}

/// How many presets there are; 0 for no list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_list_count(list: *const sprongus_preset_list) -> usize {
    door::peek(0, || Some(handle::peek::<PresetList>(list)?.0.count()))
}

/// A preset, counted from 0. Borrowed; NULL where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_list_at(
    list: *const sprongus_preset_list,
    index: usize,
) -> *const sprongus_preset {
    door::peek(std::ptr::null(), || Some(handle::peek::<PresetList>(list)?.0.at(index)))
}

/// What to give as `cursor` for the next page; NULL on the last. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_list_next_cursor(list: *const sprongus_preset_list) -> *const c_char {
    door::peek(std::ptr::null(), || Some(handle::peek::<PresetList>(list)?.0.next_cursor()))
}

/// All of it as JSON: an object of items and nextCursor. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_list_to_json(list: *const sprongus_preset_list) -> *const c_char {
    door::peek(std::ptr::null(), || Some(handle::peek::<PresetList>(list)?.0.json()))
}

/// Frees presets. NULL and what is no list are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_list_free(list: *mut sprongus_preset_list) {
    door::quiet(|| handle::free::<PresetList>(list));
}
