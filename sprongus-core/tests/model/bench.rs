//! The store beside the model: performs a step, and says where the two differ.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use sprongus::clock::testing::ManualClock;
use sprongus::runs::approvals::{Decide, RequestApproval};
use sprongus::runs::{
    Cancel, Claim, Enqueue, Fail, FailMany, FindIdempotent, GetRun, Heartbeat, ListRuns, Order, Rescue, RetryRun,
    RunOutput, Snooze, StartRun, Succeed, SucceedMany,
};
use sprongus::{Clock, Error, Json, Options, Result, RunState, Store, Timestamp, Value};

use crate::queue::{Answer, Queue, Run};
use crate::steps::{Asked, Report, Step};

pub(crate) struct Bench {
    pub(crate) name: &'static str,
    store: Store,
    clock: ManualClock,
}

type Difference = std::result::Result<(), String>;

fn same<T: PartialEq + Debug>(what: &str, store: T, model: T) -> Difference {
    if store == model { Ok(()) } else { Err(format!("{what}\n  store: {store:?}\n  model: {model:?}")) }
}

impl Bench {
    pub(crate) fn open(name: &'static str, url: &str, schema: Option<String>) -> Self {
        let clock = ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap());
        // What is tried again is due at once where nothing else was said: chance is only in the steps.
        let options =
            Options { clock: Arc::new(clock.clone()), schema, backoff_base: Duration::ZERO, ..Options::default() };
        Self { name, store: Store::open(url, options).unwrap(), clock }
    }

    /// Empties the store; the present.
    pub(crate) fn begin(&self) -> i64 {
        for table in ["runs", "events", "artifacts", "approvals", "run_steps"] {
            self.store.execute(&format!("DELETE FROM sprongus_{table}"), &[]).unwrap();
        }
        self.clock.now().as_micros()
    }

    /// Performs a step, and holds its answer against the model's.
    pub(crate) fn compare(&self, queue: &mut Queue, step: &Step, expected: &Answer) -> Difference {
        let answer = self.perform(queue, step);
        match (answer, expected) {
            (Ok(Told::Runs(runs)), Answer::New) => {
                let new = queue.runs.last_mut().expect("the model has it");
                new.id.clone_from(&runs[0].id);
                same("a new run", seen(&runs[0]), queue_seen(queue, queue.runs.len() - 1))
            }
            (Ok(Told::Runs(runs)), Answer::Runs(numbers)) => {
                let model: Vec<_> = numbers.iter().map(|at| queue_seen(queue, *at)).collect();
                same("the runs that were returned", runs.iter().map(seen).collect(), model)
            }
            (Ok(Told::Each(each)), Answer::Each(numbers)) => {
                let store: Vec<_> = each.iter().map(|one| one.as_ref().map(seen).map_err(Error::code)).collect();
                let model: Vec<_> = numbers.iter().map(|one| one.map(|at| queue_seen(queue, at))).collect();
                same("what each report came to", store, model)
            }
            (Ok(Told::Count(count)), Answer::Count(expected)) => same("how many", count, *expected),
            (Ok(Told::Nothing), Answer::Nothing) => Ok(()),
            (Err(error), Answer::Refused(code)) => same("the error", error.code(), *code),
            (store, model) => Err(format!("the answer\n  store: {store:?}\n  model: {model:?}")),
        }
    }

    /// Holds all that is stored against the model.
    pub(crate) fn compare_all(&self, queue: &Queue) -> Difference {
        let runs = self.store.runs();
        let mut listed: Vec<_> = (0..queue.runs.len()).collect();
        listed.sort_by_key(|at| queue.runs[*at].id.clone());
        let all = ListRuns { order: Order::Oldest, limit: 1000, ..ListRuns::default() };
        let stored = runs.list(&all).unwrap();
        let model = listed.iter().map(|at| queue_seen(queue, *at)).collect::<Vec<_>>();
        same("all runs", stored.iter().map(seen).collect(), model)?;
        let events =
            self.store.query("SELECT run_id, seq, type FROM sprongus_events ORDER BY run_id, seq", &[]).unwrap();
        let stored = events.iter().map(|row| row.values().to_vec()).collect::<Vec<_>>();
        let model = listed.iter().flat_map(|at| {
            let run = &queue.runs[*at];
            let told = (1..).zip(&run.events);
            told.map(|(seq, kind)| vec![Value::from(run.id.clone()), Value::Int(seq), Value::text(kind)])
        });
        same("all events", stored, model.collect())?;
        for run in queue.runs.iter().filter(|run| run.state == RunState::Succeeded) {
            let output = runs.output(&RunOutput::new(&run.id)).ok().map(|output| output.as_str().to_owned());
            same("the output", output, run.output.map(|output| output.to_string()))?;
        }
        Ok(())
    }

    fn perform(&self, queue: &Queue, step: &Step) -> Result<Told> {
        let runs = self.store.runs();
        let id = |at: &usize| queue.runs[*at].id.as_str();
        let one = |run: sprongus::Run| Told::Runs(vec![run]);
        let micros = |micros: i64| Duration::from_micros(micros.unsigned_abs());
        Ok(match step {
            Step::Advance(time) => {
                self.clock.advance(micros(*time));
                Told::Nothing
            }
            Step::Enqueue(asked) => one(runs.enqueue(&enqueue(asked))?),
            Step::Find { key, project } => {
                let request = FindIdempotent { project: project.map(str::to_owned), ..FindIdempotent::new(*key) };
                Told::Runs(runs.find_idempotent(&request)?.into_iter().collect())
            }
            Step::Claim { worker, kinds, project, limit, lease, dispatch } => {
                let claim = Claim {
                    kinds: kinds.map(|kinds| kinds.iter().map(|kind| (*kind).to_owned()).collect()),
                    projects: project.map(|project| vec![project.to_owned()]),
                    limit: *limit,
                    lease: micros(*lease),
                    dispatch: *dispatch,
                    ..Claim::new(*worker)
                };
                let claimed = runs.claim_next(&claim)?;
                // The model looks for what took too long whatever is asked for; a claim of nothing does not look.
                if *limit == 0 {
                    runs.claim_next(&Claim { kinds: Some(vec!["none".to_owned()]), ..Claim::new(*worker) })?;
                }
                Told::Runs(claimed)
            }
            Step::Rescue(limit) => Told::Count(runs.rescue(&Rescue { limit: *limit })?),
            Step::Report(at, lease, report) => one(self.report(id(at), *lease, report)?),
            Step::Many(reports) => Told::Each(self.many(queue, reports)?),
            Step::Cancel(at) => one(runs.cancel(&Cancel::new(id(at)))?),
            Step::Retry(at) => one(runs.retry(&RetryRun::new(id(at)))?),
            Step::Decide { run, gate, approve } => {
                let scope = if *gate { "run" } else { "deploy" };
                let decide = Decide { scope: scope.to_owned(), ..Decide::new(id(run), "eve") };
                let approvals = self.store.approvals();
                if *approve {
                    approvals.approve(&decide)?
                } else {
                    approvals.deny(&decide)?
                };
                one(runs.get(&GetRun::new(id(run)))?)
            }
        })
    }

    fn report(&self, id: &str, lease: i64, report: &Report) -> Result<sprongus::Run> {
        let runs = self.store.runs();
        match report {
            Report::Start => runs.start(&StartRun::new(id, lease)),
            Report::Heartbeat(progress) => {
                runs.heartbeat(&Heartbeat { progress: Some(json(*progress)), ..Heartbeat::new(id, lease) })
            }
            Report::Succeed(output) => runs.succeed(&succeed(id, lease, *output)),
            Report::Fail { retryable, delay } => runs.fail(&fail(id, lease, *retryable, *delay)),
            Report::Snooze(delay) => runs.snooze(&Snooze::new(id, lease, Duration::from_micros(delay.unsigned_abs()))),
            Report::Ask => {
                self.store.approvals().request(&RequestApproval::new(id, lease, "deploy", "put it out"))?;
                runs.get(&GetRun::new(id))
            }
        }
    }

    fn many(&self, queue: &Queue, reports: &[(usize, i64, Report)]) -> Result<Vec<Result<sprongus::Run>>> {
        let (mut successes, mut failures) = (Vec::new(), Vec::new());
        for (at, lease, report) in reports {
            let id = queue.runs[*at].id.as_str();
            match report {
                Report::Succeed(output) => successes.push(succeed(id, *lease, *output)),
                Report::Fail { retryable, delay } => failures.push(fail(id, *lease, *retryable, *delay)),
                other => panic!("{other:?} has no batch"),
            }
        }
        match failures.is_empty() {
            true => self.store.runs().succeed_many(&SucceedMany { items: successes }),
            false => self.store.runs().fail_many(&FailMany { items: failures }),
        }
    }
}

