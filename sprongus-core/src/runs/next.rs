//! A claim that first reports the run before as succeeded: one commit for both, and on PostgreSQL one statement.

use super::Runs;
use super::candidates::{Lanes, candidates};
use super::claim::{Claiming, FEW, Taken};
use super::congestion;
use super::looked::Looked;
use super::model::Run;
use super::report::{check_success, succeed, success};
use super::requests::Succeed;
use super::sweep::{Looking, Looks, Todo};
use super::take::{take, take_picked, take_where_looks};
use crate::db::Dialect;
use crate::error::Result;
use crate::id::check_id;
use crate::session::Work;

impl Runs<'_> {
    /// Reports, and claims where the report was taken; where it was made before, it claims.
    pub(super) fn report_and_claim(&self, claiming: &Claiming<'_>, done: &Succeed) -> Result<Vec<Run>> {
        check_id("the id", &done.id)?;
        check_success(self.session, done)?;
        let apart = || {
            self.do_succeed(done)?;
            self.claim(claiming)
        };
        // Who listens is told of each run with all that it is; a claim of many names looks by a statement of its own.
        let listened = self.session.core().subscribers.any();
        if claiming.request.limit == 0 || claiming.is_empty() || claiming.names() > FEW || listened {
            return apart();
        }
        let looked = self.session.core().shared::<Looked>();
        let (lately, now) = (looked.lately(self.session), Looked::now(self.session));
        let both = |events: &[String]| {
            congestion::watched(self.session, || {
                self.session.write_one(|work| self.both(work, claiming, done, lately, events))
            })
        };
        let taken = match self.sure(claiming, both)? {
            // What the run is answers the report.
            Taken::Todo(todo) if todo.refused => return apart(),
            taken => taken,
        };
        match taken {
            Taken::Runs(runs) if i64::try_from(runs.len()) == Ok(claiming.request.limit) => {
                if !lately {
                    looked.note(self.session, Some(now));
                }
                Ok(runs)
            }
            Taken::Runs(runs) if !lately && !runs.is_empty() => Ok(runs),
            Taken::Runs(runs) => self.fill(claiming, runs, &looked),
            Taken::Todo(todo) => self.after(claiming, &todo, &looked),
        }
    }

    fn both(
        &self,
        work: &mut Work<'_>,
        claiming: &Claiming<'_>,
        done: &Succeed,
        lately: bool,
        events: &[String],
    ) -> Result<Taken> {
        if work.dialect() == Dialect::Postgres {
            // In one statement.
            let (report, mut binds) = success(self.session, work, done)?.part(work, &done.id)?;
            if !lately {
                let looking = Looking { binds, ..Looking::new(&self.session, Dialect::Postgres, claiming) };
                return take_where_looks(work, looking, events, Some(report));
            }
            let picked = candidates(Dialect::Postgres, &mut binds, claiming, &Lanes::Unlimited);
            let looks = Looks { report: Some(report), ..Looks::default() };
            return take_picked(work, claiming, events, binds, &picked, Some(&looks));
        }
        if succeed(self.session, work, done)?.is_none() {
            return Ok(Taken::Todo(Todo { refused: true, ..Todo::default() }));
        }
        match lately {
            true => take(work, claiming, &Lanes::Unlimited, events).map(Taken::Runs),
            false => self.take_unless(work, claiming, events),
        }
    }
}
