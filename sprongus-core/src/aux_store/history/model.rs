//! What history shows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Timestamp;
use crate::json::Json;

/// One version of an entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntryVersion {
    /// 1 and up; goes on across deletion and re-creation.
    pub version: i64,
    /// The document as it was; none where this version is a deletion.
    pub snapshot: Option<Json>,
    /// `created`, `updated: title, year`, `deleted`, `restored from 3`.
    pub change_summary: String,
    /// Who made it.
    pub actor: String,
    /// Why, where the handle said so.
    pub reason: Option<String>,
    /// When: the database's clock.
    pub at: Timestamp,
}

/// A version, or whatever was there at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Moment {
    /// The version of that number.
    Version(i64),
    /// The version that was the present one then.
    At(Timestamp),
}

/// One difference between two documents: a leaf, or what was added or removed whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Where: a JSON Pointer (RFC 6901); arrays by index.
    pub path: String,
    /// What happened there.
    pub op: ChangeOp,
    /// What stood there before; null where it was added.
    pub old: Value,
    /// What stands there after; null where it was removed.
    pub new: Value,
}

/// What happened at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeOp {
    /// Nothing stood there before.
    Added,
    /// Nothing stands there any more.
    Removed,
    /// Another value.
    Changed,
}
