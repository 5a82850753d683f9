//! What follows an attempt that did not succeed: another one later, or none (DESIGN.md §15 "Backoff").

use std::time::Duration;

use serde_json::{Map, Value};

use super::change::Change;
use super::lease;
use super::model::Run;
use super::requests::Fail;
use super::state::Step;
use crate::db::Dialect;
use crate::error::Result;
use crate::options::Options;
use crate::session::Work;

/// Where the run goes, why, and after which delay it is tried again if it is.
pub(super) struct Verdict {
    pub(super) step: Step,
    pub(super) error: String,
    pub(super) delay: Option<Duration>,
}

impl Verdict {
    /// Of a failure that was reported.
    pub(super) fn of_failure(options: &Options, run: &Run, request: &Fail) -> Self {
        let error = crate::text::error_text(&request.error, options.max_error_bytes);
        match request.retryable && run.attempt < run.max_attempts {
            true => {
                let delay = request.retry_in.unwrap_or_else(|| backoff(options, run.attempt));
                Self { step: Step::Retry, error, delay: Some(delay) }
            }
            false => Self { step: Step::Fail, error, delay: None },
        }
    }

    /// Of an attempt that took too long.
    pub(super) fn of_timeout(options: &Options, run: &Run) -> Self {
        let timeout = run.timeout.unwrap_or_default();
        let error = format!("timed out after {} s", timeout.as_secs_f64());
        match run.attempt < run.max_attempts {
            true => Self { step: Step::RetryTimeOut, error, delay: Some(backoff(options, run.attempt)) },
            false => Self { step: Step::TimeOut, error, delay: None },
        }
    }

    /// What the event tells of it.
    pub(super) fn told(&self) -> Map<String, Value> {
        let error = Value::from(self.error.as_str());
        let told = match self.delay {
            Some(delay) => vec![("delay", delay.as_secs_f64().into()), ("reason", error)],
            None => vec![("error", error)],
        };
        told.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The transition of the run.
    pub(super) fn change<'v>(&'v self, work: &Work<'_>, run: &'v Run, actor: Option<&'v str>) -> Result<Change<'v>> {
        let mut change = Change::new(work, self.step, run.state, &run.id, run.lease)?;
        if let Some(actor) = actor {
            change.by(actor);
        }
        change.set("error", self.error.as_str());
        if let Some(delay) = self.delay {
            due_in(work, &mut change, delay)?;
        }
        change.tell_all(self.told());
        Ok(change)
    }
}

fn backoff(options: &Options, attempt: i64) -> Duration {
    let attempt = u32::try_from(attempt).unwrap_or(u32::MAX);
    crate::id::backoff(attempt, options.backoff_base, options.backoff_cap)
}

/// Due again after the delay.
pub(super) fn due_in(work: &Work<'_>, change: &mut Change<'_>, delay: Duration) -> Result<()> {
    let now = change.now();
    match work.dialect() {
        Dialect::Sqlite => change.set("run_at", work.options().clock.now().saturating_add(delay)),
        Dialect::Postgres => {
            let micros = lease::micros("the delay", delay)?;
            let micros = change.binds().add(micros);
            change.set_sql(format!("run_at = {now} + {micros}::bigint * interval '1 microsecond'"));
        }
    }
    change.set("ready", delay.is_zero());
    Ok(())
}
