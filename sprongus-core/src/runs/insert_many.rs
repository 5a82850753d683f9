//! Puts many runs into the queue, as of one moment and by few statements.

use std::collections::HashSet;

use super::approvals::gates;
use super::columns::Columns;
use super::lane;
use super::model::Run;
use super::ready::{COLUMNS, New, Ready, told};
use super::record::{signal, subject};
use super::state::RunState;
use crate::db::{Dialect, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::events;
use crate::id::NewIds;
use crate::json::Json;
use crate::session::{Work, present};

/// Runs of one statement, and bytes of their inputs: what the server takes as one message has an end.
const MOST: usize = 1_000;
const MOST_BYTES: usize = 16 << 20;

/// Writes the runs with their events, but for those whose key is taken; the ones that it wrote, in their order.
///
/// A rival that holds a key and has not committed is waited for: where it rolls back, this one is the first.
pub(super) fn insert_many(work: &mut Work<'_>, all: &[&Ready<'_>]) -> Result<Vec<Run>> {
    let options = work.options();
    let at = present(work.exec(), options)?;
    let limited = limited_kinds(work, all)?;
    let (mut runs, mut ids) = (Vec::with_capacity(all.len()), NewIds::new());
    for piece in pieces(all) {
        let news = piece.iter().map(|ready| New::of(ready, at, limited.contains(&ready.request.kind)));
        let mut batch = Batch::new(news.collect::<Result<_>>()?, &mut ids)?;
        match work.dialect() {
            Dialect::Sqlite => batch.by_rows(work)?,
            Dialect::Postgres => batch.by_arrays(work)?,
        }
        batch.note(work)?;
        runs.extend(batch.news.into_iter().map(|new| new.run));
    }
    Ok(runs)
}

/// In pieces that one statement may take.
fn pieces<'p, 'r>(mut all: &'p [&'p Ready<'r>]) -> impl Iterator<Item = &'p [&'p Ready<'r>]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |ready: &&&Ready<'_>| {
            let first = bytes == 0;
            bytes += ready.request.input.as_str().len();
            first || bytes <= MOST_BYTES
        };
        let count = all.iter().take(MOST).take_while(fits).count();
        let (piece, rest) = all.split_at(count);
        all = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Which of their kinds have a limit. Where one is set or lifted meanwhile, claims put the runs right ([`super::lane`]).
fn limited_kinds(work: &mut Work<'_>, all: &[&Ready<'_>]) -> Result<HashSet<String>> {
    let kinds: HashSet<&str> = all.iter().map(|ready| ready.request.kind.as_str()).collect();
    let sql = |kinds| format!("SELECT kind FROM sprongus_kind_limits WHERE kind = {kinds} AND {}", lane::IN_FORCE);
    let mut limited = HashSet::new();
    match work.dialect() {
        Dialect::Postgres => {
            let kinds = Value::Array(kinds.into_iter().map(|kind| Value::from(kind.to_owned())).collect());
            for row in work.query(&sql("ANY ($1::text[])"), &[kinds])? {
                limited.insert(row.text(0)?);
            }
        }
        Dialect::Sqlite => {
            let sql = sql("$1");
            for kind in kinds {
                if !work.query(&sql, &[kind.into()])?.is_empty() {
                    limited.insert(kind.to_owned());
                }
            }
        }
    }
    Ok(limited)
}

/// New runs, and of each the id and the payload of its event.
struct Batch {
    news: Vec<New>,
    events: Vec<(String, Json)>,
}

impl Batch {
    fn new(news: Vec<New>, ids: &mut NewIds) -> Result<Self> {
        // All that are queued tell the same.
        let mut queued: Option<Json> = None;
        let mut events = Vec::with_capacity(news.len());
        for new in &news {
            let payload = match &queued {
                Some(payload) if new.run.state == RunState::Queued => payload.clone(),
                _ => told(new.run.state).payload(Some(&new.run))?,
            };
            if new.run.state == RunState::Queued {
                queued.get_or_insert_with(|| payload.clone());
            }
            events.push((ids.next(), payload));
        }
        Ok(Self { news, events })
    }

    fn gated(&self) -> impl Iterator<Item = &New> {
        self.news.iter().filter(|new| new.run.state == RunState::AwaitingApproval)
    }

    /// Leaves those that were written.
    fn keep(&mut self, written: impl Fn(usize, &Run) -> bool) {
        let kept: Vec<bool> = self.news.iter().enumerate().map(|(nth, new)| written(nth, &new.run)).collect();
        let (mut news, mut events) = (kept.iter(), kept.iter());
        self.news.retain(|_| news.next() == Some(&true));
        self.events.retain(|_| events.next() == Some(&true));
    }

