//! Runs enqueued again and again: one per slot, however many hosts tick (DESIGN.md §5 "Schedules", docs/schedules.md).

mod cron;
mod model;
mod put;
mod rows;
mod slots;
mod tick;

pub use model::{NextTimes, Overlap, PutSchedule, Schedule, ScheduleName, Tick};
pub(super) use tick::CHORE;

use self::rows::{COLUMNS, find, read_stored};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::json::Json;
use crate::page::{MAX_LIMIT, check_limit};
use crate::runs::Enqueue;
use crate::scope::Scope;
use crate::session::Session;

/// The schedules of a store, or of an open transaction; from [`Store::schedules`](crate::Store::schedules) or
/// [`Tx::schedules`](crate::Tx::schedules).
///
/// Claims tick as they go, so where workers are at work nobody else needs to. Errors of all: `permission_denied` where the
/// handle lacks the scope, or another project is named than its own.
///
/// ```
/// use sprongus::{Options, Store};
/// use sprongus::runs::schedules::{PutSchedule, ScheduleName};
/// let store = Store::open(":memory:", Options::default())?;
/// let nightly = PutSchedule { cron: Some("30 2 * * *".into()), tz: "Europe/Berlin".into(), ..PutSchedule::new("nightly", "backup") };
/// assert!(store.schedules().put(&nightly)?.next_at.is_some());
/// assert!(store.schedules().pause(&ScheduleName::new("nightly"))?.next_at.is_none());
/// # Ok::<(), sprongus::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Schedules<'s> {
    session: Session<'s>,
}

impl<'s> Schedules<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    fn one_call(self) -> Self {
        Self { session: self.session.one_call() }
    }

    /// Makes a schedule, or changes the one of that name in that project; the same again changes nothing.
    ///
    /// A change of `cron`, `every` or `tz` begins the slots anew from now, any other keeps them; a paused one stays paused.
    /// Errors: `invalid_argument` (a cron expression or time zone that is none, or never comes; both or neither of `cron`
    /// and `every`; less than a second; names), `too_large`, `validation` where the kind is bound to a preset.
    pub fn put(&self, request: &PutSchedule) -> Result<Schedule> {
        self.one_call().do_put(request)
    }

    /// One schedule. Errors: `not_found`; `conflict` where several projects have one of that name and none is named: its
    /// details hold `projects`.
    pub fn get(&self, request: &ScheduleName) -> Result<Schedule> {
        let session = self.session.one_call();
        session.allow(Scope::RunsRead)?;
        let found = session.read(|exec| find(session, exec, &request.name, request.project.as_deref(), false))?;
        Ok(found.schedule)
    }

    /// All schedules that the handle sees, by name, then by project.
    pub fn list(&self) -> Result<Vec<Schedule>> {
        let session = self.session.one_call();
        session.allow(Scope::RunsRead)?;
        let filter = if session.confined().is_some() { " WHERE project_id = $1" } else { "" };
        let sql = format!("SELECT {COLUMNS} FROM sprongus_schedules{filter} ORDER BY name, project_id");
        let project: Vec<_> = session.confined().map(Into::into).into_iter().collect();
        let rows = session.read(|exec| exec.query(&sql, &project))?;
        rows.iter().map(|row| Ok(read_stored(row)?.schedule)).collect()
    }

    /// Holds a schedule back; once more is no change. Errors: as [`Schedules::get`].
    pub fn pause(&self, request: &ScheduleName) -> Result<Schedule> {
        self.one_call().do_pause(request, true)
    }

    /// Lets a schedule go on from now: what came while it was paused is not made up for. Once more is no change.
    ///
    /// Errors: as [`Schedules::get`].
    pub fn resume(&self, request: &ScheduleName) -> Result<Schedule> {
        self.one_call().do_pause(request, false)
    }

    /// Removes a schedule; its runs stay. Errors: as [`Schedules::get`].
    pub fn delete(&self, request: &ScheduleName) -> Result<()> {
        self.one_call().do_delete(request)
    }

    /// The next slots of a schedule, the first being `next_at`; none while it is paused. Errors: as [`Schedules::get`];
    /// `invalid_argument`.
    pub fn next_times(&self, request: &NextTimes) -> Result<Vec<Timestamp>> {
        let session = self.session.one_call();
        session.allow(Scope::RunsRead)?;
        check_limit(request.limit, MAX_LIMIT)?;
        let found = session.read(|exec| find(session, exec, &request.name, request.project.as_deref(), false))?;
        let slots = found.slots()?;
        let times = std::iter::successors(found.schedule.next_at, |slot| slots.next(*slot));
        Ok(times.take(usize::try_from(request.limit).unwrap_or(0)).collect())
    }

    /// Enqueues the runs of slots that have come, and gives their number; claims do the same as they go.
    ///
    /// A schedule whose run is refused (by a preset, say) holds up none: it is logged, and its next slot is tried.
    /// Errors: `invalid_argument`.
    pub fn tick(&self, request: &Tick) -> Result<i64> {
        // Not one deadline: many schedules are many transactions, each of which may wait.
        self.do_tick(request)
    }
}

/// The run of a slot, keyed by it; where no slot is given, as it is judged when the schedule is put.
fn run_of(name: &str, kind: &str, input: &Json, slot: Option<Timestamp>) -> Enqueue {
    Enqueue {
        idempotency_key: slot.map(|slot| format!("schedule:{name}:{slot}")),
        run_at: slot,
        ..Enqueue::new(kind, input.clone())
    }
}

#[cfg(doctest)]
#[doc = include_str!("../../../../docs/schedules.md")]
struct DocsPage;
