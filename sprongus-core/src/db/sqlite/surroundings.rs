//! What stands around an open database file: its log, its file system, who else in this process has it open. Looks only.

use std::path::{Path, PathBuf};

use super::opened;
use super::place::network_fs;
use super::wal::side_file;

/// What was seen.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// The file.
    pub(crate) file: PathBuf,
    /// Bytes of the write-ahead log; none where there is no log.
    pub(crate) wal_bytes: Option<u64>,
    /// The file system's name, where its memory is not shared by all who see the file.
    pub(crate) network: Option<&'static str>,
    /// The file and those beside it that users other than the owner may read or write.
    pub(crate) open_to_others: Vec<PathBuf>,
    /// Files beside it that belong to another user than it does.
    pub(crate) of_others: Vec<PathBuf>,
    /// Bytes left for this user on the disk.
    pub(crate) free_bytes: Option<u64>,
    /// Whether more than one copy of SQLite in this process works on it.
    pub(crate) second_copy: bool,
}

impl Surroundings {
    /// Of that database file, which a store of this process has open.
    pub(crate) fn of(database: &Path) -> Self {
        Self {
            file: database.to_owned(),
            wal_bytes: std::fs::metadata(side_file(database, "-wal")).ok().map(|log| log.len()),
            network: network_fs(database),
            open_to_others: open_to_others(database),
            of_others: of_others(database),
            free_bytes: free_bytes(database),
            second_copy: opened::is_mapped_twice(&shared_memory(database)),
        }
    }
}

fn shared_memory(database: &Path) -> PathBuf {
    side_file(database, "-shm")
}

/// The files of a database that are there: itself first.
#[cfg(unix)]
fn files(database: &Path) -> impl Iterator<Item = (PathBuf, std::fs::Metadata)> {
    let paths = ["", "-wal", "-shm", "-journal"].map(|suffix| side_file(database, suffix));
    paths.into_iter().filter_map(|path| std::fs::metadata(&path).ok().map(|about| (path, about)))
}

#[cfg(unix)]
fn open_to_others(database: &Path) -> Vec<PathBuf> {
    use std::os::unix::fs::MetadataExt;
    files(database).filter(|(_, about)| about.mode() & 0o077 != 0).map(|(path, _)| path).collect()
}

#[cfg(unix)]
fn of_others(database: &Path) -> Vec<PathBuf> {
    use std::os::unix::fs::MetadataExt;
    let owner = std::fs::metadata(database).map(|about| about.uid()).ok();
    files(database).filter(|(_, about)| Some(about.uid()) != owner).map(|(path, _)| path).collect()
}

/// Windows has no owner's bits.
#[cfg(not(unix))]
fn open_to_others(_: &Path) -> Vec<PathBuf> {
    Vec::new()
}

#[cfg(not(unix))]
fn of_others(_: &Path) -> Vec<PathBuf> {
    Vec::new()
}

#[cfg(unix)]
fn free_bytes(database: &Path) -> Option<u64> {
    #[cfg(test)]
    if let Some(told) = super::testing::FREE_BYTES.get() {
        return Some(told);
    }
    let disk = rustix::fs::statvfs(database).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}
