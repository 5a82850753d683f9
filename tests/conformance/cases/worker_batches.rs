//! Many runs: claimed, worked and reported in batches, each for itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sprongus::runs::{Enqueue, EnqueueMany, ListRuns, RunOutput};
use sprongus::worker::{HandlerError, Outcome, WorkerMetrics, WorkerOptions};
use sprongus::{Json, Options, RunState, Store};
use sprongus_conformance::{Backend, Case, Env};

use crate::worker::{case, eventually, get, json, leased, options, put, told};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case("worker::thousands_of_short_runs_are_worked_once_each", thousands),
        case("worker::two_workers_share_the_runs", two_workers),
        case("worker::after_much_work_it_hears_of_another_stores_commit", hears_again),
        case("worker::each_of_a_batch_ends_for_itself", each_for_itself),
        case("worker::handlers_enqueue_children_with_their_own_end", children),
        case("worker::figures_tell_what_was_done", figures),
    ]
}

fn fill(store: &Store, runs: usize, kind: &str) -> Vec<String> {
    let items = (0..runs).map(|_| Enqueue::new(kind, Json::null())).collect();
    store.runs().enqueue_many(&EnqueueMany::new(items)).unwrap().into_iter().map(|run| run.id).collect()
}

type Calls = Arc<Mutex<HashMap<String, usize>>>;

fn counting(calls: &Calls) -> impl Fn(&sprongus::worker::Context) -> Result<Outcome, HandlerError> + use<> {
    let calls = calls.clone();
    move |context| {
        *calls.lock().unwrap().entry(context.run().id.clone()).or_default() += 1;
        Ok(Outcome::None)
    }
}

fn thousands(env: &Env) {
    let store = env.open();
    let worker = store.worker(options()).unwrap();
    let calls = Calls::default();
    worker.handle("short", counting(&calls)).unwrap();
    let ids: Vec<String> = (0..3).flat_map(|_| fill(&store, 1000, "short")).collect();
    worker.run_until_idle(Duration::ZERO).unwrap();
    let calls = calls.lock().unwrap();
    assert!(calls.len() == ids.len() && calls.values().all(|count| *count == 1));
    let list = |state| ListRuns { state: Some(vec![state]), limit: 1000, ..ListRuns::default() };
    assert!(store.runs().list(&list(RunState::Running)).unwrap().is_empty());
    assert!(store.runs().list(&list(RunState::Queued)).unwrap().is_empty());
    for id in ids.iter().step_by(100) {
        assert_eq!(told(&store, id), ["run.enqueued", "run.started", "run.succeeded"]);
    }
    let metrics = worker.metrics();
    assert_eq!((metrics.claimed, metrics.succeeded, metrics.given_back), (3000, 3000, 0));
}

fn two_workers(env: &Env) {
    let store = env.open();
    let calls = Calls::default();
    let workers: Vec<_> = (0..2).map(|_| store.worker(options()).unwrap()).collect();
    workers.iter().for_each(|worker| worker.handle("short", counting(&calls)).unwrap());
    let ids = fill(&store, 1000, "short");
    workers.iter().for_each(|worker| worker.start().unwrap());
    eventually(|| workers.iter().map(|worker| worker.metrics().succeeded).sum::<u64>() == 1000);
    assert!(workers.iter().all(|worker| worker.stop(None)));
    let calls = calls.lock().unwrap();
    assert!(ids.iter().all(|id| calls[id] == 1));
}

/// While it has work enough it listens to nobody.
fn hears_again(env: &Env) {
    let store = env.open();
    let other = if env.backend() == Backend::SqliteMemory { store.clone() } else { env.open() };
    let worker = store.worker(WorkerOptions { poll_interval: Duration::from_secs(3600), ..options() }).unwrap();
    worker.handle("short", |_| Ok(Outcome::None)).unwrap();
    worker.start().unwrap();
    let mut done = 0;
    for runs in [1, 700, 1, 300, 2] {
        fill(&other, runs, "short");
        done += runs as u64;
        eventually(|| worker.metrics().succeeded == done);
    }
    // By itself it would look again in an hour.
    std::thread::sleep(Duration::from_millis(150));
    put(&other, "short");
    eventually(|| worker.metrics().succeeded == done + 1);
    assert!(worker.stop(None));
}

