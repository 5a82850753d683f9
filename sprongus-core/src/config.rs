//! Small settings, of the store or of a project (DESIGN.md §9a).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorCode, Result};
use crate::json::Json;
use crate::session::Session;

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

/// The settings of a store, or of an open transaction; from [`Store::config`](crate::Store::config) or
/// [`Tx::config`](crate::Tx::config).
#[derive(Clone, Copy)]
pub struct Config<'s> {
    session: Session<'s>,
}

impl<'s> Config<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    /// One setting; `found` tells whether it is set.
    pub fn get(&self, _of: &GetConfig) -> Result<Setting> {
        self.soon()
    }

    /// Sets a setting.
    pub fn set(&self, _setting: &SetConfig) -> Result<()> {
        self.soon()
    }

    /// Removes a setting; nothing where it is not set.
    pub fn unset(&self, _which: &UnsetConfig) -> Result<()> {
        self.soon()
    }

    /// Settings by key.
    pub fn list(&self, _which: &ListConfig) -> Result<BTreeMap<String, Json>> {
        self.soon()
    }

    fn soon<T>(&self) -> Result<T> {
        self.session.core().check()?;
        Err(Error::new(ErrorCode::Unsupported, "settings are not there yet"))
    }
}
