//! The append-only event log: one committed transition, one event (DESIGN.md §5 "Events").

mod append;
mod cancels;
mod feed;
mod model;
mod waiter;

pub use feed::{EventBatch, Events, ReadEvents};
pub use model::Event;

pub(crate) use crate::db::Signal;
pub(crate) use append::{NewEvent, append, committed, next_seq};
pub(crate) use cancels::{Cancels, OnCancel};
pub(crate) use model::{COLUMNS, read_event};
#[allow(unused_imports)] // named by those who keep one
pub(crate) use waiter::Waiter;
