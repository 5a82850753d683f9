//! `Schedules`.

use pyo3::prelude::*;
use pyo3::types::PyDateTime;
use sprongus::runs::schedules::{NextTimes, Overlap, PutSchedule, ScheduleName, Tick};

use crate::args::{Text, Whole, pick, text};
use crate::ground::Ground;
use crate::pages;
use crate::records::Schedule;
use crate::runs::document;
use crate::time::{Seconds, datetime};

/// Runs enqueued again and again, by cron expression or interval. Ticked by any worker; one run per slot however many tick.
///
/// >>> store.schedules.put("nightly", "report", cron="0 3 * * *", tz="Europe/Berlin").paused
/// False
/// >>> len(store.schedules.next_times("nightly", limit=3))
/// 3
#[pyclass(module = "sprongus", frozen)]
pub(crate) struct Schedules {
    ground: Ground,
}

impl Schedules {
    pub(crate) fn new(ground: Ground) -> Self {
        Self { ground }
    }
}

#[pymethods]
impl Schedules {
    /// Makes a schedule, or changes the one of that name: give it a `cron` expression, or an interval by `every`.
    ///
    /// every: so many seconds, 1 at least. cron: five fields, or six with seconds first, or "@daily" and the like, read in the
    /// time zone `tz`. overlap: while an earlier run has not ended, a slot is left out ("skip"), or enqueues its run all the
    /// same ("queue"). catch_up: a slot missed by at most so many seconds is made up for. Raises `InvalidArgumentError`.
    #[pyo3(
        signature = (
            name, kind, input = None, *, cron = None, every = None, tz = None, project = None, overlap = None,
            catch_up = None
        ),
        text_signature = "($self, name, kind, input=None, *, cron=None, every=None, tz='UTC', project=None, \
                          overlap='skip', catch_up=0.0)"
    )]
    #[allow(clippy::too_many_arguments)] // Python's keyword arguments
    fn put<'py>(
        &self,
        py: Python<'py>,
        name: Text,
        kind: Text,
        input: Option<Bound<'py, PyAny>>,
        cron: Option<Text>,
        every: Option<Seconds>,
        tz: Option<Text>,
        project: Option<Text>,
        overlap: Option<Text>,
        catch_up: Option<Seconds>,
    ) -> PyResult<Bound<'py, Schedule>> {
        let choices = [("skip", Overlap::Skip), ("queue", Overlap::Queue)];
        let default = PutSchedule::new(name.0, kind.0);
        let request = PutSchedule {
            input: document(input)?,
            cron: text(cron),
            every: every.map(|every| every.0),
            tz: text(tz).unwrap_or(default.tz),
            project: text(project),
            overlap: overlap.map_or(Ok(Overlap::Skip), |name| pick(py, "overlap", &name, &choices))?,
            catch_up: catch_up.map_or(default.catch_up, |late| late.0),
            ..default
        };
        Schedule::make(py, self.ground.schedules(py, |schedules| schedules.put(&request))?)
    }

    /// One schedule; `NotFoundError` where there is none. project: where several have one of that name.
    #[pyo3(signature = (name, *, project = None))]
    fn get<'py>(&self, py: Python<'py>, name: Text, project: Option<Text>) -> PyResult<Bound<'py, Schedule>> {
        let request = named(name, project);
        Schedule::make(py, self.ground.schedules(py, |schedules| schedules.get(&request))?)
    }

    /// All schedules that the handle sees, by name.
    fn list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        pages::list(py, self.ground.schedules(py, |schedules| schedules.list())?, Schedule::make)
    }

    /// Holds a schedule back; once more is no change.
    ///
    /// >>> hourly = store.schedules.put("hourly", "check", every=3600)
    /// >>> store.schedules.pause("hourly").next_at is None
    /// True
    #[pyo3(signature = (name, *, project = None))]
    fn pause<'py>(&self, py: Python<'py>, name: Text, project: Option<Text>) -> PyResult<Bound<'py, Schedule>> {
        let request = named(name, project);
        Schedule::make(py, self.ground.schedules(py, |schedules| schedules.pause(&request))?)
    }

    /// Lets a schedule go on from now: what it missed is not made up for. Once more is no change.
    #[pyo3(signature = (name, *, project = None))]
    fn resume<'py>(&self, py: Python<'py>, name: Text, project: Option<Text>) -> PyResult<Bound<'py, Schedule>> {
        let request = named(name, project);
        Schedule::make(py, self.ground.schedules(py, |schedules| schedules.resume(&request))?)
    }

    /// Removes a schedule; its runs stay. `NotFoundError` where there is none.
    #[pyo3(signature = (name, *, project = None))]
    fn delete(&self, py: Python<'_>, name: Text, project: Option<Text>) -> PyResult<()> {
        let request = named(name, project);
        self.ground.schedules(py, |schedules| schedules.delete(&request))
    }

    /// The next slots of a schedule, as if it were not paused.
    #[pyo3(
        signature = (name, *, project = None, limit = Whole(10)),
        text_signature = "($self, name, *, project=None, limit=10)"
    )]
    fn next_times<'py>(
        &self,
        py: Python<'py>,
        name: Text,
        project: Option<Text>,
        limit: Whole,
    ) -> PyResult<Vec<Bound<'py, PyDateTime>>> {
        let request = NextTimes { name: name.0, project: text(project), limit: limit.0 };
        let times = self.ground.schedules(py, |schedules| schedules.next_times(&request))?;
        times.into_iter().map(|at| datetime(py, at)).collect()
    }

    /// Enqueues the runs of slots that have come, at most `limit`, and gives their number; workers do the same as they go.
    #[pyo3(signature = (*, limit = Whole(100)), text_signature = "($self, *, limit=100)")]
    fn tick(&self, py: Python<'_>, limit: Whole) -> PyResult<i64> {
        let request = Tick { limit: limit.0 };
        self.ground.schedules(py, |schedules| schedules.tick(&request))
    }
}

fn named(name: Text, project: Option<Text>) -> ScheduleName {
    ScheduleName { project: text(project), ..ScheduleName::new(name.0) }
}
