//! What goes into and comes out of the calls on settings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::json::Json;

/// A setting, as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Setting {
    /// Its key.
    pub key: String,
    /// Its value; null where it is not set.
    pub value: Json,
    /// Whether it is set: null is a value like any other.
    pub found: bool,
}

/// Names a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetConfig {
    /// Its key: 1–128 of `a-z 0-9 . _ : -`.
    pub key: String,
    /// The project; a scoped handle's own where none is given, else the store.
    #[serde(default)]
    pub project: Option<String>,
}

impl GetConfig {
    /// That setting of the store, or of a scoped handle's project.
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), project: None }
    }
}

/// A setting and its new value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetConfig {
    /// Its key: 1–128 of `a-z 0-9 . _ : -`.
    pub key: String,
    /// Any JSON value, null included.
    pub value: Json,
    /// The project; a scoped handle's own where none is given, else the store.
    #[serde(default)]
    pub project: Option<String>,
}

impl SetConfig {
    /// That setting of the store, or of a scoped handle's project.
    pub fn new(key: impl Into<String>, value: Json) -> Self {
        Self { key: key.into(), value, project: None }
    }
}

/// Names a setting that is to be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnsetConfig {
    /// Its key.
    pub key: String,
    /// The project; a scoped handle's own where none is given, else the store.
    #[serde(default)]
    pub project: Option<String>,
}

impl UnsetConfig {
    /// That setting of the store, or of a scoped handle's project.
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), project: None }
    }
}

/// Which settings are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListConfig {
    /// What their keys begin with; nothing for all.
    #[serde(default)]
    pub prefix: String,
    /// The project; a scoped handle's own where none is given, else the store.
    #[serde(default)]
    pub project: Option<String>,
}
