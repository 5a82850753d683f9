//! Runs enqueued again and again: one per slot, however many hosts tick (DESIGN.md §5 "Schedules").

mod model;

pub use model::{NextTimes, Overlap, PutSchedule, Schedule, ScheduleName, Tick};

use crate::clock::Timestamp;
use crate::error::Result;
use crate::session::Session;

/// The schedules of a store, or of an open transaction.
#[derive(Clone, Copy)]
pub struct Schedules<'s> {
    session: Session<'s>,
}

impl<'s> Schedules<'s> {
    pub(crate) fn new(session: Session<'s>) -> Self {
        Self { session }
    }

    /// Makes a schedule, or changes the one of that name.
    pub fn put(&self, request: &PutSchedule) -> Result<Schedule> {
        let _ = (self.session, request);
        Err(crate::runs::unfinished())
    }

    /// One schedule. Errors: `not_found`.
    pub fn get(&self, request: &ScheduleName) -> Result<Schedule> {
        let _ = request;
        Err(crate::runs::unfinished())
    }

    /// All schedules that the handle sees, by name.
    pub fn list(&self) -> Result<Vec<Schedule>> {
        Err(crate::runs::unfinished())
    }

    /// Holds a schedule back; once more is no change.
    pub fn pause(&self, request: &ScheduleName) -> Result<Schedule> {
        let _ = request;
        Err(crate::runs::unfinished())
    }

    /// Lets a schedule go on from now; once more is no change.
    pub fn resume(&self, request: &ScheduleName) -> Result<Schedule> {
        let _ = request;
        Err(crate::runs::unfinished())
    }

    /// Removes a schedule; its runs stay. Errors: `not_found`.
    pub fn delete(&self, request: &ScheduleName) -> Result<()> {
        let _ = request;
        Err(crate::runs::unfinished())
    }

    /// The next slots of a schedule. Errors: `not_found`.
    pub fn next_times(&self, request: &NextTimes) -> Result<Vec<Timestamp>> {
        let _ = request;
        Err(crate::runs::unfinished())
    }

    /// Enqueues the runs of slots that have come, and gives their number; claims do the same as they go.
    pub fn tick(&self, request: &Tick) -> Result<i64> {
        let _ = request;
        Err(crate::runs::unfinished())
    }
}
