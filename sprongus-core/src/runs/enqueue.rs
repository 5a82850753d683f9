//! Puts runs into the queue, once per idempotency key under any race (DESIGN.md §5).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use super::binds::Binds;
use super::lease;
use super::model::{COLUMNS, Run, read_run};
use super::record::{Told, note, signal};
use super::report::check_size;
use super::requests::{Enqueue, EnqueueMany};
use super::state::RunState;
use super::{Runs, congestion};
use crate::db::{Dialect, Executor, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::id::{check_id, new_id};
use crate::presets::{self, Compiled};
use crate::scope::Scope;
use crate::session::Work;
use crate::text::check_name;

/// A run that may be written: its request is sound.
struct Ready<'r> {
    id: String,
    request: &'r Enqueue,
    project: Option<&'r str>,
}

impl Runs<'_> {
    pub(super) fn do_enqueue(&self, request: &Enqueue) -> Result<Run> {
        self.session.allow(Scope::RunsWrite)?;
        let project = self.session.project(request.project.as_deref())?;
        self.check(request)?;
        let ready = Ready { id: new_id(), request, project };
        congestion::watched(self.session, || {
            // A kind that no preset is bound to is enqueued by one statement.
            let one = std::slice::from_ref(&ready);
            let write = |judged| self.settled(|| self.session.write_one(|work| insert(work, one, judged)));
            if let Some(run) = write(Judged::NoPreset)?.pop() {
                return Ok(run);
            }
            judge(self.bound(project, &request.kind)?.as_deref(), request)?;
            // Again where the run under the key vanished between the two looks.
            for _ in 0..3 {
                if let Some(run) = write(Judged::Valid)?.pop() {
                    return Ok(run);
                }
                if let Some(run) = self.session.read(|exec| first(exec, &ready))? {
                    return Ok(run);
                }
            }
            Err(Error::new(ErrorCode::Busy, "the run under that idempotency key comes and goes; try again"))
        })
    }

    pub(super) fn do_enqueue_many(&self, request: &EnqueueMany) -> Result<Vec<Run>> {
        self.session.allow(Scope::RunsWrite)?;
        let mut all = Vec::with_capacity(request.items.len());
        let mut presets = HashMap::new();
        for (index, item) in request.items.iter().enumerate() {
            let project = self.session.project(item.project.as_deref()).map_err(|error| at(index, error))?;
            let preset = match presets.entry((project, &item.kind)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.bound(project, &item.kind)?),
            };
            self.check(item).and_then(|()| judge(preset.as_deref(), item)).map_err(|error| at(index, error))?;
            all.push(Ready { id: new_id(), request: item, project });
        }
        congestion::watched(self.session, || self.session.write(|work| put_all(work, &all)))
    }

    /// Refuses what cannot be enqueued, before anything is written.
    fn check(&self, request: &Enqueue) -> Result<()> {
        check_name("the kind", &request.kind)?;
        if request.kind.ends_with("/*") {
            return Err(Error::invalid("a kind does not end in /*: that names all kinds of a prefix"));
        }
        let names = [
            ("the idempotency key", &request.idempotency_key),
            ("requestedBy", &request.requested_by),
            ("channelId", &request.channel_id),
            ("conversationId", &request.conversation_id),
        ];
        for (what, name) in names {
            name.as_deref().map_or(Ok(()), |name| check_name(what, name))?;
        }
        request.parent.as_deref().map_or(Ok(()), |parent| check_id("parent", parent))?;
        if request.max_attempts < 1 {
            return Err(Error::invalid("maxAttempts is at least 1"));
        }
        if request.run_at.is_some() && request.delay.is_some() {
            return Err(Error::invalid("a run has a runAt or a delay, not both"));
        }
        request.delay.map_or(Ok(0), |delay| lease::micros("delay", delay))?;
        request.timeout.map_or(Ok(0), |timeout| lease::lease_micros("timeout", timeout))?;
        check_size("the input", &request.input, self.session.options().max_payload_bytes)
    }

    /// The preset that judges the input of such runs, if there is one.
    fn bound(&self, project: Option<&str>, kind: &str) -> Result<Option<Arc<Compiled>>> {
        self.session.read(|exec| presets::for_run(self.session, exec, project, kind))
    }
}

