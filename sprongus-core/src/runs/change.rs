//! One transition: the run compared and set, its event and its output, together or not at all.

use serde_json::Map;

use super::binds::Binds;
use super::lane;
use super::model::{COLUMNS, Run, read_run};
use super::record::{Each, Told, insert_output, signal, subject};
use super::state::{RunState, Step};
use crate::db::{Dialect, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::json::Json;
use crate::session::{Witness, Work};

/// A transition of one run that is in a known state under a known lease; where it is not, nothing happens.
pub(super) struct Change<'c> {
    step: Step,
    told: Told<'c>,
    binds: Binds<'c>,
    now: String,
    sets: Vec<String>,
    conditions: Vec<String>,
    output: Option<&'c Json>,
}

impl<'c> Change<'c> {
    /// The step out of that state; `invalid_state` where the table does not have it.
    pub(super) fn new(work: &Work<'_>, step: Step, from: RunState, id: &'c str, lease: i64) -> Result<Self> {
        let to = step.from(from).ok_or_else(|| Error::new(ErrorCode::InvalidState, format!("the run is {from}")))?;
        let mut binds = Binds::default();
        let id = binds.add(id);
        let lease = binds.add(lease);
        let now = binds.now(work);
        let sets = assignments(step, from, to, &now);
        // By the id alone: `||` keeps PostgreSQL's planner from the index on the state, and from all that is in it.
        let state = if work.dialect() == Dialect::Postgres { "state || ''" } else { "state" };
        let conditions = vec![format!("id = {id}"), format!("lease = {lease}"), format!("{state} = '{from}'")];
        let told = Told { kind: step.event(), from: Some(from), to, actor: None, more: Map::new() };
        Ok(Self { step, told, binds, now, sets, conditions, output: None })
    }

    /// The SQL of the present.
    pub(super) fn now(&self) -> String {
        self.now.clone()
    }

