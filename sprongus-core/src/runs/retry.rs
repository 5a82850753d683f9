//! Queues a run that ended once more, by hand: a new series (DESIGN.md §5 "The fence").

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
                let gate = if Step::Regate.from(run.state).is_some() { pending_gate(work, &run.id)? } else { None };
                retry(work, &run, gate)
            })
        })
    }
}

fn retry(work: &mut Work<'_>, run: &Run, gate: Option<String>) -> Result<Run> {
    let step = if gate.is_some() { Step::Regate } else { Step::Reopen };
    if step.from(run.state).is_none() {
        let why = format!("is {}; what failed, timed out or was canceled is retried by hand", run.state);
        return Err(invalid_state(run, &why));
    }
    let actor = &work.who().actor;
    let mut change = Change::new(work, step, run.state, &run.id, run.lease)?;
    change.by(actor);
    change.set_sql(format!("attempt = 0, series = series + 1, run_at = {}", change.now()));
    match gate {
        Some(approval) => change.set("awaiting", approval),
        None => change.set_sql("ready = TRUE"),
    }
    change.apply(work)?.ok_or_else(|| changed_meanwhile(&run.id))
}

/// The gate before the queue that nobody has decided on.
fn pending_gate(work: &mut Work<'_>, id: &str) -> Result<Option<String>> {
    let sql =
        "SELECT id FROM sprongus_approvals WHERE run_id = $1 AND scope = 'run' AND step = '' AND decision IS NULL";
    work.query(sql, &[id.into()])?.first().map(|row| row.text(0)).transpose()
}
