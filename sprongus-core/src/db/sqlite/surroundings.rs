//! What stands around an open database file: its log, its file system, who else in this process has it open. Looks only.

use std::path::{Path, PathBuf};

use super::opened;
use super::place::network_fs;
use super::wal::side_file;

/// What was seen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// Bytes of the write-ahead log; none where there is no log.
    pub(crate) wal_bytes: Option<u64>,
    /// The file system's name, where its memory is not shared by all who see the file.
    pub(crate) network: Option<&'static str>,
    /// Whether users other than the owner may read or write the file.
    pub(crate) open_to_others: bool,
    /// Bytes left for this user on the disk.
    pub(crate) free_bytes: Option<u64>,
    /// Whether more than one copy of SQLite in this process works on it.
    pub(crate) second_copy: bool,
}

impl Surroundings {
    /// Of that database file, which a store of this process has open.
    pub(crate) fn of(database: &Path) -> Self {
        Self {
            wal_bytes: std::fs::metadata(side_file(database, "-wal")).ok().map(|log| log.len()),
            network: network_fs(database),
            open_to_others: open_to_others(database),
            free_bytes: free_bytes(database),
            second_copy: opened::is_mapped_twice(&shared_memory(database)),
        }
    }
}

fn shared_memory(database: &Path) -> PathBuf {
    side_file(database, "-shm")
}

#[cfg(unix)]
fn open_to_others(database: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(database).is_ok_and(|file| file.mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn open_to_others(_: &Path) -> bool {
    false
}

#[cfg(unix)]
fn free_bytes(database: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(database).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}
