//! What the operations on runs are asked with.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::state::RunState;
use crate::clock::Timestamp;
use crate::json::Json;

/// A run to be enqueued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Enqueue {
    /// What is to be done: 1–512 bytes, not ending in `/*`.
    pub kind: String,
    /// What it is to be done with.
    #[serde(default)]
    pub input: Json,
    /// Whose it is.
    #[serde(default)]
    pub project: Option<String>,
    /// The same key in the same project gives the first run; another kind or input under it is `conflict`.
    #[serde(default)]
    pub idempotency_key: Option<String>,
    /// Executions after which a failure is final; at least 1.
    #[serde(default = "three")]
    pub max_attempts: i64,
    /// Higher is claimed first.
    #[serde(default)]
    pub priority: i64,
    /// Not before that moment; not together with `delay`.
    #[serde(default)]
    pub run_at: Option<Timestamp>,
    /// Not before that many seconds have passed; not together with `run_at`.
    #[serde(default, with = "crate::clock::seconds_opt")]
    #[schemars(with = "Option<f64>")]
    pub delay: Option<Duration>,
    /// The longest an attempt may take, in seconds. Kept with the run; this version does not end an attempt by it.
    #[serde(default, with = "crate::clock::seconds_opt")]
    #[schemars(with = "Option<f64>")]
    pub timeout: Option<Duration>,
    /// Let it wait for an approval before it is queued.
    #[serde(default)]
    pub needs_approval: bool,
    /// Who asks for it.
    #[serde(default)]
    pub requested_by: Option<String>,
    /// The channel it is asked for in.
    #[serde(default)]
    pub channel_id: Option<String>,
    /// The conversation within the channel.
    #[serde(default)]
    pub conversation_id: Option<String>,
    /// The run that asks for it.
    #[serde(default)]
    pub parent: Option<String>,
}

impl Enqueue {
    /// A run of that kind, due at once, with three attempts.
    pub fn new(kind: impl Into<String>, input: Json) -> Self {
        Self {
            kind: kind.into(),
            input,
            project: None,
            idempotency_key: None,
            max_attempts: three(),
            priority: 0,
            run_at: None,
            delay: None,
            timeout: None,
            needs_approval: false,
            requested_by: None,
            channel_id: None,
            conversation_id: None,
            parent: None,
        }
    }
}

/// Runs to be enqueued, all or none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnqueueMany {
    /// The runs; the answer is in their order.
    pub items: Vec<Enqueue>,
}

impl EnqueueMany {
    /// Of those runs.
    pub fn new(items: Vec<Enqueue>) -> Self {
        Self { items }
    }
}

/// A worker asks for work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Claim {
    /// Who claims.
    pub worker_id: String,
    /// Which kinds; `sync/*` is all that begin with `sync/`. None: all. At most 200.
    #[serde(default)]
    pub kinds: Option<Vec<String>>,
    /// Which projects, at most 1,000; none: a scoped handle's own, else all.
    #[serde(default)]
    pub projects: Option<Vec<String>>,
    /// At most so many, 0 to 1,000.
    #[serde(default = "one")]
    pub limit: i64,
    /// For how long, in seconds; a heartbeat extends it by as much.
    #[serde(default = "minute", with = "crate::clock::seconds")]
    #[schemars(with = "f64")]
    pub lease: Duration,
    /// Leave them `dispatching`, to be started by `start`.
    #[serde(default)]
    pub dispatch: bool,
}

impl Claim {
    /// One run of any kind, for a minute.
    pub fn new(worker_id: impl Into<String>) -> Self {
        Self { worker_id: worker_id.into(), kinds: None, projects: None, limit: 1, lease: minute(), dispatch: false }
    }
}

/// A dispatched run begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartRun {
    /// The run.
    pub id: String,
    /// The lease it was claimed under.
    pub lease: i64,
}

impl StartRun {
    /// Of that run under that lease.
    pub fn new(id: impl Into<String>, lease: i64) -> Self {
        Self { id: id.into(), lease }
    }
}

/// A worker is still at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Heartbeat {
    /// The run.
    pub id: String,
    /// The lease it was claimed under.
    pub lease: i64,
    /// How far it has come; null is kept as null, left out leaves what is there.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub progress: Option<Json>,
    /// For how long from now, in seconds; default: as long as it was claimed for.
    #[serde(default, with = "crate::clock::seconds_opt")]
    #[schemars(with = "Option<f64>")]
    pub extend: Option<Duration>,
}

impl Heartbeat {
    /// Of that run under that lease, without progress.
    pub fn new(id: impl Into<String>, lease: i64) -> Self {
        Self { id: id.into(), lease, progress: None, extend: None }
    }
}

/// An attempt succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Succeed {
    /// The run.
    pub id: String,
    /// The lease it was claimed under.
    pub lease: i64,
    /// What came out, kept as the artifact `run.output` of the run; null is an output too.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub output: Option<Json>,
    /// Where what came out is kept; not together with `output`.
    #[serde(default)]
    pub output_ref: Option<String>,
}

