//! Runs: the durable queue.

use super::Operation;
use crate::runs::{
    Cancel, Claim, Enqueue, EnqueueMany, Fail, GetRun, Heartbeat, ListRuns, Rescue, RunEvents, RunOutput, Runs,
    StartRun, Succeed,
};
use crate::scope::Scope;

pub(super) fn operations() -> Vec<Operation> {
    let mut table = writing();
    table.extend(reading());
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
            "Rescues runs whose lease has run out; their number.",
            |on, request: Rescue| Runs::new(on).rescue(&request),
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
    ]
}
