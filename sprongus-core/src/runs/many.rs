//! PostgreSQL: the same transition of many runs, each under its own lease and with values of its own, in one statement.

use std::time::Duration;

use serde_json::Map;

use super::binds::Binds;
use super::change::assignments;
use super::lease;
use super::model::{COLUMNS, Run, WIDTH, read_run};
use super::record::{Each, Told, insert_outputs, signal};
use super::state::{RunState, Step};
use crate::db::{Dialect, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::json::Json;
use crate::session::Work;

/// A transition of many runs that are running; those that are not, under that lease, are passed over.
pub(super) struct Many<'m> {
    step: Step,
    project: Option<&'m str>,
    columns: Vec<(&'static str, &'static str, Vec<Value<'static>>)>,
    sets: Vec<&'static str>,
    puts_out: bool,
    puts_off: bool,
}

impl<'m> Many<'m> {
    /// Of runs by id and lease; of that project, where one is given.
    pub(super) fn new<'k>(step: Step, project: Option<&'m str>, keys: impl Iterator<Item = (&'k str, i64)>) -> Self {
        let (ids, leases): (Vec<_>, Vec<_>) =
            keys.map(|(id, lease)| (Value::from(id.to_owned()), lease.into())).unzip();
        let events = ids.iter().map(|_| crate::id::new_id().into()).collect();
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
        let outputs: Vec<Option<&Json>> = outputs.collect();
        let each = |of: fn(&Json) -> Value<'static>| outputs.iter().map(|json| json.map_or(Value::Null, of)).collect();
        self.columns.extend([
            ("artifact", "text", each(|_| crate::id::new_id().into())),
            ("content", "bytea", each(|json| json.as_str().as_bytes().to_vec().into())),
            ("hash", "text", each(|json| json.hash_hex().into())),
        ]);
        self.column("out_ref", "text", output_refs.map(Value::from));
        self.sets.push("output_ref = coalesce('artifact:' || artifact, out_ref)");
        self.puts_out = true;
    }

    /// Lets each be due again after its delay.
    pub(super) fn put_off(&mut self, delays: impl Iterator<Item = Duration>) -> Result<()> {
        let micros = delays.map(|delay| lease::micros("the delay", delay)).collect::<Result<Vec<_>>>()?;
        self.column("delay_us", "bigint", micros.into_iter().map(Value::from));
        self.sets.push("ready = (delay_us = 0)");
        self.puts_off = true;
        Ok(())
    }

    /// Does it; the runs that went on.
    pub(super) fn apply(mut self, work: &mut Work<'_>) -> Result<Vec<Run>> {
        let mut binds = Binds::default();
        let sql = self.sql(work, &mut binds)?;
        let rows = work.query(&sql, binds.values())?;
        let mut runs = Vec::with_capacity(rows.len());
        for row in rows {
            let (actor, more) = (row.opt_text(TOLD_BY)?, row.opt_json(MORE)?.map(|more| more.to_value()));
            let more = more.and_then(|more| more.as_object().cloned()).unwrap_or_default();
            let event = row.text(EVENT_ID)?;
            let run = read_run(row)?;
            self.told(run.state, actor.as_deref(), more).note(work, &run, event)?;
            runs.push(run);
        }
        if let Some(run) = runs.first() {
            signal(work, run.state);
        }
        tracing::debug!(runs = runs.len(), step = ?self.step, "runs went on");
        Ok(runs)
    }

    /// The rows are locked in the order of their ids, so that rivals with the same ones wait for one another and not in a
    /// circle.
    fn sql(&mut self, work: &Work<'_>, binds: &mut Binds<'m>) -> Result<String> {
        let from = RunState::Running;
        let to = self.step.from(from).ok_or_else(|| Error::new(ErrorCode::InvalidState, "no such transition"))?;
        let (mut arrays, mut names) = (Vec::new(), Vec::new());
        for (name, kind, values) in std::mem::take(&mut self.columns) {
            arrays.push(format!("{}::{kind}[]", binds.add(Value::Array(values))));
            names.push(name);
        }
        let given = format!("SELECT * FROM unnest({}) AS given({})", arrays.join(", "), names.join(", "));
        // By the ids alone: `||` keeps the planner from the indexes on project and state, and from all that is in them.
        let of_project = self.project.map(|project| format!(" AND project_id || '' = {}", binds.add(project)));
        let holds =
            format!("id = of_run AND lease = under AND state || '' = '{from}'{}", of_project.unwrap_or_default());
        let now = binds.now(work);
        let mut sets = assignments(self.step, from, to, &now);
        sets.extend(self.sets.iter().map(|set| (*set).to_owned()));
        if self.puts_off {
            sets.push(format!("run_at = {now} + delay_us * interval '1 microsecond'"));
        }
        let told = self.told(to, None, Map::new());
        let given_by = |name| names.iter().find(|given| **given == name).copied();
        let (actor, more) = (given_by("told_by"), given_by("more"));
        let event = told.insert_each(work, binds, &Each { ids: "event_id", actor, more, ..Each::default() })?;
        let outputs = match self.puts_out {
            true => format!(
                ", output AS ({})",
                insert_outputs(Dialect::Postgres, "artifact", "content", "hash", "run WHERE artifact IS NOT NULL")
            ),
            false => String::new(),
        };
        Ok(format!(
            "WITH given AS MATERIALIZED ({given}), held AS MATERIALIZED (SELECT id FROM sprongus_runs, given \
             WHERE id = ANY ({}) AND {holds} ORDER BY id FOR UPDATE OF sprongus_runs), run AS (UPDATE sprongus_runs SET {} \
             FROM given WHERE id = ANY (ARRAY (SELECT id FROM held)) AND {holds} RETURNING {COLUMNS}, {}), \
             event AS ({event}){outputs} SELECT {COLUMNS}, event_id, {}, {} FROM run ORDER BY id",
            arrays.first().map_or("", String::as_str),
            sets.join(", "),
            names.get(2..).unwrap_or_default().join(", "),
            actor.unwrap_or("NULL"),
            more.unwrap_or("NULL"),
        ))
    }

    fn told<'t>(&self, to: RunState, actor: Option<&'t str>, more: Map<String, serde_json::Value>) -> Told<'t> {
        Told { kind: self.step.event(), from: Some(RunState::Running), to, actor, more }
    }
}

/// Where the id of its event stands in a row, who did it and what more it tells: behind those that [`read_run`] reads.
const EVENT_ID: usize = WIDTH;
const TOLD_BY: usize = EVENT_ID + 1;
const MORE: usize = EVENT_ID + 2;
