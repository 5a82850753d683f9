//! How services read and write within a transaction.

use std::time::{Duration, Instant};

use super::Tx;
use crate::db::{Commit, Dialect, Executor, Lane, Unit};
use crate::error::{ErrorCode, Result};
use crate::events;
use crate::session::{Core, Ground, Lasting, Who, Work, locked};

/// Our operations' savepoint within the host's transaction.
const OPERATION: &str = "sprongus_operation";

impl Ground for Tx<'_> {
    fn core(&self) -> &Core {
        &self.shared.core
    }

    fn who(&self) -> &Who {
        &self.who
    }

    fn in_transaction(&self) -> bool {
        true
    }

    fn read(&self, _: bool, _: Instant, work: &mut dyn FnMut(&mut dyn Executor) -> Result<()>) -> Result<()> {
        self.in_savepoint(|exec, _| work(exec))
    }

    fn beside(&self, by: Instant, work: &mut dyn FnMut(&mut dyn Executor) -> Result<()>) -> Result<()> {
        let Some(store) = &self.shared.store else { return Ok(()) };
        match store.core().db_beside()?.write(Lane::Worker.into(), Unit::Statement, by, &mut |exec, _| work(exec))? {
            Commit::Done => Ok(()),
            Commit::Unknown(error) => Err(error),
        }
    }

    fn lasting(&self) -> Option<Lasting> {
        None
    }

    fn own_events_from(&self) -> Option<i64> {
        locked(&self.shared.state).own_events_from
    }

    fn write(&self, _: Unit, _: Instant, work: &mut dyn FnMut(&mut Work<'_>) -> Result<()>) -> Result<()> {
        let first = self.own_events_from().is_none() && self.shared.core.dialect() == Dialect::Sqlite;
        let mut from = None;
        let after = self.in_savepoint(|exec, waited| {
            if first {
                from = Some(events::next_position(exec)?);
            }
            let mut at = Work::new(exec, &self.shared.core, &self.who, waited);
            work(&mut at).map(|()| at.after)
        })?;
        let mut state = locked(&self.shared.state);
        state.own_events_from = state.own_events_from.or(from);
        state.after.signals.extend(after.signals);
        state.after.canceled.extend(after.canceled);
        state.after.news.extend(after.news);
        state.tallies().add_all(after.tallies);
        if after.witness.is_some() {
            state.after.witness = after.witness;
        }
        Ok(())
    }
}

impl Tx<'_> {
    /// Runs a piece of ours so that its failure leaves nothing behind and the transaction usable.
    fn in_savepoint<T>(&self, work: impl FnOnce(&mut dyn Executor, Duration) -> Result<T>) -> Result<T> {
        self.shared.core.check()?;
        let mut state = locked(&self.shared.state);
        let waited = state.waited();
        let depth = state.open.len();
        let exec = state.usable(self.number)?;
        if let Err(error) = exec.batch(&format!("SAVEPOINT {OPERATION}")) {
            // What a host's connection refuses to be used for has not reached the database.
            state.poisoned = Some(depth).filter(|_| error.code() != ErrorCode::Misuse);
            return Err(error);
        }
        let result = work(exec, waited);
        let ended = match &result {
            Ok(_) => exec.batch(&format!("RELEASE SAVEPOINT {OPERATION}")),
            Err(_) => exec.batch(&format!("ROLLBACK TO SAVEPOINT {OPERATION}; RELEASE SAVEPOINT {OPERATION}")),
        };
        if let Err(error) = ended {
            // The transaction itself is gone (a full disk, a lost connection): nothing in it can be kept.
            state.poisoned = Some(depth);
            return Err(result.err().unwrap_or(error));
        }
        result
    }
}
