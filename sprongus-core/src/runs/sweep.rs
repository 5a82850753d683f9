//! Housekeeping that claims do as they go: one read tells what there is to do, and only that is done. Bounded.

use std::time::Duration;

use super::binds::Binds;
use super::change::Part;
use super::claim::Claiming;
use super::outlook::Moment;
use super::requests::Claim;
use super::{Runs, congestion, limits, promote, rescue, schedules, timeouts};
use crate::db::{Dialect, Executor, Row, Value};
use crate::error::Result;
use crate::scope::Scope;
use crate::session::{Session, Work};

/// A piece of housekeeping; each concept keeps its own in its own file.
pub(super) struct Chore {
    /// What it is called in the log.
    pub(super) name: &'static str,
    /// SQL of one value that is not null where there is something to do: the first of a range of an index, in the index's
    /// own order, for of EXISTS the planner may think that any row will soon do, and walk.
    pub(super) look: fn(&mut Looking<'_>) -> String,
    /// When there will be, as far as the database can tell.
    pub(super) next: fn(&mut Looking<'_>) -> Moment,
    /// Does it, bounded.
    pub(super) work: fn(&Runs<'_>, &Claimer<'_>) -> Result<()>,
}

/// In the order in which they are done: a slot's run can be claimed at once, and what took too long is timed out also where
/// its lease has run out as well.
pub(super) const CHORES: &[Chore] = &[schedules::CHORE, promote::CHORE, timeouts::CHORE, rescue::CHORE, limits::CHORE];

/// Who does housekeeping on the way to a claim.
pub(super) struct Claimer<'c> {
    pub(super) worker: &'c str,
    pub(super) lease: Duration,
    pub(super) claiming: &'c Claiming<'c>,
}

/// The questions of one look, as they are put together.
pub(super) struct Looking<'b> {
    pub(super) session: &'b Session<'b>,
    pub(super) dialect: Dialect,
    pub(super) claiming: &'b Claiming<'b>,
    pub(super) binds: Binds<'b>,
}

impl<'b> Looking<'b> {
    pub(super) fn new(session: &'b Session<'b>, dialect: Dialect, claiming: &'b Claiming<'b>) -> Self {
        Self { session, dialect, claiming, binds: Binds::default() }
    }

    /// The SQL of the present.
    pub(super) fn now(&mut self) -> String {
        self.binds.now_for(self.dialect, self.session.options())
    }

    /// ` AND …`: only the project that the handle is confined to.
    pub(super) fn of_project(&mut self) -> String {
        of_project(self.session, &mut self.binds)
    }
}

/// See [`Looking::of_project`].
pub(super) fn of_project<'b>(session: &'b Session<'_>, binds: &mut Binds<'b>) -> String {
    match session.confined() {
        Some(project) => format!(" AND project_id = {}", binds.add(project)),
        None => String::new(),
    }
}

impl Runs<'_> {
    /// Does what there is to do. Its failure is no reason not to claim.
    pub(super) fn tidy(&self, claiming: &Claiming<'_>, todo: &Todo) {
        let request = claiming.request;
        let claimer = Claimer { worker: &request.worker_id, lease: request.lease, claiming };
        for chore in &todo.chores {
            // Watched each for itself: who waited for the writer rescues nobody.
            if let Err(error) = congestion::watched(self.session, || (chore.work)(self, &claimer)) {
                tracing::warn!(code = %error.code(), "{} failed on the way to a claim", chore.name);
            }
        }
    }

    /// Does what such a claim does on its way, and claims nothing.
    pub(crate) fn keep(&self, request: &Claim) -> Result<()> {
        self.session.allow(Scope::RunsWrite)?;
        let claiming = self.claiming(request)?;
        let todo = congestion::watched(self.session, || self.session.read(|exec| self.looks(exec, &claiming)))?;
        self.tidy(&claiming, &todo);
        Ok(())
    }

    /// What there is to do before such a claim.
    pub(super) fn looks(&self, exec: &mut dyn Executor, claiming: &Claiming<'_>) -> Result<Todo> {
        let mut looking = Looking::new(&self.session, exec.dialect(), claiming);
        let looks = Looks::of(&mut looking);
        let rows = exec.query(&looks.select(), looking.binds.values())?;
        rows.first().map_or_else(|| Ok(Todo::default()), |row| looks.read(row, 0))
    }
}

/// What there is to do before a claim.
#[derive(Default)]
pub(super) struct Todo {
    pub(super) chores: Vec<&'static Chore>,
    /// Limited kinds of the claim's may have ready runs and room.
    pub(super) room: bool,
    /// The report that goes before it was refused.
    pub(super) refused: bool,
}

impl Todo {
    pub(super) fn is_empty(&self) -> bool {
        self.chores.is_empty() && !self.room && !self.refused
    }
}

/// The questions whether there is anything to do before a claim.
#[derive(Default)]
pub(super) struct Looks {
    /// Of each chore, and whether limited kinds have room; or none.
    pub(super) questions: Vec<String>,
    /// PostgreSQL: a report that is made first.
    pub(super) report: Option<Part>,
}

