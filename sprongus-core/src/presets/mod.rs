//! Presets: what the documents of a table, or the inputs of a kind of runs, look like (DESIGN.md §6).
//!
//! A definition, be it a field list or a JSON Schema, compiles to one [`Compiled`], which validates, fills in defaults,
//! types CSV cells and knows the extension keywords. [`Presets`] keeps definitions in the database and binds them.

mod bind;
mod builtin;
mod by_member;
mod cache;
mod check;
mod compile;
mod defaults;
mod exchange;
mod fields;
mod formats;
mod graph;
mod keywords;
mod model;
mod nesting;
mod requests;
mod reserved;
mod schema;
mod service;
mod stack;
mod store;
mod typing;
mod validate;

pub use builtin::{BUILTINS, Builtin};
pub(crate) use by_member::{ByMember, Rule};
pub use cache::Cache;
pub(crate) use check::dangling;
pub use compile::Compiled;
pub use defaults::apply_defaults;
pub(crate) use keywords::Referring;
pub use keywords::{FieldPath, Key, Keywords, RefField, Step};
pub use model::{Address, Preset, PresetKind};
pub use requests::{
    BindPreset, BindReport, BindRunPreset, BoundPreset, CreatePreset, ExportPresets, ImportPresets, ImportedPresets,
    ListPresets, PresetAddress, PresetImportMode, PresetItem, ValidatePayload,
};
pub use reserved::{RESERVED, put_identity, take_identity};
pub use service::Presets;
pub use typing::CellType;

pub(crate) use bind::{for_run, for_table, install, lock_bulk, lock_table, referring_tables, unbound_run};
pub(crate) use store::lock;
