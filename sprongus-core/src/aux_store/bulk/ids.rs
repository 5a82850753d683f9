//! The ids of all rows of a bulk write, in sixteen bytes each.

use sha2::{Digest as _, Sha256};

/// Ids, known by half of their SHA-256: two that share it are as unlikely as two documents that share a hash.
#[derive(Debug, Default)]
pub(super) struct Ids(Vec<u128>);

impl Ids {
    pub(super) fn push(&mut self, id: Digest) {
        self.0.push(id.0);
    }

    /// To be called when all are there, before anything is asked.
    pub(super) fn finish(&mut self) {
        self.0.sort_unstable();
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.0.binary_search(&Digest::of(id).0).is_ok()
    }

    /// Those that were given more than once.
    pub(super) fn repeated(&self) -> Self {
        let mut repeated: Vec<u128> = self.0.windows(2).filter(|two| two[0] == two[1]).map(|two| two[0]).collect();
        repeated.dedup();
        Self(repeated)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'i> FromIterator<&'i str> for Ids {
    fn from_iter<I: IntoIterator<Item = &'i str>>(ids: I) -> Self {
        let mut all = Self(ids.into_iter().map(|id| Digest::of(id).0).collect());
        all.finish();
        all
    }
}

/// What is kept of an id.
#[derive(Debug, Clone, Copy)]
pub(super) struct Digest(u128);

impl Digest {
    pub(super) fn of(id: &str) -> Self {
        let hash: [u8; 32] = Sha256::digest(id).into();
        Self(hash.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_was_given_and_what_more_than_once() {
        let ids: Ids = ["b", "a", "c", "a", "a", "c"].into_iter().collect();
        assert!(ids.contains("a") && ids.contains("b") && !ids.contains("d"));
        let repeated = ids.repeated();
        assert!(repeated.contains("a") && repeated.contains("c") && !repeated.contains("b"));
        assert!(Ids::default().repeated().is_empty());
    }
}
