//! SQLite: whether the connection at hand is set as a store's is; one that a host lends may not be.

use super::Finding;
use crate::db::Executor;
use crate::error::Result;
use crate::options::Durability;
use crate::session::Session;

/// Pages of the log at which it should be moved into the file, at most.
const CUT_AT_MOST: i64 = 10_000;

pub(super) fn look(session: Session<'_>) -> Result<Vec<Finding>> {
    let wanted = match session.options().durability {
        Durability::Full => 2,
        Durability::Normal => 1,
    };
    session.read(|exec| {
        let mut findings = Vec::new();
        if let Some(mode) = text(exec, "PRAGMA journal_mode")?.filter(|mode| mode != "wal" && mode != "memory") {
            findings.push(Finding::warning(
                "journal_mode",
                format!("the journal mode is {mode}, not wal: readers and the writer hold each other up"),
                "before the transaction, on the connection that is lent: PRAGMA journal_mode = wal",
            ));
        }
        let synchronous = number(exec, "PRAGMA synchronous")?;
        if synchronous < wanted {
            findings.push(Finding::warning(
                "synchronous",
                format!("PRAGMA synchronous is {synchronous}: a power cut may take commits that were acknowledged"),
                format!("before the transaction, on the connection that is lent: PRAGMA synchronous = {wanted}"),
            ));
        }
        if text(exec, "PRAGMA locking_mode")?.is_some_and(|mode| mode != "normal") {
            findings.push(Finding::warning(
                "locking_mode",
                "the locking mode is exclusive: no other connection can read or write while this one is open",
                "on the connection that is lent: PRAGMA locking_mode = normal",
            ));
        }
        let cut = number(exec, "PRAGMA wal_autocheckpoint")?;
        if cut <= 0 || cut > CUT_AT_MOST {
            findings.push(Finding::warning(
                "no_checkpoint",
                format!(
                    "PRAGMA wal_autocheckpoint is {cut}: the write-ahead log grows and every read looks through it"
                ),
                "on the connection that is lent: PRAGMA wal_autocheckpoint = 1000",
            ));
        }
        if number(exec, "PRAGMA mmap_size")? > 0 {
            findings.push(Finding::advice(
                "mmap",
                "the file is read through a memory map: an I/O error there ends the process",
                "on the connection that is lent: PRAGMA mmap_size = 0",
            ));
        }
        if older(exec, [3, 51, 3])? {
            let version = version(exec)?;
            findings.push(Finding::warning(
                "old_sqlite",
                format!("SQLite {version} may corrupt the file when it resets the log (before 3.51.3)"),
                "use a newer SQLite, or the bundled one, on this file",
            ));
        }
        Ok(findings)
    })
}

fn text(exec: &mut dyn Executor, sql: &str) -> Result<Option<String>> {
    exec.query(sql, &[])?.first().map_or(Ok(None), |row| row.opt_text(0))
}

/// A pragma that is not known gives no row, and one of a file none in memory.
fn number(exec: &mut dyn Executor, sql: &str) -> Result<i64> {
    exec.query(sql, &[])?.first().map_or(Ok(0), |row| row.opt_int(0).map(Option::unwrap_or_default))
}

fn version(exec: &mut dyn Executor) -> Result<String> {
    Ok(text(exec, "SELECT sqlite_version()")?.unwrap_or_default())
}

/// Whether the connection's SQLite is older than that.
pub(super) fn older(exec: &mut dyn Executor, than: [u32; 3]) -> Result<bool> {
    Ok(is_older(&version(exec)?, than))
}

fn is_older(version: &str, than: [u32; 3]) -> bool {
    let parts: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    parts < than.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let older = |version: &str| is_older(version, [3, 51, 3]);
        assert!(older("3.35.5") && older("3.51.2") && older("3.6.23.1"));
        assert!(!older("3.51.3") && !older("3.54.1") && !older("4.0.0") && !older("3.100.0"));
    }
}
