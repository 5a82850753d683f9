//! The aux store: documents by project and table, validated by the table's preset (DESIGN.md §7).
//!
//! What decides is here, in Rust, over plain JSON values; the databases only narrow.

mod bound;
mod bulk;
pub(crate) mod changes;
pub mod counters;
mod crud;
mod delete;
mod document;
pub(crate) mod export;
mod extract;
pub mod filter;
mod forget;
pub mod format;
pub mod history;
pub(crate) mod import;
mod index;
mod keys;
pub mod merge;
pub mod model;
mod narrow;
pub mod order;
pub mod path;
pub mod providers;
mod query;
mod referrers;
mod refs;
mod requests;
mod rows;
mod scan;
pub mod search;
pub mod single;
mod sort;
pub mod sync;
mod table;
#[cfg(test)]
pub(crate) mod testing;
mod transfer;
mod unseen;
mod views;

pub use bulk::Progress;
pub(crate) use bulk::dead_batches;
pub use filter::Filter;
pub(crate) use forget::{forget_texts, hold_project};
pub use format::Format;
pub use history::{ChangeOp, Difference, EntryVersion, Moment};
pub use merge::{Nulls, merge};
pub use model::{
    BulkOptions, BulkReport, Entry, ExportOptions, ImportOptions, ListQuery, Mode, OnError, OnReferenced, Referrer,
    UpdateOptions,
};
pub(crate) use referrers::links_are_known;
pub(crate) use requests::table as requested;
pub use requests::{
    BulkUpsert, CountEntries, Counted, CreateEntry, DeleteEntry, DiffEntry, EntriesAsOf, EntryAddress, ExportEntries,
    ImportEntries, ListEntries, ResolveRefs, RestoreEntry, UpdateEntry, UpsertEntry,
};
pub use search::Search;
pub use sort::Sort;
pub use sync::{
    Policy, Profile, ProfileName, Providers, PutProfile, SideChange, SyncCounts, SyncDiff, SyncInput, SyncItem,
    SyncOutcome, SyncTable,
};
pub use table::Aux;
pub(crate) use unseen::version_seen;
pub use views::RefView;

/// The programs of docs/aux-tables.md.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/aux-tables.md")]
struct AuxTables;

/// The programs of the page on files run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/files.md")]
struct FilesPage;
