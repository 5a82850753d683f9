//! Presets: what the documents of a table, or the inputs of a kind of runs, look like (DESIGN.md §6).
//!
//! A definition, be it a field list or a JSON Schema, compiles to one [`Compiled`], which validates, fills in defaults,
//! types CSV cells and knows the extension keywords. Nothing here touches a database.

mod builtin;
mod cache;
mod compile;
mod defaults;
mod fields;
mod formats;
mod keywords;
mod model;
mod reserved;
mod schema;
mod stack;
mod typing;
mod validate;

pub use builtin::{BUILTINS, Builtin};
pub use cache::Cache;
pub use compile::Compiled;
pub use defaults::apply_defaults;
pub use keywords::{FieldPath, Key, Keywords, RefField, Step};
pub use model::{Address, Preset, PresetKind};
pub use reserved::{RESERVED, put_identity, take_identity};
pub use typing::CellType;
