//! Custom tables that are others than the catalog says.

use super::{Finding, listed};
use crate::error::Result;
use crate::session::Session;
use crate::tables;

pub(super) fn look(session: Session<'_>) -> Result<Vec<Finding>> {
    let drift = session.read_snapshot(tables::drift)?;
    if drift.is_empty() {
        return Ok(Vec::new());
    }
    let message = format!("custom tables are not as they were created: {}", listed(&drift));
    let fix = "undo by SQL what was changed by hand, or drop the table (tables.drop) and create it again";
    Ok(vec![Finding::error("table_drift", message, fix)])
}
