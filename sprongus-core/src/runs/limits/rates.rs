//! Rates of scoped handles: a bucket per project and operation, out of which every process takes (DESIGN.md §10).
//!
//! The bucket is one number, how long until it is full, in which a token weighs as much time as the taker's rate gives it. So
//! handles of other rates take out of the same bucket, and none gets more through than its own allows.

use std::time::Duration;

use super::bucket::Bucket;
use super::full::{self, Full};
use crate::db::Dialect;
use crate::error::{Error, ErrorCode, Result};
use crate::runs::Run;
use crate::runs::binds::Binds;
use crate::scope::{Limited, Rate};
use crate::session::Work;

/// Runs `put`, which writes up to `most` runs, and takes a token for each that it wrote: a key that was there costs nothing.
///
/// Where none is `keyed` all are written, and the tokens are taken first: a refusal then costs no more than a look.
pub(in crate::runs) fn counted<R>(
    work: &mut Work<'_>,
    keyed: bool,
    most: usize,
    put: impl FnOnce(&mut Work<'_>) -> Result<R>,
) -> Result<R>
where
    for<'r> &'r R: IntoIterator<Item = &'r Run>,
{
    if !keyed {
        take(work, Limited::Enqueue, most)?;
        return put(work);
    }
    let runs = put(work)?;
    take(work, Limited::Enqueue, (&runs).into_iter().count())?;
    Ok(runs)
}

/// Takes tokens for an operation where the handle has a rate for it; the bucket is locked until the end of the transaction.
///
/// Errors: `rate_limited`; `too_large` for more than the rate ever lets through at once.
pub(in crate::runs) fn take(work: &mut Work<'_>, operation: Limited, tokens: usize) -> Result<()> {
    let who = work.who();
    let Some((project, rate)) = who.rate(operation).filter(|_| tokens > 0) else { return Ok(()) };
    let wanted = i64::try_from(tokens).unwrap_or(i64::MAX);
    if wanted > rate.count {
        let message = format!("{tokens} at once are more than the rate of this handle lets through: {}", told(rate));
        return Err(Error::new(ErrorCode::TooLarge, message));
    }
    let (per, full) = locked(work, project, operation, rate)?;
    let debt = full.debt(work.options());
    // No taker leaves more than its own: the clock was set back, and nothing is known of the bucket.
    let debt = if debt > per { 0 } else { debt };
    let bucket = Bucket::new(rate.count, rate.micros(), debt);
    if bucket.tokens() < wanted {
        return Err(limited(operation, rate, debt + bucket.time_for(wanted) - rate.micros()));
    }
    let mut binds = Binds::default();
    let (project, name, per) = (binds.add(project), binds.add(operation.as_str()), binds.add(rate.micros()));
    let after = full.after(&mut binds, work, Some(bucket.take(wanted).debt()));
    let sql = format!(
        "UPDATE sprongus_rates SET per_us = {per}, {after} WHERE project_id = {project} AND operation = {name}"
    );
    work.execute(&sql, binds.values()).map(drop)
}

/// The `per` of whoever took last, and when the bucket will be full. It is made where there is none.
fn locked(work: &mut Work<'_>, project: &str, operation: Limited, rate: Rate) -> Result<(i64, Full)> {
    if let Some(found) = find(work, project, operation)? {
        return Ok(found);
    }
    let sql = "INSERT INTO sprongus_rates (project_id, operation, per_us) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    work.execute(sql, &[project.into(), operation.as_str().into(), rate.micros().into()])?;
    let gone = || Error::new(ErrorCode::Busy, "the rates of this project were just removed; try again");
    find(work, project, operation)?.ok_or_else(gone)
}

fn find(work: &mut Work<'_>, project: &str, operation: Limited) -> Result<Option<(i64, Full)>> {
    let mut binds = Binds::default();
    let (now, lock) = match work.dialect() {
        Dialect::Sqlite => (binds.now(work), ""),
        // Read again with a row that was waited for: what the one before took lies in the past then.
        Dialect::Postgres => {
            let now = binds.add(work.now());
            (format!("coalesce({now}::timestamptz, clock_timestamp())"), " FOR UPDATE")
        }
    };
    let full = full::columns(work.dialect(), &now);
    let (project, name) = (binds.add(project), binds.add(operation.as_str()));
    let sql = format!(
        "SELECT l.per_us, {full} FROM sprongus_rates AS l WHERE l.project_id = {project} AND l.operation = {name}{lock}"
    );
    let rows = work.query(&sql, binds.values())?;
    rows.first().map(|row| Ok((row.int(0)?, Full::read(row, 1)?))).transpose()
}

fn limited(operation: Limited, rate: Rate, micros: i64) -> Error {
    let wait = Duration::from_micros(micros.unsigned_abs()).as_secs_f64();
    let (name, told) = (operation.as_str(), told(rate));
    let message = format!("over the rate of this handle for {name}, which is {told}: try again in {wait} s");
    let details = serde_json::json!({
        "operation": name, "count": rate.count, "per": rate.per.as_secs_f64(), "retryIn": wait,
    });
    Error::new(ErrorCode::RateLimited, message).with_details(details)
}

fn told(rate: Rate) -> String {
    format!("{} in {} s", rate.count, rate.per.as_secs_f64())
}
