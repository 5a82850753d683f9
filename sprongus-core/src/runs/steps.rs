//! Steps of a run: the first result of each is stored, and every later attempt finds it (DESIGN.md §5 "step").

use super::Runs;
use super::binds::Binds;
use super::figures::StepResult;
use super::judge::{Report, judge, read_visible};
use super::report::{changed_meanwhile, check_size};
use super::requests::{FindStep, ListSteps, SaveStep};
use crate::db::{Dialect, Row};
use crate::error::{Error, Result};
use crate::id::check_id;
use crate::json::Json;
use crate::scope::Scope;
use crate::session::Work;
use crate::text::check_name;

impl Runs<'_> {
    pub(super) fn do_find_step(&self, request: &FindStep) -> Result<Option<StepResult>> {
        self.session.allow(Scope::RunsWrite)?;
        check(&request.id, &request.name)?;
        let mut binds = Binds::default();
        let name = binds.add(&request.name);
        let held = self.held(&mut binds, &request.id, request.lease);
        let sql = format!(
            "SELECT step.name, step.output, step.attempt, step.at FROM sprongus_runs AS run \
             LEFT JOIN sprongus_run_steps AS step ON step.run_id = run.id AND step.name = {name} WHERE {held}"
        );
        let rows = self.session.read(|exec| exec.query(&sql, binds.values()))?;
        match rows.first() {
            Some(row) => read_step(row),
            None => Err(self.refused(&request.id, request.lease)),
        }
    }

    pub(super) fn do_save_step(&self, request: &SaveStep) -> Result<StepResult> {
        self.session.allow(Scope::RunsWrite)?;
        check(&request.id, &request.name)?;
        check_size("the output of the step", &request.output, self.session.options().max_payload_bytes)?;
        self.watched(|| match self.session.write_one(|work| self.save(work, request))? {
            Some(step) => Ok(step),
            None => Err(self.refused(&request.id, request.lease)),
        })
    }

    /// One statement, in which the lease is looked at with the run's row locked: who claims it meanwhile waits, or is seen.
    fn save(&self, work: &mut Work<'_>, request: &SaveStep) -> Result<Option<StepResult>> {
        let mut binds = Binds::default();
        let name = binds.add(&request.name);
        let output = binds.json(work.dialect(), &request.output);
        let now = binds.now(work);
        let held = self.held(&mut binds, &request.id, request.lease);
        // Not FOR SHARE: two transactions that each go on to extend the lease would wait for one another.
        let lock = if work.dialect() == Dialect::Postgres { " FOR NO KEY UPDATE" } else { "" };
        // The update changes nothing: it is how the row that is there is returned.
        let sql = format!(
            "INSERT INTO sprongus_run_steps (run_id, name, output, attempt, at) \
             SELECT run.id, {name}, {output}, run.attempt, {now} FROM sprongus_runs AS run WHERE {held}{lock} \
             ON CONFLICT (run_id, name) DO UPDATE SET name = excluded.name RETURNING name, output, attempt, at"
        );
        work.query(&sql, binds.values())?.first().map_or(Ok(None), read_step)
    }

    pub(super) fn do_step(&self, request: &FindStep, work: impl FnOnce() -> Result<Json>) -> Result<Json> {
        if let Some(step) = self.find_step(request)? {
            return Ok(step.output);
        }
        let output = work()?;
        let save = SaveStep::new(&request.id, request.lease, &request.name, output);
        Ok(self.save_step(&save)?.output)
    }

    pub(super) fn do_steps(&self, request: &ListSteps) -> Result<Vec<StepResult>> {
        self.session.allow(Scope::RunsRead)?;
        check_id("the id", &request.id)?;
        let sql = "SELECT step.name, step.output, step.attempt, step.at, run.project_id FROM sprongus_runs AS run \
                   LEFT JOIN sprongus_run_steps AS step ON step.run_id = run.id WHERE run.id = $1 ORDER BY step.number";
        let rows = self.session.read(|exec| exec.query(sql, &[(&request.id).into()]))?;
        let project = rows.first().map(|row| row.opt_text(4)).transpose()?;
        if !project.is_some_and(|project| self.session.sees(project.as_deref())) {
            return Err(super::judge::not_found(&request.id));
        }
        rows.iter().filter_map(|row| read_step(row).transpose()).collect()
    }

    /// The condition that the run is running under that lease, and seen.
    fn held<'b>(&'b self, binds: &mut Binds<'b>, id: &'b str, lease: i64) -> String {
        let project = match self.session.confined() {
            Some(project) => format!(" AND run.project_id = {}", binds.add(project)),
            None => String::new(),
        };
        format!("run.id = {} AND run.lease = {} AND run.state = 'running'{project}", binds.add(id), binds.add(lease))
    }

    /// Why a run that is not running under that lease takes no step.
    fn refused(&self, id: &str, lease: i64) -> Error {
        let stored = self.session.read(|exec| read_visible(self.session, exec, id));
        match stored.and_then(|stored| judge(stored, lease, Report::Step)) {
            Ok(_) => changed_meanwhile(id),
            Err(error) => error,
        }
    }
}

fn check(id: &str, name: &str) -> Result<()> {
    check_id("the id", id)?;
    check_name("the name of the step", name)
}

/// A step from `name, output, attempt, at`; none where an outer join found none.
fn read_step(row: &Row) -> Result<Option<StepResult>> {
    let Some(name) = row.opt_text(0)? else { return Ok(None) };
    Ok(Some(StepResult { name, output: row.json(1)?, attempt: row.int(2)?, at: row.time(3)? }))
}
