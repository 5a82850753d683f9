//! Waits for the end of a run.

use std::time::{Duration, Instant};

use super::Runs;
use super::lease::micros;
use super::model::Run;
use super::requests::{GetRun, WaitRun};
use crate::db::Signal;
use crate::error::{Error, ErrorCode, Result};
use crate::scope::Scope;

/// A wait without end looks again so often whatever it hears.
const ONCE_IN_A_WHILE: Duration = Duration::from_secs(60);

impl Runs<'_> {
    pub(super) fn do_wait(&self, request: &WaitRun) -> Result<Run> {
        self.session.allow(Scope::RunsRead)?;
        request.timeout.map_or(Ok(0), |timeout| micros("timeout", timeout))?;
        if self.session.in_transaction() {
            return Err(Error::misuse("within a transaction a run never ends that others work on: wait on the store"));
        }
        let until = request.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut run = self.looked_at(&request.id)?;
        if run.state.is_final() {
            return Ok(run);
        }
        let mut waiter = self.session.core().waiter(&[Signal::RunEnded]);
        loop {
            waiter.looking();
            run = self.looked_at(&request.id)?;
            if run.state.is_final() {
                return Ok(run);
            }
            let now = Instant::now();
            if until.is_some_and(|until| until <= now) {
                return Err(late(&run));
            }
            let look_at = now + ONCE_IN_A_WHILE;
            waiter.wait(until.map_or(look_at, |until| until.min(look_at)))?;
        }
    }

    /// Each look is a call of its own: the deadline of one does not bound the wait.
    fn looked_at(&self, id: &str) -> Result<Run> {
        self.one_call().do_get(&GetRun::new(id))
    }
}

fn late(run: &Run) -> Error {
    let message = format!("the run {} has not ended in time: it is {}", run.id, run.state);
    Error::new(ErrorCode::Timeout, message).with_details(serde_json::json!({ "id": run.id, "state": run.state }))
}
