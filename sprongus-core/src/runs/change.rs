//! One transition: the run compared and set, its event and its output, together or not at all.

use std::borrow::Cow;

use serde_json::Map;

use super::binds::Binds;
use super::lane;
use super::model::{COLUMNS, Run, read_run};
use super::record::{Each, INSERT, Told, bind_output, insert_output, signal, subject};
use super::state::{RunState, Step};
use super::texts::Texts;
use crate::db::{Dialect, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::json::Json;
use crate::session::{Witness, Work};

thread_local!(static TEXTS: Texts<Form> = Texts::default());

/// A transition of one run that is in a known state under a known lease; where it is not, nothing happens.
pub(super) struct Change<'c> {
    form: Form,
    told: Told<'c>,
    binds: Binds<'c>,
    output: Option<&'c Json>,
}

/// What the text of its statement depends on. The run's id, its lease and the present are the first parameters.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Form {
    dialect: Dialect,
    step: Step,
    from: RunState,
    to: RunState,
    sets: Vec<Set>,
    conditions: Vec<Cow<'static, str>>,
    /// Somebody else did it than the worker that has the run.
    told: bool,
    /// The number of the event's first parameter, and of the output's.
    event: usize,
    output: Option<usize>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Set {
    /// A column, to the parameter of that number.
    Value(&'static str, usize),
    Sql(Cow<'static, str>),
}

impl<'c> Change<'c> {
    /// The step out of that state; `invalid_state` where the table does not have it.
    pub(super) fn new(work: &Work<'_>, step: Step, from: RunState, id: &'c str, lease: i64) -> Result<Self> {
        let to = step.from(from).ok_or_else(|| Error::new(ErrorCode::InvalidState, format!("the run is {from}")))?;
        let mut binds = Binds::default();
        binds.push(id);
        binds.push(lease);
        binds.push(work.now());
        let (sets, conditions, dialect) = (Vec::new(), Vec::new(), work.dialect());
        let form = Form { dialect, step, from, to, sets, conditions, told: false, event: 0, output: None };
        let told = Told { kind: step.event(), from: Some(from), to, actor: None, more: Map::new() };
        Ok(Self { form, told, binds, output: None })
    }

    /// The SQL of the present.
    pub(super) fn now(&self) -> String {
        self.form.now()
    }

    /// The parameters, for [`Change::set_sql`] and [`Change::only_if`].
    pub(super) fn binds(&mut self) -> &mut Binds<'c> {
        &mut self.binds
    }

    pub(super) fn set(&mut self, column: &'static str, value: impl Into<Value<'c>>) {
        self.form.sets.push(Set::Value(column, self.binds.push(value)));
    }

    pub(super) fn set_sql(&mut self, sql: impl Into<Cow<'static, str>>) {
        self.form.sets.push(Set::Sql(sql.into()));
    }

    pub(super) fn only_if(&mut self, condition: impl Into<Cow<'static, str>>) {
        self.form.conditions.push(condition.into());
    }

    /// Only a run of that project, where one is given.
    pub(super) fn only_of(&mut self, project: Option<&'c str>) {
        if let Some(project) = project {
            let project = self.binds.add(project);
            self.only_if(format!("project_id = {project}"));
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
        let run = match work.dialect() {
            Dialect::Sqlite => self.in_steps(work, &artifact)?,
            Dialect::Postgres => self.at_once(work, &artifact)?,
        };
        if let Some(run) = &run {
            tracing::debug!(run = %run.id, step = ?self.form.step, attempt = run.attempt, "a run went on");
            signal(work, run.state);
        }
        Ok(run)
    }

    fn in_steps(&self, work: &mut Work<'_>, artifact: &str) -> Result<Option<Run>> {
        let sql = Texts::of(&TEXTS, &self.form, |form| form.update(COLUMNS));
        let rows = work.query(&sql, self.binds.values())?;
        let Some(run) = rows.into_iter().next().map(read_run).transpose()? else { return Ok(None) };
        if let Some(output) = self.output {
            let mut binds = Binds::default();
            let first = bind_output(&mut binds, artifact, output);
            let one = format!("sprongus_runs AS run WHERE id = {}", binds.add(&run.id));
            work.execute(&insert_output(Dialect::Sqlite, first, &one), binds.values())?;
        }
        self.told.append(work, &run)?;
        Ok(Some(run))
    }

    fn at_once(&mut self, work: &mut Work<'_>, artifact: &str) -> Result<Option<Run>> {
        let event = self.bind_rest(work, artifact)?;
        let sql = Texts::of(&TEXTS, &self.form, Form::at_once);
        let rows = work.query(&sql, self.binds.values())?;
        let Some(run) = rows.into_iter().next().map(read_run).transpose()? else { return Ok(None) };
        self.told.note(work, &run, event)?;
        Ok(Some(run))
    }

    /// PostgreSQL: the same as the first part of another statement, and the parameters.
    pub(super) fn part(mut self, work: &Work<'_>, id: &str) -> Result<(Part, Binds<'c>)> {
        let artifact = self.refer();
        let event = self.bind_rest(work, &artifact)?;
        let update = self.form.update("id, project_id, claimed_by, attempt, version, updated_at");
        let mut sql = format!("done AS ({update}), ");
        if let Some(first) = self.form.output {
            sql.push_str(&format!("kept AS ({}), ", insert_output(Dialect::Postgres, first, "done AS run")));
        }
        let tell = self.form.event(Some("done"));
        Ok((Part { sql, tell, subject: subject(id), event, to: self.form.to }, self.binds))
    }

    /// The id of the artifact that an output is kept as, which the run refers to then.
    fn refer(&mut self) -> String {
        let artifact = crate::id::new_id();
        if self.output.is_some() {
            self.set("output_ref", format!("artifact:{artifact}"));
        }
        artifact
    }

    /// PostgreSQL: binds the event and the output; the event's id.
    fn bind_rest(&mut self, work: &Work<'_>, artifact: &str) -> Result<String> {
        let event = crate::id::new_id();
        self.form.told = self.told.actor.is_some();
        self.form.event = self.binds.push(event.clone());
        self.told.bind(work, &mut self.binds)?;
        self.form.output = self.output.map(|output| bind_output(&mut self.binds, artifact, output));
        Ok(event)
    }
}

impl Form {
    fn now(&self) -> String {
        self.dialect.now(3)
    }

    fn update(&self, given: &str) -> String {
        let mut sets = assignments(self.step, self.from, self.to, &self.now());
        sets.extend(self.sets.iter().map(|set| match set {
            Set::Value(column, number) => format!("{column} = ${number}"),
            Set::Sql(sql) => sql.to_string(),
        }));
        // By the id alone: `||` keeps PostgreSQL's planner from the index on the state, and from all that is in it.
        let state = if self.dialect == Dialect::Postgres { "state || ''" } else { "state" };
        let own: String = self.conditions.iter().map(|condition| format!(" AND {condition}")).collect();
        format!(
            "{} sprongus_runs SET {} WHERE id = $1 AND lease = $2 AND {state} = '{}'{own} RETURNING {given}",
            self.dialect.update(),
            sets.join(", "),
            self.from
        )
    }

    /// PostgreSQL: the SELECT of the event.
    fn event(&self, of: Option<&'static str>) -> String {
        let ids = format!("${}::text", self.event);
        Each { ids: &ids, of, ..Each::default() }.select(self.event + 1, self.told, false)
    }

    /// PostgreSQL: all of it in one statement.
    fn at_once(&self) -> String {
        let mut sql = format!("WITH run AS ({}), event AS ({INSERT} {})", self.update(COLUMNS), self.event(None));
        if let Some(first) = self.output {
            sql.push_str(&format!(", output AS ({})", insert_output(Dialect::Postgres, first, "run")));
        }
        format!("{sql} SELECT {COLUMNS} FROM run")
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
