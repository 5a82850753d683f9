//! What a test cannot make everywhere: a full disk, a file system that machines share. It says here what statvfs(2) and
//! statfs(2) answer on its thread.

use std::cell::Cell;

thread_local! {
    /// The bytes left on the disk.
    pub(crate) static FREE_BYTES: Cell<Option<u64>> = const { Cell::new(None) };
    /// The magic number of the file system.
    pub(crate) static FILE_SYSTEM: Cell<Option<u32>> = const { Cell::new(None) };
}
