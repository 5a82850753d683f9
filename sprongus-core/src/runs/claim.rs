//! Gets due runs for a worker: one statement, whose cost is that of what it returns (DESIGN.md §5 "claim_next").

use std::time::Duration;

use super::binds::{Binds, check_length};
use super::candidates::Lanes;
use super::kinds::Kinds;
use super::lease::{self, LEASED};
use super::limits::{self, Room};
use super::looked::Looked;
use super::model::{COLUMNS, Run, read_run};
use super::requests::Claim;
use super::sweep::{Looking, Todo};
use super::take::{in_order, take, take_where_looks};
use super::{Runs, congestion};
use crate::db::{Dialect, Executor, Value};
use crate::error::{ErrorCode, Result};
use crate::id::{NewIds, jitter};
use crate::page::{MAX_LIMIT, check_limit};
use crate::scope::Scope;
use crate::session::Work;
use crate::text::check_name;

/// A claim that is sound.
pub(super) struct Claiming<'c> {
    pub(super) request: &'c Claim,
    pub(super) kinds: Option<Kinds<'c>>,
    pub(super) projects: Option<Vec<String>>,
    pub(super) micros: i64,
}

impl Runs<'_> {
    pub(super) fn do_claim(&self, request: &Claim) -> Result<Vec<Run>> {
        self.session.allow(Scope::RunsWrite)?;
        check_name("workerId", &request.worker_id)?;
        check_limit(request.limit, MAX_LIMIT)?;
        let claiming = self.claiming(request)?;
        match &request.succeeded {
            Some(done) => self.report_and_claim(&claiming, done),
            None => self.claim(&claiming),
        }
    }

    /// Takes what there is.
    pub(super) fn claim(&self, claiming: &Claiming<'_>) -> Result<Vec<Run>> {
        let request = claiming.request;
        if request.limit == 0 || claiming.is_empty() {
            return Ok(Vec::new());
        }
        congestion::watched(self.session, || {
            let looked = self.session.core().shared::<Looked>();
            if !looked.lately(self.session) {
                return self.take_looking(claiming, &looked);
            }
            // What falls due meanwhile waits a moment longer, while there is enough of what is due already.
            let runs = self.sure(claiming, |events| self.take_from(&Lanes::Unlimited, claiming, events))?.runs();
            self.fill(claiming, runs, &looked)
        })
    }

    /// Looks for the rest, where a claim that went without a look took less than it asked for.
    pub(super) fn fill(&self, claiming: &Claiming<'_>, mut runs: Vec<Run>, looked: &Looked) -> Result<Vec<Run>> {
        let request = claiming.request;
        let left = request.limit - i64::try_from(runs.len()).unwrap_or(request.limit);
        if left == 0 {
            return Ok(runs);
        }
        let rest = Claim { limit: left, succeeded: None, ..request.clone() };
        match self.claiming(&rest).and_then(|rest| self.take_looking(&rest, looked)) {
            Ok(more) => {
                if runs.is_empty() && !more.is_empty() {
                    looked.in_vain(self.session);
                }
                runs.extend(more);
            }
            // What was taken is the answer.
            Err(error) if runs.is_empty() => return Err(error),
            Err(error) => tracing::debug!(code = %error.code(), "a claim took less than there may be"),
        }
        in_order(&mut runs);
        Ok(runs)
    }

    /// Does first what there is to be done, and takes runs of all kinds.
    fn take_looking(&self, claiming: &Claiming<'_>, looked: &Looked) -> Result<Vec<Run>> {
        let looking = Looked::now(self.session);
        match self.taken(claiming)? {
            Taken::Runs(runs) => {
                let all = i64::try_from(runs.len()) == Ok(claiming.request.limit);
                looked.note(self.session, all.then_some(looking));
                Ok(runs)
            }
            Taken::Todo(todo) => self.after(claiming, &todo, looked),
        }
    }

    /// Takes what there is once that is done which was to be done first.
    pub(super) fn after(&self, claiming: &Claiming<'_>, todo: &Todo, looked: &Looked) -> Result<Vec<Run>> {
        looked.note(self.session, None);
        self.tidy(claiming, todo);
        self.taken_by_room(claiming)
    }

    /// Takes runs of kinds without a limit, unless there is something else to be done first.
    fn taken(&self, claiming: &Claiming<'_>) -> Result<Taken> {
        self.sure(claiming, |events| {
            // Rivals may hold all the candidates of a merged look; the exact one steps over any number of them.
            let exactly = || self.take_from(&Lanes::Exactly(&[]), claiming, events);
            // Watched for itself: who waited for the writer rescues nobody.
            match congestion::watched(self.session, || self.look_and_take(claiming, events))? {
                Taken::Runs(runs) if runs.is_empty() && claiming.merged(self.dialect(), &[]) => exactly(),
                taken => Ok(taken),
            }
        })
    }

    /// Takes runs from those lanes, and looks for nothing else.
    fn take_from(&self, lanes: &Lanes<'_>, claiming: &Claiming<'_>, events: &[String]) -> Result<Taken> {
        self.session.write_one(|work| take(work, claiming, lanes, events)).map(Taken::Runs)
    }

    /// Takes runs by statements that write these events; where the answer was lost, it is those that bear them.
    pub(super) fn sure(&self, claiming: &Claiming<'_>, take: impl FnOnce(&[String]) -> Result<Taken>) -> Result<Taken> {
        let events = event_ids(claiming);
        let unknown = match take(&events) {
            Err(error) if error.code() == ErrorCode::OutcomeUnknown => error,
            result => return result,
        };
        match self.session.read(|exec| bearing(exec, &claiming.request.worker_id, &events)) {
            Ok(runs) if !runs.is_empty() => Ok(Taken::Runs(runs)),
            _ => Err(unknown),
        }
    }

    /// Looks, and takes where there is nothing to be done first.
    fn look_and_take(&self, claiming: &Claiming<'_>, events: &[String]) -> Result<Taken> {
        if self.dialect() == Dialect::Postgres && claiming.names() > FEW {
            let todo = self.session.read(|exec| self.looks(exec, claiming))?;
            return match todo.is_empty() {
                true => self.take_from(&Lanes::Open(&[]), claiming, events),
                false => Ok(Taken::Todo(todo)),
            };
        }
        self.session.write_one(|work| self.take_unless(work, claiming, events))
    }

    /// The same at once. One statement on PostgreSQL; on SQLite the writer looks, whose cache has what it wrote itself.
    pub(super) fn take_unless(&self, work: &mut Work<'_>, claiming: &Claiming<'_>, events: &[String]) -> Result<Taken> {
        if work.dialect() == Dialect::Sqlite {
            return match self.looks(work.exec(), claiming)? {
                todo if todo.is_empty() => take(work, claiming, &Lanes::Open(&[]), events).map(Taken::Runs),
                todo => Ok(Taken::Todo(todo)),
            };
        }
        let looking = Looking::new(&self.session, work.dialect(), claiming);
        take_where_looks(work, looking, events, None)
    }

    /// Takes runs of all kinds, of limited ones as far as there is room: a short transaction.
    ///
    /// Where rivals hold the limits that have room, and nothing else is there to take, they are waited for a little.
    fn taken_by_room(&self, claiming: &Claiming<'_>) -> Result<Vec<Run>> {
        let mut waits = RIVALS.iter();
        loop {
            let runs = self.session.write(|work| {
                let rooms = limits::room_for(work, claiming)?;
                let events = event_ids(claiming);
                let mut runs = take(work, claiming, &Lanes::Open(&rooms), &events)?;
                if runs.is_empty() && claiming.merged(work.dialect(), &rooms) {
                    runs = take(work, claiming, &Lanes::Exactly(&rooms), &events)?;
                }
                limits::spend(work, &rooms, &runs)?;
                Ok(runs)
            })?;
            let wait = waits.next().filter(|_| runs.is_empty() && self.dialect() == Dialect::Postgres);
            match wait {
                Some(wait) if self.there_is_room(claiming)? => std::thread::sleep(jitter(Duration::from_millis(*wait))),
                _ => return Ok(runs),
            }
        }
    }

    fn there_is_room(&self, claiming: &Claiming<'_>) -> Result<bool> {
        self.session.read(|exec| {
            let mut binds = Binds::default();
            let question = limits::there_is_room(exec.dialect(), &mut binds, claiming, self.session.options());
            let rows = exec.query(&format!("SELECT {question} IS NOT NULL"), binds.values())?;
            rows.first().map_or(Ok(false), |row| row.bool(0))
        })
    }

    fn dialect(&self) -> Dialect {
        self.session.core().dialect()
    }

    pub(super) fn claiming<'c>(&self, request: &'c Claim) -> Result<Claiming<'c>> {
        Ok(Claiming {
            request,
            kinds: request.kinds.as_deref().map(Kinds::parse).transpose()?,
            projects: self.claimed_projects(request)?,
            micros: lease::lease_micros("lease", request.lease)?,
        })
    }

    /// The projects to claim from; a scoped handle's own where none are named.
    fn claimed_projects(&self, request: &Claim) -> Result<Option<Vec<String>>> {
        let Some(named) = &request.projects else {
            return Ok(self.session.project(None)?.map(|own| vec![own.to_owned()]));
        };
        check_length("projects", Some(named))?;
        named.iter().try_for_each(|project| self.session.project(Some(project)).map(drop))?;
        Ok(Some(named.clone()))
    }
}

