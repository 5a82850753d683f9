//! What a bulk write tells: its event, and its warnings.

use serde_json::{Value as JsonValue, json};

use crate::aux_store::model::BulkReport;
use crate::aux_store::refs::DANGLING;
use crate::aux_store::rows::{self, Place};
use crate::db::Row;
use crate::error::{Result, Violation};
use crate::session::{Tally, Work};

/// The warning of an entry that refers to one that is deleted.
pub(super) fn bereft_referrer(id: String, field: &str, table: &str) -> Violation {
    let message = format!("the entry that {field} of the table {table:?} refers to is deleted");
    Violation { id: Some(id), ..Violation::new("", DANGLING, message) }
}

/// The warning of a row whose place a later one of the same id takes.
pub(super) fn repeated(row: u64, id: &str) -> Violation {
    let warning = Violation::new("", "duplicate_id", "a later row has the same id and takes its place");
    Violation { row: Some(row), id: Some(id.to_owned()), ..warning }
}

/// One event for the whole call.
pub(super) fn audit(work: &mut Work<'_>, place: Place<'_>, report: &BulkReport, rows: u64) -> Result<()> {
    let BulkReport { created, updated, deleted, .. } = *report;
    work.after.tallies.add(place.project, place.table, Tally { created, updated, deleted, refused: 0 });
    let payload: JsonValue = json!({
        "rows": rows, "created": report.created, "updated": report.updated, "unchanged": report.unchanged,
        "deleted": report.deleted, "errors": report.errors.len(), "warnings": report.warnings.len(),
    });
    rows::tell_of_table(work, place, "aux.imported", &payload)
}

pub(super) fn unsigned(row: &Row, index: usize) -> Result<u64> {
    Ok(row.int(index)?.unsigned_abs())
}
