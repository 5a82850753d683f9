//! Group commit: concurrent callers share one transaction, one fsync (DESIGN.md §2 "SQLite", decision 0001).
//!
//! Whoever has the writer does the errands that others left in the queue, and commits for all. The work of a caller that left
//! none stays on its own thread: it is handed the open transaction, and goes on in the same way. Each gets its own result. A
//! caller alone goes straight through.
//!
//! Only work that may change more than rows gets a savepoint, for which SQLite would copy each page it changes, through a file
//! once they are many: little work fails, and hardly any after it has written.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::baton::{Baton, Done, Ending, Member, Open, Writer};
use super::connection::SqliteConnection;
use super::queue::{Answer, Caller, Waiting};
use crate::db::{Commit, Connection, Errand, Executor};
use crate::error::{Error, ErrorCode, Result};

/// No caller waits for more than so many others, nor longer than this, for its commit.
const MOST_MEMBERS: usize = 64;
const LONGEST: Duration = Duration::from_millis(5);

/// How work goes with that of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Company {
    /// It writes rows: where it fails half way, all are undone, and the others done again.
    Plain,
    /// Whatever it does can be undone alone.
    Saved,
    /// None.
    Alone,
}

/// Runs `work` in a write transaction and commits, with others if it may; it is durable where that says so.
pub(super) fn write(
    queue: &Writer,
    mut baton: Baton,
    company: Company,
    renew: &dyn Fn(&Baton) -> Result<SqliteConnection>,
    work: &mut dyn FnMut(&mut SqliteConnection) -> Result<()>,
) -> Done {
    if baton.connection.broken && baton.group.is_none() {
        match renew(&baton) {
            Ok(connection) => baton = Baton::idle(connection),
            Err(error) => {
                queue.give(baton);
                return Done::Ended(Err(error));
            }
        }
    }
    let mut held = Held { queue, baton: Some(baton) };
    let (worked, left) = held.work(company, work);
    held.end(worked, left, company != Company::Alone).unwrap_or_else(|error| Done::Ended(Err(error)))
}

/// How work left the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// All that succeeded is in it, and nothing else.
    Whole,
    /// A part of what failed is in it.
    Half,
    /// SQLite gave it up.
    RolledBack,
}

impl Left {
    /// By work that failed; so many rows were changed before it.
    fn by(connection: &SqliteConnection, before: u64) -> Self {
        match &connection.raw {
            raw if raw.is_autocommit() => Self::RolledBack,
            raw if raw.total_changes() == before => Self::Whole,
            _ => Self::Half,
        }
    }
}

/// The baton while this caller has it. Dropped in a panic, it rolls back for all and goes on to the next.
struct Held<'q> {
    queue: &'q Writer,
    baton: Option<Baton>,
}

