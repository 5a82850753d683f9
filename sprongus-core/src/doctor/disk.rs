//! SQLite: what stands around the file.

use super::Finding;
#[cfg(feature = "sqlite")]
use super::pragmas::older;
#[cfg(feature = "sqlite")]
use crate::db::{Executor, surroundings::Surroundings};
use crate::error::Result;
use crate::session::Session;

/// A log is cut back to 64 MiB when it is reset, so one beyond twice that was not reset for long.
#[cfg(feature = "sqlite")]
const LONG_WAL: u64 = 128 << 20;
/// Less room than this, and the next import may not fit.
#[cfg(feature = "sqlite")]
const LITTLE_ROOM: u64 = 256 << 20;

/// Pages of the log that are not in the file yet, of 4 KiB as a rule: it is cut at every thousandth where nothing is in the way.
#[cfg(feature = "sqlite")]
const HELD_PAGES: i64 = 10_000;
/// Bytes of the file that nothing is in, where they are half of it.
#[cfg(feature = "sqlite")]
const FREE: i64 = 64 << 20;

#[cfg(not(feature = "sqlite"))]
pub(super) fn look(_: Session<'_>) -> Result<Vec<Finding>> {
    Ok(Vec::new())
}

#[cfg(feature = "sqlite")]
pub(super) fn look(session: Session<'_>) -> Result<Vec<Finding>> {
    session.read(|exec| {
        let rows = exec.query("SELECT file FROM pragma_database_list WHERE name = 'main'", &[])?;
        let file = rows.first().map_or(Ok(None), |row| row.opt_text(0))?;
        let Some(file) = file.filter(|file| !file.is_empty()) else { return Ok(Vec::new()) };
        let mut findings = of(&Surroundings::of(std::path::Path::new(&file)));
        // Within a transaction of its own that writes, a connection may not ask for the log.
        if !session.in_transaction() {
            findings.extend(held(exec)?);
        }
        findings.extend(free(exec)?);
        Ok(findings)
    })
}

/// A log that cannot be moved into the file, for somebody still reads an older state of it.
#[cfg(feature = "sqlite")]
fn held(exec: &mut dyn Executor) -> Result<Option<Finding>> {
    // The mode that looks and does nothing is of 3.51; an older SQLite would take it for one that does something.
    if older(exec, [3, 51, 0])? {
        return Ok(None);
    }
    let rows = exec.query("PRAGMA wal_checkpoint(NOOP)", &[])?;
    let Some(row) = rows.first() else { return Ok(None) };
    let (log, moved) = (row.int(1)?, row.int(2)?);
    Ok((log - moved > HELD_PAGES).then(|| {
        Finding::warning(
            "held_wal",
            format!("{} pages of the write-ahead log cannot be moved into the file: somebody reads an older state of it, or writes in one long transaction", log - moved),
            "end the reads and transactions that stay open, in other processes too; the next commits move it",
        )
    }))
}

#[cfg(feature = "sqlite")]
fn free(exec: &mut dyn Executor) -> Result<Option<Finding>> {
    let sql = "SELECT f.freelist_count * s.page_size, p.page_count * s.page_size FROM pragma_freelist_count AS f, \
               pragma_page_count AS p, pragma_page_size AS s";
    let rows = exec.query(sql, &[])?;
    let Some(row) = rows.first() else { return Ok(None) };
    let (free, all) = (row.int(0)?, row.int(1)?);
    Ok((free > FREE && free * 2 > all).then(|| {
        Finding::advice(
            "free_pages",
            format!(
                "{} of the file's {} hold nothing: what was deleted leaves room that later rows take",
                mib(free),
                mib(all)
            ),
            "to give it back to the disk, with the store closed everywhere, in the sqlite3 program: VACUUM",
        )
    }))
}

#[cfg(feature = "sqlite")]
fn of(around: &Surroundings) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(bytes) = around.wal_bytes.filter(|bytes| *bytes > LONG_WAL) {
        findings.push(Finding::warning(
            "long_wal",
            format!("the write-ahead log has {}: it was not reset for long, and takes room", megabytes(bytes)),
            "end the reads and transactions that stay open, then in the sqlite3 program: PRAGMA wal_checkpoint(TRUNCATE)",
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
    if !around.open_to_others.is_empty() {
        let files = names(&around.open_to_others);
        findings.push(Finding::advice(
            "file_mode",
            format!("other users of this machine may read or write {files}"),
            format!("unless they are meant to: chmod 600 {files}"),
        ));
    }
    if !around.of_others.is_empty() {
        let files = names(&around.of_others);
        findings.push(Finding::warning(
            "other_owner",
            format!("{files} belong to another user than the database: who may not write them gets errors, or reads nothing"),
            format!("let one user alone open the store, and give the files to the database's owner: chown --reference={} {files}", around.file.display()),
        ));
    }
    findings
}

#[cfg(feature = "sqlite")]
fn names(files: &[std::path::PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(" ")
}

/// Bytes for people.
#[cfg(feature = "sqlite")]
fn megabytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

#[cfg(feature = "sqlite")]
fn mib(bytes: i64) -> String {
    megabytes(bytes.unsigned_abs())
}

#[cfg(feature = "sqlite")]
#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use sprongus_testkit::temp_file;

    use super::*;
    use crate::db::sqlite_testing::{FILE_SYSTEM, FREE_BYTES};
    use crate::error::ErrorCode;
    use crate::{Options, Store};

    fn found(store: &Store, code: &str) -> Option<Finding> {
        store.doctor().unwrap().findings.into_iter().find(|one| one.code == code)
    }

    #[cfg(unix)]
    #[test]
    fn a_disk_that_is_nearly_full_is_found() {
        let (_folder, path) = temp_file("store.db");
        let store = Store::open(path.to_str().unwrap(), Options::default()).unwrap();
        FREE_BYTES.set(Some(LITTLE_ROOM));
        assert_eq!(found(&store, "disk_nearly_full"), None);
        FREE_BYTES.set(Some(LITTLE_ROOM - 1));
        let one = found(&store, "disk_nearly_full").unwrap();
        assert!(one.message.starts_with("255 MiB are left"), "{one}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_system_that_is_shared_is_refused_or_found() {
        const NFS: u32 = 0x6969;
        let (_folder, path) = temp_file("store.db");
        let open =
            |allow_network_fs| Store::open(path.to_str().unwrap(), Options { allow_network_fs, ..Options::default() });
        assert_eq!(found(&open(false).unwrap(), "network_fs"), None);
        FILE_SYSTEM.set(Some(NFS));
        assert_eq!(open(false).map(drop).unwrap_err().code(), ErrorCode::Unsupported);
        let report = open(true).unwrap().doctor().unwrap();
        assert_eq!(report.findings[0].code, "network_fs");
        assert!(!report.ok && report.findings[0].message.contains("is on NFS"), "{report}");
    }
}
