//! The SQL of putting runs into the queue.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::approvals::gates;
use super::binds::Binds;
use super::model::Run;
use super::record::{Told, signal};
use super::requests::Enqueue;
use super::state::RunState;
use super::{lane, lease};
use crate::clock::Timestamp;
use crate::db::{Dialect, Row, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::id::new_id;
use crate::json::Json;
use crate::presets;
use crate::session::Work;

/// A run that may be written: its request is sound.
pub(crate) struct Ready<'r> {
    pub(crate) id: String,
    pub(super) request: &'r Enqueue,
    pub(super) project: Option<&'r str>,
}

impl Ready<'_> {
    /// The run as it was written at that moment. It is not read back: what is not given here is the table's default.
    fn written(&self, state: RunState, run_at: Timestamp, at: Timestamp) -> Run {
        let Enqueue { kind, input, priority, max_attempts, timeout, idempotency_key, .. } = self.request;
        let Enqueue { requested_by, channel_id, conversation_id, parent, .. } = self.request;
        Run {
            id: self.id.clone(),
            project_id: self.project.map(str::to_owned),
            kind: kind.clone(),
            input: input.clone(),
            output_ref: None,
            error: None,
            state,
            state_code: state.code(false),
            priority: *priority,
            run_at,
            idempotency_key: idempotency_key.clone(),
            attempt: 0,
            max_attempts: *max_attempts,
            series: 1,
            lease: 0,
            // As it is stored: in microseconds.
            timeout: timeout.map(|timeout| timeout - Duration::from_nanos((timeout.subsec_nanos() % 1_000).into())),
            claimed_by: None,
            claimed_at: None,
            started_at: None,
            finished_at: None,
            lease_until: None,
            progress: Json::null(),
            requested_by: requested_by.clone(),
            channel_id: channel_id.clone(),
            conversation_id: conversation_id.clone(),
            parent_id: parent.clone(),
            version: 1,
            created_at: at,
            updated_at: at,
            deduplicated: false,
        }
    }
}

/// Whether the input of a run that is written was held against the preset of its kind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    /// It passed, or there was no preset.
    Valid,
    /// Nobody looked: it is written only if no preset is bound.
    NoPreset,
}

