//! Artifacts: versioned contents, never changed (DESIGN.md §9, §15 "Artifacts").

mod base64_opt;
mod content;
mod model;
mod put;
mod read;
mod rows;
mod zip;

use std::path::Path;

pub use model::{Artifact, ArtifactId, ArtifactKey, ArtifactVersions, ExportZip, ListArtifacts, PutArtifact};
pub(crate) use read::damaged_contents;

use crate::error::Result;
use crate::page::Page;
use crate::session::Session;

/// The artifacts of a store, or of an open transaction; from [`Store::artifacts`](crate::Store::artifacts) or
/// [`Tx::artifacts`](crate::Tx::artifacts).
///
/// ```
/// use sprongus::artifacts::{ArtifactKey, PutArtifact};
/// use sprongus::{Options, Store};
/// let store = Store::open(":memory:", Options::default())?;
/// let first = store.artifacts().put(&PutArtifact::text("report", "march", "first draft"))?;
/// let second = store.artifacts().put(&PutArtifact::text("report", "march", "second draft"))?;
/// assert_eq!((first.version, second.version), (1, 2));
/// let latest = store.artifacts().latest(&ArtifactKey::new("report", "march"))?;
/// assert_eq!(latest.content.as_deref(), Some(b"second draft".as_slice()));
/// # Ok::<(), sprongus::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Artifacts<'s> {
    session: Session<'s>,
}

impl<'s> Artifacts<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    /// All its waiting ends by one deadline.
    fn one_call(&self) -> Self {
        Self { session: self.session.one_call() }
    }

    /// Keeps a content as the next version of its kind and key in its project: one more than the highest, under any race. With
    /// `if_changed`, gives the latest version instead where its content has the same SHA-256, whatever else was told of it.
    ///
    /// The project is the one named, else a scoped handle's own, else that of the run. Nothing of an artifact is ever changed.
    ///
    /// Errors: `invalid_argument` (names, media type, several contents, a ref without sha256 and size, a sha256 or size that is
    /// not the content's, a run of another project), `too_large` (the content over `max_artifact_bytes`, the metadata over
    /// `max_payload_bytes`), `not_found` (no such run), `permission_denied`. Nothing is written then.
    pub fn put(&self, put: &PutArtifact) -> Result<Artifact> {
        let one_call = self.one_call();
        one_call.put_prepared(&one_call.prepare(put)?)
    }

    /// One artifact, with its content.
    ///
    /// Errors: `not_found`, of another project's to a scoped handle too; `corrupt` where the content is not the one that was put,
    /// by its SHA-256.
    pub fn get(&self, of: &ArtifactId) -> Result<Artifact> {
        self.do_get(&of.id)
    }

    /// The newest version of a kind and key, with its content.
    ///
    /// Errors: `not_found`, `permission_denied` (another project), `corrupt`.
    pub fn latest(&self, of: &ArtifactKey) -> Result<Artifact> {
        self.do_latest(of)
    }

    /// All versions of a kind and key, newest first, with their contents; none where there is no such key.
    ///
    /// A page ends before its limit, with a cursor, where its contents would be more than `max_artifact_bytes` together.
    ///
    /// Errors: `invalid_argument` (limit, cursor), `permission_denied` (another project), `corrupt`.
    pub fn versions(&self, of: &ArtifactVersions) -> Result<Page<Artifact>> {
        self.do_versions(of)
    }

    /// The latest of each kind and key, in that order, with their contents; pages as those of [`Artifacts::versions`].
    ///
    /// Errors: `invalid_argument` (limit, cursor), `permission_denied` (another project), `corrupt`.
    pub fn list(&self, which: &ListArtifacts) -> Result<Page<Artifact>> {
        self.do_list(which)
    }

    /// Writes the latest of each kind and key into a zip file; how many there are.
    ///
    /// The same contents give the same bytes, every time and in whatever order they were put: entries are ordered by kind and
    /// key, stored without compression and without a time. An entry is named `kind/key`, with every byte outside
    /// `[A-Za-z0-9._-]`, and a leading dot, percent-encoded. `manifest.json`, at the end, tells of each its kind, key, media
    /// type, size, SHA-256 and metadata, and its entry; or its ref where it is kept elsewhere.
    ///
    /// What is at the path stays until the whole file takes its place.
    ///
    /// Errors: `invalid_argument` (the path leads to a folder, a device or the store itself), `not_found` (its folder),
    /// `permission_denied`, `storage`, `storage_full`, `corrupt`.
    pub fn export_zip(&self, path: &Path, project: Option<&str>) -> Result<u64> {
        self.do_export_zip(path, project)
    }
}

/// The programs of the page on artifacts run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/artifacts.md")]
struct DocsPage;
