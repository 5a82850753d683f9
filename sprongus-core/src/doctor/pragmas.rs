//! SQLite: whether the connection at hand is set as a store's is; one that a host lends may not be.

use super::Finding;
use crate::db::Executor;
use crate::error::Result;
use crate::options::Durability;
use crate::session::Session;

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
                "PRAGMA journal_mode = wal",
            ));
        }
        let synchronous = number(exec, "PRAGMA synchronous")?;
        if synchronous < wanted {
            findings.push(Finding::warning(
                "synchronous",
                format!("PRAGMA synchronous is {synchronous}: a power cut may take commits that were acknowledged"),
                format!("PRAGMA synchronous = {wanted} on the connection that is lent"),
            ));
        }
        if number(exec, "PRAGMA mmap_size")? > 0 {
            findings.push(Finding::advice(
                "mmap",
                "the file is read through a memory map: an I/O error there ends the process",
                "PRAGMA mmap_size = 0 on the connection that is lent",
            ));
        }
        let version = text(exec, "SELECT sqlite_version()")?.unwrap_or_default();
        if older(&version) {
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

fn older(version: &str) -> bool {
    let parts: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    parts < vec![3, 51, 3]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(older("3.35.5") && older("3.51.2") && older("3.6.23.1"));
        assert!(!older("3.51.3") && !older("3.54.1") && !older("4.0.0") && !older("3.100.0"));
    }
}
