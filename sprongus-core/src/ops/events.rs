//! Operations on the feed of events.

use super::{Empty, Operation};
use crate::events::{Events, ReadEvents};
use crate::scope::Scope;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            "events.read",
            Scope::RunsRead,
            "The events after a position, oldest first.",
            |on, request: ReadEvents| Events::new(on).read(&request),
        ),
        Operation::new("events.position", Scope::RunsRead, "The position after the last event.", |on, _: Empty| {
            Events::new(on).position()
        }),
    ]
}
