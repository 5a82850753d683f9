//! The file a store lives in: made private, refused where it cannot work.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorCode, Result};

/// Where a SQLite store lives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// A file, its path made absolute.
    File(PathBuf),
    /// Memory: one connection, gone with the store.
    Memory,
}

/// Checks the path, makes the file if need be (mode 0600), and refuses network file systems.
pub(super) fn prepare(path: &Path, read_only: bool, allow_network_fs: bool) -> Result<PathBuf> {
    let shown = path.display();
    if path.is_dir() {
        return Err(Error::invalid(format!("{shown} is a directory; name a file in it")));
    }
    if !read_only {
        create(path)?;
    } else if !path.exists() {
        return Err(Error::not_found(format!("{shown} does not exist, and a read-only store does not make it")));
    }
    let path = path.canonicalize().map_err(|error| unusable(path, &error))?;
    if !path.is_file() {
        return Err(Error::invalid(format!("{shown} is not a regular file")));
    }
    if !allow_network_fs && let Some(name) = network_fs(&path) {
        return Err(Error::new(
            ErrorCode::Unsupported,
            format!(
                "{shown} is on {name}: SQLite's write-ahead log needs memory shared by all who open the file. Move it to a local disk, or pass allow_network_fs if one machine alone uses it"
            ),
        ));
    }
    Ok(path)
}

/// A file that is there is not even opened: closing it again would drop the locks of every store this process has on it.
fn create(path: &Path) -> Result<()> {
    let made = match private().create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => match dangling(path) {
            None => return Ok(()),
            Some(target) => private().create_new(true).open(target),
        },
        made => made,
    };
    made.map(drop).map_err(|error| unusable(path, &error))
}

/// Where a symbolic link leads that leads to nothing yet.
fn dangling(path: &Path) -> Option<PathBuf> {
    let target = if path.exists() { None } else { std::fs::read_link(path).ok() };
    target.map(|target| path.with_file_name("").join(target))
}

/// Makes a file that is not there yet.
pub(super) fn create_new(path: &Path) -> Result<()> {
    private().create_new(true).open(path).map(drop).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Error::invalid(format!("{} exists; name a new file", path.display())),
        _ => unusable(path, &error),
    })
}

/// Read and written by its owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn unusable(path: &Path, error: &std::io::Error) -> Error {
    let shown = path.display();
    match error.kind() {
        ErrorKind::NotFound => Error::not_found(format!("the folder of {shown} does not exist; make it first")),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => not_writable(path),
        ErrorKind::StorageFull => Error::new(ErrorCode::StorageFull, format!("no room for {shown}")),
        _ => Error::new(ErrorCode::Unavailable, format!("{shown} cannot be opened: {error}")),
    }
}

pub(super) fn not_writable(path: &Path) -> Error {
    let shown = path.display();
    Error::new(
        ErrorCode::PermissionDenied,
        format!("{shown} cannot be written; open it with read_only, or change its permissions"),
    )
}

/// File systems whose shared memory is not shared by all who see the file (magic numbers of statfs(2)).
#[cfg(target_os = "linux")]
pub(super) fn network_fs(path: &Path) -> Option<&'static str> {
    name_of(file_system(path)?)
}

#[cfg(target_os = "linux")]
fn file_system(path: &Path) -> Option<u32> {
    #[cfg(test)]
    if let Some(told) = super::testing::FILE_SYSTEM.get() {
        return Some(told);
    }
    Some(rustix::fs::statfs(path).ok()?.f_type as u32)
}

#[cfg(target_os = "linux")]
fn name_of(magic: u32) -> Option<&'static str> {
    Some(match magic {
        0x6969 => "NFS",
        0x517B | 0xFF53_4D42 | 0xFE53_4D42 => "SMB/CIFS",
        0x0102_1997 => "a VM-shared folder (9p)",
        0x786F_4256 => "a VM-shared folder (VirtualBox)",
        0xBACB_ACBC => "a VM-shared folder (VMware)",
        0x7C7C_6673 => "a VM-shared folder (Parallels)",
        0x5346_414F | 0x6B41_4653 => "AFS",
        0x4750_4653 => "GPFS",
        0x1983_0326 => "BeeGFS",
        0x6573_5546 => "FUSE",
        0x0BD0_0BD0 => "Lustre",
        0x00C3_6400 => "Ceph",
        _ => return None,
    })
}

#[cfg(not(target_os = "linux"))]
pub(super) fn network_fs(_: &Path) -> Option<&'static str> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn file_systems_without_shared_memory_are_known() {
        // Of the manual page statfs(2): NFS, CIFS, 9p, FUSE; then ext4, xfs, btrfs, tmpfs, overlayfs.
        for shared in [0x6969, 0xFF53_4D42, 0x0102_1997, 0x6573_5546] {
            assert!(name_of(shared).is_some(), "{shared:x}");
        }
        for local in [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630] {
            assert_eq!(name_of(local), None, "{local:x}");
        }
    }
}
