//! Who in this process has a store's file open: we, a store from before a fork, or another copy of SQLite (DESIGN.md §10).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::patience::lock;
use super::wal::side_file;

/// How many connections of this copy of SQLite are open, by path and by the process that opened them.
static OPEN: Mutex<BTreeMap<(PathBuf, u32), usize>> = Mutex::new(BTreeMap::new());

/// Set once a neighbour was seen, so that it is said once.
static WARNED: AtomicBool = AtomicBool::new(false);

/// A connection of ours to that file, as long as it lives.
pub(super) struct Opened((PathBuf, u32));

impl Opened {
    pub(super) fn new(path: &Path) -> Self {
        let key = (path.to_owned(), std::process::id());
        *lock(&OPEN).entry(key.clone()).or_default() += 1;
        Self(key)
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

/// Who has the file open, before our own connection to it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Neighbour {
    /// Nobody, or a store of this process: one SQLite knows of all its connections.
    None,
    /// A store that this process inherited by a fork.
    Inherited,
    /// Another copy of SQLite.
    Another,
}

pub(super) fn find(path: &Path, this_process: u32) -> Neighbour {
    let open = lock(&OPEN);
    let mut processes = open.keys().filter(|(other, _)| other == path).map(|(_, process)| *process);
    if processes.clone().any(|process| process != this_process) {
        Neighbour::Inherited
    } else if processes.next().is_none() && is_mapped(path) {
        Neighbour::Another
    } else {
        Neighbour::None
    }
}

/// Warns of a neighbour.
pub(super) fn warn(path: &Path) {
    let found = find(path, std::process::id());
    if found == Neighbour::None || WARNED.swap(true, Ordering::Relaxed) {
        return;
    }
    if found == Neighbour::Inherited {
        tracing::warn!(
            "this process was forked from one that had the store's file open: SQLite takes that one's locks for its own, and \
             writing ends with split_brain when that one closes the file. Fork before opening, or start processes by spawn"
        );
    } else {
        tracing::warn!(
            "another copy of SQLite in this process has the store's file open; when it closes the file, commits can vanish. \
             Close it first, and look into the file from another process"
        );
    }
}

/// Whether something in this process has the database's shared memory mapped.
fn is_mapped(database: &Path) -> bool {
    let shm = side_file(database, "-shm");
    let Some(shm) = shm.to_str() else { return false };
    std::fs::read_to_string("/proc/self/maps").is_ok_and(|maps| maps.lines().any(|line| line.ends_with(shm)))
}
