//! Reports on many runs in one call: each for itself.

use std::time::Duration;

use sprongus::runs::{Claim, Enqueue, EnqueueMany, Fail, FailMany, RunEvents, RunOutput, Succeed, SucceedMany};
use sprongus::{Error, ErrorCode, Json, Result, Run, RunState, Runs};
use sprongus_conformance::{Case, Env, Face};

use super::{case, code, get, json, kind, told};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("runs::many_succeed_in_one_call", &["runs.succeed_many"], true, succeed),
        case("runs::many_fail_in_one_call", &["runs.fail_many"], true, fail),
        case("runs::a_batch_says_of_each_why_not", &["runs.succeed_many", "runs.fail_many"], true, each_for_itself),
        case("runs::the_same_run_twice_in_a_batch", &["runs.succeed_many", "runs.fail_many"], true, twice),
        case("runs::a_batch_reports_as_one_by_one", &["runs.succeed_many", "runs.fail_many"], true, alike),
        case("runs::a_thousand_are_claimed_and_reported", &["runs.succeed_many", "runs.fail_many"], false, thousand),
        case("runs::a_batch_is_bounded", &["runs.succeed_many", "runs.fail_many"], true, bounded),
        case("runs::rival_batches_meet_in_no_circle", &["runs.succeed_many"], false, rivals),
    ]
}

fn claimed(on: Face<'_, '_>, count: i64) -> Vec<Run> {
    let items = (0..count).map(|_| Enqueue { max_attempts: 2, ..kind("a") }).collect();
    on.runs().enqueue_many(&EnqueueMany::new(items)).unwrap();
    let of_a = Some(vec!["a".to_owned()]);
    on.runs().claim_next(&Claim { limit: count, kinds: of_a, ..Claim::new("w1") }).unwrap()
}

fn succeed_all(runs: Runs<'_>, items: Vec<Succeed>) -> Vec<Result<Run>> {
    runs.succeed_many(&SucceedMany { items }).unwrap()
}

fn fail_all(runs: Runs<'_>, items: Vec<Fail>) -> Vec<Result<Run>> {
    runs.fail_many(&FailMany { items }).unwrap()
}

