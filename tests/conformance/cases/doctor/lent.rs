//! A connection that the host lends may be set otherwise than a store's.

use sprongus::doctor::Report;
use sprongus::{LentSqlite, Tx, ops};
use sprongus_conformance::{Backend, Env};

use super::fix::statements;
use super::{codes, of_the_store};

/// What is set, and what it is found as.
const SETTINGS: [(&str, &str); 5] = [
    ("PRAGMA journal_mode = delete", "journal_mode"),
    ("PRAGMA synchronous = off", "synchronous"),
    ("PRAGMA wal_autocheckpoint = 0", "no_checkpoint"),
    ("PRAGMA mmap_size = 1048576", "mmap"),
    ("PRAGMA locking_mode = exclusive", "locking_mode"),
];

pub(super) fn settings(env: &Env) {
    let store = env.open();
    if env.backend() != Backend::SqliteFile {
        let found = store.doctor().unwrap();
        assert!(SETTINGS.iter().all(|(_, code)| !codes(&found).contains(code)));
        return;
    }
    drop(store);
    let mut host = rusqlite::Connection::open(env.url()).unwrap();
    host.execute_batch("PRAGMA synchronous = full").unwrap();
    assert_eq!(look(&mut host, env).findings, []);
    for (setting, code) in SETTINGS {
        host.execute_batch(setting).unwrap();
        let found = look(&mut host, env);
        assert_eq!(codes(&found), [code]);
        for sql in statements(&found.findings[0].fix) {
            host.execute_batch(sql).unwrap();
        }
        assert_eq!(look(&mut host, env).findings, [], "{setting}");
    }
}

fn look(host: &mut rusqlite::Connection, env: &Env) -> Report {
    let own = host.transaction().unwrap();
    let tx = Tx::attach(LentSqlite::new(&own).unwrap(), env.options()).unwrap();
    of_the_store(serde_json::from_str(&ops::call(&tx, "store.doctor", b"").unwrap()).unwrap())
}
