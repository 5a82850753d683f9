//! How a store's services read and write, and what is told after a commit.

use std::mem::take;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::Store;
use crate::aux_store::counters;
use crate::db::{Commit, Db, Errand, Executor, Unit};
use crate::error::Result;
use crate::events::Call;
use crate::session::{After, Core, Ground, Lasting, SentWork, Who, Work, locked};
use crate::settle::{Settled, settle};
use crate::sql;

impl Ground for Store {
    fn core(&self) -> &Core {
        &self.core
    }

    fn who(&self) -> &Who {
        &self.who
    }

    fn in_transaction(&self) -> bool {
        false
    }

    fn read(&self, snapshot: bool, by: Instant, work: &mut dyn FnMut(&mut dyn Executor) -> Result<()>) -> Result<()> {
        self.core.db()?.read(self.seat(), snapshot, by, work)
    }

    fn beside(&self, by: Instant, work: &mut dyn FnMut(&mut dyn Executor) -> Result<()>) -> Result<()> {
        // What is known of events' positions is shared by all handles: it is found out with the eyes of the role, not of one.
        let who = Who { grant: None, ..(*self.who).clone() };
        Self { who: Arc::new(who), ..self.clone() }.write(Unit::Statement, by, &mut |at| work(at.exec()))
    }

    fn lasting(&self) -> Option<Lasting> {
        Some(Arc::new(self.clone()))
    }

    fn own_events_from(&self) -> Option<i64> {
        None
    }

    fn write(&self, unit: Unit, by: Instant, work: &mut dyn FnMut(&mut Work<'_>) -> Result<()>) -> Result<()> {
        self.settled(unit, by, &mut |db| {
            let mut left = Left::default();
            let written = db.write(self.seat(), unit, by, &mut |exec, waited| {
                left = Left::default();
                left.of(Work::new(exec, &self.core, &self.who, waited), unit, work)
            });
            (written, left)
        })
    }

    fn send(&self, unit: Unit, by: Instant, mut work: SentWork) -> Result<()> {
        let (core, who, left) = (self.core.clone(), self.who.clone(), Arc::new(Mutex::new(Left::default())));
        let leaves = left.clone();
        let mut errand: Option<Errand> = Some(Box::new(move |exec, waited| {
            let mut left = Left::default();
            let done = left.of(Work::new(exec, &core, &who, waited), unit, &mut *work);
            *locked(&leaves) = left;
            done
        }));
        self.settled(unit, by, &mut |db| {
            let written = db.send(self.seat(), unit, by, &mut errand);
            (written, take(&mut *locked(&left)))
        })
    }
}

/// What a piece of writing leaves behind.
#[derive(Default)]
struct Left {
    after: After,
    /// From before its commit.
    call: Option<Call>,
}

impl Left {
    fn of(&mut self, mut at: Work<'_>, unit: Unit, work: &mut dyn FnMut(&mut Work<'_>) -> Result<()>) -> Result<()> {
        let subscribers = at.subscribers();
        // A statement commits by itself; before, a transaction commits nothing.
        self.call = (unit == Unit::Statement).then(|| subscribers.call()).flatten();
        let result = work(&mut at);
        self.call = self.call.take().or_else(|| subscribers.call());
        self.after = at.after;
        result
    }
}

impl Store {
    /// Writes once, again where that is known to have taken no effect; then tells of it.
    fn settled(&self, unit: Unit, by: Instant, once: &mut dyn FnMut(&Db) -> (Result<Commit>, Left)) -> Result<()> {
        let db = self.core.db()?;
        let mut tries = 0;
        loop {
            let (written, Left { after, call }) = once(&db);
            match written {
                Ok(Commit::Done) => {}
                Ok(Commit::Unknown(error)) => match settle(&db, self.seat(), &after, unit, error, by)? {
                    Settled::Committed => {}
                    Settled::Lost(_) if tries < 1 => {
                        tries += 1;
                        continue;
                    }
                    Settled::Lost(error) => return Err(error),
                },
                // PostgreSQL chose this one to break a deadlock; nothing was written.
                Err(error) if sql::was_victim(&error) && tries < 5 => {
                    tries += 1;
                    std::thread::sleep(crate::id::jitter(Duration::from_millis(10 << tries)));
                    continue;
                }
                Err(error) => return Err(error),
            }
            self.core.watch.tell(after.told());
            self.core.cancels.tell(&after.canceled);
            self.core.subscribers.tell(call, after.news);
            counters::add(&self.core, after.tallies);
            return Ok(());
        }
    }
}
