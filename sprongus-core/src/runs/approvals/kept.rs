//! The SQL of approvals.

use super::model::{Approval, Decision, GATE};
use crate::db::{Executor, Row, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::json::Json;
use crate::runs::Run;
use crate::runs::binds::Binds;
use crate::session::{Session, Work};

/// The columns that [`read_approval`] reads, in its order.
pub(super) const COLUMNS: &str = "id, project_id, run_id, step, scope, intent_summary, decision, decided_by, decided_at, \
    note, metadata, created_at";

/// An approval from a row of [`COLUMNS`].
pub(super) fn read_approval(row: &Row) -> Result<Approval> {
    let decision = row.opt_text(6)?.map(|decision| match decision.as_str() {
        "approved" => Ok(Decision::Approved),
        "denied" => Ok(Decision::Denied),
        other => Err(Error::new(ErrorCode::Corrupt, format!("an approval is decided as {other:?}"))),
    });
    Ok(Approval {
        id: row.text(0)?,
        project_id: row.opt_text(1)?,
        run_id: row.text(2)?,
        step: Some(row.text(3)?).filter(|step| !step.is_empty()),
        scope: row.text(4)?,
        intent_summary: row.opt_text(5)?,
        decision: decision.transpose()?,
        decided_by: row.opt_text(7)?,
        decided_at: row.opt_time(8)?,
        note: row.opt_text(9)?,
        metadata: row.json(10)?,
        created_at: row.time(11)?,
    })
}

/// The INSERT of the gate of each run of the table expression `runs`; its approval bears the id of the run.
pub(in crate::runs) fn gates(runs: &str) -> String {
    format!(
        "INSERT INTO sprongus_approvals (id, project_id, run_id, scope, step, metadata, created_at) \
         SELECT id, project_id, id, '{GATE}', '', '{{}}', created_at FROM {runs}"
    )
}

/// Whether the run has a gate that nobody has opened.
pub(in crate::runs) fn gate_pending(exec: &mut dyn Executor, run: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM sprongus_approvals WHERE id = $1 AND decision IS NULL";
    Ok(!exec.query(sql, &[run.into()])?.is_empty())
}

/// What names an approval.
#[derive(Clone, Copy)]
pub(super) struct Named<'n> {
    pub(super) run: &'n str,
    pub(super) scope: &'n str,
    pub(super) step: Option<&'n str>,
}

impl Named<'_> {
    /// Refuses what no approval can be named by.
    pub(super) fn check(&self) -> Result<()> {
        crate::id::check_id("the id of the run", self.run)?;
        crate::text::check_name("the scope", self.scope)?;
        self.step.map_or(Ok(()), |step| crate::text::check_name("the step", step))
    }

    /// The approval of that name, if the handle sees it.
    pub(super) fn find(&self, session: Session<'_>, exec: &mut dyn Executor) -> Result<Option<Approval>> {
        let sql = format!("SELECT {COLUMNS} FROM sprongus_approvals WHERE run_id = $1 AND scope = $2 AND step = $3");
        let rows = exec.query(&sql, &[self.run.into(), self.scope.into(), self.step.unwrap_or_default().into()])?;
        let found = rows.first().map(read_approval).transpose()?;
        Ok(found.filter(|approval| session.sees(approval.project_id.as_deref())))
    }

    pub(super) fn not_found(&self) -> Error {
        Error::not_found(format!("nobody asked for {self} of the run {}", self.run))
    }
}

impl std::fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the approval {:?}", self.scope)?;
        self.step.map_or(Ok(()), |step| write!(f, " in the step {step:?}"))
    }
}

/// The approval that the run waits for.
pub(super) fn awaited(exec: &mut dyn Executor, run: &str) -> Result<Option<Approval>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sprongus_approvals WHERE id = (SELECT awaiting FROM sprongus_runs WHERE id = $1)"
    );
    exec.query(&sql, &[run.into()])?.first().map(read_approval).transpose()
}

/// Writes what a run asks for; where it asked before and nobody has decided, that record with what it says now.
pub(super) fn put(
    work: &mut Work<'_>,
    run: &Run,
    named: Named<'_>,
    intent_summary: &str,
    metadata: &Json,
) -> Result<Option<Approval>> {
    let mut binds = Binds::default();
    let values = [
        binds.add(crate::id::new_id()),
        binds.add(run.project_id.as_deref()),
        binds.add(named.run),
        binds.add(named.scope),
        binds.add(named.step.unwrap_or_default()),
        binds.add(intent_summary),
        binds.json(work.dialect(), metadata),
        binds.now(work),
    ];
    let sql = format!(
        "INSERT INTO sprongus_approvals (id, project_id, run_id, scope, step, intent_summary, metadata, created_at) \
         VALUES ({}) ON CONFLICT (run_id, scope, step) DO UPDATE SET intent_summary = excluded.intent_summary, \
         metadata = excluded.metadata WHERE sprongus_approvals.decision IS NULL RETURNING {COLUMNS}",
        values.join(", ")
    );
    work.query(&sql, binds.values())?.first().map(read_approval).transpose()
}

/// Writes the decision on an approval that is pending.
pub(super) fn settle(work: &mut Work<'_>, decided: &Approval) -> Result<bool> {
    let sql = "UPDATE sprongus_approvals SET decision = $2, decided_by = $3, decided_at = $4, note = $5, metadata = $6 \
               WHERE id = $1 AND decision IS NULL";
    let params = [
        Value::text(&decided.id),
        decided.decision.map(Decision::as_str).into(),
        decided.decided_by.as_deref().into(),
        decided.decided_at.into(),
        decided.note.as_deref().into(),
        work.dialect().json(&decided.metadata),
    ];
    Ok(work.execute(sql, &params)? == 1)
}
