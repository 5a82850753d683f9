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
/// whatever was written up to `end` has a position, or is of a transaction that was open at the last look.
#[derive(Debug, Default)]
pub(super) struct Known {
    since: Option<Instant>,
    end: i64,
    /// The transactions that were open, and up to where none of each one's events can have been written.
    open: Vec<(i64, i64)>,
    /// The first transaction id that was not given out at the last look.
    next: i64,
}

impl Known {
    /// The parameters of [`START`].
    pub(super) fn params(&mut self) -> [Value<'static>; 3] {
        if self.since.is_none_or(|since| since.elapsed() > KEPT) {
            *self = Self { since: Some(Instant::now()), ..Self::default() };
        }
        let array = |values: Vec<i64>| Value::Array(values.into_iter().map(Value::from).collect());
        let (ids, starts) = self.open.iter().copied().unzip();
        [self.end.into(), array(ids), array(starts)]
    }

    /// Takes in a look: the server's `txid_current_snapshot()` then, the last event that got a position, and whether all did
    /// that were to be seen.
    pub(super) fn learn(&mut self, snapshot: &str, last: Option<i64>, all: bool) {
        let Some((next, open)) = parse(snapshot) else { return };
        // Threads come back in any order; what is older tells nothing of the transactions since.
        if next < self.next {
            return;
        }
        let before = |id: i64| self.open.iter().find(|(other, _)| *other == id).map_or(self.end, |(_, start)| *start);
        self.open = open.into_iter().map(|id| (id, before(id))).collect();
        self.next = next;
        self.end = match last {
            Some(last) if all => self.end.max(last),
            Some(last) => last,
            None => self.end,
        };
    }
}

/// SQL: nothing that was written up to here is without a position, unless its transaction is still open.
pub(super) const START: &str = "least($1::bigint, (SELECT min(start) FROM unnest($2::bigint[], $3::bigint[]) \
    AS was_open (id, start) WHERE txid_visible_in_snapshot(id, txid_current_snapshot())))";

/// The next transaction id, and those that are open, of `xmin:xmax:open,…`.
fn parse(snapshot: &str) -> Option<(i64, Vec<i64>)> {
    let mut parts = snapshot.splitn(3, ':').skip(1);
    let next = parts.next()?.parse().ok()?;
    let open = parts.next()?.split(',').filter(|id| !id.is_empty());
    Some((next, open.map(|id| id.parse().ok()).collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_that_was_open_is_looked_for_from_where_it_can_have_begun() {
        let mut known = Known::default();
        known.params();
        known.learn("5:9:5,7", Some(40), true);
        assert_eq!((known.end, known.next, known.open.as_slice()), (40, 9, [(5, 0), (7, 0)].as_slice()));
        known.learn("5:12:5,10", Some(60), true);
        assert_eq!((known.end, known.open.as_slice()), (60, [(5, 0), (10, 40)].as_slice()));
        known.learn("5:11:5,10", Some(70), true);
        assert_eq!((known.end, known.next), (60, 12), "an older look says nothing new");
        known.learn("10:12:10", Some(20), false);
        assert_eq!((known.end, known.open.as_slice()), (20, [(10, 40)].as_slice()), "what is left is looked for again");
        known.learn("12:12:", None, true);
        assert_eq!((known.end, known.open.as_slice()), (20, [].as_slice()));
    }

    #[test]
    fn what_the_server_does_not_say_is_not_known() {
        for text in ["", "1", "1:2", "1:x:", "1:2:3,x"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
