//! By hand with rusqlite: prepared statements, `BEGIN IMMEDIATE`, the durability of the library.

mod documents;
mod entries;
mod queue;

use rusqlite::Connection;

pub(crate) use documents::{export_plain, export_same, import_plain, import_same, insert_documents, page};
pub(crate) use queue::Hand;

/// What a commit waits for.
pub(crate) const FULL: i64 = 2;
pub(crate) const NORMAL: i64 = 1;

/// A file with that schema, in WAL with `synchronous=FULL`.
pub(crate) fn open(path: &str, schema: &str) -> Connection {
    let connection = connect(path, FULL);
    connection.execute_batch(schema).unwrap();
    connection
}

fn connect(path: &str, synchronous: i64) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.set_prepared_statement_cache_capacity(64);
    connection.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    for (pragma, value) in
        [("synchronous", synchronous), ("foreign_keys", 1), ("cache_size", -8000), ("wal_autocheckpoint", 1000)]
    {
        connection.pragma_update(None, pragma, value).unwrap();
    }
    connection
}

fn statement(connection: &Connection, sql: &str) {
    connection.prepare_cached(sql).unwrap().execute([]).unwrap();
}

const EVENT: &str = "INSERT INTO sprongus_events (id, run_id, subject, seq, type, at, actor, payload) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
