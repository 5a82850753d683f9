//! What a schedule is, and what the operations on schedules are asked with.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::json::Json;

/// What a slot does while the run of an earlier one has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// Nothing: the slot is left out.
    #[default]
    Skip,
    /// Enqueues its run all the same.
    Queue,
}

impl Overlap {
    /// `skip` or `queue`: as in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Queue => "queue",
        }
    }
}

/// Runs enqueued again and again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// Its name, once per project.
    pub name: String,
    /// A cron expression, where it goes by one.
    pub cron: Option<String>,
    /// Seconds between slots, where it goes by an interval.
    #[serde(with = "crate::clock::seconds_opt")]
    #[schemars(with = "Option<f64>")]
    pub every: Option<Duration>,
    /// The IANA time zone that the cron expression is read in.
    pub tz: String,
    /// The kind of its runs.
    pub kind: String,
    /// The input of its runs.
    pub input: Json,
    /// The project of its runs.
    pub project_id: Option<String>,
    /// What a slot does while an earlier run has not ended.
    pub overlap: Overlap,
    /// How late a missed slot is still made up for, in seconds.
    #[serde(with = "crate::clock::seconds")]
    #[schemars(with = "f64")]
    pub catch_up: Duration,
    /// Whether it is held back.
    pub paused: bool,
    /// The next slot; none while paused.
    pub next_at: Option<Timestamp>,
}

/// Makes a schedule, or changes the one of that name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PutSchedule {
    /// Its name, once per project: 1–128 bytes without control characters.
    pub name: String,
    /// The kind of its runs.
    pub kind: String,
    /// The input of its runs.
    #[serde(default)]
    pub input: Json,
    /// Five fields, or six with seconds first, or `@daily` and the like; not together with `every`.
    #[serde(default)]
    pub cron: Option<String>,
    /// Seconds between slots, at least 1; not together with `cron`.
    #[serde(default, with = "crate::clock::seconds_opt")]
    #[schemars(with = "Option<f64>")]
    pub every: Option<Duration>,
    /// The IANA time zone that `cron` is read in.
    #[serde(default = "utc")]
    pub tz: String,
    /// The project of its runs.
    #[serde(default)]
    pub project: Option<String>,
    /// What a slot does while an earlier run has not ended.
    #[serde(default)]
    pub overlap: Overlap,
    /// How late a missed slot is still made up for, in seconds; the newest one has five minutes at least.
    #[serde(default, with = "crate::clock::seconds")]
    #[schemars(with = "f64")]
    pub catch_up: Duration,
}

impl PutSchedule {
    /// A schedule of that name for runs of that kind; give it a `cron` or an `every`.
    pub fn new(name: impl Into<String>, kind: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind: kind.into(),
            input: Json::null(),
            cron: None,
            every: None,
            tz: utc(),
            project: None,
            overlap: Overlap::Skip,
            catch_up: Duration::ZERO,
        }
    }
}

/// Names a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduleName {
    /// Its name.
    pub name: String,
    /// Of that project; none: a scoped handle's own, else the one without a project, else the only one of that name.
    #[serde(default)]
    pub project: Option<String>,
}

impl ScheduleName {
    /// The schedule of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), project: None }
    }
}

/// Asks for the next slots of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NextTimes {
    /// Its name.
    pub name: String,
    /// As in [`ScheduleName`].
    #[serde(default)]
    pub project: Option<String>,
    /// So many, 0 to 1,000.
    #[serde(default = "ten")]
    pub limit: i64,
}

/// Enqueues the runs of slots that have come; claims do the same as they go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tick {
    /// At most so many, 0 to 1,000.
    #[serde(default = "hundred")]
    pub limit: i64,
}

impl Default for Tick {
    fn default() -> Self {
        Self { limit: hundred() }
    }
}

fn utc() -> String {
    "UTC".to_owned()
}

fn ten() -> i64 {
    10
}

fn hundred() -> i64 {
    100
}
