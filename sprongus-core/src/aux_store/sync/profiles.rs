//! Profiles of providers: a name, a kind and a config that holds no secrets (DESIGN.md §15 "Sync").

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::scope::Scope;
use crate::session::Session;

/// How a source is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Its name, as syncs give it.
    pub name: String,
    /// `csv`, `json`, `notion`, or one a host registers.
    pub kind: String,
    /// What its provider needs; secrets as `{"$secret": name}`.
    pub config: Map<String, Value>,
    /// When it was last put.
    pub updated_at: Timestamp,
}

/// A profile to be kept under a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PutProfile {
    /// Its name: 1–512 bytes, no colon.
    pub name: String,
    /// The kind of its provider.
    pub kind: String,
    /// What its provider needs; secrets only as `{"$secret": name}`.
    #[serde(default)]
    pub config: Map<String, Value>,
}

/// Names a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProfileName {
    /// Its name.
    pub name: String,
}

/// The providers of a store: profiles kept in the database, and kinds that this process knows.
#[derive(Clone, Copy)]
pub struct Providers<'s> {
    session: Session<'s>,
}

impl<'s> Providers<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    /// Keeps a profile, in the place of the one of that name.
    pub fn put(&self, _put: &PutProfile) -> Result<Profile> {
        self.session.allow(Scope::Admin)?;
        Err(Error::new(ErrorCode::Unsupported, "not yet"))
    }

    /// One profile.
    pub fn get(&self, _name: &ProfileName) -> Result<Profile> {
        self.session.allow(Scope::AuxRead)?;
        Err(Error::new(ErrorCode::Unsupported, "not yet"))
    }

    /// All profiles, by name.
    pub fn list(&self) -> Result<Vec<Profile>> {
        self.session.allow(Scope::AuxRead)?;
        Err(Error::new(ErrorCode::Unsupported, "not yet"))
    }

    /// Removes a profile.
    pub fn delete(&self, _name: &ProfileName) -> Result<()> {
        self.session.allow(Scope::Admin)?;
        Err(Error::new(ErrorCode::Unsupported, "not yet"))
    }
}
