//! Limits, figures and retention.

use pyo3::prelude::*;
use sprongus::runs::{LimitKind, Prune, Rescue, RunStatsOf};

use super::Runs;
use crate::args::{Text, Whole, text};
use crate::pages;
use crate::records::{KindLimit, RunStats};
use crate::time::Seconds;

#[pymethods]
impl Runs {
    /// The figures of the queue: the live states exactly, outcomes and waits over the last `window` seconds.
    ///
    /// Its cost is bounded however many runs there are; `sampled` says that there was more than was looked at.
    ///
    /// >>> store.runs.stats().by_state["queued"]
    /// 1
    #[pyo3(
        signature = (*, project = None, window = None),
        text_signature = "($self, *, project=None, window=3600.0)"
    )]
    fn stats<'py>(
        &self,
        py: Python<'py>,
        project: Option<Text>,
        window: Option<Seconds>,
    ) -> PyResult<Bound<'py, RunStats>> {
        let default = RunStatsOf::default();
        let request = RunStatsOf { project: text(project), window: window.map_or(default.window, |window| window.0) };
        RunStats::make(py, self.ground.runs(py, |runs| runs.stats(&request))?)
    }

    /// The limits of all kinds that have one, by kind.
    fn limits<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        pages::list(py, self.ground.runs(py, |runs| runs.limits())?, KindLimit::make)
    }

    /// Limits the runs of a kind, for all workers of all hosts together; without both it lifts the limits.
    ///
    /// concurrency: so many dispatching or running at once. rate: a bucket of so many claims, refilled at that rate `per`
    /// seconds. Needs `admin` on a scoped handle. Raises `InvalidArgumentError`, `PermissionDeniedError`.
    ///
    /// >>> store.runs.limit_kind("mail.send", concurrency=2, rate=100, per=60)
    /// >>> [(limit.kind, limit.concurrency, limit.rate) for limit in store.runs.limits()]
    /// [('mail.send', 2, 100)]
    #[pyo3(
        signature = (kind, *, concurrency = None, rate = None, per = None),
        text_signature = "($self, kind, *, concurrency=None, rate=None, per=1.0)"
    )]
    fn limit_kind(
        &self,
        py: Python<'_>,
        kind: Text,
        concurrency: Option<Whole>,
        rate: Option<Whole>,
        per: Option<Seconds>,
    ) -> PyResult<()> {
        let default = LimitKind::new(kind.0);
        let request = LimitKind {
            concurrency: concurrency.map(|concurrency| concurrency.0),
            rate: rate.map(|rate| rate.0),
            per: per.map_or(default.per, |per| per.0),
            ..default
        };
        self.ground.runs(py, |runs| runs.limit_kind(&request))
    }

    /// Puts runs whose lease has run out back into the queue, and gives their number; claims do the same as they go.
    #[pyo3(signature = (*, limit = Whole(1000)), text_signature = "($self, *, limit=1000)")]
    fn rescue(&self, py: Python<'_>, limit: Whole) -> PyResult<i64> {
        let request = Rescue { limit: limit.0 };
        self.ground.runs(py, |runs| runs.rescue(&request))
    }

    /// Removes runs that ended so many seconds ago, with their events, steps, approvals and outputs; their number.
    ///
    /// Never a live run. succeeded_after: 30 days unless given; failed_after, 90 days: failed, denied, canceled, timed out.
    /// At most `limit` in one call: call it again until it gives less.
    ///
    /// >>> [run] = store.runs.claim_next("worker-1")
    /// >>> done = store.runs.succeed(run)
    /// >>> store.runs.prune(succeeded_after=0)
    /// 1
    #[pyo3(
        signature = (*, succeeded_after = None, failed_after = None, limit = Whole(10_000)),
        text_signature = "($self, *, succeeded_after=2592000.0, failed_after=7776000.0, limit=10000)"
    )]
    fn prune(
        &self,
        py: Python<'_>,
        succeeded_after: Option<Seconds>,
        failed_after: Option<Seconds>,
        limit: Whole,
    ) -> PyResult<i64> {
        let default = Prune::default();
        let request = Prune {
            succeeded_after: succeeded_after.map_or(default.succeeded_after, |after| after.0),
            failed_after: failed_after.map_or(default.failed_after, |after| after.0),
            limit: limit.0,
        };
        self.ground.runs(py, |runs| runs.prune(&request))
    }
}
