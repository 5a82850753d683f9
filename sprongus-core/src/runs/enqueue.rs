//! Puts runs into the queue, once per idempotency key under any race (DESIGN.md §5).

use std::cell::Cell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::insert::{Judged, insert};
use super::insert_many::insert_many;
use super::limits::rates::counted;
use super::model::{COLUMNS, Run, read_run};
use super::ready::Ready;
use super::report::check_size;
use super::requests::{Enqueue, EnqueueMany};
use super::{Runs, congestion, lease};
use crate::db::Executor;
use crate::error::{Error, ErrorCode, Result};
use crate::id::{NewIds, check_id, new_id};
use crate::presets::{self, Compiled};
use crate::scope::{Limited, Scope};
use crate::session::Work;
use crate::text::check_name;

impl Runs<'_> {
    pub(super) fn do_enqueue(&self, request: &Enqueue) -> Result<Run> {
        self.session.allow(Scope::RunsWrite)?;
        let project = self.session.project(request.project.as_deref())?;
        self.check(request)?;
        self.check_input(request)?;
        let ready = Ready { id: new_id(), request, project };
        congestion::watched(self.session, || {
            let rated = self.session.who().rate(Limited::Enqueue).is_some();
            // A kind that no preset is bound to is enqueued by one statement.
            let sent = Cell::new(false);
            let write = |judged| {
                let unheard_of = !sent.replace(true);
                let (id, request, project) = (ready.id.clone(), request.clone(), project.map(str::to_owned));
                self.session.send_one(move |work| {
                    let ready = Ready { id: id.clone(), request: &request, project: project.as_deref() };
                    insert(work, &ready, judged, unheard_of)
                })
            };
            if !rated && let Some(run) = self.settled(|| write(Judged::NoPreset))? {
                return Ok(run);
            }
            judge(self.bound(project, &request.kind)?.as_deref(), request)?;
            let write_valid = || match rated {
                true => self.session.write(|work| put(work, &ready)),
                false => write(Judged::Valid),
            };
            // Again where the run under the key vanished between the two looks.
            for _ in 0..3 {
                if let Some(run) = self.settled(write_valid)? {
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
        let (mut all, mut ids) = (Vec::with_capacity(request.items.len()), NewIds::new());
        let mut presets = HashMap::new();
        for (index, item) in request.items.iter().enumerate() {
            let project = self.session.project(item.project.as_deref()).map_err(|error| at(index, error))?;
            let preset = match presets.entry((project, &item.kind)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.bound(project, &item.kind)?),
            };
            self.check(item)
                .and_then(|()| self.check_input(item))
                .and_then(|()| judge(preset.as_deref(), item))
                .map_err(|error| at(index, error))?;
            all.push(Ready { id: ids.next(), request: item, project });
        }
        congestion::watched(self.session, || match all.len() > LONG {
            // Work, not waiting: no deadline bounds it, and nobody shares its commit.
            true => self.session.write_bulk(|work| put_all(work, &all)),
            false => self.session.write(|work| put_all(work, &all)),
        })
    }

    /// A run that is enqueued beside something else, in one commit: judged here, written by [`put_one`].
    pub(crate) fn ready<'r>(&self, request: &'r Enqueue, project: Option<&'r str>) -> Result<Ready<'r>> {
        self.session.read(|exec| self.judge_within(exec, request, project))?;
        Ok(Ready { id: new_id(), request, project })
    }

    /// The same where the transaction is open already: enqueues, or gives the run there is. No rate counts it.
    pub(super) fn enqueue_within(&self, work: &mut Work<'_>, request: &Enqueue, project: Option<&str>) -> Result<Run> {
        self.judge_within(work.exec(), request, project)?;
        let ready = Ready { id: new_id(), request, project };
        let written = insert(work, &ready, Judged::Valid, false)?;
        written.map_or_else(|| there(work, &ready), Ok)
    }

    /// Refuses an input that is too large, holds a credential, or that the preset of the kind does not take.
    pub(super) fn judge_within(&self, exec: &mut dyn Executor, request: &Enqueue, project: Option<&str>) -> Result<()> {
        self.check_input(request)?;
        judge(presets::for_run(self.session, exec, project, &request.kind)?.as_deref(), request)
    }

    /// Refuses what cannot be enqueued whatever its input, before anything is written.
    pub(crate) fn check(&self, request: &Enqueue) -> Result<()> {
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
        if request.run_at.is_some_and(|at| at.as_micros() < 0) {
            return Err(Error::invalid("runAt lies before 1970"));
        }
        if request.run_at.is_some() && request.delay.is_some() {
            return Err(Error::invalid("a run has a runAt or a delay, not both"));
        }
        request.delay.map_or(Ok(0), |delay| lease::micros("delay", delay))?;
        request.timeout.map_or(Ok(0), |timeout| lease::lease_micros("timeout", timeout))?;
        self.check_sync(request)
    }

    fn check_input(&self, request: &Enqueue) -> Result<()> {
        let options = self.session.options();
        check_size("the input", &request.input, options.max_payload_bytes)?;
        options.refuse_secrets(&request.input)
    }

    /// The preset that judges the input of such runs, if there is one.
    fn bound(&self, project: Option<&str>, kind: &str) -> Result<Option<Arc<Compiled>>> {
        self.session.read(|exec| presets::for_run(self.session, exec, project, kind))
    }
}

fn judge(preset: Option<&Compiled>, request: &Enqueue) -> Result<()> {
    let violations = preset.map(|preset| preset.validate(&request.input.to_value())).unwrap_or_default();
    if violations.is_empty() { Ok(()) } else { Err(Error::validation(violations)) }
}

/// More runs than that are work that nobody should wait for.
const LONG: usize = 500;

/// Writes the runs, or gives those there are, in their order.
///
/// They are written in the order of their keys, so that rivals with the same ones in another order wait for one another and
/// not in a circle; and as of one moment, so that among themselves they stand in the order of their ids.
fn put_all(work: &mut Work<'_>, all: &[Ready<'_>]) -> Result<Vec<Run>> {
    let mut by_key: Vec<(usize, &Ready<'_>)> = all.iter().enumerate().collect();
    by_key.sort_by_key(|(_, ready)| (ready.project, ready.request.idempotency_key.as_deref()));
    let keyed = all.iter().any(|ready| ready.request.idempotency_key.is_some());
    let runs = counted(work, keyed, all.len(), |work| {
        let by_key: Vec<&Ready<'_>> = by_key.iter().map(|(_, ready)| *ready).collect();
        insert_many(work, &by_key)
    })?;
    let mut written: Vec<Option<Run>> = all.iter().map(|_| None).collect();
    let mut runs = runs.into_iter().peekable();
    for (index, ready) in by_key {
        written[index] = runs.next_if(|run| run.id == ready.id);
    }
    let answer = |(index, (run, ready)): (usize, (Option<Run>, &Ready<'_>))| match run {
        Some(run) => Ok(run),
        None => there(work, ready).map_err(|error| at(index, error)),
    };
    written.into_iter().zip(all).enumerate().map(answer).collect()
}

/// Writes the run, or gives the one there is.
pub(crate) fn put_one(work: &mut Work<'_>, ready: &Ready<'_>) -> Result<Run> {
    match put(work, ready)? {
        Some(run) => Ok(run),
        None => there(work, ready),
    }
}

/// Writes the run where its key is free, and counts it.
fn put(work: &mut Work<'_>, ready: &Ready<'_>) -> Result<Option<Run>> {
    let keyed = ready.request.idempotency_key.is_some();
    counted(work, keyed, 1, |work| insert(work, ready, Judged::Valid, false))
}

fn there(work: &mut Work<'_>, ready: &Ready<'_>) -> Result<Run> {
    let gone = || Error::new(ErrorCode::Busy, "the run under that idempotency key was just removed; try again");
    first(work.exec(), ready)?.ok_or_else(gone)
}

/// The run there is: under the same key, or the same id where the answer to an earlier try was lost.
fn first(exec: &mut dyn Executor, ready: &Ready<'_>) -> Result<Option<Run>> {
    let request = ready.request;
    let sql = format!("SELECT {COLUMNS} FROM sprongus_runs WHERE id = $1");
    let own = exec.query(&sql, &[(&ready.id).into()])?;
    if let Some(row) = own.into_iter().next() {
        return read_run(row).map(Some);
    }
    let Some(run) = under_key(exec, ready.project, request.idempotency_key.as_deref())? else { return Ok(None) };
    if run.kind == request.kind && run.input == request.input {
        return Ok(Some(Run { deduplicated: true, ..run }));
    }
    let what = if run.kind == request.kind { "input" } else { "kind" };
    let message = format!("the idempotency key belongs to the run {}, which has another {what}", run.id);
    Err(Error::new(ErrorCode::Conflict, message).with_details(serde_json::json!({ "id": run.id })))
}

/// The run under that key; "no project" is a project of its own.
pub(super) fn under_key(exec: &mut dyn Executor, project: Option<&str>, key: Option<&str>) -> Result<Option<Run>> {
    let sql =
        format!("SELECT {COLUMNS} FROM sprongus_runs WHERE coalesce(project_id, '') = $1 AND idempotency_key = $2");
    exec.query(&sql, &[project.unwrap_or_default().into(), key.into()])?.into_iter().next().map(read_run).transpose()
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
