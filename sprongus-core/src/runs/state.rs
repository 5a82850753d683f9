//! The states of a run, and the one table of what may follow what (DESIGN.md §5).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Waits for someone to approve it.
    AwaitingApproval,
    /// Waits for a worker, or for its time.
    Queued,
    /// Claimed, but not started yet.
    Dispatching,
    /// A worker has it under a lease.
    Running,
    /// Final: an attempt succeeded.
    Succeeded,
    /// Final: no attempt is left, or it failed for good.
    Failed,
    /// Final: its approval was denied.
    Denied,
    /// Final: it was canceled.
    Canceled,
    /// Final: its last attempt took too long.
    TimedOut,
}

use RunState::{AwaitingApproval, Canceled, Denied, Dispatching, Failed, Queued, Running, Succeeded, TimedOut};

impl RunState {
    /// Every state.
    pub const ALL: [Self; 9] =
        [AwaitingApproval, Queued, Dispatching, Running, Succeeded, Failed, Denied, Canceled, TimedOut];

    /// `queued`, `timed_out`, …: as in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            AwaitingApproval => "awaiting_approval",
            Queued => "queued",
            Dispatching => "dispatching",
            Running => "running",
            Succeeded => "succeeded",
            Failed => "failed",
            Denied => "denied",
            Canceled => "canceled",
            TimedOut => "timed_out",
        }
    }

    /// The state of that name; `invalid_argument` names those there are.
    pub fn parse(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|state| state.as_str()).collect();
            Error::invalid(format!("no such state of a run; there are {}", names.join(", ")))
        })
    }

    /// Whether nothing follows but a retry by hand.
    pub const fn is_final(self) -> bool {
        matches!(self, Succeeded | Failed | Denied | Canceled | TimedOut)
    }

    /// The code of the older schema; a queued run's depends on whether it was approved (2) or never needed to be (0).
    ///
    /// ```
    /// use sprongus::RunState;
    /// assert_eq!((RunState::Queued.code(false), RunState::Queued.code(true)), (0, 2));
    /// assert_eq!(RunState::from_code(9)?, RunState::TimedOut);
    /// # Ok::<(), sprongus::Error>(())
    /// ```
    pub const fn code(self, approved: bool) -> i32 {
        match self {
            Queued if approved => 2,
            Queued => 0,
            AwaitingApproval => 1,
            Dispatching => 3,
            Running => 4,
            Succeeded => 5,
            Failed => 6,
            Denied => 7,
            Canceled => 8,
            TimedOut => 9,
        }
    }

    /// The state behind a code of the older schema, 0 to 9: Created and Approved are queued.
    pub fn from_code(code: i32) -> Result<Self> {
        Ok(match code {
            0 | 2 => Queued,
            1 => AwaitingApproval,
            3 => Dispatching,
            4 => Running,
            5 => Succeeded,
            6 => Failed,
            7 => Denied,
            8 => Canceled,
            9 => TimedOut,
            _ => return Err(Error::invalid("a state's code lies between 0 and 9")),
        })
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What may happen to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// Let into the queue, by the gate or in the middle of a run.
    Approve,
    Deny,
    Claim,
    Dispatch,
    Start,
    Succeed,
    /// Failed for good.
    Fail,
    /// Failed, with attempts left.
    Retry,
    Snooze,
    /// Asked for an approval in the middle of a run.
    Await,
    /// The lease ran out, with attempts left.
    Rescue,
    /// The lease ran out, with none left.
    Expire,
    /// Took too long, with none left.
    TimeOut,
    /// Took too long, with attempts left.
    RetryTimeOut,
    Cancel,
    /// Queued once more by hand.
    Reopen,
    /// The same where the gate was never granted.
    Regate,
}

/// The only transitions there are; everything else is `invalid_state` and writes nothing.
const TABLE: &[(RunState, Step, RunState)] = &[
    (AwaitingApproval, Step::Approve, Queued),
    (AwaitingApproval, Step::Deny, Denied),
    (Queued, Step::Claim, Running),
    (Queued, Step::Dispatch, Dispatching),
    (Dispatching, Step::Start, Running),
    (Running, Step::Succeed, Succeeded),
    (Running, Step::Fail, Failed),
    (Running, Step::Retry, Queued),
    (Running, Step::Snooze, Queued),
    (Running, Step::Await, AwaitingApproval),
    (Dispatching, Step::Rescue, Queued),
    (Running, Step::Rescue, Queued),
    (Dispatching, Step::Expire, Failed),
    (Running, Step::Expire, Failed),
    (Dispatching, Step::TimeOut, TimedOut),
    (Running, Step::TimeOut, TimedOut),
    (Dispatching, Step::RetryTimeOut, Queued),
    (Running, Step::RetryTimeOut, Queued),
    (AwaitingApproval, Step::Cancel, Canceled),
    (Queued, Step::Cancel, Canceled),
    (Dispatching, Step::Cancel, Canceled),
    (Running, Step::Cancel, Canceled),
    (Failed, Step::Reopen, Queued),
    (TimedOut, Step::Reopen, Queued),
    (Canceled, Step::Reopen, Queued),
    (Canceled, Step::Regate, AwaitingApproval),
];

