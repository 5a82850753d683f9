//! What is done with artifacts.

use std::ffi::{c_char, c_void};
use std::path::Path;

use sprongus::artifacts::{Artifact, ArtifactId, ArtifactKey, ArtifactVersions, ListArtifacts, PutArtifact};
use sprongus::page::DEFAULT_LIMIT;
use sprongus::{Error, Json, Result};

use crate::args::{self, Out, Plain};
use crate::artifact::{sprongus_artifact, sprongus_artifact_list};
use crate::error::sprongus_error;
use crate::flags::{self, SPRONGUS_IF_CHANGED};
use crate::record::{List, Record};
use crate::{door, target};

/// The content is bytes.
pub const SPRONGUS_CONTENT_BYTES: i32 = 0;
/// The content is UTF-8 text.
pub const SPRONGUS_CONTENT_TEXT: i32 = 1;
/// The content is JSON, kept in canonical form.
pub const SPRONGUS_CONTENT_JSON: i32 = 2;

/// What is told of a content; zero is the default of each. Begin with `SPRONGUS_INIT(options)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sprongus_artifact_options {
    /// `sizeof(sprongus_artifact_options)`.
    pub struct_size: usize,
    /// SPRONGUS_CONTENT_….
    pub content: i32,
    /// 0 or SPRONGUS_IF_CHANGED.
    pub flags: u32,
    /// The project; NULL: a scoped handle's own, else none.
    pub project: *const c_char,
    /// The run that makes it.
    pub run: *const c_char,
    /// Its media type; NULL: as the content is.
    pub media_type: *const c_char,
    /// Whatever else is to be told of it, as JSON.
    pub metadata: *const c_char,
    /// Where the content is kept elsewhere; with `sha256` and `size`, and no bytes then.
    pub reference: *const c_char,
    /// SHA-256 of a content kept elsewhere, hexadecimal.
    pub sha256: *const c_char,
    /// Size in bytes of a content kept elsewhere.
    pub size: i64,
}

// SAFETY: `repr(C)`, begins with its size, integers and pointers alone.
unsafe impl Plain for sprongus_artifact_options {}

