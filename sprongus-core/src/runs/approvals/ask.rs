//! A run asks for leave, and waits for it without a lease.

use super::kept::{Named, put};
use super::model::{Approval, GATE};
use super::requests::RequestApproval;
use super::{Approvals, check};
use crate::error::{Error, Result};
use crate::json::Json;
use crate::runs::change::Change;
use crate::runs::judge::{Judged, Report, judge, lost, read_for_update};
use crate::runs::record::{APPROVAL_ID, asked};
use crate::runs::report::changed_meanwhile;
use crate::runs::state::{RunState, Step};
use crate::runs::{Run, Runs};
use crate::scope::Scope;
use crate::session::Work;

impl Approvals<'_> {
    pub(super) fn do_request(&self, request: &RequestApproval) -> Result<Approval> {
        self.session.allow(Scope::RunsWrite)?;
        let named = Named { run: &request.id, scope: &request.scope, step: request.step.as_deref() };
        named.check()?;
        if request.scope == GATE {
            return Err(Error::invalid(format!(
                "the scope {GATE:?} is the gate before the queue; ask for what the run is about to do"
            )));
        }
        check::text("intentSummary", &request.intent_summary)?;
        let metadata = check::metadata(&request.metadata, self.session.options())?;
        Runs::new(self.session).write(|work| self.ask(work, request, named, &metadata))
    }

    fn ask(
        &self,
        work: &mut Work<'_>,
        request: &RequestApproval,
        named: Named<'_>,
        metadata: &Json,
    ) -> Result<Approval> {
        let stored = read_for_update(self.session, work.exec(), &request.id)?;
        let known = named.find(self.session, work.exec())?;
        match (judge(stored, request.lease, Report::Await)?, known) {
            (Judged::Open(_), Some(known)) if known.decision.is_some() => Ok(known),
            (Judged::Open(run), _) => await_it(work, &run, named, &request.intent_summary, metadata),
            // Asked for again under the lease that ended with it, as after a lost answer.
            (Judged::Answered(run), Some(known)) if waits(&run) && known.decision.is_none() => Ok(known),
            (Judged::Answered(run), _) => Err(lost(&run, request.lease)),
        }
    }
}

fn waits(run: &Run) -> bool {
    run.state == RunState::AwaitingApproval
}

/// Puts the run to wait: its lease ends, and the attempt is given back.
fn await_it(
    work: &mut Work<'_>,
    run: &Run,
    named: Named<'_>,
    intent_summary: &str,
    metadata: &Json,
) -> Result<Approval> {
    let pending = put(work, run, named, intent_summary, metadata)?.ok_or_else(|| changed_meanwhile(&run.id))?;
    let mut change = Change::new(work, Step::Await, run.state, &run.id, run.lease)?;
    if let Some(worker) = run.claimed_by.as_deref() {
        change.by(worker);
    }
    change.set_sql("attempt = attempt - 1");
    change.set("awaiting", pending.id.as_str());
    asked(named.scope, named.step).into_iter().for_each(|(name, value)| change.tell(&name, value));
    change.tell(APPROVAL_ID, pending.id.as_str());
    change.apply(work)?.ok_or_else(|| changed_meanwhile(&run.id))?;
    Ok(pending)
}
