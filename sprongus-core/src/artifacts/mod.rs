//! Artifacts: versioned contents, never changed (DESIGN.md §9, §15 "Artifacts").

mod base64_opt;
mod model;

use std::path::Path;

pub use model::{Artifact, ArtifactId, ArtifactKey, ArtifactVersions, ExportZip, ListArtifacts, PutArtifact};

use crate::error::{Error, ErrorCode, Result};
use crate::page::Page;
use crate::scope::Scope;
use crate::session::Session;

/// The artifacts of a store, or of an open transaction.
#[derive(Clone, Copy)]
pub struct Artifacts<'s> {
    session: Session<'s>,
}

fn unfinished<T>() -> Result<T> {
    Err(Error::new(ErrorCode::Unsupported, "not yet"))
}

impl<'s> Artifacts<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    /// Keeps a content as the next version of its kind and key.
    pub fn put(&self, _put: &PutArtifact) -> Result<Artifact> {
        self.session.allow(Scope::RunsWrite)?;
        unfinished()
    }

    /// One artifact.
    pub fn get(&self, _id: &ArtifactId) -> Result<Artifact> {
        self.session.allow(Scope::RunsRead)?;
        unfinished()
    }

    /// The newest version of a kind and key.
    pub fn latest(&self, _key: &ArtifactKey) -> Result<Artifact> {
        self.session.allow(Scope::RunsRead)?;
        unfinished()
    }

    /// All versions of a kind and key, newest first.
    pub fn versions(&self, _of: &ArtifactVersions) -> Result<Page<Artifact>> {
        self.session.allow(Scope::RunsRead)?;
        unfinished()
    }

    /// The latest of each kind and key, in that order.
    pub fn list(&self, _which: &ListArtifacts) -> Result<Page<Artifact>> {
        self.session.allow(Scope::RunsRead)?;
        unfinished()
    }

    /// Writes the latest of each kind and key into a zip file: the same bytes every time; how many there are.
    pub fn export_zip(&self, _path: &Path, _project: Option<&str>) -> Result<u64> {
        self.session.allow(Scope::RunsRead)?;
        unfinished()
    }
}
