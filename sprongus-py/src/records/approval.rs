//! `Approval`.

use sprongus::runs::approvals::Decision;

super::record! {
    /// Leave that a run asked for, and what was decided; one per run, scope and step.
    Approval(it: sprongus::runs::approvals::Approval) {
        /// A ULID.
        id = it.id;
        /// The run's project.
        project_id = it.project_id;
        /// The run.
        run_id = it.run_id;
        /// The step that asked, where one was named.
        step = it.step;
        /// What leave is asked for: `repo.push`, `deploy.production`, …; `run` is the gate before the queue.
        scope = it.scope;
        /// What the run is about to do.
        intent_summary = it.intent_summary;
        /// "approved" or "denied"; None: pending.
        decision = it.decision.map(name);
        /// Who decided.
        decided_by = it.decided_by;
        /// When it was decided.
        decided_at = it.decided_at;
        /// A word of who decided.
        note = it.note;
        /// The request's and the decision's, merged; the decision's keys win.
        metadata = it.metadata;
        /// When it was asked for.
        created_at = it.created_at;
    }
}

fn name(decision: Decision) -> &'static str {
    match decision {
        Decision::Approved => "approved",
        Decision::Denied => "denied",
    }
}