impl Step {
    /// Where it leads from there, if it may happen there.
    pub(crate) fn from(self, state: RunState) -> Option<RunState> {
        TABLE.iter().find(|(from, step, _)| *from == state && *step == self).map(|(_, _, to)| *to)
    }

    /// The report it answers, as it is remembered with the run: the same one again gets the stored outcome.
    pub(crate) const fn verb(self) -> Option<&'static str> {
        match self {
            Self::Succeed => Some("succeed"),
            Self::Fail | Self::Retry => Some("fail"),
            Self::Snooze => Some("snooze"),
            Self::Await => Some("await"),
            Self::TimeOut | Self::RetryTimeOut => Some("time_out"),
            Self::Cancel => Some("cancel"),
            Self::Approve
            | Self::Deny
            | Self::Claim
            | Self::Dispatch
            | Self::Start
            | Self::Rescue
            | Self::Expire
            | Self::Reopen
            | Self::Regate => None,
        }
    }

    /// The event that tells of it.
    pub(crate) const fn event(self) -> &'static str {
        match self {
            Self::Approve => "run.approved",
            Self::Deny => "run.denied",
            Self::Claim | Self::Start => "run.started",
            Self::Dispatch => "run.dispatched",
            Self::Succeed => "run.succeeded",
            Self::Fail | Self::Expire => "run.failed",
            Self::Retry | Self::RetryTimeOut => "run.retry_scheduled",
            Self::Snooze => "run.snoozed",
            Self::Await => "run.approval_requested",
            Self::Rescue => "run.rescued",
            Self::TimeOut => "run.timed_out",
            Self::Cancel => "run.canceled",
            Self::Reopen | Self::Regate => "run.retried",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_and_codes_map_both_ways() {
        for state in RunState::ALL {
            assert_eq!(RunState::parse(state.as_str()).unwrap(), state);
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
            for approved in [false, true] {
                assert_eq!(RunState::from_code(state.code(approved)).unwrap(), state);
            }
        }
        let names = [
            "queued",
            "awaiting_approval",
            "queued",
            "dispatching",
            "running",
            "succeeded",
            "failed",
            "denied",
            "canceled",
            "timed_out",
        ];
        for (code, name) in (0..).zip(names) {
            let state = RunState::from_code(code).unwrap();
            assert_eq!((state.as_str(), state.code(code == 2)), (name, code));
        }
        for code in [-1, 10] {
            assert_eq!(RunState::from_code(code).unwrap_err().code(), crate::ErrorCode::InvalidArgument);
        }
        assert!(RunState::parse("Queued").unwrap_err().message().contains("timed_out"));
    }

    #[test]
    fn only_a_retry_by_hand_leaves_a_final_state() {
        for (from, step, to) in TABLE {
            assert_eq!(from.is_final(), matches!(step, Step::Reopen | Step::Regate), "{step:?} from {from}");
            assert_eq!(step.from(*from), Some(*to), "{step:?} from {from} leads to one state");
        }
        for stays in [Succeeded, Denied] {
            assert!(TABLE.iter().all(|(from, ..)| *from != stays), "{stays}");
        }
        for live in RunState::ALL.into_iter().filter(|state| !state.is_final()) {
            assert_eq!(Step::Cancel.from(live), Some(Canceled));
        }
    }

    #[test]
    fn a_lease_is_given_by_a_claim_alone_and_ends_with_what_leaves_the_worker() {
        let leased = |state: &RunState| matches!(state, Dispatching | Running);
        for (from, step, to) in TABLE {
            let begins = !leased(from) && leased(to);
            assert_eq!(begins, matches!(step, Step::Claim | Step::Dispatch), "{step:?}");
            assert!(step.verb().is_none() || !leased(to), "{step:?} is remembered as what ended the lease");
        }
    }
}
