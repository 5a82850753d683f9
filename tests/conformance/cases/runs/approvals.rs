//! Leave asked for in the middle of a run: it waits without a lease, and goes on or ends by the decision.

use std::time::Duration;

use sprongus::runs::approvals::{Approval, Decide, Decision, GATE, GetApproval, RequestApproval};
use sprongus::runs::{
    Cancel, Claim, Enqueue, Fail, FindStep, Heartbeat, RetryRun, RunEvents, SaveStep, Snooze, StartRun, Succeed,
};
use sprongus::{ErrorCode, Json, Options, Run, RunState};
use sprongus_conformance::{Case, Env, Face};

use super::{case, claim_one, claims, code, get, json, kind, picture, put, told};

pub(super) fn cases() -> Vec<Case> {
    const DENY: &[&str] = &["approvals.deny"];
    const REQUEST: &[&str] = &["approvals.request", "approvals.approve"];
    vec![
        case("approvals::a_run_asks_in_the_middle", REQUEST, true, asks),
        case("approvals::each_step_asks_for_itself", REQUEST, true, steps),
        case("approvals::a_refused_scope_ends_the_run", DENY, true, refused),
        case("approvals::metadata_is_merged", REQUEST, true, merged),
        case("approvals::only_who_has_the_run_asks", REQUEST, true, fenced),
        case("approvals::the_same_request_again_waits_for_the_same", REQUEST, true, again),
        case("approvals::a_pending_record_outlives_a_cancel", REQUEST, true, outlives),
        case("approvals::a_run_waits_for_one_at_a_time", REQUEST, true, one_at_a_time),
        case("approvals::what_was_granted_stays_granted", REQUEST, true, stays),
        case("approvals::bad_requests_write_nothing", &["approvals.request", "approvals.get"], true, bad),
        case("approvals::metadata_has_a_size", REQUEST, false, sized),
    ]
}

pub(super) fn gated(name: &str) -> Enqueue {
    Enqueue { needs_approval: true, ..kind(name) }
}

/// A run of its own kind, claimed.
pub(super) fn running(on: Face<'_, '_>, name: &str) -> Run {
    put(on.runs(), name);
    let claim = Claim { kinds: Some(vec![name.to_owned()]), ..Claim::new("w1") };
    on.runs().claim_next(&claim).unwrap().remove(0)
}

pub(super) fn ask(run: &Run, scope: &str) -> RequestApproval {
    RequestApproval::new(&run.id, run.lease, scope, "Does it")
}

pub(super) fn on_scope(run: &str, scope: &str) -> Decide {
    Decide { scope: scope.to_owned(), ..Decide::new(run, "ann") }
}

pub(super) fn of(on: Face<'_, '_>, run: &str, scope: &str) -> Approval {
    on.approvals().get(&GetApproval { scope: scope.to_owned(), ..GetApproval::new(run) }).unwrap()
}

/// The last event of a run: type, actor, payload.
pub(super) fn last(on: Face<'_, '_>, run: &str) -> (String, String, serde_json::Value) {
    let event = on.runs().events(&RunEvents::new(run)).unwrap().pop().unwrap();
    (event.kind, event.actor, event.payload.to_value())
}

