//! The gate before the queue, and the one decision on it.

use std::time::Duration;

use sprongus::runs::approvals::{Decide, Decision, GATE, GetApproval};
use sprongus::runs::{Cancel, Claim, Enqueue, EnqueueMany, RetryRun, Succeed};
use sprongus::{ErrorCode, RunState};
use sprongus_conformance::{Case, Env};

use super::approvals::{gated, last, of, on_scope};
use super::{case, claim_one, claims, code, get, json, kind, picture, put, told};

pub(super) fn cases() -> Vec<Case> {
    const APPROVE: &[&str] = &["approvals.approve", "approvals.get"];
    const DENY: &[&str] = &["approvals.deny"];
    vec![
        case("approvals::the_gate_stands_before_the_queue", APPROVE, true, gate),
        case("approvals::many_runs_have_a_gate_each", &["runs.enqueue_many"], true, gates),
        case("approvals::a_gate_that_is_opened_keeps_the_time", APPROVE, true, later),
        case("approvals::a_denied_gate_ends_the_run", DENY, true, denied),
        case("approvals::a_decision_is_made_once", &["approvals.approve", "approvals.deny"], true, once),
        case("approvals::nobody_decides_what_nobody_asked", APPROVE, true, unasked),
        case("approvals::a_gate_is_back_after_a_retry_by_hand", APPROVE, true, regated),
    ]
}

fn gate(env: &Env) {
    env.within(|on| {
        let run = on.runs().enqueue(&Enqueue { project: Some("p".to_owned()), ..gated("a") }).unwrap();
        let pending = on.approvals().get(&GetApproval::new(&run.id)).unwrap();
        assert_eq!((pending.scope.as_str(), &pending.step, pending.decision), (GATE, &None, None));
        assert_eq!((&pending.run_id, &pending.project_id), (&run.id, &run.project_id));
        assert_eq!((pending.created_at, pending.metadata.as_str()), (run.created_at, "{}"));
        assert!(pending.intent_summary.is_none() && pending.decided_by.is_none() && pending.decided_at.is_none());
        let asked = serde_json::json!({ "from": null, "to": "awaiting_approval", "attempt": 0, "scope": "run",
            "step": null, "approvalId": pending.id });
        assert_eq!(last(on, &run.id).2, asked);
        assert!(claims(on.runs(), &Claim::new("w")).is_empty(), "never claimable before");

        let decision = Decide { note: Some("go\nahead".to_owned()), ..Decide::new(&run.id, "ann") };
        let approval = on.approvals().approve(&decision).unwrap();
        assert_eq!((approval.decision, approval.decided_by.as_deref()), (Some(Decision::Approved), Some("ann")));
        assert_eq!(approval.note.as_deref(), Some("go\nahead"));
        assert_eq!(on.approvals().get(&GetApproval::new(&run.id)).unwrap(), approval);
        let queued = get(on.runs(), &run.id);
        assert_eq!((queued.state, queued.state_code, queued.version), (RunState::Queued, 2, 2));
        assert_eq!(approval.decided_at, Some(queued.updated_at));
        let (event, actor, payload) = last(on, &run.id);
        assert_eq!((event.as_str(), actor.as_str()), ("run.approved", "ann"));
        let told_so = serde_json::json!({ "from": "awaiting_approval", "to": "queued", "attempt": 0, "scope": "run",
            "step": null, "approvalId": approval.id });
        assert_eq!(payload, told_so);
        assert_eq!(claim_one(on.runs()).state_code, 4);
        assert_eq!(told(on.runs(), &run.id), ["run.approval_requested", "run.approved", "run.started"]);
    });
}

fn gates(env: &Env) {
    env.within(|on| {
        let keyed = Enqueue { idempotency_key: Some("k".to_owned()), ..gated("a") };
        let items = vec![gated("a"), kind("a"), keyed.clone(), keyed.clone()];
        let runs = on.runs().enqueue_many(&EnqueueMany::new(items)).unwrap();
        assert!(on.runs().enqueue(&keyed).unwrap().deduplicated);
        for run in [&runs[0], &runs[2]] {
            assert_eq!(of(on, &run.id, GATE).created_at, run.created_at);
            assert_eq!(last(on, &run.id).2["approvalId"], of(on, &run.id, GATE).id);
        }
        assert_eq!(code(on.approvals().get(&GetApproval::new(&runs[1].id))), ErrorCode::NotFound);
        assert_eq!(on.approvals().list(&Default::default()).unwrap().len(), 2);
        let clash = vec![gated("b"), Enqueue { kind: "other".to_owned(), ..keyed }];
        assert_eq!(code(on.runs().enqueue_many(&EnqueueMany::new(clash))), ErrorCode::Conflict);
        assert_eq!(on.approvals().list(&Default::default()).unwrap().len(), 2, "all or nothing");
        let many = on.runs().enqueue_many(&EnqueueMany::new((0..1100).map(|_| gated("c")).collect())).unwrap();
        on.approvals().approve(&Decide::new(&many[1099].id, "ann")).unwrap();
        let asked = Claim { kinds: Some(vec!["c".to_owned()]), limit: 10, ..Claim::new("w") };
        assert_eq!(claims(on.runs(), &asked), [many[1099].id.clone()]);
    });
}

