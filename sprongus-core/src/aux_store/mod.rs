//! The aux store: documents by project and table, validated by the table's preset (DESIGN.md §7).
//!
//! What decides is here, in Rust, over plain JSON values; the databases only narrow.

pub(crate) mod changes;
pub(crate) mod export;
pub mod filter;
pub mod format;
pub(crate) mod import;
pub mod merge;
pub mod order;
pub mod path;
pub mod search;
pub mod sort;
#[cfg(test)]
pub(crate) mod testing;

pub use filter::Filter;
pub use format::Format;
pub use merge::{Nulls, merge};
pub use search::Search;
pub use sort::Sort;
