//! PostgreSQL: the statement of the same transition of many runs.

use serde_json::Map;

use super::binds::Binds;
use super::change::assignments;
use super::many::Many;
use super::record::{Each, insert_outputs};
use super::state::RunState;
use crate::db::{Dialect, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::session::Work;

impl<'m> Many<'m> {
    /// Sets the runs, writes their events and outputs, and selects from `run`: those columns of a run, what was given for it,
    /// and `nth`, its place.
    ///
    /// The rows are locked in the order of their ids, so that rivals with the same ones wait for one another and not in a
    /// circle.
    pub(super) fn sql(
        &mut self,
        work: &Work<'_>,
        binds: &mut Binds<'m>,
        columns: &str,
        select: &str,
    ) -> Result<String> {
        let from = RunState::Running;
        let to = self.step.from(from).ok_or_else(|| Error::new(ErrorCode::InvalidState, "no such transition"))?;
        let (mut arrays, mut names) = (Vec::new(), Vec::new());
        for (name, kind, values) in std::mem::take(&mut self.columns) {
            arrays.push(format!("{}::{kind}[]", binds.add(Value::Array(values))));
            names.push(name);
        }
        let given = |name| names.contains(&name);
        let (actor, more) = (given("told_by").then_some("told_by"), given("more").then_some("more"));
        let held = self.held(binds, &arrays, from)?;
        let sets = self.all_sets(work, binds, from, to);
        let told = self.told(to, None, Map::new());
        let event = told.insert_each(work, binds, &Each { ids: "event_id", actor, more, ..Each::default() })?;
        let outputs = match self.puts_out {
            true => format!(
                ", output AS ({})",
                insert_outputs(Dialect::Postgres, "artifact", "content", "hash", "run WHERE artifact IS NOT NULL")
            ),
            false => String::new(),
        };
        // What is not given is NULL, where it is selected all the same.
        let lacking = [("told_by", "text"), ("more", "jsonb")].into_iter().filter(|(name, _)| !given(name));
        let lacking: String = lacking.map(|(name, kind)| format!(", NULL::{kind} AS {name}")).collect();
        // What is held is as it was reported: its id and its lease but find what was given for it.
        Ok(format!(
            "WITH given AS MATERIALIZED (SELECT * FROM unnest({}) WITH ORDINALITY AS given({}, nth)), \
             held AS MATERIALIZED ({held}), run AS (UPDATE sprongus_runs SET {sets} FROM given \
             WHERE id = ANY (ARRAY (SELECT id FROM held)) AND id = of_run AND lease = under RETURNING {columns}, nth, {}{lacking}), \
             event AS ({event}){outputs} SELECT {select} FROM run",
            arrays.join(", "),
            names.join(", "),
            names.get(2..).unwrap_or_default().join(", "),
        ))
    }

    /// The SELECT of the ids of those that are in that state under their leases, which locks them.
    fn held(&self, binds: &mut Binds<'m>, arrays: &[String], from: RunState) -> Result<String> {
        let [ids, leases, ..] = arrays else {
            return Err(Error::new(ErrorCode::InvalidArgument, "a run is reported by its id and its lease"));
        };
        // By the ids alone: `||` keeps the planner from the indexes on project and state, and from all that is in them.
        let project = self.project.map(|project| format!(" AND project_id || '' = {}", binds.add(project)));
        // `IS TRUE` keeps it from a join, which it would make by comparing each run with each report.
        Ok(format!(
            "SELECT id FROM sprongus_runs WHERE id = ANY ({ids}) AND ((id, lease) IN (SELECT * FROM unnest({ids}, {leases}))) \
             IS TRUE AND state || '' = '{from}'{} ORDER BY id FOR UPDATE",
            project.unwrap_or_default()
        ))
    }

    fn all_sets(&self, work: &Work<'_>, binds: &mut Binds<'m>, from: RunState, to: RunState) -> String {
        let now = binds.now(work);
        let mut sets = assignments(self.step, from, to, &now);
        sets.extend(self.sets.iter().map(|set| (*set).to_owned()));
        if self.puts_off {
            sets.push(format!("run_at = {now} + delay_us * interval '1 microsecond'"));
        }
        sets.join(", ")
    }
}
