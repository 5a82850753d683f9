//! Approvals seen by those who decide: lists, walls, rivals, and the handlers that wait.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use sprongus::runs::approvals::{Approval, Decide, Decision, DecisionFilter, GATE, GetApproval, ListApprovals};
use sprongus::runs::{Cancel, Claim, Enqueue, EnqueueMany, GetRun, ListSteps, RunOutput};
use sprongus::worker::{Context, HandlerError, Outcome, WorkerOptions};
use sprongus::{Error, ErrorCode, Json, RunState, Scope, Store};
use sprongus_conformance::{Case, Env, Face};

use super::approvals::{ask, gated, on_scope, running};
use super::race::eight;
use super::{case, claims, code, get, json, kind, picture, put, told};

pub(super) fn cases() -> Vec<Case> {
    const LIST: &[&str] = &["approvals.list"];
    const DECIDE: &[&str] = &["approvals.approve", "approvals.deny"];
    vec![
        case("approvals::are_listed_by_filters", LIST, true, filtered),
        case("approvals::are_listed_a_page_at_a_time", LIST, true, paged),
        case("approvals::a_list_has_its_bounds", LIST, true, bounded),
        case("approvals::of_other_projects_are_not_there", LIST, false, walled),
        case("approvals::need_their_scopes", DECIDE, false, scoped),
        case("approvals::go_with_their_transaction", DECIDE, false, undone),
        case("approvals::eight_decide_and_one_decision_holds", DECIDE, false, rivals),
        case("approvals::eight_approve_and_one_is_told", DECIDE, false, alike),
        case("approvals::a_decision_or_a_cancel_comes_first", DECIDE, false, canceled),
        case("approvals::a_rival_that_rolls_back_decides_nothing", DECIDE, false, rolled_back),
        case("approvals::a_handler_waits_and_resumes_its_steps", &["approvals.request"], false, resumes),
        case("approvals::a_handler_that_is_refused_is_not_called_again", &["approvals.request"], false, refused),
        case("approvals::a_handler_that_goes_on_reports_in_vain", &["approvals.request"], false, goes_on),
        case("approvals::a_handler_that_lost_its_run_asks_in_vain", &["approvals.request"], false, late),
    ]
}

fn ids(approvals: &[Approval]) -> Vec<&str> {
    approvals.iter().map(|approval| approval.id.as_str()).collect()
}

fn filtered(env: &Env) {
    env.within(|on| {
        let of = |project: &str| Enqueue { project: Some(project.to_owned()), ..gated("a") };
        let one = on.runs().enqueue(&of("p")).unwrap().id;
        let two = on.runs().enqueue(&of("q")).unwrap().id;
        let three = on.runs().enqueue(&gated("a")).unwrap().id;
        on.approvals().approve(&Decide::new(&one, "ann")).unwrap();
        on.approvals().deny(&Decide::new(&two, "ann")).unwrap();
        let claim = on.runs().claim_next(&Claim::new("w")).unwrap().remove(0);
        let push = on.approvals().request(&ask(&claim, "push")).unwrap();
        assert_eq!((&push.run_id, push.project_id.as_deref()), (&one, Some("p")));
        let list = |request: ListApprovals| {
            let page = on.approvals().list(&request).unwrap();
            assert_eq!(page.next_cursor, None);
            page.items.into_iter().map(|approval| approval.id).collect::<Vec<_>>()
        };
        let all = ListApprovals::default();
        let some = |text: &str| Some(text.to_owned());
        let by = |decision| ListApprovals { decision: Some(decision), ..ListApprovals::default() };
        assert_eq!(list(all.clone()), [&push.id, &three, &two, &one].map(Clone::clone), "the newest first");
        assert_eq!(list(ListApprovals { project: some("p"), ..all.clone() }), [push.id.clone(), one.clone()]);
        assert_eq!(list(ListApprovals { run_id: some(&one), ..all.clone() }), [push.id.clone(), one.clone()]);
        assert_eq!(list(ListApprovals { scope: some("push"), ..all.clone() }), std::slice::from_ref(&push.id));
        assert_eq!(list(ListApprovals { scope: some(GATE), ..all.clone() }).len(), 3);
        assert_eq!(list(by(DecisionFilter::Pending)), [push.id.clone(), three]);
        assert_eq!(list(by(DecisionFilter::Approved)), std::slice::from_ref(&one));
        assert_eq!(list(by(DecisionFilter::Denied)), [two]);
        let mine = ListApprovals { project: some("p"), ..by(DecisionFilter::Pending) };
        assert_eq!(list(mine), [push.id], "filters hold together");
        for none in ["nobody", "push"] {
            assert!(list(ListApprovals { project: some(none), ..all.clone() }).is_empty());
            assert!(list(ListApprovals { run_id: some(none), ..all.clone() }).is_empty());
        }
        assert!(list(ListApprovals { scope: some("Push"), ..all }).is_empty());
    });
}

