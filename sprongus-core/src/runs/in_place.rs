//! Runs that whoever enqueues them works at once, in the same process.

use std::time::Duration;

use super::Runs;
use super::claim::take_named;
use super::enqueue::put_one;
use super::judge::{Judged, Report, judge, lost, read_for_update};
use super::model::Run;
use super::requests::{Claim, Enqueue};
use super::state::RunState;
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

    /// Refuses to go on unless the run is still worked under that lease; kept from change until the end of the transaction.
    ///
    /// # Errors
    /// `lease_lost`.
    pub(crate) fn fence(&self, work: &mut Work<'_>, id: &str, lease: i64) -> Result<()> {
        let stored = read_for_update(self.session, work.exec(), id)?;
        match judge(stored, lease, Report::Heartbeat)? {
            Judged::Open(_) => Ok(()),
            Judged::Answered(run) => Err(lost(&run, lease)),
        }
    }
}
