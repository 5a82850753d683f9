//! The ground of the suite itself: no case sees what another has left.

use sprongus_conformance::{Backend, Case, Env};

pub(crate) fn cases() -> Vec<Case> {
    vec![Case { name: "places::every_case_has_a_place_of_its_own", covers: &[], transactional: true, run: a_place_of_its_own }]
}

fn a_place_of_its_own(env: &Env) {
    let other = Env::fresh(env.backend());
    let place = |env: &Env| (env.url().to_owned(), env.schema().map(str::to_owned));
    assert!(env.backend() == Backend::SqliteMemory || place(env) != place(&other));
}
