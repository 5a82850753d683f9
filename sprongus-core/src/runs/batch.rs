//! Reports on many runs: each for itself, and all that can be in one transaction (DESIGN.md §15 "Runs").

use std::collections::{HashMap, HashSet};

use super::Runs;
use super::judge::{Judged, Report, judge, not_found};
use super::many::Many;
use super::model::{COLUMNS, Run, Stored, read_stored};
use super::report::{changed_meanwhile, check_failure, check_success, fail, succeed};
use super::requests::{Fail, FailMany, Succeed, SucceedMany};
use super::state::{RunState, Step};
use super::together::{is_plain, succeed_together};
use super::verdict::Verdict;
use crate::db::{Dialect, Executor, Value};
use crate::error::{Error, Result};
use crate::id::check_id;
use crate::scope::Scope;
use crate::session::{Session, Work};

/// The most reports of one call.
const MOST: usize = 1_000;

/// So many bytes of outputs go to PostgreSQL in one statement.
const BYTES: usize = 16 << 20;

/// What a report is answered with.
pub(crate) trait Answer: Clone {
    /// Of the run as the report left it.
    fn of(run: Run) -> Self;

    /// PostgreSQL: makes the reports; the answers to those that were taken, with their places.
    fn apply(many: Many<'_>, work: &mut Work<'_>) -> Result<Vec<(usize, Self)>>;
}

impl Answer for Run {
    fn of(run: Run) -> Self {
        run
    }

    fn apply(many: Many<'_>, work: &mut Work<'_>) -> Result<Vec<(usize, Self)>> {
        many.apply(work)
    }
}

/// For who has the run already: nothing else of it is read.
impl Answer for RunState {
    fn of(run: Run) -> Self {
        run.state
    }

    fn apply(many: Many<'_>, work: &mut Work<'_>) -> Result<Vec<(usize, Self)>> {
        // Who listens is told of each run with all that it is.
        if work.has_listeners() {
            return Ok(many.apply(work)?.into_iter().map(|(place, run)| (place, run.state)).collect());
        }
        let to = many.step.from(RunState::Running);
        let places = many.apply_briefly(work)?;
        Ok(places.into_iter().filter_map(|place| Some((place, to?))).collect())
    }
}

/// The answers to reports that were taken, by the ids of their runs, under those leases.
type Taken<A> = HashMap<String, (i64, A)>;

