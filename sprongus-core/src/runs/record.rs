//! What a transition writes beside the run: its event, its output, and who is told after the commit.

use super::approvals::GATE;
use super::binds::Binds;
use super::model::Run;
use super::state::RunState;
use crate::db::{Dialect, Value};
use crate::error::Result;
use crate::events::{self, NewEvent, Signal};
use crate::json::Json;
use crate::session::{Who, Witness, Work};

/// The kind of the artifact that a run's output is kept as.
pub(super) const OUTPUT_KIND: &str = "run.output";

/// The subject of a run's events.
pub(super) fn subject(id: &str) -> String {
    format!("run:{id}")
}

/// The member of an event's payload that names the approval it is about.
pub(super) const APPROVAL_ID: &str = "approvalId";

/// The members of an event's payload that say what leave is asked for, or was decided.
pub(super) fn asked(scope: &str, step: Option<&str>) -> [(String, serde_json::Value); 2] {
    [("scope".to_owned(), scope.into()), ("step".to_owned(), step.into())]
}

/// A transition, as its event tells it.
pub(super) struct Told<'t> {
    pub(super) kind: &'static str,
    pub(super) from: Option<RunState>,
    pub(super) to: RunState,
    /// None: the worker that has the run, else the handle's actor.
    pub(super) actor: Option<&'t str>,
    pub(super) more: serde_json::Map<String, serde_json::Value>,
}

impl Told<'_> {
    /// Whether it is the gate of a new run that asks.
    fn asks(&self) -> bool {
        self.from.is_none() && self.to == RunState::AwaitingApproval
    }

    pub(super) fn payload(&self, run: Option<&Run>) -> Result<Json> {
        if self.more.is_empty() && !self.asks() {
            return Ok(self.plain(run));
        }
        let mut payload = self.more.clone();
        if self.asks() {
            payload.extend(asked(GATE, None));
        }
        payload.insert("from".to_owned(), self.from.map(RunState::as_str).into());
        payload.insert("to".to_owned(), self.to.as_str().into());
        if let Some(run) = run {
            payload.insert("attempt".to_owned(), run.attempt.into());
            if self.asks() {
                payload.insert(APPROVAL_ID.to_owned(), run.id.clone().into());
            }
        }
        Json::from_value(&serde_json::Value::Object(payload))
    }

    /// The payload of most, in canonical form as it stands: names of states need no escapes.
    fn plain(&self, run: Option<&Run>) -> Json {
        let attempt = run.map(|run| format!("\"attempt\":{},", run.attempt)).unwrap_or_default();
        let from = self.from.map_or_else(|| "null".to_owned(), |from| format!("\"{from}\""));
        Json::from_canonical(format!("{{{attempt}\"from\":{from},\"to\":\"{}\"}}", self.to))
    }

    /// Appends the events of runs that were written.
    pub(super) fn append_all(&self, work: &mut Work<'_>, runs: &[Run]) -> Result<()> {
        if let [one] = runs {
            return self.append(work, one);
        }
        let subjects: Vec<String> = runs.iter().map(|run| subject(&run.id)).collect();
        let payloads: Vec<Json> = runs.iter().map(|run| self.payload(Some(run))).collect::<Result<_>>()?;
        let who = work.who();
        let all = runs.iter().zip(&subjects).zip(&payloads);
        let events: Vec<NewEvent<'_>> =
            all.map(|((run, subject), payload)| self.event(who, run, subject, payload)).collect();
        events::append_all(work, &events)
    }

    /// Appends the event of a run that was written.
    pub(super) fn append(&self, work: &mut Work<'_>, run: &Run) -> Result<()> {
        let (subject, payload) = (subject(&run.id), self.payload(Some(run))?);
        let event = self.event(work.who(), run, &subject, &payload);
        events::append(work, &event)
    }

    /// After PostgreSQL wrote a run and its event: remembers what proves that they were committed, and whom to tell then.
    pub(super) fn note(&self, work: &mut Work<'_>, run: &Run, id: String) -> Result<()> {
        let subject = subject(&run.id);
        if work.has_listeners() {
            let payload = self.payload(Some(run))?;
            let event = self.event(work.who(), run, &subject, &payload);
            events::tell(work, &event, &id, run.updated_at);
        }
        work.after.witness = Some(Witness { subject, seq: run.version, id });
        Ok(())
    }

    /// The same of runs that one statement wrote, with their events: the last proves all.
    pub(super) fn note_all(&self, work: &mut Work<'_>, runs: &[Run], events: &[String]) -> Result<()> {
        let passed = if work.has_listeners() { 0 } else { runs.len().saturating_sub(1) };
        let mut noted = runs.iter().zip(events).skip(passed);
        noted.try_for_each(|(run, event)| self.note(work, run, event.clone()))
    }

    fn event<'e>(&'e self, who: &'e Who, run: &'e Run, subject: &'e str, payload: &'e Json) -> NewEvent<'e> {
        NewEvent {
            run_id: Some(&run.id),
            project_id: run.project_id.as_deref(),
            subject,
            seq: run.version,
            kind: self.kind,
            actor: self.actor.or(run.claimed_by.as_deref()).unwrap_or(&who.actor),
            payload,
        }
    }

    /// PostgreSQL: the INSERT of one event for each row of the table expression `run`.
    pub(super) fn insert_each<'b>(&self, work: &Work<'_>, binds: &mut Binds<'b>, each: &Each<'_>) -> Result<String> {
        Ok(format!("{INSERT} {}", self.select_each(work, binds, each)?))
    }

    /// PostgreSQL: the SELECT of those events, for [`INSERT`].
    pub(super) fn select_each<'b>(&self, work: &Work<'_>, binds: &mut Binds<'b>, each: &Each<'_>) -> Result<String> {
        let first = self.bind(work, binds)?;
        Ok(each.select(first, self.actor.is_some(), self.asks()))
    }

    /// PostgreSQL: binds what [`Each::select`] takes; the number of the first.
    pub(super) fn bind(&self, work: &Work<'_>, binds: &mut Binds<'_>) -> Result<usize> {
        let first = binds.push(self.kind);
        binds.push(self.actor.unwrap_or(&work.who().actor).to_owned());
        binds.push(Value::Json(self.payload(None)?.for_jsonb().into_owned().into()));
        Ok(first)
    }
}