impl Claiming<'_> {
    /// Whether it names no kind or no project at all.
    pub(super) fn is_empty(&self) -> bool {
        self.kinds.as_ref().is_some_and(|kinds| kinds.len() == 0) || self.projects.as_ref().is_some_and(Vec::is_empty)
    }

    /// How many kinds and projects it names.
    pub(super) fn names(&self) -> usize {
        self.kinds.as_ref().map_or(0, Kinds::len) + self.projects.as_ref().map_or(0, Vec::len)
    }

    /// Whether several ordered ranges are merged on PostgreSQL, where rows are locked after the merge.
    fn merged(&self, dialect: Dialect, rooms: &[Room]) -> bool {
        dialect == Dialect::Postgres
            && (!rooms.is_empty() || self.kinds.as_ref().is_some_and(|kinds| kinds.single().is_none()))
    }

    /// A row for each of its projects; none where it takes runs of all.
    pub(super) fn project_rows(&self, binds: &mut Binds<'_>) -> Option<String> {
        let row = |project: &String| format!("(CAST({} AS TEXT))", binds.add(project.clone()));
        self.projects.as_ref().map(|projects| projects.iter().map(row).collect::<Vec<_>>().join(", "))
    }

    /// ` AND …`: of its projects.
    pub(super) fn of_projects(&self, binds: &mut Binds<'_>) -> String {
        match &self.projects {
            Some(projects) => format!(" AND project_id IN {}", binds.list(projects.iter().cloned())),
            None => String::new(),
        }
    }

    /// ` AND …`: that a column names one of its kinds.
    pub(super) fn of_kinds(&self, dialect: Dialect, column: &str, binds: &mut Binds<'_>) -> String {
        match &self.kinds {
            Some(kinds) => format!(" AND ({})", kinds.conditions(dialect, column, binds).join(" OR ")),
            None => String::new(),
        }
    }
}