fn paged(env: &Env) {
    env.within(|on| {
        // Of one moment, and so in the order of their ids.
        let runs = on.runs().enqueue_many(&EnqueueMany::new((0..7).map(|_| gated("a")).collect())).unwrap();
        let mut seen: Vec<String> = Vec::new();
        let mut cursor = None;
        for page in 0..4 {
            let request = ListApprovals { limit: 2, cursor, ..ListApprovals::default() };
            let got = on.approvals().list(&request).unwrap();
            seen.extend(got.iter().map(|approval| approval.id.clone()));
            cursor = got.next_cursor;
            assert_eq!(cursor.is_some(), page < 3);
            on.runs().enqueue(&gated("later")).unwrap();
        }
        let all: Vec<String> = runs.into_iter().rev().map(|run| run.id).collect();
        assert_eq!(seen, all, "complete, though newer ones came");
    });
}

fn bounded(env: &Env) {
    env.within(|on| {
        on.runs().enqueue_many(&EnqueueMany::new(vec![gated("a"), gated("a")])).unwrap();
        let list = |request: ListApprovals| on.approvals().list(&request);
        let limit = |limit| list(ListApprovals { limit, ..ListApprovals::default() });
        assert!(limit(0).unwrap().is_empty());
        assert_eq!(limit(1_000).unwrap().len(), 2);
        for bad in [-1, 1_001, i64::MAX] {
            assert_eq!(code(limit(bad)), ErrorCode::InvalidArgument);
        }
        let cursor = limit(1).unwrap().next_cursor;
        let other = ListApprovals { cursor: cursor.clone(), scope: Some(GATE.to_owned()), ..ListApprovals::default() };
        assert!(list(other).unwrap_err().message().contains("other filters"));
        let of_runs = on.runs().list(&sprongus::runs::ListRuns { limit: 1, ..Default::default() }).unwrap().next_cursor;
        let other = ListApprovals { cursor: of_runs, ..ListApprovals::default() };
        assert!(list(other).unwrap_err().message().contains("another list"));
        let damaged = ListApprovals { cursor: cursor.map(|text| text + "x"), ..ListApprovals::default() };
        assert_eq!(code(list(damaged)), ErrorCode::InvalidArgument);
        for bad in ["", "a\0", &"x".repeat(513)] {
            let bad = Some(bad.to_owned());
            assert_eq!(
                code(list(ListApprovals { run_id: bad.clone(), ..Default::default() })),
                ErrorCode::InvalidArgument
            );
            assert_eq!(
                code(list(ListApprovals { project: bad.clone(), ..Default::default() })),
                ErrorCode::InvalidArgument
            );
            assert_eq!(code(list(ListApprovals { scope: bad, ..Default::default() })), ErrorCode::InvalidArgument);
        }
    });
}

