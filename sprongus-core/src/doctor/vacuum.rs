//! PostgreSQL: rows that should be gone, and transaction ids that run out.

use super::Finding;
use crate::db::Executor;
use crate::error::Result;
use crate::session::Session;

/// Dead rows of one table from which they are worth a word, where they are a fifth of it.
const DEAD_ROWS: i64 = 100_000;
/// Of two thousand million transaction ids so many may be in use before something is said.
const OLD_IDS: i64 = 1_000_000_000;

/// A table of this store, as `c` of `pg_class`.
const OURS: &str = "c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('sprongus_migrations')) \
                    AND starts_with(c.relname::text, 'sprongus_')";

pub(super) fn look(session: Session<'_>) -> Result<Vec<Finding>> {
    session.read(|exec| {
        let mut findings = dead_rows(exec)?;
        findings.extend(left_out(exec)?);
        findings.extend(ids(exec)?);
        Ok(findings)
    })
}

fn dead_rows(exec: &mut dyn Executor) -> Result<Vec<Finding>> {
    let sql = format!(
        "SELECT s.relname::text, n_dead_tup, n_live_tup, last_autovacuum IS NULL AND last_vacuum IS NULL \
         FROM pg_stat_user_tables AS s JOIN pg_class AS c ON c.oid = s.relid WHERE {OURS} \
         AND n_dead_tup > $1 AND n_dead_tup * 4 > n_live_tup ORDER BY s.relname"
    );
    let mut findings = Vec::new();
    for row in exec.query(&sql, &[DEAD_ROWS.into()])? {
        let (table, dead, live) = (row.text(0)?, row.int(1)?, row.int(2)?);
        let never = if row.bool(3)? { "; it was never vacuumed" } else { "" };
        findings.push(Finding::warning(
            "dead_rows",
            format!("{table} has {dead} dead rows beside {live} live ones{never}: reads pass over them"),
            format!("find what holds vacuum up (old transactions, autovacuum's settings), and: VACUUM {table}"),
        ));
    }
    Ok(findings)
}

/// Tables that autovacuum was told to leave alone.
fn left_out(exec: &mut dyn Executor) -> Result<Vec<Finding>> {
    let sql = format!(
        "SELECT c.relname::text FROM pg_class AS c, unnest(c.reloptions) AS option WHERE {OURS} \
         AND option LIKE 'autovacuum_enabled=%' AND NOT split_part(option, '=', 2)::boolean ORDER BY c.relname"
    );
    let mut findings = Vec::new();
    for row in exec.query(&sql, &[])? {
        let table = row.text(0)?;
        findings.push(Finding::warning(
            "no_autovacuum",
            format!("autovacuum leaves {table} alone: dead rows stay, and plans are made without statistics"),
            format!("ALTER TABLE {table} RESET (autovacuum_enabled)"),
        ));
    }
    Ok(findings)
}

fn ids(exec: &mut dyn Executor) -> Result<Vec<Finding>> {
    let sql = "SELECT age(datfrozenxid)::bigint FROM pg_database WHERE datname = current_database()";
    let age = exec.query(sql, &[])?.first().map_or(Ok(0), |row| row.int(0))?;
    if age <= OLD_IDS {
        return Ok(Vec::new());
    }
    Ok(vec![Finding::error(
        "transaction_ids",
        format!("{age} of 2,147,483,648 transaction ids are in use: the server stops writing when they are"),
        "find what holds vacuum up, and in this database: VACUUM (FREEZE)",
    )])
}
