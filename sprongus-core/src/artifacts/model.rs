//! What goes into and comes out of the artifacts' calls.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::json::Json;
use crate::page::DEFAULT_LIMIT;

/// One version of a content. Nothing of it is ever changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// Its id.
    pub id: String,
    /// The project it belongs to, if any.
    pub project_id: Option<String>,
    /// The run that made it, if one did.
    pub run_id: Option<String>,
    /// What it is: `report`, `run.output`, `sync.diff`, …
    pub kind: String,
    /// Which one of its kind.
    pub key: String,
    /// 1 and up, without gaps.
    pub version: i64,
    /// `application/json`, `text/plain; charset=utf-8`, `application/octet-stream`, or as given.
    pub media_type: String,
    /// The bytes, Base64 (RFC 4648) in JSON; none where `ref` says where they are kept. Checked against `sha256` when read.
    #[serde(with = "super::base64_opt")]
    #[schemars(with = "Option<String>")]
    pub content: Option<Vec<u8>>,
    /// Where the content is kept, if elsewhere.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// SHA-256 of the content, hexadecimal.
    pub sha256: String,
    /// Its size in bytes.
    pub size: i64,
    /// Whatever else was told of it.
    pub metadata: Json,
    /// When it was put: the database's clock.
    pub created_at: Timestamp,
}

impl Artifact {
    /// The content as a document.
    ///
    /// # Errors
    /// `validation` where it is no JSON; `invalid_argument` where it is kept elsewhere.
    pub fn json(&self) -> Result<Json> {
        match &self.content {
            Some(content) => Json::parse(content),
            None => Err(Error::invalid("the content is kept elsewhere: ref says where")),
        }
    }
}

/// A content to be kept: at most one of `json`, `text`, `bytes` and `reference`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PutArtifact {
    /// What it is: 1–512 bytes.
    pub kind: String,
    /// Which one of its kind: 1–512 bytes.
    pub key: String,
    /// A JSON value, kept in canonical form; null where nothing at all is given.
    #[serde(default)]
    pub json: Option<Json>,
    /// A text.
    #[serde(default)]
    pub text: Option<String>,
    /// Bytes; Base64 in JSON.
    #[serde(default, with = "super::base64_opt")]
    #[schemars(with = "Option<String>")]
    pub bytes: Option<Vec<u8>>,
    /// Where the content is kept elsewhere; with `sha256` and `size`.
    #[serde(default, rename = "ref")]
    pub reference: Option<String>,
    /// Of a content kept elsewhere: its SHA-256, hexadecimal. Of another: what it must be.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Of a content kept elsewhere: its size in bytes. Of another: what it must be.
    #[serde(default)]
    pub size: Option<i64>,
    /// The project; a scoped handle's own where none is given, else that of the run.
    #[serde(default)]
    pub project: Option<String>,
    /// The run that makes it.
    #[serde(default)]
    pub run: Option<String>,
    /// Its media type (RFC 9110 §8.3.1); else `application/json` of a JSON value, `text/plain; charset=utf-8` of a text,
    /// `application/octet-stream` of bytes and of what is kept elsewhere.
    #[serde(default)]
    pub media_type: Option<String>,
    /// Whatever else is to be told of it: an object; kept as `{}` where it is null or not given.
    #[serde(default)]
    pub metadata: Option<Json>,
    /// Give the latest version instead of a new one where the content is the same.
    #[serde(default)]
    pub if_changed: bool,
}

impl PutArtifact {
    /// Null, until another content is set.
    pub fn new(kind: impl Into<String>, key: impl Into<String>) -> Self {
        Self { kind: kind.into(), key: key.into(), ..Self::default() }
    }

    /// A JSON value.
    pub fn json(kind: impl Into<String>, key: impl Into<String>, content: Json) -> Self {
        Self { json: Some(content), ..Self::new(kind, key) }
    }

    /// A text.
    pub fn text(kind: impl Into<String>, key: impl Into<String>, content: impl Into<String>) -> Self {
        Self { text: Some(content.into()), ..Self::new(kind, key) }
    }

    /// Bytes.
    pub fn bytes(kind: impl Into<String>, key: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self { bytes: Some(content.into()), ..Self::new(kind, key) }
    }
}

/// Names an artifact by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ArtifactId {
    /// Its id.
    pub id: String,
}

impl ArtifactId {
    /// The artifact of that id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// Names what has versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ArtifactKey {
    /// The kind.
    pub kind: String,
    /// The key.
    pub key: String,
    /// The project; a scoped handle's own where none is given, else those without one.
    #[serde(default)]
    pub project: Option<String>,
}

impl ArtifactKey {
    /// That kind and key without a project, or in a scoped handle's own.
    pub fn new(kind: impl Into<String>, key: impl Into<String>) -> Self {
        Self { kind: kind.into(), key: key.into(), project: None }
    }
}

/// Asks for the versions of a kind and key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ArtifactVersions {
    /// The kind.
    pub kind: String,
    /// The key.
    pub key: String,
    /// The project; a scoped handle's own where none is given, else those without one.
    #[serde(default)]
    pub project: Option<String>,
    /// Versions of a page, 0 to 1,000.
    #[serde(default = "default_limit")]
    pub limit: i64,
    /// `nextCursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl ArtifactVersions {
    /// Those of that kind and key without a project, or in a scoped handle's own: the first page.
    pub fn new(kind: impl Into<String>, key: impl Into<String>) -> Self {
        Self { kind: kind.into(), key: key.into(), project: None, limit: DEFAULT_LIMIT, cursor: None }
    }
}

/// Which artifacts are listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListArtifacts {
    /// The project; a scoped handle's own where none is given, else those without one.
    #[serde(default)]
    pub project: Option<String>,
    /// Of that kind alone.
    #[serde(default)]
    pub kind: Option<String>,
    /// Artifacts of a page, 0 to 1,000.
    #[serde(default = "default_limit")]
    pub limit: i64,
    /// `nextCursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Default for ListArtifacts {
    fn default() -> Self {
        Self { project: None, kind: None, limit: DEFAULT_LIMIT, cursor: None }
    }
}

/// Where the latest artifacts of a project are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExportZip {
    /// The zip file, where this process sees it.
    pub path: PathBuf,
    /// The project; a scoped handle's own where none is given, else those without one.
    #[serde(default)]
    pub project: Option<String>,
}

fn default_limit() -> i64 {
    DEFAULT_LIMIT
}
