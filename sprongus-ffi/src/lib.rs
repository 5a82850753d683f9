//! The C ABI of sprongus (DESIGN.md §11): `include/sprongus.h` is generated from the documentation and signatures here.
//!
//! Handles are checked ids, so a wrong one is an answer and never a wild read; what a C caller must promise for the
//! pointers that are read (text, bytes, structs, out-pointers) stands once in the header's preamble, not at each function.
#![allow(unsafe_code)] // the C ABI reads and writes its caller's memory
#![deny(unsafe_op_in_unsafe_fn)]
#![allow(clippy::missing_safety_doc)] // the header's preamble says it for all
#![allow(non_camel_case_types)] // C's names

pub mod approval;
pub mod approvals;
mod args;
pub mod artifact;
pub mod artifacts;
pub mod aux_store;
pub mod buf;
pub mod call;
pub mod config;
pub mod context;
mod door;
pub mod entry;
pub mod error;
pub mod events;
pub mod flags;
mod handle;
pub mod host;
pub mod inbox;
pub mod listen;
pub mod options;
pub mod preset;
pub mod presets;
pub mod progress;
pub mod project;
pub mod projects;
pub mod provider;
pub mod providers;
mod record;
pub mod rows;
pub mod run;
pub mod runs;
pub mod schedules;
pub mod scoped;
pub mod store;
pub mod tables;
mod target;
pub mod tx;
pub mod value;
pub mod worker;
