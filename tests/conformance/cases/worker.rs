//! The worker: what it does with runs, with handlers that misbehave, and with a database in trouble.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, mpsc};
use std::time::{Duration, Instant};

use sprongus::runs::{Cancel, Claim, Enqueue, EnqueueMany, GetRun, ListRuns, RunEvents, RunOutput};
use sprongus::worker::{Context, HandlerError, Outcome, WorkerOptions};
use sprongus::{Error, ErrorCode, Json, Options, Run, RunState, Store};
use sprongus_conformance::{Backend, Case, Env};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case("worker::handlers_work_their_kinds", works),
        case("worker::failures_are_tried_again", fails),
        case("worker::a_run_that_comes_back_at_once_is_worked_again", returns),
        case("worker::a_panic_is_a_failed_attempt", panics),
        case("worker::an_output_that_cannot_be_kept_is_a_failure", unkept),
        case("worker::a_long_handler_keeps_its_lease", keeps),
        case("worker::a_cancel_reaches_the_handler", cancels),
        case("worker::a_stop_drains", drains),
        case("worker::a_stop_with_a_deadline_lets_go", lets_go),
        case("worker::a_handlers_transaction_is_fenced", fenced),
        case("worker::an_enqueue_in_this_process_wakes_it", wakes),
        case("worker::idle_means_nothing_due_within_patience", idle),
        case("worker::misuse_is_answered", misuse),
        case("worker::a_host_that_holds_the_writer_costs_nothing", held_writer),
        case("worker::a_held_writer_past_every_timeout_costs_nothing", held_past_timeouts),
        case("worker::one_connection_serves_eight_busy_handlers", one_connection),
    ]
}

pub(crate) fn case(name: &'static str, run: fn(&Env)) -> Case {
    Case { name, covers: &[], transactional: false, run }
}

pub(crate) fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

