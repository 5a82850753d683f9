//! Writes events, in the transaction of what they tell of.

use super::{Event, News};
use crate::clock::Timestamp;
use crate::db::{Dialect, Executor, Value};
use crate::error::Result;
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

/// Appends one event; the work remembers it as the witness of its commit.
pub(crate) fn append(work: &mut Work<'_>, event: &NewEvent<'_>) -> Result<()> {
    let id = crate::id::new_id();
    let returning = match work.dialect() {
        Dialect::Postgres if work.has_listeners() => " RETURNING at",
        _ => "",
    };
    let sql = format!(
        "INSERT INTO sprongus_events (id, run_id, project_id, subject, seq, type, at, actor, payload) VALUES ($1, $2, $3, $4, $5, $6, {}, $8, $9){returning}",
        work.dialect().now(7)
    );
    let now = work.now();
    let at = match &now {
        Value::Timestamp(at) => Some(*at),
        _ => None,
    };
    let params = [
        Value::text(&id),
        event.run_id.into(),
        event.project_id.into(),
        event.subject.into(),
        event.seq.into(),
        event.kind.into(),
        now,
        event.actor.into(),
        work.dialect().json(event.payload),
    ];
    let at = match returning {
        // A host's own executor need not give rows where there are none.
        "" => work.execute(&sql, &params).map(|_| at)?,
        _ => work.query(&sql, &params)?.first().map(|row| row.time(0)).transpose()?,
    };
    at.into_iter().for_each(|at| tell(work, event, &id, at));
    work.after.witness = Some(Witness { subject: event.subject.to_owned(), seq: event.seq, id });
    Ok(())
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
