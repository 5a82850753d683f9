//! Runs: enqueued once, claimed in order, each report fenced by its lease, one event per transition (DESIGN.md §5, §15).

mod batch;
mod claim;
mod enqueue;
mod lease;
mod list;
mod race;
mod report;

use sprongus::runs::{Claim, Enqueue, GetRun, RunEvents};
use sprongus::{Error, ErrorCode, Json, Run, Runs};
use sprongus_conformance::{Case, Env};

pub(crate) fn cases() -> Vec<Case> {
    [enqueue::cases(), batch::cases(), claim::cases(), report::cases(), lease::cases(), list::cases(), race::cases()].concat()
}

fn case(name: &'static str, covers: &'static [&'static str], transactional: bool, run: fn(&Env)) -> Case {
    Case { name, covers, transactional, run }
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorCode {
    result.unwrap_err().code()
}

fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

fn kind(kind: &str) -> Enqueue {
    Enqueue::new(kind, json(r#"{"n":1}"#))
}

fn put(runs: Runs<'_>, what: &str) -> Run {
    runs.enqueue(&kind(what)).unwrap()
}

fn claims(runs: Runs<'_>, claim: &Claim) -> Vec<String> {
    runs.claim_next(claim).unwrap().into_iter().map(|run| run.id).collect()
}

fn claim_one(runs: Runs<'_>) -> Run {
    let mut claimed = runs.claim_next(&Claim::new("w1")).unwrap();
    assert_eq!(claimed.len(), 1);
    claimed.remove(0)
}

fn get(runs: Runs<'_>, id: &str) -> Run {
    runs.get(&GetRun::new(id)).unwrap()
}

/// The types of a run's events; their `seq` is 1..n, the last one the run's version.
fn told(runs: Runs<'_>, id: &str) -> Vec<String> {
    let events = runs.events(&RunEvents::new(id)).unwrap();
    let seqs: Vec<i64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=get(runs, id).version).collect::<Vec<_>>());
    assert!(events.iter().all(|event| event.run_id.as_deref() == Some(id) && event.subject == format!("run:{id}")));
    events.into_iter().map(|event| event.kind).collect()
}