impl Looks {
    pub(super) fn of(looking: &mut Looking<'_>) -> Self {
        let mut questions: Vec<String> = CHORES.iter().map(|chore| (chore.look)(looking)).collect();
        let options = looking.session.options();
        questions.push(limits::there_is_room(looking.dialect, &mut looking.binds, looking.claiming, options));
        Self { questions, report: None }
    }

    /// The SELECT of the answers, one row.
    pub(super) fn select(&self) -> String {
        let answers = self.questions.iter().zip(self.columns());
        let mut answers: Vec<String> =
            answers.map(|(question, column)| format!("{question} IS NOT NULL AS {column}")).collect();
        answers.extend(self.report.as_ref().map(|_| format!("(SELECT version FROM done) AS {REPORTED}")));
        format!("SELECT {}", answers.join(", "))
    }

    /// Their columns.
    pub(super) fn names(&self) -> String {
        let mut names = self.columns();
        names.extend(self.report.as_ref().map(|_| REPORTED.to_owned()));
        names.join(", ")
    }

    /// The condition that any of them is yes, or the report refused.
    pub(super) fn any(&self) -> String {
        let mut any = self.columns();
        any.extend(self.report.as_ref().map(|_| format!("{REPORTED} IS NULL")));
        any.join(" OR ")
    }

    /// The answers, from the columns of the row that begin at that one.
    pub(super) fn read(&self, row: &Row, at: usize) -> Result<Todo> {
        let mut todo = Todo::default();
        if !self.questions.is_empty() {
            for (index, chore) in CHORES.iter().enumerate() {
                if row.bool(at + index)? {
                    todo.chores.push(chore);
                }
            }
            todo.room = row.bool(at + CHORES.len())?;
        }
        todo.refused = self.report.is_some() && self.reported(row, at)?.is_none();
        Ok(todo)
    }

    /// The table expressions of the report that is made first.
    pub(super) fn before(&self) -> &str {
        self.report.as_ref().map_or("", |part| &part.sql)
    }

    /// Remembers what proves that the report was made, if it was, and whom to tell then.
    pub(super) fn note(&self, work: &mut Work<'_>, row: &Row, at: usize) -> Result<()> {
        if let (Some(part), Some(version)) = (&self.report, self.reported(row, at)?) {
            part.note(work, version);
        }
        Ok(())
    }

    /// The version of the run that was reported.
    fn reported(&self, row: &Row, at: usize) -> Result<Option<i64>> {
        if self.report.is_some() { row.opt_int(at + self.questions.len()) } else { Ok(None) }
    }

    fn columns(&self) -> Vec<String> {
        (0..self.questions.len()).map(|index| format!("look{index}")).collect()
    }
}

/// The column of [`Looks::reported`].
const REPORTED: &str = "reported_version";

/// The most runs that one sweep looks past.
const MOST_PASSED: usize = 1_000;

/// Moves up to `limit` runs; how many. Those that cannot be moved are looked past, so that they never hide the others.
///
/// `find` gives the first so many, but for those passed over; the id is the first column of a row.
pub(super) fn up_to(
    work: &mut Work<'_>,
    limit: i64,
    find: impl Fn(&mut Work<'_>, &[String], i64) -> Result<Vec<Row>>,
    change: impl Fn(&mut Work<'_>, &str, &Row) -> Result<bool>,
) -> Result<i64> {
    let (mut moved, mut passed) = (0, Vec::new());
    loop {
        let asked = limit - moved;
        let rows = find(work, &passed, asked)?;
        let last = i64::try_from(rows.len()).unwrap_or(asked) < asked;
        for row in &rows {
            let id = row.text(0)?;
            match change(work, &id, row)? {
                true => moved += 1,
                false => passed.push(id),
            }
        }
        if last || moved == limit || passed.len() >= MOST_PASSED {
            return Ok(moved);
        }
    }
}

/// ` AND …`: none of those that were passed over.
pub(super) fn but_for(binds: &mut Binds<'_>, dialect: Dialect, passed: &[String]) -> String {
    if passed.is_empty() {
        return String::new();
    }
    let passed = binds.add(Value::Array(passed.iter().cloned().map(Value::from).collect()));
    match dialect {
        Dialect::Sqlite => format!(" AND id NOT IN (SELECT value FROM json_each({passed}))"),
        Dialect::Postgres => format!(" AND id <> ALL ({passed}::text[])"),
    }
}

/// Does something to one run of many: where that fails it is undone and told, and holds up none of the others.
pub(super) fn one_of_many(
    work: &mut Work<'_>,
    id: &str,
    what: &str,
    change: impl FnOnce(&mut Work<'_>) -> Result<bool>,
) -> Result<bool> {
    work.attempt(|work| Ok(change(work)), Result::is_ok)?.or_else(|error| {
        tracing::warn!(run = %id, code = %error.code(), "{what} failed for a run");
        Ok(false)
    })
}
