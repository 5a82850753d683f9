//! What a worker says of its run, and what it is answered.

use std::sync::Arc;
use std::time::Duration;

use sprongus::clock::testing::ManualClock;
use sprongus::runs::{Cancel, Claim, Enqueue, Fail, Heartbeat, RunEvents, RunOutput, Succeed};
use sprongus::{Clock, ErrorCode, Json, Options, RunState, SystemClock};
use sprongus_conformance::{Case, Env};

use super::{case, claim_one, claims, code, get, json, kind, put, told};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("runs::a_success_keeps_its_output", &["runs.succeed", "runs.output"], true, succeeds),
        case("runs::an_output_is_a_document_or_a_reference", &["runs.succeed", "runs.output"], true, references),
        case("runs::a_failure_is_tried_again_then_final", &["runs.fail"], false, fails),
        case("runs::a_failure_may_be_final_at_once", &["runs.fail"], true, fatal),
        case("runs::error_texts_are_cut", &["runs.fail"], true, cut),
        case(
            "runs::a_run_never_claimed_takes_no_report",
            &["runs.succeed", "runs.fail", "runs.heartbeat"],
            true,
            unclaimed,
        ),
        case("runs::an_older_lease_is_refused", &["runs.succeed", "runs.fail", "runs.heartbeat"], false, fenced),
        case("runs::a_heartbeat_tells_progress", &["runs.heartbeat"], true, beats),
        case("runs::a_canceled_run_takes_no_report", &["runs.cancel", "runs.heartbeat"], true, canceled),
        case("runs::runs_are_canceled_wherever_they_stand", &["runs.cancel"], true, cancels),
    ]
}

