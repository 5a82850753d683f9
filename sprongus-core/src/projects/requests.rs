//! What goes into the calls on projects.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::page::DEFAULT_LIMIT;

/// A project to be created.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateProject {
    /// What it is called: 1–512 bytes without control characters.
    pub name: String,
    /// Its id: 1–128 bytes; a ULID where none is given.
    #[serde(default)]
    pub id: Option<String>,
    /// Its slug: at most 64 of `a-z 0-9 -`, no hyphen at an end or beside another; made from the name where none is given.
    #[serde(default)]
    pub slug: Option<String>,
    /// Whose it is: 1–512 bytes.
    #[serde(default)]
    pub owner: Option<String>,
}

impl CreateProject {
    /// A project of that name; its id and slug are made.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// Names a project by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProjectId {
    /// Its id.
    pub id: String,
}

impl ProjectId {
    /// The project of that id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// What is to change of a project's record; what is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateProject {
    /// Its id.
    pub id: String,
    /// The new name; the slug stays as it is.
    #[serde(default)]
    pub name: Option<String>,
    /// The new slug.
    #[serde(default)]
    pub slug: Option<String>,
    /// The new owner; an empty text takes it away.
    #[serde(default)]
    pub owner: Option<String>,
    /// The new status: 1–64 of `a-z 0-9 _ -`.
    #[serde(default)]
    pub status: Option<String>,
}

impl UpdateProject {
    /// No change yet.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }
}

/// Which projects are listed: those last changed come first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListProjects {
    /// Of that owner alone.
    #[serde(default)]
    pub owner: Option<String>,
    /// Projects of a page, 0 to 1,000.
    #[serde(default = "default_limit")]
    pub limit: i64,
    /// `nextCursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Default for ListProjects {
    fn default() -> Self {
        Self { owner: None, limit: DEFAULT_LIMIT, cursor: None }
    }
}

/// Where the workspace data model is to be installed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstallProject {
    /// The project; a scoped handle's own where none is given, else all projects.
    #[serde(default)]
    pub project: Option<String>,
}

/// What an installation bound.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Installed {
    /// The tables that were bound by this call, by name.
    pub tables: Vec<String>,
}

/// Names a project that is to be deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteProject {
    /// Its id.
    pub id: String,
    /// Delete it with everything it owns, rather than refuse while it owns anything.
    #[serde(default)]
    pub cascade: bool,
}

impl DeleteProject {
    /// Deletes it if it owns nothing.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), cascade: false }
    }

    /// Deletes it with everything it owns.
    pub fn cascade(id: impl Into<String>) -> Self {
        Self { id: id.into(), cascade: true }
    }
}

fn default_limit() -> i64 {
    DEFAULT_LIMIT
}
