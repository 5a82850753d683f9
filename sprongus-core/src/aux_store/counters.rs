//! What this process has done to the tables since the store was opened (`store.stats`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::scope::Scope;
use crate::session::Session;
use crate::telemetry::Latency;

/// Counters since this store was opened; rows made by syncs included.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoreStats {
    /// By table, ordered by project and table.
    pub tables: Vec<TableStats>,
    /// Syncs worked in this process.
    pub syncs: SyncStats,
}

/// What happened to a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TableStats {
    /// The project.
    pub project_id: String,
    /// The table.
    pub table_name: String,
    /// Entries created.
    pub created: u64,
    /// Entries given a new version.
    pub updated: u64,
    /// Entries deleted.
    pub deleted: u64,
    /// Documents refused: calls, and rows of bulk calls.
    pub refused: u64,
}

/// What became of syncs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncStats {
    /// Syncs that ended, dry runs included.
    pub count: u64,
    /// Of those, failed ones.
    pub failed: u64,
    /// How long they took.
    pub latency: Latency,
}

/// The counters that a handle may see.
pub(crate) fn of(session: Session<'_>) -> Result<StoreStats> {
    session.allow(Scope::AuxRead)?;
    Ok(StoreStats::default())
}
