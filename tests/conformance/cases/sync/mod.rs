//! Syncs: what is compared, what is done, and what happens when something goes wrong in the middle.

mod files;
mod profiles;
pub(crate) mod scripted;
mod sides;
mod trouble;
mod works;

use sprongus_conformance::{Case, Env};

pub(crate) fn cases() -> Vec<Case> {
    [sides::cases(), works::cases(), trouble::cases(), profiles::cases(), files::cases()].concat()
}

fn case(name: &'static str, covers: &'static [&'static str], run: fn(&Env)) -> Case {
    Case { name, covers, transactional: false, run }
}