fn succeeds(env: &Env) {
    env.within(|on| {
        let id = put(on.runs(), "a").id;
        let run = claim_one(on.runs());
        let output = json(r#"{"b":[1.0,"é"],"a":null}"#);
        let report = Succeed { output: Some(output.clone()), ..Succeed::new(&id, run.lease) };
        let done = on.runs().succeed(&report).unwrap();
        assert_eq!((done.state, done.state_code, done.version), (RunState::Succeeded, 5, 3));
        assert!(done.finished_at.is_some() && done.lease_until.is_none());
        assert_eq!(done.claimed_by.as_deref(), Some("w1"));
        assert!(done.output_ref.as_deref().unwrap().starts_with("artifact:"));
        assert_eq!(on.runs().output(&RunOutput::new(&id)).unwrap(), output);
        assert_eq!(on.runs().succeed(&report).unwrap(), done, "the same again is the stored outcome");
        assert_eq!(on.runs().succeed(&Succeed::new(&id, run.lease)).unwrap(), done, "whatever its arguments");
        assert_eq!(code(on.runs().fail(&Fail::new(&id, run.lease, "x"))), ErrorCode::LeaseLost);
        assert_eq!(code(on.runs().heartbeat(&Heartbeat::new(&id, run.lease))), ErrorCode::LeaseLost);
        assert_eq!(get(on.runs(), &id), done);
        assert_eq!(told(on.runs(), &id), ["run.enqueued", "run.started", "run.succeeded"]);
        let event = on.runs().events(&RunEvents::new(&id)).unwrap().remove(2);
        assert_eq!(
            (event.actor.as_str(), event.payload.as_str()),
            ("w1", r#"{"attempt":1,"from":"running","to":"succeeded"}"#)
        );
    });
}

fn references(env: &Env) {
    env.within(|on| {
        let out = |id: &str| on.runs().output(&RunOutput::new(id));
        let report = |output, output_ref: Option<&str>| {
            put(on.runs(), "a");
            let run = claim_one(on.runs());
            let output_ref = output_ref.map(str::to_owned);
            (run.id.clone(), Succeed { output, output_ref, ..Succeed::new(run.id, run.lease) })
        };
        let (id, both) = report(Some(Json::null()), Some("s3://b/k"));
        assert_eq!(code(on.runs().succeed(&both)), ErrorCode::InvalidArgument);
        assert_eq!(get(on.runs(), &id).state, RunState::Running);
        let (id, null) = report(Some(Json::null()), None);
        on.runs().succeed(&null).unwrap();
        assert_eq!(out(&id).unwrap(), Json::null());
        let (id, elsewhere) = report(None, Some("s3://b/k"));
        assert_eq!(on.runs().succeed(&elsewhere).unwrap().output_ref.as_deref(), Some("s3://b/k"));
        assert_eq!(code(out(&id)), ErrorCode::NotFound);
        let (id, none) = report(None, None);
        assert_eq!(on.runs().succeed(&none).unwrap().output_ref, None);
        assert_eq!(code(out(&id)), ErrorCode::NotFound);
        let (id, stranger) = report(None, Some("artifact:of-another"));
        on.runs().succeed(&stranger).unwrap();
        let error = out(&id).unwrap_err();
        assert_eq!(error.code(), ErrorCode::NotFound);
        assert!(!error.message().contains("no run"), "the run is there: {error}");
        for bad in ["", "a\0", &"x".repeat(5000)] {
            let (_, bad) = report(None, Some(bad));
            assert_eq!(code(on.runs().succeed(&bad)), ErrorCode::InvalidArgument);
        }
    });
}

fn fails(env: &Env) {
    let clock = ManualClock::new(SystemClock::default().now());
    let store = env.open_with(Options { clock: Arc::new(clock.clone()), ..env.options() });
    let runs = store.runs();
    let id = runs.enqueue(&Enqueue { max_attempts: 3, ..kind("a") }).unwrap().id;
    let run = claim_one(runs);
    let failed = runs.fail(&Fail::new(&id, run.lease, "no disk")).unwrap();
    assert_eq!((failed.state, failed.error.as_deref(), failed.attempt), (RunState::Queued, Some("no disk"), 1));
    assert!(failed.claimed_by.is_none() && failed.lease_until.is_none() && failed.finished_at.is_none());
    assert!(failed.run_at >= clock.now() && failed.run_at <= clock.now().saturating_add(Duration::from_secs(1)));
    assert_eq!(runs.fail(&Fail::new(&id, run.lease, "other")).unwrap(), failed, "the stored outcome");
    assert_eq!(code(runs.succeed(&Succeed::new(&id, run.lease))), ErrorCode::LeaseLost);
    clock.advance(Duration::from_secs(1));
    let run = claim_one(runs);
    assert_eq!((run.attempt, run.lease), (2, 2));
    let hour = Some(Duration::from_secs(3600));
    let failed = runs.fail(&Fail { retry_in: hour, ..Fail::new(&id, run.lease, "still") }).unwrap();
    assert_eq!(failed.run_at, clock.now().saturating_add(Duration::from_secs(3600)));
    clock.advance(Duration::from_secs(3599));
    assert!(claims(runs, &Claim::new("w")).is_empty());
    clock.advance(Duration::from_secs(1));
    let run = claim_one(runs);
    let failed = runs.fail(&Fail::new(&id, run.lease, "enough")).unwrap();
    assert_eq!((failed.state, failed.error.as_deref()), (RunState::Failed, Some("enough")));
    assert!(failed.finished_at.is_some());
    let retry = ["run.started", "run.retry_scheduled"];
    assert_eq!(told(runs, &id), ["run.enqueued", retry[0], retry[1], retry[0], retry[1], retry[0], "run.failed"]);
    let event = runs.events(&RunEvents::new(&id)).unwrap().remove(2).payload.to_value();
    assert_eq!((&event["reason"], &event["to"], &event["attempt"]), (&"no disk".into(), &"queued".into(), &1.into()));
    let again = runs.enqueue(&kind("a")).unwrap().id;
    let run = claim_one(runs);
    runs.fail(&Fail { retry_in: Some(Duration::ZERO), ..Fail::new(&again, run.lease, "now") }).unwrap();
    assert_eq!(claims(runs, &Claim::new("w")), [again]);
}

fn fatal(env: &Env) {
    env.within(|on| {
        let id = put(on.runs(), "a").id;
        let run = claim_one(on.runs());
        let fail = Fail { retryable: false, ..Fail::new(&id, run.lease, "bad input") };
        let odd = Fail { retry_in: Some(Duration::from_secs(1)), ..fail.clone() };
        assert_eq!(code(on.runs().fail(&odd)), ErrorCode::InvalidArgument);
        assert_eq!(on.runs().fail(&fail).unwrap().state, RunState::Failed);
        assert_eq!(told(on.runs(), &id), ["run.enqueued", "run.started", "run.failed"]);
        assert!(claims(on.runs(), &Claim::new("w")).is_empty());
    });
}

fn cut(env: &Env) {
    env.within(|on| {
        let id = put(on.runs(), "a").id;
        let run = claim_one(on.runs());
        let text = format!("a\0b{}", "é".repeat(20_000));
        let error = on.runs().fail(&Fail::new(&id, run.lease, text)).unwrap().error.unwrap();
        assert!(error.starts_with("a\u{fffd}bé") && error.ends_with("… (truncated)") && error.len() <= 16 << 10);
    });
}

fn unclaimed(env: &Env) {
    env.within(|on| {
        let run = put(on.runs(), "a");
        for lease in [0, 1] {
            assert_eq!(code(on.runs().succeed(&Succeed::new(&run.id, lease))), ErrorCode::InvalidState);
            assert_eq!(code(on.runs().fail(&Fail::new(&run.id, lease, "x"))), ErrorCode::InvalidState);
            assert_eq!(code(on.runs().heartbeat(&Heartbeat::new(&run.id, lease))), ErrorCode::InvalidState);
        }
        assert_eq!(code(on.runs().succeed(&Succeed::new("none", 1))), ErrorCode::NotFound);
        assert_eq!(get(on.runs(), &run.id), run);
    });
}

fn fenced(env: &Env) {
    let store = env.open();
    let runs = store.runs();
    let id = put(runs, "a").id;
    let first = claim_one(runs);
    runs.fail(&Fail { retry_in: Some(Duration::ZERO), ..Fail::new(&id, first.lease, "x") }).unwrap();
    let second = claim_one(runs);
    assert!(second.lease > first.lease);
    assert_eq!(second.claimed_by, first.claimed_by, "the worker's name makes no difference");
    for lease in [first.lease, second.lease + 1, -1, 0] {
        assert_eq!(code(runs.succeed(&Succeed::new(&id, lease))), ErrorCode::LeaseLost);
        assert_eq!(code(runs.fail(&Fail::new(&id, lease, "x"))), ErrorCode::LeaseLost);
        assert_eq!(code(runs.heartbeat(&Heartbeat::new(&id, lease))), ErrorCode::LeaseLost);
    }
    assert_eq!(get(runs, &id), second, "nothing was changed, not even updatedAt");
}

fn beats(env: &Env) {
    env.within(|on| {
        let id = put(on.runs(), "a").id;
        let run = claim_one(on.runs());
        let beat = |progress| Heartbeat { progress, ..Heartbeat::new(&id, run.lease) };
        let told_half = on.runs().heartbeat(&beat(Some(json(r#"{"done":0.5}"#)))).unwrap();
        assert_eq!(told_half.progress.as_str(), r#"{"done":0.5}"#);
        assert_eq!(told_half.version, run.version, "a heartbeat is no transition");
        assert_eq!(on.runs().heartbeat(&beat(None)).unwrap().progress, told_half.progress);
        assert!(on.runs().heartbeat(&beat(Some(Json::null()))).unwrap().progress.is_null());
        let hour = Heartbeat { extend: Some(Duration::from_secs(3600)), ..beat(None) };
        let longer = on.runs().heartbeat(&hour).unwrap();
        assert!(longer.lease_until.unwrap().since(run.lease_until.unwrap()) > Duration::from_secs(3000));
        let huge = json(&format!("\"{}\"", "x".repeat(1 << 20)));
        assert_eq!(code(on.runs().heartbeat(&beat(Some(huge)))), ErrorCode::TooLarge);
        let zero = Heartbeat { extend: Some(Duration::ZERO), ..beat(None) };
        assert_eq!(code(on.runs().heartbeat(&zero)), ErrorCode::InvalidArgument);
        assert_eq!(told(on.runs(), &id).len(), 2);
    });
}

fn canceled(env: &Env) {
    env.within(|on| {
        let id = put(on.runs(), "a").id;
        let run = claim_one(on.runs());
        let canceled = on.runs().cancel(&Cancel { reason: Some("why not".to_owned()), ..Cancel::new(&id) }).unwrap();
        assert_eq!((canceled.state, canceled.state_code), (RunState::Canceled, 8));
        assert!(canceled.finished_at.is_some());
        let beat = Heartbeat { progress: Some(json("1")), ..Heartbeat::new(&id, run.lease) };
        assert_eq!(on.runs().heartbeat(&beat).unwrap(), canceled, "it is told, and writes nothing");
        assert_eq!(code(on.runs().succeed(&Succeed::new(&id, run.lease))), ErrorCode::LeaseLost);
        assert_eq!(code(on.runs().fail(&Fail::new(&id, run.lease, "x"))), ErrorCode::LeaseLost);
        assert_eq!(on.runs().cancel(&Cancel::new(&id)).unwrap(), canceled, "again is no change");
        assert_eq!(get(on.runs(), &id), canceled);
        let event = on.runs().events(&RunEvents::new(&id)).unwrap().remove(2);
        assert_eq!(event.kind, "run.canceled");
        assert_eq!(event.payload.as_str(), r#"{"attempt":1,"from":"running","reason":"why not","to":"canceled"}"#);
    });
}

fn cancels(env: &Env) {
    env.within(|on| {
        let gated = on.runs().enqueue(&Enqueue { needs_approval: true, ..kind("a") }).unwrap().id;
        let queued = put(on.runs(), "a").id;
        for id in [&gated, &queued] {
            assert_eq!(on.runs().cancel(&Cancel::new(id)).unwrap().state, RunState::Canceled);
        }
        assert!(claims(on.runs(), &Claim::new("w")).is_empty());
        let id = put(on.runs(), "a").id;
        on.runs().claim_next(&Claim { dispatch: true, ..Claim::new("w") }).unwrap();
        assert_eq!(on.runs().cancel(&Cancel::new(&id)).unwrap().state, RunState::Canceled);
        let id = put(on.runs(), "a").id;
        let run = claim_one(on.runs());
        on.runs().succeed(&Succeed::new(&id, run.lease)).unwrap();
        assert_eq!(code(on.runs().cancel(&Cancel::new(&id))), ErrorCode::InvalidState);
        assert_eq!(code(on.runs().cancel(&Cancel::new("none"))), ErrorCode::NotFound);
    });
}
