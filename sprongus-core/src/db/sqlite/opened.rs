//! Which files this copy of SQLite has open in this process, so that another copy's mapping can be told from our own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::patience::lock;

/// How many connections are open, by path.
static OPEN: Mutex<BTreeMap<PathBuf, usize>> = Mutex::new(BTreeMap::new());

/// A connection of ours to that file, as long as it lives.
pub(super) struct Opened(PathBuf);

impl Opened {
    pub(super) fn new(path: &Path) -> Self {
        *lock(&OPEN).entry(path.to_owned()).or_default() += 1;
        Self(path.to_owned())
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let mut open = lock(&OPEN);
        if let Some(count) = open.get_mut(&self.0) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.0);
            }
        }
    }
}

/// Whether a connection of ours is open on that file.
pub(super) fn is_open(path: &Path) -> bool {
    lock(&OPEN).contains_key(path)
}
