//! Errands: what one caller does for another, and how each gets its own end.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::thread::{ScopedJoinHandle, ThreadId, current, scope, yield_now};

use super::*;
use crate::db::Errand;

fn insert(n: i64) -> Errand {
    Box::new(move |exec, _| exec.execute("INSERT INTO t VALUES ($1)", &[n.into()]).map(drop))
}

fn send(db: &SqliteDb, errand: Errand) -> Result<Commit> {
    db.send(Unit::Statement, soon(), &mut Some(errand))
}

/// Runs `callers` on threads of their own, which stand in the queue in that order while the writer is held, and then lets
/// them have it.
fn in_order<T: Send>(db: &SqliteDb, callers: Vec<Box<dyn FnOnce() -> T + Send + '_>>) -> Vec<std::thread::Result<T>> {
    let held = db.hold(soon()).unwrap();
    scope(|threads| {
        let callers: Vec<ScopedJoinHandle<'_, T>> = callers
            .into_iter()
            .enumerate()
            .map(|(n, caller)| {
                let thread = threads.spawn(caller);
                while db.writer.waiting() <= n {
                    yield_now();
                }
                thread
            })
            .collect();
        drop(held);
        callers.into_iter().map(ScopedJoinHandle::join).collect()
    })
}

/// Tries on a new store until all callers were in one transaction: a busy machine may let a group grow too old.
fn until_shared(mut is_shared: impl FnMut(&SqliteDb) -> bool) {
    let tried = (0..50).any(|_| {
        let folder = tempfile::tempdir().unwrap();
        is_shared(&open(&folder))
    });
    assert!(tried, "no transaction was shared by all");
}

fn baton(db: &SqliteDb) -> Baton {
    match db.writer.take(false, &mut None, soon()).unwrap() {
        Answer::Turn(baton, _) => baton,
        Answer::Done(..) => panic!("nothing was there to be done"),
    }
}

/// Those of one commit come back one after another: the first of them does not commit alone.
#[test]
fn those_of_the_last_commit_are_waited_for() {
    until_shared(|db| {
        let callers: Callers<'_, bool> = (1..=3).map(|n| Box::new(move || send(db, insert(n)).is_ok()) as _).collect();
        assert!(in_order(db, callers).into_iter().all(std::thread::Result::unwrap));
        let mut held = baton(db);
        let shared = held.awaits().is_some();
        held.hurry();
        assert!(held.awaits().is_none());
        db.writer.give(held);
        assert!(send(db, insert(4)).is_ok());
        let held = baton(db);
        assert!(held.awaits().is_none(), "who is alone waits for nobody");
        db.writer.give(held);
        shared
    });
}

#[test]
fn whoever_has_the_writer_may_wait_for_the_next_caller() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    let held = baton(&db);
    assert!(db.writer.next_to_join(None).is_none());
    assert!(db.writer.next_to_join(Some(Instant::now())).is_none());
    scope(|threads| {
        let late = threads.spawn(|| {
            std::thread::sleep(Duration::from_millis(20));
            send(&db, insert(1))
        });
        let next = db.writer.next_to_join(Some(soon())).unwrap();
        assert!(next.errand.is_some());
        next.caller.answer(Answer::Turn(held, next.errand));
        assert!(matches!(late.join().unwrap(), Ok(Commit::Done)));
    });
}

type Callers<'c, T> = Vec<Box<dyn FnOnce() -> T + Send + 'c>>;

#[test]
fn whoever_has_the_writer_does_what_others_left() {
    until_shared(|db| {
        let doers: Arc<Mutex<Vec<ThreadId>>> = Arc::default();
        let noting = |n: i64| -> Errand {
            let (mut insert, doers) = (insert(n), doers.clone());
            Box::new(move |exec, waited| {
                doers.lock().unwrap().push(current().id());
                insert(exec, waited)
            })
        };
        assert!(matches!(send(db, noting(0)), Ok(Commit::Done)));
        assert_eq!(*doers.lock().unwrap(), [current().id()], "alone, each does its own");
        doers.lock().unwrap().clear();
        let caller = |n| {
            let noting = &noting;
            move || {
                let mut errand = Some(noting(n));
                assert!(matches!(db.send(Unit::Statement, soon(), &mut errand), Ok(Commit::Done)));
                assert!(errand.is_some(), "it is there again");
                current().id()
            }
        };
        let callers: Callers<'_, ThreadId> = (1..=6).map(|n| Box::new(caller(n)) as _).collect();
        let callers: Vec<ThreadId> = in_order(db, callers).into_iter().map(std::thread::Result::unwrap).collect();
        assert_eq!(count(db), 7);
        // The first in the queue does them all.
        *doers.lock().unwrap() == [callers[0]; 6]
    });
}

