//! PostgreSQL: a worker whose way to the database is cut, or stays away for longer than its leases.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use sprongus::runs::{Claim, Enqueue, EnqueueMany, GetRun, RunEvents, Succeed};
use sprongus::worker::{Outcome, WorkerOptions};
use sprongus::{Json, Options, RunState, Store};
use sprongus_testkit::{Postgres, Proxy};

fn eventually(mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < end, "it never came to hold");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn options(schema: &str) -> Options {
    Options { schema: Some(schema.to_owned()), call_timeout: Duration::from_millis(500), ..Options::default() }
}

/// A store that a worker uses through the proxy, and one that does not.
fn stores(schema: &str) -> (Proxy, Store, Store) {
    let proxy = Proxy::before(Postgres::shared());
    let cut_off = Store::open(&proxy.url(), options(schema)).unwrap();
    let direct = Store::open(Postgres::shared().url(), options(schema)).unwrap();
    (proxy, cut_off, direct)
}

#[test]
fn a_handler_that_outlives_its_lease_is_told_and_its_report_refused() {
    let (proxy, cut_off, direct) = stores("worker_cut_off");
    let lease = Duration::from_millis(900);
    let worker = cut_off.worker(WorkerOptions { lease, concurrency: 1, ..WorkerOptions::default() }).unwrap();
    let (seen, saw) = mpsc::channel();
    worker
        .handle("long", move |context| {
            seen.send(context.wait_canceled(Duration::from_secs(30))).unwrap();
            Ok(Outcome::Output(Json::null()))
        })
        .unwrap();
    let id = direct.runs().enqueue(&Enqueue::new("long", Json::null())).unwrap().id;
    worker.start().unwrap();
    eventually(|| worker.metrics().running == 1);
    proxy.go_silent();
    let mut taken = Vec::new();
    eventually(|| {
        taken = direct.runs().claim_next(&Claim::new("rival")).unwrap();
        !taken.is_empty()
    });
    assert!(proxy.fired().swallowed > 0, "the fault struck");
    assert!(saw.try_recv().is_err(), "it cannot know yet");
    proxy.pass();
    assert!(saw.recv_timeout(Duration::from_secs(30)).unwrap(), "told when the database is back");
    assert!(worker.stop(None));
    assert_eq!((worker.metrics().lease_lost, worker.metrics().succeeded), (1, 0));
    direct.runs().succeed(&Succeed::new(&id, taken[0].lease)).unwrap();
    let told: Vec<String> =
        direct.runs().events(&RunEvents::new(&id)).unwrap().into_iter().map(|event| event.kind).collect();
    assert_eq!(told, ["run.enqueued", "run.started", "run.rescued", "run.started", "run.succeeded"]);
}

#[test]
fn a_worker_outlasts_connections_that_are_cut() {
    let (proxy, cut_off, direct) = stores("worker_cut");
    let lease = Duration::from_secs(2);
    let worker = cut_off.worker(WorkerOptions { lease, ..WorkerOptions::default() }).unwrap();
    worker
        .handle("short", |_| {
            std::thread::sleep(Duration::from_millis(2));
            Ok(Outcome::Output(Json::null()))
        })
        .unwrap();
    let items = (0..600).map(|_| Enqueue { max_attempts: 20, ..Enqueue::new("short", Json::null()) }).collect();
    let runs = direct.runs().enqueue_many(&EnqueueMany::new(items)).unwrap();
    worker.start().unwrap();
    for _ in 0..8 {
        std::thread::sleep(Duration::from_millis(30));
        proxy.cut_now();
    }
    assert!(proxy.fired().cut > 0, "the fault struck");
    eventually(|| {
        runs.iter().all(|run| direct.runs().get(&GetRun::new(&run.id)).unwrap().state == RunState::Succeeded)
    });
    assert!(worker.stop(None));
    for run in &runs {
        let events = direct.runs().events(&RunEvents::new(&run.id)).unwrap();
        assert_eq!(events.iter().filter(|event| event.kind == "run.succeeded").count(), 1);
        assert!(events.iter().zip(1..).all(|(event, seq)| event.seq == seq));
    }
}
