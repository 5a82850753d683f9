//! What an entry was before: versions, a look at a time gone by, differences, and the way back (DESIGN.md §7, §15 "History").
//!
//! `sprongus_aux_versions` keeps what was superseded and every deletion; the present version stands in
//! `sprongus_aux_entries` alone. The version of an entry at a time is the highest one made by then: where a clock was set
//! back, versions still follow one another.

mod diff;
mod model;
mod restore;
mod table;
mod versions;

pub use model::{ChangeOp, Difference, EntryVersion, Moment};

pub(super) use restore::restore;
pub(super) use table::as_of;
pub(super) use versions::{diff, history};

/// The programs of the page on history run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/history.md")]
struct DocsPage;
