//! A limit as it is stored.

use super::bucket::Bucket;
use super::full::{self, Full};
use crate::db::Row;
use crate::error::Result;
use crate::options::Options;
use crate::runs::binds::Binds;
use crate::session::Work;

/// The columns of [`Stored`]; `$n` of the present is bound.
pub(super) fn columns(binds: &mut Binds<'_>, work: &Work<'_>) -> String {
    let full = full::columns(work.dialect(), &binds.now(work));
    format!("l.kind, l.concurrency, l.rate, l.per_us, {full}")
}

/// A row of `sprongus_kind_limits`, and when it was read.
pub(super) struct Stored {
    pub(super) kind: String,
    pub(super) concurrency: Option<i64>,
    pub(super) rate: Option<i64>,
    pub(super) per: i64,
    pub(super) full: Full,
}

impl Stored {
    pub(super) fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            kind: row.text(0)?,
            concurrency: row.opt_int(1)?,
            rate: row.opt_int(2)?,
            per: row.int(3)?,
            full: Full::read(row, 4)?,
        })
    }

    /// Its bucket as it is now, if it has one.
    pub(super) fn bucket(&self, options: &Options) -> Option<Bucket> {
        Some(Bucket::new(self.rate?, self.per, self.full.debt(options)))
    }

    /// Whether the stored time cannot be, for a clock was set back: it is to be written anew, or it would last.
    pub(super) fn stepped(&self, options: &Options) -> bool {
        self.rate.is_some() && self.full.debt(options) > self.per
    }
}
