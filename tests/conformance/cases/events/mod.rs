//! The feed: everything that is committed, once, and each subject's events in the order of their `seq` (DESIGN.md §5, §15).

mod order;
mod read;
mod scopes;

use sprongus::events::{EventBatch, Events, ReadEvents};
use sprongus::runs::Enqueue;
use sprongus::{Error, ErrorCode, Event, Json, Run, Store};
use sprongus_conformance::{Case, Env};

pub(crate) fn cases() -> Vec<Case> {
    [read::cases(), scopes::cases(), order::cases()].concat()
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
