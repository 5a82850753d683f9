//! Waits for the end of a run: woken in this process at once, by what is heard of other processes, and by looking.

use std::time::{Duration, Instant};

use super::Runs;
use super::lease::micros;
use super::model::Run;
use super::requests::{GetRun, WaitRun};
use crate::error::{Error, ErrorCode, Result};
use crate::scope::Scope;

/// Between two looks where nothing is heard: the ends of other processes' runs are seen so late at the latest.
const FIRST_LOOK: Duration = Duration::from_millis(5);
const LAST_LOOK: Duration = Duration::from_millis(250);
/// Between two questions to the host whether it interrupts.
const SLICE: Duration = Duration::from_millis(50);

impl Runs<'_> {
    pub(super) fn do_wait(&self, request: &WaitRun) -> Result<Run> {
        self.session.allow(Scope::RunsRead)?;
        request.timeout.map_or(Ok(0), |timeout| micros("timeout", timeout))?;
        if self.session.in_transaction() {
            return Err(Error::misuse(
                "a transaction sees no end that comes after it began to look: wait on the store, outside of transactions",
            ));
        }
        let until = request.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut pause = FIRST_LOOK;
        loop {
            let heard = self.session.core().wake.count();
            // Each look is a call of its own: the deadline of one does not bound the wait.
            let run = self.one_call().do_get(&GetRun::new(&request.id))?;
            if run.state.is_final() {
                return Ok(run);
            }
            if !self.idle(heard, pause, until)? {
                return Err(late(&run));
            }
            pause = (pause * 2).min(LAST_LOOK);
        }
    }

    /// Sleeps until something is heard or it is time for a look; whether there is time left. The host may interrupt.
    fn idle(&self, heard: u64, pause: Duration, until: Option<Instant>) -> Result<bool> {
        let core = self.session.core();
        let look_at = Instant::now() + pause;
        loop {
            if core.options.interrupt.as_ref().is_some_and(|asked| asked()) {
                return Err(Error::new(ErrorCode::Timeout, "the host interrupted the wait for the run"));
            }
            let now = Instant::now();
            if until.is_some_and(|until| now >= until) {
                return Ok(false);
            }
            let left = look_at.min(until.unwrap_or(look_at)).saturating_duration_since(now);
            if left.is_zero() || core.wake.wait(heard, left.min(SLICE)) {
                return Ok(true);
            }
        }
    }
}

fn late(run: &Run) -> Error {
    let message = format!("the run {} has not ended in time: it is {}", run.id, run.state);
    Error::new(ErrorCode::Timeout, message).with_details(serde_json::json!({ "id": run.id, "state": run.state }))
}
