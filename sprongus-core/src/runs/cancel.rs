//! Ends a run that is no longer wanted.

use super::Runs;
use super::change::Change;
use super::judge::read_for_update;
use super::limits::rates;
use super::model::Run;
use super::report::changed_meanwhile;
use super::requests::Cancel;
use super::state::{RunState, Step};
use crate::error::{Error, ErrorCode, Result};
use crate::scope::{Limited, Scope};

impl Runs<'_> {
    pub(super) fn do_cancel(&self, request: &Cancel) -> Result<Run> {
        self.session.allow(Scope::RunsWrite)?;
        let max = self.session.options().max_error_bytes;
        let reason = request.reason.as_deref().map(|reason| crate::text::error_text(reason, max));
        self.write(|work| {
            let run = read_for_update(self.session, work.exec(), &request.id)?.run;
            if run.state == RunState::Canceled {
                return Ok(run);
            }
            if run.state.is_final() {
                let message = format!("the run {} has ended: it is {}", run.id, run.state);
                return Err(Error::new(ErrorCode::InvalidState, message));
            }
            rates::take(work, Limited::Cancel, 1)?;
            let who = work.who();
            let mut change = Change::new(work, Step::Cancel, run.state, &run.id, run.lease)?;
            change.by(&who.actor);
            if let Some(reason) = &reason {
                change.tell("reason", reason.as_str());
            }
            let run = change.apply(work)?.ok_or_else(|| changed_meanwhile(&run.id))?;
            work.after.canceled.push(run.id.clone());
            Ok(run)
        })
    }
}
