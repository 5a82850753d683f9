//! `Approvals`.

use pyo3::prelude::*;
use sprongus::runs::approvals::{Decide, DecisionFilter, GATE, GetApproval, ListApprovals, RequestApproval};

use crate::args::{Text, Whole, pick, text};
use crate::ground::Ground;
use crate::lease::Fence;
use crate::pages;
use crate::records::Approval;
use crate::runs::document;

/// Leave to go on: the gate before the queue (`needs_approval`), and what runs ask for while they run. One decision each.
///
/// >>> run = store.runs.enqueue("deploy", needs_approval=True)
/// >>> store.approvals.approve(run.id, by="ada", note="looks good").decision
/// 'approved'
/// >>> store.runs.get(run.id).state
/// 'queued'
#[pyclass(module = "sprongus", frozen)]
pub(crate) struct Approvals {
    ground: Ground,
}

impl Approvals {
    pub(crate) fn new(ground: Ground) -> Self {
        Self { ground }
    }

    fn decide<'py>(
        &self,
        py: Python<'py>,
        request: &Decide,
        how: fn(
            &sprongus::runs::approvals::Approvals<'_>,
            &Decide,
        ) -> sprongus::Result<sprongus::runs::approvals::Approval>,
    ) -> PyResult<Bound<'py, Approval>> {
        Approval::make(py, self.ground.approvals(py, |approvals| how(&approvals, request))?)
    }
}

#[pymethods]
impl Approvals {
    /// Asks for leave in the middle of a run: the decided record where it is decided already, else the pending one.
    ///
    /// A pending one puts the run into awaiting_approval, without a lease: a report after it is `LeaseLostError`. When leave is
    /// given the run is queued again, and asks once more. In a handler, `Context.approval` does it all. step: where a run asks
    /// for the same scope more than once. metadata: a dict. Raises `LeaseLostError`, `InvalidStateError`.
    ///
    /// >>> [run] = store.runs.claim_next("worker-1")
    /// >>> store.approvals.request(run, "mail.send", intent_summary="the report to ada").decision is None
    /// True
    /// >>> store.runs.get(run.id).state
    /// 'awaiting_approval'
    #[pyo3(signature = (run, scope, *, intent_summary, step = None, metadata = None))]
    #[allow(clippy::too_many_arguments)] // Python's keyword arguments
    fn request<'py>(
        &self,
        py: Python<'py>,
        run: Fence,
        scope: Text,
        intent_summary: Text,
        step: Option<Text>,
        metadata: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Approval>> {
        let request = RequestApproval {
            step: text(step),
            metadata: document(metadata)?,
            ..RequestApproval::new(run.id, run.lease, scope.0, intent_summary.0)
        };
        Approval::make(py, self.ground.approvals(py, |approvals| approvals.request(&request))?)
    }

    /// Gives leave, in the name of `by`: the run is queued. Once more is no change.
    ///
    /// scope: "run" is the gate before the queue. metadata: a dict, merged over the request's. Raises `NotFoundError` where
    /// nobody asked, `InvalidStateError` where it was denied.
    #[pyo3(
        signature = (run_id, *, by, scope = None, step = None, note = None, metadata = None),
        text_signature = "($self, run_id, *, by, scope='run', step=None, note=None, metadata=None)"
    )]
    #[allow(clippy::too_many_arguments)] // Python's keyword arguments
    fn approve<'py>(
        &self,
        py: Python<'py>,
        run_id: Text,
        by: Text,
        scope: Option<Text>,
        step: Option<Text>,
        note: Option<Text>,
        metadata: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Approval>> {
        let request = Decide { note: text(note), metadata: document(metadata)?, ..decision(run_id, by, scope, step) };
        self.decide(py, &request, |approvals, request| approvals.approve(request))
    }

    /// Refuses leave, in the name of `by`: the run ends denied. Once more is no change.
    ///
    /// Raises `NotFoundError` where nobody asked, `InvalidStateError` where it was approved.
    ///
    /// >>> run = store.runs.enqueue("deploy", needs_approval=True)
    /// >>> refused = store.approvals.deny(run.id, by="ada", note="not on a Friday")
    /// >>> store.runs.get(run.id).state
    /// 'denied'
    #[pyo3(
        signature = (run_id, *, by, scope = None, step = None, note = None),
        text_signature = "($self, run_id, *, by, scope='run', step=None, note=None)"
    )]
    fn deny<'py>(
        &self,
        py: Python<'py>,
        run_id: Text,
        by: Text,
        scope: Option<Text>,
        step: Option<Text>,
        note: Option<Text>,
    ) -> PyResult<Bound<'py, Approval>> {
        let request = Decide { note: text(note), ..decision(run_id, by, scope, step) };
        self.decide(py, &request, |approvals, request| approvals.deny(request))
    }

    /// One approval, decided or pending; `NotFoundError` where nobody asked.
    #[pyo3(
        signature = (run_id, *, scope = None, step = None),
        text_signature = "($self, run_id, *, scope='run', step=None)"
    )]
    fn get<'py>(
        &self,
        py: Python<'py>,
        run_id: Text,
        scope: Option<Text>,
        step: Option<Text>,
    ) -> PyResult<Bound<'py, Approval>> {
        let request = GetApproval { run_id: run_id.0, scope: gate(scope), step: text(step) };
        Approval::make(py, self.ground.approvals(py, |approvals| approvals.get(&request))?)
    }

    /// A page of approvals, the newest first; filters hold together. decision: "approved", "denied" or "pending".
    ///
    /// >>> [approval.run_id for approval in store.approvals.list(decision="pending")]
    /// []
    #[pyo3(
        signature = (*, project = None, run_id = None, scope = None, decision = None, limit = Whole(50), cursor = None),
        text_signature = "($self, *, project=None, run_id=None, scope=None, decision=None, limit=50, cursor=None)"
    )]
    #[allow(clippy::too_many_arguments)] // Python's keyword arguments
    fn list<'py>(
        &self,
        py: Python<'py>,
        project: Option<Text>,
        run_id: Option<Text>,
        scope: Option<Text>,
        decision: Option<Text>,
        limit: Whole,
        cursor: Option<Text>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let choices = [
            ("approved", DecisionFilter::Approved),
            ("denied", DecisionFilter::Denied),
            ("pending", DecisionFilter::Pending),
        ];
        let request = ListApprovals {
            project: text(project),
            run_id: text(run_id),
            scope: text(scope),
            decision: decision.map(|name| pick(py, "decision", &name, &choices)).transpose()?,
            limit: limit.0,
            cursor: text(cursor),
        };
        pages::page(py, self.ground.approvals(py, |approvals| approvals.list(&request))?, Approval::make)
    }
}

fn decision(run_id: Text, by: Text, scope: Option<Text>, step: Option<Text>) -> Decide {
    Decide { scope: gate(scope), step: text(step), ..Decide::new(run_id.0, by.0) }
}

fn gate(scope: Option<Text>) -> String {
    text(scope).unwrap_or_else(|| GATE.to_owned())
}