    /// SQLite: rows of the one table, then rows of the other.
    fn by_rows(&mut self, work: &mut Work<'_>) -> Result<()> {
        let rows: Vec<_> = self.news.iter().map(|new| new.values(Dialect::Sqlite)).collect();
        let there = work.exec().load_new("sprongus_runs", &COLUMNS, &rows)?;
        drop(rows);
        if !there.is_empty() {
            self.keep(|nth, _| there.binary_search(&nth).is_err());
        }
        let actor = work.who().actor.clone();
        let rows: Vec<_> =
            self.news.iter().zip(&self.events).map(|(new, event)| told_row(new, event, &actor)).collect();
        if !work.exec().load_new("sprongus_events", &events::WRITTEN, &rows)?.is_empty() {
            return Err(Error::new(ErrorCode::Corrupt, "a new run has an event already"));
        }
        for new in self.gated() {
            work.execute(&gates("sprongus_runs WHERE id = $1"), &[(&new.run.id).into()])?;
        }
        Ok(())
    }

    /// PostgreSQL: one statement over arrays, the columns; what is the same in all rows is sent once.
    fn by_arrays(&mut self, work: &mut Work<'_>) -> Result<()> {
        // Without a key nothing stands in the way of a run, and nothing need be answered.
        let keyed = self.news.iter().any(|new| new.run.idempotency_key.is_some());
        let mut columns = Columns::default();
        let sql = self.statement(&mut columns, &work.who().actor, keyed);
        let rows = work.query(&sql, columns.binds.values())?;
        if keyed && rows.len() < self.news.len() {
            let written: HashSet<String> = rows.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
            self.keep(|_, run| written.contains(&run.id));
        }
        Ok(())
    }

    fn statement(&self, columns: &mut Columns, actor: &str, keyed: bool) -> String {
        let mut rows: Vec<_> = self.news.iter().map(|new| new.values(Dialect::Postgres)).collect();
        let mut run = Vec::with_capacity(COLUMNS.len());
        for (nth, kind) in TYPES.into_iter().enumerate() {
            let values = rows.iter_mut().map(|row| std::mem::replace(&mut row[nth], Value::Null)).collect();
            // Inputs differ: they are not compared.
            run.push(if kind == "jsonb" { columns.array(kind, values) } else { columns.add(kind, values) });
        }
        let (id, project, at) = (&run[0], &run[1], &run[COLUMNS.len() - 1]);
        let ids = columns.array("text", self.events.iter().map(|(id, _)| id.into()).collect());
        let kinds = self.news.iter().map(|new| told(new.run.state).kind.into()).collect();
        let (kinds, actor) = (columns.add("text", kinds), columns.add("text", vec![actor.into()]));
        let payloads = self.events.iter().map(|(_, payload)| Dialect::Postgres.json(payload)).collect();
        let payloads = columns.add("jsonb", payloads);
        let event = format!(
            "INSERT INTO sprongus_events ({}) SELECT {ids}, {id}, {project}, 'run:' || {id}, 1, {kinds}, {at}, {actor}, \
             {payloads} FROM given",
            events::WRITTEN.join(", ")
        );
        let (conflict, event) = match keyed {
            // Not `IN` alone, which would be a join: the planner may think it one of few rows, and go through all for each.
            true => (
                " ON CONFLICT DO NOTHING",
                format!(", event AS ({event} WHERE ({id} IN (SELECT id FROM run)) IS TRUE) SELECT id FROM run"),
            ),
            false => ("", format!(" {event}")),
        };
        let gated = self.gated().next().is_some();
        let gate = if gated { format!(", gate AS ({})", gates("run WHERE awaiting = id")) } else { String::new() };
        let returning = if keyed || gated { " RETURNING id, project_id, awaiting, created_at" } else { "" };
        format!(
            "WITH given AS MATERIALIZED ({}), run AS (INSERT INTO sprongus_runs ({}) SELECT {} FROM given{conflict}\
             {returning}){gate}{event}",
            columns.given(),
            COLUMNS.join(", "),
            run.join(", "),
        )
    }

    /// Remembers what proves that they were committed, and whom to tell then.
    fn note(&self, work: &mut Work<'_>) -> Result<()> {
        if let Some(queued) = self.news.iter().find(|new| new.run.state == RunState::Queued) {
            signal(work, queued.run.state);
        }
        // One event proves all; where somebody listens, each is told.
        let passed = if work.has_listeners() { 0 } else { self.news.len().saturating_sub(1) };
        let mut noted = self.news.iter().zip(&self.events).skip(passed);
        noted.try_for_each(|(new, (id, _))| told(new.run.state).note(work, &new.run, id.clone()))
    }
}

/// The types of [`COLUMNS`] on PostgreSQL.
const TYPES: [&str; COLUMNS.len()] = [
    "text",
    "text",
    "text",
    "jsonb",
    "text",
    "boolean",
    "boolean",
    "bigint",
    "timestamptz",
    "text",
    "bigint",
    "bigint",
    "text",
    "text",
    "text",
    "text",
    "text",
    "timestamptz",
    "timestamptz",
];

/// The event of a new run, in the order of [`events::WRITTEN`].
fn told_row<'n>(new: &'n New, (id, payload): &'n (String, Json), actor: &'n str) -> Vec<Value<'n>> {
    let run = &new.run;
    vec![
        id.into(),
        (&run.id).into(),
        run.project_id.as_deref().into(),
        subject(&run.id).into(),
        run.version.into(),
        told(run.state).kind.into(),
        run.created_at.into(),
        actor.into(),
        Value::json(payload.as_str()),
    ]
}
