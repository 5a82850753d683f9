//! SQLite: the success of many runs by one statement, where there is nothing else to be kept of them.

use std::collections::HashSet;

use serde_json::Map;

use super::binds::Binds;
use super::change::assignments;
use super::model::Run;
use super::picked::{self, pick};
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
    let leases: HashSet<(&str, i64)> = items.iter().map(|item| (item.id.as_str(), item.lease)).collect();
    let select =
        format!("SELECT {} FROM sprongus_runs WHERE id IN (SELECT value FROM json_each($1))", picked::columns());
    let mut picked = pick(work, &select, &[Value::Json(ids(items).into())], |run| {
        run.state == from
            && leases.contains(&(run.id.as_str(), run.lease))
            && session.confined().is_none_or(|project| run.project_id.as_deref() == Some(project))
    })?;
    let (at, mut binds) = (work.options().clock.now(), Binds::default());
    let now = binds.add(at);
    let sets = format!("{}, error = NULL, output_ref = NULL", assignments(step, from, to, &now).join(", "));
    picked::write(work, &picked, &sets, binds)?;
    for run in &mut picked.runs {
        (run.state, run.state_code, run.version) = (to, to.code(false), run.version + 1);
        (run.updated_at, run.finished_at, run.lease_until) = (at, Some(at), None);
        (run.error, run.output_ref) = (None, None);
    }
    let told = Told { kind: step.event(), from: Some(from), to, actor: None, more: Map::new() };
    told.append_all(work, &picked.runs)?;
    if !picked.runs.is_empty() {
        signal(work, to);
    }
    tracing::debug!(runs = picked.runs.len(), ?step, "runs went on");
    Ok(picked.runs)
}

/// `["ID",…]`, where an id may stand twice.
fn ids(items: &[&Succeed]) -> String {
    let mut ids = String::with_capacity(items.len() * 32 + 2);
    for item in items {
        ids.push(if ids.is_empty() { '[' } else { ',' });
        quote(&item.id, &mut ids);
    }
    ids.push(']');
    ids
}
