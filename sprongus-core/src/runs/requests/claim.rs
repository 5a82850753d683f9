//! Taking runs, and what claims do on their way.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Succeed, minute, one, thousand};

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
    /// A run that has succeeded: it is reported first, in the claim's own commit where nothing else is to be done. Where the
    /// report is refused, nothing is claimed.
    #[serde(default)]
    pub succeeded: Option<Succeed>,
}

impl Claim {
    /// One run of any kind, for a minute.
    pub fn new(worker_id: impl Into<String>) -> Self {
        Self {
            worker_id: worker_id.into(),
            kinds: None,
            projects: None,
            limit: 1,
            lease: minute(),
            dispatch: false,
            succeeded: None,
        }
    }
}

/// Ends attempts that take too long, and puts runs whose lease has run out back into the queue.
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
