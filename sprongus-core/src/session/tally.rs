//! What a piece of writing made of the entries of tables.

use std::collections::BTreeMap;

/// How many entries were made, changed and deleted, and how many documents refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) deleted: u64,
    pub(crate) refused: u64,
}

impl Tally {
    const NONE: Self = Self { created: 0, updated: 0, deleted: 0, refused: 0 };
    /// One entry more.
    pub(crate) const CREATED: Self = Self { created: 1, ..Self::NONE };
    /// One entry in its next version.
    pub(crate) const UPDATED: Self = Self { updated: 1, ..Self::NONE };
    /// One entry less.
    pub(crate) const DELETED: Self = Self { deleted: 1, ..Self::NONE };
}

/// By project and table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tallies(BTreeMap<(String, String), Tally>);

impl Tallies {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn add(&mut self, project: &str, table: &str, more: Tally) {
        if more != Tally::default() {
            self.add_to((project.to_owned(), table.to_owned()), more);
        }
    }

    pub(crate) fn add_all(&mut self, more: Self) {
        more.0.into_iter().for_each(|(place, tally)| self.add_to(place, tally));
    }

    fn add_to(&mut self, place: (String, String), more: Tally) {
        let sum = self.0.entry(place).or_default();
        sum.created += more.created;
        sum.updated += more.updated;
        sum.deleted += more.deleted;
        sum.refused += more.refused;
    }

    /// Ordered by project and table.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str, Tally)> {
        self.0.iter().map(|((project, table), tally)| (project.as_str(), table.as_str(), *tally))
    }
}
