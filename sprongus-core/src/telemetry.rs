//! What a worker tells of its runs: a span and lines with ids, kinds and timings, and how long things took.
//!
//! Never the input, the output, the progress or the text of an error: they may hold anything (DESIGN.md §10).

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing::Span;

/// Which attempt of which run a line is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) run: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) attempt: i64,
    pub(crate) worker: &'a str,
}

/// How long the parts of an attempt took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Timings {
    /// From due to begun.
    pub(crate) wait: Duration,
    /// In the handler.
    pub(crate) run: Duration,
    /// From the handler's end to the report's.
    pub(crate) report: Duration,
}

impl About<'_> {
    /// The span of an attempt: whatever its handler logs lies in it.
    pub(crate) fn span(&self) -> Span {
        tracing::info_span!("run", id = self.run, kind = self.kind, attempt = self.attempt, worker = self.worker)
    }

    /// The handler is about to be called. Each line bears the ids itself: where lines go to `log`, they come without span.
    pub(crate) fn began(&self, wait: Duration) {
        let Self { run, kind, attempt, worker } = *self;
        tracing::debug!(run, kind, attempt, worker, wait_ms = millis(wait), "a run began");
    }

    /// What became of the attempt is durable.
    pub(crate) fn ended(&self, outcome: &'static str, took: Timings) {
        let Self { run, kind, attempt, worker } = *self;
        let (wait_ms, run_ms, report_ms) = (millis(took.wait), millis(took.run), millis(took.report));
        tracing::info!(run, kind, attempt, worker, outcome, wait_ms, run_ms, report_ms, "a run ended");
    }

    /// The run is no longer the worker's.
    pub(crate) fn lost(&self, why: &'static str) {
        let Self { run, kind, attempt, worker } = *self;
        tracing::info!(run, kind, attempt, worker, why, "the run is no longer this worker's");
    }

    /// The report was refused, or given up; `code` is that of the error.
    pub(crate) fn not_taken(&self, code: &str) {
        let Self { run, kind, attempt, worker } = *self;
        tracing::warn!(run, kind, attempt, worker, code, "a report was not taken");
    }
}

fn millis(time: Duration) -> f64 {
    // Tenths: a no-op takes less than one.
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

/// Below this many microseconds each has a bucket of its own; above, each doubling has four.
const EXACT: u64 = 8;
const BUCKETS: usize = 8 + 40 * 4;

/// A histogram of durations, at most a quarter too large; any thread may add to it.
pub(crate) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    count: AtomicU64,
    sum: AtomicU64,
    max: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        let zero = AtomicU64::default;
        Self { buckets: std::array::from_fn(|_| zero()), count: zero(), sum: zero(), max: zero() }
    }
}

impl Histogram {
    pub(crate) fn add(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(bucket(micros)) {
            bucket.fetch_add(1, Relaxed);
        }
        self.count.fetch_add(1, Relaxed);
        self.sum.fetch_add(micros, Relaxed);
        self.max.fetch_max(micros, Relaxed);
    }

    pub(crate) fn latency(&self) -> Latency {
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Relaxed)).collect();
        let (count, max) = (self.count.load(Relaxed), self.max.load(Relaxed));
        let at = |share: f64| seconds(quantile(&counts, share).min(max));
        let mean = if count == 0 { 0.0 } else { seconds(self.sum.load(Relaxed)) / count as f64 };
        Latency { count, mean, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: seconds(max) }
    }
}

fn bucket(micros: u64) -> usize {
    if micros < EXACT {
        return usize::try_from(micros).unwrap_or(0);
    }
    let doubling = micros.ilog2();
    let quarter = (micros >> (doubling - 2)) & 3;
    let index = u64::from(doubling - 3) * 4 + quarter + EXACT;
    usize::try_from(index).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

/// The largest value of a bucket.
fn top(bucket: usize) -> u64 {
    let index = bucket as u64;
    if index < EXACT {
        return index;
    }
    let (doubling, quarter) = ((index - EXACT) / 4 + 3, (index - EXACT) % 4);
    ((5 + quarter) << (doubling - 2)) - 1
}

fn quantile(counts: &[u64], share: f64) -> u64 {
    let total: u64 = counts.iter().sum();
    let rank = ((total as f64 * share).ceil() as u64).max(1);
    let mut seen = 0;
    let found = counts.iter().position(|count| {
        seen += count;
        seen >= rank
    });
    found.map_or(0, top)
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

/// How long something took, in seconds; all 0 where nothing was measured yet.
///
/// The quantiles are read from a histogram: never too small, and at most a quarter too large.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// How often it was measured.
    pub count: u64,
    /// On average.
    pub mean: f64,
    /// Half of them took at most so long.
    pub p50: f64,
    /// 95 of 100.
    pub p95: f64,
    /// 99 of 100.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_at_most_a_quarter_wide() {
        for micros in (0..10_000).chain((10_000..100_000_000).step_by(999_983)).chain([1 << 40]) {
            let top = top(bucket(micros));
            assert!(top >= micros && top <= micros + micros / 4, "{micros} stands for {top}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_lie_where_the_values_do() {
        let histogram = Histogram::default();
        assert_eq!(histogram.latency(), Latency::default());
        (1..=1000).for_each(|millis| histogram.add(Duration::from_millis(millis)));
        let latency = histogram.latency();
        for (is, exact) in [(latency.p50, 0.5), (latency.p95, 0.95), (latency.p99, 0.99)] {
            assert!(is >= exact && is <= exact * 1.25, "{is} for {exact}");
        }
        assert!((latency.mean - 0.5005).abs() < 1e-9);
        assert!(latency.count == 1000 && (latency.max - 1.0).abs() < 1e-9);
    }
}
