//! A claim that reports the run before.

use std::time::Duration;

use sprongus::runs::{Claim, Enqueue, LimitKind, Run, RunOutput, Succeed};
use sprongus::{ErrorCode, Json, RunState};
use sprongus_conformance::{Case, Env};

use super::{case, claims, code, get, kind, put, told};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("runs::a_claim_reports_the_run_before", &["runs.claim_next", "runs.succeed"], true, reported),
        case("runs::a_refused_report_claims_nothing", &["runs.claim_next"], true, refused),
        case("runs::a_report_makes_room_for_its_claim", &["runs.claim_next", "runs.limit_kind"], false, room),
        case("runs::what_falls_due_is_claimed_in_its_turn", &["runs.claim_next"], false, due),
    ]
}

/// The next run, after that one has succeeded.
fn after(run: &Run) -> Claim {
    Claim { succeeded: Some(Succeed::new(&run.id, run.lease)), ..Claim::new("w") }
}

fn reported(env: &Env) {
    env.within(|on| {
        let runs = on.runs();
        let ids: Vec<String> = (0..5).map(|_| put(runs, "a").id).collect();
        let mut run = runs.claim_next(&Claim::new("w")).unwrap().remove(0);
        for next in &ids[1..] {
            let output = Json::parse(format!(r#"{{"after":"{}"}}"#, run.id)).unwrap();
            let done = Succeed { output: Some(output.clone()), ..Succeed::new(&run.id, run.lease) };
            let claimed = runs.claim_next(&Claim { succeeded: Some(done), ..Claim::new("w") }).unwrap().remove(0);
            assert_eq!((&claimed.id, claimed.state, claimed.lease), (next, RunState::Running, 1));
            assert_eq!(get(runs, &run.id).state, RunState::Succeeded);
            assert_eq!(runs.output(&RunOutput::new(&run.id)).unwrap(), output);
            assert_eq!(told(runs, &run.id), ["run.enqueued", "run.started", "run.succeeded"]);
            run = claimed;
        }
        assert!(claims(runs, &after(&run)).is_empty(), "none is left");
        assert_eq!(get(runs, &run.id).state, RunState::Succeeded);
        let last = put(runs, "a").id;
        assert!(claims(runs, &Claim { limit: 0, ..after(&run) }).is_empty());
        assert_eq!(claims(runs, &after(&run)), [last], "the same report again is no error");
        assert_eq!(told(runs, &run.id), ["run.enqueued", "run.started", "run.succeeded"]);
    });
}

fn refused(env: &Env) {
    env.within(|on| {
        let runs = on.runs();
        (0..3).for_each(|_| drop(put(runs, "a")));
        let run = runs.claim_next(&Claim::new("w")).unwrap().remove(0);
        let with = |succeeded: Succeed| Claim { succeeded: Some(succeeded), limit: 10, ..Claim::new("w") };
        let both =
            Succeed { output: Some(Json::null()), output_ref: Some("s3://b/k".into()), ..Succeed::new(&run.id, 1) };
        for (bad, expected) in [
            (with(Succeed::new(&run.id, 2)), ErrorCode::LeaseLost),
            (with(Succeed::new("nobody", 1)), ErrorCode::NotFound),
            (with(Succeed::new("", 1)), ErrorCode::InvalidArgument),
            (with(both), ErrorCode::InvalidArgument),
            (Claim { limit: -1, ..after(&run) }, ErrorCode::InvalidArgument),
        ] {
            for _ in 0..2 {
                assert_eq!(code(runs.claim_next(&bad)), expected, "{bad:?}");
            }
        }
        assert_eq!(get(runs, &run.id), run, "nothing was written");
        assert_eq!(claims(runs, &Claim { limit: 10, ..after(&run) }).len(), 2, "nothing was claimed");
    });
}

/// A kind's only place is that of the run that is reported.
fn room(env: &Env) {
    let store = env.open();
    let runs = store.runs();
    runs.limit_kind(&LimitKind { concurrency: Some(1), ..LimitKind::new("one") }).unwrap();
    let ids: Vec<String> = (0..4).map(|_| put(runs, "one").id).collect();
    let other = put(runs, "other").id;
    let mut run = runs.claim_next(&Claim::new("w")).unwrap().remove(0);
    assert_eq!(run.id, ids[0]);
    assert_eq!(claims(runs, &Claim::new("v")), [other], "there is no room");
    assert!(claims(runs, &Claim::new("v")).is_empty(), "there is no room");
    for next in &ids[1..] {
        run = runs.claim_next(&after(&run)).unwrap().remove(0);
        assert_eq!(&run.id, next);
        assert!(claims(runs, &Claim::new("v")).is_empty(), "there is no room");
    }
}

/// What is due is looked for often enough, also while there is enough to claim.
fn due(env: &Env) {
    let store = env.open();
    let runs = store.runs();
    (0..40).for_each(|_| drop(put(runs, "a")));
    let run = runs.claim_next(&Claim::new("w")).unwrap().remove(0);
    let soon = Duration::from_millis(30);
    let delayed = runs.enqueue(&Enqueue { delay: Some(soon), priority: 5, ..kind("late") }).unwrap().id;
    std::thread::sleep(2 * soon);
    assert_eq!(claims(runs, &after(&run)), [delayed], "the next claim has it");
    runs.limit_kind(&LimitKind { concurrency: Some(1), ..LimitKind::new("urgent") }).unwrap();
    let urgent = runs.enqueue(&Enqueue { priority: 9, ..kind("urgent") }).unwrap().id;
    assert_eq!(claims(runs, &Claim::new("w")), [urgent], "a limited kind is not passed over");
}