/// A claim that names more asks and takes in two statements (PostgreSQL): each name stands in many places, and one of great
/// cost is compiled before it is run, which takes longer than it does.
pub(super) const FEW: usize = 16;

/// What came of a claim that looks first.
pub(super) enum Taken {
    Runs(Vec<Run>),
    /// There is something to be done first.
    Todo(Todo),
}

impl Taken {
    pub(super) fn runs(self) -> Vec<Run> {
        match self {
            Self::Runs(runs) => runs,
            Self::Todo(_) => Vec::new(),
        }
    }
}

/// How many milliseconds rivals at the same limit are waited for, at most, before the next try.
const RIVALS: [u64; 6] = [2, 4, 8, 16, 32, 64];

pub(super) fn event_ids(claiming: &Claiming<'_>) -> Vec<String> {
    let mut ids = NewIds::new();
    (0..claiming.request.limit).map(|_| ids.next()).collect()
}

/// PostgreSQL: the runs that a worker has and whose last event is one of these.
fn bearing(exec: &mut dyn Executor, worker: &str, events: &[String]) -> Result<Vec<Run>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sprongus_runs AS run WHERE {LEASED} AND claimed_by = $1 AND EXISTS (SELECT 1 \
         FROM sprongus_events AS e WHERE e.subject = 'run:' || run.id AND e.seq = run.version AND e.id = ANY ($2::text[]))"
    );
    let rows = exec.query(&sql, &[worker.into(), array(events)])?;
    let mut runs: Vec<Run> = rows.into_iter().map(read_run).collect::<Result<_>>()?;
    in_order(&mut runs);
    Ok(runs)
}

fn array(texts: &[String]) -> Value<'static> {
    Value::Array(texts.iter().cloned().map(Value::from).collect())
}
