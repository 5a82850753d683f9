//! PostgreSQL: the answer to a decision, a request, a step or a message gets lost; each is made once all the same.

use sprongus::inbox::Accept;
use sprongus::runs::approvals::{Approval, Decide, Decision, RequestApproval};
use sprongus::runs::{Enqueue, FindStep, GetRun, SaveStep};
use sprongus::{Json, Result, Run, Store};

use super::runs_postgres::survives;

const BEGUN: [&str; 2] = ["run.enqueued", "run.started"];

fn run_of(store: &Store, approval: &Approval) -> Result<Run> {
    store.runs().get(&GetRun::new(&approval.run_id))
}

#[test]
fn approvals_are_decided_once() {
    let gated = |store: &Store| {
        store.runs().enqueue(&Enqueue { needs_approval: true, ..Enqueue::new("b", Json::null()) }).unwrap().id
    };
    survives("lost_gate", "INSERT INTO sprongus_runs", &["run.approval_requested"], |store, _| {
        store.runs().enqueue(&Enqueue { needs_approval: true, ..Enqueue::new("b", Json::null()) })
    });
    let asked = "run.approval_requested";
    survives("lost_approval", "COMMIT", &[asked, "run.approved"], move |store, _| {
        let approval = store.approvals().approve(&Decide::new(gated(store), "ann"))?;
        assert_eq!(approval.decision, Some(Decision::Approved));
        run_of(store, &approval)
    });
    survives("lost_denial", "COMMIT", &[asked, "run.denied"], move |store, _| {
        run_of(store, &store.approvals().deny(&Decide::new(gated(store), "ann"))?)
    });
    survives("lost_request", "COMMIT", &[BEGUN[0], BEGUN[1], asked], |store, run| {
        let pending = store.approvals().request(&RequestApproval::new(&run.id, run.lease, "push", "x"))?;
        assert_eq!(pending.decision, None);
        run_of(store, &pending)
    });
}

#[test]
fn steps_are_stored_once() {
    survives("lost_step", "INSERT INTO sprongus_run_steps", &BEGUN, |store, run| {
        let step = store.runs().save_step(&SaveStep::new(&run.id, run.lease, "s", Json::parse("1")?))?;
        assert_eq!(store.runs().find_step(&FindStep::new(&run.id, run.lease, "s"))?, Some(step));
        store.runs().get(&GetRun::new(&run.id))
    });
}

/// Who took the message is told so: of a call that looked for it afresh, nobody would process it.
#[test]
fn messages_are_taken_once() {
    let again = |store: &Store, accept: &Accept| assert!(!store.inbox().accept(accept).unwrap().first);
    survives("lost_message", "INSERT INTO sprongus_inbox", &BEGUN, move |store, run| {
        let silent = Accept::new("mail", "1");
        assert!(store.inbox().accept(&silent)?.first);
        again(store, &silent);
        store.runs().get(&GetRun::new(&run.id))
    });
    survives("lost_accept", "COMMIT", &["run.enqueued"], move |store, _| {
        let mail = Accept { enqueue: Some(Enqueue::new("b", Json::null())), ..Accept::new("mail", "1") };
        let accepted = store.inbox().accept(&mail)?;
        assert!(accepted.first);
        again(store, &mail);
        Ok(accepted.run.unwrap())
    });
}