#[test]
fn an_errand_that_fails_or_panics_is_its_callers_alone() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    let panics: Errand = Box::new(|exec, _| {
        exec.execute("INSERT INTO t VALUES (3)", &[])?;
        resume_unwind(Box::new("bug"))
    });
    let errands = [insert(1), insert(1), panics, insert(4)];
    let callers: Callers<'_, Result<Commit>> =
        errands.into_iter().map(|errand| Box::new(|| send(&db, errand)) as _).collect();
    let ends = in_order(&db, callers);
    assert!(matches!(ends[0], Ok(Ok(Commit::Done))) && matches!(ends[3], Ok(Ok(Commit::Done))), "{ends:?}");
    assert!(matches!(&ends[1], Ok(Err(error)) if error.code() == ErrorCode::Conflict), "{ends:?}");
    assert_eq!(ends[2].as_ref().unwrap_err().downcast_ref(), Some(&"bug"), "the panic goes on where it came from");
    assert_eq!(count(&db), 2);
}

/// An errand has no savepoint: what is half done is undone with the others', and they are done again.
#[test]
fn an_errand_that_fails_half_way_leaves_nothing_and_takes_nobody_along() {
    until_shared(|db| {
        let times = Arc::new(AtomicU32::new(0));
        let (mut again, counted) = (insert(1), times.clone());
        let again: Errand = Box::new(move |exec, waited| {
            counted.fetch_add(1, Ordering::Relaxed);
            again(exec, waited)
        });
        let half: Errand = Box::new(|exec, _| {
            exec.execute("INSERT INTO t VALUES (2)", &[])?;
            exec.execute("INSERT INTO t VALUES (2)", &[]).map(drop)
        });
        let stays = || {
            db.write(Unit::Transaction, soon(), &mut |exec, _| exec.execute("INSERT INTO t VALUES (3)", &[]).map(drop))
        };
        let callers: Callers<'_, Result<Commit>> = vec![
            Box::new(|| send(db, again)),
            Box::new(stays),
            Box::new(|| send(db, half)),
            Box::new(|| send(db, insert(4))),
        ];
        let ends: Vec<Result<Commit>> = in_order(db, callers).into_iter().map(std::thread::Result::unwrap).collect();
        assert_eq!(ends[2].as_ref().unwrap_err().code(), ErrorCode::Conflict, "{ends:?}");
        assert!([0, 1, 3].iter().all(|n| matches!(ends[*n], Ok(Commit::Done))), "{ends:?}");
        assert_eq!(count(db), 3);
        times.load(Ordering::Relaxed) == 2
    });
}

/// Nor has work that writes rows and stays on its thread.
#[test]
fn plain_work_that_fails_half_way_leaves_nothing_and_takes_nobody_along() {
    until_shared(|db| {
        let times = AtomicU32::new(0);
        let plain = |work: &dyn Fn(&mut dyn Executor) -> Result<()>| {
            db.write(Unit::Statement, soon(), &mut |exec, _| work(exec))
        };
        let again = || {
            plain(&|exec| {
                times.fetch_add(1, Ordering::Relaxed);
                exec.execute("INSERT INTO t VALUES (1)", &[]).map(drop)
            })
        };
        let half = || {
            plain(&|exec| {
                exec.execute("INSERT INTO t VALUES (2)", &[])?;
                exec.execute("INSERT INTO t VALUES (2)", &[]).map(drop)
            })
        };
        let early = || plain(&|_| Err(Error::invalid("nothing of it")));
        let callers: Callers<'_, Result<Commit>> = vec![
            Box::new(again),
            Box::new(|| send(db, insert(3))),
            Box::new(early),
            Box::new(half),
            Box::new(|| send(db, insert(4))),
        ];
        let ends: Vec<Result<Commit>> = in_order(db, callers).into_iter().map(std::thread::Result::unwrap).collect();
        assert_eq!(ends[2].as_ref().unwrap_err().code(), ErrorCode::InvalidArgument, "{ends:?}");
        assert_eq!(ends[3].as_ref().unwrap_err().code(), ErrorCode::Conflict, "{ends:?}");
        assert!([0, 1, 4].iter().all(|n| matches!(ends[*n], Ok(Commit::Done))), "{ends:?}");
        assert_eq!(count(db), 3);
        times.load(Ordering::Relaxed) == 2
    });
}

