//! The append-only event log: one committed transition, one event (DESIGN.md §5 "Events").

mod append;
mod cancels;
mod feed;
mod model;
mod wake;

pub use feed::{EventBatch, Events, ReadEvents};
pub use model::Event;

pub(crate) use append::{NewEvent, append, committed, next_seq};
pub(crate) use cancels::{Cancels, OnCancel};
pub(crate) use model::{COLUMNS, read_event};
pub(crate) use wake::{Signal, Wake};
