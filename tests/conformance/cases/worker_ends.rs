//! How attempts end other than by success: put off, too long, canceled, let go by a stop.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use sprongus::runs::{Cancel, Claim, Enqueue, EnqueueMany};
use sprongus::worker::{HandlerError, Outcome, Worker, WorkerOptions};
use sprongus::{Json, Options, RunState, Store};
use sprongus_conformance::{Backend, Case, Env};

use crate::worker::{case, eventually, get, json, leased, options, put, told};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case("worker::a_snooze_gives_the_attempt_back", snoozes),
        case("worker::a_timeout_ends_the_attempt", times_out),
        case("worker::what_ends_in_time_is_not_timed_out", in_time),
        case("worker::retries_are_spread_over_their_bounds", backs_off),
        case("worker::a_cancel_in_this_process_is_heard_at_once", canceled_here),
        case("worker::a_cancel_elsewhere_is_heard_by_the_next_heartbeat", canceled_elsewhere),
        case("worker::a_handler_that_heeds_a_stop_ends_as_it_says", heeds),
        case("worker::a_handler_that_heeds_no_stop_is_taken_over_soon", heedless),
        case("worker::what_has_not_begun_is_given_back_by_a_stop", unbegun),
        case("worker::what_is_claimed_ahead_does_not_wait_for_a_slow_handler", overdue),
        case("worker::dropped_at_work_it_lets_go", dropped),
    ]
}

fn long() -> WorkerOptions {
    leased(60_000)
}

fn once(store: &Store, run: Enqueue) -> String {
    store.runs().enqueue(&Enqueue { max_attempts: 1, ..run }).unwrap().id
}

fn snoozes(env: &Env) {
    let store = env.open();
    let worker = store.worker(options()).unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    worker
        .handle("later", move |context| {
            assert_eq!(context.run().attempt, 1, "given back each time");
            match counted.fetch_add(1, SeqCst) {
                0..5 => Err(HandlerError::Snooze(Duration::from_millis(20))),
                _ => Ok(Outcome::None),
            }
        })
        .unwrap();
    worker.handle("never", |_| Err(HandlerError::Snooze(Duration::MAX))).unwrap();
    let id = once(&store, Enqueue::new("later", Json::null()));
    let never = put(&store, "never");
    worker.run_until_idle(Duration::from_secs(1)).unwrap();
    let run = get(&store, &id);
    assert_eq!((run.state, run.attempt, run.lease, calls.load(SeqCst)), (RunState::Succeeded, 1, 6, 6));
    assert_eq!(told(&store, &id).iter().filter(|event| *event == "run.snoozed").count(), 5);
    let run = get(&store, &never);
    assert_eq!((run.state, run.attempt), (RunState::Failed, 1), "what cannot be put off so long fails");
    assert!(run.error.unwrap().starts_with("invalid_argument: "));
    let metrics = worker.metrics();
    assert_eq!((metrics.snoozed, metrics.succeeded, metrics.failed, metrics.claimed), (5, 1, 1, 7));
}

