//! What a run is.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::state::RunState;
use crate::clock::Timestamp;
use crate::db::Row;
use crate::error::{Error, ErrorCode, Result};
use crate::json::Json;

/// A run: a piece of work, its input, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// ULID.
    pub id: String,
    /// Whose it is; none is a project of its own.
    pub project_id: Option<String>,
    /// What is to be done: the name a handler is registered under.
    pub kind: String,
    /// What it is to be done with.
    pub input: Json,
    /// Where the output is: `artifact:ID`, or what the report gave.
    pub output_ref: Option<String>,
    /// The last failure.
    pub error: Option<String>,
    /// Where it stands.
    pub state: RunState,
    /// The same as a code of the older schema, 0 to 9.
    pub state_code: i32,
    /// Higher is claimed first.
    pub priority: i64,
    /// Not claimed before.
    pub run_at: Timestamp,
    /// Names the run within its project: a second enqueue with the same key gives the first run.
    pub idempotency_key: Option<String>,
    /// Executions in this series; 0 before the first claim.
    pub attempt: i64,
    /// Executions after which a failure is final.
    pub max_attempts: i64,
    /// Rises with each retry by hand.
    pub series: i64,
    /// Rises with each claim and never falls: (id, lease) is the fence.
    pub lease: i64,
    /// The longest an attempt may take, in seconds.
    #[serde(with = "crate::clock::seconds_opt")]
    #[schemars(with = "Option<f64>")]
    pub timeout: Option<Duration>,
    /// The worker that has it, or had it last.
    pub claimed_by: Option<String>,
    /// When it was last claimed.
    pub claimed_at: Option<Timestamp>,
    /// When the present or last attempt started.
    pub started_at: Option<Timestamp>,
    /// When it became final.
    pub finished_at: Option<Timestamp>,
    /// When the lease runs out unless it is extended; on SQLite for display only.
    pub lease_until: Option<Timestamp>,
    /// What the last heartbeat told; null where none did.
    pub progress: Json,
    /// Who asked for it.
    pub requested_by: Option<String>,
    /// The channel it was asked for in.
    pub channel_id: Option<String>,
    /// The conversation within the channel.
    pub conversation_id: Option<String>,
    /// The run that asked for it.
    pub parent_id: Option<String>,
    /// Counts transitions; each is the event with this as its `seq`.
    pub version: i64,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// On what enqueue returned: this is an earlier run under the same key.
    #[serde(default)]
    pub deduplicated: bool,
}

/// The columns that [`read_run`] reads, in its order.
pub(crate) const COLUMNS: &str = "id, project_id, kind, input, output_ref, error, state, approved, priority, run_at, \
    idempotency_key, attempt, max_attempts, series, lease, timeout_us, claimed_by, claimed_at, started_at, finished_at, \
    lease_until, progress, requested_by, channel_id, conversation_id, parent_id, version, created_at, updated_at, reported";

/// How many those are: what else a row has stands behind them.
pub(crate) const WIDTH: usize = width(COLUMNS);

const fn width(columns: &str) -> usize {
    let (bytes, mut at, mut width) = (columns.as_bytes(), 0, 1);
    while at < bytes.len() {
        width += (bytes[at] == b',') as usize;
        at += 1;
    }
    width
}

/// A run with what only reports look at.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) run: Run,
    /// The verb that ended the present lease.
    pub(crate) reported: Option<String>,
}

/// A run from a row of [`COLUMNS`], whose texts it takes.
pub(crate) fn read_run(mut row: Row) -> Result<Run> {
    let state = row.take_text(6)?;
    let state = RunState::parse(&state)
        .map_err(|_| Error::new(ErrorCode::Corrupt, format!("a run is in the state {state:?}, which there is not")))?;
    Ok(Run {
        id: row.take_text(0)?,
        project_id: row.take_opt_text(1)?,
        kind: row.take_text(2)?,
        input: row.json(3)?,
        output_ref: row.take_opt_text(4)?,
        error: row.take_opt_text(5)?,
        state,
        state_code: state.code(row.bool(7)?),
        priority: row.int(8)?,
        run_at: row.time(9)?,
        idempotency_key: row.take_opt_text(10)?,
        attempt: row.int(11)?,
        max_attempts: row.int(12)?,
        series: row.int(13)?,
        lease: row.int(14)?,
        timeout: row.opt_int(15)?.map(|micros| Duration::from_micros(micros.unsigned_abs())),
        claimed_by: row.take_opt_text(16)?,
        claimed_at: row.opt_time(17)?,
        started_at: row.opt_time(18)?,
        finished_at: row.opt_time(19)?,
        lease_until: row.opt_time(20)?,
        progress: row.opt_json(21)?.unwrap_or_default(),
        requested_by: row.take_opt_text(22)?,
        channel_id: row.take_opt_text(23)?,
        conversation_id: row.take_opt_text(24)?,
        parent_id: row.take_opt_text(25)?,
        version: row.int(26)?,
        created_at: row.time(27)?,
        updated_at: row.time(28)?,
        deduplicated: false,
    })
}

/// A run and its report from a row of [`COLUMNS`].
pub(crate) fn read_stored(mut row: Row) -> Result<Stored> {
    Ok(Stored { reported: row.take_opt_text(29)?, run: read_run(row)? })
}
