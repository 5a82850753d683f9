//! When a bucket will be full again, as it is stored, and the moment at which that is read.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::db::{Dialect, Row};
use crate::error::Result;
use crate::options::Options;
use crate::runs::binds::Binds;
use crate::session::Work;

/// The columns of [`Full`] of the row `l`, read at `now`.
pub(super) fn columns(dialect: Dialect, now: &str) -> String {
    let mono = match dialect {
        Dialect::Sqlite => "l.full_mono, l.full_boot",
        Dialect::Postgres => "NULL::bigint, NULL::text",
    };
    format!("l.full_at, {now}, {mono}")
}

/// What a row says of when its bucket is full, and when it was read.
pub(super) struct Full {
    at: Option<Timestamp>,
    mono: Option<i64>,
    boot: Option<String>,
    now: Timestamp,
}

impl Full {
    /// Reads [`columns`], of which the first is that one of the row.
    pub(super) fn read(row: &Row, first: usize) -> Result<Self> {
        Ok(Self {
            at: row.opt_time(first)?,
            now: row.time(first + 1)?,
            mono: row.opt_int(first + 2)?,
            boot: row.opt_text(first + 3)?,
        })
    }

    /// Microseconds until then: on SQLite by the monotonic clock while the boot lasts, else by the wall.
    pub(super) fn debt(&self, options: &Options) -> i64 {
        match (self.mono, &self.boot) {
            (Some(mono), Some(boot)) if **boot == *options.clock.boot_id() => mono - options.clock.monotonic(),
            _ => self.at.map_or(0, |at| at.as_micros() - self.now.as_micros()),
        }
    }

    /// The assignments that let the bucket be full after so many microseconds; none: it is.
    pub(super) fn after(&self, binds: &mut Binds<'_>, work: &Work<'_>, debt: Option<i64>) -> String {
        let length = debt.map(|debt| Duration::from_micros(debt.unsigned_abs()));
        let full_at = binds.add(length.map(|length| self.now.saturating_add(length)));
        match work.dialect() {
            Dialect::Postgres => format!("full_at = {full_at}::timestamptz"),
            Dialect::Sqlite => {
                let clock = &work.options().clock;
                let mono = binds.add(debt.map(|debt| clock.monotonic().saturating_add(debt)));
                let boot = binds.add(debt.map(|_| clock.boot_id().to_string()));
                format!("full_at = {full_at}, full_mono = {mono}, full_boot = {boot}")
            }
        }
    }
}
