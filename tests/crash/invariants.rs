//! What must hold after any number of crashes.

use std::collections::{BTreeMap, BTreeSet};

use sprongus::events::ReadEvents;
use sprongus::runs::approvals::{GetApproval, ListApprovals};
use sprongus::runs::{ListRuns, ListSteps, Run, RunEvents};
use sprongus::{Event, Store, Value};

use super::journal::Said;
use super::replay::{Replayed, replay};

/// Checks everything; says what there was to check.
pub(crate) fn check(store: &Store, said: &Said, read: &[String], cycles: usize) -> String {
    let runs = every_run(store);
    let events = every_event(store);
    let by_id: BTreeMap<&str, &Run> = runs.iter().map(|run| (run.id.as_str(), run)).collect();
    nothing_is_lost(said, &by_id);
    names_are_unique(said, &runs);
    events_replay(&runs, &events, said);
    the_feed_is_whole(store, &events, read, &runs);
    steps_are_stored_once(store, said);
    decisions_stand(store, said);
    let told = |kind: &str| events.iter().filter(|event| event.kind == kind).count();
    // The kills struck: leases were left behind, and each kind of work was under way.
    for (kind, least) in [("run.rescued", cycles / 10), ("run.snoozed", 1), ("run.retried", 1), ("run.approved", 1)] {
        assert!(told(kind) >= least, "{} of {kind}: the processes hardly worked", told(kind));
    }
    assert!(said.enqueued.len() > cycles && said.succeeded.len() > cycles, "the processes hardly worked");
    assert!(read.len() > cycles, "the reader hardly read: {}", read.len());
    assert!(runs.iter().any(|run| run.kind == "scheduled"), "no slot was enqueued");
    format!(
        "{} runs, {} events ({} read by readers that were killed), {} leases, {} rescued, {} steps, {} decisions: all there, once",
        runs.len(),
        events.len(),
        read.len(),
        said.claimed.len(),
        told("run.rescued"),
        said.steps.len(),
        said.decided.len()
    )
}

fn every_run(store: &Store) -> Vec<Run> {
    let mut all = Vec::new();
    let mut query = ListRuns { limit: 1_000, ..ListRuns::default() };
    loop {
        let page = store.runs().list(&query).unwrap();
        all.extend(page.items);
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return all,
        }
    }
}

fn every_event(store: &Store) -> Vec<Event> {
    let (mut all, mut request) = (Vec::new(), ReadEvents { limit: 1_000, ..ReadEvents::default() });
    loop {
        let batch = store.events().read(&request).unwrap();
        all.extend(batch.items);
        if request.after.as_ref() == Some(&batch.cursor) {
            return all;
        }
        request.after = Some(batch.cursor);
    }
}

fn nothing_is_lost(said: &Said, runs: &BTreeMap<&str, &Run>) {
    let named = said.named.values();
    for id in said.enqueued.iter().chain(named).chain(said.claimed.iter().map(|(id, _)| id)) {
        assert!(runs.contains_key(id.as_str()), "{id} was acknowledged and is gone");
    }
    for (id, lease) in &said.succeeded {
        let run = runs[id.as_str()];
        assert_eq!(
            (run.state.as_str(), run.lease),
            ("succeeded", *lease),
            "{id} succeeded under another lease than told"
        );
    }
    for (id, lease) in &said.claimed {
        assert!(*lease <= runs[id.as_str()].lease, "{id}: a lease that was told was never given");
    }
}

/// One run a key, a message and a slot.
fn names_are_unique(said: &Said, runs: &[Run]) {
    let mut keys = BTreeMap::new();
    for run in runs {
        if let Some(key) = &run.idempotency_key {
            let before = keys.insert((&run.project_id, key), &run.id);
            assert_eq!(before, None, "two runs of {key}");
        }
        let keyed = matches!(run.kind.as_str(), "keyed" | "scheduled");
        assert_eq!(run.idempotency_key.is_some(), keyed, "{} of the kind {}", run.id, run.kind);
    }
    for (name, id) in said.named.iter().filter(|(name, _)| name.starts_with("key-")) {
        assert_eq!(keys.get(&(&None, name)), Some(&id), "{name} names another run now");
    }
    let messages: BTreeSet<&String> =
        said.named.iter().filter(|(name, _)| name.starts_with("message-")).map(|(_, id)| id).collect();
    let mails = runs.iter().filter(|run| run.kind == "mail").map(|run| &run.id);
    assert!(mails.clone().count() <= 100, "one run a message");
    assert!(messages.is_subset(&mails.collect()));
}

/// One committed transition, one event; folded, they lead to the row.
fn events_replay(runs: &[Run], events: &[Event], said: &Said) {
    let mut of: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in events {
        of.entry(event.run_id.as_deref().expect("all are of runs")).or_default().push(event);
    }
    assert_eq!(of.len(), runs.len(), "no events without their run, no run without its events");
    for run in runs {
        let row = Replayed {
            state: run.state.as_str().to_owned(),
            version: run.version,
            attempt: run.attempt,
            lease: run.lease,
            series: run.series,
        };
        assert_eq!(replay(&of[run.id.as_str()]), row, "the events of {} lead elsewhere", run.id);
        assert_eq!(run.finished_at.is_some(), run.state.is_final(), "{}", run.id);
    }
    let claims = |event: &&Event| {
        event.payload.to_value()["from"] == "queued" && matches!(event.kind.as_str(), "run.started" | "run.dispatched")
    };
    let given = events.iter().filter(claims).count();
    assert!(said.claimed.len() <= given, "more leases were told than given");
}

/// Each event once, the same for everybody, and for readers who were killed and went on.
fn the_feed_is_whole(store: &Store, events: &[Event], read: &[String], runs: &[Run]) {
    let ids: BTreeSet<&str> = events.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids.len(), events.len(), "an event came twice");
    let rows =
        store.query("SELECT count(*) AS n, count(DISTINCT position) AS positions FROM sprongus_events", &[]).unwrap();
    let all = Value::Int(events.len() as i64);
    assert_eq!((rows[0].get("n"), rows[0].get("positions")), (Some(&all), Some(&all)), "an event was skipped");
    assert!(read.iter().eq(events.iter().take(read.len()).map(|event| &event.id)), "readers saw another feed");
    for run in runs.iter().step_by(50) {
        let own: Vec<&Event> = events.iter().filter(|event| event.run_id.as_ref() == Some(&run.id)).collect();
        assert!(store.runs().events(&RunEvents::new(&run.id)).unwrap().iter().eq(own), "the events of {}", run.id);
    }
}

fn steps_are_stored_once(store: &Store, said: &Said) {
    for ((id, name), result) in &said.steps {
        let stored = store.runs().steps(&ListSteps::new(id)).unwrap();
        let found: Vec<&str> =
            stored.iter().filter(|step| step.name == *name).map(|step| step.output.as_str()).collect();
        assert_eq!(found, [result], "the step {name} of {id}");
    }
}

fn decisions_stand(store: &Store, said: &Said) {
    for ((id, scope), decision) in &said.decided {
        let asked = GetApproval { scope: scope.clone(), ..GetApproval::new(id) };
        let stored = store.approvals().get(&asked).unwrap();
        assert_eq!(stored.decision.unwrap().as_str(), decision, "{scope} of {id}");
    }
    let all = ListApprovals { limit: 1_000, ..ListApprovals::default() };
    let mut seen = BTreeSet::new();
    for approval in store.approvals().list(&all).unwrap() {
        assert!(
            seen.insert((approval.run_id.clone(), approval.scope.clone(), approval.step.clone())),
            "two for {}",
            approval.run_id
        );
    }
}
