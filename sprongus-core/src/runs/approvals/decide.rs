//! Somebody decides, once: the run goes on, or ends denied.

use super::kept::{Named, awaited, settle};
use super::model::{Approval, Decision, GATE};
use super::requests::Decide;
use super::{Approvals, check};
use crate::error::{Error, ErrorCode, Result};
use crate::runs::change::Change;
use crate::runs::judge::{invalid_state, read_for_update};
use crate::runs::record::{APPROVAL_ID, asked};
use crate::runs::report::changed_meanwhile;
use crate::runs::state::{RunState, Step};
use crate::runs::{Run, Runs};
use crate::scope::Scope;
use crate::session::Work;

impl Approvals<'_> {
    pub(super) fn decide(&self, request: &Decide, decision: Decision) -> Result<Approval> {
        self.session.allow(Scope::RunsWrite)?;
        named(request).check()?;
        crate::text::check_name("by", &request.by)?;
        request.note.as_deref().map_or(Ok(()), |note| check::text("note", note))?;
        check::metadata(&request.metadata, self.session.options())?;
        Runs::new(self.session).write(|work| self.rule(work, request, decision))
    }

    /// The row of the run is locked: of rivals one decides, and the others see what it decided.
    fn rule(&self, work: &mut Work<'_>, request: &Decide, decision: Decision) -> Result<Approval> {
        let run = read_for_update(self.session, work.exec(), &request.run_id)?.run;
        let named = named(request);
        let pending = named.find(self.session, work.exec())?.ok_or_else(|| named.not_found())?;
        match pending.decision {
            Some(before) if before == decision => return Ok(pending),
            Some(before) => return Err(decided(&pending, before)),
            None => {}
        }
        if run.state != RunState::AwaitingApproval {
            return Err(invalid_state(&run, &format!("is {}, so it does not wait for {named}", run.state)));
        }
        let awaited = awaited(work.exec(), &run.id)?;
        if let Some(other) = awaited.filter(|awaited| awaited.id != pending.id) {
            return Err(waits_for_another(&run, named, &other));
        }
        let run = go_on(work, &run, request, &pending, decision)?;
        let max = work.options().max_payload_bytes;
        let decided = Approval {
            decision: Some(decision),
            decided_by: Some(request.by.clone()),
            decided_at: Some(run.updated_at),
            note: request.note.clone(),
            metadata: check::merged(&pending.metadata, &request.metadata, max)?,
            ..pending
        };
        match settle(work, &decided)? {
            true => Ok(decided),
            false => Err(changed_meanwhile(&run.id)),
        }
    }
}

fn named(request: &Decide) -> Named<'_> {
    Named { run: &request.run_id, scope: &request.scope, step: request.step.as_deref() }
}

/// Queues the run that waits for this approval, or ends it.
fn go_on(work: &mut Work<'_>, run: &Run, request: &Decide, pending: &Approval, decision: Decision) -> Result<Run> {
    let step = match decision {
        Decision::Approved => Step::Approve,
        Decision::Denied => Step::Deny,
    };
    let mut change = Change::new(work, step, run.state, &run.id, run.lease)?;
    change.by(&request.by);
    let awaiting = change.binds().add(pending.id.as_str());
    change.only_if(format!("awaiting = {awaiting}"));
    match (decision, pending.scope == GATE) {
        (Decision::Denied, _) => {}
        // What waited for the gate may not be due yet.
        (Decision::Approved, true) => {
            let now = change.now();
            change.set_sql(format!("approved = TRUE, ready = (run_at <= {now})"));
        }
        (Decision::Approved, false) => change.set_sql("ready = TRUE"),
    }
    asked(&pending.scope, pending.step.as_deref()).into_iter().for_each(|(name, value)| change.tell(&name, value));
    change.tell(APPROVAL_ID, pending.id.as_str());
    change.apply(work)?.ok_or_else(|| changed_meanwhile(&run.id))
}

fn decided(approval: &Approval, before: Decision) -> Error {
    let by = approval.decided_by.as_deref().unwrap_or_default();
    let message =
        format!("the approval {:?} of the run {} was {} by {by}", approval.scope, approval.run_id, before.as_str());
    let details = serde_json::json!({ "id": approval.run_id, "approvalId": approval.id, "decision": before });
    Error::new(ErrorCode::InvalidState, message).with_details(details)
}

fn waits_for_another(run: &Run, named: Named<'_>, other: &Approval) -> Error {
    let awaited = Named { run: &run.id, scope: &other.scope, step: other.step.as_deref() };
    let message = format!("the run {} waits for {awaited}, not for {named}", run.id);
    let awaited = serde_json::json!({ "scope": other.scope, "step": other.step, "approvalId": other.id });
    let details = serde_json::json!({ "id": run.id, "state": run.state, "awaiting": awaited });
    Error::new(ErrorCode::InvalidState, message).with_details(details)
}
