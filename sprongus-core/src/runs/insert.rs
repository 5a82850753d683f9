//! Puts a run into the queue: its row and its event.

use std::sync::OnceLock;
use std::time::Duration;

use super::approvals::gates;
use super::binds::Binds;
use super::model::Run;
use super::ready::{COLUMNS, New, Ready, begins, timeout, told};
use super::record::{signal, subject};
use super::requests::Enqueue;
use super::state::RunState;
use super::{lane, lease};
use crate::clock::Timestamp;
use crate::db::{Dialect, Value};
use crate::error::Result;
use crate::fork::made_once;
use crate::id::new_id;
use crate::presets;
use crate::session::Work;

/// Whether the input of a run that is written was held against the preset of its kind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    /// It passed, or there was no preset.
    Valid,
    /// Nobody looked: it is written only if no preset is bound.
    NoPreset,
}

/// Writes the run with its event, unless its key is taken or its preset is to be asked. One statement on PostgreSQL.
///
/// A rival that holds the key and has not committed is waited for: where it rolls back, this one is the first. `unheard_of`:
/// its id was never sent to the database, so that without a key it cannot be there.
pub(super) fn insert(work: &mut Work<'_>, ready: &Ready<'_>, judged: Judged, unheard_of: bool) -> Result<Option<Run>> {
    let run = match work.dialect() {
        Dialect::Sqlite => on_sqlite(work, ready, judged)?,
        Dialect::Postgres => on_postgres(work, ready, judged, unheard_of)?,
    };
    if let Some(run) = &run {
        signal(work, run.state);
    }
    Ok(run)
}

/// SQLite keeps a journal of its own for every INSERT with a SELECT or RETURNING: plain statements cost less.
fn on_sqlite(work: &mut Work<'_>, ready: &Ready<'_>, judged: Judged) -> Result<Option<Run>> {
    static LOOK: OnceLock<String> = OnceLock::new();
    static INSERT: OnceLock<String> = OnceLock::new();
    let look = made_once(&LOOK, || {
        let unbound = presets::unbound_run(Dialect::Sqlite, "$1", "$2");
        format!("SELECT {unbound}, {}", lane::is_limited("$1"))
    });
    let insert = made_once(&INSERT, || {
        let marks: Vec<String> = (1..=COLUMNS.len()).map(|n| format!("${n}")).collect();
        let (columns, marks) = (COLUMNS.join(", "), marks.join(", "));
        format!("INSERT INTO sprongus_runs ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING")
    });
    let kind = [ready.request.kind.as_str().into(), ready.project.unwrap_or_default().into()];
    let (mut unbound, mut limited) = (false, false);
    if let Some(row) = work.query(look, &kind)?.first() {
        (unbound, limited) = (row.bool(0)?, row.bool(1)?);
    }
    if judged == Judged::NoPreset && !unbound {
        return Ok(None);
    }
    let new = New::of(ready, work.options().clock.now(), limited)?;
    if work.execute(insert, &new.values(Dialect::Sqlite))? == 0 {
        return Ok(None);
    }
    told(new.run.state).append(work, &new.run)?;
    if new.run.state == RunState::AwaitingApproval {
        work.execute(&gates("sprongus_runs WHERE id = $1"), &[(&ready.id).into()])?;
    }
    Ok(Some(new.run))
}

/// By the server's clock. What the event tells is known here, so that the server puts nothing together.
fn on_postgres(work: &mut Work<'_>, ready: &Ready<'_>, judged: Judged, unheard_of: bool) -> Result<Option<Run>> {
    let (request, event, subject) = (ready.request, new_id(), subject(&ready.id));
    let (state, told) = (begins(request), told(begins(request)));
    // What it tells is the same at any time.
    let payload = told.payload(Some(&ready.written(Timestamp::MIN)))?;
    let mut binds = Binds::default();
    let now = binds.now(work);
    let kind = format!("{}::text", binds.add(&request.kind));
    let (columns, values): (Vec<&str>, Vec<String>) = row(&mut binds, ready, &kind, &now)?.into_iter().unzip();
    let (columns, values) = (columns.join(", "), values.join(", "));
    let unbound = match judged {
        Judged::Valid => String::new(),
        Judged::NoPreset => {
            let project = format!("{}::text", binds.add(ready.project.unwrap_or_default()));
            format!(" WHERE {}", presets::unbound_run(Dialect::Postgres, &kind, &project))
        }
    };
    let conflict = if unheard_of && request.idempotency_key.is_none() { "" } else { " ON CONFLICT DO NOTHING" };
    let gate = match state {
        RunState::AwaitingApproval => format!(", gate AS ({})", gates("run")),
        _ => String::new(),
    };
    let (event_id, subject, of_kind) = (binds.add(&event), binds.add(&subject), binds.add(told.kind));
    let (actor, payload) = (binds.add(work.who().actor.to_string()), binds.json(Dialect::Postgres, &payload));
    let sql = format!(
        "WITH run AS (INSERT INTO sprongus_runs ({columns}) SELECT {values}{unbound}{conflict} \
         RETURNING id, project_id, created_at){gate} \
         INSERT INTO sprongus_events (id, run_id, project_id, subject, seq, type, at, actor, payload) \
         SELECT {event_id}, id, project_id, {subject}, 1, {of_kind}, created_at, {actor}, {payload} FROM run RETURNING at"
    );
    let Some(row) = work.query(&sql, binds.values())?.pop() else { return Ok(None) };
    let run = ready.written(row.time(0)?);
    told.note(work, &run, event)?;
    Ok(Some(run))
}

/// PostgreSQL: the columns of a new run, and the SQL of each; only those that are given, for each costs the server something.
fn row<'b>(binds: &mut Binds<'b>, ready: &'b Ready<'_>, kind: &str, now: &str) -> Result<Vec<(&'static str, String)>> {
    let request = ready.request;
    let due = due(binds, request, now)?;
    let queued = begins(request) == RunState::Queued;
    let mut row = vec![
        ("id", format!("{}::text", binds.add(&ready.id))),
        ("kind", kind.to_owned()),
        ("input", binds.json(Dialect::Postgres, &request.input)),
        ("state", format!("'{}'", begins(request))),
        ("ready", if queued { due.already } else { "FALSE".to_owned() }),
        ("limited", lane::is_limited(kind)),
        ("priority", binds.add(request.priority)),
        ("run_at", due.run_at),
        ("max_attempts", binds.add(request.max_attempts)),
        ("created_at", now.to_owned()),
        ("updated_at", now.to_owned()),
    ];
    let texts = [
        ("project_id", ready.project),
        ("idempotency_key", request.idempotency_key.as_deref()),
        ("requested_by", request.requested_by.as_deref()),
        ("channel_id", request.channel_id.as_deref()),
        ("conversation_id", request.conversation_id.as_deref()),
        ("parent_id", request.parent.as_deref()),
        ("awaiting", (!queued).then_some(ready.id.as_str())),
    ];
    let given = texts.into_iter().filter_map(|(column, text)| text.map(|text| (column, text)));
    row.extend(given.map(|(column, text)| (column, binds.add(text))));
    row.extend(timeout(request)?.map(|timeout| ("timeout_us", binds.add(timeout))));
    Ok(row)
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