#[derive(Debug)]
enum Told {
    Runs(Vec<sprongus::Run>),
    Each(Vec<Result<sprongus::Run>>),
    Count(i64),
    Nothing,
}

fn json(number: i64) -> Json {
    Json::parse(number.to_string()).unwrap()
}

fn enqueue(asked: &Asked) -> Enqueue {
    let time = |micros: i64| Duration::from_micros(micros.unsigned_abs());
    Enqueue {
        project: asked.project.map(str::to_owned),
        idempotency_key: asked.key.map(str::to_owned),
        priority: asked.priority,
        delay: (asked.delay > 0).then(|| time(asked.delay)),
        max_attempts: asked.max_attempts,
        timeout: asked.timeout.map(time),
        needs_approval: asked.gated,
        ..Enqueue::new(asked.kind, json(asked.input))
    }
}

fn succeed(id: &str, lease: i64, output: Option<i64>) -> Succeed {
    Succeed { output: output.map(json), ..Succeed::new(id, lease) }
}

fn fail(id: &str, lease: i64, retryable: bool, delay: i64) -> Fail {
    let retry_in = (retryable && delay > 0).then(|| Duration::from_micros(delay.unsigned_abs()));
    Fail { retryable, retry_in, ..Fail::new(id, lease, "no luck") }
}

