//! A unit of work as the ground of services: what they do then is part of its one commit.

use std::cell::RefCell;
use std::time::Instant;

use super::{Core, Ground, Lasting, Who, Work};
use crate::db::{Executor, Unit};
use crate::error::Result;

/// Each write of a service is a savepoint of the work: one that fails has written nothing, and the work goes on.
pub(crate) struct Within<'x, 'w> {
    work: RefCell<&'x mut Work<'w>>,
    core: &'w Core,
    who: Who,
}

impl<'x, 'w> Within<'x, 'w> {
    /// Over that work, in the name of `who`.
    pub(crate) fn new(work: &'x mut Work<'w>, who: Who) -> Self {
        let core = work.core;
        Self { work: RefCell::new(work), core, who }
    }
}

const STEP: &str = "sprongus_step";

impl Ground for Within<'_, '_> {
    fn core(&self) -> &Core {
        self.core
    }

    fn who(&self) -> &Who {
        &self.who
    }

    fn read(&self, _: bool, _: Instant, work: &mut dyn FnMut(&mut dyn Executor) -> Result<()>) -> Result<()> {
        work(self.work.borrow_mut().exec)
    }

    fn write(&self, _: Unit, _: Instant, work: &mut dyn FnMut(&mut Work<'_>) -> Result<()>) -> Result<()> {
        let mut outer = self.work.borrow_mut();
        outer.exec.batch(&format!("SAVEPOINT {STEP}"))?;
        let waited = outer.waited();
        let mut inner = Work::new(&mut *outer.exec, self.core, &self.who, waited);
        let done = work(&mut inner);
        let after = inner.after;
        match done {
            Ok(()) => {
                outer.exec.batch(&format!("RELEASE SAVEPOINT {STEP}"))?;
                outer.after.add(after);
                Ok(())
            }
            Err(error) => {
                outer.exec.batch(&format!("ROLLBACK TO SAVEPOINT {STEP}; RELEASE SAVEPOINT {STEP}"))?;
                Err(error)
            }
        }
    }

    fn beside(&self, _: Instant, _: &mut dyn FnMut(&mut dyn Executor) -> Result<()>) -> Result<()> {
        Ok(())
    }

    fn lasting(&self) -> Option<Lasting> {
        None
    }

    fn own_events_from(&self) -> Option<i64> {
        None
    }

    fn in_transaction(&self) -> bool {
        true
    }
}
