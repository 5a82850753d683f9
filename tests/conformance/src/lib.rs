//! One suite that defines behaviour: every case runs on every backend, and none is skipped (DESIGN.md §14).
//!
//! `cases/<area>.rs` holds the cases of one area and exports `cases() -> Vec<Case>`; `cases/main.rs` names the areas.
//! A case that fails panics, as any test does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backend;
mod case;
mod env;
mod face;
mod lent;
mod runner;

pub use backend::Backend;
pub use case::Case;
pub use env::Env;
pub use face::Face;
pub use runner::run;