/// Writes the runs with their events, but for those whose key is taken or whose preset is to be asked. One statement on
/// PostgreSQL.
///
/// A rival that holds a key and has not committed is waited for: where it rolls back, this one is the first. `moment`:
/// enqueued then, and not now.
pub(super) fn insert(
    work: &mut Work<'_>,
    all: &[&Ready<'_>],
    judged: Judged,
    moment: Option<Timestamp>,
) -> Result<Vec<Run>> {
    let mut runs = Vec::with_capacity(all.len());
    for alike in all.chunk_by(|a, b| a.request.needs_approval == b.request.needs_approval) {
        runs.extend(insert_alike(work, alike, judged, moment)?);
    }
    Ok(runs)
}

/// The same for runs that begin in the same state.
fn insert_alike(
    work: &mut Work<'_>,
    all: &[&Ready<'_>],
    judged: Judged,
    moment: Option<Timestamp>,
) -> Result<Vec<Run>> {
    let gated = all.first().is_some_and(|ready| ready.request.needs_approval);
    let (state, kind) = match gated {
        true => (RunState::AwaitingApproval, "run.approval_requested"),
        false => (RunState::Queued, "run.enqueued"),
    };
    let told = Told { kind, from: None, to: state, actor: None, more: serde_json::Map::new() };
    let mut runs = Vec::with_capacity(all.len());
    match work.dialect() {
        Dialect::Sqlite => {
            for ready in all {
                runs.extend(one_by_one(work, ready, judged, &told, moment)?);
            }
        }
        Dialect::Postgres => runs = together(work, all, judged, &told, moment)?,
    }
    if !runs.is_empty() {
        signal(work, state);
    }
    Ok(runs)
}

/// SQLite keeps a journal of its own for every INSERT with a SELECT or RETURNING: plain statements cost less.
fn one_by_one(
    work: &mut Work<'_>,
    ready: &Ready<'_>,
    judged: Judged,
    told: &Told<'_>,
    moment: Option<Timestamp>,
) -> Result<Option<Run>> {
    if judged == Judged::NoPreset {
        let unbound = format!("SELECT 1 WHERE {}", presets::unbound_run("$1", "$2"));
        let named = [ready.request.kind.as_str().into(), ready.project.unwrap_or_default().into()];
        if work.query(&unbound, &named)?.is_empty() {
            return Ok(None);
        }
    }
    let at = moment.unwrap_or_else(|| work.options().clock.now());
    let delayed = at.saturating_add(ready.request.delay.unwrap_or(Duration::ZERO));
    let run_at = ready.request.run_at.unwrap_or(delayed);
    let mut binds = Binds::default();
    let now = binds.add(at);
    let due = Due { run_at: binds.add(run_at), already: (run_at <= at).to_string() };
    let row = row(work, &mut binds, ready, told.to, &now, due, None)?;
    if work.execute(&format!("{INSERT} VALUES ({row}) ON CONFLICT DO NOTHING"), binds.values())? == 0 {
        return Ok(None);
    }
    let run = ready.written(told.to, run_at, at);
    told.append(work, &run)?;
    if told.to == RunState::AwaitingApproval {
        work.execute(&gates("sprongus_runs WHERE id = $1"), &[(&ready.id).into()])?;
    }
    Ok(Some(run))
}

/// PostgreSQL: one statement for all runs and their events.
fn together(
    work: &mut Work<'_>,
    all: &[&Ready<'_>],
    judged: Judged,
    told: &Told<'_>,
    moment: Option<Timestamp>,
) -> Result<Vec<Run>> {
    let mut binds = Binds::default();
    let now = match moment {
        Some(moment) => format!("{}::timestamptz", binds.add(moment)),
        None => binds.now(work),
    };
    let limited = limited_kinds(work, all)?;
    let mut rows = Vec::with_capacity(all.len());
    for ready in all {
        let due = due(&mut binds, ready.request, &now)?;
        rows.push(row(work, &mut binds, ready, told.to, &now, due, limited.as_ref())?);
    }
    let rows = match (judged, all) {
        (Judged::NoPreset, [one]) => {
            let (kind, project) = (binds.add(&one.request.kind), binds.add(one.project.unwrap_or_default()));
            format!("SELECT {} WHERE {}", rows.join(", "), presets::unbound_run(&kind, &project))
        }
        // Many are judged before they are written.
        _ => format!("VALUES ({})", rows.join("), (")),
    };
    let events: Vec<String> = all.iter().map(|_| new_id()).collect();
    let ids = ids(&mut binds, &events);
    let tell = told.insert(work, &mut binds, &ids)?;
    let insert = format!(
        "{INSERT} {rows} ON CONFLICT DO NOTHING \
         RETURNING id, project_id, claimed_by, attempt, version, run_at, created_at, updated_at"
    );
    let gate = match told.to {
        RunState::AwaitingApproval => format!(", gate AS ({})", gates("run")),
        _ => String::new(),
    };
    let sql =
        format!("WITH run AS ({insert}), event AS ({tell}){gate} SELECT id, run_at, created_at FROM run ORDER BY id");
    let written = work.query(&sql, binds.values())?;
    let by_id: HashMap<&str, &Ready<'_>> = all.iter().map(|ready| (ready.id.as_str(), *ready)).collect();
    let run = |row: &Row| match by_id.get(row.text(0)?.as_str()) {
        Some(ready) => Ok(ready.written(told.to, row.time(1)?, row.time(2)?)),
        None => Err(Error::new(ErrorCode::Corrupt, "a run was written under another id than it was given")),
    };
    let runs = written.iter().map(run).collect::<Result<Vec<_>>>()?;
    runs.iter().zip(events).try_for_each(|(run, event)| told.note(work, run, event))?;
    Ok(runs)
}

/// SQL: the ids of the events of the rows of `run`, which get them in their order.
pub(super) fn ids(binds: &mut Binds<'_>, events: &[String]) -> String {
    match events {
        // Numbering rows is a step of its own for the server.
        [one] => format!("{}::text", binds.add(one.clone())),
        many => {
            let marks = binds.add(Value::Array(many.iter().cloned().map(Value::from).collect()));
            format!("({marks}::text[])[row_number() OVER (ORDER BY id)]")
        }
    }
}

const INSERT: &str = "INSERT INTO sprongus_runs (id, project_id, kind, input, state, ready, limited, priority, run_at, \
    idempotency_key, max_attempts, timeout_us, requested_by, channel_id, conversation_id, parent_id, awaiting, \
    created_at, updated_at)";

/// Which kinds of many runs have a limit; none for a single run, whose row asks by itself: many questions take long to plan.
///
/// Where a limit is set or lifted meanwhile, claims put the runs right ([`super::lane`]).
fn limited_kinds(work: &mut Work<'_>, all: &[&Ready<'_>]) -> Result<Option<HashSet<String>>> {
    if all.len() == 1 {
        return Ok(None);
    }
    let kinds: HashSet<&str> = all.iter().map(|ready| ready.request.kind.as_str()).collect();
    let kinds = Value::Array(kinds.into_iter().map(|kind| Value::from(kind.to_owned())).collect());
    let sql = format!("SELECT kind FROM sprongus_kind_limits WHERE kind = ANY ($1::text[]) AND {}", lane::IN_FORCE);
    work.query(&sql, &[kinds])?.iter().map(|row| row.text(0)).collect::<Result<_>>().map(Some)
}

/// A row of [`INSERT`]; `limited`: the kinds that have a limit, where that is known.
fn row<'b>(
    work: &Work<'_>,
    binds: &mut Binds<'b>,
    ready: &'b Ready<'_>,
    state: RunState,
    now: &str,
    due: Due,
    limited: Option<&HashSet<String>>,
) -> Result<String> {
    let request = ready.request;
    let is_ready = if state == RunState::Queued { due.already } else { "FALSE".to_owned() };
    let timeout = request.timeout.map(|timeout| lease::micros("timeout", timeout)).transpose()?;
    let id = binds.add(&ready.id);
    let awaiting = if state == RunState::AwaitingApproval { id.clone() } else { "NULL".to_owned() };
    let kind = binds.add(&request.kind);
    let limited = match limited {
        Some(kinds) => kinds.contains(&request.kind).to_string(),
        None => lane::is_limited(&kind),
    };
    let values = [
        id,
        binds.add(ready.project),
        kind,
        binds.json(work.dialect(), &request.input),
        format!("'{state}'"),
        is_ready,
        limited,
        binds.add(request.priority),
        due.run_at,
        binds.add(request.idempotency_key.as_deref()),
        binds.add(request.max_attempts),
        binds.add(timeout),
        binds.add(request.requested_by.as_deref()),
        binds.add(request.channel_id.as_deref()),
        binds.add(request.conversation_id.as_deref()),
        binds.add(request.parent.as_deref()),
        awaiting,
        now.to_owned(),
        now.to_owned(),
    ];
    Ok(values.join(", "))
}

/// SQL: when a run is due, and whether it is already.
struct Due {
    run_at: String,
    already: String,
}

/// By the server's clock (PostgreSQL). What is due at once is ready whatever the clocks say.
fn due(binds: &mut Binds<'_>, request: &Enqueue, now: &str) -> Result<Due> {
    if let Some(run_at) = request.run_at {
        let run_at = binds.add(run_at);
        return Ok(Due { already: format!("{run_at}::timestamptz <= {now}"), run_at });
    }
    let delay = request.delay.unwrap_or(Duration::ZERO);
    if delay.is_zero() {
        return Ok(Due { run_at: now.to_owned(), already: "TRUE".to_owned() });
    }
    let micros = binds.add(lease::micros("delay", delay)?);
    let run_at = format!("{now} + {micros}::bigint * interval '1 microsecond'");
    Ok(Due { run_at, already: "FALSE".to_owned() })
}
