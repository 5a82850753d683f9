//! The append-only event log: one committed transition, one event (DESIGN.md §5 "Events").

mod append;
mod cancels;
mod cursor;
mod feed;
mod filter;
mod known;
mod look;
mod model;
mod positions;
mod waiter;

pub use feed::{EventBatch, Events, ReadEvents};
pub use model::Event;

pub(crate) use crate::db::Signal;
pub(crate) use append::{NewEvent, append, committed, next_seq};
pub(crate) use cancels::{Cancels, OnCancel};
pub(crate) use model::{COLUMNS, read_event};
pub(crate) use positions::next_position;
#[allow(unused_imports)] // named by those who keep one
pub(crate) use waiter::Waiter;
