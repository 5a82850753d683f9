//! How a worker works.

use std::time::Duration;

use crate::error::{Error, Result};

/// Settings of a [`Worker`](super::Worker); name those you change and take the rest from `WorkerOptions::default()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerOptions {
    /// Its name, as runs and events carry it; default: made of the process id and a ULID.
    pub worker_id: Option<String>,
    /// How many handlers run at a time, each on a thread of its own; 1 to 1,000.
    pub concurrency: usize,
    /// For how long runs are claimed; extended three times as often. At least 10 milliseconds.
    pub lease: Duration,
    /// How often the database is asked where nothing in this process woke the worker.
    pub poll_interval: Duration,
    /// Whose runs it takes; none: all that the store's handle sees.
    pub projects: Option<Vec<String>>,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            worker_id: None,
            concurrency: 4,
            lease: Duration::from_secs(60),
            poll_interval: Duration::from_secs(1),
            projects: None,
        }
    }
}

impl WorkerOptions {
    pub(super) fn check(&self) -> Result<()> {
        if !(1..=1000).contains(&self.concurrency) {
            return Err(Error::invalid("concurrency is 1 to 1000"));
        }
        if self.lease < Duration::from_millis(10) || self.lease > crate::clock::seconds::LONGEST {
            return Err(Error::invalid("lease is at least 10 milliseconds and at most a hundred years"));
        }
        if self.poll_interval.is_zero() {
            return Err(Error::invalid("poll_interval is more than 0 seconds"));
        }
        if let Some(worker_id) = &self.worker_id {
            crate::text::check_name("worker_id", worker_id)?;
        }
        self.projects.iter().flatten().try_for_each(|project| crate::id::check_id("project", project))
    }
}
