//! Each operation in each state: the listed transition with one event, or an answer with nothing written (DESIGN.md §5, §15).

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use sprongus::clock::testing::ManualClock;
use sprongus::runs::approvals::{Decide, RequestApproval};
use sprongus::runs::{
    Cancel, Claim, Enqueue, Fail, FindStep, Heartbeat, Rescue, RetryRun, RunEvents, SaveStep, Snooze, StartRun, Succeed,
};
use sprongus::{Clock, ErrorCode, Json, Options, Result, RunState, Store, SystemClock};
use sprongus_conformance::{Case, Env};

use super::{case, get, told};

pub(super) fn cases() -> Vec<Case> {
    const ALL: &[&str] = &[
        "runs.start",
        "runs.heartbeat",
        "runs.succeed",
        "runs.fail",
        "runs.snooze",
        "runs.cancel",
        "runs.retry",
        "runs.rescue",
        "runs.claim_next",
        "runs.save_step",
        "runs.find_step",
        "approvals.request",
        "approvals.approve",
        "approvals.deny",
    ];
    vec![
        case("runs::every_operation_in_every_state", ALL, false, every),
        case("runs::an_older_lease_of_the_same_worker_changes_nothing", ALL, false, older_lease),
    ]
}

/// Where a run may stand, and how it came there: the columns of [`TABLE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Awaits its gate.
    Gate,
    /// Awaits an approval asked for while it ran.
    Asked,
    /// Queued and never claimed.
    New,
    /// Queued after an attempt.
    Again,
    Dispatching,
    Running,
    Succeeded,
    Failed,
    Denied,
    /// Canceled while it ran.
    Canceled,
    /// Canceled before its gate was granted.
    Revoked,
    TimedOut,
}

const PLACES: [At; 12] = [
    At::Gate,
    At::Asked,
    At::New,
    At::Again,
    At::Dispatching,
    At::Running,
    At::Succeeded,
    At::Failed,
    At::Denied,
    At::Canceled,
    At::Revoked,
    At::TimedOut,
];

/// What an operation comes to, by place: the state it leads to, or
///
/// `same`: the run as it is, nothing written; `none`: nothing done; `beat`: only the lease and `updated_at`; `kept`: only the
/// step; `invalid`: `invalid_state`; `lost`: `lease_lost`; `absent`: `not_found`.
const TABLE: &str = "
            gate     asked    new      again    dispatch running  succeed  failed   denied   canceled revoked  timedout
 approve    queued   queued   absent   absent   absent   absent   absent   absent   invalid  absent   invalid  absent
 deny       denied   denied   absent   absent   absent   absent   absent   absent   same     absent   invalid  absent
 claim      none     none     running  running  none     none     none     none     none     none     none     none
 dispatch   none     none     dispatch dispatch none     none     none     none     none     none     none     none
 start      invalid  lost     invalid  lost     running  same     lost     lost     invalid  lost     invalid  lost
 heartbeat  invalid  lost     invalid  lost     invalid  beat     lost     lost     invalid  same     invalid  lost
 succeed    invalid  lost     invalid  lost     invalid  succeed  same     lost     invalid  lost     invalid  lost
 fail       invalid  lost     invalid  lost     invalid  failed   lost     same     invalid  lost     invalid  lost
 again      invalid  lost     invalid  lost     invalid  queued   lost     same     invalid  lost     invalid  lost
 snooze     invalid  lost     invalid  same     invalid  queued   lost     lost     invalid  lost     invalid  lost
 ask        invalid  same     invalid  lost     invalid  asked    lost     lost     invalid  lost     invalid  lost
 step       invalid  lost     invalid  lost     invalid  kept     lost     lost     invalid  lost     invalid  lost
 find       invalid  lost     invalid  lost     invalid  same     lost     lost     invalid  lost     invalid  lost
 cancel     canceled canceled canceled canceled canceled canceled invalid  invalid  invalid  same     same     invalid
 retry      invalid  invalid  invalid  invalid  invalid  invalid  invalid  queued   invalid  queued   gate     queued
 rescue     none     none     none     none     queued   queued   none     none     none     none     none     none
 expire     none     none     none     none     failed   failed   none     none     none     none     none     none
 overdue    none     none     none     none     queued   queued   none     none     none     none     none     none
 timeout    none     none     none     none     timedout timedout none     none     none     none     none     none
";

const MINUTE: Duration = Duration::from_secs(60);

struct Bench {
    store: Store,
    clock: ManualClock,
    made: Cell<usize>,
}

/// Everything that is stored about a run.
type Stored = Vec<Vec<Vec<sprongus::Value<'static>>>>;

impl Bench {
    fn new(env: &Env) -> Self {
        let clock = ManualClock::new(SystemClock::default().now());
        let options = Options { clock: Arc::new(clock.clone()), backoff_base: Duration::ZERO, ..env.options() };
        Self { store: env.open_with(options), clock, made: Cell::new(0) }
    }

    fn claim(&self, kind: &str, dispatch: bool) -> Result<usize> {
        let claim = Claim { kinds: Some(vec![kind.to_owned()]), dispatch, ..Claim::new("w") };
        self.store.runs().claim_next(&claim).map(|runs| runs.len())
    }

