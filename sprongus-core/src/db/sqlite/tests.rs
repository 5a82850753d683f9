//! What only the inside of the backend can show.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod errands;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::queue::{Answer, FairQueue};
use super::*;

fn settings() -> SqliteSettings {
    SqliteSettings {
        durability: Durability::Full,
        busy_timeout: Duration::from_secs(5),
        call_timeout: Duration::from_secs(5),
        pool_size: 4,
        statement_cache: true,
        allow_network_fs: false,
        read_only: false,
        interrupt: None,
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

fn open(folder: &tempfile::TempDir) -> SqliteDb {
    let db = SqliteDb::open(Some(folder.path().join("store.db")), settings()).unwrap();
    db.write(Unit::Transaction, soon(), &mut |exec, _| exec.batch("CREATE TABLE t (n INTEGER UNIQUE)")).unwrap();
    db
}

fn count(db: &SqliteDb) -> i64 {
    let mut rows = Vec::new();
    db.read(Lane::Host, false, soon(), &mut |exec| exec.query("SELECT count(*) FROM t", &[]).map(|got| rows = got))
        .unwrap();
    rows[0].int(0).unwrap()
}

#[test]
fn an_old_sqlite_is_refused() {
    assert_eq!(super::open::check_version(3_051_002, "3.51.2").unwrap_err().code(), ErrorCode::Unsupported);
    super::open::check_version(3_051_003, "3.51.3").unwrap();
}

#[test]
fn the_queue_is_fair_and_gives_up_at_the_deadline() {
    let queue: Arc<FairQueue<u32, ()>> = Arc::new(FairQueue::new(0, None));
    let take = |queue: &FairQueue<u32, ()>, by| match queue.take(false, &mut None, by) {
        Ok(Answer::Turn(thing, _)) => Ok(thing),
        Ok(Answer::Done(..)) => panic!("nobody does it"),
        Err(error) => Err(error),
    };
    let held = take(&queue, soon()).unwrap();
    let early = take(&queue, Instant::now() + Duration::from_millis(30)).unwrap_err();
    assert_eq!(early.code(), ErrorCode::Busy);
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let threads: Vec<_> = (0..5)
        .map(|n| {
            let (mine, order) = (queue.clone(), order.clone());
            let thread = std::thread::spawn(move || {
                let thing = take(&mine, soon()).unwrap();
                order.lock().unwrap().push(n);
                mine.give(thing);
            });
            // Each stands in the queue before the next comes.
            while queue.waiting() <= n {
                std::thread::yield_now();
            }
            thread
        })
        .collect();
    queue.give(held);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
}

#[test]
fn concurrent_writers_share_commits_and_keep_their_own_results() {
    let folder = tempfile::tempdir().unwrap();
    let db = Arc::new(open(&folder));
    let refused = Arc::new(AtomicU32::new(0));
    let threads: Vec<_> = (0..16_i64)
        .map(|thread| {
            let (db, refused) = (db.clone(), refused.clone());
            std::thread::spawn(move || {
                for n in 0..50_i64 {
                    // Every tenth is another thread's number too: one of the two is refused, and only that one.
                    let value = if n % 10 == 0 { -n } else { thread * 1000 + n };
                    let mut insert = move |exec: &mut dyn Executor, _| {
                        exec.execute("INSERT INTO t VALUES ($1)", &[value.into()]).map(drop)
                    };
                    // In one group are those whose work stays with them, and errands.
                    let written = match (thread + n) % 3 {
                        0 => db.write(Unit::Transaction, soon(), &mut insert),
                        _ => db.send(Unit::Transaction, soon(), &mut Some(Box::new(insert))),
                    };
                    match written {
                        Ok(Commit::Done) => {}
                        Err(error) if error.code() == ErrorCode::Conflict => {
                            refused.fetch_add(1, Ordering::Relaxed);
                        }
                        other => panic!("{other:?}"),
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(count(&db), 16 * 45 + 5);
    assert_eq!(refused.load(Ordering::Relaxed), 15 * 5);
}

#[test]
fn a_panic_in_the_work_leaves_the_writer_usable() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = db.write(Unit::Transaction, soon(), &mut |exec, _| {
            exec.execute("INSERT INTO t VALUES (1)", &[])?;
            std::panic::resume_unwind(Box::new("bug"));
        });
    }));
    assert!(panicked.is_err());
    assert_eq!(count(&db), 0);
    db.write(Unit::Transaction, soon(), &mut |exec, _| exec.execute("INSERT INTO t VALUES (2)", &[]).map(drop))
        .unwrap();
    assert_eq!(count(&db), 1);
}

#[test]
fn a_transaction_that_sqlite_gave_up_is_nobodys() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    let insert =
        |sql: &'static str| db.write(Unit::Transaction, soon(), &mut |exec, _| exec.execute(sql, &[]).map(drop));
    let opened = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| {
            db.write(Unit::Transaction, soon(), &mut |exec, _| {
                exec.execute("INSERT INTO t VALUES (1)", &[])?;
                opened.wait();
                // The second stands in the queue by then, and joins.
                std::thread::sleep(Duration::from_millis(200));
                Ok(())
            })
        });
        opened.wait();
        // As a full disk does, this rolls the whole transaction back, savepoints and all.
        let second = insert("INSERT OR ROLLBACK INTO t VALUES (1)").unwrap_err();
        assert_eq!(second.code(), ErrorCode::Conflict, "its own error, not that of its savepoint: {second}");
        assert!(first.join().unwrap().is_err(), "it was not told that its work is gone");
    });
    assert_eq!(count(&db), 0);
    insert("INSERT INTO t VALUES (2)").unwrap();
}

