//! Temporary folders, removed when their handle is dropped.

use std::path::PathBuf;

use tempfile::TempDir;

/// A fresh empty folder; it is gone with the value.
pub fn temp_dir() -> TempDir {
    tempfile::Builder::new().prefix("sprongus-").tempdir().expect("a temporary folder: is TMPDIR writable?")
}

/// A fresh folder and the path of a file in it that does not exist yet: the place for a store.
///
/// ```
/// let (folder, file) = sprongus_testkit::temp_file("store.db");
/// assert!(folder.path().exists() && !file.exists());
/// ```
pub fn temp_file(name: &str) -> (TempDir, PathBuf) {
    let folder = temp_dir();
    let file = folder.path().join(name);
    (folder, file)
}
