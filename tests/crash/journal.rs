//! What each process was told by the store, written down as soon as it was told.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// One process's journal. A line is one `write`, so it is there whole or not at all when the process is killed.
pub(crate) struct Journal(File);

impl Journal {
    pub(crate) fn open(path: &str) -> Self {
        Self(OpenOptions::new().create(true).append(true).open(path).unwrap())
    }

    pub(crate) fn enqueued(&mut self, id: &str) {
        self.line(&format!("enqueued {id} 0\n"));
    }

    pub(crate) fn succeeded(&mut self, id: &str, lease: i64) {
        self.line(&format!("succeeded {id} {lease}\n"));
    }

    fn line(&mut self, line: &str) {
        self.0.write_all(line.as_bytes()).unwrap();
    }
}

/// All that was acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) enqueued: Vec<String>,
    /// The run and the lease under which success was acknowledged.
    pub(crate) succeeded: BTreeMap<String, i64>,
}

pub(crate) fn read_all(folder: &Path) -> Said {
    let mut said = Said::default();
    for file in std::fs::read_dir(folder).unwrap() {
        for line in std::fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["enqueued", id, _] => said.enqueued.push(id.to_owned()),
                ["succeeded", id, lease] => {
                    let before = said.succeeded.insert(id.to_owned(), lease.parse().unwrap());
                    assert_eq!(before, None, "two processes were told that {id} succeeded");
                }
                _ => panic!("a journal holds {line:?}"),
            }
        }
    }
    said
}
