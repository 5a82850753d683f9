//! Operations on the inbox.

use super::Operation;
use crate::inbox::{Accept, Inbox};
use crate::scope::Scope;

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation::new(
        "inbox.accept",
        Scope::RunsWrite,
        "Takes a message once, with or without a run.",
        |on, request: Accept| Inbox::new(on).accept(&request),
    )]
}