fn times_out(env: &Env) {
    let store = env.open_with(Options { backoff_base: Duration::from_millis(1), ..env.options() });
    let worker = store.worker(long()).unwrap();
    let (seen, saw) = mpsc::channel();
    worker
        .handle("slow", move |context| {
            assert!(context.time_left().unwrap() <= Duration::from_millis(200));
            let begun = Instant::now();
            assert!(context.wait_canceled(Duration::from_secs(20)), "it is told");
            seen.send((begun.elapsed(), context.time_left())).unwrap();
            // One ends at once, when it is told, the other later.
            if context.run().max_attempts == 1 {
                std::thread::sleep(Duration::from_millis(200));
            }
            Ok(Outcome::Output(json("1")))
        })
        .unwrap();
    let timeout = Some(Duration::from_millis(200));
    let last = once(&store, Enqueue { timeout, ..Enqueue::new("slow", Json::null()) });
    let twice = Enqueue { timeout, max_attempts: 2, ..Enqueue::new("slow", Json::null()) };
    let twice = store.runs().enqueue(&twice).unwrap().id;
    worker.run_until_idle(Duration::from_secs(1)).unwrap();
    for id in [&last, &twice] {
        let run = get(&store, id);
        assert_eq!((run.state, run.output_ref), (RunState::TimedOut, None), "what came late does not count");
    }
    assert_eq!(told(&store, &last), ["run.enqueued", "run.started", "run.timed_out"]);
    let events = ["run.enqueued", "run.started", "run.retry_scheduled", "run.started", "run.timed_out"];
    assert_eq!(told(&store, &twice), events);
    let waits: Vec<_> = saw.try_iter().collect();
    assert_eq!(waits.len(), 3);
    assert!(waits.iter().all(|(waited, left)| *waited < Duration::from_secs(10) && *left == Some(Duration::ZERO)));
    assert_eq!((worker.metrics().timed_out, worker.metrics().succeeded), (3, 0));
}

fn in_time(env: &Env) {
    let store = env.open();
    let worker = store.worker(long()).unwrap();
    worker.handle("quick", |context| Ok(Outcome::Output(json(&context.canceled().to_string())))).unwrap();
    let timeout = Some(Duration::from_millis(600));
    let items = (0..20).map(|_| Enqueue { timeout, ..Enqueue::new("quick", Json::null()) }).collect();
    let runs = store.runs().enqueue_many(&EnqueueMany::new(items)).unwrap();
    worker.start().unwrap();
    std::thread::sleep(Duration::from_millis(1200));
    assert!(worker.stop(None));
    assert!(runs.iter().all(|run| told(&store, &run.id) == ["run.enqueued", "run.started", "run.succeeded"]));
    assert_eq!(worker.metrics().timed_out, 0);
}

/// DESIGN.md §15: `random(0, min(cap, base · 2^(attempt-1)))`.
fn backs_off(env: &Env) {
    let (base, cap) = (Duration::from_millis(10), Duration::from_millis(30));
    let store = env.open_with(Options { backoff_base: base, backoff_cap: cap, ..env.options() });
    let worker = store.worker(options()).unwrap();
    worker.handle("fails", |_| Err(HandlerError::Retry("no".to_owned()))).unwrap();
    let items = (0..150).map(|_| Enqueue { max_attempts: 5, ..Enqueue::new("fails", Json::null()) }).collect();
    let runs = store.runs().enqueue_many(&EnqueueMany::new(items)).unwrap();
    worker.run_until_idle(Duration::from_secs(1)).unwrap();
    let mut delays: Vec<Vec<f64>> = vec![Vec::new(); 4];
    for run in &runs {
        let events = store.runs().events(&sprongus::runs::RunEvents::new(&run.id)).unwrap();
        let retries = events.iter().filter(|event| event.kind == "run.retry_scheduled");
        for (attempt, event) in retries.enumerate() {
            delays[attempt].push(event.payload.to_value()["delay"].as_f64().unwrap());
        }
    }
    for (attempt, delays) in delays.iter().enumerate() {
        let bound = cap.min(base * (1 << attempt)).as_secs_f64();
        let inside = delays.iter().all(|delay| (0.0..=bound).contains(delay));
        assert!(inside && delays.len() == runs.len(), "attempt {}: {delays:?}", attempt + 1);
        let (least, most) = delays.iter().fold((bound, 0.0), |(a, b), delay| (delay.min(a), delay.max(b)));
        let mean = delays.iter().sum::<f64>() / delays.len() as f64;
        assert!(least < bound * 0.1 && most > bound * 0.9, "attempt {}: {least} to {most}", attempt + 1);
        assert!((mean / bound - 0.5).abs() < 0.15, "attempt {}: {mean} of {bound}", attempt + 1);
    }
}