    /// A run that stands there, of a kind of its own, for an operation of that name.
    fn make(&self, at: At, operation: &str) -> String {
        let runs = self.store.runs();
        self.made.set(self.made.get() + 1);
        let kind = format!("kind-{}", self.made.get());
        let last = at == At::TimedOut || matches!(operation, "expire" | "timeout");
        let timed = at == At::TimedOut || matches!(operation, "overdue" | "timeout");
        let request = Enqueue {
            needs_approval: matches!(at, At::Gate | At::Denied | At::Revoked),
            max_attempts: if last { 1 } else { 2 },
            timeout: timed.then_some(MINUTE / 2),
            ..super::kind(&kind)
        };
        let id = runs.enqueue(&request).unwrap().id;
        if matches!(at, At::Gate | At::New) {
            return id;
        }
        if request.needs_approval {
            match at {
                At::Denied => drop(self.store.approvals().deny(&Decide::new(&id, "ann")).unwrap()),
                _ => drop(runs.cancel(&Cancel::new(&id)).unwrap()),
            }
            return id;
        }
        assert_eq!(self.claim(&kind, at == At::Dispatching).unwrap(), 1);
        match at {
            At::Asked => drop(self.store.approvals().request(&ask(&id, 1)).unwrap()),
            At::Again => drop(runs.snooze(&Snooze::new(&id, 1, Duration::ZERO)).unwrap()),
            At::Succeeded => drop(runs.succeed(&Succeed::new(&id, 1)).unwrap()),
            At::Failed => drop(runs.fail(&Fail { retryable: false, ..Fail::new(&id, 1, "x") }).unwrap()),
            At::Canceled => drop(runs.cancel(&Cancel::new(&id)).unwrap()),
            At::TimedOut => {
                self.clock.advance(MINUTE / 2);
                runs.rescue(&Rescue::default()).unwrap();
            }
            _ => {}
        }
        id
    }

    /// Performs it under that lease; whether it did anything is seen in the store.
    fn perform(&self, operation: &str, id: &str, lease: i64) -> Result<()> {
        let runs = self.store.runs();
        let run = get(runs, id);
        let decide = || {
            let scope = if run.lease > 0 { "deploy" } else { "run" };
            Decide { scope: scope.to_owned(), ..Decide::new(id, "ann") }
        };
        let sweep = |time| {
            self.clock.advance(time);
            runs.rescue(&Rescue::default()).map(drop)
        };
        match operation {
            "approve" => self.store.approvals().approve(&decide()).map(drop),
            "deny" => self.store.approvals().deny(&decide()).map(drop),
            "claim" => self.claim(&run.kind, false).map(drop),
            "dispatch" => self.claim(&run.kind, true).map(drop),
            "start" => runs.start(&StartRun::new(id, lease)).map(drop),
            "heartbeat" => runs.heartbeat(&Heartbeat::new(id, lease)).map(drop),
            "succeed" => runs.succeed(&Succeed { output: Some(Json::null()), ..Succeed::new(id, lease) }).map(drop),
            "fail" => runs.fail(&Fail { retryable: false, ..Fail::new(id, lease, "x") }).map(drop),
            "again" => runs.fail(&Fail::new(id, lease, "x")).map(drop),
            "snooze" => runs.snooze(&Snooze::new(id, lease, MINUTE)).map(drop),
            "ask" => self.store.approvals().request(&ask(id, lease)).map(drop),
            "step" => {
                let step = SaveStep { id: id.to_owned(), lease, name: "one".to_owned(), output: Json::null() };
                runs.save_step(&step).map(drop)
            }
            "find" => runs.find_step(&FindStep::new(id, lease, "one")).map(drop),
            "cancel" => runs.cancel(&Cancel::new(id)).map(drop),
            "retry" => runs.retry(&RetryRun::new(id)).map(drop),
            "rescue" | "expire" => sweep(MINUTE),
            "overdue" | "timeout" => sweep(MINUTE / 2),
            other => panic!("no operation {other}"),
        }
    }

    /// The run's row, its events, and whatever else is kept of it.
    fn stored(&self, id: &str) -> Stored {
        let tables = [
            ("sprongus_runs", "id", "id"),
            ("sprongus_events", "run_id", "seq"),
            ("sprongus_run_steps", "run_id", "name"),
            ("sprongus_approvals", "run_id", "id"),
            ("sprongus_artifacts", "run_id", "id"),
        ];
        let rows = |(table, key, order): (&str, &str, &str)| {
            let sql = format!("SELECT * FROM {table} WHERE {key} = $1 ORDER BY {order}");
            let rows = self.store.query(&sql, &[id.into()]).unwrap();
            rows.iter().map(|row| row.values().to_vec()).collect()
        };
        tables.map(rows).into()
    }
}

fn ask(id: &str, lease: i64) -> RequestApproval {
    RequestApproval::new(id, lease, "deploy", "put it out")
}