/// What of a run the model speaks of.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    id: String,
    kind: String,
    project: Option<String>,
    state: (RunState, i32),
    priority: i64,
    run_at: Timestamp,
    counts: [i64; 5],
    claimed_by: Option<String>,
    error: Option<String>,
    progress: Option<String>,
    started: bool,
    finished: bool,
    lease_until: Option<Timestamp>,
}

fn seen(run: &sprongus::Run) -> Seen {
    Seen {
        id: run.id.clone(),
        kind: run.kind.clone(),
        project: run.project_id.clone(),
        state: (run.state, run.state_code),
        priority: run.priority,
        run_at: run.run_at,
        counts: [run.attempt, run.max_attempts, run.series, run.lease, run.version],
        claimed_by: run.claimed_by.clone(),
        error: run.error.clone(),
        progress: (!run.progress.is_null()).then(|| run.progress.as_str().to_owned()),
        started: run.started_at.is_some(),
        finished: run.finished_at.is_some(),
        lease_until: run.lease_until,
    }
}

fn queue_seen(queue: &Queue, at: usize) -> Seen {
    let run: &Run = &queue.runs[at];
    let code = match run.state {
        RunState::AwaitingApproval => 1,
        RunState::Queued if run.gate == Some(Some(true)) => 2,
        RunState::Queued => 0,
        RunState::Dispatching => 3,
        RunState::Running => 4,
        RunState::Succeeded => 5,
        RunState::Failed => 6,
        RunState::Denied => 7,
        RunState::Canceled => 8,
        RunState::TimedOut => 9,
    };
    Seen {
        id: run.id.clone(),
        kind: run.kind.to_owned(),
        project: run.project.map(str::to_owned),
        state: (run.state, code),
        priority: run.priority,
        run_at: Timestamp::from_micros(run.run_at),
        counts: [run.attempt, run.max_attempts, run.series, run.lease, run.events.len() as i64],
        claimed_by: run.claimed_by.map(str::to_owned),
        error: run.error.clone(),
        progress: run.progress.map(|progress| progress.to_string()),
        started: run.started,
        finished: run.state.is_final(),
        lease_until: run.leased().then(|| Timestamp::from_micros(run.lease_until)),
    }
}
