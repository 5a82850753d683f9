//! PostgreSQL: what is open, or stands still, and so keeps vacuum from taking dead rows away.

use super::Finding;
use crate::clock::Timestamp;
use crate::db::Executor;
use crate::db::words::literal;
use crate::error::Result;
use crate::session::{Session, present};

/// A transaction that is open for longer keeps vacuum from its work, in seconds.
const OLD: i64 = 600;
/// One whose client asks for nothing more for longer was forgotten, in seconds.
const IDLE: i64 = 60;
/// A standby that still needs rows from so many transactions ago holds them here.
const BEHIND: i64 = 100_000;
/// Findings of each kind.
const SHOWN: i64 = 10;

pub(super) fn look(session: Session<'_>) -> Result<Vec<Finding>> {
    session.read(|exec| {
        let now = present(exec, session.options())?;
        let mut findings = transactions(exec, now)?;
        findings.extend(prepared(exec, now)?);
        findings.extend(slots(exec)?);
        findings.extend(standbys(exec)?);
        Ok(findings)
    })
}

/// Others' transactions are shown to roles that may see them only.
fn transactions(exec: &mut dyn Executor, now: Timestamp) -> Result<Vec<Finding>> {
    let sql = "SELECT pid, extract(epoch FROM $1::timestamptz - xact_start)::bigint, coalesce(state, ''), \
               coalesce(application_name, ''), extract(epoch FROM $1::timestamptz - state_change)::bigint FROM pg_stat_activity \
               WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND datname = current_database() \
               AND (xact_start < $1::timestamptz - make_interval(secs => $2) OR (state LIKE 'idle in transaction%' \
               AND state_change < $1::timestamptz - make_interval(secs => $3))) ORDER BY xact_start LIMIT $4";
    let mut findings = Vec::new();
    for row in exec.query(sql, &[now.into(), OLD.into(), IDLE.into(), SHOWN.into()])? {
        let (pid, open, state, who, still) = (row.int(0)?, row.int(1)?, row.text(2)?, row.text(3)?, row.int(4)?);
        let fix = format!("end it where it was begun, or: SELECT pg_terminate_backend({pid})");
        findings.push(if open > OLD {
            let message = format!(
                "a transaction of {who:?} (process {pid}, {state}) is open for {open} s: rows that died since then stay"
            );
            Finding::warning("old_transaction", message, fix)
        } else {
            let message = format!(
                "a transaction of {who:?} (process {pid}) stands still for {still} s: its locks are kept, and rows that die stay"
            );
            Finding::warning("idle_in_transaction", message, fix)
        });
    }
    Ok(findings)
}

fn prepared(exec: &mut dyn Executor, now: Timestamp) -> Result<Vec<Finding>> {
    let sql = "SELECT gid, extract(epoch FROM $1::timestamptz - prepared)::bigint FROM pg_prepared_xacts \
               WHERE database = current_database() AND prepared < $1::timestamptz - make_interval(secs => $2) \
               ORDER BY prepared LIMIT $3";
    let mut findings = Vec::new();
    for row in exec.query(sql, &[now.into(), OLD.into(), SHOWN.into()])? {
        let (name, open) = (row.text(0)?, row.int(1)?);
        findings.push(Finding::warning(
            "prepared_transaction",
            format!("the prepared transaction {name:?} is open for {open} s: its locks are kept, and rows that died since then stay"),
            format!("COMMIT PREPARED, or where nobody will: ROLLBACK PREPARED {}", literal(&name)),
        ));
    }
    Ok(findings)
}

fn slots(exec: &mut dyn Executor) -> Result<Vec<Finding>> {
    let sql = "SELECT slot_name::text, xmin IS NOT NULL OR catalog_xmin IS NOT NULL FROM pg_replication_slots WHERE NOT active \
               AND (xmin IS NOT NULL OR catalog_xmin IS NOT NULL OR restart_lsn IS NOT NULL) ORDER BY slot_name LIMIT $1";
    let mut findings = Vec::new();
    for row in exec.query(sql, &[SHOWN.into()])? {
        let (slot, rows) = (row.text(0)?, row.bool(1)?);
        let kept = if rows { "dead rows and the server's log" } else { "the server's log" };
        findings.push(Finding::warning(
            "idle_slot",
            format!("nobody reads the replication slot {slot}: it keeps {kept}"),
            format!("start its reader, or: SELECT pg_drop_replication_slot('{slot}')"),
        ));
    }
    Ok(findings)
}

fn standbys(exec: &mut dyn Executor) -> Result<Vec<Finding>> {
    let sql = "SELECT coalesce(application_name, ''), age(backend_xmin)::bigint FROM pg_stat_replication \
               WHERE age(backend_xmin) > $1 ORDER BY 2 DESC LIMIT $2";
    let mut findings = Vec::new();
    for row in exec.query(sql, &[BEHIND.into(), SHOWN.into()])? {
        let (who, age) = (row.text(0)?, row.int(1)?);
        findings.push(Finding::warning(
            "standby_feedback",
            format!("the standby {who:?} (hot_standby_feedback) still needs rows of {age} transactions ago: they stay dead here"),
            "end the old query on the standby, or turn hot_standby_feedback off there",
        ));
    }
    Ok(findings)
}
