//! PostgreSQL: where to look for events without a position.
//!
//! The server keeps the old versions of rows, and their places in the index of what has no position, while any transaction
//! is open that might read them. A look from the beginning would walk over all that got a position since.

use std::time::{Duration, Instant};

use crate::db::Value;

/// After so long everything is looked at again: another server may have taken the place of the one that was asked.
const KEPT: Duration = Duration::from_secs(60);

/// What this process knows of the events that have positions.
///
/// An event draws its number (`written`) when its transaction has an id already, for what it tells of is written first. So
/// whatever was written up to `end` has a position, or is of a transaction that may have been open at the look that got so
/// far.
#[derive(Debug, Default)]
pub(super) struct Known {
    since: Option<Instant>,
    end: i64,
    /// The transactions that may have been open, and up to where none of each one's events can have been written.
    open: Vec<(i64, i64)>,
    /// Transactions from this id on began after that look.
    next: i64,
}

/// What the server said of a look.
#[derive(Debug)]
pub(super) struct Look {
    /// What it saw: `txid_current_snapshot()`.
    pub(super) snapshot: String,
    /// Its own transaction's id, given while it ran; none where it gave no position.
    pub(super) id: Option<i64>,
    /// The last event that it gave a position to.
    pub(super) last: Option<i64>,
    /// Whether every event that it saw has one now.
    pub(super) all: bool,
}

impl Known {
    /// The parameters of [`START`].
    pub(super) fn params(&mut self) -> [Value<'static>; 3] {
        if self.since.is_none_or(|since| since.elapsed() > KEPT) {
            self.forget();
        }
        let array = |values: Vec<i64>| Value::Array(values.into_iter().map(Value::from).collect());
        let (ids, starts) = self.open.iter().copied().unzip();
        [self.end.into(), array(ids), array(starts)]
    }

    fn forget(&mut self) {
        *self = Self { since: Some(Instant::now()), ..Self::default() };
    }

    /// Takes in what a look saw and did.
    pub(super) fn learn(&mut self, look: &Look) {
        let Some(seen) = Snapshot::parse(&look.snapshot) else { return };
        let (Some(id), Some(last)) = (look.id, look.last) else {
            // What has ended was looked for.
            return self.open.retain(|(id, _)| seen.may_be_open(*id));
        };
        // Threads come back in any order; what is older tells nothing of the transactions since.
        if id < self.next {
            return;
        }
        // A snapshot does not name those that are open after the last that has ended.
        if id.saturating_sub(seen.next) > MOST_OPEN {
            return self.forget();
        }
        let unnamed = (seen.next..id).chain(seen.open.iter().copied());
        let start = |id: i64| self.open.iter().find(|(other, _)| *other == id).map_or(self.end, |(_, start)| *start);
        self.open = unnamed.map(|id| (id, start(id))).collect();
        self.next = id;
        self.end = if look.all { self.end.max(last) } else { last };
    }
}

/// More than these are not kept in mind.
const MOST_OPEN: i64 = 10_000;

/// SQL: nothing that was written up to here is without a position, unless its transaction is still open.
pub(super) const START: &str = "least($1::bigint, (SELECT min(start) FROM unnest($2::bigint[], $3::bigint[]) \
    AS was_open (id, start) WHERE txid_visible_in_snapshot(id, txid_current_snapshot())))";

/// Which transactions had ended: all before `next` but those in `open`.
struct Snapshot {
    next: i64,
    open: Vec<i64>,
}

impl Snapshot {
    /// Of `xmin:xmax:open,…`.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':').skip(1);
        let next = parts.next()?.parse().ok()?;
        let open = parts.next()?.split(',').filter(|id| !id.is_empty());
        Some(Self { next, open: open.map(|id| id.parse().ok()).collect::<Option<_>>()? })
    }

    fn may_be_open(&self, id: i64) -> bool {
        id >= self.next || self.open.contains(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(snapshot: &str, id: i64, last: i64) -> Look {
        Look { snapshot: snapshot.to_owned(), id: Some(id), last: Some(last), all: true }
    }

    fn expect(known: &Known, end: i64, open: &[(i64, i64)]) {
        assert_eq!((known.end, known.open.as_slice()), (end, open));
    }

    #[test]
    fn a_transaction_that_was_open_is_looked_for_from_where_it_can_have_begun() {
        let mut known = Known::default();
        known.params();
        known.learn(&look("5:9:5,7", 9, 40));
        expect(&known, 40, &[(5, 0), (7, 0)]);
        known.learn(&look("5:12:5,10", 14, 60));
        expect(&known, 60, &[(12, 40), (13, 40), (5, 0), (10, 40)]);
        known.learn(&look("5:11:5,10", 13, 70));
        expect(&known, 60, &[(12, 40), (13, 40), (5, 0), (10, 40)]);
        known.learn(&Look { id: None, last: None, ..look("10:13:10", 0, 0) });
        expect(&known, 60, &[(13, 40), (10, 40)]);
        known.learn(&Look { all: false, ..look("10:15:10", 15, 20) });
        expect(&known, 20, &[(10, 40)]);
        known.learn(&look("16:16:", 20_000, 90));
        expect(&known, 0, &[]);
    }

    #[test]
    fn what_the_server_does_not_say_is_not_known() {
        for text in ["", "1", "1:2", "1:x:", "1:2:3,x"] {
            assert!(Snapshot::parse(text).is_none(), "{text}");
        }
    }
}