#[test]
fn an_interrupt_ends_a_wait_as_a_timeout() {
    let folder = tempfile::tempdir().unwrap();
    let other = open(&folder);
    let settings = SqliteSettings { interrupt: Some(Arc::new(|| true)), pool_size: 1, ..settings() };
    let db = SqliteDb::open(Some(folder.path().join("store.db")), settings).unwrap();
    let write =
        || db.write(Unit::Transaction, soon(), &mut |exec, _| exec.execute("INSERT INTO t VALUES (1)", &[]).map(drop));
    let start = Instant::now();
    let held = db.hold(soon()).unwrap();
    assert_eq!(write().unwrap_err().code(), ErrorCode::Timeout, "the queue");
    drop(held);
    let mut held = other.hold(soon()).unwrap();
    held.begin(true).unwrap();
    assert_eq!(write().unwrap_err().code(), ErrorCode::Timeout, "another process's lock");
    drop(held);
    db.read(Lane::Host, false, soon(), &mut |_| {
        let inner = db.read(Lane::Host, false, soon(), &mut |_| Ok(()));
        assert_eq!(inner.unwrap_err().code(), ErrorCode::Timeout, "the readers");
        Ok(())
    })
    .unwrap();
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    write().unwrap();
}

#[test]
fn readers_of_the_host_leave_workers_theirs() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(&folder));
    let settings = SqliteSettings { pool_size: 1, ..settings() };
    let db = SqliteDb::open(Some(folder.path().join("store.db")), settings).unwrap();
    db.read(Lane::Host, true, soon(), &mut |_| {
        for lane in [Lane::Worker, Lane::Leases] {
            db.read(lane, false, Instant::now() + Duration::from_secs(1), &mut |_| Ok(())).unwrap();
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn readers_need_no_busy_timeout_and_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(&folder));
    let path = folder.path().join("store.db");
    let db = || {
        let settings = SqliteSettings { busy_timeout: Duration::ZERO, ..settings() };
        SqliteDb::open(Some(path.clone()), settings).unwrap()
    };
    assert_eq!(count(&db()), 0, "a reader that is opened is no lock that is waited for");
    let db = db();
    std::fs::rename(&path, folder.path().join("elsewhere.db")).unwrap();
    let gone = db.read(Lane::Host, false, Instant::now() + Duration::from_millis(200), &mut |_| Ok(())).unwrap_err();
    assert_eq!(gone.code(), ErrorCode::Unavailable, "{gone}");
}

#[test]
fn only_strangers_to_our_sqlite_are_warned_of() {
    use super::opened::{Neighbour, find};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join("store.db");
    let here = std::process::id();
    let db = open(&folder);
    assert_eq!(find(&path, here), Neighbour::None, "a second store on the file is no danger");
    assert_eq!(find(&path, here + 1), Neighbour::Inherited, "as a forked child sees it");
    drop(db);
    assert_eq!(find(&path, here + 1), Neighbour::None);
    // A connection that is not a store's: what another copy of SQLite looks like from outside.
    let stranger = rusqlite::Connection::open(&path).unwrap();
    stranger.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(find(&path, here), if cfg!(target_os = "linux") { Neighbour::Another } else { Neighbour::None });
}

#[test]
fn a_replaced_log_is_never_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    let wal = folder.path().join("store.db-wal");
    // What a second copy of SQLite does when it closes the file as the "last" user.
    std::fs::remove_file(&wal).unwrap();
    let insert = |n: i64| {
        db.write(Unit::Transaction, soon(), &mut |exec, _| {
            exec.execute("INSERT INTO t VALUES ($1)", &[n.into()]).map(drop)
        })
    };
    assert_eq!(insert(1).unwrap_err().code(), ErrorCode::SplitBrain);
    assert_eq!(insert(2).unwrap_err().code(), ErrorCode::SplitBrain, "it stays so until the store is opened again");
}