/// Enqueues a run, and returns when a handler has it that waits for being told.
fn waiting_for_word(store: &Store, options: WorkerOptions) -> (Worker, String, mpsc::Receiver<bool>) {
    let worker = store.worker(options).unwrap();
    let (begun, begins) = mpsc::channel();
    let (seen, saw) = mpsc::channel();
    worker
        .handle("endless", move |context| {
            begun.send(()).unwrap();
            seen.send(context.wait_canceled(Duration::from_secs(20))).unwrap();
            Ok(Outcome::None)
        })
        .unwrap();
    let id = put(store, "endless");
    worker.start().unwrap();
    begins.recv_timeout(Duration::from_secs(10)).unwrap();
    (worker, id, saw)
}

fn canceled_here(env: &Env) {
    let store = env.open();
    let (worker, id, saw) = waiting_for_word(&store, long());
    let tx = store.begin().unwrap();
    let savepoint = tx.savepoint().unwrap();
    savepoint.runs().cancel(&Cancel::new(&id)).unwrap();
    savepoint.rollback().unwrap();
    tx.commit().unwrap();
    saw.recv_timeout(Duration::from_millis(300)).unwrap_err();
    let tx = store.begin().unwrap();
    tx.runs().cancel(&Cancel::new(&id)).unwrap();
    saw.recv_timeout(Duration::from_millis(300)).unwrap_err();
    tx.commit().unwrap();
    assert!(saw.recv_timeout(Duration::from_secs(10)).unwrap(), "long before the next heartbeat");
    assert!(worker.stop(None));
    assert_eq!((get(&store, &id).state, worker.metrics().canceled), (RunState::Canceled, 1));
}

fn canceled_elsewhere(env: &Env) {
    let store = env.open();
    let (worker, id, saw) = waiting_for_word(&store, leased(600));
    // Another store is as another process; one in memory has none.
    let other = if env.backend() == Backend::SqliteMemory { store.clone() } else { env.open() };
    other.runs().cancel(&Cancel::new(&id)).unwrap();
    assert!(saw.recv_timeout(Duration::from_secs(10)).unwrap());
    assert!(worker.stop(None));
    assert_eq!((get(&store, &id).state, worker.metrics().canceled), (RunState::Canceled, 1));
}

fn heeds(env: &Env) {
    let store = env.open();
    let worker = store.worker(long()).unwrap();
    let begun = Arc::new(AtomicUsize::new(0));
    let answer = |kind: &str, answer: fn() -> Result<Outcome, HandlerError>| {
        let begun = begun.clone();
        let handler = move |context: &sprongus::worker::Context| {
            begun.fetch_add(1, SeqCst);
            assert!(context.wait_canceled(Duration::from_secs(20)));
            answer()
        };
        worker.handle(kind, handler).unwrap();
        once(&store, Enqueue::new(kind, Json::null()))
    };
    let done = answer("done", || Ok(Outcome::Output(json("1"))));
    let stopped = answer("stopped", || Err(HandlerError::Retry("interrupted".to_owned())));
    let fatal = answer("fatal", || Err(HandlerError::Fatal("broken".to_owned())));
    worker.start().unwrap();
    eventually(|| begun.load(SeqCst) == 3);
    assert!(!worker.stop(Some(Duration::from_millis(50))));
    eventually(|| worker.metrics().given_back == 1 && worker.metrics().reporting + worker.metrics().running == 0);
    assert_eq!(get(&store, &done).state, RunState::Succeeded, "the work was done");
    let run = get(&store, &stopped);
    assert_eq!((run.state, run.attempt), (RunState::Queued, 0), "as if it had not begun");
    assert_eq!(get(&store, &fatal).state, RunState::Failed);
}

