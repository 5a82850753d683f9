//! What each process was told by the store, written down as soon as it was told.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// One process's journal. A line that the kill cut short was not written: it says nothing.
pub(crate) struct Journal(File);

impl Journal {
    pub(crate) fn open(path: &Path) -> Self {
        Self(OpenOptions::new().create(true).append(true).open(path).unwrap())
    }

    /// One line of words, in one write.
    pub(crate) fn say(&mut self, words: &[&str]) {
        self.0.write_all(format!("{}\n", words.join(" ")).as_bytes()).unwrap();
    }
}

/// The lines of a file that were written whole.
pub(crate) fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(str::to_owned).collect()
}

/// All that was acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) enqueued: BTreeSet<String>,
    /// The run of each idempotency key, and of each message.
    pub(crate) named: BTreeMap<String, String>,
    /// Each run's leases that were given.
    pub(crate) claimed: BTreeSet<(String, i64)>,
    /// The lease under which success was acknowledged.
    pub(crate) succeeded: BTreeMap<String, i64>,
    /// The result of each step of a run.
    pub(crate) steps: BTreeMap<(String, String), String>,
    /// The decision on each scope of a run.
    pub(crate) decided: BTreeMap<(String, String), String>,
}

pub(crate) fn read_all(folder: &Path) -> Said {
    let mut said = Said::default();
    for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|name| name == "journal") {
            lines(&file).iter().for_each(|line| said.take(line));
        }
    }
    said
}

impl Said {
    fn take(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["enqueued", id] => drop(self.enqueued.insert(id.to_owned())),
            ["named", name, id] => same(self.named.insert(name.to_owned(), id.to_owned()), id, line),
            ["claimed", id, lease] => {
                let new = self.claimed.insert((id.to_owned(), lease.parse().unwrap()));
                assert!(new, "a lease was given twice: {line}");
            }
            ["succeeded", id, lease] => {
                let lease = lease.parse().unwrap();
                assert_eq!(
                    self.succeeded.insert(id.to_owned(), lease).unwrap_or(lease),
                    lease,
                    "under two leases: {line}"
                );
            }
            ["step", id, name, result] => {
                let before = self.steps.insert((id.to_owned(), name.to_owned()), result.to_owned());
                same(before, result, line);
            }
            ["decided", id, scope, decision] => {
                let before = self.decided.insert((id.to_owned(), scope.to_owned()), decision.to_owned());
                same(before, decision, line);
            }
            _ => panic!("a journal holds {line:?}"),
        }
    }
}

/// Everybody who asked was told the same.
fn same(before: Option<String>, now: &str, line: &str) {
    assert!(before.as_deref().is_none_or(|before| before == now), "{before:?} was told before: {line}");
}
