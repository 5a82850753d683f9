//! Leave to go on: the gate before the queue, and any number of scoped approvals asked for while a run runs (DESIGN.md §5).

mod model;
mod requests;

pub use model::{Approval, Decision, DecisionFilter, GATE};
pub use requests::{Decide, GetApproval, ListApprovals, RequestApproval};

use crate::error::Result;
use crate::page::Page;
use crate::session::Session;

/// The approvals of a store, or of an open transaction.
#[derive(Clone, Copy)]
pub struct Approvals<'s> {
    session: Session<'s>,
}

impl<'s> Approvals<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    /// Asks for leave in the middle of a run: where it is decided already, the decided record and no change; else the run
    /// waits without a lease, and the pending record is returned. A report after that is `lease_lost`.
    pub fn request(&self, request: &RequestApproval) -> Result<Approval> {
        let _ = (self.session, request);
        Err(crate::runs::unfinished())
    }

    /// Gives leave: the run is queued. The same again is no change; the opposite is `invalid_state`.
    ///
    /// Errors: `not_found` where nobody asked; `invalid_state` where it was denied.
    pub fn approve(&self, request: &Decide) -> Result<Approval> {
        let _ = request;
        Err(crate::runs::unfinished())
    }

    /// Refuses leave: the run ends denied. The same again is no change; the opposite is `invalid_state`.
    pub fn deny(&self, request: &Decide) -> Result<Approval> {
        let _ = request;
        Err(crate::runs::unfinished())
    }

    /// One approval. Errors: `not_found`.
    pub fn get(&self, request: &GetApproval) -> Result<Approval> {
        let _ = request;
        Err(crate::runs::unfinished())
    }

    /// Approvals by filters, a page at a time, the newest first. Errors: `invalid_argument`.
    pub fn list(&self, request: &ListApprovals) -> Result<Page<Approval>> {
        let _ = request;
        Err(crate::runs::unfinished())
    }
}
