//! Where it is measured: a folder for SQLite files, a PostgreSQL server, and how long each disk takes.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use sprongus_testkit::{Postgres, TempDir};

use crate::sample::alone;

/// The ground of a run, gone with the value.
pub(crate) struct Places {
    folder: TempDir,
    made: AtomicUsize,
}

impl Places {
    pub(crate) fn open() -> Self {
        Self { folder: sprongus_testkit::temp_dir(), made: AtomicUsize::new(0) }
    }

    /// A path in the folder at which nothing is yet.
    pub(crate) fn file(&self, ending: &str) -> PathBuf {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        self.folder.path().join(format!("{number}.{ending}"))
    }

    /// The URL of an empty PostgreSQL database.
    pub(crate) fn database(&self) -> String {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        Postgres::shared().create_database(&format!("bench_{}_{number}", std::process::id()))
    }

    /// The URL of a database like another, which nobody uses.
    pub(crate) fn copy_of(&self, url: &str) -> String {
        let name = |url: &str| url.split('?').next().unwrap().rsplit('/').next().unwrap().to_owned();
        let copy = self.database();
        let (from, to) = (name(url), name(&copy));
        Postgres::shared().psql(&format!("DROP DATABASE {to}"));
        Postgres::shared().psql(&format!("CREATE DATABASE {to} TEMPLATE {from}"));
        copy
    }

    /// The processors, and what one fsync costs here: most of a commit.
    pub(crate) fn describe(&self) -> String {
        let processors = std::thread::available_parallelism().map_or(0, usize::from);
        let fsync = self.fsync_micros();
        let settings = "SELECT current_setting('server_version'), 'fsync ' || current_setting('fsync'), \
                        'synchronous_commit ' || current_setting('synchronous_commit')";
        let server = Postgres::shared().psql(settings).replace('|', ", ");
        format!("{processors} processors; write and fsync of 4 KiB: {fsync:.0} µs; PostgreSQL {server}")
    }

    fn fsync_micros(&self) -> f64 {
        let mut file = File::create(self.file("fsync")).unwrap();
        let sample = alone(20, 10, || {
            file.write_all(&[7; 4096]).unwrap();
            file.sync_data().unwrap();
        });
        sample.median()
    }
}