fn walled(env: &Env) {
    let store = env.open();
    let mine = store.scoped("p", Scope::DEFAULT).unwrap();
    let own = mine.runs().enqueue(&gated("a")).unwrap().id;
    let other = Enqueue { project: Some("q".to_owned()), ..gated("a") };
    let hidden = [store.runs().enqueue(&gated("a")).unwrap().id, store.runs().enqueue(&other).unwrap().id];
    let before = picture(Face::Store(&store));
    for run in &hidden {
        assert_eq!(code(mine.approvals().get(&GetApproval::new(run))), ErrorCode::NotFound);
        assert_eq!(code(mine.approvals().approve(&Decide::new(run, "ann"))), ErrorCode::NotFound);
        assert_eq!(code(mine.approvals().deny(&Decide::new(run, "ann"))), ErrorCode::NotFound);
        let of_run = ListApprovals { run_id: Some(run.clone()), ..ListApprovals::default() };
        assert!(mine.approvals().list(&of_run).unwrap().is_empty());
    }
    let theirs = running(Face::Store(&store), "b");
    assert_eq!(code(mine.approvals().request(&ask(&theirs, "push"))), ErrorCode::NotFound);
    assert_eq!(ids(&mine.approvals().list(&ListApprovals::default()).unwrap()), [&own]);
    let named = ListApprovals { project: Some("q".to_owned()), ..ListApprovals::default() };
    assert_eq!(code(mine.approvals().list(&named)), ErrorCode::PermissionDenied);
    assert!(picture(Face::Store(&store)).len() > before.len(), "the run of the other was enqueued");
    for run in &hidden {
        assert_eq!(get(store.runs(), run).version, 1);
    }
    mine.approvals().approve(&Decide::new(&own, "ann")).unwrap();
    let admin = store.scoped("p", &[Scope::Admin]).unwrap();
    assert_eq!(admin.approvals().list(&named).unwrap().len(), 1, "admin lifts the wall for what is named");
    admin.approvals().deny(&Decide::new(&hidden[1], "root")).unwrap();
}

fn scoped(env: &Env) {
    let store = env.open();
    let run = store.runs().enqueue(&Enqueue { project: Some("p".to_owned()), ..gated("a") }).unwrap().id;
    let reader = store.scoped("p", &[Scope::RunsRead]).unwrap();
    assert_eq!(code(reader.approvals().approve(&Decide::new(&run, "ann"))), ErrorCode::PermissionDenied);
    assert_eq!(code(reader.approvals().deny(&Decide::new(&run, "ann"))), ErrorCode::PermissionDenied);
    assert!(reader.approvals().get(&GetApproval::new(&run)).is_ok());
    let writer = store.scoped("p", &[Scope::RunsWrite]).unwrap();
    assert_eq!(code(writer.approvals().get(&GetApproval::new(&run))), ErrorCode::PermissionDenied);
    assert_eq!(code(writer.approvals().list(&ListApprovals::default())), ErrorCode::PermissionDenied);
    assert!(writer.approvals().approve(&Decide::new(&run, "ann")).is_ok());
}

fn undone(env: &Env) {
    let store = env.open();
    let on = Face::Store(&store);
    let gate = put_gated(&store);
    let run = running(on, "b");
    let before = picture(on);
    let undone: Result<(), Error> = store.transaction(|tx| {
        tx.approvals().approve(&Decide::new(&gate, "ann"))?;
        tx.approvals().request(&ask(&run, "push"))?;
        tx.approvals().deny(&on_scope(&run.id, "push"))?;
        tx.runs().enqueue(&gated("c"))?;
        // What fails writes nothing and leaves the transaction usable.
        assert_eq!(code(tx.approvals().approve(&on_scope(&run.id, "push"))), ErrorCode::InvalidState);
        assert_eq!(tx.runs().get(&GetRun::new(&run.id))?.state, RunState::Denied);
        Err(Error::misuse("enough"))
    });
    undone.unwrap_err();
    assert_eq!(picture(on), before);
    store.transaction(|tx| tx.approvals().approve(&Decide::new(&gate, "ann"))).unwrap();
    assert_eq!(get(store.runs(), &gate).state, RunState::Queued);
}

fn put_gated(store: &Store) -> String {
    store.runs().enqueue(&gated("a")).unwrap().id
}

fn rivals(env: &Env) {
    let store = env.open();
    let runs: Vec<String> = (0..10).map(|_| put_gated(&store)).collect();
    let turn = AtomicUsize::new(0);
    let given = eight(env, &store, |store| {
        let approves = turn.fetch_add(1, SeqCst).is_multiple_of(2);
        let decide = |run: &String| {
            let decide = Decide::new(run, if approves { "ann" } else { "bob" });
            let on = store.approvals();
            if approves { on.approve(&decide) } else { on.deny(&decide) }
        };
        runs.iter().map(decide).collect::<Vec<_>>()
    });
    for (at, run) in runs.iter().enumerate() {
        let kept = store.approvals().get(&GetApproval::new(run)).unwrap();
        let (won, lost): (Vec<_>, Vec<_>) = given.iter().map(|own| &own[at]).partition(|result| result.is_ok());
        assert_eq!((won.len(), lost.len()), (4, 4), "all who decided so, and none of the others");
        assert!(won.iter().all(|result| result.as_ref().unwrap() == &kept));
        assert!(lost.iter().all(|result| result.as_ref().unwrap_err().code() == ErrorCode::InvalidState));
        let (state, event) = match kept.decision.unwrap() {
            Decision::Approved => (RunState::Queued, "run.approved"),
            Decision::Denied => (RunState::Denied, "run.denied"),
        };
        assert_eq!(get(store.runs(), run).state, state);
        assert_eq!(told(store.runs(), run), ["run.approval_requested", event]);
    }
}