#[test]
fn an_errand_that_nobody_began_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(&folder));
    let path = folder.path().join("store.db");
    for (interrupt, code) in [(false, ErrorCode::Busy), (true, ErrorCode::Timeout)] {
        let settings = SqliteSettings { interrupt: Some(Arc::new(move || interrupt)), ..settings() };
        let db = SqliteDb::open(Some(path.clone()), settings).unwrap();
        let held = db.hold(soon()).unwrap();
        let by = Instant::now() + if interrupt { Duration::from_secs(60) } else { Duration::from_millis(120) };
        let mut errand = Some(insert(1));
        assert_eq!(db.send(Unit::Statement, by, &mut errand).unwrap_err().code(), code);
        assert!(errand.is_some() && db.writer.waiting() == 0);
        drop(held);
        assert_eq!(count(&db), 0);
    }
}

/// Work that was begun is waited for past its deadline, whoever does it: its end is what the caller is told.
#[test]
fn an_errand_that_was_begun_is_waited_for() {
    until_shared(|db| {
        let by = Instant::now() + Duration::from_millis(500);
        let slow: Errand = Box::new(move |exec, _| {
            std::thread::sleep(by.saturating_duration_since(Instant::now()) + Duration::from_millis(100));
            exec.execute("INSERT INTO t VALUES (2)", &[]).map(drop)
        });
        let callers: Callers<'_, Result<Commit>> =
            vec![Box::new(|| send(db, insert(1))), Box::new(|| db.send(Unit::Statement, by, &mut Some(slow)))];
        let ends = in_order(db, callers);
        let done = matches!(ends[1], Ok(Ok(Commit::Done)));
        assert_eq!(count(db), 1 + i64::from(done), "{ends:?}");
        done
    });
}

#[test]
fn a_transaction_that_an_errand_lost_is_nobodys() {
    until_shared(|db| {
        // As a full disk does, this rolls the whole transaction back, savepoints and all.
        let ruinous: Errand = Box::new(|exec, _| exec.execute("INSERT OR ROLLBACK INTO t VALUES (1)", &[]).map(drop));
        let errands = [insert(1), insert(2), ruinous, insert(4)];
        let callers: Callers<'_, Result<Commit>> =
            errands.into_iter().map(|errand| Box::new(|| send(db, errand)) as _).collect();
        let ends: Vec<Result<Commit>> = in_order(db, callers).into_iter().map(std::thread::Result::unwrap).collect();
        let done = ends.iter().filter(|end| matches!(end, Ok(Commit::Done))).count();
        assert_eq!(count(db), done as i64, "who was told that it is done has its row, and nobody else: {ends:?}");
        ends[0].is_err() && ends[1].is_err() && ends[2].is_err() && ends[3].is_ok()
    });
}

/// A caller whose work stays on its thread may panic in the transaction that errands are in: their callers are told.
#[test]
fn a_panic_in_a_shared_transaction_is_told_to_those_whose_errands_it_undid() {
    until_shared(|db| {
        let panics = || {
            let work = || db.write(Unit::Transaction, soon(), &mut |_, _| resume_unwind(Box::new("bug")));
            assert!(catch_unwind(AssertUnwindSafe(work)).is_err(), "its own panic");
            false
        };
        let callers: Callers<'_, bool> = vec![
            Box::new(|| send(db, insert(1)).is_ok()),
            Box::new(|| send(db, insert(2)).is_ok()),
            Box::new(panics),
            Box::new(|| send(db, insert(3)).is_ok()),
        ];
        let done: Vec<bool> = in_order(db, callers).into_iter().map(std::thread::Result::unwrap).collect();
        assert_eq!(count(db), done.iter().filter(|done| **done).count() as i64, "{done:?}");
        done == [false, false, false, true]
    });
}
