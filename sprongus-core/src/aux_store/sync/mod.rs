//! Keeps a table and an outside source in step: a three-way comparison against what both had last (DESIGN.md §7 "Sync", §15).

mod model;
mod profiles;

pub use model::{Policy, SyncInput, SyncTable};
pub use profiles::{Profile, ProfileName, Providers, PutProfile};
