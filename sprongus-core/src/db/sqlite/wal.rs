//! The two-copies guard: a commit is acknowledged only while its write-ahead log is the one at the path.
//!
//! A second copy of SQLite in the process (Python's `sqlite3`, say) drops our POSIX locks when it closes the file, and as
//! the "last" user removes the log under us; commits then go into a file nobody will read (DESIGN.md §10).

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorCode, Result};

/// Which file a path leads to: device and inode.
type FileId = (u64, u64);

/// Watches one database's `-wal`.
pub(super) struct WalWatch {
    path: PathBuf,
    id: Option<FileId>,
}

impl WalWatch {
    /// Call after the connection has opened the log (after its first read).
    pub(super) fn new(database: &Path) -> Self {
        let path = side_file(database, "-wal");
        let id = file_id(&path);
        Self { path, id }
    }

    /// After a COMMIT, before its answer. One `stat`.
    pub(super) fn check(&mut self) -> Result<()> {
        let now = file_id(&self.path);
        if self.id.is_none() {
            // A database without a log until now: this commit made it.
            self.id = now;
        }
        if now.is_some() && now == self.id {
            return Ok(());
        }
        Err(split_brain())
    }
}

/// The error of a log that was replaced; it stays with the store until it is opened again.
pub(super) fn split_brain() -> Error {
    Error::new(
        ErrorCode::SplitBrain,
        "the write-ahead log was replaced while the store was open: another copy of SQLite in this process (Python's sqlite3?) closed the file. \
         This commit is not acknowledged; close the store, check the file with PRAGMA integrity_check from another process, restore it if it is damaged, \
         and keep one copy of SQLite on it",
    )
}

/// The database's path with a suffix, as SQLite names its side files.
pub(super) fn side_file(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Asked for its number alone: where its times are asked for, Linux (6.13 and newer) gives the next write a time of its own,
/// and the fsync after it has the inode to write as well, a fifth of a commit.
#[cfg(target_os = "linux")]
fn file_id(path: &Path) -> Option<FileId> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};
    match statx(CWD, path, AtFlags::empty(), StatxFlags::INO) {
        Ok(found) => Some((makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino)),
        Err(rustix::io::Errno::NOENT) => None,
        // Kernels before 4.11, and sandboxes that do not know the call.
        Err(_) => file_id_by_stat(path),
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn file_id(path: &Path) -> Option<FileId> {
    file_id_by_stat(path)
}

#[cfg(unix)]
fn file_id_by_stat(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}

#[cfg(not(unix))]
fn file_id(path: &Path) -> Option<FileId> {
    // Windows refuses to remove a file that is open: the log cannot be replaced there.
    path.exists().then_some((0, 0))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn both_ways_to_ask_know_a_file_by_the_same_number() {
        let (one, other) = (tempfile::NamedTempFile::new().unwrap(), tempfile::NamedTempFile::new().unwrap());
        assert!(file_id(one.path()).is_some());
        assert_eq!(file_id(one.path()), file_id_by_stat(one.path()));
        assert_ne!(file_id(one.path()), file_id(other.path()));
        let gone = one.path().to_owned();
        drop(one);
        assert_eq!((file_id(&gone), file_id_by_stat(&gone)), (None, None));
    }
}