fn asks(env: &Env) {
    env.within(|on| {
        let run = running(on, "a");
        let metadata = json(r#"{"commit":"abc"}"#);
        let request = RequestApproval { metadata: metadata.clone(), ..ask(&run, "repo.push") };
        let pending = on.approvals().request(&request).unwrap();
        assert_eq!((pending.decision, pending.intent_summary.as_deref()), (None, Some("Does it")));
        assert_eq!((pending.scope.as_str(), &pending.metadata, &pending.run_id), ("repo.push", &metadata, &run.id));
        assert_eq!(of(on, &run.id, "repo.push"), pending);
        let waiting = get(on.runs(), &run.id);
        assert_eq!((waiting.state, waiting.state_code, waiting.attempt), (RunState::AwaitingApproval, 1, 0));
        assert!(waiting.claimed_by.is_none() && waiting.lease_until.is_none() && waiting.started_at.is_none());
        let (event, actor, payload) = last(on, &run.id);
        assert_eq!((event.as_str(), actor.as_str()), ("run.approval_requested", "w1"));
        let told_so = serde_json::json!({ "from": "running", "to": "awaiting_approval", "attempt": 0,
            "scope": "repo.push", "step": null, "approvalId": pending.id });
        assert_eq!(payload, told_so);

        let before = picture(on);
        let (id, lease) = (&run.id, run.lease);
        for lost in [
            code(on.runs().heartbeat(&Heartbeat::new(id, lease))),
            code(on.runs().succeed(&Succeed::new(id, lease))),
            code(on.runs().fail(&Fail::new(id, lease, "x"))),
            code(on.runs().snooze(&Snooze::new(id, lease, Duration::ZERO))),
            code(on.runs().start(&StartRun::new(id, lease))),
            code(on.runs().find_step(&FindStep::new(id, lease, "s"))),
            code(on.runs().save_step(&SaveStep::new(id, lease, "s", Json::null()))),
            code(on.approvals().request(&ask(&run, "deploy"))),
        ] {
            assert_eq!(lost, ErrorCode::LeaseLost);
        }
        assert!(claims(on.runs(), &Claim::new("w")).is_empty());
        assert_eq!(picture(on), before);

        let granted = on.approvals().approve(&on_scope(id, "repo.push")).unwrap();
        let queued = get(on.runs(), id);
        assert_eq!((queued.state, queued.state_code), (RunState::Queued, 0), "the gate is another thing");
        let (event, actor, payload) = last(on, id);
        assert_eq!((event.as_str(), actor.as_str(), &payload["scope"]), ("run.approved", "ann", &"repo.push".into()));
        let run = claim_one(on.runs());
        assert_eq!((run.attempt, run.lease), (1, 2));
        let before = picture(on);
        assert_eq!(on.approvals().request(&ask(&run, "repo.push")).unwrap(), granted, "decided: no change");
        assert_eq!(picture(on), before);
        on.runs().succeed(&Succeed::new(&run.id, run.lease)).unwrap();
        let all = ["enqueued", "started", "approval_requested", "approved", "started", "succeeded"];
        assert_eq!(told(on.runs(), &run.id), all.map(|event| format!("run.{event}")));
    });
}

fn steps(env: &Env) {
    env.within(|on| {
        let mut run = running(on, "a");
        let step =
            |run: &Run, step: Option<&str>| RequestApproval { step: step.map(str::to_owned), ..ask(run, "push") };
        for name in [None, Some("one"), Some("two")] {
            let pending = on.approvals().request(&step(&run, name)).unwrap();
            assert_eq!((pending.step.as_deref(), pending.decision), (name, None));
            assert_eq!(last(on, &run.id).2["step"], serde_json::json!(name));
            let decide = Decide { step: name.map(str::to_owned), ..on_scope(&run.id, "push") };
            assert_eq!(on.approvals().approve(&decide).unwrap().id, pending.id);
            run = claim_one(on.runs());
            assert_eq!(on.approvals().request(&step(&run, name)).unwrap().decision, Some(Decision::Approved));
        }
        assert_eq!((run.attempt, run.lease), (1, 4), "each wait gave the attempt back");
        assert_eq!(on.approvals().list(&Default::default()).unwrap().len(), 3);
    });
}

fn refused(env: &Env) {
    env.within(|on| {
        let run = running(on, "a");
        on.approvals().request(&ask(&run, "deploy")).unwrap();
        let denied = on.approvals().deny(&on_scope(&run.id, "deploy")).unwrap();
        assert_eq!(denied.decision, Some(Decision::Denied));
        let ended = get(on.runs(), &run.id);
        assert_eq!((ended.state, ended.finished_at.is_some(), ended.lease), (RunState::Denied, true, 1));
        assert_eq!(code(on.runs().succeed(&Succeed::new(&run.id, run.lease))), ErrorCode::LeaseLost);
        assert_eq!(code(on.approvals().request(&ask(&run, "deploy"))), ErrorCode::LeaseLost);
        assert!(claims(on.runs(), &Claim::new("w")).is_empty());
        let all = ["enqueued", "started", "approval_requested", "denied"];
        assert_eq!(told(on.runs(), &run.id), all.map(|event| format!("run.{event}")));
    });
}

fn merged(env: &Env) {
    env.within(|on| {
        let run = running(on, "a");
        let asked = json(r#"{"a":1.0,"b":{"x":1},"c":1e16,"n":null}"#);
        on.approvals().request(&RequestApproval { metadata: asked, ..ask(&run, "push") }).unwrap();
        let decide = Decide { metadata: json(r#"{"b":{"y":-0.0},"n":7,"z":null}"#), ..on_scope(&run.id, "push") };
        let approval = on.approvals().approve(&decide).unwrap();
        let all = r#"{"a":1.0,"b":{"y":0.0},"c":1e16,"n":7,"z":null}"#;
        assert_eq!(approval.metadata.as_str(), all, "member by member, the decision's win");
        assert_eq!(of(on, &run.id, "push"), approval);
        let run = claim_one(on.runs());
        assert_eq!(on.approvals().request(&ask(&run, "push")).unwrap().metadata.as_str(), all);
        on.approvals().request(&ask(&run, "other")).unwrap();
        assert_eq!(on.approvals().approve(&on_scope(&run.id, "other")).unwrap().metadata.as_str(), "{}");
    });
}

fn fenced(env: &Env) {
    env.within(|on| {
        let queued = put(on.runs(), "a");
        assert_eq!(code(on.approvals().request(&ask(&queued, "s"))), ErrorCode::InvalidState);
        let claim = Claim { dispatch: true, ..Claim::new("w") };
        let dispatched = on.runs().claim_next(&claim).unwrap().remove(0);
        assert_eq!(code(on.approvals().request(&ask(&dispatched, "s"))), ErrorCode::InvalidState);
        let first = running(on, "b");
        on.runs().fail(&Fail { retry_in: Some(Duration::ZERO), ..Fail::new(&first.id, first.lease, "x") }).unwrap();
        let claim = Claim { kinds: Some(vec!["b".to_owned()]), ..Claim::new("w1") };
        let second = on.runs().claim_next(&claim).unwrap().remove(0);
        let ended = running(on, "c");
        on.runs().succeed(&Succeed::new(&ended.id, ended.lease)).unwrap();
        let canceled = running(on, "d");
        on.runs().cancel(&Cancel::new(&canceled.id)).unwrap();
        let before = picture(on);
        for lost in [&first, &ended, &canceled] {
            assert_eq!(code(on.approvals().request(&ask(lost, "s"))), ErrorCode::LeaseLost);
        }
        let none = RequestApproval::new("none", 1, "s", "x");
        assert_eq!(code(on.approvals().request(&none)), ErrorCode::NotFound);
        assert_eq!(picture(on), before);
        on.approvals().request(&ask(&second, "s")).unwrap();
        on.approvals().approve(&on_scope(&second.id, "s")).unwrap();
        let third = on.runs().claim_next(&claim).unwrap().remove(0);
        assert_eq!(
            code(on.approvals().request(&ask(&second, "s"))),
            ErrorCode::LeaseLost,
            "granted, to whoever has it"
        );
        assert_eq!(on.approvals().request(&ask(&third, "s")).unwrap().decision, Some(Decision::Approved));
    });
}

fn again(env: &Env) {
    env.within(|on| {
        let run = running(on, "a");
        let pending = on.approvals().request(&ask(&run, "push")).unwrap();
        let before = picture(on);
        let other = RequestApproval { intent_summary: "Another".to_owned(), ..ask(&run, "push") };
        assert_eq!(on.approvals().request(&other).unwrap(), pending, "as after a lost answer");
        assert_eq!(code(on.approvals().request(&ask(&run, "deploy"))), ErrorCode::LeaseLost);
        assert_eq!(picture(on), before);
        on.approvals().approve(&on_scope(&run.id, "push")).unwrap();
        assert_eq!(code(on.approvals().request(&ask(&run, "push"))), ErrorCode::LeaseLost, "its lease has ended");
    });
}

fn outlives(env: &Env) {
    env.within(|on| {
        let run = running(on, "a");
        let pending = on.approvals().request(&ask(&run, "push")).unwrap();
        on.runs().cancel(&Cancel::new(&run.id)).unwrap();
        let before = picture(on);
        let error = on.approvals().approve(&on_scope(&run.id, "push")).unwrap_err();
        assert_eq!((error.code(), &error.details().unwrap()["state"]), (ErrorCode::InvalidState, &"canceled".into()));
        assert_eq!(code(on.approvals().deny(&on_scope(&run.id, "push"))), ErrorCode::InvalidState);
        assert_eq!(of(on, &run.id, "push"), pending);
        assert_eq!(code(on.approvals().request(&ask(&run, "push"))), ErrorCode::LeaseLost);
        assert_eq!(picture(on), before, "nothing was written");
        let retried = on.runs().retry(&RetryRun::new(&run.id)).unwrap();
        assert_eq!((retried.state, retried.series), (RunState::Queued, 2));
        let run = claim_one(on.runs());
        let other =
            RequestApproval { intent_summary: "Another".to_owned(), metadata: json(r#"{"n":2}"#), ..ask(&run, "push") };
        let anew = on.approvals().request(&other).unwrap();
        assert_eq!((&anew.id, anew.created_at), (&pending.id, pending.created_at), "the record is used again");
        assert_eq!((anew.intent_summary.as_deref(), anew.metadata.as_str()), (Some("Another"), r#"{"n":2}"#));
        on.approvals().approve(&on_scope(&run.id, "push")).unwrap();
        assert_eq!(claim_one(on.runs()).id, run.id);
    });
}

fn one_at_a_time(env: &Env) {
    env.within(|on| {
        let run = running(on, "a");
        let one = on.approvals().request(&RequestApproval { step: Some("s".to_owned()), ..ask(&run, "one") }).unwrap();
        on.runs().cancel(&Cancel::new(&run.id)).unwrap();
        on.runs().retry(&RetryRun::new(&run.id)).unwrap();
        let run = claim_one(on.runs());
        let two = on.approvals().request(&ask(&run, "two")).unwrap();
        let before = picture(on);
        let on_one = Decide { step: Some("s".to_owned()), ..on_scope(&run.id, "one") };
        let error = on.approvals().approve(&on_one).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidState);
        let awaiting = serde_json::json!({ "scope": "two", "step": null, "approvalId": two.id });
        assert_eq!(error.details().unwrap()["awaiting"], awaiting);
        assert!(error.message().contains(r#""two", not for the approval "one" in the step "s""#), "{error}");
        assert_eq!(code(on.approvals().deny(&on_one)), ErrorCode::InvalidState);
        assert_eq!(picture(on), before);
        on.approvals().approve(&on_scope(&run.id, "two")).unwrap();
        let run = claim_one(on.runs());
        let error = on.approvals().approve(&on_one).unwrap_err();
        assert_eq!((error.code(), &error.details().unwrap()["state"]), (ErrorCode::InvalidState, &"running".into()));
        let anew = on.approvals().request(&RequestApproval { step: Some("s".to_owned()), ..ask(&run, "one") }).unwrap();
        assert_eq!(anew.id, one.id);
        on.approvals().approve(&on_one).unwrap();
    });
}

fn stays(env: &Env) {
    env.within(|on| {
        let id = on.runs().enqueue(&gated("a")).unwrap().id;
        on.approvals().approve(&Decide::new(&id, "ann")).unwrap();
        let run = claim_one(on.runs());
        on.approvals().request(&ask(&run, "push")).unwrap();
        on.approvals().approve(&on_scope(&id, "push")).unwrap();
        let run = claim_one(on.runs());
        on.runs().fail(&Fail { retryable: false, ..Fail::new(&id, run.lease, "x") }).unwrap();
        let retried = on.runs().retry(&RetryRun::new(&id)).unwrap();
        assert_eq!((retried.state, retried.state_code), (RunState::Queued, 2), "no gate anew");
        let run = claim_one(on.runs());
        assert_eq!(on.approvals().request(&ask(&run, "push")).unwrap().decision, Some(Decision::Approved));
        assert_eq!(get(on.runs(), &id).state, RunState::Running);
    });
}

fn bad(env: &Env) {
    env.within(|on| {
        let run = running(on, "a");
        let gated = on.runs().enqueue(&gated("b")).unwrap().id;
        let before = picture(on);
        let long = "x".repeat(513);
        for scope in ["", "a\0", "tab\t", "\u{85}", &long, GATE] {
            assert_eq!(code(on.approvals().request(&ask(&run, scope))), ErrorCode::InvalidArgument, "{scope:?}");
        }
        for step in ["", "a\n", &long] {
            let step = Some(step.to_owned());
            let request = RequestApproval { step: step.clone(), ..ask(&run, "s") };
            assert_eq!(code(on.approvals().request(&request)), ErrorCode::InvalidArgument);
            let decide = Decide { step: step.clone(), ..Decide::new(&gated, "ann") };
            assert_eq!(code(on.approvals().approve(&decide)), ErrorCode::InvalidArgument);
            let get = GetApproval { step, ..GetApproval::new(&gated) };
            assert_eq!(code(on.approvals().get(&get)), ErrorCode::InvalidArgument);
        }
        for summary in ["", "a\0b", "bell\u{7}"] {
            let request = RequestApproval { intent_summary: summary.to_owned(), ..ask(&run, "s") };
            assert_eq!(code(on.approvals().request(&request)), ErrorCode::InvalidArgument, "{summary:?}");
            let decide = Decide { note: Some(summary.to_owned()), ..Decide::new(&gated, "ann") };
            assert_eq!(code(on.approvals().deny(&decide)), ErrorCode::InvalidArgument);
        }
        let huge = "é".repeat(8 * 1024) + "x";
        let request = RequestApproval { intent_summary: huge.clone(), ..ask(&run, "s") };
        assert_eq!(code(on.approvals().request(&request)), ErrorCode::TooLarge);
        let decide = Decide { note: Some(huge), ..Decide::new(&gated, "ann") };
        assert_eq!(code(on.approvals().approve(&decide)), ErrorCode::TooLarge);
        for metadata in ["[]", "1", "\"x\"", "true"] {
            let request = RequestApproval { metadata: json(metadata), ..ask(&run, "s") };
            assert_eq!(code(on.approvals().request(&request)), ErrorCode::InvalidArgument, "{metadata}");
            let decide = Decide { metadata: json(metadata), ..Decide::new(&gated, "ann") };
            assert_eq!(code(on.approvals().approve(&decide)), ErrorCode::InvalidArgument);
        }
        for by in ["", "a\0", &long] {
            assert_eq!(code(on.approvals().approve(&Decide::new(&gated, by))), ErrorCode::InvalidArgument);
        }
        for id in ["", "a\0", &"x".repeat(129)] {
            assert_eq!(code(on.approvals().approve(&Decide::new(id, "ann"))), ErrorCode::InvalidArgument);
            assert_eq!(code(on.approvals().get(&GetApproval::new(id))), ErrorCode::InvalidArgument);
            let request = RequestApproval::new(id, 1, "s", "x");
            assert_eq!(code(on.approvals().request(&request)), ErrorCode::InvalidArgument);
        }
        assert_eq!(picture(on), before);
        let kept = RequestApproval { intent_summary: "é🙂\r\n\t'; --".to_owned(), ..ask(&run, "é 🙂 'x") };
        assert_eq!(on.approvals().request(&kept).unwrap().intent_summary.as_ref(), Some(&kept.intent_summary));
    });
}

fn sized(env: &Env) {
    let store = env.open_with(Options { max_payload_bytes: 20, ..env.options() });
    let on = Face::Store(&store);
    let run = running(on, "a");
    let of = |name: &str, n: usize| json(&format!(r#"{{"{name}":"{}"}}"#, "x".repeat(n)));
    let request = |n| RequestApproval { metadata: of("a", n), ..ask(&run, "s") };
    assert_eq!(code(on.approvals().request(&request(13))), ErrorCode::TooLarge);
    on.approvals().request(&request(12)).unwrap();
    let decide = |n| Decide { metadata: of("b", n), ..on_scope(&run.id, "s") };
    let before = picture(on);
    assert_eq!(code(on.approvals().approve(&decide(13))), ErrorCode::TooLarge);
    let error = on.approvals().approve(&decide(12)).unwrap_err();
    assert!(error.code() == ErrorCode::TooLarge && error.message().contains("request and decision"), "{error}");
    assert_eq!(picture(on), before);
    on.approvals().approve(&Decide { metadata: of("a", 12), ..on_scope(&run.id, "s") }).unwrap();
}
