//! What a run's events say about it, told by themselves: the library's own table is not asked.

use sprongus::Event;

/// Type, state before, state after.
const TRANSITIONS: &[(&str, &str, &str)] = &[
    ("run.enqueued", "", "queued"),
    ("run.approval_requested", "", "awaiting_approval"),
    ("run.approval_requested", "running", "awaiting_approval"),
    ("run.approved", "awaiting_approval", "queued"),
    ("run.denied", "awaiting_approval", "denied"),
    ("run.started", "queued", "running"),
    ("run.dispatched", "queued", "dispatching"),
    ("run.started", "dispatching", "running"),
    ("run.succeeded", "running", "succeeded"),
    ("run.failed", "running", "failed"),
    ("run.failed", "dispatching", "failed"),
    ("run.retry_scheduled", "running", "queued"),
    ("run.retry_scheduled", "dispatching", "queued"),
    ("run.snoozed", "running", "queued"),
    ("run.rescued", "dispatching", "queued"),
    ("run.rescued", "running", "queued"),
    ("run.timed_out", "dispatching", "timed_out"),
    ("run.timed_out", "running", "timed_out"),
    ("run.canceled", "awaiting_approval", "canceled"),
    ("run.canceled", "queued", "canceled"),
    ("run.canceled", "dispatching", "canceled"),
    ("run.canceled", "running", "canceled"),
    ("run.retried", "failed", "queued"),
    ("run.retried", "timed_out", "queued"),
    ("run.retried", "canceled", "queued"),
    ("run.retried", "canceled", "awaiting_approval"),
];

const FINAL: [&str; 5] = ["succeeded", "failed", "denied", "canceled", "timed_out"];

/// Where the events lead.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Replayed {
    pub(crate) state: String,
    pub(crate) version: i64,
    pub(crate) attempt: i64,
    pub(crate) lease: i64,
    pub(crate) series: i64,
}

/// Folds the events of one run; panics where one does not follow from those before.
pub(crate) fn replay(events: &[&Event]) -> Replayed {
    let mut run = Replayed { series: 1, ..Replayed::default() };
    let mut ends = 0;
    for event in events {
        let at = format!("{} of {}, seq {}", event.kind, event.subject, event.seq);
        let payload = event.payload.to_value();
        let (from, to) = (payload["from"].as_str().unwrap_or_default(), payload["to"].as_str().unwrap());
        assert_eq!(event.seq, run.version + 1, "a gap: {at}");
        assert_eq!(from, run.state, "it does not follow: {at}");
        assert!(TRANSITIONS.contains(&(&event.kind, from, to)), "no such transition to {to}: {at}");
        run.step(&event.kind, from);
        assert_eq!(payload["attempt"].as_i64().unwrap(), run.attempt, "attempts: {at}");
        (run.state, run.version) = (to.to_owned(), event.seq);
        ends = if event.kind == "run.retried" { 0 } else { ends + i64::from(FINAL.contains(&to)) };
        assert_eq!(ends, i64::from(FINAL.contains(&to)), "one end a series: {at}");
    }
    run
}

impl Replayed {
    fn step(&mut self, kind: &str, from: &str) {
        match (kind, from) {
            ("run.started" | "run.dispatched", "queued") => {
                (self.attempt, self.lease) = (self.attempt + 1, self.lease + 1)
            }
            ("run.snoozed" | "run.approval_requested", "running") => self.attempt -= 1,
            ("run.retried", _) => (self.attempt, self.series) = (0, self.series + 1),
            _ => {}
        }
    }
}
