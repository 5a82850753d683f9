//! When an attempt that did not succeed is followed by another (DESIGN.md §15 "Backoff").

use std::time::Duration;

use super::change::Change;
use super::lease;
use crate::db::Dialect;
use crate::error::Result;
use crate::session::Work;

/// Due again after the delay, else after one that grows with the attempts; the event says how long, and why.
pub(super) fn retry_later(
    work: &Work<'_>,
    change: &mut Change<'_>,
    attempt: i64,
    delay: Option<Duration>,
    reason: String,
) -> Result<()> {
    let options = work.options();
    let attempt = u32::try_from(attempt).unwrap_or(u32::MAX);
    let delay = delay.unwrap_or_else(|| crate::id::backoff(attempt, options.backoff_base, options.backoff_cap));
    due_in(work, change, delay)?;
    change.tell("reason", reason);
    Ok(())
}

/// Due again after the delay, which the event tells.
pub(super) fn due_in(work: &Work<'_>, change: &mut Change<'_>, delay: Duration) -> Result<()> {
    let now = change.now();
    match work.dialect() {
        Dialect::Sqlite => change.set("run_at", work.options().clock.now().saturating_add(delay)),
        Dialect::Postgres => {
            let micros = lease::micros("the delay", delay)?;
            let micros = change.binds().add(micros);
            change.set_sql(format!("run_at = {now} + {micros}::bigint * interval '1 microsecond'"));
        }
    }
    change.set("ready", delay.is_zero());
    change.tell("delay", delay.as_secs_f64());
    Ok(())
}
