//! Keeps a table and an outside source in step: a three-way comparison against what both had last (DESIGN.md §7 "Sync", §15).
//!
//! A sync pulls into a temporary file, decides about each entry, takes over what the source changed in one transaction that
//! also notes what is to be pushed, then pushes. Killed at any point and worked again, it finds out by what the source has
//! which pushes arrived, and does nothing twice.

mod apply;
mod decide;
mod diff;
mod identity;
mod model;
mod plan;
mod profiles;
mod pulled;
mod push;
mod run;
mod slot;
mod state;
mod work;

pub use crate::runs::{Policy, SyncInput};
pub(super) use identity::{identify, shown_id};
pub use model::{SideChange, SyncCounts, SyncDiff, SyncItem, SyncOutcome, SyncTable};
pub use profiles::{Profile, ProfileName, Providers, PutProfile};
pub(super) use profiles::{find as find_profile, unknown as unknown_profile};
pub(super) use run::sync;
pub(crate) use slot::is_held;
pub(crate) use work::{Attempt, work};

/// The programs of the page on syncs run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/sync.md")]
struct DocsPage;
