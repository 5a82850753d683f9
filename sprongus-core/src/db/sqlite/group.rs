//! Group commit: concurrent callers share one transaction, a savepoint each, one fsync (DESIGN.md §2 "SQLite").
//!
//! The open transaction is the baton: a caller whose work is done hands it to the next in the queue instead of committing;
//! the last one commits for all, and each gets its own result. A caller alone goes straight through.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::connection::SqliteConnection;
use super::patience::lock;
use super::queue::FairQueue;
use crate::db::{Commit, Connection, Executor};
use crate::error::{Error, ErrorCode, Result};

/// No caller waits for more than so many others, nor longer than this, for its commit.
const MOST_MEMBERS: usize = 64;
const LONGEST: Duration = Duration::from_millis(5);

/// What the queue hands on: the connection, and the transaction open on it, if one is.
pub(super) struct Baton {
    pub(super) connection: SqliteConnection,
    group: Option<Open>,
}

struct Open {
    group: Arc<Group>,
    members: usize,
    since: Instant,
}

/// The callers of one shared transaction, and how its commit ended.
#[derive(Default)]
struct Group {
    ended: Mutex<Option<Ending>>,
    wake: Condvar,
}

#[derive(Clone)]
enum Ending {
    Done,
    Unknown(ErrorCode, String),
    Failed(ErrorCode, String),
}

impl Baton {
    pub(super) fn idle(connection: SqliteConnection) -> Self {
        Self { connection, group: None }
    }
}

/// Runs `work` in a write transaction and commits, with others where it `joins`; `Ok` once it is durable.
pub(super) fn write(
    queue: &FairQueue<Baton>,
    mut baton: Baton,
    joins: bool,
    renew: &dyn Fn(&Baton) -> Result<SqliteConnection>,
    work: &mut dyn FnMut(&mut SqliteConnection) -> Result<()>,
) -> Result<Commit> {
    if baton.connection.broken && baton.group.is_none() {
        match renew(&baton) {
            Ok(connection) => baton = Baton::idle(connection),
            Err(error) => {
                queue.give(baton);
                return Err(error);
            }
        }
    }
    let mut held = Held { queue, baton: Some(baton) };
    let worked = held.work(work);
    held.end(worked, joins)
}

/// The baton while this caller has it. Dropped in a panic, it rolls back for all and goes on to the next.
struct Held<'q> {
    queue: &'q FairQueue<Baton>,
    baton: Option<Baton>,
}

impl Held<'_> {
    fn baton(&mut self) -> Result<&mut Baton> {
        self.baton.as_mut().ok_or_else(|| Error::new(ErrorCode::Panic, "the writer is gone"))
    }

    fn work(&mut self, work: &mut dyn FnMut(&mut SqliteConnection) -> Result<()>) -> Result<()> {
        let baton = self.baton()?;
        let connection = &mut baton.connection;
        if baton.group.is_none() {
            // The first needs no savepoint: where it fails, nobody else is hurt.
            connection.begin(true)?;
            return work(connection);
        }
        connection.execute("SAVEPOINT sprongus_member", &[])?;
        let result = work(connection);
        let undone = if result.is_err() { connection.execute("ROLLBACK TO sprongus_member", &[]) } else { Ok(0) };
        if let Err(error) = undone.and_then(|_| connection.execute("RELEASE sprongus_member", &[])) {
            // SQLite gave up the whole transaction (a full disk); what was to be undone must not be committed.
            connection.rollback();
            return result.and(Err(error));
        }
        result
    }

    /// Commits, or hands the open transaction on and waits for whoever commits it.
    fn end(mut self, worked: Result<()>, joins: bool) -> Result<Commit> {
        let Some(mut baton) = self.baton.take() else {
            return Err(Error::new(ErrorCode::Panic, "the writer is gone"));
        };
        let opened = match baton.group.take() {
            None if worked.is_err() => {
                baton.connection.rollback();
                self.queue.give(baton);
                return worked.map(|()| Commit::Done);
            }
            None => Open { group: Arc::default(), members: 0, since: Instant::now() },
            Some(open) => open,
        };
        if baton.connection.raw.is_autocommit() {
            // SQLite rolled the whole transaction back by itself (disk full, I/O error): nobody's work is there.
            let error = worked
                .err()
                .unwrap_or_else(|| Error::new(ErrorCode::Storage, "the transaction was rolled back by the database"));
            opened.group.finish(Ending::Failed(error.code(), error.message().to_owned()));
            self.queue.give(baton);
            return Err(error);
        }
        let group = opened.group.clone();
        let open = Open { members: opened.members + usize::from(worked.is_ok()), ..opened };
        let full = !joins || open.members >= MOST_MEMBERS || open.since.elapsed() >= LONGEST;
        baton.group = Some(open);
        if !full {
            match self.queue.pass(baton) {
                None => return worked.and_then(|()| group.wait()),
                Some(back) => baton = back,
            }
        }
        baton.group = None;
        let committed = baton.connection.commit();
        group.finish(Ending::of(&committed));
        self.queue.give(baton);
        worked.and(committed)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let Some(mut baton) = self.baton.take() else { return };
        baton.connection.rollback();
        if let Some(open) = baton.group.take() {
            open.group.finish(Ending::Failed(
                ErrorCode::Panic,
                "another caller's work panicked in the shared transaction; nothing was written".to_owned(),
            ));
        }
        self.queue.give(baton);
    }
}

impl Group {
    fn finish(&self, ending: Ending) {
        *lock(&self.ended) = Some(ending);
        self.wake.notify_all();
    }

    fn wait(&self) -> Result<Commit> {
        let mut ended = lock(&self.ended);
        loop {
            match ended.as_ref() {
                Some(ending) => return ending.clone().into_result(),
                None => ended = self.wake.wait(ended).unwrap_or_else(std::sync::PoisonError::into_inner),
            }
        }
    }
}

impl Ending {
    fn of(committed: &Result<Commit>) -> Self {
        match committed {
            Ok(Commit::Done) => Self::Done,
            Ok(Commit::Unknown(error)) => Self::Unknown(error.code(), error.message().to_owned()),
            Err(error) => Self::Failed(error.code(), error.message().to_owned()),
        }
    }

    fn into_result(self) -> Result<Commit> {
        match self {
            Self::Done => Ok(Commit::Done),
            Self::Unknown(code, message) => Ok(Commit::Unknown(Error::new(code, message))),
            Self::Failed(code, message) => Err(Error::new(code, message)),
        }
    }
}
