//! Reads the feed from a position on, at bounded cost.

use super::filter::Filter;
use super::model::{COLUMNS, read_event};
use super::positions::{Given, Turn, give, last};
use super::{Event, cursor};
use crate::db::{Row, Value};
use crate::error::Result;
use crate::session::Session;

/// Events that one call looks at, whether the filter lets them through or not.
const LOOKED_AT: i64 = 10_000;

/// Events with their positions, and how far the feed was looked at for them.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) events: Vec<(i64, Event)>,
    /// Everything up to here was looked at.
    pub(super) until: i64,
    /// Whether there is more to be looked at, or will be in a moment.
    pub(super) more: bool,
}

/// The next `limit` events after a position that the filter lets through.
///
/// What is behind a position never changes, so the looks of one call need not see one state. Errors: `invalid_argument`
/// where the feed has not come to that position; a store that is only read may be a copy that lags, and waits for it.
pub(super) fn look(session: Session<'_>, filter: &Filter, after: i64, limit: i64) -> Result<Found> {
    let session = session.one_call();
    let mut found = Found { events: Vec::new(), until: after, more: false };
    found.go_on(session, filter, limit)?;
    if found.more || limit == 0 {
        return Ok(found);
    }
    match give(session, Turn::Try)? {
        Given::Never => {}
        Given::Elsewhere => found.more = true,
        Given::UpTo { end, all } => {
            if end > found.until {
                found.go_on(session, filter, limit)?;
            }
            found.more |= !all;
        }
    }
    Ok(found)
}

impl Found {
    fn go_on(&mut self, session: Session<'_>, filter: &Filter, limit: i64) -> Result<()> {
        let wanted = limit - self.events.len() as i64;
        let most = if filter.is_all() { wanted } else { LOOKED_AT.min(wanted * LOOKED_AT) };
        let before = session.own_events_from().unwrap_or(i64::MAX);
        let rows = session.read(|exec| {
            let mut params: Vec<Value<'static>> =
                vec![self.until.into(), before.into(), most.into(), wanted.max(1).into()];
            let filter = filter.sql(&mut params);
            let sql = format!(
                "WITH looked AS (SELECT max(position) AS last, count(*) AS many FROM (SELECT position FROM sprongus_events \
                 WHERE position > $1 AND position < $2 ORDER BY position LIMIT $3) AS next) \
                 SELECT {COLUMNS}, position, last, many, {} FROM looked LEFT JOIN sprongus_events \
                 ON position > $1 AND position <= last AND {filter} ORDER BY position LIMIT $4",
                last(exec.dialect())
            );
            exec.query(&sql, &params)
        })?;
        self.take(&rows, wanted, most, session.options().read_only)
    }

    fn take(&mut self, rows: &[Row], wanted: i64, most: i64, lags: bool) -> Result<()> {
        let Some(first) = rows.first() else { return Ok(()) };
        if first.int(11)? < self.until && !lags {
            return Err(cursor::future());
        }
        let before = self.events.len();
        for row in rows {
            if let Some(position) = row.opt_int(8)? {
                self.events.push((position, read_event(row)?));
            }
        }
        let full = (self.events.len() - before) as i64 == wanted;
        let last_taken = self.events.last().map(|(position, _)| *position).filter(|_| full);
        self.until = last_taken.or(first.opt_int(9)?).unwrap_or(self.until);
        self.more = wanted > 0 && (full || first.int(10)? == most);
        Ok(())
    }
}
