//! What an entry was before: versions, a look at a time gone by, differences, and the way back (DESIGN.md §7, §15 "History").

mod model;

pub use model::{ChangeOp, Difference, EntryVersion, Moment};