impl Held<'_> {
    fn baton(&mut self) -> Result<&mut Baton> {
        self.baton.as_mut().ok_or_else(gone)
    }

    fn work(
        &mut self,
        company: Company,
        work: &mut dyn FnMut(&mut SqliteConnection) -> Result<()>,
    ) -> (Result<()>, Left) {
        let Ok(Baton { connection, group, .. }) = self.baton() else { return (Err(gone()), Left::Whole) };
        match (group, company) {
            (None, _) => {
                // Where the first fails, nobody else is hurt.
                let worked = connection.begin(true).and_then(|()| work(connection));
                (worked, Left::Whole)
            }
            (Some(_), Company::Plain) => {
                let before = connection.raw.total_changes();
                let worked = work(connection);
                let left = if worked.is_err() { Left::by(connection, before) } else { Left::Whole };
                (worked, left)
            }
            (Some(_), _) => (in_savepoint(connection, work), Left::Whole),
        }
    }

    /// Has the others join, and commits; or hands the open transaction on, and waits for whoever commits it.
    fn end(mut self, worked: Result<()>, left: Left, joins: bool) -> Result<Done> {
        if worked.is_err() && self.baton()?.group.is_none() {
            // Rolled back as it is dropped.
            return worked.map(|()| Done::Undone);
        }
        if self.is_rolled_back()? {
            return Err(self.give_up(worked.err()));
        }
        if left == Left::Half {
            return self.undo(worked);
        }
        self.baton()?.group.get_or_insert_with(|| Open { members: Vec::new(), since: Instant::now() });
        while joins && self.has_room()? {
            let until = self.baton()?.awaits();
            let Some(Waiting { caller, errand, since, .. }) = self.queue.next_to_join(until) else { break };
            let Some(errand) = errand else { return self.pass(&caller, worked) };
            match self.run(caller, errand, since.elapsed())? {
                (Left::Whole, _) => {}
                (Left::RolledBack, why) => {
                    let error = self.give_up(why);
                    return worked.and(Err(error));
                }
                (Left::Half, _) => return self.undo(worked),
            }
        }
        let committed = self.commit();
        self.finish(&Ending::of(&committed));
        worked.and(committed).map(|commit| Done::Ended(Ok(commit)))
    }

    /// Commits, and notes whose next calls are to be expected.
    fn commit(&mut self) -> Result<Commit> {
        let queue = self.queue;
        let baton = self.baton()?;
        let begun = Instant::now();
        let committed = baton.connection.commit();
        baton.expect(queue.waiting(), begun.elapsed());
        committed
    }

    /// Undoes what all did, to be done again, for a part of what failed is among it.
    fn undo(mut self, worked: Result<()>) -> Result<Done> {
        self.baton()?.connection.rollback();
        self.finish(&Ending::Undone);
        worked.map(|()| Done::Undone)
    }

    fn has_room(&mut self) -> Result<bool> {
        let room = |group: &Open| group.members.len() + 1 < MOST_MEMBERS && group.since.elapsed() < LONGEST;
        Ok(self.baton()?.group.as_ref().is_some_and(room))
    }

    /// Whether SQLite rolled the whole transaction back by itself (disk full, I/O error): nobody's work is there.
    fn is_rolled_back(&mut self) -> Result<bool> {
        Ok(self.baton()?.connection.raw.is_autocommit())
    }

    /// Does another caller's errand; the caller is answered now where it failed, and why is told, else when it is committed.
    fn run(
        &mut self,
        caller: Arc<Caller<Baton, Done>>,
        mut errand: Errand,
        waited: Duration,
    ) -> Result<(Left, Option<Error>)> {
        let Baton { connection, group, .. } = self.baton()?;
        let before = connection.raw.total_changes();
        // The others have no part in a panic of it.
        let worked = catch_unwind(AssertUnwindSafe(|| errand(connection, waited)));
        let errand = Some(errand);
        let (done, why) = match (worked, group) {
            (Ok(Ok(())), Some(group)) => {
                group.members.push(Member { caller, errand });
                return Ok((Left::Whole, None));
            }
            (Ok(worked), _) => {
                let error = worked.err().unwrap_or_else(gone);
                let why = Error::new(error.code(), error.message());
                (Done::Ended(Err(error)), why)
            }
            (Err(panic), _) => (Done::Panicked(panic), Error::new(ErrorCode::Panic, "the work of another panicked")),
        };
        caller.answer(Answer::Done(done, errand));
        Ok((Left::by(connection, before), Some(why)))
    }

    /// Hands the open transaction on to a caller whose work stays on its own thread.
    fn pass(mut self, next: &Caller<Baton, Done>, worked: Result<()>) -> Result<Done> {
        let mut baton = self.baton.take().ok_or_else(gone)?;
        let own = Arc::new(Caller::default());
        if worked.is_ok() {
            baton.group.iter_mut().for_each(|group| group.members.push(Member { caller: own.clone(), errand: None }));
        }
        next.answer(Answer::Turn(baton, None));
        worked?;
        match own.wait_on() {
            Answer::Done(done, _) => Ok(done),
            Answer::Turn(baton, _) => {
                self.baton = Some(baton);
                Err(gone())
            }
        }
    }

    /// The transaction is gone, and with it what is in it; the error to be told.
    fn give_up(&mut self, why: Option<Error>) -> Error {
        let rolled_back = || Error::new(ErrorCode::Storage, "the transaction was rolled back by the database");
        let error = why.unwrap_or_else(rolled_back);
        self.finish(&Ending::Failed(error.code(), error.message().to_owned()));
        error
    }

    /// Gives the writer on, and then tells those who were in the transaction how it ended.
    fn finish(&mut self, ending: &Ending) {
        let Some(mut baton) = self.baton.take() else { return };
        let members = baton.group.take().map(|group| group.members).unwrap_or_default();
        self.queue.give(baton);
        for Member { caller, errand } in members {
            caller.answer(Answer::Done(ending.clone().into_done(), errand));
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(baton) = &mut self.baton {
            baton.connection.rollback();
            self.finish(&Ending::Failed(
                ErrorCode::Panic,
                "another caller's work panicked in the shared transaction; nothing was written".to_owned(),
            ));
        }
    }
}

/// Does work whose failure leaves nothing of it behind, and the others' as it is.
fn in_savepoint(
    connection: &mut SqliteConnection,
    work: &mut dyn FnMut(&mut SqliteConnection) -> Result<()>,
) -> Result<()> {
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

fn gone() -> Error {
    Error::new(ErrorCode::Panic, "the writer is gone")
}
