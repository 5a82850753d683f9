//! Test data shared by this module's tests.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

/// A file of the real inputs (`SPRONGUS_TEST_DATA`, else `../shared/data` beside the repository); `None`, said in one line,
/// where the folder is absent.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let folder = std::env::var_os("SPRONGUS_TEST_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if !folder.is_dir() {
        eprintln!("{} is absent: {name} is not tested", folder.display());
        return None;
    }
    Some(folder.join(name))
}

/// The same, read as JSON.
pub(crate) fn shared_json(name: &str) -> Option<serde_json::Value> {
    shared(name).map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}
