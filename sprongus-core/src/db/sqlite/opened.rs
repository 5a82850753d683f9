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

/// Whether a part of that file is mapped more than once in this process. All connections of one copy of SQLite share one
/// mapping of a database's shared memory; each further copy, and a store from before a fork, has its own.
pub(super) fn is_mapped_twice(shared_memory: &Path) -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    shared_memory.to_str().is_some_and(|path| overlap(&maps, path))
}

/// Whether two lines of proc(5)'s `maps` show the same bytes of that file.
fn overlap(maps: &str, path: &str) -> bool {
    let mut parts: Vec<(u64, u64)> =
        maps.lines().filter(|line| line.ends_with(path)).filter_map(part_of_file).collect();
    parts.sort_unstable();
    parts.windows(2).any(|pair| pair[1].0 < pair[0].1)
}

/// From which byte of its file to which a line maps: `FROM-TO rwxp OFFSET …`, in hexadecimal.
fn part_of_file(line: &str) -> Option<(u64, u64)> {
    let number = |text: &str| u64::from_str_radix(text, 16).ok();
    let mut words = line.split_whitespace();
    let (from, to) = words.next()?.split_once('-')?;
    let offset = number(words.nth(1)?)?;
    Some((offset, offset + number(to)?.checked_sub(number(from)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_mapped_twice_are_seen() {
        let line = |from: u64, to: u64, offset: u64, path: &str| {
            format!("{from:x}-{to:x} rw-s {offset:08x} 08:01 1234 {path}\n")
        };
        let once = line(0x7000, 0xf000, 0, "/a.db-shm") + &line(0x1_0000, 0x1_8000, 0x8000, "/a.db-shm");
        assert!(!overlap(&once, "/a.db-shm"));
        let other = once.clone() + &line(0x2_0000, 0x2_8000, 0, "/b.db-shm");
        assert!(!overlap(&other, "/a.db-shm"));
        let twice = once + &line(0x3_0000, 0x3_8000, 0x8000, "/a.db-shm");
        assert!(overlap(&twice, "/a.db-shm"));
        assert!(!overlap("", "/a.db-shm") && !overlap("no map /a.db-shm\n", "/a.db-shm"));
    }
}
