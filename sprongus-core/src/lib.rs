//! Durable runs, validated documents, presets and events inside your own SQLite file or PostgreSQL database.

pub mod aux_store;
pub mod clock;
pub mod db;
mod error;
pub mod id;
pub mod json;
pub mod page;
pub mod presets;
pub mod text;

pub use clock::{Clock, SystemClock, Timestamp};
pub use error::{Error, ErrorCode, Result, Violation};
pub use json::Json;
pub use page::Page;
