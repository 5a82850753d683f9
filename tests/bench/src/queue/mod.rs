//! The run queue beside the one by hand: the same tables, indexes, events and durability.

mod batches;
mod claims;
pub(crate) mod drain;
mod enqueue;
mod states;
mod threads;

pub(crate) use batches::measure as batches;
pub(crate) use claims::measure as claims;
pub(crate) use drain::measure as drain;
pub(crate) use enqueue::measure as enqueue;
pub(crate) use states::measure as states;
pub(crate) use threads::measure as threads;

use crate::table::Target;

/// The project's promise: the share of the yardstick's speed.
const PROMISE: Target = Target::AtLeast(0.9);