impl Succeed {
    /// Of that run under that lease, without an output.
    pub fn new(id: impl Into<String>, lease: i64) -> Self {
        Self { id: id.into(), lease, output: None, output_ref: None }
    }
}

/// An attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fail {
    /// The run.
    pub id: String,
    /// The lease it was claimed under.
    pub lease: i64,
    /// What went wrong; cut at the store's `max_error_bytes`.
    pub error: String,
    /// Whether another attempt may do better.
    #[serde(default = "yes")]
    pub retryable: bool,
    /// When the next attempt is due, in seconds; default: exponential backoff with full jitter. Only where `retryable`.
    #[serde(default, with = "crate::clock::seconds_opt")]
    #[schemars(with = "Option<f64>")]
    pub retry_in: Option<Duration>,
}

impl Fail {
    /// Of that run under that lease; another attempt may do better.
    pub fn new(id: impl Into<String>, lease: i64, error: impl Into<String>) -> Self {
        Self { id: id.into(), lease, error: error.into(), retryable: true, retry_in: None }
    }
}

/// A run is no longer wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cancel {
    /// The run.
    pub id: String,
    /// Why; stands in its event.
    #[serde(default)]
    pub reason: Option<String>,
}

impl Cancel {
    /// Of that run.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), reason: None }
    }
}

/// Asks for one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetRun {
    /// The run.
    pub id: String,
}

impl GetRun {
    /// Of that id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// Asks for the events of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunEvents {
    /// The run.
    pub id: String,
}

impl RunEvents {
    /// Of that run.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// Asks for what came out of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunOutput {
    /// The run.
    pub id: String,
}

impl RunOutput {
    /// Of that run.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// Puts runs whose lease has run out back into the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rescue {
    /// At most so many, 0 to 1,000.
    #[serde(default = "thousand")]
    pub limit: i64,
}

impl Default for Rescue {
    fn default() -> Self {
        Self { limit: thousand() }
    }
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The last enqueued first.
    #[default]
    Newest,
    /// The first enqueued first.
    Oldest,
}

/// Asks for runs; filters hold together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListRuns {
    /// Of that project; none: a scoped handle's own, else all.
    #[serde(default)]
    pub project: Option<String>,
    /// In one of these states; none given: in any.
    #[serde(default)]
    pub state: Option<Vec<RunState>>,
    /// Of one of these kinds, at most 1,000; none given: of any.
    #[serde(default)]
    pub kind: Option<Vec<String>>,
    /// Enqueued at that moment or after it.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Enqueued before that moment.
    #[serde(default)]
    pub before: Option<Timestamp>,
    /// Asked for in that channel.
    #[serde(default)]
    pub channel_id: Option<String>,
    /// Asked for in that conversation.
    #[serde(default)]
    pub conversation_id: Option<String>,
    /// By the time of enqueueing, then by id.
    #[serde(default)]
    pub order: Order,
    /// At most so many, 0 to 1,000.
    #[serde(default = "fifty")]
    pub limit: i64,
    /// `nextCursor` of the page before, with the same filters and order.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Default for ListRuns {
    fn default() -> Self {
        Self {
            project: None,
            state: None,
            kind: None,
            since: None,
            before: None,
            channel_id: None,
            conversation_id: None,
            order: Order::Newest,
            limit: fifty(),
            cursor: None,
        }
    }
}

/// A value that stands there is given, also where it is null.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

fn yes() -> bool {
    true
}

fn one() -> i64 {
    1
}

fn three() -> i64 {
    3
}

fn fifty() -> i64 {
    crate::page::DEFAULT_LIMIT
}

fn thousand() -> i64 {
    crate::page::MAX_LIMIT
}

fn minute() -> Duration {
    Duration::from_secs(60)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn requests_are_read_strictly_with_defaults() {
        let run: Enqueue = crate::json::decode(r#"{"kind":"a","delay":0.5}"#).unwrap();
        assert_eq!(run, Enqueue { delay: Some(Duration::from_millis(500)), ..Enqueue::new("a", Json::null()) });
        let wrong = crate::json::decode::<Enqueue>(r#"{"kind":"a","prio":1}"#).unwrap_err();
        assert_eq!(wrong.code(), crate::ErrorCode::InvalidArgument);
        crate::json::decode::<Enqueue>(r#"{"kind":"a","delay":-1}"#).unwrap_err();
        assert_eq!(crate::json::decode::<Claim>(r#"{"workerId":"w"}"#).unwrap(), Claim::new("w"));
        assert_eq!(crate::json::decode::<ListRuns>("{}").unwrap(), ListRuns::default());
    }

    #[test]
    fn null_is_an_output() {
        let read = |text| crate::json::decode::<Succeed>(text).unwrap().output;
        assert_eq!(read(r#"{"id":"a","lease":1,"output":null}"#), Some(Json::null()));
        assert_eq!(read(r#"{"id":"a","lease":1}"#), None);
        assert_eq!(serde_json::to_string(&Heartbeat::new("a", 1)).unwrap(), r#"{"id":"a","lease":1,"extend":null}"#);
    }
}
