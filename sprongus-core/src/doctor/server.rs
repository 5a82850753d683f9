//! PostgreSQL: settings, transactions and leftovers that hurt.

use super::Finding;
use crate::db::Executor;
use crate::error::Result;
use crate::session::Session;

/// A transaction that is open for longer keeps vacuum from its work, in seconds.
const OLD_TRANSACTION: i64 = 600;
/// Dead rows of one table from which they are worth a word, where they are a fifth of it.
const DEAD_ROWS: i64 = 100_000;
/// Of two thousand million transaction ids so many may be in use before something is said.
const OLD_IDS: i64 = 1_000_000_000;

/// Settings under which a commit is not durable, or rows pile up.
pub(super) fn settings(session: Session<'_>) -> Result<Vec<Finding>> {
    session.read(|exec| {
        let mut findings = Vec::new();
        if is_off(exec, "fsync")? || is_off(exec, "full_page_writes")? {
            findings.push(Finding::error(
                "not_durable",
                "fsync or full_page_writes is off: a crash of the machine can damage the whole database",
                "turn both on in postgresql.conf and reload",
            ));
        }
        if is_off(exec, "synchronous_commit")? {
            findings.push(Finding::warning(
                "synchronous_commit",
                "synchronous_commit is off: a crash of the server may take the last commits that were acknowledged",
                "ALTER ROLE … SET synchronous_commit = on for the store's role",
            ));
        }
        if is_off(exec, "autovacuum")? || is_off(exec, "track_counts")? {
            findings.push(Finding::warning(
                "no_autovacuum",
                "autovacuum does not run: dead rows stay, and plans are made without statistics",
                "turn autovacuum and track_counts on",
            ));
        }
        let used = "SELECT count(*), current_setting('max_connections')::bigint FROM pg_stat_activity WHERE backend_type = 'client backend'";
        if let Some(row) = exec.query(used, &[])?.first() {
            let (used, most) = (row.int(0)?, row.int(1)?);
            if used * 10 > most * 9 {
                findings.push(Finding::warning(
                    "few_connections_left",
                    format!("{used} of {most} connections are in use: the next store or worker may get none"),
                    "raise max_connections, lower pool_size, or put a pooler in front",
                ));
            }
        }
        Ok(findings)
    })
}

fn is_off(exec: &mut dyn Executor, setting: &str) -> Result<bool> {
    let rows = exec.query("SELECT current_setting($1) = 'off'", &[setting.into()])?;
    rows.first().map_or(Ok(false), |row| row.bool(0))
}

/// What is open for so long that vacuum cannot take away dead rows.
pub(super) fn transactions(session: Session<'_>) -> Result<Vec<Finding>> {
    // Others' transactions are shown to roles that may see them only.
    let open = "SELECT pid, extract(epoch FROM clock_timestamp() - xact_start)::bigint, coalesce(state, ''), \
                coalesce(application_name, '') FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
                AND backend_type = 'client backend' AND datname = current_database() \
                AND xact_start < clock_timestamp() - make_interval(secs => $1) ORDER BY xact_start LIMIT 10";
    let prepared = "SELECT gid, extract(epoch FROM clock_timestamp() - prepared)::bigint FROM pg_prepared_xacts \
                    WHERE database = current_database() AND prepared < clock_timestamp() - make_interval(secs => $1) \
                    ORDER BY prepared LIMIT 10";
    let slots = "SELECT slot_name::text FROM pg_replication_slots WHERE NOT active \
                 AND (xmin IS NOT NULL OR catalog_xmin IS NOT NULL) ORDER BY slot_name LIMIT 10";
    session.read(|exec| {
        let mut findings = Vec::new();
        for row in exec.query(open, &[OLD_TRANSACTION.into()])? {
            let (pid, seconds, state, who) = (row.int(0)?, row.int(1)?, row.text(2)?, row.text(3)?);
            findings.push(Finding::warning(
                "old_transaction",
                format!("a transaction of {who:?} (process {pid}, {state}) is open for {seconds} s: dead rows stay since then"),
                format!("end it where it was begun, or SELECT pg_terminate_backend({pid})"),
            ));
        }
        for row in exec.query(prepared, &[OLD_TRANSACTION.into()])? {
            findings.push(Finding::warning(
                "old_transaction",
                format!("the prepared transaction {:?} is open for {} s: dead rows stay since then", row.text(0)?, row.int(1)?),
                "COMMIT PREPARED or ROLLBACK PREPARED",
            ));
        }
        for row in exec.query(slots, &[])? {
            findings.push(Finding::warning(
                "idle_slot",
                format!("nobody reads the replication slot {}: it keeps dead rows", row.text(0)?),
                "start its reader, or pg_drop_replication_slot",
            ));
        }
        Ok(findings)
    })
}

/// Rows that should be gone, and transaction ids that run out.
pub(super) fn vacuuming(session: Session<'_>) -> Result<Vec<Finding>> {
    let dead = "SELECT relname::text, n_dead_tup, n_live_tup, last_autovacuum IS NULL AND last_vacuum IS NULL \
                FROM pg_stat_user_tables WHERE relid IN (SELECT oid FROM pg_class WHERE relnamespace = \
                (SELECT relnamespace FROM pg_class WHERE oid = 'sprongus_migrations'::regclass)) \
                AND starts_with(relname::text, 'sprongus_') AND n_dead_tup > $1 AND n_dead_tup * 4 > n_live_tup ORDER BY relname";
    let ids = "SELECT age(datfrozenxid)::bigint FROM pg_database WHERE datname = current_database()";
    session.read(|exec| {
        let mut findings = Vec::new();
        for row in exec.query(dead, &[DEAD_ROWS.into()])? {
            let (table, dead, live) = (row.text(0)?, row.int(1)?, row.int(2)?);
            let never = if row.bool(3)? { "; it was never vacuumed" } else { "" };
            findings.push(Finding::warning(
                "dead_rows",
                format!("{table} has {dead} dead rows beside {live} live ones{never}: reads pass over them"),
                format!("VACUUM {table}, and find what holds vacuum up (old transactions, autovacuum's settings)"),
            ));
        }
        let age = exec.query(ids, &[])?.first().map_or(Ok(0), |row| row.int(0))?;
        if age > OLD_IDS {
            findings.push(Finding::error(
                "transaction_ids",
                format!("{age} of 2,147,483,648 transaction ids are in use: the server stops writing when they are"),
                "VACUUM FREEZE the database, and find what holds vacuum up",
            ));
        }
        Ok(findings)
    })
}