#[test]
fn what_another_process_locks_is_waited_for_until_the_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    let other = SqliteDb::open(Some(folder.path().join("store.db")), settings()).unwrap();
    let mut held = other.hold(soon()).unwrap();
    held.begin(true).unwrap();
    let start = Instant::now();
    let busy = db.write(Unit::Transaction, Instant::now() + Duration::from_millis(200), &mut |exec, _| {
        exec.execute("INSERT INTO t VALUES (1)", &[]).map(drop)
    });
    assert_eq!(busy.unwrap_err().code(), ErrorCode::Busy);
    assert!(
        start.elapsed() >= Duration::from_millis(190) && start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
    held.rollback();
    db.write(Unit::Transaction, soon(), &mut |exec, _| exec.execute("INSERT INTO t VALUES (1)", &[]).map(drop))
        .unwrap();
}

#[test]
#[cfg(unix)]
fn the_file_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    db.snapshot(&folder.path().join("copy.db"), soon()).unwrap();
    for name in ["store.db", "store.db-wal", "store.db-shm", "copy.db"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn attach_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    let other = folder.path().join("other.db");
    let tried = db.write(Unit::Transaction, soon(), &mut |exec, _| {
        exec.execute("ATTACH $1 AS other", &[other.to_str().unwrap().into()]).map(drop)
    });
    assert_eq!(tried.unwrap_err().code(), ErrorCode::PermissionDenied);
}

/// A step waits for no disk; whatever comes after it does again, whoever asks and by whichever way.
#[test]
fn only_steps_are_eased() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    let synchronous = |exec: &mut dyn Executor| exec.query("PRAGMA synchronous", &[]).unwrap()[0].int(0).unwrap();
    let of = |unit: Unit| {
        let mut found = 0;
        let written = db.write(unit, soon(), &mut |exec, _| {
            found = synchronous(exec);
            Ok(())
        });
        assert!(matches!(written, Ok(Commit::Done)));
        found
    };
    for unit in [Unit::Statement, Unit::Transaction, Unit::Bulk] {
        assert_eq!([of(Unit::Step), of(Unit::Step), of(unit), of(unit)], [1, 1, 2, 2], "{unit:?}");
    }
    of(Unit::Step);
    let mut held = db.hold(soon()).unwrap();
    held.begin(true).unwrap();
    assert_eq!(synchronous(&mut held), 2);
}