/// Whether the input of a run that is written was held against the preset of its kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Judged {
    /// It passed, or there was no preset.
    Valid,
    /// Nobody looked: it is written only if no preset is bound.
    NoPreset,
}

fn judge(preset: Option<&Compiled>, request: &Enqueue) -> Result<()> {
    let violations = preset.map(|preset| preset.validate(&request.input.to_value())).unwrap_or_default();
    if violations.is_empty() { Ok(()) } else { Err(Error::validation(violations)) }
}

/// So many rows of one statement: their parameters stay far below PostgreSQL's 65,535.
const CHUNK: usize = 500;

/// Writes the runs, or gives those there are, in their order.
fn put_all(work: &mut Work<'_>, all: &[Ready<'_>]) -> Result<Vec<Run>> {
    let mut runs = Vec::with_capacity(all.len());
    let size = if work.dialect() == Dialect::Postgres { CHUNK } else { 1 };
    for chunk in all.chunks(size) {
        let mut written: HashMap<String, Run> =
            insert(work, chunk, Judged::Valid)?.into_iter().map(|run| (run.id.clone(), run)).collect();
        for ready in chunk {
            let run = match written.remove(&ready.id) {
                Some(run) => run,
                None => there(work, ready).map_err(|error| at(runs.len(), error))?,
            };
            runs.push(run);
        }
    }
    Ok(runs)
}

fn there(work: &mut Work<'_>, ready: &Ready<'_>) -> Result<Run> {
    let gone = || Error::new(ErrorCode::Busy, "the run under that idempotency key was just removed; try again");
    first(work.exec(), ready)?.ok_or_else(gone)
}

/// Writes the runs with their events, but for those whose key is taken or whose preset is to be asked. One statement on
/// PostgreSQL.
///
/// A rival that holds a key and has not committed is waited for: where it rolls back, this one is the first.
fn insert(work: &mut Work<'_>, all: &[Ready<'_>], judged: Judged) -> Result<Vec<Run>> {
    let mut runs = Vec::with_capacity(all.len());
    for alike in all.chunk_by(|a, b| a.request.needs_approval == b.request.needs_approval) {
        runs.extend(insert_alike(work, alike, judged)?);
    }
    Ok(runs)
}

/// The same for runs that begin in the same state.
fn insert_alike(work: &mut Work<'_>, all: &[Ready<'_>], judged: Judged) -> Result<Vec<Run>> {
    let gated = all.first().is_some_and(|ready| ready.request.needs_approval);
    let (state, kind) = match gated {
        true => (RunState::AwaitingApproval, "run.approval_requested"),
        false => (RunState::Queued, "run.enqueued"),
    };
    let told = Told { kind, from: None, to: state, actor: None, more: serde_json::Map::new() };
    let mut binds = Binds::default();
    let now = binds.now(work);
    let rows: Vec<String> = all.iter().map(|ready| row(work, &mut binds, ready, state, &now)).collect::<Result<_>>()?;
    let rows = match (judged, all) {
        (Judged::NoPreset, [one]) => {
            let (kind, project) = (binds.add(&one.request.kind), binds.add(one.project.unwrap_or_default()));
            format!("SELECT {} WHERE {}", rows.join(", "), presets::unbound_run(&kind, &project))
        }
        // Many are judged before they are written.
        _ => format!("VALUES ({})", rows.join("), (")),
    };
    let insert = format!("{INSERT} {rows} ON CONFLICT DO NOTHING RETURNING {COLUMNS}");
    let runs: Vec<Run> = match work.dialect() {
        Dialect::Sqlite => {
            let runs = work.query(&insert, binds.values())?.iter().map(read_run).collect::<Result<Vec<_>>>()?;
            runs.iter().try_for_each(|run| told.append(work, run))?;
            runs
        }
        Dialect::Postgres => {
            let events: Vec<String> = all.iter().map(|_| new_id()).collect();
            let ids = binds.add(Value::Array(events.iter().cloned().map(Value::from).collect()));
            let tell = told.insert(work, &mut binds, &format!("({ids}::text[])[row_number() OVER (ORDER BY id)]"))?;
            let sql = format!("WITH run AS ({insert}), event AS ({tell}) SELECT {COLUMNS} FROM run ORDER BY id");
            let runs = work.query(&sql, binds.values())?.iter().map(read_run).collect::<Result<Vec<_>>>()?;
            if let (Some(run), Some(event)) = (runs.first(), events.first()) {
                note(work, run, event.clone());
            }
            runs
        }
    };
    if !runs.is_empty() {
        signal(work, state);
    }
    Ok(runs)
}

