//! What must hold after any number of crashes.

use std::collections::BTreeSet;

use sprongus::runs::{GetRun, ListRuns, Run, RunEvents, RunState};
use sprongus::{Event, Store};

use super::journal::Said;

pub(crate) fn check(store: &Store, said: &Said) {
    let all = every_run(store);
    let there: BTreeSet<&str> = all.iter().map(|run| run.id.as_str()).collect();
    for id in &said.enqueued {
        assert!(there.contains(id.as_str()), "{id} was acknowledged and is gone");
    }
    for (id, lease) in &said.succeeded {
        let run = store.runs().get(&GetRun::new(id)).unwrap();
        assert_eq!(
            (run.state, run.lease),
            (RunState::Succeeded, *lease),
            "{id} succeeded under another lease than told"
        );
    }
    for run in &all {
        assert_eq!(run.state, RunState::Succeeded, "{} never ended", run.id);
        chain(run, &store.runs().events(&RunEvents::new(&run.id)).unwrap());
    }
}

fn every_run(store: &Store) -> Vec<Run> {
    let mut all = Vec::new();
    let mut query = ListRuns { limit: 1000, ..ListRuns::default() };
    loop {
        let page = store.runs().list(&query).unwrap();
        all.extend(page.items);
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return all,
        }
    }
}

/// One committed transition, one event: 1..n without gaps, each from where the one before led, one success, at the end.
fn chain(run: &Run, events: &[Event]) {
    let id = &run.id;
    assert_eq!(events.len() as i64, run.version, "{id}: a transition without its event, or the other way round");
    let mut state = String::new();
    let mut leases = 0;
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event.seq, index as i64 + 1, "{id}: a gap");
        let payload = event.payload.to_value();
        assert_eq!(payload["from"].as_str().unwrap_or_default(), state, "{id}: event {} does not follow", event.seq);
        state = payload["to"].as_str().unwrap().to_owned();
        leases += i64::from(event.kind == "run.started");
        assert_eq!(event.kind == "run.succeeded", index + 1 == events.len(), "{id}: {} in between", event.kind);
    }
    assert_eq!(leases, run.lease, "{id}: a lease for each claim, a claim for each lease");
    assert_eq!(state, "succeeded");
}