fn alike(env: &Env) {
    let store = env.open();
    let run = running(Face::Store(&store), "a");
    store.approvals().request(&ask(&run, "push")).unwrap();
    let turn = AtomicUsize::new(0);
    let given = eight(env, &store, |store| {
        let by = format!("approver-{}", turn.fetch_add(1, SeqCst));
        store.approvals().approve(&Decide { by, ..on_scope(&run.id, "push") }).unwrap()
    });
    assert!(given.iter().all(|approval| *approval == given[0]), "all get the one stored record");
    assert_eq!(told(store.runs(), &run.id).last().unwrap(), "run.approved");
    assert_eq!(get(store.runs(), &run.id).version, 4, "one event");
}

fn canceled(env: &Env) {
    let store = env.open();
    let runs: Vec<String> = (0..10).map(|_| put_gated(&store)).collect();
    let turn = AtomicUsize::new(0);
    eight(env, &store, |store| {
        let cancels = turn.fetch_add(1, SeqCst).is_multiple_of(2);
        for run in &runs {
            if cancels {
                store.runs().cancel(&Cancel::new(run)).unwrap();
            } else if let Err(error) = store.approvals().approve(&Decide::new(run, "ann")) {
                assert_eq!(error.code(), ErrorCode::InvalidState);
            }
        }
    });
    for run in &runs {
        let approval = store.approvals().get(&GetApproval::new(run)).unwrap();
        let events = told(store.runs(), run);
        match approval.decision {
            Some(_) => assert_eq!(events, ["run.approval_requested", "run.approved", "run.canceled"]),
            None => assert_eq!(events, ["run.approval_requested", "run.canceled"]),
        }
        assert_eq!(get(store.runs(), run).state, RunState::Canceled);
    }
}

fn rolled_back(env: &Env) {
    let store = env.open();
    let run = put_gated(&store);
    let (held, go) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let tx = store.begin().unwrap();
            tx.approvals().deny(&Decide::new(&run, "bob")).unwrap();
            held.send(()).unwrap();
            std::thread::sleep(Duration::from_millis(300));
            tx.rollback().unwrap();
        });
        go.recv().unwrap();
        let approval = store.approvals().approve(&Decide::new(&run, "ann")).unwrap();
        assert_eq!(approval.decided_by.as_deref(), Some("ann"));
    });
    assert_eq!(told(store.runs(), &run), ["run.approval_requested", "run.approved"]);
}

fn options() -> WorkerOptions {
    WorkerOptions { poll_interval: Duration::from_millis(50), ..WorkerOptions::default() }
}