/// The state, and the event that led there.
fn transition(operation: &str, to: &str) -> Option<(RunState, &'static str)> {
    let state = match to {
        "gate" | "asked" => RunState::AwaitingApproval,
        "queued" => RunState::Queued,
        "dispatch" => RunState::Dispatching,
        "running" => RunState::Running,
        "succeed" => RunState::Succeeded,
        "failed" => RunState::Failed,
        "denied" => RunState::Denied,
        "canceled" => RunState::Canceled,
        "timedout" => RunState::TimedOut,
        _ => return None,
    };
    let event = match operation {
        "approve" => "run.approved",
        "deny" => "run.denied",
        "claim" | "start" => "run.started",
        "dispatch" => "run.dispatched",
        "succeed" => "run.succeeded",
        "fail" | "expire" => "run.failed",
        "again" | "overdue" => "run.retry_scheduled",
        "snooze" => "run.snoozed",
        "ask" => "run.approval_requested",
        "cancel" => "run.canceled",
        "retry" => "run.retried",
        "rescue" => "run.rescued",
        "timeout" => "run.timed_out",
        other => panic!("{other} changes no state"),
    };
    Some((state, event))
}

fn every(env: &Env) {
    let bench = Bench::new(env);
    let rows = TABLE.lines().filter(|line| !line.trim().is_empty()).skip(1);
    let mut cells = 0;
    for row in rows {
        let mut words = row.split_whitespace();
        let operation = words.next().unwrap();
        for (at, expected) in PLACES.into_iter().zip(words.by_ref()) {
            cell(&bench, operation, at, expected);
            cells += 1;
        }
        assert_eq!(words.next(), None);
    }
    assert_eq!(cells, 19 * PLACES.len());
}

fn cell(bench: &Bench, operation: &str, at: At, expected: &str) {
    let what = format!("{operation} where it is {at:?}");
    let id = bench.make(at, operation);
    let before = get(bench.store.runs(), &id);
    let stored = bench.stored(&id);
    let answer = bench.perform(operation, &id, before.lease.max(1)).map_err(|error| error.code());
    let after = get(bench.store.runs(), &id);
    let error = match expected {
        "invalid" => Err(ErrorCode::InvalidState),
        "lost" => Err(ErrorCode::LeaseLost),
        "absent" => Err(ErrorCode::NotFound),
        _ => Ok(()),
    };
    assert_eq!(answer, error, "{what}");
    if let Some((state, event)) = transition(operation, expected) {
        let events = bench.store.runs().events(&RunEvents::new(&id)).unwrap();
        let last = events.last().unwrap();
        assert_eq!((after.state, last.kind.as_str()), (state, event), "{what}");
        assert_eq!((after.version, events.len() as i64), (before.version + 1, before.version + 1), "{what}");
        let payload = last.payload.to_value();
        assert_eq!(payload["from"], before.state.as_str(), "{what}");
        assert_eq!(payload["to"], after.state.as_str(), "{what}");
        assert_eq!(payload["attempt"], after.attempt, "{what}");
        assert_eq!(after.state.is_final(), after.finished_at.is_some(), "{what}");
        let leased = matches!(after.state, RunState::Dispatching | RunState::Running);
        assert_eq!(leased, after.lease_until.is_some(), "{what}");
        return;
    }
    let now = bench.stored(&id);
    match expected {
        "beat" => assert_eq!((&now[1..], after.version), (&stored[1..], before.version), "{what}"),
        "kept" => {
            assert_eq!((&now[..2], &now[3..]), (&stored[..2], &stored[3..]), "{what}");
            assert_eq!((stored[2].len(), now[2].len()), (0, 1), "{what}");
        }
        _ => assert_eq!(now, stored, "{what}"),
    }
}

/// The fence is the lease and not the worker's name.
fn older_lease(env: &Env) {
    let bench = Bench::new(env);
    let operations = ["start", "heartbeat", "succeed", "fail", "again", "snooze", "ask", "step", "find"];
    for at in [At::Running, At::Dispatching, At::Again, At::Succeeded, At::Failed, At::Canceled, At::Asked] {
        for operation in operations {
            let id = bench.make(At::Again, operation);
            let kind = get(bench.store.runs(), &id).kind;
            assert_eq!(bench.claim(&kind, at == At::Dispatching).unwrap(), 1);
            let run = get(bench.store.runs(), &id);
            assert_eq!((run.lease, run.claimed_by.as_deref()), (2, Some("w")), "the same worker once more");
            let ended = match at {
                At::Again => "snooze",
                At::Succeeded => "succeed",
                At::Failed => "fail",
                At::Canceled => "cancel",
                At::Asked => "ask",
                _ => "none",
            };
            if ended != "none" {
                bench.perform(ended, &id, 2).unwrap();
            }
            let stored = bench.stored(&id);
            // Under an older lease, and under one that was never given.
            for lease in [1, 3, -1, i64::MAX] {
                let answer = bench.perform(operation, &id, lease).map_err(|error| error.code());
                assert_eq!(answer, Err(ErrorCode::LeaseLost), "{operation} under {lease} where it is {at:?}");
            }
            assert_eq!(bench.stored(&id), stored, "{operation} where it is {at:?}");
            assert_eq!(told(bench.store.runs(), &id).len(), stored[1].len());
        }
    }
}
