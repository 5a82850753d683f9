//! Operations on schedules.

use super::{Empty, Operation};
use crate::runs::schedules::{NextTimes, PutSchedule, ScheduleName, Schedules, Tick};
use crate::scope::Scope;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            "schedules.put",
            Scope::RunsWrite,
            "Makes a schedule, or changes the one of that name.",
            |on, request: PutSchedule| Schedules::new(on).put(&request),
        ),
        Operation::new("schedules.get", Scope::RunsRead, "One schedule.", |on, request: ScheduleName| {
            Schedules::new(on).get(&request)
        }),
        Operation::new("schedules.list", Scope::RunsRead, "All schedules, by name.", |on, _: Empty| {
            Schedules::new(on).list()
        }),
        Operation::new("schedules.pause", Scope::RunsWrite, "Holds a schedule back.", |on, request: ScheduleName| {
            Schedules::new(on).pause(&request)
        }),
        Operation::new("schedules.resume", Scope::RunsWrite, "Lets a schedule go on.", |on, request: ScheduleName| {
            Schedules::new(on).resume(&request)
        }),
        Operation::new("schedules.delete", Scope::RunsWrite, "Removes a schedule.", |on, request: ScheduleName| {
            Schedules::new(on).delete(&request)
        }),
        Operation::new(
            "schedules.next_times",
            Scope::RunsRead,
            "The next slots of a schedule.",
            |on, request: NextTimes| Schedules::new(on).next_times(&request),
        ),
        Operation::new(
            "schedules.tick",
            Scope::RunsWrite,
            "Enqueues the runs of slots that have come; their number.",
            |on, request: Tick| Schedules::new(on).tick(&request),
        ),
    ]
}
