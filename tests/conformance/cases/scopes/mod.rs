//! Scoped handles: what they neither see nor touch, and how fast they may be (DESIGN.md §10, docs/scopes.md).

mod attempts;
mod others;
mod rates;
mod rows;
mod walk;
mod world;

use sprongus_conformance::{Case, Env};

pub(crate) fn cases() -> Vec<Case> {
    [rates::cases(), walk::cases(), rows::cases(), others::cases()].concat()
}

fn case(name: &'static str, run: fn(&Env)) -> Case {
    Case { name, covers: &[], transactional: false, run }
}