impl Runs<'_> {
    pub(super) fn do_succeed_many<A: Answer>(&self, request: &SucceedMany) -> Result<Vec<Result<A>>> {
        self.session.allow(Scope::RunsWrite)?;
        let batch = Batch::of(&request.items, |item| (&item.id, item.lease), |item| check_success(self.session, item))?;
        let chunks = match self.session.core().dialect() {
            Dialect::Postgres => by_bytes(&batch.open),
            Dialect::Sqlite => vec![batch.open.as_slice()],
        };
        let write = |work: &mut Work<'_>| {
            let mut taken = Taken::with_capacity(batch.open.len());
            for chunk in &chunks {
                taken.extend(self.succeed_all(work, chunk)?);
            }
            Ok(taken)
        };
        let taken = self.watched(|| match chunks.as_slice() {
            [] => Ok(HashMap::new()),
            [_] => self.session.write_one(write),
            _ => self.session.write(write),
        })?;
        self.answer(batch, Report::Succeed, taken)
    }

    fn succeed_all<A: Answer>(&self, work: &mut Work<'_>, items: &[&Succeed]) -> Result<Taken<A>> {
        if work.dialect() == Dialect::Sqlite {
            let (plain, others): (Vec<&Succeed>, Vec<&Succeed>) = items.iter().partition(|item| is_plain(item));
            let mut done = succeed_together(self.session, work, &plain)?;
            for item in others {
                done.extend(succeed(self.session, work, item)?);
            }
            return Ok(by_id(done));
        }
        let keys = || items.iter().map(|item| (&*item.id, item.lease));
        let mut many = Many::new(Step::Succeed, self.session.confined(), keys());
        many.no_errors();
        many.put_out(items.iter().map(|item| item.output.as_ref()), items.iter().map(|item| item.output_ref.clone()));
        let keys: Vec<(&str, i64)> = keys().collect();
        Ok(by_place(A::apply(many, work)?, &keys))
    }

    pub(super) fn do_fail_many<A: Answer>(&self, request: &FailMany) -> Result<Vec<Result<A>>> {
        self.session.allow(Scope::RunsWrite)?;
        let batch = Batch::of(&request.items, |item| (&item.id, item.lease), check_failure)?;
        let taken = self.watched(|| match batch.open.as_slice() {
            [] => Ok(HashMap::new()),
            open => self.session.write(|work| self.fail_all(work, open)),
        })?;
        self.answer(batch, Report::Fail, taken)
    }

    fn fail_all<A: Answer>(&self, work: &mut Work<'_>, items: &[&Fail]) -> Result<Taken<A>> {
        let lock = if work.dialect() == Dialect::Postgres { " ORDER BY id FOR UPDATE" } else { "" };
        let mut stored = read_many(self.session, work.exec(), items.iter().map(|item| &*item.id), lock)?;
        let mut open: Vec<(Run, &Fail)> = Vec::with_capacity(items.len());
        for item in items {
            // One that is not open is left for the answer.
            if stored.get(&item.id).is_some_and(|stored| stored.run.lease == item.lease)
                && let Some(stored) = stored.remove(&item.id)
                && let Ok(Judged::Open(run)) = judge(stored, item.lease, Report::Fail)
            {
                open.push((run, item));
            }
        }
        match work.dialect() {
            Dialect::Sqlite => {
                let done = open.iter().map(|(run, item)| fail(work, run, item));
                let runs: Vec<Run> = done.filter_map(Result::transpose).collect::<Result<_>>()?;
                Ok(by_id(runs))
            }
            Dialect::Postgres => self.fail_together(work, &open),
        }
    }

    /// PostgreSQL: one statement for those that are tried again, one for those that are not.
    fn fail_together<A: Answer>(&self, work: &mut Work<'_>, open: &[(Run, &Fail)]) -> Result<Taken<A>> {
        let judge = |(run, item): &(Run, &Fail)| (run.clone(), Verdict::of_failure(work.options(), run, item));
        let judged: Vec<(Run, Verdict)> = open.iter().map(judge).collect();
        let mut taken = Taken::with_capacity(open.len());
        for step in [Step::Retry, Step::Fail] {
            let these: Vec<&(Run, Verdict)> = judged.iter().filter(|(_, verdict)| verdict.step == step).collect();
            if these.is_empty() {
                continue;
            }
            let keys: Vec<(&str, i64)> = these.iter().map(|(run, _)| (&*run.id, run.lease)).collect();
            let mut many = Many::new(step, self.session.confined(), keys.iter().copied());
            many.told_by(these.iter().map(|(run, _)| run.claimed_by.as_deref()));
            many.tell(these.iter().map(|(_, verdict)| verdict.told()))?;
            many.errors(these.iter().map(|(_, verdict)| verdict.error.as_str()));
            let delays = these.iter().filter_map(|(_, verdict)| verdict.delay);
            if step == Step::Retry {
                many.put_off(delays)?;
            }
            taken.extend(by_place(A::apply(many, work)?, &keys));
        }
        Ok(taken)
    }

    /// What each is answered with: the run that went on with it, else what is said by the run as it then stood.
    fn answer<T, A: Answer>(&self, batch: Batch<'_, T>, report: Report, taken: Taken<A>) -> Result<Vec<Result<A>>> {
        let mut taken = taken;
        let went_on = |(id, lease): (&str, i64)| taken.get(id).is_some_and(|(under, _)| *under == lease);
        let left = batch.open.iter().map(|item| (batch.key)(item)).filter(|key| !went_on(*key));
        let left: Vec<&str> = left.map(|(id, _)| id).collect();
        let stored = match left.is_empty() {
            true => HashMap::new(),
            false => self.session.read(|exec| read_many(self.session, exec, left.iter().copied(), ""))?,
        };
        let judged = |(id, lease): (&str, i64)| match stored.get(id) {
            None => Err(not_found(id)),
            Some(stored) => match judge(stored.clone(), lease, report)? {
                Judged::Answered(run) => Ok(A::of(run)),
                Judged::Open(_) => Err(changed_meanwhile(id)),
            },
        };
        let said_twice = batch.items.len() > batch.open.len();
        let mut answer = |(item, refused): (&T, Option<Error>)| match (refused, (batch.key)(item)) {
            (Some(error), _) => Err(error),
            (None, key) => given(&mut taken, key, said_twice).map_or_else(|| judged(key), Ok),
        };
        Ok(batch.items.iter().zip(batch.refused).map(&mut answer).collect())
    }
}

