//! The SQL of putting runs into the queue.

use std::collections::HashSet;
use std::time::Duration;

use super::approvals::gates;
use super::binds::Binds;
use super::model::{COLUMNS, Run, read_run};
use super::record::{Told, signal};
use super::requests::Enqueue;
use super::state::RunState;
use super::{lane, lease};
use crate::clock::Timestamp;
use crate::db::{Dialect, Value};
use crate::error::Result;
use crate::id::new_id;
use crate::presets;
use crate::session::Work;

/// A run that may be written: its request is sound.
pub(crate) struct Ready<'r> {
    pub(crate) id: String,
    pub(super) request: &'r Enqueue,
    pub(super) project: Option<&'r str>,
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

/// SQLite keeps a journal of its own for every INSERT with a SELECT or RETURNING: three plain statements cost less.
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
    let mut binds = Binds::default();
    let now = present(work, &mut binds, moment);
    let row = row(work, &mut binds, ready, told.to, &now, None)?;
    if work.execute(&format!("{INSERT} VALUES ({row}) ON CONFLICT DO NOTHING"), binds.values())? == 0 {
        return Ok(None);
    }
    let written = format!("SELECT {COLUMNS} FROM sprongus_runs WHERE id = $1");
    let run = work.query(&written, &[(&ready.id).into()])?.first().map(read_run).transpose()?;
    run.iter().try_for_each(|run| told.append(work, run))?;
    if told.to == RunState::AwaitingApproval {
        work.execute(&gates("sprongus_runs WHERE id = $1"), &[(&ready.id).into()])?;
    }
    Ok(run)
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
    let now = present(work, &mut binds, moment);
    let limited = limited_kinds(work, all)?;
    let rows: Result<Vec<String>> =
        all.iter().map(|ready| row(work, &mut binds, ready, told.to, &now, limited.as_ref())).collect();
    let rows = rows?;
    let rows = match (judged, all) {
        (Judged::NoPreset, [one]) => {
            let (kind, project) = (binds.add(&one.request.kind), binds.add(one.project.unwrap_or_default()));
            format!("SELECT {} WHERE {}", rows.join(", "), presets::unbound_run(&kind, &project))
        }
        // Many are judged before they are written.
        _ => format!("VALUES ({})", rows.join("), (")),
    };
    let events: Vec<String> = all.iter().map(|_| new_id()).collect();
    let ids = binds.add(Value::Array(events.iter().cloned().map(Value::from).collect()));
    let tell = told.insert(work, &mut binds, &format!("({ids}::text[])[row_number() OVER (ORDER BY id)]"))?;
    let insert = format!("{INSERT} {rows} ON CONFLICT DO NOTHING RETURNING {COLUMNS}");
    let gate = match told.to {
        RunState::AwaitingApproval => format!(", gate AS ({})", gates("run")),
        _ => String::new(),
    };
    let sql = format!("WITH run AS ({insert}), event AS ({tell}){gate} SELECT {COLUMNS} FROM run ORDER BY id");
    let runs = work.query(&sql, binds.values())?.iter().map(read_run).collect::<Result<Vec<_>>>()?;
    runs.iter().zip(events).try_for_each(|(run, event)| told.note(work, run, event))?;
    Ok(runs)
}

/// The SQL of that moment, else of now.
fn present(work: &Work<'_>, binds: &mut Binds<'_>, moment: Option<Timestamp>) -> String {
    match (moment, work.dialect()) {
        (Some(moment), Dialect::Sqlite) => binds.add(moment),
        (Some(moment), Dialect::Postgres) => format!("{}::timestamptz", binds.add(moment)),
        (None, _) => binds.now(work),
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
    limited: Option<&HashSet<String>>,
) -> Result<String> {
    let request = ready.request;
    let (run_at, due) = due(work, binds, request, now)?;
    let due = if state == RunState::Queued { due } else { "FALSE".to_owned() };
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
        due,
        limited,
        binds.add(request.priority),
        run_at,
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

/// The SQL of when the run is due, and of whether it is already. What is due at once is ready whatever the clocks say.
fn due(work: &Work<'_>, binds: &mut Binds<'_>, request: &Enqueue, now: &str) -> Result<(String, String)> {
    let delay = request.delay.unwrap_or(Duration::ZERO);
    if let Some(run_at) = request.run_at {
        let run_at = binds.add(run_at);
        return Ok(match work.dialect() {
            Dialect::Sqlite => (run_at.clone(), format!("{run_at} <= {now}")),
            Dialect::Postgres => (run_at.clone(), format!("{run_at}::timestamptz <= {now}")),
        });
    }
    if delay.is_zero() {
        return Ok((now.to_owned(), "TRUE".to_owned()));
    }
    let run_at = match work.dialect() {
        Dialect::Sqlite => binds.add(work.options().clock.now().saturating_add(delay)),
        Dialect::Postgres => {
            let micros = binds.add(lease::micros("delay", delay)?);
            format!("{now} + {micros}::bigint * interval '1 microsecond'")
        }
    };
    Ok((run_at, "FALSE".to_owned()))
}
