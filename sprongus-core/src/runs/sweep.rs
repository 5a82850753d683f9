//! Housekeeping that claims do as they go: one read tells what there is to do, and only that is done. Bounded.

use std::time::Duration;

use super::binds::Binds;
use super::{Runs, congestion, promote, rescue, schedules, timeouts};
use crate::db::{Dialect, Executor};
use crate::error::Result;
use crate::session::{Session, Work};

/// A piece of housekeeping; each concept keeps its own in its own file.
pub(super) struct Chore {
    /// What it is called in the log.
    pub(super) name: &'static str,
    /// SQL of one value that is not null where there is something to do: the first of a range of an index, in the index's
    /// own order, for of EXISTS the planner may think that any row will soon do, and walk.
    pub(super) look: fn(&mut Looking<'_>) -> String,
    /// Does it, bounded.
    pub(super) work: fn(&Runs<'_>, &Claimer<'_>) -> Result<()>,
}

/// In the order in which they are done: a slot's run can be claimed at once, and what took too long is timed out also where
/// its lease has run out as well.
const CHORES: &[Chore] = &[schedules::CHORE, promote::CHORE, timeouts::CHORE, rescue::CHORE];

/// Who does housekeeping on the way to a claim.
pub(super) struct Claimer<'c> {
    pub(super) worker: &'c str,
    pub(super) lease: Duration,
}

/// The questions of one look, as they are put together.
pub(super) struct Looking<'b> {
    pub(super) session: &'b Session<'b>,
    pub(super) dialect: Dialect,
    pub(super) binds: Binds<'b>,
}

impl Looking<'_> {
    /// The SQL of the present.
    pub(super) fn now(&mut self) -> String {
        self.binds.now_for(self.dialect, self.session.options())
    }

    /// ` AND …`: only the project that the handle is confined to.
    pub(super) fn of_project(&mut self) -> String {
        of_project(self.session, &mut self.binds)
    }
}

/// See [`Looking::of_project`].
pub(super) fn of_project<'b>(session: &'b Session<'_>, binds: &mut Binds<'b>) -> String {
    match session.confined() {
        Some(project) => format!(" AND project_id = {}", binds.add(project)),
        None => String::new(),
    }
}

impl Runs<'_> {
    /// Looks whether there is anything to do, and does it. Its failure is no reason not to claim.
    pub(super) fn sweep(&self, worker: &str, lease: Duration) {
        let claimer = Claimer { worker, lease };
        // Watched each for itself: even a read may have waited, where there is one connection.
        let look = congestion::watched(self.session, || self.session.read(|exec| self.looks(exec)));
        for chore in look.unwrap_or_else(|error| failed("the look at what is to be done", &error)) {
            if let Err(error) = congestion::watched(self.session, || (chore.work)(self, &claimer)) {
                failed::<()>(chore.name, &error);
            }
        }
    }

    /// The chores that there is something to do for.
    fn looks(&self, exec: &mut dyn Executor) -> Result<Vec<&'static Chore>> {
        let mut looking = Looking { session: &self.session, dialect: exec.dialect(), binds: Binds::default() };
        let questions: Vec<String> =
            CHORES.iter().map(|chore| format!("{} IS NOT NULL", (chore.look)(&mut looking))).collect();
        let rows = exec.query(&format!("SELECT {}", questions.join(", ")), looking.binds.values())?;
        let mut there = Vec::new();
        for (index, chore) in CHORES.iter().enumerate() {
            if rows.first().is_some_and(|row| row.bool(index).unwrap_or(false)) {
                there.push(chore);
            }
        }
        Ok(there)
    }
}

fn failed<T: Default>(what: &str, error: &crate::error::Error) -> T {
    tracing::warn!(code = %error.code(), "{what} failed on the way to a claim");
    T::default()
}

/// Does something to one run of many: where that fails it is undone and told, and holds up none of the others.
pub(super) fn one_of_many(
    work: &mut Work<'_>,
    id: &str,
    what: &str,
    change: impl FnOnce(&mut Work<'_>) -> Result<bool>,
) -> Result<bool> {
    work.exec().batch("SAVEPOINT sprongus_sweep")?;
    let changed = change(work);
    let undo = if changed.is_err() { "ROLLBACK TO SAVEPOINT sprongus_sweep; " } else { "" };
    work.exec().batch(&format!("{undo}RELEASE SAVEPOINT sprongus_sweep"))?;
    changed.or_else(|error| {
        tracing::warn!(run = %id, code = %error.code(), "{what} failed for a run");
        Ok(false)
    })
}
