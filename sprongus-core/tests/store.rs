//! The face of a store on SQLite: opening, transactions, savepoints, the host's own SQL.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::fs::PermissionsExt;

use sprongus::aux_store::{ExportOptions, Format};
use sprongus::{ErrorCode, LentSqlite, Options, Store, Tx, Value};

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let store = Store::open(path.to_str().unwrap(), Options::default()).unwrap();
    store.execute("CREATE TABLE t (n INTEGER UNIQUE)", &[]).unwrap();
    (folder, store)
}

fn numbers(store: &Store) -> Vec<Value<'static>> {
    let rows = store.query("SELECT n FROM t ORDER BY n", &[]).unwrap();
    rows.into_iter().flat_map(sprongus::Row::into_values).collect()
}

#[test]
fn savepoints_nest_and_a_failed_statement_poisons() {
    let (_folder, store) = store();
    let insert = |tx: &Tx<'_>, n: i64| tx.execute("INSERT INTO t VALUES ($1)", &[n.into()]);
    store
        .transaction(|tx| {
            insert(tx, 1)?;
            let inner = tx.transaction(|inner| {
                insert(inner, 2)?;
                insert(inner, 1)
            });
            assert_eq!(inner.unwrap_err().code(), ErrorCode::Conflict);
            insert(tx, 3)
        })
        .unwrap();
    assert_eq!(numbers(&store), [Value::Int(1), Value::Int(3)]);

    let swallowed = store.transaction(|tx| {
        insert(tx, 4)?;
        insert(tx, 1).unwrap_err();
        assert_eq!(insert(tx, 5).unwrap_err().code(), ErrorCode::Misuse);
        Ok(())
    });
    assert_eq!(swallowed.unwrap_err().code(), ErrorCode::Misuse);
    assert_eq!(numbers(&store), [Value::Int(1), Value::Int(3)]);
}

#[test]
fn the_store_inside_its_own_transaction_is_misuse() {
    let (_folder, store) = store();
    store
        .transaction(|_| {
            assert_eq!(store.query("SELECT 1", &[]).unwrap_err().code(), ErrorCode::Misuse);
            Ok(())
        })
        .unwrap();
    store.query("SELECT 1", &[]).unwrap();
}

#[test]
fn query_only_reads_and_control_is_refused() {
    let (_folder, store) = store();
    for sql in ["INSERT INTO t VALUES (1)", "COMMIT", "PRAGMA journal_mode=DELETE", "", "SELECT 1; SELECT 2"] {
        assert_eq!(store.query(sql, &[]).unwrap_err().code(), ErrorCode::InvalidArgument, "{sql:?}");
    }
    assert_eq!(
        store.query("SELECT $2, $1, $2", &["a".into(), 7.into()]).unwrap()[0].values(),
        [Value::Int(7), Value::text("a"), Value::Int(7)]
    );
    assert_eq!(store.query("SELECT $1", &[]).unwrap_err().code(), ErrorCode::InvalidArgument);
    assert_eq!(store.query("SELECT 1", &[1.into()]).unwrap_err().code(), ErrorCode::InvalidArgument);
}

#[test]
fn rows_changed_are_those_of_the_statement() {
    let (_folder, store) = store();
    assert_eq!(store.execute("INSERT INTO t VALUES (1), (2), (3)", &[]).unwrap(), 3);
    assert_eq!(store.execute("CREATE TABLE u (n INTEGER)", &[]).unwrap(), 0);
    assert_eq!(store.execute("UPDATE t SET n = n + 10 WHERE n > 1 RETURNING n", &[]).unwrap(), 2);
}

