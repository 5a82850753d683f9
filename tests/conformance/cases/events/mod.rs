//! The feed: everything that is committed, once, and each subject's events in the order of their `seq` (DESIGN.md §5, §15).

mod follow;
mod order;
mod read;
mod scopes;
mod subscribe;

use std::time::Duration;

use serde_json::json;
use sprongus::events::{EventBatch, Events, ReadEvents};
use sprongus::presets::{BindPreset, BindRunPreset, CreatePreset, PresetKind};
use sprongus::runs::approvals::{Decide, RequestApproval};
use sprongus::runs::{
    Cancel, Claim, Enqueue, EnqueueMany, Fail, FailMany, Heartbeat, Rescue, RetryRun, Snooze, StartRun, Succeed,
    SucceedMany,
};
use sprongus::{Error, ErrorCode, Event, Json, Run, Store};
use sprongus_conformance::{Case, Env};

pub(crate) fn cases() -> Vec<Case> {
    [read::cases(), scopes::cases(), order::cases(), follow::cases(), subscribe::cases()].concat()
}

fn case(name: &'static str, covers: &'static [&'static str], transactional: bool, run: fn(&Env)) -> Case {
    Case { name, covers, transactional, run }
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorCode {
    result.unwrap_err().code()
}

fn put(store: &Store, kind: &str) -> Run {
    store.runs().enqueue(&Enqueue::new(kind, Json::null())).unwrap()
}

fn after(cursor: &str) -> ReadEvents {
    ReadEvents { after: Some(cursor.to_owned()), ..ReadEvents::default() }
}

fn of_types(types: &[&str]) -> ReadEvents {
    ReadEvents { types: Some(types.iter().map(|name| (*name).to_owned()).collect()), ..ReadEvents::default() }
}

fn batch(events: Events<'_>, request: &ReadEvents) -> EventBatch {
    events.read(request).unwrap()
}

/// Everything from there on: until the cursor stays where it is.
fn drain(events: Events<'_>, request: &ReadEvents) -> Vec<Event> {
    let (mut request, mut all) = (request.clone(), Vec::new());
    loop {
        let batch = batch(events, &request);
        all.extend(batch.items);
        if request.after.as_ref() == Some(&batch.cursor) {
            return all;
        }
        request.after = Some(batch.cursor);
    }
}

fn kinds(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.kind.as_str()).collect()
}

/// Each once, and each subject's from 1 on in the order of `seq`; returns how many there are.
fn check_order(events: &[Event]) -> usize {
    let mut last = std::collections::HashMap::new();
    for event in events {
        let before = last.insert(event.subject.as_str(), event.seq).unwrap_or(0);
        assert_eq!(event.seq, before + 1, "{} of {}", event.kind, event.subject);
    }
    events.len()
}

/// A run of that kind, claimed.
fn claimed(store: &Store, request: &Enqueue) -> Run {
    store.runs().enqueue(request).unwrap();
    claim(store, &request.kind)
}

fn claim(store: &Store, kind: &str) -> Run {
    let claim = Claim { kinds: Some(vec![kind.to_owned()]), ..Claim::new("worker") };
    store.runs().claim_next(&claim).unwrap().remove(0)
}

/// Everything that writes an event, in every way there is to do it.
fn every_change(store: &Store) {
    lives(store);
    many_at_once(store);
    leave(store);
    swept(store);
    documents(store);
}

fn lives(store: &Store) {
    let runs = store.runs();
    let of = |kind: &str| Enqueue { project: Some("p".to_owned()), ..Enqueue::new(kind, Json::null()) };
    runs.enqueue(&of("dispatched")).unwrap();
    let dispatch = Claim { kinds: Some(vec!["dispatched".to_owned()]), dispatch: true, ..Claim::new("worker") };
    let run = runs.claim_next(&dispatch).unwrap().remove(0);
    runs.start(&StartRun::new(&run.id, run.lease)).unwrap();
    runs.heartbeat(&Heartbeat::new(&run.id, run.lease)).unwrap();
    let output = Some(Json::parse(r#"{"n":1e16}"#).unwrap());
    runs.succeed(&Succeed { output, ..Succeed::new(&run.id, run.lease) }).unwrap();
    let run = claimed(store, &of("fails"));
    runs.fail(&Fail { retry_in: Some(Duration::ZERO), ..Fail::new(&run.id, run.lease, "once") }).unwrap();
    let run = claim(store, "fails");
    runs.fail(&Fail { retryable: false, ..Fail::new(&run.id, run.lease, "for good") }).unwrap();
    runs.retry(&RetryRun::new(&run.id)).unwrap();
    runs.cancel(&Cancel { reason: Some("enough".to_owned()), ..Cancel::new(&run.id) }).unwrap();
    let run = claimed(store, &of("snoozes"));
    runs.snooze(&Snooze::new(&run.id, run.lease, Duration::ZERO)).unwrap();
    let run = claim(store, "snoozes");
    store.acting_as("somebody", None).unwrap().runs().cancel(&Cancel::new(&run.id)).unwrap();
}

fn many_at_once(store: &Store) {
    let runs = store.runs();
    let items = (0..6).map(|n| Enqueue { needs_approval: n == 5, ..Enqueue::new("many", Json::null()) }).collect();
    runs.enqueue_many(&EnqueueMany::new(items)).unwrap();
    let claim = Claim { kinds: Some(vec!["many".to_owned()]), limit: 5, ..Claim::new("worker") };
    let five = runs.claim_next(&claim).unwrap();
    let output = Some(Json::parse("[1]").unwrap());
    let ended = [Succeed::new(&five[0].id, 1), Succeed { output, ..Succeed::new(&five[1].id, 1) }];
    runs.succeed_many(&SucceedMany { items: ended.to_vec() }).unwrap();
    let again = Fail { retry_in: Some(Duration::ZERO), ..Fail::new(&five[2].id, 1, "again") };
    let last = |run: &Run| Fail { retryable: false, ..Fail::new(&run.id, 1, "for good") };
    runs.fail_many(&FailMany { items: vec![again, last(&five[3]), last(&five[4])] }).unwrap();
}

fn leave(store: &Store) {
    let gated = Enqueue { needs_approval: true, ..Enqueue::new("gated", Json::null()) };
    let denied = store.runs().enqueue(&gated).unwrap();
    store.approvals().deny(&Decide::new(&denied.id, "ann")).unwrap();
    let granted = store.runs().enqueue(&gated).unwrap();
    store.approvals().approve(&Decide::new(&granted.id, "ann")).unwrap();
    let run = claim(store, "gated");
    store.approvals().request(&RequestApproval::new(&run.id, run.lease, "repo.push", "to push")).unwrap();
    store.approvals().approve(&Decide { scope: "repo.push".to_owned(), ..Decide::new(&run.id, "bob") }).unwrap();
    let run = claim(store, "gated");
    store.runs().succeed(&Succeed::new(&run.id, run.lease)).unwrap();
}

fn swept(store: &Store) {
    let timed = |attempts| Enqueue {
        timeout: Some(Duration::from_millis(1)),
        max_attempts: attempts,
        ..Enqueue::new("timed", Json::null())
    };
    claimed(store, &timed(1));
    claimed(store, &timed(2));
    for attempts in [1, 2] {
        let request = Enqueue { max_attempts: attempts, ..Enqueue::new("left", Json::null()) };
        store.runs().enqueue(&request).unwrap();
        let claim = Claim { lease: Duration::from_millis(1), ..Claim::new("gone") };
        store.runs().claim_next(&Claim { kinds: Some(vec!["left".to_owned()]), ..claim }).unwrap();
    }
    std::thread::sleep(Duration::from_millis(20));
    store.runs().rescue(&Rescue { limit: 100 }).unwrap();
}

fn documents(store: &Store) {
    let definition = Json::parse(r#"{"fields":[{"name":"n","type":"number"}],"additional":true}"#).unwrap();
    for (label, kind) in [("numbers", PresetKind::Custom), ("inputs", PresetKind::RunInput)] {
        store.presets().create(&CreatePreset::new(label, kind, definition.clone())).unwrap();
    }
    let bind = BindPreset { table: "t".into(), address: "numbers".into(), ..BindPreset::default() };
    store.presets().bind(&bind).unwrap();
    let bind = BindRunPreset { kind: "judged".into(), address: "inputs".into(), ..BindRunPreset::default() };
    store.presets().bind_run(&bind).unwrap();
    let judged = Enqueue::new("judged", Json::parse(r#"{"n":0.5}"#).unwrap());
    store.runs().enqueue(&judged).unwrap();
    let table = store.aux("p", "t");
    table.create(json!({ "n": 1e300 }), Some("one")).unwrap();
    table.update("one", json!({ "n": 2 }), Default::default()).unwrap();
    table.delete("one", Default::default()).unwrap();
    table.bulk_upsert((0..3).map(|n| Ok(json!({ "n": n }))), Default::default(), &mut |_, _| Ok(())).unwrap();
}