/// Waits, for ten seconds at most, until the run is in that state.
fn until(store: &Store, id: &str, state: RunState) {
    let end = Instant::now() + Duration::from_secs(10);
    while get(store.runs(), id).state != state {
        assert!(Instant::now() < end, "it never came to be {state}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn resumes(env: &Env) {
    let store = env.open();
    let worker = store.worker(options()).unwrap();
    let worked: &'static AtomicUsize = Box::leak(Box::default());
    let work = |context: &Context| {
        let count = || Ok(json(&worked.fetch_add(1, SeqCst).to_string()));
        let built = context.step("build", count)?;
        let leave = context.approval("deploy", "Deploys it", Some("hosts"), json(r#"{"image":"a"}"#))?;
        assert_eq!((leave.decision, leave.decided_by.as_deref()), (Some(Decision::Approved), Some("ann")));
        let deployed = context.step("deploy", count)?;
        Ok(Outcome::Output(json(&format!("[{built},{deployed},{}]", leave.metadata))))
    };
    worker.handle("release", work).unwrap();
    worker.start().unwrap();
    let id = put(store.runs(), "release").id;
    until(&store, &id, RunState::AwaitingApproval);
    let waiting = get(store.runs(), &id);
    assert_eq!((waiting.attempt, waiting.claimed_by, waiting.lease_until), (0, None, None), "without a lease");
    let decide = Decide { step: Some("hosts".to_owned()), metadata: json(r#"{"ok":true}"#), ..on_scope(&id, "deploy") };
    store.approvals().approve(&decide).unwrap();
    until(&store, &id, RunState::Succeeded);
    assert!(worker.stop(Some(Duration::from_secs(10))));
    let output = store.runs().output(&RunOutput::new(&id)).unwrap();
    assert_eq!(output.as_str(), r#"[0,1,{"image":"a","ok":true}]"#, "each step was worked once");
    assert_eq!(get(store.runs(), &id).attempt, 1);
    let steps = store.runs().steps(&ListSteps::new(&id)).unwrap();
    assert_eq!(steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(), ["build", "deploy"]);
    let all = ["enqueued", "started", "approval_requested", "approved", "started", "succeeded"];
    assert_eq!(told(store.runs(), &id), all.map(|event| format!("run.{event}")));
}

fn refused(env: &Env) {
    let store = env.open();
    let worker = store.worker(options()).unwrap();
    let called: &'static AtomicUsize = Box::leak(Box::default());
    worker
        .handle("release", |context| {
            called.fetch_add(1, SeqCst);
            context.approval("deploy", "Deploys it", None, Json::null())?;
            Ok(Outcome::None)
        })
        .unwrap();
    let id = put(store.runs(), "release").id;
    worker.run_until_idle(Duration::ZERO).unwrap();
    assert_eq!(get(store.runs(), &id).state, RunState::AwaitingApproval);
    store.approvals().deny(&on_scope(&id, "deploy")).unwrap();
    worker.run_until_idle(Duration::ZERO).unwrap();
    assert_eq!((get(store.runs(), &id).state, called.load(SeqCst)), (RunState::Denied, 1));
    let all = ["enqueued", "started", "approval_requested", "denied"];
    assert_eq!(told(store.runs(), &id), all.map(|event| format!("run.{event}")));
}

fn goes_on(env: &Env) {
    let store = env.open();
    let worker = store.worker(options()).unwrap();
    worker
        .handle("release", |context| match context.approval("deploy", "Deploys it", None, Json::null()) {
            Err(HandlerError::Awaiting) => Ok(Outcome::Output(json("\"without leave\""))),
            leave => leave.map(|_| Outcome::Output(json("\"with leave\""))),
        })
        .unwrap();
    let id = put(store.runs(), "release").id;
    worker.run_until_idle(Duration::ZERO).unwrap();
    assert_eq!(get(store.runs(), &id).state, RunState::AwaitingApproval);
    store.approvals().approve(&on_scope(&id, "deploy")).unwrap();
    worker.run_until_idle(Duration::ZERO).unwrap();
    assert_eq!(store.runs().output(&RunOutput::new(&id)).unwrap(), json("\"with leave\""));
}

fn late(env: &Env) {
    let store = env.open();
    let worker = store.worker(options()).unwrap();
    let seen: &'static std::sync::Mutex<BTreeSet<String>> = Box::leak(Box::default());
    let own = store.clone();
    worker
        .handle("release", move |context| {
            own.runs().cancel(&Cancel::new(&context.run().id)).unwrap();
            let step = context.step("s", || unreachable!("it is not worked"));
            let leave = context.approval("deploy", "Deploys it", None, Json::null());
            assert!(context.canceled(), "it is told");
            for refused in [step.map(drop), leave.map(drop)] {
                let Err(HandlerError::Retry(message)) = refused else { panic!("it was taken") };
                seen.lock().unwrap().insert(message);
            }
            Ok(Outcome::None)
        })
        .unwrap();
    let id = put(store.runs(), "release").id;
    worker.run_until_idle(Duration::ZERO).unwrap();
    assert_eq!(get(store.runs(), &id).state, RunState::Canceled);
    assert!(seen.lock().unwrap().iter().all(|message| message.contains("lease")));
    assert_eq!(seen.lock().unwrap().len(), 1);
    assert!(store.approvals().list(&ListApprovals::default()).unwrap().is_empty());
    let asked = Claim { kinds: Some(vec![kind("release").kind]), ..Claim::new("w") };
    assert!(claims(store.runs(), &asked).is_empty());
}
