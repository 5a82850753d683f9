//! Queues a run that ended once more, by hand: a new series (DESIGN.md §5 "The fence").

use super::approvals::gate_pending;
use super::change::Change;
use super::judge::{invalid_state, read_for_update};
use super::model::Run;
use super::report::changed_meanwhile;
use super::requests::RetryRun;
use super::state::Step;
use super::{Runs, congestion};
use crate::error::Result;
use crate::scope::Scope;
use crate::session::Work;

impl Runs<'_> {
    pub(super) fn do_retry(&self, request: &RetryRun) -> Result<Run> {
        self.session.allow(Scope::RunsWrite)?;
        congestion::watched(self.session, || {
            self.session.write(|work| {
                let run = read_for_update(self.session, work.exec(), &request.id)?.run;
                let gate = Step::Regate.from(run.state).is_some() && gate_pending(work.exec(), &run.id)?;
                retry(work, &run, if gate { Step::Regate } else { Step::Reopen })
            })
        })
    }
}

fn retry(work: &mut Work<'_>, run: &Run, step: Step) -> Result<Run> {
    if step.from(run.state).is_none() {
        let why = format!("is {}; what failed, timed out or was canceled is retried by hand", run.state);
        return Err(invalid_state(run, &why));
    }
    let actor = &work.who().actor;
    let mut change = Change::new(work, step, run.state, &run.id, run.lease)?;
    change.by(actor);
    change.set_sql(format!("attempt = 0, series = series + 1, run_at = {}", change.now()));
    if step == Step::Reopen {
        change.set_sql("ready = TRUE");
    }
    change.apply(work)?.ok_or_else(|| changed_meanwhile(&run.id))
}