fn heedless(env: &Env) {
    let store = env.open();
    let worker = store.worker(long()).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let ends = over.clone();
    worker
        .handle("stuck", move |_| {
            while !ends.load(SeqCst) {
                std::thread::sleep(Duration::from_millis(10));
            }
            Ok(Outcome::Output(json("1")))
        })
        .unwrap();
    let id = put(&store, "stuck");
    worker.start().unwrap();
    eventually(|| worker.metrics().running == 1);
    assert!(!worker.stop(Some(Duration::from_millis(50))));
    let mut rival = Vec::new();
    eventually(|| {
        rival = store.runs().claim_next(&Claim::new("rival")).unwrap();
        !rival.is_empty()
    });
    over.store(true, SeqCst);
    assert!(worker.stop(None));
    let run = get(&store, &id);
    assert_eq!((run.claimed_by.as_deref(), run.state, run.output_ref), (Some("rival"), RunState::Running, None));
    assert_eq!(worker.metrics().lease_lost, 1);
}

/// One thread that is known to be quick has claimed ahead, and is stuck in a slow one: the worker, the slow run, those behind
/// it, and what ends the slow one.
fn stuck_before_many(store: &Store) -> (Worker, String, Vec<String>, mpsc::Sender<()>) {
    let worker = store.worker(WorkerOptions { concurrency: 1, ..long() }).unwrap();
    let (end, ended) = mpsc::channel::<()>();
    let ended = std::sync::Mutex::new(ended);
    worker.handle("quick", |_| Ok(Outcome::None)).unwrap();
    worker
        .handle("slow", move |context| {
            while !context.canceled() && ended.lock().unwrap().try_recv().is_err() {
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok(Outcome::None)
        })
        .unwrap();
    let kinds = ["quick"; 40].into_iter().chain(["slow"]).chain(["quick"; 20]);
    let items = kinds.map(|kind| Enqueue { max_attempts: 1, ..Enqueue::new(kind, Json::null()) }).collect();
    let mut ids: Vec<String> =
        store.runs().enqueue_many(&EnqueueMany::new(items)).unwrap().into_iter().map(|run| run.id).collect();
    worker.start().unwrap();
    let behind = ids.split_off(41);
    let slow = ids.remove(40);
    eventually(|| get(store, &slow).state == RunState::Running && worker.metrics().running == 1);
    eventually(|| ids.iter().all(|id| get(store, id).state == RunState::Succeeded));
    (worker, slow, behind, end)
}

fn unbegun(env: &Env) {
    let store = env.open();
    let (worker, slow, behind, _end) = stuck_before_many(&store);
    assert!(worker.metrics().waiting > 0, "it has claimed ahead");
    worker.stop(Some(Duration::ZERO));
    for run in behind.iter().map(|id| get(&store, id)) {
        assert_eq!((run.state, run.attempt), (RunState::Queued, 0));
    }
    eventually(|| get(&store, &slow).state == RunState::Succeeded);
    worker.stop(None);
    worker.run_until_idle(Duration::ZERO).unwrap();
    assert!(behind.iter().all(|id| get(&store, id).state == RunState::Succeeded && get(&store, id).attempt == 1));
}

fn overdue(env: &Env) {
    let store = env.open();
    let (worker, slow, behind, end) = stuck_before_many(&store);
    eventually(|| behind.iter().all(|id| get(&store, id).state == RunState::Queued));
    assert!(behind.iter().all(|id| get(&store, id).attempt == 0));
    assert_eq!((get(&store, &slow).state, worker.metrics().waiting), (RunState::Running, 0));
    end.send(()).unwrap();
    eventually(|| behind.iter().all(|id| get(&store, id).state == RunState::Succeeded));
    assert!(worker.stop(None));
    assert!(behind.iter().all(|id| get(&store, id).attempt == 1));
}

fn dropped(env: &Env) {
    let store = env.open();
    let (worker, id, saw) = waiting_for_word(&store, long());
    drop(worker);
    assert!(saw.recv_timeout(Duration::from_secs(10)).unwrap());
    eventually(|| get(&store, &id).state == RunState::Succeeded);
}
