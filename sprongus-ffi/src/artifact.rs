//! `sprongus_artifact` and `sprongus_artifact_list`: versioned contents.

use std::borrow::Cow;
use std::ffi::{c_char, c_void};

use sprongus::artifacts::Artifact;

use crate::record::{self, List, Record, Shown, json, number, text};
use crate::{door, handle};

/// An artifact as it was when the call returned. Freed by sprongus_artifact_free, or with the list it came from.
pub struct sprongus_artifact {
    _opaque: [u8; 0],
}

/// Artifacts. Freed by sprongus_artifact_list_free, and its artifacts with it.
pub struct sprongus_artifact_list {
    _opaque: [u8; 0],
}

impl Shown for Artifact {
    type One = sprongus_artifact;
    type Many = sprongus_artifact_list;
    const TAGS: [u8; 2] = [19, 20];
    const NAMES: [&'static str; 2] = ["sprongus_artifact", "sprongus_artifact_list"];
}

/// Its id. Borrowed; NULL for no artifact.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_id(artifact: *const sprongus_artifact) -> *const c_char {
    text::<Artifact>(artifact, "id", |artifact| Some(Cow::Borrowed(&artifact.id)))
}

/// The project it belongs to; NULL for none. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_project_id(artifact: *const sprongus_artifact) -> *const c_char {
    text::<Artifact>(artifact, "project_id", |artifact| artifact.project_id.as_deref().map(Cow::Borrowed))
}

/// The run that made it; NULL for none. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_run_id(artifact: *const sprongus_artifact) -> *const c_char {
    text::<Artifact>(artifact, "run_id", |artifact| artifact.run_id.as_deref().map(Cow::Borrowed))
}

/// What it is: "report", "run.output", "sync.diff". Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_kind(artifact: *const sprongus_artifact) -> *const c_char {
    text::<Artifact>(artifact, "kind", |artifact| Some(Cow::Borrowed(&artifact.kind)))
}

/// Which one of its kind. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_key(artifact: *const sprongus_artifact) -> *const c_char {
    text::<Artifact>(artifact, "key", |artifact| Some(Cow::Borrowed(&artifact.key)))
}

/// 1 and up, without gaps; 0 for no artifact.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_version(artifact: *const sprongus_artifact) -> i64 {
    number::<Artifact, _>(artifact, 0, |artifact| artifact.version)
}

/// "application/json", "text/plain; charset=utf-8", "application/octet-stream", or as it was given. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_media_type(artifact: *const sprongus_artifact) -> *const c_char {
    text::<Artifact>(artifact, "media_type", |artifact| Some(Cow::Borrowed(&artifact.media_type)))
}

/// The content, as many bytes as `*length` says, which may be NULL; a text is not NUL-terminated. Borrowed; NULL where
/// sprongus_artifact_ref says where it is kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_content(
    artifact: *const sprongus_artifact,
    length: *mut usize,
) -> *const c_void {
    let content = door::peek(None, || {
        let record = handle::peek::<Record<Artifact>>(artifact)?;
        // The record lives, at the same place, until the caller frees it.
        Some(record.value().content.as_ref().map(|bytes| (bytes.as_ptr(), bytes.len())))
    });
    let (bytes, count) = content.unwrap_or((std::ptr::null(), 0));
    if !length.is_null() {
        // SAFETY: not NULL; the caller promises that it may be written.
        unsafe { length.write(count) };
    }
    bytes.cast()
}

/// Where the content is kept, if elsewhere; NULL otherwise. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_ref(artifact: *const sprongus_artifact) -> *const c_char {
    text::<Artifact>(artifact, "ref", |artifact| artifact.reference.as_deref().map(Cow::Borrowed))
}

/// SHA-256 of the content, hexadecimal. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_sha256(artifact: *const sprongus_artifact) -> *const c_char {
    text::<Artifact>(artifact, "sha256", |artifact| Some(Cow::Borrowed(&artifact.sha256)))
}

/// Its size in bytes; 0 for no artifact.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_size(artifact: *const sprongus_artifact) -> i64 {
    number::<Artifact, _>(artifact, 0, |artifact| artifact.size)
}

/// Whatever else was told of it, as JSON. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_metadata(artifact: *const sprongus_artifact) -> *const c_char {
    text::<Artifact>(artifact, "metadata", |artifact| Some(Cow::Borrowed(artifact.metadata.as_str())))
}

/// When it was put. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_created_at(artifact: *const sprongus_artifact) -> *const c_char {
    text::<Artifact>(artifact, "created_at", |artifact| Some(Cow::Owned(artifact.created_at.to_string())))
}

/// All of it as JSON, the content as Base64. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_to_json(artifact: *const sprongus_artifact) -> *const c_char {
    text::<Artifact>(artifact, "json", |artifact| json(artifact).ok().map(Cow::Owned))
}

/// Frees an artifact. NULL, what is no artifact, and an artifact of a list are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_free(artifact: *mut sprongus_artifact) {
    door::quiet(|| handle::free::<Record<Artifact>>(artifact));
}

/// How many artifacts there are; 0 for no list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_list_count(list: *const sprongus_artifact_list) -> usize {
    record::count::<Artifact>(list)
}

/// An artifact, counted from 0. Borrowed; NULL where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_list_at(
    list: *const sprongus_artifact_list,
    index: usize,
) -> *const sprongus_artifact {
    record::at::<Artifact>(list, index)
}

/// What to give as `cursor` for the next page; NULL on the last. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_list_next_cursor(list: *const sprongus_artifact_list) -> *const c_char {
    record::next_cursor::<Artifact>(list)
}

/// All of it as JSON: an object of items and nextCursor. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_list_to_json(list: *const sprongus_artifact_list) -> *const c_char {
    record::list_json::<Artifact>(list)
}

/// Frees artifacts. NULL and what is no list are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifact_list_free(list: *mut sprongus_artifact_list) {
    door::quiet(|| handle::free::<List<Artifact>>(list));
}