const INSERT: &str = "INSERT INTO sprongus_runs (id, project_id, kind, input, state, ready, priority, run_at, \
    idempotency_key, max_attempts, timeout_us, requested_by, channel_id, conversation_id, parent_id, created_at, \
    updated_at)";

/// A row of [`INSERT`].
fn row<'b>(work: &Work<'_>, binds: &mut Binds<'b>, ready: &'b Ready<'_>, state: RunState, now: &str) -> Result<String> {
    let request = ready.request;
    let (run_at, due) = due(work, binds, request, now)?;
    let due = if state == RunState::Queued { due } else { "FALSE".to_owned() };
    let timeout = request.timeout.map(|timeout| lease::micros("timeout", timeout)).transpose()?;
    let values = [
        binds.add(&ready.id),
        binds.add(ready.project),
        binds.add(&request.kind),
        binds.json(work.dialect(), &request.input),
        format!("'{state}'"),
        due,
        binds.add(request.priority),
        run_at,
        binds.add(request.idempotency_key.as_deref()),
        binds.add(request.max_attempts),
        binds.add(timeout),
        binds.add(request.requested_by.as_deref()),
        binds.add(request.channel_id.as_deref()),
        binds.add(request.conversation_id.as_deref()),
        binds.add(request.parent.as_deref()),
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

/// The run there is: under the same key, or the same id where the answer to an earlier try was lost.
fn first(exec: &mut dyn Executor, ready: &Ready<'_>) -> Result<Option<Run>> {
    let request = ready.request;
    let sql = format!("SELECT {COLUMNS} FROM sprongus_runs WHERE id = $1");
    let own = exec.query(&sql, &[(&ready.id).into()])?;
    if let Some(row) = own.first() {
        return read_run(row).map(Some);
    }
    let sql =
        format!("SELECT {COLUMNS} FROM sprongus_runs WHERE coalesce(project_id, '') = $1 AND idempotency_key = $2");
    let rows = exec.query(&sql, &[ready.project.unwrap_or("").into(), request.idempotency_key.as_deref().into()])?;
    let Some(run) = rows.first().map(read_run).transpose()? else { return Ok(None) };
    if run.kind == request.kind && run.input == request.input {
        return Ok(Some(Run { deduplicated: true, ..run }));
    }
    let what = if run.kind == request.kind { "input" } else { "kind" };
    let message = format!("the idempotency key belongs to the run {}, which has another {what}", run.id);
    Err(Error::new(ErrorCode::Conflict, message).with_details(serde_json::json!({ "id": run.id })))
}

/// The same error, saying which of many it is about.
fn at(index: usize, error: Error) -> Error {
    let located = Error::new(error.code(), format!("item {index}: {}", error.message()));
    let mut details = error.details().cloned().unwrap_or_else(|| serde_json::json!({}));
    if let Some(details) = details.as_object_mut() {
        details.insert("item".to_owned(), index.into());
    }
    located.with_details(details).with_source(error)
}
