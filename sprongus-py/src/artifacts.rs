//! `Artifacts`.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};
use sprongus::artifacts::{ArtifactId, ArtifactKey, ArtifactVersions, ListArtifacts, PutArtifact};

use crate::args::{Text, Whole, text};
use crate::ground::Ground;
use crate::records::Artifact;
use crate::{json_in, pages};

/// Versioned contents that never change: reports, outputs of runs, files. Reading takes the scope `runs:read`, putting
/// `runs:write`.
///
/// >>> first = store.artifacts.put("report", "sales", {"total": 42}, project="p1")
/// >>> store.artifacts.put("report", "sales", {"total": 43}, project="p1").version
/// 2
/// >>> store.artifacts.latest("report", "sales", project="p1").json()
/// {'total': 43}
#[pyclass(module = "sprongus", frozen)]
pub(crate) struct Artifacts {
    ground: Ground,
}

impl Artifacts {
    pub(crate) fn new(ground: Ground) -> Self {
        Self { ground }
    }
}

#[pymethods]
impl Artifacts {
    /// Keeps a content as the next version of its kind and key.
    ///
    /// content: JSON, kept in canonical form; a str is text, bytes are bytes. media_type: the content tells where it is not
    /// given. if_changed: gives the latest version where its content is the same. ref, sha256, size: of a content kept
    /// elsewhere. Raises `TooLargeError` over `max_artifact_bytes`, `ValidationError` for what has no JSON form.
    ///
    /// >>> kept = store.artifacts.put("page", "index", "<h1>Coburg</h1>", media_type="text/html")
    /// >>> kept.content, kept.size
    /// (b'<h1>Coburg</h1>', 15)
    /// >>> store.artifacts.put("page", "index", "<h1>Coburg</h1>", if_changed=True).version
    /// 1
    #[pyo3(
        signature = (
            kind, key, content = None, *, project = None, run = None, media_type = None, metadata = None,
            if_changed = false, r#ref = None, sha256 = None, size = None
        ),
        text_signature = "($self, kind, key, content=None, *, project=None, run=None, media_type=None, metadata=None, \
                          if_changed=False, ref=None, sha256=None, size=None)"
    )]
    #[allow(clippy::too_many_arguments)] // Python's keyword arguments
    fn put<'py>(
        &self,
        py: Python<'py>,
        kind: Text,
        key: Text,
        content: Option<Bound<'py, PyAny>>,
        project: Option<Text>,
        run: Option<Text>,
        media_type: Option<Text>,
        metadata: Option<Bound<'py, PyAny>>,
        if_changed: bool,
        r#ref: Option<Text>,
        sha256: Option<Text>,
        size: Option<Whole>,
    ) -> PyResult<Bound<'py, Artifact>> {
        let put = PutArtifact {
            kind: kind.0,
            key: key.0,
            project: text(project),
            run: text(run),
            media_type: text(media_type),
            metadata: metadata.map(|metadata| json_in::document(&metadata)).transpose()?,
            if_changed,
            reference: text(r#ref),
            sha256: text(sha256),
            size: size.map(|size| size.0),
            ..content_of(content.as_ref())?
        };
        Artifact::make(py, self.ground.artifacts(py, |artifacts| artifacts.put(&put))?)
    }

    /// The artifact of that id; `NotFoundError` where there is none.
    fn get<'py>(&self, py: Python<'py>, id: Text) -> PyResult<Bound<'py, Artifact>> {
        let id = ArtifactId { id: id.0 };
        Artifact::make(py, self.ground.artifacts(py, |artifacts| artifacts.get(&id))?)
    }

    /// The newest version of a kind and key; `NotFoundError` where there is none.
    #[pyo3(signature = (kind, key, *, project = None))]
    fn latest<'py>(
        &self,
        py: Python<'py>,
        kind: Text,
        key: Text,
        project: Option<Text>,
    ) -> PyResult<Bound<'py, Artifact>> {
        let key = ArtifactKey { kind: kind.0, key: key.0, project: text(project) };
        Artifact::make(py, self.ground.artifacts(py, |artifacts| artifacts.latest(&key))?)
    }

    /// A page of the versions of a kind and key, newest first.
    #[pyo3(
        signature = (kind, key, *, project = None, limit = Whole(50), cursor = None),
        text_signature = "($self, kind, key, *, project=None, limit=50, cursor=None)"
    )]
    fn versions<'py>(
        &self,
        py: Python<'py>,
        kind: Text,
        key: Text,
        project: Option<Text>,
        limit: Whole,
        cursor: Option<Text>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let of =
            ArtifactVersions { kind: kind.0, key: key.0, project: text(project), limit: limit.0, cursor: text(cursor) };
        pages::page(py, self.ground.artifacts(py, |artifacts| artifacts.versions(&of))?, Artifact::make)
    }

    /// A page of the latest of each kind and key, in that order.
    #[pyo3(
        signature = (*, project = None, kind = None, limit = Whole(50), cursor = None),
        text_signature = "($self, *, project=None, kind=None, limit=50, cursor=None)"
    )]
    fn list<'py>(
        &self,
        py: Python<'py>,
        project: Option<Text>,
        kind: Option<Text>,
        limit: Whole,
        cursor: Option<Text>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let which = ListArtifacts { project: text(project), kind: text(kind), limit: limit.0, cursor: text(cursor) };
        pages::page(py, self.ground.artifacts(py, |artifacts| artifacts.list(&which))?, Artifact::make)
    }

    /// Writes the latest of each kind and key into a zip file, the same bytes every time; how many there are.
    ///
    /// >>> kept = store.artifacts.put("report", "sales", {"total": 42}, project="p2")
    /// >>> store.artifacts.export_zip("p2.zip", project="p2")
    /// 1
    #[pyo3(signature = (path, *, project = None))]
    fn export_zip(&self, py: Python<'_>, path: PathBuf, project: Option<Text>) -> PyResult<u64> {
        let project = text(project);
        self.ground.artifacts(py, |artifacts| artifacts.export_zip(&path, project.as_deref()))
    }
}

/// A str as text, what holds bytes as bytes, all else as JSON.
pub(crate) fn content_of(content: Option<&Bound<'_, PyAny>>) -> PyResult<PutArtifact> {
    let nothing = PutArtifact::default();
    let Some(content) = content else { return Ok(nothing) };
    if content.is_instance_of::<PyString>() {
        return Ok(PutArtifact { text: Some(content.extract::<Text>()?.0), ..nothing });
    }
    if let Ok(bytes) = content.cast::<PyBytes>() {
        return Ok(PutArtifact { bytes: Some(bytes.as_bytes().to_vec()), ..nothing });
    }
    if content.is_instance_of::<PyByteArray>() || content.is_instance_of::<PyMemoryView>() {
        let bytes = content.py().get_type::<PyBytes>().call1((content,))?;
        return content_of(Some(&bytes));
    }
    Ok(PutArtifact { json: Some(json_in::document(content)?), ..nothing })
}
