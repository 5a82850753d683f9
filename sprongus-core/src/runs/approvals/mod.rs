//! Leave to go on: the gate before the queue, and any number of scoped approvals asked for while a run runs (DESIGN.md §5).
//!
//! There is one record per run, scope and step, and one decision on it. A run waits for at most one of them at a time.

mod ask;
mod check;
mod decide;
mod kept;
mod list;
mod model;
mod requests;

pub(in crate::runs) use kept::{gate_pending, gates};
pub use model::{Approval, Decision, DecisionFilter, GATE};
pub use requests::{Decide, GetApproval, ListApprovals, RequestApproval};

use crate::error::Result;
use crate::page::Page;
use crate::scope::Scope;
use crate::session::Session;

/// The approvals of a store, or of an open transaction; from [`Store::approvals`](crate::Store::approvals) or
/// [`Tx::approvals`](crate::Tx::approvals).
///
/// Errors of all: `permission_denied` where the handle lacks the scope, `not_found` for a run of another project, and those
/// of the database.
///
/// ```
/// use sprongus::runs::approvals::{Decide, Decision};
/// use sprongus::runs::{Claim, Enqueue};
/// use sprongus::{Json, Options, Store};
/// let store = Store::open(":memory:", Options::default())?;
/// let run = store.runs().enqueue(&Enqueue { needs_approval: true, ..Enqueue::new("deploy", Json::null()) })?;
/// assert!(store.runs().claim_next(&Claim::new("worker-1"))?.is_empty());
/// let approval = store.approvals().approve(&Decide::new(&run.id, "ann"))?;
/// assert_eq!(approval.decision, Some(Decision::Approved));
/// assert_eq!(store.runs().claim_next(&Claim::new("worker-1"))?.len(), 1);
/// # Ok::<(), sprongus::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Approvals<'s> {
    session: Session<'s>,
}

impl<'s> Approvals<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    fn one_call(self) -> Self {
        Self { session: self.session.one_call() }
    }

    /// Asks for leave in the middle of a run: where it is decided already, the decided record and no change; else the run
    /// waits without a lease, its attempt given back, and the pending record is returned. A report after that is
    /// `lease_lost`; the same request again, while it waits, gets the same record.
    ///
    /// A run that was canceled and retried by hand asks anew, and finds its pending record with what it says now.
    ///
    /// Errors: `invalid_argument`; `lease_lost`; `invalid_state` where the run was never claimed or not started;
    /// `not_found`; `too_large`.
    pub fn request(&self, request: &RequestApproval) -> Result<Approval> {
        self.one_call().do_request(request)
    }

    /// Gives leave: the run is queued, and ready at once unless it is enqueued for later. The same again is no change: the
    /// stored record.
    ///
    /// Errors: `invalid_argument`; `not_found` where nobody asked; `invalid_state` where it was denied, or where the run does
    /// not wait for this approval: it ended, goes on, or waits for another; `too_large`.
    pub fn approve(&self, request: &Decide) -> Result<Approval> {
        self.one_call().decide(request, Decision::Approved)
    }

    /// Refuses leave: the run ends denied. The same again is no change: the stored record.
    ///
    /// Errors: as [`Approvals::approve`]; `invalid_state` where it was approved.
    pub fn deny(&self, request: &Decide) -> Result<Approval> {
        self.one_call().decide(request, Decision::Denied)
    }

    /// One approval. Errors: `not_found` where nobody asked for it.
    pub fn get(&self, request: &GetApproval) -> Result<Approval> {
        self.session.allow(Scope::RunsRead)?;
        let named = kept::Named { run: &request.run_id, scope: &request.scope, step: request.step.as_deref() };
        named.check()?;
        self.one_call().session.read(|exec| named.find(self.session, exec))?.ok_or_else(|| named.not_found())
    }

    /// Approvals by filters, a page at a time, the newest first. Errors: `invalid_argument`.
    pub fn list(&self, request: &ListApprovals) -> Result<Page<Approval>> {
        self.one_call().do_list(request)
    }
}

/// The programs of the page on approvals run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/approvals.md")]
struct DocsPage;
