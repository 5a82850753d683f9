//! The append-only event log: one committed transition, one event (DESIGN.md §5 "Events").

mod append;
mod cancels;
mod cursor;
mod feed;
mod filter;
mod follow;
mod known;
mod look;
mod model;
mod positions;
mod queue;
mod subscribe;
mod subscribers;
mod waiter;

pub use feed::{EventBatch, Events, ReadEvents};
pub use follow::{Follow, FollowEvents, Stop};
pub use model::Event;
pub use subscribe::{SubscribeEvents, Subscription};

pub(crate) use crate::db::Signal;
pub(crate) use append::{NewEvent, WRITTEN, append, append_all, committed, next_seq, tell};
pub(crate) use cancels::{Cancels, OnCancel};
pub(crate) use model::{COLUMNS, read_event};
pub(crate) use positions::next_position;
pub(crate) use subscribers::{Call, News, Subscribers};
pub(crate) use waiter::Waiter;

/// The programs of the page on events run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/events.md")]
struct DocsPage;