fn later(env: &Env) {
    env.within(|on| {
        let run = on.runs().enqueue(&Enqueue { delay: Some(Duration::from_secs(3600)), ..gated("a") }).unwrap();
        on.approvals().approve(&Decide::new(&run.id, "ann")).unwrap();
        let queued = get(on.runs(), &run.id);
        assert_eq!((queued.state, queued.run_at), (RunState::Queued, run.run_at));
        assert!(claims(on.runs(), &Claim::new("w")).is_empty(), "not due yet");
        let past = Some("2001-01-01T00:00:00Z".parse().unwrap());
        let run = on.runs().enqueue(&Enqueue { run_at: past, ..gated("a") }).unwrap();
        on.approvals().approve(&Decide::new(&run.id, "ann")).unwrap();
        assert_eq!(claims(on.runs(), &Claim::new("w")), [run.id]);
    });
}

fn denied(env: &Env) {
    env.within(|on| {
        let run = on.runs().enqueue(&gated("a")).unwrap();
        let approval =
            on.approvals().deny(&Decide { note: Some("no".to_owned()), ..Decide::new(&run.id, "bob") }).unwrap();
        assert_eq!((approval.decision, approval.decided_by.as_deref()), (Some(Decision::Denied), Some("bob")));
        let ended = get(on.runs(), &run.id);
        assert_eq!((ended.state, ended.state_code, ended.finished_at), (RunState::Denied, 7, Some(ended.updated_at)));
        let (event, actor, payload) = last(on, &run.id);
        assert_eq!((event.as_str(), actor.as_str(), &payload["to"]), ("run.denied", "bob", &"denied".into()));
        let before = picture(on);
        assert_eq!(code(on.runs().cancel(&Cancel::new(&run.id))), ErrorCode::InvalidState);
        assert_eq!(code(on.runs().retry(&RetryRun::new(&run.id))), ErrorCode::InvalidState);
        assert!(claims(on.runs(), &Claim::new("w")).is_empty());
        assert_eq!(picture(on), before);
    });
}

fn once(env: &Env) {
    env.within(|on| {
        let (yes, no) = (on.runs().enqueue(&gated("a")).unwrap().id, on.runs().enqueue(&gated("a")).unwrap().id);
        let approved = on.approvals().approve(&Decide::new(&yes, "ann")).unwrap();
        let denied = on.approvals().deny(&Decide::new(&no, "ann")).unwrap();
        let before = picture(on);
        let other = |run: &str| Decide {
            note: Some("again".to_owned()),
            metadata: json(r#"{"n":1}"#),
            ..Decide::new(run, "bob")
        };
        assert_eq!(on.approvals().approve(&other(&yes)).unwrap(), approved, "the stored record");
        assert_eq!(on.approvals().deny(&other(&no)).unwrap(), denied);
        let error = on.approvals().deny(&other(&yes)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidState);
        assert_eq!(error.details().unwrap()["decision"], "approved");
        assert!(error.message().contains("was approved by ann"), "{error}");
        assert_eq!(code(on.approvals().approve(&other(&no))), ErrorCode::InvalidState);
        assert_eq!(picture(on), before);
        let run = claim_one(on.runs());
        on.runs().succeed(&Succeed::new(&run.id, run.lease)).unwrap();
        assert_eq!(on.approvals().approve(&other(&yes)).unwrap(), approved, "whatever became of the run");
    });
}

fn unasked(env: &Env) {
    env.within(|on| {
        let (free, gated) = (put(on.runs(), "b").id, on.runs().enqueue(&gated("a")).unwrap().id);
        let before = picture(on);
        let stepped = Decide { step: Some("s".to_owned()), ..Decide::new(&gated, "ann") };
        for decide in [Decide::new(&free, "ann"), on_scope(&gated, "repo.push"), stepped, Decide::new("none", "ann")] {
            assert_eq!(code(on.approvals().approve(&decide)), ErrorCode::NotFound, "{decide:?}");
            assert_eq!(code(on.approvals().deny(&decide)), ErrorCode::NotFound);
            let get = GetApproval { run_id: decide.run_id, scope: decide.scope, step: decide.step };
            assert_eq!(code(on.approvals().get(&get)), ErrorCode::NotFound);
        }
        assert_eq!(picture(on), before);
    });
}

fn regated(env: &Env) {
    env.within(|on| {
        let run = on.runs().enqueue(&gated("a")).unwrap();
        on.runs().cancel(&Cancel::new(&run.id)).unwrap();
        let before = picture(on);
        assert_eq!(code(on.approvals().approve(&Decide::new(&run.id, "ann"))), ErrorCode::InvalidState);
        assert_eq!(picture(on), before);
        assert_eq!(on.runs().retry(&RetryRun::new(&run.id)).unwrap().state, RunState::AwaitingApproval);
        assert!(claims(on.runs(), &Claim::new("w")).is_empty());
        on.approvals().approve(&Decide::new(&run.id, "ann")).unwrap();
        assert_eq!(get(on.runs(), &run.id).state_code, 2);
        assert_eq!(claims(on.runs(), &Claim::new("w")), [run.id]);
    });
}
