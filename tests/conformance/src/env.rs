//! What a case is given: a fresh, empty database on its backend.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sprongus::{Options, Store};
use sprongus_testkit::{Postgres, TempDir, temp_file};

use crate::{Backend, Face, lent};

/// A fresh place for a store; nothing in it is seen by any other case.
#[derive(Debug)]
pub struct Env {
    backend: Backend,
    url: String,
    schema: Option<String>,
    _folder: Option<TempDir>,
}

impl Env {
    /// A fresh place on that backend.
    pub fn fresh(backend: Backend) -> Self {
        match backend {
            Backend::SqliteFile | Backend::LentSqlite => {
                let (folder, file) = temp_file("store.db");
                let url = file.to_str().expect("a temporary path is UTF-8").to_owned();
                Self { backend, url, schema: None, _folder: Some(folder) }
            }
            Backend::SqliteMemory => Self { backend, url: ":memory:".to_owned(), schema: None, _folder: None },
            Backend::Postgres | Backend::LentPostgres => {
                let url = Postgres::shared().url().to_owned();
                Self { backend, url, schema: Some(unique_schema()), _folder: None }
            }
        }
    }

    /// Where this case runs.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The URL to open.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The PostgreSQL schema to open it in.
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The defaults, in this place's schema; a case changes what it is about.
    pub fn options(&self) -> Options {
        Options { schema: self.schema.clone(), ..Options::default() }
    }

    /// Opens the store here with the defaults. On `sqlite-memory` every store is another one: clone it instead.
    pub fn open(&self) -> Store {
        self.open_with(self.options())
    }

    /// Opens the store here with those options, which began as [`Env::options`].
    pub fn open_with(&self, options: Options) -> Store {
        Store::open(&self.url, options).expect("open the store of this case")
    }

    /// Opens it with calls that wait as long as a busy machine makes them, where a case is not about how long.
    pub fn open_patient(&self) -> Store {
        let long = Duration::from_secs(120);
        self.open_with(Options { busy_timeout: long, call_timeout: long, ..self.options() })
    }

    /// Runs a transactional case: on a store, or within the host's own transaction where the connection is lent.
    ///
    /// The host commits after the work; a panic in it rolls back.
    pub fn within(&self, work: impl FnOnce(Face<'_, '_>)) {
        match self.backend {
            Backend::SqliteFile | Backend::SqliteMemory | Backend::Postgres => work(Face::Store(&self.open())),
            Backend::LentSqlite => lent::sqlite(self, |tx| work(Face::Tx(tx))),
            Backend::LentPostgres => lent::postgres(self, |tx| work(Face::Tx(tx))),
        }
    }
}

/// Unique on a server that several test processes share.
fn unique_schema() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("case_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
