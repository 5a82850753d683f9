//! `Artifact`.

use pyo3::prelude::*;
use sprongus::{Error, Json, Violation};

use crate::error::raised;
use crate::json_out;

super::record! {
    /// One version of a content; it never changes.
    Artifact(it: sprongus::artifacts::Artifact) {
        /// Its id.
        id = it.id;
        /// The project it belongs to, if any.
        project_id = it.project_id;
        /// The run that made it, if one did.
        run_id = it.run_id;
        /// What it is: "report", "run.output", "sync.diff", …
        kind = it.kind;
        /// Which one of its kind.
        key = it.key;
        /// 1 and up, without gaps.
        version = it.version;
        /// "application/json", "text/plain; charset=utf-8", "application/octet-stream", or as given.
        media_type = it.media_type;
        /// Its bytes; None where `ref` says where they are kept.
        content = it.content;
        /// Where the content is kept, if elsewhere.
        r#ref = it.reference;
        /// SHA-256 of the content, hexadecimal.
        sha256 = it.sha256;
        /// Its size in bytes.
        size = it.size;
        /// Whatever else was told of it.
        metadata = it.metadata;
        /// When it was put: the database's clock.
        created_at = it.created_at;
    }
}

#[pymethods]
impl Artifact {
    /// The content as JSON.
    ///
    /// Raises `ValidationError` where it is not JSON, `InvalidArgumentError` where it is kept elsewhere.
    ///
    /// >>> store.artifacts.put("report", "sales", {"total": 42}).json()
    /// {'total': 42}
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let refused = |error: Error| raised(py, &error);
        let Some(content) = &self.inner().content else {
            return Err(refused(Error::invalid("the content is kept elsewhere: `ref` says where")));
        };
        let not_text =
            |_| Error::validation(vec![Violation::new("", "json", "the content is not UTF-8, so it is no JSON")]);
        let text = std::str::from_utf8(content).map_err(|error| refused(not_text(error)))?;
        json_out::document(py, &Json::parse(text).map_err(refused)?)
    }
}