/// PostgreSQL: what writes the events of a SELECT, of one transition or, with UNION ALL, of several: each INSERT of its own
/// has the server open the table, its indexes and its checks once more.
pub(super) const INSERT: &str =
    "INSERT INTO sprongus_events (id, run_id, project_id, subject, seq, type, at, actor, payload)";

/// PostgreSQL: SQL over the rows of the table expression `run`, for what differs among the events of many runs.
#[derive(Default)]
pub(super) struct Each<'e> {
    pub(super) ids: &'e str,
    /// The table expression, where it is another one.
    pub(super) of: Option<&'static str>,
    /// The worker that had it, where the run does not tell it any more.
    pub(super) actor: Option<&'e str>,
    /// Further members of the payload.
    pub(super) more: Option<&'e str>,
}

impl Each<'_> {
    /// The SELECT of the events. Their kind is the parameter of that number; their actor the next, `told` or else where no
    /// worker has the run; their payload the one after that. `asks`: at the gate of a new run.
    pub(super) fn select(&self, first: usize, told: bool, asks: bool) -> String {
        let (kind, actor, payload) = (first, first + 1, first + 2);
        let actor = match told {
            true => format!("${actor}::text"),
            false => format!("coalesce({}, ${actor}::text)", self.actor.unwrap_or("claimed_by")),
        };
        let (ids, of) = (self.ids, self.of.unwrap_or("run"));
        let more = self.more.map(|more| format!(" || {more}")).unwrap_or_default();
        let approval = if asks { format!(", '{APPROVAL_ID}', id") } else { String::new() };
        format!(
            "SELECT {ids}, id, project_id, 'run:' || id, version, ${kind}::text, updated_at, {actor}, \
             ${payload}::jsonb || jsonb_build_object('attempt', attempt{approval}){more} FROM {of}"
        )
    }
}

/// Binds what [`insert_output`] takes; the number of the first.
pub(super) fn bind_output(binds: &mut Binds<'_>, id: &str, output: &Json) -> usize {
    let first = binds.push(id.to_owned());
    binds.push(output.as_str().as_bytes().to_vec());
    binds.push(output.hash_hex());
    first
}

/// The INSERT of a run's output as the next version of its artifact; `run` is the table expression of the one run. Its
/// parameters are of that number and the next two.
pub(super) fn insert_output(dialect: Dialect, first: usize, run: &str) -> String {
    let [id, content, hash] = [first, first + 1, first + 2].map(|number| format!("${number}"));
    let content = if dialect == Dialect::Postgres { format!("{content}::bytea") } else { content };
    insert_outputs(dialect, &id, &content, &hash, run)
}

/// The INSERT of the output of each row of the table expression `run`: SQL gives the artifact's id, its bytes, their hash.
pub(super) fn insert_outputs(dialect: Dialect, id: &str, content: &str, hash: &str, run: &str) -> String {
    let (json, size) = match dialect {
        Dialect::Sqlite => ("'{}'", format!("length({content})")),
        Dialect::Postgres => ("'{}'::jsonb", format!("octet_length({content})")),
    };
    format!(
        "INSERT INTO sprongus_artifacts (id, project_id, run_id, kind, logical_key, version, media_type, content, sha256, \
         size, metadata, created_at) SELECT {id}, project_id, id, '{OUTPUT_KIND}', id, 1 + (SELECT coalesce(max(version), 0) \
         FROM sprongus_artifacts AS a WHERE coalesce(a.project_id, '') = coalesce(run.project_id, '') \
         AND a.kind = '{OUTPUT_KIND}' AND a.logical_key = run.id), 'application/json', {content}, {hash}, {size}, {json}, \
         updated_at FROM {run}"
    )
}

/// Tells, after the commit, those who wait for runs to become ready or to end.
pub(super) fn signal(work: &mut Work<'_>, state: RunState) {
    if state == RunState::Queued {
        work.after.signals.push(Signal::RunReady);
    }
    if state.is_final() {
        work.after.signals.push(Signal::RunEnded);
    }
}