/// Keeps a content of `length` bytes as the next version of its kind and key; never changed afterwards.
///
/// `options` may be NULL: bytes without a project. With SPRONGUS_IF_CHANGED, a content equal to the latest version's gives
/// that one. `artifact` may be NULL. Errors: `too_large`, `not_found` (the run), `validation` (not JSON, the metadata),
/// `invalid_argument`.
///
/// ```c
/// sprongus_artifact_options options;
/// SPRONGUS_INIT(options);
/// options.content = SPRONGUS_CONTENT_TEXT;
/// options.project = "p1";
/// sprongus_artifacts_put(store, "report", "2026-11", "all well", 8, &options, NULL, &error);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifacts_put(
    store_or_tx: *const c_void,
    kind: *const c_char,
    key: *const c_char,
    content: *const c_char,
    length: usize,
    options: *const sprongus_artifact_options,
    artifact: *mut *mut sprongus_artifact,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text, bytes, structs and out-pointers.
        let (out, request) = unsafe { (args::place_opt(artifact), asked(kind, key, content, length, options)?) };
        give(out, target::on(store_or_tx, |on| on.artifacts().put(&request))?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// What is to be kept.
///
/// # Safety
/// The texts are NULL or terminated, `content` is readable for `length` bytes, `options` is NULL or a struct of the size it says.
pub(crate) unsafe fn asked(
    kind: *const c_char,
    key: *const c_char,
    content: *const c_char,
    length: usize,
    options: *const sprongus_artifact_options,
) -> Result<PutArtifact> {
    // SAFETY: the same promise.
    unsafe {
        let (kind, key) = (args::text("kind", kind)?.to_owned(), args::text("key", key)?.to_owned());
        let (given, content) = (args::plain("options", options)?, args::bytes("content", content, length)?);
        put(PutArtifact { kind, key, ..PutArtifact::default() }, content, &given)
    }
}

/// # Safety
/// The texts of `given` are NULL or terminated.
unsafe fn put(new: PutArtifact, content: &[u8], given: &sprongus_artifact_options) -> Result<PutArtifact> {
    let flags = flags::check(given.flags, SPRONGUS_IF_CHANGED)?;
    // SAFETY: the caller's promise.
    let mut put = unsafe {
        PutArtifact {
            project: args::owned_opt("options.project", given.project)?,
            run: args::owned_opt("options.run", given.run)?,
            media_type: args::owned_opt("options.media_type", given.media_type)?,
            metadata: args::text_opt("options.metadata", given.metadata)?.map(Json::parse).transpose()?,
            reference: args::owned_opt("options.reference", given.reference)?,
            sha256: args::owned_opt("options.sha256", given.sha256)?,
            if_changed: flags & SPRONGUS_IF_CHANGED != 0,
            ..new
        }
    };
    if put.reference.is_some() {
        if !content.is_empty() {
            return Err(Error::invalid("content is kept elsewhere (options.reference) and given as well"));
        }
        put.size = Some(given.size);
        return Ok(put);
    }
    match given.content {
        SPRONGUS_CONTENT_BYTES => put.bytes = Some(content.to_vec()),
        SPRONGUS_CONTENT_TEXT => put.text = Some(args::utf8("content", content)?.to_owned()),
        SPRONGUS_CONTENT_JSON => put.json = Some(Json::parse(content)?),
        _ => return Err(Error::invalid("options.content is SPRONGUS_CONTENT_BYTES, _TEXT or _JSON")),
    }
    Ok(put)
}

pub(crate) fn give(out: Out<*mut sprongus_artifact>, artifact: Artifact) -> Result<()> {
    out.give(Record::from(artifact))
}

/// One artifact. Errors: `not_found`, `corrupt` (its content has another SHA-256 than it had).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifacts_get(
    store_or_tx: *const c_void,
    id: *const c_char,
    artifact: *mut *mut sprongus_artifact,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, id) = unsafe { (args::place("artifact", artifact)?, args::text("id", id)?.to_owned()) };
        give(out, target::on(store_or_tx, |on| on.artifacts().get(&ArtifactId { id }))?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// The newest version of a kind and key. `project` may be NULL: a scoped handle's own, else none. Errors: as
/// sprongus_artifacts_get.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifacts_latest(
    store_or_tx: *const c_void,
    kind: *const c_char,
    key: *const c_char,
    project: *const c_char,
    artifact: *mut *mut sprongus_artifact,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, request) = unsafe {
            let out = args::place("artifact", artifact)?;
            let (kind, key) = (args::text("kind", kind)?.to_owned(), args::text("key", key)?.to_owned());
            let project = args::owned_opt("project", project)?;
            (out, ArtifactKey { kind, key, project })
        };
        give(out, target::on(store_or_tx, |on| on.artifacts().latest(&request))?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// A page of the versions of a kind and key, newest first; `limit` is how many (up to 1,000; 0: 50), `cursor` NULL or the
/// list's before. `project` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifacts_versions(
    store_or_tx: *const c_void,
    kind: *const c_char,
    key: *const c_char,
    project: *const c_char,
    limit: i64,
    cursor: *const c_char,
    artifacts: *mut *mut sprongus_artifact_list,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, request) = unsafe {
            let out = args::place("artifacts", artifacts)?;
            let request = ArtifactVersions {
                kind: args::text("kind", kind)?.to_owned(),
                key: args::text("key", key)?.to_owned(),
                project: args::owned_opt("project", project)?,
                limit: args::limit(limit, DEFAULT_LIMIT),
                cursor: args::owned_opt("cursor", cursor)?,
            };
            (out, request)
        };
        out.give(List::page(&target::on(store_or_tx, |on| on.artifacts().versions(&request))?)?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// A page of the latest of each kind and key, in that order; of one `kind` alone where it is not NULL. `limit` and `cursor` as
/// of sprongus_artifacts_versions; `project` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifacts_list(
    store_or_tx: *const c_void,
    project: *const c_char,
    kind: *const c_char,
    limit: i64,
    cursor: *const c_char,
    artifacts: *mut *mut sprongus_artifact_list,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, request) = unsafe {
            let out = args::place("artifacts", artifacts)?;
            let request = ListArtifacts {
                project: args::owned_opt("project", project)?,
                kind: args::owned_opt("kind", kind)?,
                limit: args::limit(limit, DEFAULT_LIMIT),
                cursor: args::owned_opt("cursor", cursor)?,
            };
            (out, request)
        };
        out.give(List::page(&target::on(store_or_tx, |on| on.artifacts().list(&request))?)?)
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}

/// Writes the latest of each kind and key into a zip file, the same bytes every time; `count`, which may be NULL, is how many
/// there are. `project` may be NULL. Errors: `not_found` (its folder), `permission_denied`, `storage_full`, `storage`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_artifacts_export_zip(
    store_or_tx: *const c_void,
    path: *const c_char,
    project: *const c_char,
    count: *mut u64,
    error: *mut *mut sprongus_error,
) -> i32 {
    let body = || {
        // SAFETY: the caller's promises for text and out-pointers.
        let (out, path, project) =
            unsafe { (Out::optional(count, 0), args::text("path", path)?, args::text_opt("project", project)?) };
        out.set(target::on(store_or_tx, |on| on.artifacts().export_zip(Path::new(path), project))?);
        Ok(())
    };
    // SAFETY: `error` is the caller's to be written.
    unsafe { door::call(error, body) }
}
