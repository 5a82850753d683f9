//! Runs: enqueued once, claimed in order, each report fenced by its lease, one event per transition (DESIGN.md §5, §15).

mod again;
mod approvals;
mod bad;
mod batch;
mod claim;
mod deciding;
mod enqueue;
mod explain;
mod gate;
mod inputs;
mod keys;
mod lease;
mod limits;
mod list;
mod next;
mod prune;
mod race;
mod report;
mod states;
mod stats;
mod steps;
mod timeouts;
mod wait;

pub(crate) use race::eight;
use sprongus::runs::{Claim, Enqueue, GetRun, RunEvents};
use sprongus::{Error, ErrorCode, Json, Run, Runs};
use sprongus_conformance::{Case, Env, Face};

pub(crate) fn cases() -> Vec<Case> {
    [
        again::cases(),
        approvals::cases(),
        bad::cases(),
        batch::cases(),
        claim::cases(),
        deciding::cases(),
        enqueue::cases(),
        gate::cases(),
        inputs::cases(),
        keys::cases(),
        lease::cases(),
        limits::cases(),
        list::cases(),
        next::cases(),
        race::cases(),
        report::cases(),
        states::cases(),
        steps::cases(),
        timeouts::cases(),
        wait::cases(),
        explain::cases(),
        stats::cases(),
        prune::cases(),
    ]
    .concat()
}

fn case(name: &'static str, covers: &'static [&'static str], transactional: bool, run: fn(&Env)) -> Case {
    Case { name, covers, transactional, run }
}

pub(crate) fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorCode {
    result.unwrap_err().code()
}

pub(crate) fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

pub(crate) fn kind(kind: &str) -> Enqueue {
    Enqueue::new(kind, json(r#"{"n":1}"#))
}

fn put(runs: Runs<'_>, what: &str) -> Run {
    runs.enqueue(&kind(what)).unwrap()
}

fn claims(runs: Runs<'_>, claim: &Claim) -> Vec<String> {
    runs.claim_next(claim).unwrap().into_iter().map(|run| run.id).collect()
}

pub(crate) fn claim_one(runs: Runs<'_>) -> Run {
    let mut claimed = runs.claim_next(&Claim::new("w1")).unwrap();
    assert_eq!(claimed.len(), 1);
    claimed.remove(0)
}

pub(crate) fn get(runs: Runs<'_>, id: &str) -> Run {
    runs.get(&GetRun::new(id)).unwrap()
}

/// The types of a run's events; their `seq` is 1..n, the last one the run's version.
pub(crate) fn told(runs: Runs<'_>, id: &str) -> Vec<String> {
    let events = runs.events(&RunEvents::new(id)).unwrap();
    let seqs: Vec<i64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=get(runs, id).version).collect::<Vec<_>>());
    assert!(events.iter().all(|event| event.run_id.as_deref() == Some(id) && event.subject == format!("run:{id}")));
    events.into_iter().map(|event| event.kind).collect()
}

/// All that operations on runs write, as text: what has written nothing leaves it as it is.
pub(crate) fn picture(on: Face<'_, '_>) -> String {
    let all = [
        ("runs", "id"),
        ("events", "subject, seq"),
        ("approvals", "id"),
        ("run_steps", "number"),
        ("inbox", "project_id, channel_id, message_id"),
        ("artifacts", "id"),
    ];
    let rows = |(table, order)| on.query(&format!("SELECT * FROM sprongus_{table} ORDER BY {order}"), &[]).unwrap();
    format!("{:#?}", all.map(rows))
}
