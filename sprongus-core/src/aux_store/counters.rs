//! What this process has done to the tables since the store was opened (`store.stats`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ErrorCode, Result, Violation};
use crate::scope::Scope;
use crate::session::{Core, Session, Tallies, Tally, locked};
use crate::telemetry::{Histogram, Latency};

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

/// What a store has counted.
#[derive(Default)]
pub(crate) struct Counters {
    tables: Mutex<Tallies>,
    /// By project; under no name, all.
    syncs: Mutex<BTreeMap<Option<String>, Syncs>>,
}

#[derive(Default)]
struct Syncs {
    failed: u64,
    latency: Histogram,
}

/// Counts what a commit has made durable.
pub(crate) fn add(core: &Core, tallies: Tallies) {
    if !tallies.is_empty() {
        locked(&core.shared::<Counters>().tables).add_all(tallies);
    }
}

/// Counts documents of a table that were refused.
pub(super) fn refused(core: &Core, project: &str, table: &str, documents: u64) {
    let tally = Tally { refused: documents, ..Tally::default() };
    locked(&core.shared::<Counters>().tables).add(project, table, tally);
}

/// Counts a sync that has ended, dry runs included.
pub(crate) fn synced(core: &Core, project: &str, took: Duration, failed: bool) {
    let counters = core.shared::<Counters>();
    let mut syncs = locked(&counters.syncs);
    for of in [None, Some(project.to_owned())] {
        let syncs = syncs.entry(of).or_default();
        syncs.failed += u64::from(failed);
        syncs.latency.add(took);
    }
}

/// Whether an error means that a document was refused, and not that something else was amiss.
pub(super) fn is_refusal(code: ErrorCode) -> bool {
    use ErrorCode::{Conflict, Referenced, ReservedField, SecretDetected, TooLarge, Validation};
    matches!(code, Conflict | Referenced | ReservedField | SecretDetected | TooLarge | Validation)
}

/// How many rows the violations of a bulk call are of.
pub(super) fn rows_of(violations: &[Violation]) -> u64 {
    violations.iter().filter_map(|one| one.row).collect::<BTreeSet<_>>().len() as u64
}

/// The counters that a handle may see.
pub(crate) fn of(session: Session<'_>) -> Result<StoreStats> {
    session.allow(Scope::AuxRead)?;
    session.core().check()?;
    let counters = session.core().shared::<Counters>();
    let tables =
        locked(&counters.tables).iter().filter(|(project, ..)| session.sees(Some(project))).map(table).collect();
    let syncs = locked(&counters.syncs);
    let syncs = syncs.get(&session.confined().map(str::to_owned)).map(Syncs::stats).unwrap_or_default();
    Ok(StoreStats { tables, syncs })
}

fn table((project, table, tally): (&str, &str, Tally)) -> TableStats {
    let Tally { created, updated, deleted, refused } = tally;
    TableStats { project_id: project.to_owned(), table_name: table.to_owned(), created, updated, deleted, refused }
}

impl Syncs {
    fn stats(&self) -> SyncStats {
        let latency = self.latency.latency();
        SyncStats { count: latency.count, failed: self.failed, latency }
    }
}
