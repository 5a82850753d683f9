//! Limits per kind, over all projects: how many run at once, and how fast they are claimed (DESIGN.md §5, §15).
//!
//! Enqueueing is never refused by them; claims alone look at them. What refuses it are the rates of scoped handles ([`rates`]).

mod bucket;
mod full;
pub(super) mod rates;
mod room;
mod row;
mod sort;

pub(super) use room::{Room, next_token, room_for, spend, there_is_room};
pub(super) use sort::CHORE;

use std::time::Duration;

use row::{Stored, columns};

use super::Runs;
use super::binds::Binds;
use super::figures::KindLimit;
use super::lane::IN_FORCE;
use super::lease::lease_micros;
use super::requests::LimitKind;
use crate::db::{Dialect, Row};
use crate::error::{Error, Result};
use crate::scope::Scope;
use crate::session::Work;
use crate::text::check_name;

/// The largest limit: what is larger is a mistake.
const MOST: i64 = 1_000_000_000;

impl Runs<'_> {
    pub(super) fn do_limits(&self) -> Result<Vec<KindLimit>> {
        self.session.allow(Scope::RunsRead)?;
        self.session.read(|exec| {
            let sql = format!(
                "SELECT kind, concurrency, rate, per_us FROM sprongus_kind_limits WHERE {IN_FORCE} ORDER BY kind"
            );
            exec.query(&sql, &[])?.iter().map(record).collect()
        })
    }

    pub(super) fn do_limit_kind(&self, request: &LimitKind) -> Result<()> {
        self.session.allow(Scope::Admin)?;
        let per = check(request)?;
        let limited = self.session.write(|work| put(work, request, per))?;
        self.sort_kind(&request.kind, limited)
    }
}

fn record(row: &Row) -> Result<KindLimit> {
    let per = Duration::from_micros(row.int(3)?.unsigned_abs());
    Ok(KindLimit { kind: row.text(0)?, concurrency: row.opt_int(1)?, rate: row.opt_int(2)?, per })
}

/// Refuses what is no limit; the microseconds of `per`.
fn check(request: &LimitKind) -> Result<i64> {
    check_name("the kind", &request.kind)?;
    if request.kind.ends_with("/*") {
        return Err(Error::invalid("a limit is for one kind: /* names all kinds of a prefix"));
    }
    for (what, limit) in [("concurrency", request.concurrency), ("rate", request.rate)] {
        if limit.is_some_and(|limit| !(1..=MOST).contains(&limit)) {
            return Err(Error::invalid(format!("{what} lies between 1 and {MOST}; null is no limit")));
        }
    }
    lease_micros("per", request.per)
}

/// Writes what changes, and gives whether the kind has a limit now. What was taken out of a bucket stays taken.
fn put(work: &mut Work<'_>, request: &LimitKind, per: i64) -> Result<bool> {
    let limited = request.concurrency.is_some() || request.rate.is_some();
    let mut binds = Binds::default();
    let columns = columns(&mut binds, work);
    let kind = binds.add(&request.kind);
    let lock = if work.dialect() == Dialect::Postgres { " FOR UPDATE" } else { "" };
    let sql = format!("SELECT {columns} FROM sprongus_kind_limits AS l WHERE l.kind = {kind}{lock}");
    let stored = work.query(&sql, binds.values())?.first().map(Stored::read).transpose()?;
    let (mut binds, full) = match &stored {
        None if !limited => return Ok(false),
        None => (Binds::default(), String::new()),
        Some(old) if (old.concurrency, old.rate, old.per) == (request.concurrency, request.rate, per) => {
            return Ok(limited);
        }
        Some(old) => {
            let bucket = request.rate.and_then(|rate| Some(old.bucket(work.options())?.resized(rate, per)));
            let mut binds = Binds::default();
            let full = old.full.after(&mut binds, work, bucket.map(|bucket| bucket.debt()));
            (binds, format!(", {full}"))
        }
    };
    let (kind, concurrency) = (binds.add(&request.kind), binds.add(request.concurrency));
    let (rate, per) = (binds.add(request.rate), binds.add(per));
    let sql = format!(
        "INSERT INTO sprongus_kind_limits (kind, concurrency, rate, per_us) VALUES ({kind}, {concurrency}, {rate}, {per}) \
         ON CONFLICT (kind) DO UPDATE SET concurrency = excluded.concurrency, rate = excluded.rate, \
         per_us = excluded.per_us{full}"
    );
    work.execute(&sql, binds.values())?;
    Ok(limited)
}

/// The programs of the page on limits run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/limits.md")]
struct DocsPage;