pub(crate) fn put(store: &Store, kind: &str) -> String {
    store.runs().enqueue(&Enqueue::new(kind, json(r#"{"n":1}"#))).unwrap().id
}

pub(crate) fn get(store: &Store, id: &str) -> Run {
    store.runs().get(&GetRun::new(id)).unwrap()
}

pub(crate) fn options() -> WorkerOptions {
    WorkerOptions { poll_interval: Duration::from_millis(50), ..WorkerOptions::default() }
}

pub(crate) fn leased(millis: u64) -> WorkerOptions {
    WorkerOptions { lease: Duration::from_millis(millis), ..options() }
}

pub(crate) fn told(store: &Store, id: &str) -> Vec<String> {
    store.runs().events(&RunEvents::new(id)).unwrap().into_iter().map(|event| event.kind).collect()
}

/// Waits until it holds, for ten seconds at most.
pub(crate) fn eventually(mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < end, "it never came to hold");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn done(_: &Context) -> Result<Outcome, HandlerError> {
    Ok(Outcome::None)
}

fn works(env: &Env) {
    let store = env.open();
    let worker = store.worker(WorkerOptions { worker_id: Some("ann".to_owned()), ..options() }).unwrap();
    worker.handle("echo", |context| Ok(Outcome::Output(context.input().clone()))).unwrap();
    worker.handle("sync/*", |_| Ok(Outcome::Ref("s3://bucket/key".to_owned()))).unwrap();
    worker.handle("sync/deep/*", |context| Ok(Outcome::Output(json(&format!("{:?}", context.run().kind))))).unwrap();
    worker.handle("sync/deep/own", done).unwrap();
    let ids: Vec<String> =
        ["echo", "sync/a", "sync/deep/b", "sync/deep/own", "other"].map(|kind| put(&store, kind)).into();
    worker.run_until_idle(Duration::ZERO).unwrap();
    let output = |at: usize| store.runs().output(&RunOutput::new(&ids[at]));
    assert_eq!(output(0).unwrap(), json(r#"{"n":1}"#));
    assert_eq!(get(&store, &ids[1]).output_ref.as_deref(), Some("s3://bucket/key"));
    assert_eq!(output(2).unwrap(), json(r#""sync/deep/b""#), "the longest prefix");
    assert_eq!(output(3).unwrap_err().code(), ErrorCode::NotFound, "exact before prefix");
    assert_eq!(get(&store, &ids[4]).state, RunState::Queued, "a kind without a handler is left alone");
    let events = store.runs().events(&RunEvents::new(&ids[0])).unwrap();
    assert_eq!(
        events.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(),
        ["run.enqueued", "run.started", "run.succeeded"]
    );
    assert!(events[1..].iter().all(|event| event.actor == "ann"));
}

fn fails(env: &Env) {
    let store = env.open_with(Options { backoff_base: Duration::from_millis(1), ..env.options() });
    let worker = store.worker(options()).unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    worker
        .handle("flaky", move |_| match counted.fetch_add(1, SeqCst) {
            0 | 1 => Err(HandlerError::Retry("not yet".to_owned())),
            _ => Ok(Outcome::None),
        })
        .unwrap();
    worker.handle("hopeless", |_| Err(HandlerError::Fatal("never".to_owned()))).unwrap();
    worker
        .handle("asks", |context| {
            context.store().runs().get(&GetRun::new("none"))?;
            Ok(Outcome::None)
        })
        .unwrap();
    let (flaky, hopeless, asks) = (put(&store, "flaky"), put(&store, "hopeless"), put(&store, "asks"));
    worker.run_until_idle(Duration::from_secs(1)).unwrap();
    let run = get(&store, &flaky);
    assert_eq!((run.state, run.attempt, run.error, calls.load(SeqCst)), (RunState::Succeeded, 3, None, 3));
    let run = get(&store, &hopeless);
    assert_eq!((run.state, run.attempt, run.error.as_deref()), (RunState::Failed, 1, Some("never")));
    let run = get(&store, &asks);
    assert_eq!((run.state, run.attempt), (RunState::Failed, 3));
    assert!(run.error.unwrap().starts_with("not_found: "));
}

/// It is claimed anew while the thread that reported it is still letting go of it.
fn returns(env: &Env) {
    let store = env.open_with(Options { backoff_base: Duration::ZERO, ..env.options() });
    let worker = store.worker(leased(2000)).unwrap();
    worker
        .handle("again", |context| match context.run().attempt {
            50 => Ok(Outcome::None),
            _ => Err(HandlerError::Retry("once more".to_owned())),
        })
        .unwrap();
    let item = || Enqueue { max_attempts: 60, ..Enqueue::new("again", Json::null()) };
    let runs = store.runs().enqueue_many(&EnqueueMany::new((0..8).map(|_| item()).collect())).unwrap();
    worker.run_until_idle(Duration::ZERO).unwrap();
    for run in runs {
        assert_eq!(get(&store, &run.id).state, RunState::Succeeded);
        assert!(!told(&store, &run.id).contains(&"run.rescued".to_owned()), "each attempt had its handler");
    }
}

fn panics(env: &Env) {
    let store = env.open();
    let worker = store.worker(WorkerOptions { concurrency: 1, ..options() }).unwrap();
    worker.handle("bad", |context| panic!("attempt {} went wrong", context.run().attempt)).unwrap();
    worker.handle("good", done).unwrap();
    let bad = store.runs().enqueue(&Enqueue { max_attempts: 1, ..Enqueue::new("bad", Json::null()) }).unwrap().id;
    let good = put(&store, "good");
    worker.run_until_idle(Duration::ZERO).unwrap();
    let run = get(&store, &bad);
    assert_eq!(
        (run.state, run.error.as_deref()),
        (RunState::Failed, Some("the handler panicked: attempt 1 went wrong"))
    );
    assert_eq!(get(&store, &good).state, RunState::Succeeded, "the thread goes on");
}

fn unkept(env: &Env) {
    let store = env.open_with(Options { max_artifact_bytes: 8, ..env.options() });
    let worker = store.worker(options()).unwrap();
    worker.handle("big", |_| Ok(Outcome::Output(json(r#""0123456789""#)))).unwrap();
    worker.handle("ref", |_| Ok(Outcome::Ref(String::new()))).unwrap();
    let ids = [put(&store, "big"), put(&store, "ref")];
    worker.run_until_idle(Duration::ZERO).unwrap();
    for (id, code) in ids.iter().zip(["too_large: ", "invalid_argument: "]) {
        let run = get(&store, id);
        assert_eq!((run.state, run.attempt), (RunState::Failed, 1));
        assert!(run.error.unwrap().starts_with(code));
    }
}

fn keeps(env: &Env) {
    let store = env.open();
    let worker = store.worker(leased(600)).unwrap();
    worker
        .handle("long", |context| {
            std::thread::sleep(Duration::from_millis(1200));
            context.heartbeat(json(r#"{"half":true}"#))?;
            std::thread::sleep(Duration::from_millis(1200));
            Ok(Outcome::None)
        })
        .unwrap();
    let id = put(&store, "long");
    worker.start().unwrap();
    eventually(|| get(&store, &id).state == RunState::Running);
    while get(&store, &id).state == RunState::Running {
        assert!(store.runs().claim_next(&Claim::new("rival")).unwrap().is_empty());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(worker.stop(None));
    let run = get(&store, &id);
    assert_eq!((run.state, run.attempt, run.progress.as_str()), (RunState::Succeeded, 1, r#"{"half":true}"#));
    assert_eq!(told(&store, &id), ["run.enqueued", "run.started", "run.succeeded"]);
}

fn cancels(env: &Env) {
    let store = env.open();
    let worker = store.worker(leased(300)).unwrap();
    let (seen, saw) = mpsc::channel();
    worker
        .handle("endless", move |context| {
            while !context.canceled() {
                std::thread::sleep(Duration::from_millis(10));
            }
            let told = context.heartbeat(Json::null()).unwrap_err().code();
            let wrote =
                context.transaction(|tx| tx.runs().enqueue(&Enqueue::new("late", Json::null()))).unwrap_err().code();
            seen.send((told, wrote)).unwrap();
            Ok(Outcome::Output(json("1")))
        })
        .unwrap();
    let id = put(&store, "endless");
    worker.start().unwrap();
    eventually(|| get(&store, &id).state == RunState::Running);
    let canceled = store.runs().cancel(&Cancel::new(&id)).unwrap();
    assert_eq!(saw.recv_timeout(Duration::from_secs(10)).unwrap(), (ErrorCode::LeaseLost, ErrorCode::LeaseLost));
    assert!(worker.stop(None));
    assert_eq!(get(&store, &id), canceled, "what the handler gave does not count");
    let late = ListRuns { kind: Some(vec!["late".to_owned()]), ..ListRuns::default() };
    assert!(store.runs().list(&late).unwrap().is_empty());
}

fn drains(env: &Env) {
    let store = env.open();
    let worker = store.worker(WorkerOptions { concurrency: 2, ..leased(300) }).unwrap();
    worker
        .handle("slow", |_| {
            std::thread::sleep(Duration::from_millis(1000));
            Ok(Outcome::None)
        })
        .unwrap();
    let ids: Vec<String> = (0..4).map(|_| put(&store, "slow")).collect();
    worker.start().unwrap();
    eventually(|| ids[..2].iter().all(|id| get(&store, id).state == RunState::Running));
    assert!(worker.stop(Some(Duration::from_secs(10))));
    let states: Vec<RunState> = ids.iter().map(|id| get(&store, id).state).collect();
    assert_eq!(states, [RunState::Succeeded, RunState::Succeeded, RunState::Queued, RunState::Queued]);
    assert!(worker.stop(None), "again is nothing");
    worker.run_until_idle(Duration::ZERO).unwrap();
    assert!(ids.iter().all(|id| get(&store, id).state == RunState::Succeeded), "it can go to work again");
    assert!(ids.iter().all(|id| get(&store, id).attempt == 1));
}

fn lets_go(env: &Env) {
    let store = env.open();
    let worker = store.worker(leased(300)).unwrap();
    let (seen, saw) = mpsc::channel();
    worker
        .handle("stuck", move |context| {
            std::thread::sleep(Duration::from_millis(1500));
            seen.send(context.canceled()).unwrap();
            Ok(Outcome::None)
        })
        .unwrap();
    let id = put(&store, "stuck");
    worker.start().unwrap();
    eventually(|| get(&store, &id).state == RunState::Running);
    assert!(!worker.stop(Some(Duration::from_millis(100))));
    eventually(|| !store.runs().claim_next(&Claim::new("rival")).unwrap().is_empty());
    assert!(saw.recv_timeout(Duration::from_secs(10)).unwrap(), "the handler could see that it was let go");
    std::thread::sleep(Duration::from_millis(100));
    let run = get(&store, &id);
    assert_eq!((run.claimed_by.as_deref(), run.attempt, run.state), (Some("rival"), 2, RunState::Running));
}

fn fenced(env: &Env) {
    let store = env.open();
    store.execute("CREATE TABLE notes (n BIGINT)", &[]).unwrap();
    let worker = store.worker(leased(60_000)).unwrap();
    worker
        .handle("writes", |context| {
            let write = |n: i64| context.transaction(|tx| tx.execute("INSERT INTO notes VALUES ($1)", &[n.into()]));
            write(1)?;
            let refused: Result<(), Error> = context.transaction(|tx| {
                tx.execute("INSERT INTO notes VALUES (2)", &[])?;
                Err(Error::misuse("enough"))
            });
            assert_eq!(refused.unwrap_err().code(), ErrorCode::Misuse);
            context.store().runs().cancel(&Cancel::new(&context.run().id))?;
            assert_eq!(write(3).unwrap_err().code(), ErrorCode::LeaseLost);
            assert!(context.canceled(), "it is told at once");
            Ok(Outcome::None)
        })
        .unwrap();
    let id = put(&store, "writes");
    worker.run_until_idle(Duration::ZERO).unwrap();
    assert_eq!(get(&store, &id).state, RunState::Canceled);
    let rows = store.query("SELECT n FROM notes", &[]).unwrap();
    assert_eq!(rows.iter().map(|row| row.values()[0].clone()).collect::<Vec<_>>(), [1.into()]);
}

fn wakes(env: &Env) {
    let store = env.open();
    let worker = store.worker(WorkerOptions { poll_interval: Duration::from_secs(60), ..options() }).unwrap();
    worker.handle("a", done).unwrap();
    worker.start().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    let alone = put(&store, "a");
    let within = store.transaction(|tx| tx.runs().enqueue(&Enqueue::new("a", Json::null()))).unwrap().id;
    eventually(|| [&alone, &within].iter().all(|id| get(&store, id).state == RunState::Succeeded));
    assert!(begun.elapsed() < Duration::from_secs(5));
    let begun = Instant::now();
    assert!(worker.stop(None));
    assert!(begun.elapsed() < Duration::from_secs(5), "a stop does not wait for the next poll");
}

fn idle(env: &Env) {
    let store = env.open();
    let worker = store.worker(options()).unwrap();
    worker.handle("a", done).unwrap();
    let later = |millis| Enqueue { delay: Some(Duration::from_millis(millis)), ..Enqueue::new("a", Json::null()) };
    let soon = store.runs().enqueue(&later(500)).unwrap().id;
    let far = store.runs().enqueue(&later(3_600_000)).unwrap().id;
    worker.run_until_idle(Duration::from_secs(5)).unwrap();
    assert_eq!(get(&store, &soon).state, RunState::Succeeded);
    assert_eq!(get(&store, &far).state, RunState::Queued);
    put(&store, "other");
    let nobodys = store.worker(WorkerOptions { projects: Some(Vec::new()), ..options() }).unwrap();
    nobodys.handle("other", done).unwrap();
    nobodys.run_until_idle(Duration::ZERO).unwrap();
    let elsewhere = store.worker(leased(300)).unwrap();
    elsewhere.handle("a", done).unwrap();
    put(&store, "a");
    let abandoned = store.runs().claim_next(&Claim {
        kinds: Some(vec!["a".into()]),
        lease: Duration::from_millis(500),
        ..Claim::new("gone")
    });
    elsewhere.run_until_idle(Duration::ZERO).unwrap();
    let run = get(&store, &abandoned.unwrap()[0].id);
    assert_eq!((run.state, run.attempt), (RunState::Succeeded, 2), "what runs elsewhere is waited for");
}

fn misuse(env: &Env) {
    let store = env.open();
    for bad in [
        WorkerOptions { concurrency: 0, ..options() },
        WorkerOptions { concurrency: 1001, ..options() },
        WorkerOptions { lease: Duration::ZERO, ..options() },
        WorkerOptions { poll_interval: Duration::ZERO, ..options() },
        WorkerOptions { worker_id: Some(String::new()), ..options() },
        WorkerOptions { projects: Some(vec!["p\0".to_owned()]), ..options() },
    ] {
        assert_eq!(store.worker(bad).unwrap_err().code(), ErrorCode::InvalidArgument);
    }
    let worker = store.worker(options()).unwrap();
    assert_eq!(worker.run().unwrap_err().code(), ErrorCode::Misuse);
    assert_eq!(worker.handle("", done).unwrap_err().code(), ErrorCode::InvalidArgument);
    worker.handle("a", done).unwrap();
    worker.start().unwrap();
    assert_eq!(worker.start().unwrap_err().code(), ErrorCode::Misuse);
    assert_eq!(worker.handle("b", done).unwrap_err().code(), ErrorCode::Misuse);
    assert!(worker.stop(None));
    let reader = store.scoped("p", &[sprongus::Scope::RunsRead]).unwrap().worker(options()).unwrap();
    reader.handle("a", done).unwrap();
    assert_eq!(reader.run().unwrap_err().code(), ErrorCode::PermissionDenied);
    store.close();
    assert_eq!(worker.run().unwrap_err().code(), ErrorCode::Misuse);
}

/// Three workers, each on a store of its own where the database is not one store's alone, with two long runs each, while
/// the host holds what they all need for twice their lease.
fn survives_held_writer(env: &Env, own: Options) {
    let lease = Duration::from_millis(900);
    let first = env.open_with(own.clone());
    let store = || if env.backend() == Backend::SqliteMemory { first.clone() } else { env.open_with(own.clone()) };
    let items = (0..6).map(|_| Enqueue::new("long", Json::null())).collect();
    let ids: Vec<String> =
        first.runs().enqueue_many(&EnqueueMany::new(items)).unwrap().into_iter().map(|run| run.id).collect();
    let busy = Arc::new(Barrier::new(7));
    let calls = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let worker = store().worker(WorkerOptions { lease, concurrency: 2, ..options() }).unwrap();
            let (busy, calls) = (busy.clone(), calls.clone());
            worker
                .handle("long", move |_| {
                    if calls.fetch_add(1, SeqCst) < 6 {
                        busy.wait();
                    }
                    std::thread::sleep(Duration::from_millis(4000));
                    Ok(Outcome::None)
                })
                .unwrap();
            worker.handle("none", done).unwrap();
            worker
        })
        .collect();
    // A fourth has nothing to do and looks for work all the time.
    let idle = store().worker(WorkerOptions { lease, ..options() }).unwrap();
    idle.handle("none", done).unwrap();
    workers.iter().chain([&idle]).for_each(|worker| worker.start().unwrap());
    busy.wait();
    let host = store().begin().unwrap();
    let lock = match env.backend() {
        Backend::Postgres => "LOCK TABLE sprongus_runs IN EXCLUSIVE MODE",
        _ => "CREATE TABLE of_the_host (n BIGINT)",
    };
    host.execute(lock, &[]).unwrap();
    std::thread::sleep(2 * lease);
    host.commit().unwrap();
    assert!(workers.iter().chain([&idle]).all(|worker| worker.stop(None)));
    assert_eq!(calls.load(SeqCst), 6, "none was taken from its worker");
    for id in &ids {
        assert_eq!(told(&first, id), ["run.enqueued", "run.started", "run.succeeded"]);
    }
}

fn held_writer(env: &Env) {
    survives_held_writer(env, env.options());
}

fn held_past_timeouts(env: &Env) {
    let short = Duration::from_millis(150);
    let call_timeout =
        if env.backend() == Backend::Postgres { Duration::from_secs(1) } else { Duration::from_secs(30) };
    survives_held_writer(env, Options { busy_timeout: short, call_timeout, ..env.options() });
}

fn one_connection(env: &Env) {
    let store = env.open_with(Options { pool_size: 1, ..env.options() });
    let worker = store.worker(WorkerOptions { concurrency: 8, ..leased(3000) }).unwrap();
    worker
        .handle("busy", |context| {
            for n in 0..10_i64 {
                context.heartbeat(Json::from_serialize(&n)?)?;
                context.store().runs().get(&GetRun::new(&context.run().id))?;
                context.transaction(|tx| tx.runs().enqueue(&Enqueue::new("child", Json::null())))?;
            }
            Ok(Outcome::None)
        })
        .unwrap();
    let items = (0..16).map(|_| Enqueue::new("busy", Json::null())).collect();
    store.runs().enqueue_many(&EnqueueMany::new(items)).unwrap();
    worker.run_until_idle(Duration::ZERO).unwrap();
    let all = |kind: &str| {
        let list = ListRuns { kind: Some(vec![kind.to_owned()]), limit: 1000, ..ListRuns::default() };
        store.runs().list(&list).unwrap()
    };
    assert!(all("busy").iter().all(|run| run.state == RunState::Succeeded && run.attempt == 1));
    assert_eq!(all("child").len(), 160);
}
