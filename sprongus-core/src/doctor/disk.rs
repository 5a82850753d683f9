//! SQLite: what stands around the file.

use super::Finding;
use crate::error::Result;
use crate::session::Session;

/// A log is cut back to 64 MiB when it is reset, so one beyond twice that was not reset for long.
#[cfg(feature = "sqlite")]
const LONG_WAL: u64 = 128 << 20;
/// Less room than this, and the next import may not fit.
#[cfg(feature = "sqlite")]
const LITTLE_ROOM: u64 = 256 << 20;

#[cfg(not(feature = "sqlite"))]
pub(super) fn look(_: Session<'_>) -> Result<Vec<Finding>> {
    Ok(Vec::new())
}

#[cfg(feature = "sqlite")]
pub(super) fn look(session: Session<'_>) -> Result<Vec<Finding>> {
    let file = session.read(|exec| {
        let rows = exec.query("SELECT file FROM pragma_database_list WHERE name = 'main'", &[])?;
        rows.first().map_or(Ok(None), |row| row.opt_text(0))
    })?;
    let file = file.filter(|file| !file.is_empty());
    Ok(file.map(|file| of(&file)).unwrap_or_default())
}

#[cfg(feature = "sqlite")]
fn of(file: &str) -> Vec<Finding> {
    let around = crate::db::surroundings::Surroundings::of(std::path::Path::new(file));
    let mut findings = Vec::new();
    if let Some(bytes) = around.wal_bytes.filter(|bytes| *bytes > LONG_WAL) {
        findings.push(Finding::warning(
            "long_wal",
            format!("the write-ahead log has {}: every read looks through it", megabytes(bytes)),
            "end the reads and transactions that stay open, then PRAGMA wal_checkpoint(TRUNCATE)",
        ));
    }
    if let Some(name) = around.network {
        findings.push(Finding::error(
            "network_fs",
            format!("the file is on {name}, whose memory is not shared: two machines on it will damage it"),
            "move the file to a local disk, or use PostgreSQL",
        ));
    }
    if around.second_copy {
        findings.push(Finding::error(
            "second_sqlite",
            "another copy of SQLite in this process has the file open: when it closes the file, commits can vanish",
            "use query, execute and snapshot of the store, or look into the file from another process",
        ));
    }
    if let Some(bytes) = around.free_bytes.filter(|bytes| *bytes < LITTLE_ROOM) {
        findings.push(Finding::warning(
            "disk_nearly_full",
            format!("{} are left on the disk of the file", megabytes(bytes)),
            "make room: a full disk refuses writes (storage_full) until there is some",
        ));
    }
    if around.open_to_others {
        findings.push(Finding::advice(
            "file_mode",
            "other users of this machine may read or write the file",
            "chmod 600, unless they are meant to",
        ));
    }
    findings
}

/// Bytes for people.
#[cfg(feature = "sqlite")]
fn megabytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}
