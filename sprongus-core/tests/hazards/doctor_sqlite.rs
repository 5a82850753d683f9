//! What hurts a SQLite file is done to one, found, and gone once the fix was applied as told.

use sprongus::artifacts::PutArtifact;
use sprongus::doctor::{Examine, Finding, Report};
use sprongus::runs::Enqueue;
use sprongus::{Json, Options, Store, Value};
use sprongus_testkit::temp_file;

fn open(path: &std::path::Path) -> Store {
    Store::open(path.to_str().unwrap(), Options::default()).unwrap()
}

fn of(report: Report, code: &str) -> Option<Finding> {
    report.findings.into_iter().find(|one| one.code == code)
}

fn found(store: &Store, code: &str) -> Finding {
    let report = store.doctor().unwrap();
    of(report.clone(), code).unwrap_or_else(|| panic!("no {code} in {report:?}"))
}

fn gone(store: &Store, code: &str) {
    assert_eq!(of(store.doctor().unwrap(), code), None);
}

/// Some 32 MiB.
fn put(store: &Store, key: &str) {
    store.artifacts().put(&PutArtifact::bytes("k", key, vec![7; 32 << 20])).unwrap();
}

/// A connection of the same SQLite, as the sqlite3 program would be one of its own.
fn raw(path: &std::path::Path) -> rusqlite::Connection {
    rusqlite::Connection::open(path).unwrap()
}

/// The statement at the end of a fix.
fn statement(fix: &str) -> &str {
    fix.rsplit_once(": ").unwrap().1
}

#[test]
fn a_log_that_is_held_is_found_and_cut() {
    let (_folder, path) = temp_file("store.db");
    let store = open(&path);
    store.runs().enqueue(&Enqueue::new("k", Json::null())).unwrap();
    let reader = raw(&path);
    let mut select = reader.prepare("SELECT id FROM sprongus_runs UNION ALL SELECT 'b'").unwrap();
    let mut rows = select.query([]).unwrap();
    assert!(rows.next().unwrap().is_some());
    (0..5).for_each(|n| put(&store, &n.to_string()));
    assert!(found(&store, "held_wal").message.contains("cannot be moved into the file"));
    assert!(found(&store, "held_wal").fix.starts_with("end the reads and transactions that stay open"));
    assert!(found(&store, "long_wal").message.starts_with("the write-ahead log has 1"));
    drop(rows);
    drop(select);
    store.runs().enqueue(&Enqueue::new("k", Json::null())).unwrap();
    gone(&store, "held_wal");
    let cut = found(&store, "long_wal").fix;
    let busy: i64 = reader.query_row(statement(&cut), [], |row| row.get(0)).unwrap();
    assert_eq!(busy, 0);
    gone(&store, "long_wal");
}

#[test]
fn a_file_of_free_pages_is_found_and_made_small() {
    let (_folder, path) = temp_file("store.db");
    let store = open(&path);
    (0..3).for_each(|n| put(&store, &n.to_string()));
    gone(&store, "free_pages");
    store.execute("DELETE FROM sprongus_artifacts", &[]).unwrap();
    let fix = found(&store, "free_pages").fix;
    store.close();
    drop(store);
    raw(&path).execute_batch(statement(&fix)).unwrap();
    gone(&open(&path), "free_pages");
    assert!(std::fs::metadata(&path).unwrap().len() < 8 << 20);
}

/// An index that misses a row: SQLite told that there is none, while the row is written.
#[test]
fn a_damaged_index_is_found_when_looked_for() {
    let (_folder, path) = temp_file("store.db");
    let store = open(&path);
    let deep = |store: &Store| of(store.examine(&Examine { deep: true }).unwrap(), "damaged");
    store.runs().enqueue(&Enqueue::new("k", Json::null())).unwrap();
    assert_eq!(deep(&store), None);
    store.close();
    drop(store);
    let unseen = "PRAGMA writable_schema = on; CREATE TEMP TABLE kept AS SELECT rowid AS place, * FROM sqlite_schema \
                  WHERE name = 'sprongus_runs_kind'; DELETE FROM sqlite_schema WHERE name = 'sprongus_runs_kind'; \
                  PRAGMA writable_schema = reset;";
    let seen = "PRAGMA writable_schema = on; INSERT INTO sqlite_schema SELECT type, name, tbl_name, rootpage, sql FROM kept; \
                PRAGMA writable_schema = reset;";
    let host = raw(&path);
    host.execute_batch(unseen).unwrap();
    host.execute_batch("UPDATE sprongus_runs SET kind = 'another'").unwrap();
    host.execute_batch(seen).unwrap();
    drop(host);
    let store = open(&path);
    gone(&store, "damaged");
    let one = deep(&store).unwrap();
    assert!(one.message.contains("sprongus_runs_kind"), "{one}");
    store.execute(statement(&one.fix), &[]).unwrap();
    assert_eq!(deep(&store), None);
}

/// Pages of the file that hold something else: the copy is what helps.
#[test]
fn a_damaged_file_comes_from_its_copy() {
    let (folder, path) = temp_file("store.db");
    let store = open(&path);
    for n in 0..500 {
        store.runs().enqueue(&Enqueue::new(format!("kind {n}"), Json::null())).unwrap();
    }
    let copy = folder.path().join("copy.db");
    store.snapshot(&copy).unwrap();
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'sprongus_events'";
    let Value::Int(page) = store.query(root, &[]).unwrap()[0].values()[0] else { panic!("a page") };
    store.close();
    drop(store);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = (page as usize - 1) * 4096;
    bytes[at + 100..at + 4000].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    let store = open(&path);
    let report = store.examine(&Examine { deep: true });
    let said = match &report {
        Ok(report) => format!("{report}"),
        Err(error) => error.to_string(),
    };
    assert!(said.contains("damaged") && said.contains("restore it from a copy"), "{said}");
    store.close();
    drop(store);
    std::fs::copy(&copy, &path).unwrap();
    assert_eq!(of(open(&path).examine(&Examine { deep: true }).unwrap(), "damaged"), None);
}

#[cfg(unix)]
#[test]
fn side_files_of_another_user_are_found() {
    let (_folder, path) = temp_file("store.db");
    let store = open(&path);
    gone(&store, "other_owner");
    let log = path.with_file_name("store.db-wal");
    if std::os::unix::fs::chown(&log, Some(1), None).is_err() {
        // Root alone may give a file away.
        return gone(&store, "other_owner");
    }
    let one = found(&store, "other_owner");
    assert!(one.message.contains(log.to_str().unwrap()), "{one}");
    let command = statement(&one.fix);
    assert!(std::process::Command::new("sh").args(["-c", command]).status().unwrap().success(), "{command}");
    gone(&store, "other_owner");
}
