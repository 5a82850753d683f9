//! What the library writes to the log of a worker's runs: ids, kinds and timings, and never what the runs are about.
#![allow(clippy::unwrap_used, clippy::panic)]

mod capture;

use std::time::Duration;

use capture::Capture;
use sprongus::runs::{Cancel, Enqueue};
use sprongus::worker::{HandlerError, Outcome, Worker, WorkerOptions};
use sprongus::{Json, Options, Store};
use sprongus_conformance::{Backend, Env};

/// Stands in all that a host may give or a handler may say.
const MARK: &str = "m4rked-p4yl0ad";

const KINDS: [&str; 8] = ["outputs", "refers", "fails", "breaks", "panics", "asks", "canceled", "unkept"];

fn marked() -> Json {
    Json::parse(format!(r#"{{"{MARK}":"{MARK}"}}"#)).unwrap()
}

#[test]
fn a_worker_tells_ids_kinds_and_timings_and_no_payload() {
    let log = Capture::install();
    for backend in [Backend::SqliteFile, Backend::SqliteMemory, Backend::Postgres] {
        let env = Env::fresh(backend);
        let store = env.open_with(Options { max_artifact_bytes: 200, ..env.options() });
        let worker = worker(&store);
        let ids = KINDS.map(|kind| {
            let run =
                Enqueue { max_attempts: 1, timeout: Some(Duration::from_secs(60)), ..Enqueue::new(kind, marked()) };
            store.runs().enqueue(&run).unwrap().id
        });
        worker.run_until_idle(Duration::ZERO).unwrap();
        let lines = log.take();
        let leak = lines.iter().find(|line| line.contains(MARK));
        assert!(leak.is_none(), "{}: {leak:?}", backend.as_str());
        let outcomes =
            ["succeeded", "succeeded", "failed", "failed", "failed", "awaiting_approval", "canceled", "failed"];
        for ((id, kind), outcome) in ids.iter().zip(KINDS).zip(outcomes) {
            told_once(&lines, id, kind, outcome);
        }
    }
}

/// A span and a line for the end of the one attempt, with what they are to hold.
fn told_once(lines: &[String], id: &str, kind: &str, outcome: &str) {
    let about = |start: &str| -> Vec<&String> {
        lines.iter().filter(|line| line.starts_with(start) && line.contains(id)).collect()
    };
    let spans = about("SPAN run ");
    assert!(spans.len() == 1 && spans[0].contains(kind) && spans[0].contains("attempt=1"), "{spans:?}");
    let ends: Vec<_> = about("INFO ").into_iter().filter(|line| line.contains("a run ended")).collect();
    let [end] = ends.as_slice() else { panic!("{kind}: {ends:?}") };
    for part in [kind, "worker=\"ann\"", &format!("outcome={outcome:?}"), "wait_ms=", "run_ms=", "report_ms="] {
        assert!(end.contains(part), "{part} is not in {end}");
    }
}

fn worker(store: &Store) -> Worker {
    let options = WorkerOptions { worker_id: Some("ann".to_owned()), ..WorkerOptions::default() };
    let worker = store.worker(options).unwrap();
    worker
        .handle("outputs", |context| {
            context.heartbeat(marked())?;
            context.step(MARK, || Ok(marked())).map(Outcome::Output)
        })
        .unwrap();
    worker.handle("refers", |_| Ok(Outcome::Ref(format!("s3://{MARK}/key")))).unwrap();
    worker.handle("fails", |_| Err(HandlerError::Retry(MARK.to_owned()))).unwrap();
    worker.handle("breaks", |_| Err(HandlerError::Fatal(MARK.to_owned()))).unwrap();
    worker.handle("panics", |_| std::panic::resume_unwind(Box::new(MARK.to_owned()))).unwrap();
    worker.handle("asks", |context| context.approval(MARK, MARK, Some(MARK), marked()).map(|_| Outcome::None)).unwrap();
    worker
        .handle("canceled", |context| {
            let cancel = Cancel { reason: Some(MARK.to_owned()), ..Cancel::new(&context.run().id) };
            context.store().runs().cancel(&cancel)?;
            Err(HandlerError::Retry(MARK.to_owned()))
        })
        .unwrap();
    worker.handle("unkept", |_| Ok(Outcome::Output(Json::from_serialize(&MARK.repeat(100))?))).unwrap();
    worker
}