fn each_for_itself(env: &Env) {
    // So long that full jitter does not come near nothing.
    let far = Duration::from_secs(1_000_000);
    let store = env.open_with(Options { max_artifact_bytes: 64, backoff_base: far, backoff_cap: far, ..env.options() });
    let worker = store.worker(WorkerOptions { concurrency: 16, ..options() }).unwrap();
    worker.handle("out", |context| Ok(Outcome::Output(context.input().clone()))).unwrap();
    worker.handle("ref", |_| Ok(Outcome::Ref("s3://b/k".to_owned()))).unwrap();
    worker.handle("big", |_| Ok(Outcome::Output(json(&format!("{:?}", "x".repeat(100)))))).unwrap();
    worker.handle("fatal", |_| Err(HandlerError::Fatal("never".to_owned()))).unwrap();
    worker.handle("retry", |_| Err(HandlerError::Retry("later".to_owned()))).unwrap();
    worker.handle("snooze", |_| Err(HandlerError::Snooze(Duration::from_secs(60)))).unwrap();
    let kinds = ["out", "ref", "big", "fatal", "retry", "snooze"];
    let items = (0..20).flat_map(|n| kinds.map(|kind| Enqueue::new(kind, json(&n.to_string())))).collect();
    let runs = store.runs().enqueue_many(&EnqueueMany::new(items)).unwrap();
    worker.run_until_idle(Duration::ZERO).unwrap();
    for enqueued in &runs {
        let run = get(&store, &enqueued.id);
        let output = || store.runs().output(&RunOutput::new(&run.id)).unwrap();
        match run.kind.as_str() {
            "out" => assert_eq!((run.state, output()), (RunState::Succeeded, run.input.clone())),
            "ref" => assert_eq!((run.state, run.output_ref.as_deref()), (RunState::Succeeded, Some("s3://b/k"))),
            "big" => assert!(run.state == RunState::Failed && run.error.unwrap().starts_with("too_large: ")),
            "fatal" => assert_eq!((run.state, run.error.as_deref()), (RunState::Failed, Some("never"))),
            "retry" => assert_eq!((run.state, run.attempt, run.error.as_deref()), (RunState::Queued, 1, Some("later"))),
            _ => assert_eq!((run.state, run.attempt), (RunState::Queued, 0)),
        }
    }
    let figures = worker.metrics();
    assert_eq!((figures.succeeded, figures.failed, figures.retried, figures.snoozed), (40, 40, 20, 20));
}

/// The child is written in the transaction that the lease fences, so an attempt that lost its lease leaves none.
fn children(env: &Env) {
    let store = env.open_with(Options { backoff_base: Duration::ZERO, ..env.options() });
    let worker = store.worker(options()).unwrap();
    worker
        .handle("parent", |context| {
            let parent = &context.run().id;
            context.transaction(|tx| {
                for n in 0..3 {
                    let child = Enqueue {
                        parent: Some(parent.clone()),
                        idempotency_key: Some(format!("{parent}/{n}")),
                        ..Enqueue::new("child", json(&n.to_string()))
                    };
                    tx.runs().enqueue(&child)?;
                }
                Ok(())
            })?;
            if context.run().attempt == 1 { Err(HandlerError::Retry("again".to_owned())) } else { Ok(Outcome::None) }
        })
        .unwrap();
    worker.handle("child", |context| Ok(Outcome::Output(context.input().clone()))).unwrap();
    let parents: Vec<String> = (0..5).map(|_| put(&store, "parent")).collect();
    worker.run_until_idle(Duration::from_secs(1)).unwrap();
    let of = ListRuns { kind: Some(vec!["child".to_owned()]), limit: 1000, ..ListRuns::default() };
    let all = store.runs().list(&of).unwrap();
    assert_eq!(all.len(), 15, "an attempt made twice has its children once");
    assert!(all.iter().all(|run| run.state == RunState::Succeeded));
    assert!(parents.iter().all(|id| all.iter().filter(|run| run.parent_id.as_ref() == Some(id)).count() == 3));
}

fn figures(env: &Env) {
    let store = env.open_with(Options { backoff_base: Duration::ZERO, ..env.options() });
    let worker = store.worker(WorkerOptions { worker_id: Some("w".to_owned()), ..leased(60_000) }).unwrap();
    assert_eq!(worker.metrics(), WorkerMetrics { worker_id: "w".to_owned(), ..WorkerMetrics::default() });
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    worker
        .handle("works", |_| {
            std::thread::sleep(Duration::from_millis(50));
            Ok(Outcome::None)
        })
        .unwrap();
    worker.handle("panics", move |_| panic!("call {}", counted.fetch_add(1, SeqCst))).unwrap();
    worker
        .handle("asks", |context| {
            context.approval("deploy", "Deploys it", None, Json::null())?;
            Ok(Outcome::None)
        })
        .unwrap();
    fill(&store, 4, "works");
    fill(&store, 1, "panics");
    let asks = put(&store, "asks");
    worker.run_until_idle(Duration::ZERO).unwrap();
    assert_eq!(get(&store, &asks).state, RunState::AwaitingApproval);
    let metrics = worker.metrics();
    assert_eq!((metrics.claimed, metrics.succeeded, metrics.panicked), (8, 4, 3));
    assert_eq!((metrics.retried, metrics.failed, metrics.awaiting), (2, 1, 1));
    assert_eq!((metrics.running, metrics.waiting, metrics.reporting), (0, 0, 0));
    assert_eq!((metrics.run.count, metrics.wait.count, metrics.report.count), (8, 8, 8));
    assert!(metrics.run.max >= 0.05 && metrics.run.p50 <= metrics.run.p99 && metrics.report.max > 0.0);
    let told = serde_json::to_value(&metrics).unwrap();
    assert_eq!((&told["workerId"], &told["timedOut"]), (&"w".into(), &0.into()));
    assert_eq!(serde_json::from_value::<WorkerMetrics>(told).unwrap(), metrics);
}
