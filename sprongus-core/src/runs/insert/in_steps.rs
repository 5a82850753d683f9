//! SQLite: plain statements, for it keeps a journal of its own for every INSERT with a SELECT or RETURNING.

use std::sync::OnceLock;

use super::Judged;
use crate::db::Dialect;
use crate::error::Result;
use crate::fork::made_once;
use crate::presets;
use crate::runs::approvals::gates;
use crate::runs::lane;
use crate::runs::model::Run;
use crate::runs::ready::{COLUMNS, New, Ready, told};
use crate::runs::state::RunState;
use crate::session::Work;

pub(super) fn insert(work: &mut Work<'_>, ready: &Ready<'_>, judged: Judged) -> Result<Option<Run>> {
    static LOOK: OnceLock<String> = OnceLock::new();
    static INSERT: OnceLock<String> = OnceLock::new();
    let look = made_once(&LOOK, || {
        let unbound = presets::unbound_run(Dialect::Sqlite, "$1", Some("$2"));
        format!("SELECT {unbound}, {}", lane::is_limited("$1"))
    });
    let insert = made_once(&INSERT, || {
        let marks: Vec<String> = (1..=COLUMNS.len()).map(|n| format!("${n}")).collect();
        let (columns, marks) = (COLUMNS.join(", "), marks.join(", "));
        format!("INSERT INTO sprongus_runs ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING")
    });
    let kind = [ready.request.kind.as_str().into(), ready.project.unwrap_or_default().into()];
    let (mut unbound, mut limited) = (false, false);
    if let Some(row) = work.query(look, &kind)?.first() {
        (unbound, limited) = (row.bool(0)?, row.bool(1)?);
    }
    if judged == Judged::NoPreset && !unbound {
        return Ok(None);
    }
    let new = New::of(ready, work.options().clock.now(), limited)?;
    if work.execute(insert, &new.values(Dialect::Sqlite))? == 0 {
        return Ok(None);
    }
    told(new.run.state).append(work, &new.run)?;
    if new.run.state == RunState::AwaitingApproval {
        work.execute(&gates("sprongus_runs WHERE id = $1"), &[(&ready.id).into()])?;
    }
    Ok(Some(new.run))
}
