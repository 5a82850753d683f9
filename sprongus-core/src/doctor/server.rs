//! PostgreSQL: settings that hurt, and how many connections there are.

use super::Finding;
use crate::db::{BESIDE_POOL, Executor};
use crate::error::Result;
use crate::session::Session;

/// Settings under which a commit is not durable, or rows pile up.
pub(super) fn settings(session: Session<'_>) -> Result<Vec<Finding>> {
    session.read(|exec| {
        let mut findings = Vec::new();
        for setting in ["fsync", "full_page_writes"] {
            if is_off(exec, setting)? {
                let message = format!("{setting} is off: a crash of the machine can damage the whole database");
                findings.push(Finding::error("not_durable", message, turn_on(setting)));
            }
        }
        if is_off(exec, "synchronous_commit")? {
            findings.push(Finding::warning(
                "synchronous_commit",
                "synchronous_commit is off: a crash of the server may take the last commits that were acknowledged",
                lasting_commits(exec)?,
            ));
        }
        for setting in ["autovacuum", "track_counts"] {
            if is_off(exec, setting)? {
                let message = format!("{setting} is off, so autovacuum does not run: dead rows stay, and plans are made without statistics");
                findings.push(Finding::warning("no_autovacuum", message, turn_on(setting)));
            }
        }
        Ok(findings)
    })
}

fn is_off(exec: &mut dyn Executor, setting: &str) -> Result<bool> {
    let rows = exec.query("SELECT current_setting($1) = 'off'", &[setting.into()])?;
    rows.first().map_or(Ok(false), |row| row.bool(0))
}

fn turn_on(setting: &str) -> String {
    format!("as a superuser: ALTER SYSTEM SET {setting} = on; SELECT pg_reload_conf()")
}

/// A role's own setting goes before the database's, and that before the server's; a client's goes before all.
fn lasting_commits(exec: &mut dyn Executor) -> Result<String> {
    let sql = "SELECT source IN ('client', 'session'), quote_ident(current_user), quote_ident(current_database()) \
               FROM pg_settings WHERE name = 'synchronous_commit'";
    let rows = exec.query(sql, &[])?;
    let Some(row) = rows.first() else { return Ok(turn_on("synchronous_commit")) };
    if row.bool(0)? {
        return Ok("take it out of the options of the store's URL, or of the transaction that is lent".to_owned());
    }
    let (role, database) = (row.text(1)?, row.text(2)?);
    Ok(format!("and open the store anew: ALTER ROLE {role} IN DATABASE {database} SET synchronous_commit = on"))
}

/// Connections in use, and how many this store may want.
pub(super) fn connections(session: Session<'_>) -> Result<Vec<Finding>> {
    let used = "SELECT count(*) FILTER (WHERE backend_type = 'client backend'), current_setting('max_connections')::bigint, \
                current_setting('superuser_reserved_connections')::bigint, \
                (SELECT CASE WHEN rolsuper OR rolconnlimit < 0 THEN NULL ELSE rolconnlimit END::bigint FROM pg_roles WHERE rolname = current_user), \
                (SELECT CASE WHEN datconnlimit < 0 THEN NULL ELSE datconnlimit END::bigint FROM pg_database WHERE datname = current_database()) \
                FROM pg_stat_activity";
    let own = i64::from(session.options().pool_size) + i64::from(BESIDE_POOL);
    session.read(|exec| {
        let mut findings = Vec::new();
        let rows = exec.query(used, &[])?;
        let Some(row) = rows.first() else { return Ok(findings) };
        let (used, all, reserved) = (row.int(0)?, row.int(1)?, row.int(2)?);
        if used * 10 > all * 9 {
            findings.push(Finding::warning(
                "few_connections_left",
                format!("{used} of {all} connections are in use: the next store or worker may get none"),
                "close what nobody needs, lower pool_size, put a pooler in front, or raise max_connections",
            ));
        }
        let limits = [Some(all - reserved), row.opt_int(3)?, row.opt_int(4)?];
        let most = limits.into_iter().flatten().min().unwrap_or(all);
        if own > most {
            findings.push(Finding::warning(
                "pool_too_large",
                format!("this store alone may open {own} connections (pool_size {}, and those of a worker and of listening), but gets {most} at most: calls wait or fail under load", session.options().pool_size),
                format!("open the store with a pool_size of {} or less, or raise max_connections or the limit of the role or database", (most - own + i64::from(session.options().pool_size)).max(1)),
            ));
        }
        Ok(findings)
    })
}