    /// The parameters, for [`Change::set_sql`] and [`Change::only_if`].
    pub(super) fn binds(&mut self) -> &mut Binds<'c> {
        &mut self.binds
    }

    pub(super) fn set(&mut self, column: &str, value: impl Into<Value<'c>>) {
        let value = self.binds.add(value);
        self.sets.push(format!("{column} = {value}"));
    }

    pub(super) fn set_sql(&mut self, sql: impl Into<String>) {
        self.sets.push(sql.into());
    }

    pub(super) fn only_if(&mut self, condition: impl Into<String>) {
        self.conditions.push(condition.into());
    }

    /// Only a run of that project, where one is given.
    pub(super) fn only_of(&mut self, project: Option<&'c str>) {
        if let Some(project) = project {
            let project = self.binds.add(project);
            self.conditions.push(format!("project_id = {project}"));
        }
    }

    /// Who did it, where it was not the worker that has the run.
    pub(super) fn by(&mut self, actor: &'c str) {
        self.told.actor = Some(actor);
    }

    /// A further member of the event's payload.
    pub(super) fn tell(&mut self, name: &str, value: impl Into<serde_json::Value>) {
        self.told.more.insert(name.to_owned(), value.into());
    }

    /// Further members of the event's payload.
    pub(super) fn tell_all(&mut self, members: Map<String, serde_json::Value>) {
        self.told.more.extend(members);
    }

    /// Keeps an output as an artifact and refers to it.
    pub(super) fn put_out(&mut self, output: &'c Json) {
        self.output = Some(output);
    }

    /// Does it; `None` where the run is not in that state under that lease any more. One statement on PostgreSQL.
    pub(super) fn apply(mut self, work: &mut Work<'_>) -> Result<Option<Run>> {
        let artifact = self.refer();
        let update = self.update(work.dialect(), COLUMNS);
        let run = match work.dialect() {
            Dialect::Sqlite => self.in_steps(work, &update, &artifact)?,
            Dialect::Postgres => self.at_once(work, &update, &artifact)?,
        };
        if let Some(run) = &run {
            tracing::debug!(run = %run.id, step = ?self.step, attempt = run.attempt, "a run went on");
            signal(work, run.state);
        }
        Ok(run)
    }

    fn in_steps(&self, work: &mut Work<'_>, update: &str, artifact: &str) -> Result<Option<Run>> {
        let rows = work.query(update, self.binds.values())?;
        let Some(run) = rows.into_iter().next().map(read_run).transpose()? else { return Ok(None) };
        if let Some(output) = self.output {
            let mut binds = Binds::default();
            let one = format!("sprongus_runs AS run WHERE id = {}", binds.add(&run.id));
            let sql = insert_output(&mut binds, Dialect::Sqlite, artifact, output, &one);
            work.execute(&sql, binds.values())?;
        }
        self.told.append(work, &run)?;
        Ok(Some(run))
    }

    /// PostgreSQL: the same as the first part of another statement, and the parameters.
    pub(super) fn part(mut self, work: &Work<'_>, id: &str) -> Result<(Part, Binds<'c>)> {
        let artifact = self.refer();
        let update = self.update(Dialect::Postgres, "id, project_id, claimed_by, attempt, version, updated_at");
        let event = crate::id::new_id();
        let ids = format!("{}::text", self.binds.add(event.clone()));
        let each = Each { ids: &ids, of: Some("done"), ..Each::default() };
        let tell = self.told.select_each(work, &mut self.binds, &each)?;
        let mut sql = format!("done AS ({update}), ");
        if let Some(output) = self.output {
            let insert = insert_output(&mut self.binds, Dialect::Postgres, &artifact, output, "done AS run");
            sql.push_str(&format!("kept AS ({insert}), "));
        }
        Ok((Part { sql, tell, subject: subject(id), event, to: self.told.to }, self.binds))
    }

    /// The id of the artifact that an output is kept as, which the run refers to then.
    fn refer(&mut self) -> String {
        let artifact = crate::id::new_id();
        if self.output.is_some() {
            self.set("output_ref", format!("artifact:{artifact}"));
        }
        artifact
    }

    fn update(&self, dialect: Dialect, given: &str) -> String {
        let (sets, conditions) = (self.sets.join(", "), self.conditions.join(" AND "));
        format!("{} sprongus_runs SET {sets} WHERE {conditions} RETURNING {given}", dialect.update())
    }

    fn at_once(&mut self, work: &mut Work<'_>, update: &str, artifact: &str) -> Result<Option<Run>> {
        let event = crate::id::new_id();
        let id = format!("{}::text", self.binds.add(event.clone()));
        let mut sql = format!("WITH run AS ({update}), event AS ({})", self.told.insert(work, &mut self.binds, &id)?);
        if let Some(output) = self.output {
            let insert = insert_output(&mut self.binds, Dialect::Postgres, artifact, output, "run");
            sql.push_str(&format!(", output AS ({insert})"));
        }
        sql.push_str(&format!(" SELECT {COLUMNS} FROM run"));
        let rows = work.query(&sql, self.binds.values())?;
        let Some(run) = rows.into_iter().next().map(read_run).transpose()? else { return Ok(None) };
        self.told.note(work, &run, event)?;
        Ok(Some(run))
    }
}

/// PostgreSQL: a transition as the first part of a statement.
pub(super) struct Part {
    /// Table expressions; `done` holds the run, if it went on.
    pub(super) sql: String,
    /// The SELECT of its event, to be inserted with others.
    pub(super) tell: String,
    subject: String,
    event: String,
    to: RunState,
}

impl Part {
    /// It was made, and the run is of that version now.
    pub(super) fn note(&self, work: &mut Work<'_>, version: i64) {
        work.after.witness = Some(Witness { subject: self.subject.clone(), seq: version, id: self.event.clone() });
        signal(work, self.to);
    }
}

/// What every transition of that kind sets; `now` is the SQL of the present.
pub(super) fn assignments(step: Step, from: RunState, to: RunState, now: &str) -> Vec<String> {
    let mut sets = vec![format!("state = '{to}'"), "version = version + 1".to_owned(), format!("updated_at = {now}")];
    if let Some(verb) = step.verb() {
        sets.push(format!("reported = '{verb}'"));
    }
    if to.is_final() {
        sets.push(format!("finished_at = {now}, lease_until = NULL, ready = FALSE"));
    }
    if matches!(to, RunState::Queued | RunState::AwaitingApproval) {
        sets.push("claimed_by = NULL, started_at = NULL, finished_at = NULL, lease_until = NULL".to_owned());
    }
    if from == RunState::AwaitingApproval {
        sets.push("awaiting = NULL".to_owned());
    }
    if step == Step::Regate {
        // The approval of the gate bears the id of its run.
        sets.push("awaiting = id".to_owned());
    }
    if to == RunState::Queued {
        sets.push(format!("limited = {}", lane::is_limited("sprongus_runs.kind")));
    }
    sets
}
