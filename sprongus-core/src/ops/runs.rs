//! Runs: the durable queue.

use super::{Empty, Operation};
use crate::runs::{
    Cancel, Claim, Enqueue, EnqueueMany, ExplainRun, Fail, FailMany, FindIdempotent, FindStep, GetRun, Heartbeat,
    LimitKind, ListRuns, ListSteps, Prune, Reported, Rescue, RetryRun, RunEvents, RunOutput, RunStatsOf, Runs,
    SaveStep, Snooze, StartRun, Succeed, SucceedMany, WaitRun,
};
use crate::scope::Scope;

pub(super) fn operations() -> Vec<Operation> {
    let mut table = writing();
    table.extend(reporting());
    table.extend(reading());
    table.extend(keeping());
    table
}

fn writing() -> Vec<Operation> {
    vec![
        Operation::new(
            "runs.enqueue",
            Scope::RunsWrite,
            "Puts a run into the queue, once per idempotency key.",
            |on, request: Enqueue| Runs::new(on).enqueue(&request),
        ),
        Operation::new(
            "runs.enqueue_many",
            Scope::RunsWrite,
            "Puts runs into the queue, all or none.",
            |on, request: EnqueueMany| Runs::new(on).enqueue_many(&request),
        ),
        Operation::new(
            "runs.claim_next",
            Scope::RunsWrite,
            "Takes due runs for a worker and leases them to it.",
            |on, request: Claim| Runs::new(on).claim_next(&request),
        ),
        Operation::new(
            "runs.start",
            Scope::RunsWrite,
            "Begins a run that was claimed for dispatch.",
            |on, request: StartRun| Runs::new(on).start(&request),
        ),
        Operation::new(
            "runs.heartbeat",
            Scope::RunsWrite,
            "Extends the lease of a running run and tells its progress.",
            |on, request: Heartbeat| Runs::new(on).heartbeat(&request),
        ),
        Operation::new("runs.succeed", Scope::RunsWrite, "Reports success.", |on, request: Succeed| {
            Runs::new(on).succeed(&request)
        }),
        Operation::new(
            "runs.fail",
            Scope::RunsWrite,
            "Reports failure: tried again later, or final.",
            |on, request: Fail| Runs::new(on).fail(&request),
        ),
        Operation::new("runs.cancel", Scope::RunsWrite, "Cancels a run that is not final.", |on, request: Cancel| {
            Runs::new(on).cancel(&request)
        }),
        Operation::new(
            "runs.rescue",
            Scope::RunsWrite,
            "Times out what takes too long and rescues runs whose lease has run out; their number.",
            |on, request: Rescue| Runs::new(on).rescue(&request),
        ),
    ]
}

fn reporting() -> Vec<Operation> {
    vec![
        Operation::new(
            "runs.snooze",
            Scope::RunsWrite,
            "Puts a run off and gives its attempt back.",
            |on, request: Snooze| Runs::new(on).snooze(&request),
        ),
        Operation::new(
            "runs.succeed_many",
            Scope::RunsWrite,
            "Reports successes, each for itself.",
            |on, request: SucceedMany| each(Runs::new(on).succeed_many(&request)?),
        ),
        Operation::new(
            "runs.fail_many",
            Scope::RunsWrite,
            "Reports failures, each for itself.",
            |on, request: FailMany| each(Runs::new(on).fail_many(&request)?),
        ),
        Operation::new(
            "runs.retry",
            Scope::RunsWrite,
            "Queues a run that ended once more, by hand.",
            |on, request: RetryRun| Runs::new(on).retry(&request),
        ),
        Operation::new(
            "runs.find_step",
            Scope::RunsWrite,
            "The stored result of a step, or null.",
            |on, request: FindStep| Runs::new(on).find_step(&request),
        ),
        Operation::new(
            "runs.save_step",
            Scope::RunsWrite,
            "Stores the result of a step; the first one stays.",
            |on, request: SaveStep| Runs::new(on).save_step(&request),
        ),
    ]
}

fn each(results: Vec<crate::error::Result<crate::runs::Run>>) -> crate::error::Result<Vec<Reported>> {
    Ok(results.into_iter().map(Reported::of).collect())
}

fn keeping() -> Vec<Operation> {
    vec![
        Operation::new("runs.stats", Scope::RunsRead, "The figures of the queue.", |on, request: RunStatsOf| {
            Runs::new(on).stats(&request)
        }),
        Operation::new("runs.limits", Scope::RunsRead, "The limits of kinds.", |on, _: Empty| Runs::new(on).limits()),
        Operation::new(
            "runs.limit_kind",
            Scope::Admin,
            "Limits the runs of a kind, or lifts its limits.",
            |on, request: LimitKind| Runs::new(on).limit_kind(&request),
        ),
        Operation::new(
            "runs.prune",
            Scope::RunsWrite,
            "Removes runs that ended long ago; their number.",
            |on, request: Prune| Runs::new(on).prune(&request),
        ),
    ]
}

fn reading() -> Vec<Operation> {
    vec![
        Operation::new("runs.get", Scope::RunsRead, "One run.", |on, request: GetRun| Runs::new(on).get(&request)),
        Operation::new("runs.list", Scope::RunsRead, "Runs by filters, a page at a time.", |on, request: ListRuns| {
            Runs::new(on).list(&request)
        }),
        Operation::new(
            "runs.events",
            Scope::RunsRead,
            "All events of a run, in their order.",
            |on, request: RunEvents| Runs::new(on).events(&request),
        ),
        Operation::new("runs.output", Scope::RunsRead, "What a run put out.", |on, request: RunOutput| {
            Runs::new(on).output(&request)
        }),
        Operation::new(
            "runs.find_idempotent",
            Scope::RunsRead,
            "The run under an idempotency key, or null.",
            |on, request: FindIdempotent| Runs::new(on).find_idempotent(&request),
        ),
        Operation::new("runs.steps", Scope::RunsRead, "The stored steps of a run.", |on, request: ListSteps| {
            Runs::new(on).steps(&request)
        }),
        Operation::new("runs.wait", Scope::RunsRead, "Waits until a run has ended.", |on, request: WaitRun| {
            Runs::new(on).wait(&request)
        }),
        Operation::new(
            "runs.explain",
            Scope::RunsRead,
            "In words: why a run is not running.",
            |on, request: ExplainRun| Runs::new(on).explain(&request),
        ),
    ]
}
