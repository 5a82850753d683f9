//! PostgreSQL: the same transition of many runs, each under its own lease and with values of its own, in one statement.

use std::time::Duration;

use serde_json::Map;

use super::binds::Binds;
use super::lease;
use super::model::{COLUMNS, Run, WIDTH, read_run};
use super::record::{Told, signal, subject};
use super::state::{RunState, Step};
use crate::db::{Row, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::id::NewIds;
use crate::json::Json;
use crate::session::{Witness, Work};

/// A transition of many runs that are running; those that are not, under that lease, are passed over.
pub(super) struct Many<'m> {
    pub(super) step: Step,
    pub(super) project: Option<&'m str>,
    /// What is given for each run: its id, its lease, the id of its event, and what else there is.
    pub(super) columns: Vec<(&'static str, &'static str, Vec<Value<'static>>)>,
    pub(super) sets: Vec<&'static str>,
    pub(super) puts_out: bool,
    pub(super) puts_off: bool,
}

impl<'m> Many<'m> {
    /// Of runs by id and lease; of that project, where one is given.
    pub(super) fn new<'k>(step: Step, project: Option<&'m str>, keys: impl Iterator<Item = (&'k str, i64)>) -> Self {
        let (ids, leases): (Vec<_>, Vec<_>) =
            keys.map(|(id, lease)| (Value::from(id.to_owned()), lease.into())).unzip();
        let mut new = NewIds::new();
        let events = ids.iter().map(|_| new.next().into()).collect();
        let columns = vec![("of_run", "text", ids), ("under", "bigint", leases), ("event_id", "text", events)];
        Self { step, project, columns, sets: Vec::new(), puts_out: false, puts_off: false }
    }

    /// A column of values, one for each run.
    fn column(&mut self, name: &'static str, kind: &'static str, values: impl Iterator<Item = Value<'static>>) {
        self.columns.push((name, kind, values.collect()));
    }

    /// Who did it, where it was not the handle's actor.
    pub(super) fn told_by<'w>(&mut self, workers: impl Iterator<Item = Option<&'w str>>) {
        self.column("told_by", "text", workers.map(|worker| worker.map(str::to_owned).into()));
    }

    /// Further members of the events' payloads.
    pub(super) fn tell(&mut self, members: impl Iterator<Item = Map<String, serde_json::Value>>) -> Result<()> {
        let more = members.map(|members| {
            let json = Json::from_value(&serde_json::Value::Object(members))?;
            Ok(Value::Json(json.for_jsonb().into_owned().into()))
        });
        let more = more.collect::<Result<Vec<_>>>()?;
        self.column("more", "jsonb", more.into_iter());
        Ok(())
    }

    /// The errors of their last attempts.
    pub(super) fn errors<'e>(&mut self, errors: impl Iterator<Item = &'e str>) {
        self.column("why", "text", errors.map(|error| error.to_owned().into()));
        self.sets.push("error = why");
    }

    /// Nothing went wrong.
    pub(super) fn no_errors(&mut self) {
        self.sets.push("error = NULL");
    }

    /// Keeps the outputs there are as artifacts and refers to them; a run without one refers to `output_refs`.
    pub(super) fn put_out<'j>(
        &mut self,
        outputs: impl Iterator<Item = Option<&'j Json>>,
        output_refs: impl Iterator<Item = Option<String>>,
    ) {
        let (outputs, output_refs): (Vec<_>, Vec<_>) = (outputs.collect(), output_refs.collect());
        // A column costs the server something in each row.
        self.puts_out = outputs.iter().any(Option::is_some);
        if !self.puts_out && output_refs.iter().all(Option::is_none) {
            return self.sets.push("output_ref = NULL");
        }
        self.column("out_ref", "text", output_refs.into_iter().map(Value::from));
        if !self.puts_out {
            return self.sets.push("output_ref = out_ref");
        }
        let each = |of: fn(&Json) -> Value<'static>| outputs.iter().map(|json| json.map_or(Value::Null, of)).collect();
        self.columns.extend([
            ("artifact", "text", each(|_| crate::id::new_id().into())),
            ("content", "bytea", each(|json| json.as_str().as_bytes().to_vec().into())),
            ("hash", "text", each(|json| json.hash_hex().into())),
        ]);
        self.sets.push("output_ref = coalesce('artifact:' || artifact, out_ref)");
    }

    /// Lets each be due again after its delay.
    pub(super) fn put_off(&mut self, delays: impl Iterator<Item = Duration>) -> Result<()> {
        let micros = delays.map(|delay| lease::micros("the delay", delay)).collect::<Result<Vec<_>>>()?;
        self.column("delay_us", "bigint", micros.into_iter().map(Value::from));
        self.sets.push("ready = (delay_us = 0)");
        self.puts_off = true;
        Ok(())
    }

    /// Does it; the runs that went on, and their places among those that were given.
    pub(super) fn apply(mut self, work: &mut Work<'_>) -> Result<Vec<(usize, Run)>> {
        let mut binds = Binds::default();
        let sql = self.sql(work, &mut binds, COLUMNS, &format!("{COLUMNS}, {BESIDE}"))?;
        let rows = work.query(&format!("{sql} ORDER BY id"), binds.values())?;
        // One event proves all of them, where nobody listens.
        let passed = if work.has_listeners() { 0 } else { rows.len().saturating_sub(1) };
        let mut runs = Vec::with_capacity(rows.len());
        for (index, mut row) in rows.into_iter().enumerate() {
            let place = place(row.int(NTH)?)?;
            let (event, actor, more) = (row.take_text(EVENT_ID)?, row.take_opt_text(TOLD_BY)?, row.opt_json(MORE)?);
            let run = read_run(row)?;
            if index >= passed {
                let more = more.and_then(|more| more.to_value().as_object().cloned()).unwrap_or_default();
                self.told(run.state, actor.as_deref(), more).note(work, &run, event)?;
            }
            runs.push((place, run));
        }
        if let Some((_, run)) = runs.first() {
            signal(work, run.state);
        }
        tracing::debug!(runs = runs.len(), step = ?self.step, "runs went on");
        Ok(runs)
    }

    /// Does it; the places of those that went on. Nothing else of them is read.
    pub(super) fn apply_briefly(mut self, work: &mut Work<'_>) -> Result<Vec<usize>> {
        let mut binds = Binds::default();
        // An event and its run prove all of them.
        let which = "array_agg(nth), (array_agg(id))[1], (array_agg(version))[1], (array_agg(event_id))[1]";
        let sql = self.sql(work, &mut binds, TOLD_OF, which)?;
        let rows = work.query(&sql, binds.values())?;
        let Some(row) = rows.first() else { return Ok(Vec::new()) };
        let places = places(row)?;
        if let Some(to) = self.step.from(RunState::Running).filter(|_| !places.is_empty()) {
            let witness = Witness { subject: subject(&row.text(1)?), seq: row.int(2)?, id: row.text(3)? };
            work.after.witness = Some(witness);
            signal(work, to);
        }
        tracing::debug!(runs = places.len(), step = ?self.step, "runs went on");
        Ok(places)
    }

    pub(super) fn told<'t>(
        &self,
        to: RunState,
        actor: Option<&'t str>,
        more: Map<String, serde_json::Value>,
    ) -> Told<'t> {
        Told { kind: self.step.event(), from: Some(RunState::Running), to, actor, more }
    }
}

/// The places in the first column, which is NULL where there are none.
fn places(row: &Row) -> Result<Vec<usize>> {
    let Some(Value::Array(numbers)) = row.values().first() else { return Ok(Vec::new()) };
    let number = |number: &Value<'_>| match number {
        Value::Int(number) => place(*number),
        _ => place(0),
    };
    numbers.iter().map(number).collect()
}

/// Of a number that counts from one.
fn place(nth: i64) -> Result<usize> {
    let corrupt = || Error::new(ErrorCode::Corrupt, "a report came back with a place that there is not");
    nth.checked_sub(1).and_then(|place| usize::try_from(place).ok()).ok_or_else(corrupt)
}

/// The columns that events and outputs are made of.
const TOLD_OF: &str = "id, project_id, claimed_by, attempt, version, updated_at";

/// What [`Many::apply`] reads behind a run: the id of its event, who did it, what more it tells, and its place.
const BESIDE: &str = "event_id, told_by, more, nth";
const EVENT_ID: usize = WIDTH;
const TOLD_BY: usize = EVENT_ID + 1;
const MORE: usize = EVENT_ID + 2;
const NTH: usize = EVENT_ID + 3;
