//! Writes events, in the transaction of what they tell of.

use std::borrow::Cow;

use super::{Event, News};
use crate::clock::Timestamp;
use crate::db::{Dialect, Executor, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::id::NewIds;
use crate::json::Json;
use crate::session::{Witness, Work};

/// An event to be written; its time is the database's.
pub(crate) struct NewEvent<'e> {
    pub(crate) run_id: Option<&'e str>,
    pub(crate) project_id: Option<&'e str>,
    pub(crate) subject: &'e str,
    pub(crate) seq: i64,
    pub(crate) kind: &'e str,
    pub(crate) actor: &'e str,
    pub(crate) payload: &'e Json,
}

const SQLITE: &str = "INSERT INTO sprongus_events (id, run_id, project_id, subject, seq, type, at, actor, payload) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const POSTGRES: &str = "INSERT INTO sprongus_events (id, run_id, project_id, subject, seq, type, at, actor, payload) \
    VALUES ($1, $2, $3, $4, $5, $6, coalesce($7::timestamptz, statement_timestamp()), $8, $9)";

/// The columns that an event is written with.
pub(crate) const WRITTEN: [&str; 9] =
    ["id", "run_id", "project_id", "subject", "seq", "type", "at", "actor", "payload"];

/// Appends one event; the work remembers it as the witness of its commit.
pub(crate) fn append(work: &mut Work<'_>, event: &NewEvent<'_>) -> Result<()> {
    let id = crate::id::new_id();
    let (sql, tells_at): (Cow<'_, str>, bool) = match work.dialect() {
        Dialect::Sqlite => (SQLITE.into(), false),
        Dialect::Postgres if work.has_listeners() => (format!("{POSTGRES} RETURNING at").into(), true),
        Dialect::Postgres => (POSTGRES.into(), false),
    };
    let now = work.now();
    let at = match &now {
        Value::Timestamp(at) => Some(*at),
        _ => None,
    };
    let params = row(event, &id, &now, work.dialect());
    let at = match tells_at {
        // A host's own executor need not give rows where there are none.
        false => work.exec().execute_soon(&sql, &params).map(|()| at)?,
        true => work.query(&sql, &params)?.first().map(|row| row.time(0)).transpose()?,
    };
    at.into_iter().for_each(|at| tell(work, event, &id, at));
    work.after.witness = Some(Witness { subject: event.subject.to_owned(), seq: event.seq, id });
    Ok(())
}

/// Appends many events; the work remembers the last as the witness of its commit.
pub(crate) fn append_all(work: &mut Work<'_>, events: &[NewEvent<'_>]) -> Result<()> {
    if work.dialect() == Dialect::Postgres {
        return events.iter().try_for_each(|event| append(work, event));
    }
    let Some(last) = events.last() else { return Ok(()) };
    let mut new = NewIds::new();
    let ids: Vec<String> = events.iter().map(|_| new.next()).collect();
    let now = work.now();
    let rows: Vec<Vec<Value<'_>>> =
        events.iter().zip(&ids).map(|(event, id)| row(event, id, &now, Dialect::Sqlite).into()).collect();
    // Many rows a statement, which is most of what they cost.
    if !work.exec().load_new("sprongus_events", &WRITTEN, &rows)?.is_empty() {
        return Err(Error::new(ErrorCode::Conflict, "a subject has an event of that number already"));
    }
    if let Value::Timestamp(at) = now {
        events.iter().zip(&ids).for_each(|(event, id)| tell(work, event, id, at));
    }
    work.after.witness =
        ids.into_iter().next_back().map(|id| Witness { subject: last.subject.to_owned(), seq: last.seq, id });
    Ok(())
}

/// The values of an event, in the order of [`WRITTEN`].
fn row<'e>(event: &NewEvent<'e>, id: &'e str, now: &Value<'e>, dialect: Dialect) -> [Value<'e>; WRITTEN.len()] {
    [
        id.into(),
        event.run_id.into(),
        event.project_id.into(),
        event.subject.into(),
        event.seq.into(),
        event.kind.into(),
        now.clone(),
        event.actor.into(),
        dialect.json(event.payload),
    ]
}

/// Has an event that was written told to those who listen, once it is committed.
pub(crate) fn tell(work: &mut Work<'_>, event: &NewEvent<'_>, id: &str, at: Timestamp) {
    if !work.has_listeners() {
        return;
    }
    let told = Event {
        id: id.to_owned(),
        run_id: event.run_id.map(str::to_owned),
        subject: event.subject.to_owned(),
        seq: event.seq,
        kind: event.kind.to_owned(),
        at,
        actor: event.actor.to_owned(),
        payload: event.payload.clone(),
    };
    work.after.news.push(News { project: event.project_id.map(str::to_owned), event: told });
}

/// The next seq of a subject whose events are not counted elsewhere.
pub(crate) fn next_seq(exec: &mut dyn Executor, subject: &str) -> Result<i64> {
    let rows =
        exec.query("SELECT coalesce(max(seq), 0) + 1 FROM sprongus_events WHERE subject = $1", &[subject.into()])?;
    rows.first().map_or(Ok(1), |row| row.int(0))
}

/// Whether the work that wrote this event was committed.
pub(crate) fn committed(exec: &mut dyn Executor, witness: &Witness) -> Result<bool> {
    let rows = exec.query(
        "SELECT id FROM sprongus_events WHERE subject = $1 AND seq = $2",
        &[(&witness.subject).into(), witness.seq.into()],
    )?;
    rows.first().map_or(Ok(false), |row| Ok(row.text(0)? == witness.id))
}
