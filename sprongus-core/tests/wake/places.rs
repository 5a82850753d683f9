//! Where stores live that several processes share.

use std::sync::atomic::{AtomicU32, Ordering};

use sprongus::{Options, Store};
use sprongus_testkit::{Postgres, TempDir, temp_file};

pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) schema: String,
    _folder: Option<TempDir>,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let (folder, file) = temp_file("store.db");
        Self { url: file.to_str().unwrap().to_owned(), schema: String::new(), _folder: Some(folder) }
    }

    pub(crate) fn postgres() -> Self {
        Self::on(Postgres::shared())
    }

    pub(crate) fn on(server: &Postgres) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let schema = format!("wake_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self { url: server.url().to_owned(), schema, _folder: None }
    }

    pub(crate) fn open(&self) -> Store {
        open(&self.url, &self.schema)
    }
}

pub(crate) fn open(url: &str, schema: &str) -> Store {
    let schema = (!schema.is_empty()).then(|| schema.to_owned());
    Store::open(url, Options { schema, ..Options::default() }).unwrap()
}
