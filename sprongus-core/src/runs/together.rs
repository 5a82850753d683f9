//! SQLite: the success of many runs by one statement, where there is nothing else to be kept of them.

use std::fmt::Write as _;

use serde_json::Map;

use super::binds::Binds;
use super::change::assignments;
use super::model::{COLUMNS, Run, read_run};
use super::record::{Told, signal};
use super::requests::Succeed;
use super::state::{RunState, Step};
use crate::db::Value;
use crate::error::Result;
use crate::json::quote;
use crate::session::{Session, Work};

/// Whether a success leaves neither an output nor a reference to one.
pub(super) fn is_plain(request: &Succeed) -> bool {
    request.output.is_none() && request.output_ref.is_none()
}

/// The runs that succeeded; those that are not running under that lease are passed over.
pub(super) fn succeed_together(session: Session<'_>, work: &mut Work<'_>, items: &[&Succeed]) -> Result<Vec<Run>> {
    let (step, from) = (Step::Succeed, RunState::Running);
    let Some(to) = step.from(from).filter(|_| !items.is_empty()) else { return Ok(Vec::new()) };
    let mut binds = Binds::default();
    let now = binds.now(work);
    let sets = assignments(step, from, to, &now).join(", ");
    let keys = binds.add(Value::Json(keys(items).into()));
    // By the ids alone: `||` keeps the planner from the indexes on project and state, and from all that is in them.
    let of_project = session.confined().map(|project| format!(" AND project_id || '' = {}", binds.add(project)));
    let sql = format!(
        "UPDATE sprongus_runs SET {sets}, error = NULL, output_ref = NULL WHERE (id, lease) IN \
         (SELECT key, value FROM json_each({keys})) AND state || '' = '{from}'{} RETURNING {COLUMNS}",
        of_project.unwrap_or_default()
    );
    let runs: Vec<Run> = work.query(&sql, binds.values())?.iter().map(read_run).collect::<Result<_>>()?;
    let told = Told { kind: step.event(), from: Some(from), to, actor: None, more: Map::new() };
    told.append_all(work, &runs)?;
    if !runs.is_empty() {
        signal(work, to);
    }
    tracing::debug!(runs = runs.len(), ?step, "runs went on");
    Ok(runs)
}

/// `{"ID":LEASE,…}`, where an id may stand twice.
fn keys(items: &[&Succeed]) -> String {
    let mut keys = String::with_capacity(items.len() * 32 + 2);
    for item in items {
        keys.push(if keys.is_empty() { '{' } else { ',' });
        quote(&item.id, &mut keys);
        // Writing into a string cannot fail.
        let _ = write!(keys, ":{}", item.lease);
    }
    keys.push('}');
    keys
}
