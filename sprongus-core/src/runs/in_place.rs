//! Runs that whoever enqueues them works at once, in the same process.

use std::time::Duration;

use super::Runs;
use super::enqueue::put_one;
use super::judge::{Judged, Report, judge, lost, read_visible};
use super::model::Run;
use super::report::changed_meanwhile;
use super::requests::{Claim, Enqueue, Heartbeat};
use super::state::RunState;
use super::take::take_named;
use crate::error::{Error, ErrorCode, Result};
use crate::scope::Scope;
use crate::session::Work;

impl Runs<'_> {
    /// Enqueues a run and takes it in the same commit, so that nobody else can. The run there is under its key
    /// (`deduplicated`) is not taken. Limits of its kind are not looked at: they are for those who claim.
    pub(crate) fn begin(&self, request: &Enqueue, worker: &str, lease: Duration) -> Result<Run> {
        self.session.allow(Scope::RunsWrite)?;
        self.check(request)?;
        let project = self.session.project(request.project.as_deref())?;
        let ready = self.ready(request, project)?;
        let claim = Claim { lease, ..Claim::new(worker) };
        let claiming = self.claiming(&claim)?;
        self.write(|work| {
            let run = put_one(work, &ready)?;
            // Of this id and running already where the answer to a commit was lost.
            if run.deduplicated || run.state != RunState::Queued {
                return Ok(run);
            }
            let taken = take_named(work, &claiming, &run.id)?;
            taken.ok_or_else(|| Error::new(ErrorCode::Busy, "the run was taken by another at once; try again"))
        })
    }

    /// Extends the lease of a run by as long as it was claimed for, and refuses to go on where it has ended; the run is kept
    /// from change until the end of the transaction.
    ///
    /// # Errors
    /// `lease_lost`.
    pub(crate) fn fence(&self, work: &mut Work<'_>, id: &str, lease: i64) -> Result<()> {
        if self.extend(work, &Heartbeat::new(id, lease), None)?.is_some() {
            return Ok(());
        }
        match judge(read_visible(self.session, work.exec(), id)?, lease, Report::Heartbeat)? {
            Judged::Open(_) => Err(changed_meanwhile(id)),
            Judged::Answered(run) => Err(lost(&run, lease)),
        }
    }
}
