//! What callers of the writer hand on to one another, and how it ended for them.

use std::any::Any;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connection::SqliteConnection;
use super::queue::{Caller, FairQueue};
use crate::db::{Commit, Errand};
use crate::error::{Error, ErrorCode, Result};

/// No commit waits longer than this for those of the last one.
const AWHILE: Duration = Duration::from_millis(1);

/// The queue for the one writing connection.
pub(super) type Writer = FairQueue<Baton, Done>;

/// What the queue hands on: the connection, and the transaction open on it, if one is.
pub(super) struct Baton {
    pub(super) connection: SqliteConnection,
    pub(super) group: Option<Open>,
    returning: Returning,
}

/// Those whose calls ended with the last commit, as far as they left errands: one after another they come back with the next,
/// and would find the first of them committing alone.
#[derive(Clone, Copy, Default)]
struct Returning {
    /// How many, with those who were in the queue then: now, or at the commit before, for one that came together but in part
    /// is no sign that the others are gone.
    callers: usize,
    now: usize,
    /// Waiting for them longer than a commit takes gains nothing.
    until: Option<Instant>,
}

/// An open transaction.
pub(super) struct Open {
    /// Whose work is in it, but for the one who has the baton.
    pub(super) members: Vec<Member>,
    /// Since the first was done with its own.
    pub(super) since: Instant,
}

/// A caller who waits for the commit, with the errand that was done for it.
pub(super) struct Member {
    pub(super) caller: Arc<Caller<Baton, Done>>,
    pub(super) errand: Option<Errand>,
}

/// What became of work in a transaction.
pub(super) enum Done {
    Ended(Result<Commit>),
    Panicked(Box<dyn Any + Send>),
    /// It was undone with that of another, which failed: it is to be done again.
    Undone,
}

/// How a transaction ended, to be told to each of its members.
#[derive(Clone)]
pub(super) enum Ending {
    Done,
    Unknown(ErrorCode, String),
    Failed(ErrorCode, String),
    Undone,
}

impl Baton {
    pub(super) fn idle(connection: SqliteConnection) -> Self {
        Self { connection, group: None, returning: Returning::default() }
    }

    /// The commit to come waits for no disk, and for nobody.
    pub(super) fn hurry(&mut self) {
        self.returning = Returning::default();
    }

    /// After a commit that took so long, with so many in the queue.
    pub(super) fn expect(&mut self, waiting: usize, took: Duration) {
        let now = match self.errands() {
            0 => 0,
            errands => errands + 1 + waiting,
        };
        let until = Some(Instant::now() + took.min(AWHILE));
        self.returning = Returning { callers: now.max(self.returning.now), now, until };
    }

    /// How many errands were done in the open transaction.
    fn errands(&self) -> usize {
        let members = self.group.iter().flat_map(|group| &group.members);
        members.filter(|member| member.errand.is_some()).count()
    }

    /// Until when the next caller is waited for, if one is expected.
    pub(super) fn awaits(&self) -> Option<Instant> {
        self.returning.until.filter(|_| self.errands() + 1 < self.returning.callers)
    }
}

impl Done {
    /// As if the caller had done it: a panic goes on where it belongs. None where it is to be done again.
    pub(super) fn ended(self) -> Option<Result<Commit>> {
        match self {
            Self::Ended(result) => Some(result),
            Self::Panicked(panic) => resume_unwind(panic),
            Self::Undone => None,
        }
    }
}

impl Ending {
    pub(super) fn of(committed: &Result<Commit>) -> Self {
        match committed {
            Ok(Commit::Done) => Self::Done,
            Ok(Commit::Unknown(error)) => Self::Unknown(error.code(), error.message().to_owned()),
            Err(error) => Self::Failed(error.code(), error.message().to_owned()),
        }
    }

    pub(super) fn into_done(self) -> Done {
        Done::Ended(match self {
            Self::Done => Ok(Commit::Done),
            Self::Unknown(code, message) => Ok(Commit::Unknown(Error::new(code, message))),
            Self::Failed(code, message) => Err(Error::new(code, message)),
            Self::Undone => return Done::Undone,
        })
    }
}
