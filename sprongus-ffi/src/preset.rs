//! `sprongus_preset` and `sprongus_preset_list`: records of presets.

use std::borrow::Cow;
use std::ffi::c_char;

use sprongus::presets::Preset;

use crate::record::{self, List, Record, Shown, json, number, text};
use crate::{door, handle};

/// A preset as it was when the call returned. Freed by sprongus_preset_free, or with the list it came from.
pub struct sprongus_preset {
    _opaque: [u8; 0],
}

/// Presets. Freed by sprongus_preset_list_free, and its presets with it.
pub struct sprongus_preset_list {
    _opaque: [u8; 0],
}

impl Shown for Preset {
    type One = sprongus_preset;
    type Many = sprongus_preset_list;
    const TAGS: [u8; 2] = [9, 10];
    const NAMES: [&'static str; 2] = ["sprongus_preset", "sprongus_preset_list"];
}

/// Its id, a ULID. Borrowed; NULL for no preset.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_id(preset: *const sprongus_preset) -> *const c_char {
    text::<Preset>(preset, "id", |preset| Some(Cow::Borrowed(&preset.id)))
}

/// The name that its versions share. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_label(preset: *const sprongus_preset) -> *const c_char {
    text::<Preset>(preset, "label", |preset| Some(Cow::Borrowed(&preset.label)))
}

/// "storyboard", "assets", "citations", "custom" or "run_input". Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_kind(preset: *const sprongus_preset) -> *const c_char {
    text::<Preset>(preset, "kind", |preset| Some(Cow::Borrowed(preset.kind.as_str())))
}

/// 1 and up within the label; 0 for no preset.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_version(preset: *const sprongus_preset) -> i64 {
    number::<Preset, _>(preset, 0, |preset| preset.version)
}

/// Its definition, a field list or a JSON Schema, as JSON. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_definition(preset: *const sprongus_preset) -> *const c_char {
    text::<Preset>(preset, "definition", |preset| Some(Cow::Borrowed(preset.definition.as_str())))
}

/// When it became immutable; NULL for a draft. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_published_at(preset: *const sprongus_preset) -> *const c_char {
    text::<Preset>(preset, "published_at", |preset| preset.published_at.map(|at| Cow::Owned(at.to_string())))
}

/// All of it as JSON. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_to_json(preset: *const sprongus_preset) -> *const c_char {
    text::<Preset>(preset, "json", |preset| json(preset).ok().map(Cow::Owned))
}

/// Frees a preset. NULL, what is no preset, and a preset of a list are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_free(preset: *mut sprongus_preset) {
    door::quiet(|| handle::free::<Record<Preset>>(preset));
}

/// How many presets there are; 0 for no list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_list_count(list: *const sprongus_preset_list) -> usize {
    record::count::<Preset>(list)
}

/// A preset, counted from 0. Borrowed; NULL where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_list_at(
    list: *const sprongus_preset_list,
    index: usize,
) -> *const sprongus_preset {
    record::at::<Preset>(list, index)
}

/// What to give as `cursor` for the next page; NULL on the last. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_list_next_cursor(list: *const sprongus_preset_list) -> *const c_char {
    record::next_cursor::<Preset>(list)
}

/// All of it as JSON: an object of items and nextCursor. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_list_to_json(list: *const sprongus_preset_list) -> *const c_char {
    record::list_json::<Preset>(list)
}

/// Frees presets. NULL and what is no list are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_preset_list_free(list: *mut sprongus_preset_list) {
    door::quiet(|| handle::free::<List<Preset>>(list));
}
