//! What a worker counts.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::held::Gone;
use super::shared::Shared;
use crate::telemetry::{Histogram, Latency, Timings};

/// The figures of one worker since it was made; read by [`Worker::metrics`](super::Worker::metrics).
///
/// How deep the queue is, a worker does not know: ask [`Runs::stats`](crate::Runs::stats).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkerMetrics {
    /// The worker's name.
    pub worker_id: String,
    /// Runs claimed, each attempt for itself.
    pub claimed: u64,
    /// Attempts reported as a success.
    pub succeeded: u64,
    /// Attempts that ended their run as failed.
    pub failed: u64,
    /// Attempts that failed and are tried again.
    pub retried: u64,
    /// Attempts that put their run off.
    pub snoozed: u64,
    /// Attempts that ended to wait for an approval.
    pub awaiting: u64,
    /// Attempts that took longer than their run's timeout.
    pub timed_out: u64,
    /// Attempts whose run was canceled.
    pub canceled: u64,
    /// Attempts whose lease went to somebody else, or whose run is gone.
    pub lease_lost: u64,
    /// Runs claimed and given back: not begun in time, or interrupted by a stop.
    pub given_back: u64,
    /// Handlers that panicked; counted as retried or failed too.
    pub panicked: u64,
    /// Handlers running now.
    pub running: u64,
    /// Runs claimed that wait for a thread now.
    pub waiting: u64,
    /// Handlers that have ended and whose report is not durable yet.
    pub reporting: u64,
    /// From due to begun.
    pub wait: Latency,
    /// In the handler.
    pub run: Latency,
    /// From the handler's end until the report was durable.
    pub report: Latency,
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Became {
    Succeeded,
    Failed,
    Retried,
    Snoozed,
    Awaiting,
    GivenBack,
    TimedOut,
    Canceled,
    LeaseLost,
}

impl Became {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Retried => "retried",
            Self::Snoozed => "snoozed",
            Self::Awaiting => "awaiting_approval",
            Self::GivenBack => "given_back",
            Self::TimedOut => "timed_out",
            Self::Canceled => "canceled",
            Self::LeaseLost => "lease_lost",
        }
    }
}

impl From<Gone> for Became {
    fn from(gone: Gone) -> Self {
        match gone {
            Gone::Canceled => Self::Canceled,
            Gone::TimedOut => Self::TimedOut,
            Gone::LeaseLost => Self::LeaseLost,
        }
    }
}

/// The counters behind the figures; any thread may count.
#[derive(Default)]
pub(super) struct Meters {
    claimed: AtomicU64,
    panicked: AtomicU64,
    became: [AtomicU64; 9],
    wait: Histogram,
    run: Histogram,
    report: Histogram,
}

impl Meters {
    pub(super) fn claimed(&self, runs: usize) {
        self.claimed.fetch_add(runs as u64, Relaxed);
    }

    pub(super) fn panicked(&self) {
        self.panicked.fetch_add(1, Relaxed);
    }

    /// Counts an attempt, and how long it took where its handler was called.
    pub(super) fn became(&self, became: Became, took: Option<Timings>) {
        if let Some(counter) = self.became.get(became as usize) {
            counter.fetch_add(1, Relaxed);
        }
        if let Some(took) = took {
            self.wait.add(took.wait);
            self.run.add(took.run);
            self.report.add(took.report);
        }
    }
}

impl Shared {
    pub(super) fn metrics(&self) -> WorkerMetrics {
        let meters = &self.meters;
        let of = |became: Became| meters.became.get(became as usize).map_or(0, |counter| counter.load(Relaxed));
        let (running, waiting, reporting) = self.in_flight();
        WorkerMetrics {
            worker_id: self.worker_id.clone(),
            claimed: meters.claimed.load(Relaxed),
            succeeded: of(Became::Succeeded),
            failed: of(Became::Failed),
            retried: of(Became::Retried),
            snoozed: of(Became::Snoozed),
            awaiting: of(Became::Awaiting),
            timed_out: of(Became::TimedOut),
            canceled: of(Became::Canceled),
            lease_lost: of(Became::LeaseLost),
            given_back: of(Became::GivenBack),
            panicked: meters.panicked.load(Relaxed),
            running: running as u64,
            waiting: waiting as u64,
            reporting: reporting as u64,
            wait: meters.wait.latency(),
            run: meters.run.latency(),
            report: meters.report.latency(),
        }
    }
}