#[test]
fn a_snapshot_is_a_store() {
    let (folder, store) = store();
    store.execute("INSERT INTO t VALUES (7)", &[]).unwrap();
    let copy = folder.path().join("copy.db");
    store.snapshot(&copy).unwrap();
    assert_eq!(store.snapshot(&copy).unwrap_err().code(), ErrorCode::InvalidArgument);
    let copy = Store::open(copy.to_str().unwrap(), Options { read_only: true, ..Options::default() }).unwrap();
    assert_eq!(numbers(&copy), [Value::Int(7)]);
    let again = folder.path().join("again.db");
    copy.snapshot(&again).unwrap();
    assert_eq!(std::fs::metadata(again).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(copy.execute("DELETE FROM t", &[]).unwrap_err().code(), ErrorCode::PermissionDenied);
}

#[test]
fn a_snapshot_waits_for_no_writer_and_holds_none_up() {
    let (folder, store) = store();
    let tx = store.begin().unwrap();
    tx.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
    let path = folder.path().join("copy.db");
    std::thread::scope(|scope| scope.spawn(|| store.snapshot(&path)).join().unwrap()).unwrap();
    tx.commit().unwrap();
    let copy = Store::open(path.to_str().unwrap(), Options::default()).unwrap();
    assert_eq!((numbers(&copy), numbers(&store)), (vec![], vec![Value::Int(1)]));
}

#[test]
fn a_lent_connection_needs_an_open_transaction_and_a_schema() {
    let host = rusqlite::Connection::open_in_memory().unwrap();
    assert_eq!(LentSqlite::new(&host).err().unwrap().code(), ErrorCode::Misuse);
    host.execute_batch("BEGIN IMMEDIATE").unwrap();
    let lent = LentSqlite::new(&host).unwrap();
    assert_eq!(Tx::attach(lent, Options::default()).err().unwrap().code(), ErrorCode::SchemaVersion);
    host.execute_batch(&sprongus::migration_sql(sprongus::Dialect::Sqlite)).unwrap();
    let tx = Tx::attach(LentSqlite::new(&host).unwrap(), Options::default()).unwrap();
    assert_eq!(tx.commit().unwrap_err().code(), ErrorCode::Misuse);
}

#[test]
fn a_closed_store_is_misuse() {
    let (_folder, store) = store();
    store.close();
    assert_eq!(store.query("SELECT 1", &[]).unwrap_err().code(), ErrorCode::Misuse);
}

#[test]
fn a_store_that_was_closed_is_one_file() {
    let (folder, store) = store();
    assert_eq!(numbers(&store), []);
    // The pool's thread lets go of a new reader a moment after it was handed out.
    std::thread::sleep(std::time::Duration::from_millis(100));
    store.close();
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["app.db"], "the log is in the file");
}

#[test]
#[cfg(unix)]
fn a_link_to_nothing_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("real.db", folder.path().join("link.db")).unwrap();
    Store::open(folder.path().join("link.db").to_str().unwrap(), Options::default()).unwrap();
    assert!(folder.path().join("real.db").is_file());
    std::os::unix::fs::symlink("loop.db", folder.path().join("loop.db")).unwrap();
    assert!(Store::open(folder.path().join("loop.db").to_str().unwrap(), Options::default()).is_err());
}

#[test]
fn places_that_cannot_be_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let code = |path: &std::path::Path| Store::open(path.to_str().unwrap(), Options::default()).err().unwrap().code();
    assert_eq!(code(folder.path()), ErrorCode::InvalidArgument);
    assert_eq!(code(&folder.path().join("none/app.db")), ErrorCode::NotFound);
    let text = folder.path().join("text");
    std::fs::write(&text, "not a database, though long enough to be looked at as one: ".repeat(40)).unwrap();
    assert_eq!(code(&text), ErrorCode::Corrupt);
}

#[test]
fn an_export_takes_no_place_of_the_store() {
    let (folder, store) = store();
    let works = store.aux("p", "assets");
    works.create(serde_json::json!({"title": "kept"}), None).unwrap();
    let link = folder.path().join("link.csv");
    std::os::unix::fs::symlink(folder.path().join("app.db"), &link).unwrap();
    let csv = ExportOptions { format: Some(Format::Csv), ..ExportOptions::default() };
    for own in ["app.db", "app.db-wal", "link.csv"] {
        let refused = works.export(&folder.path().join(own), csv, &mut |_, _| Ok(())).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::InvalidArgument, "{own}: {refused}");
    }
    assert_eq!(works.export(&folder.path().join("works.csv"), csv, &mut |_, _| Ok(())).unwrap(), 1);
    assert_eq!(works.count(None, None).unwrap(), 1);
}
