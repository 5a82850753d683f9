//! Whatever commits overtake one another, and whoever has a transaction open.

use sprongus_conformance::Case;

pub(super) fn cases() -> Vec<Case> {
    vec![]
}
