//! Whether the clock is behind what was written by it.

use std::time::Duration;

use super::Finding;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::session::{Session, present};

/// Clocks of several machines on one SQLite file, or a correction: less is nothing to speak of.
const BEHIND: Duration = Duration::from_secs(60);

/// The newest run of each state and the newest event: an index gives each without looking at others.
const NEWEST: &str = "SELECT max(created_at) FROM (SELECT (SELECT created_at FROM sprongus_runs AS r WHERE r.state = s.state \
                      ORDER BY created_at DESC, id DESC LIMIT 1) AS created_at FROM (SELECT 'awaiting_approval' AS state \
                      UNION ALL SELECT 'queued' UNION ALL SELECT 'dispatching' UNION ALL SELECT 'running' \
                      UNION ALL SELECT 'succeeded' UNION ALL SELECT 'failed' UNION ALL SELECT 'denied' \
                      UNION ALL SELECT 'canceled' UNION ALL SELECT 'timed_out') AS s \
                      UNION ALL SELECT (SELECT at FROM sprongus_events WHERE position IS NOT NULL \
                      ORDER BY position DESC LIMIT 1)) AS newest";

pub(super) fn look(session: Session<'_>) -> Result<Vec<Finding>> {
    let (now, newest) = session.read_snapshot(|exec| {
        let now = present(exec, session.options())?;
        let rows = exec.query(NEWEST, &[])?;
        Ok((now, rows.first().map_or(Ok(None), |row| row.opt_time(0))?))
    })?;
    let ahead: Option<Timestamp> = newest.filter(|newest| *newest > now.saturating_add(BEHIND));
    Ok(ahead.into_iter().map(|newest| behind(now, newest)).collect())
}

fn behind(now: Timestamp, newest: Timestamp) -> Finding {
    let seconds = newest.since(now).as_secs();
    Finding::warning(
        "clock_behind",
        format!(
            "the clock says {now}, but something was written at {newest}, {seconds} s later: what is due waits for so long, \
             and times go backwards"
        ),
        "set the clock of the machine (on PostgreSQL the server's) right, by NTP; if it is right, the writer's was wrong, \
         and it passes when that time has come",
    )
}