/// The answers of runs that went on.
fn by_id<A: Answer>(runs: Vec<Run>) -> Taken<A> {
    runs.into_iter().map(|run| (run.id.clone(), (run.lease, A::of(run)))).collect()
}

/// The answers to reports of those ids and leases.
fn by_place<A>(answers: Vec<(usize, A)>, keys: &[(&str, i64)]) -> Taken<A> {
    let key = |(place, answer): (usize, A)| keys.get(place).map(|(id, lease)| ((*id).to_owned(), (*lease, answer)));
    answers.into_iter().filter_map(key).collect()
}

/// The answer to a report that was taken, to be given again where it may have been `said_twice`.
fn given<A: Clone>(taken: &mut Taken<A>, (id, lease): (&str, i64), said_twice: bool) -> Option<A> {
    let (_, answer) = taken.get(id).filter(|(under, _)| *under == lease)?;
    if said_twice { Some(answer.clone()) } else { taken.remove(id).map(|(_, answer)| answer) }
}

/// The reports of a call.
struct Batch<'b, T> {
    items: &'b [T],
    key: fn(&T) -> (&str, i64),
    /// Why a report is refused whatever its run.
    refused: Vec<Option<Error>>,
    /// The others, one of each run and lease: the same again is answered with what the first came to.
    open: Vec<&'b T>,
}

impl<'b, T> Batch<'b, T> {
    fn of(items: &'b [T], key: fn(&T) -> (&str, i64), check: impl Fn(&T) -> Result<()>) -> Result<Self> {
        if items.len() > MOST {
            return Err(Error::invalid(format!("a batch holds {} reports; at most {MOST} are taken", items.len())));
        }
        let refused: Vec<Option<Error>> =
            items.iter().map(|item| check_id("the id", key(item).0).and_then(|()| check(item)).err()).collect();
        let mut seen = HashSet::new();
        let sound = items.iter().zip(&refused).filter(|(_, refused)| refused.is_none()).map(|(item, _)| item);
        let open = sound.filter(|item| seen.insert(key(item))).collect();
        Ok(Self { items, key, refused, open })
    }
}

/// Reports in pieces whose outputs make a statement of a size that a server takes.
fn by_bytes<'b, 's>(items: &'b [&'s Succeed]) -> Vec<&'b [&'s Succeed]> {
    let (mut chunks, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (index, item) in items.iter().enumerate() {
        let own = item.output.as_ref().map_or(0, |output| output.as_str().len());
        if bytes + own > BYTES && index > start {
            chunks.push(&items[start..index]);
            (start, bytes) = (index, 0);
        }
        bytes += own;
    }
    if start < items.len() {
        chunks.push(&items[start..]);
    }
    chunks
}

/// The runs of those ids that the handle sees.
fn read_many<'i>(
    session: Session<'_>,
    exec: &mut dyn Executor,
    ids: impl Iterator<Item = &'i str>,
    lock: &str,
) -> Result<HashMap<String, Stored>> {
    let these = match exec.dialect() {
        Dialect::Sqlite => "IN (SELECT value FROM json_each($1))",
        Dialect::Postgres => "= ANY ($1::text[])",
    };
    let ids = Value::Array(ids.map(|id| id.to_owned().into()).collect());
    let rows = exec.query(&format!("SELECT {COLUMNS} FROM sprongus_runs WHERE id {these}{lock}"), &[ids])?;
    let stored = rows.into_iter().map(read_stored).collect::<Result<Vec<_>>>()?;
    let seen = stored.into_iter().filter(|stored| session.sees(stored.run.project_id.as_deref()));
    Ok(seen.map(|stored| (stored.run.id.clone(), stored)).collect())
}
