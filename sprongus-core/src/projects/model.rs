//! A project, as it is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// The status of a new project.
pub const ACTIVE: &str = "active";

/// A project's record. Its id is what runs, entries and all else of the project carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// Its id: 1–128 bytes.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Its name in addresses and paths, unique in the store: lower-case letters, digits and single hyphens between them.
    pub slug: String,
    /// Whose it is, if anybody's: a name that means something to the host.
    pub owner: Option<String>,
    /// `active`, or what the host calls it.
    pub status: String,
    /// When it was created: the database's clock.
    pub created_at: Timestamp,
    /// When its record was last changed.
    pub updated_at: Timestamp,
}