fn succeed(env: &Env) {
    env.within(|on| {
        let runs = claimed(on, 4);
        let output = json(r#"{"b":1.0,"a":[null]}"#);
        let mut items: Vec<Succeed> = runs.iter().rev().map(|run| Succeed::new(&run.id, run.lease)).collect();
        items[0].output = Some(output.clone());
        items[1].output_ref = Some("s3://b/k".to_owned());
        items[2].output = Some(Json::null());
        let done: Vec<Run> = succeed_all(on.runs(), items.clone()).into_iter().map(Result::unwrap).collect();
        assert!(done.iter().map(|run| &run.id).eq(items.iter().map(|item| &item.id)), "in the order of the call");
        for run in &done {
            assert_eq!((run.state, run.version, run.claimed_by.as_deref()), (RunState::Succeeded, 3, Some("w1")));
            assert_eq!(get(on.runs(), &run.id), *run);
            assert_eq!(told(on.runs(), &run.id), ["run.enqueued", "run.started", "run.succeeded"]);
            let event = on.runs().events(&RunEvents::new(&run.id)).unwrap().remove(2);
            let payload = r#"{"attempt":1,"from":"running","to":"succeeded"}"#;
            assert_eq!((event.actor.as_str(), event.payload.as_str()), ("w1", payload));
        }
        let out = |at: usize| on.runs().output(&RunOutput::new(&done[at].id));
        assert_eq!((out(0).unwrap(), out(2).unwrap()), (output, Json::null()));
        assert_eq!(done[1].output_ref.as_deref(), Some("s3://b/k"));
        assert_eq!(code(out(3)), ErrorCode::NotFound);
        let again: Vec<Run> = succeed_all(on.runs(), items).into_iter().map(Result::unwrap).collect();
        assert_eq!(again, done, "the same again is the stored outcome");
    });
}

fn fail(env: &Env) {
    env.within(|on| {
        let runs = claimed(on, 3);
        let of = |at: usize, error: &str| Fail::new(&runs[at].id, runs[at].lease, error);
        let items = vec![
            Fail { retry_in: Some(Duration::from_secs(90)), ..of(0, "late\0r") },
            Fail { retryable: false, ..of(1, "for good") },
            Fail { retry_in: Some(Duration::ZERO), ..of(2, "now") },
        ];
        let done: Vec<Run> = fail_all(on.runs(), items).into_iter().map(Result::unwrap).collect();
        let states: Vec<RunState> = done.iter().map(|run| run.state).collect();
        assert_eq!(states, [RunState::Queued, RunState::Failed, RunState::Queued]);
        assert_eq!(done[0].error.as_deref(), Some("late\u{fffd}r"));
        let put_off = done[0].run_at.since(done[0].updated_at).as_millis();
        assert!((90_000..90_100).contains(&put_off), "{put_off}");
        assert!(done[1].finished_at.is_some());
        let last = |at: usize| on.runs().events(&RunEvents::new(&runs[at].id)).unwrap().remove(2);
        let payload = r#"{"attempt":1,"delay":90.0,"from":"running","reason":"late�r","to":"queued"}"#;
        assert_eq!((last(0).kind.as_str(), last(0).payload.as_str()), ("run.retry_scheduled", payload));
        let payload = r#"{"attempt":1,"error":"for good","from":"running","to":"failed"}"#;
        assert_eq!((last(1).kind.as_str(), last(1).payload.as_str()), ("run.failed", payload));
        assert!((0..3).all(|at| last(at).actor == "w1"), "the worker that had it, though it has it no more");
        let next = on.runs().claim_next(&Claim { limit: 9, ..Claim::new("w2") }).unwrap();
        assert_eq!(next.iter().map(|run| &run.id).collect::<Vec<_>>(), [&runs[2].id], "what is due at once");
        assert_eq!(next[0].attempt, 2);
    });
}

fn each_for_itself(env: &Env) {
    env.within(|on| {
        let runs = claimed(on, 2);
        let queued = on.runs().enqueue(&kind("b")).unwrap();
        let long = "x".repeat(129);
        let keys = [
            (queued.id.as_str(), 0),
            (&runs[0].id, runs[0].lease + 1),
            (&runs[0].id, runs[0].lease),
            ("none", 1),
            ("", 1),
            (&long, 1),
            (&runs[1].id, runs[1].lease),
        ];
        let mut items: Vec<Succeed> = keys.map(|(id, lease)| Succeed::new(id, lease)).into();
        items.push(Succeed { output: Some(Json::null()), output_ref: Some("x".to_owned()), ..items[6].clone() });
        let errors = |results: &[Result<Run>]| -> Vec<Option<ErrorCode>> {
            results.iter().map(|result| result.as_ref().err().map(Error::code)).collect()
        };
        use ErrorCode::{InvalidArgument, InvalidState, LeaseLost, NotFound};
        let wrong = [
            Some(InvalidState),
            Some(LeaseLost),
            None,
            Some(NotFound),
            Some(InvalidArgument),
            Some(InvalidArgument),
            None,
        ];
        let done = succeed_all(on.runs(), items);
        assert_eq!(errors(&done), [&wrong[..], &[Some(InvalidArgument)]].concat());
        let one = on.runs().succeed(&Succeed::new(&runs[0].id, runs[0].lease + 1)).unwrap_err();
        assert_eq!(done[1].as_ref().unwrap_err().to_json(), one.to_json(), "as one by one");
        let runs = claimed(on, 1);
        let items = vec![
            Fail::new(&queued.id, 0, "x"),
            Fail::new(&runs[0].id, 9, "x"),
            Fail { retry_in: Some(Duration::ZERO), retryable: false, ..Fail::new(&runs[0].id, runs[0].lease, "x") },
            Fail { retry_in: Some(Duration::MAX), ..Fail::new(&runs[0].id, runs[0].lease, "x") },
            Fail::new(&runs[0].id, runs[0].lease, "x"),
        ];
        let wrong = [Some(InvalidState), Some(LeaseLost), Some(InvalidArgument), Some(InvalidArgument), None];
        assert_eq!(errors(&fail_all(on.runs(), items)), wrong);
        assert_eq!(told(on.runs(), &queued.id), ["run.enqueued"]);
    });
}

fn twice(env: &Env) {
    env.within(|on| {
        let run = claimed(on, 1).remove(0);
        let first = Succeed { output: Some(json("1")), ..Succeed::new(&run.id, run.lease) };
        let again = Succeed { output: Some(json("2")), ..first.clone() };
        let done: Vec<Run> = succeed_all(on.runs(), vec![first, again]).into_iter().map(Result::unwrap).collect();
        assert_eq!(done[0], done[1], "the first counts, the second is the same again");
        assert_eq!(on.runs().output(&RunOutput::new(&run.id)).unwrap(), json("1"));
        assert_eq!(done[0].version, 3);
        let run = claimed(on, 1).remove(0);
        let (first, again) = (Fail::new(&run.id, run.lease, "first"), Fail::new(&run.id, run.lease, "again"));
        let done = fail_all(on.runs(), vec![first, again]);
        assert!(done.iter().all(|run| run.as_ref().unwrap().error.as_deref() == Some("first")));
        assert_eq!(told(on.runs(), &run.id).len(), 3);
        // The stale one before the right one takes nothing away from it.
        let run = claimed(on, 1).remove(0);
        let done = fail_all(on.runs(), vec![Fail::new(&run.id, 99, "stale"), Fail::new(&run.id, run.lease, "right")]);
        assert_eq!(done[0].as_ref().unwrap_err().code(), ErrorCode::LeaseLost);
        assert_eq!(done[1].as_ref().unwrap().error.as_deref(), Some("right"));
    });
}

/// What a batch leaves is what the reports leave one by one, but for ids and moments.
fn alike(env: &Env) {
    env.within(|on| {
        let seen = |run: &Run| {
            let last = on.runs().events(&RunEvents::new(&run.id)).unwrap().pop().unwrap();
            let output = on.runs().output(&RunOutput::new(&run.id)).ok();
            (
                run.state,
                run.error.clone(),
                run.version,
                run.claimed_by.clone(),
                last.kind,
                last.payload,
                last.actor,
                output,
            )
        };
        let runs = claimed(on, 6);
        let output = Some(json(r#"{"z":1e16}"#));
        let of = |run: &Run| Succeed { output: output.clone(), ..Succeed::new(&run.id, run.lease) };
        let one = on.runs().succeed(&of(&runs[0])).unwrap();
        let many = succeed_all(on.runs(), vec![of(&runs[1])]).remove(0).unwrap();
        assert_eq!(seen(&one), seen(&many));
        for retryable in [true, false] {
            let at = if retryable { 2 } else { 4 };
            let retry_in = retryable.then_some(Duration::from_secs(7));
            let of = |run: &Run| Fail { retryable, retry_in, ..Fail::new(&run.id, run.lease, "1e16 \u{1} é") };
            let one = on.runs().fail(&of(&runs[at])).unwrap();
            let many = fail_all(on.runs(), vec![of(&runs[at + 1])]).remove(0).unwrap();
            assert_eq!(seen(&one), seen(&many));
        }
    });
}

fn thousand(env: &Env) {
    let store = env.open();
    let runs = claimed(Face::Store(&store), 1000);
    assert_eq!(runs.len(), 1000);
    let of = |run: &Run| Succeed { output: Some(json("[1,2,3]")), ..Succeed::new(&run.id, run.lease) };
    let done = succeed_all(store.runs(), runs.iter().map(of).collect());
    assert!(done.iter().zip(&runs).all(|(done, run)| done.as_ref().unwrap().id == run.id));
    assert!(done.iter().all(|done| done.as_ref().unwrap().state == RunState::Succeeded));
    let runs = claimed(Face::Store(&store), 1000);
    let of = |(at, run): (usize, &Run)| Fail { retryable: at % 3 > 0, ..Fail::new(&run.id, run.lease, "no") };
    let done = fail_all(store.runs(), runs.iter().enumerate().map(of).collect());
    let failed = done.iter().filter(|run| run.as_ref().unwrap().state == RunState::Failed).count();
    assert_eq!((done.len(), failed), (1000, 334));
    let count = |sql: &str| store.query(sql, &[]).unwrap()[0].values()[0].clone();
    assert_eq!(count("SELECT count(*) FROM sprongus_events WHERE run_id IS NOT NULL"), (3 * 2000).into());
    assert_eq!(count("SELECT count(*) FROM sprongus_artifacts"), 1000.into());
}

fn bounded(env: &Env) {
    env.within(|on| {
        assert!(succeed_all(on.runs(), Vec::new()).is_empty() && fail_all(on.runs(), Vec::new()).is_empty());
        let run = claimed(on, 1).remove(0);
        let items = vec![Succeed::new(&run.id, run.lease); 1001];
        assert_eq!(code(on.runs().succeed_many(&SucceedMany { items })), ErrorCode::InvalidArgument);
        let items = vec![Fail::new(&run.id, run.lease, "x"); 1001];
        assert_eq!(code(on.runs().fail_many(&FailMany { items })), ErrorCode::InvalidArgument);
        assert_eq!(get(on.runs(), &run.id), run, "nothing was written");
    });
}

/// Batches over the same runs in another order wait for one another, and each run is reported once.
fn rivals(env: &Env) {
    let store = env.open();
    let runs = claimed(Face::Store(&store), 300);
    let done = std::thread::scope(|scope| {
        let report = |turn: usize| {
            let mut items: Vec<Succeed> = runs.iter().map(|run| Succeed::new(&run.id, run.lease)).collect();
            if turn.is_multiple_of(2) {
                items.reverse();
            }
            succeed_all(store.runs(), items)
        };
        let threads: Vec<_> = (0..4).map(|turn| scope.spawn(move || report(turn))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(done.iter().all(|run| run.as_ref().is_ok_and(|run| run.version == 3)));
}
