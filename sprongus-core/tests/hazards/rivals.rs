//! Processes that race: this test's binary several times over, on one store, begun together.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use sprongus::{Options, Store};
use sprongus_testkit::{Postgres, temp_dir, temp_file};

use crate::child;

/// One of those that race, in its process.
pub(crate) struct Rival {
    /// From 0.
    pub(crate) number: usize,
    /// All of them share it.
    pub(crate) folder: PathBuf,
}

/// A race: what each rival does, and what is held against what all of them said.
pub(crate) struct Race {
    pub(crate) rivals: usize,
    /// Makes ready what they race for.
    pub(crate) prepare: fn(&Store),
    /// In a child, when all of them have opened the store.
    pub(crate) run: fn(&Store, &Rival),
    /// Given what each of them printed; the harness writes its own words before the first.
    pub(crate) judge: fn(&Store, &[String]),
}

/// Calls that wait as long as a busy machine makes them.
pub(crate) fn patient() -> Options {
    let long = Duration::from_secs(120);
    Options { busy_timeout: long, call_timeout: long, ..Options::default() }
}

impl Race {
    /// As that test, on a file.
    pub(crate) fn on_sqlite(&self, test: &str) {
        if let Some(told) = child::told() {
            return self.take_part(&told);
        }
        let (_folder, file) = temp_file("race.db");
        self.hold(test, file.to_str().unwrap(), "");
    }

    /// As that test, in a schema of its own.
    pub(crate) fn on_postgres(&self, test: &str) {
        if let Some(told) = child::told() {
            return self.take_part(&told);
        }
        let area = test.split("::").next().unwrap();
        self.hold(test, Postgres::shared().url(), &format!("{area}_{}", std::process::id()));
    }

    fn open(url: &str, schema: &str) -> Store {
        let schema = (!schema.is_empty()).then(|| schema.to_owned());
        Store::open(url, Options { schema, ..patient() }).unwrap()
    }

    fn take_part(&self, told: &str) {
        let words: Vec<&str> = told.split('\n').collect();
        let (number, folder) = (words[2], words[3]);
        let store = Self::open(words[0], words[1]);
        child::arrive(folder, number);
        (self.run)(&store, &Rival { number: number.parse().unwrap(), folder: folder.into() });
    }

    fn hold(&self, test: &str, url: &str, schema: &str) {
        let store = Self::open(url, schema);
        (self.prepare)(&store);
        let folder = temp_dir();
        let start = |number: usize| -> Child {
            let told = format!("{url}\n{schema}\n{number}\n{}", folder.path().display());
            child::command(test, &told, "").stdout(Stdio::piped()).spawn().unwrap()
        };
        let rivals: Vec<Child> = (0..self.rivals).map(start).collect();
        child::let_go(folder.path(), self.rivals);
        let said = |rival: Child| {
            let output = rival.wait_with_output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success(), "{text}");
            text
        };
        (self.judge)(&store, &rivals.into_iter().map(said).collect::<Vec<_>>());
    }
}
