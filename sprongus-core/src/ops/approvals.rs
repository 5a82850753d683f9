//! Operations on approvals.

use super::Operation;
use crate::runs::approvals::{Approvals, Decide, GetApproval, ListApprovals, RequestApproval};
use crate::scope::Scope;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            "approvals.request",
            Scope::RunsWrite,
            "Asks for leave in the middle of a run.",
            |on, request: RequestApproval| Approvals::new(on).request(&request),
        ),
        Operation::new("approvals.approve", Scope::RunsWrite, "Gives leave.", |on, request: Decide| {
            Approvals::new(on).approve(&request)
        }),
        Operation::new("approvals.deny", Scope::RunsWrite, "Refuses leave.", |on, request: Decide| {
            Approvals::new(on).deny(&request)
        }),
        Operation::new("approvals.get", Scope::RunsRead, "One approval.", |on, request: GetApproval| {
            Approvals::new(on).get(&request)
        }),
        Operation::new(
            "approvals.list",
            Scope::RunsRead,
            "Approvals by filters, a page at a time.",
            |on, request: ListApprovals| Approvals::new(on).list(&request),
        ),
    ]
}
