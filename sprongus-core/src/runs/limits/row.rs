//! A limit as it is stored, and the moment at which it is read.

use std::time::Duration;

use super::bucket::Bucket;
use crate::clock::Timestamp;
use crate::db::{Dialect, Row};
use crate::error::Result;
use crate::options::Options;
use crate::runs::binds::Binds;
use crate::session::Work;

/// The columns of [`Stored`]; `$n` of the present is bound.
pub(super) fn columns(binds: &mut Binds<'_>, work: &Work<'_>) -> String {
    let now = binds.now(work);
    let mono = match work.dialect() {
        Dialect::Sqlite => "l.full_mono, l.full_boot",
        Dialect::Postgres => "NULL::bigint, NULL::text",
    };
    format!("l.kind, l.concurrency, l.rate, l.per_us, l.full_at, {now}, {mono}")
}

/// A row of `sprongus_kind_limits`, and when it was read.
pub(super) struct Stored {
    pub(super) kind: String,
    pub(super) concurrency: Option<i64>,
    pub(super) rate: Option<i64>,
    pub(super) per: i64,
    full_at: Option<Timestamp>,
    full_mono: Option<i64>,
    full_boot: Option<String>,
    now: Timestamp,
}

impl Stored {
    pub(super) fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            kind: row.text(0)?,
            concurrency: row.opt_int(1)?,
            rate: row.opt_int(2)?,
            per: row.int(3)?,
            full_at: row.opt_time(4)?,
            now: row.time(5)?,
            full_mono: row.opt_int(6)?,
            full_boot: row.opt_text(7)?,
        })
    }

    /// Its bucket as it is now, if it has one.
    pub(super) fn bucket(&self, options: &Options) -> Option<Bucket> {
        Some(Bucket::new(self.rate?, self.per, self.debt(options)))
    }

    /// Whether the stored time cannot be, for a clock was set back: it is to be written anew, or it would last.
    pub(super) fn stepped(&self, options: &Options) -> bool {
        self.rate.is_some() && self.debt(options) > self.per
    }

    /// Microseconds until the bucket is full: on SQLite by the monotonic clock while the boot lasts, else by the wall.
    fn debt(&self, options: &Options) -> i64 {
        match (self.full_mono, &self.full_boot) {
            (Some(mono), Some(boot)) if **boot == *options.clock.boot_id() => mono - options.clock.monotonic(),
            _ => self.full_at.map_or(0, |full_at| full_at.as_micros() - self.now.as_micros()),
        }
    }

    /// The assignments that let a bucket be full after so many microseconds; none: it is.
    pub(super) fn full_in(&self, binds: &mut Binds<'_>, work: &Work<'_>, debt: Option<i64>) -> String {
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
