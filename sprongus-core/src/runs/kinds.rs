//! The kinds that a claim names.

use super::binds::Binds;
use super::lane;
use crate::db::Dialect;
use crate::error::{Error, Result};
use crate::text::check_name;

/// The most kinds of one claim: SQLite merges at most 500 ranges.
const MOST: usize = 200;

/// The longest name of a kind, in bytes: what is longer, of the last character there is, comes after all of them.
const LONGEST: usize = 512;

/// The kinds of a claim, each once.
pub(super) struct Kinds<'k> {
    exact: Vec<&'k str>,
    /// With the slash at their end.
    prefixes: Vec<&'k str>,
}

impl<'k> Kinds<'k> {
    /// `resize`, or `sync/*` for all that begin with `sync/`.
    pub(super) fn parse(kinds: &'k [String]) -> Result<Self> {
        if kinds.len() > MOST {
            return Err(Error::invalid(format!("a claim names {} kinds; at most {MOST} are taken", kinds.len())));
        }
        let (mut exact, mut prefixes) = (Vec::new(), Vec::new());
        for kind in kinds {
            check_name("the kind", kind)?;
            match kind.strip_suffix('*').filter(|prefix| prefix.ends_with('/')) {
                Some(prefix) => prefixes.push(prefix),
                None => exact.push(kind.as_str()),
            }
        }
        prefixes.sort_unstable();
        prefixes.dedup_by(|longer, shorter| longer.starts_with(*shorter));
        exact.sort_unstable();
        exact.dedup();
        exact.retain(|kind| !prefixes.iter().any(|prefix| kind.starts_with(prefix)));
        Ok(Self { exact, prefixes })
    }

    pub(super) fn len(&self) -> usize {
        self.exact.len() + self.prefixes.len()
    }

    /// The one kind, if it is one and no prefix.
    pub(super) fn single(&self) -> Option<&'k str> {
        match (self.exact.as_slice(), self.prefixes.as_slice()) {
            ([kind], []) => Some(kind),
            _ => None,
        }
    }

    /// A row for each: the kind and NULL, or the bounds of a prefix.
    pub(super) fn rows(&self, binds: &mut Binds<'_>) -> String {
        let text = |bound: String| format!("CAST({bound} AS TEXT)");
        let mut rows: Vec<String> =
            self.exact.iter().map(|kind| format!("({}, NULL)", text(binds.add((*kind).to_owned())))).collect();
        for prefix in &self.prefixes {
            let (low, high) = (binds.add((*prefix).to_owned()), binds.add(end(prefix)));
            rows.push(format!("({}, {})", text(low), text(high)));
        }
        rows.join(", ")
    }

    /// The same for all kinds there may be: those of a prefix that is empty.
    pub(super) fn every(binds: &mut Binds<'_>) -> String {
        format!("(CAST('' AS TEXT), CAST({} AS TEXT))", binds.add("\u{10ffff}".repeat(LONGEST / 4 + 1)))
    }

    /// A condition for each kind, by which its runs come in the order of the index by kind.
    pub(super) fn exact(&self, dialect: Dialect, column: &str, binds: &mut Binds<'_>) -> Vec<String> {
        self.exact.iter().map(|kind| lane::exactly(dialect, column, &binds.add((*kind).to_owned()))).collect()
    }

    /// A condition for each prefix.
    pub(super) fn prefixed(&self, column: &str, binds: &mut Binds<'_>) -> Vec<String> {
        let range = |prefix: &&str| {
            let (low, high) = (binds.add((*prefix).to_owned()), binds.add(end(prefix)));
            format!("{column} >= {low} AND {column} < {high}")
        };
        self.prefixes.iter().map(range).collect()
    }

    /// A condition for each kind and prefix.
    pub(super) fn conditions(&self, dialect: Dialect, column: &str, binds: &mut Binds<'_>) -> Vec<String> {
        [self.exact(dialect, column, binds), self.prefixed(column, binds)].concat()
    }
}

/// The end of the range of all that begins with the prefix: '0' follows '/'.
fn end(prefix: &str) -> String {
    format!("{}0", prefix.strip_suffix('/').unwrap_or(prefix))
}
