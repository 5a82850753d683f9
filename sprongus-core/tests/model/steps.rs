//! The operations of a sequence, drawn so that most of them meet a run that waits for them, and many do not.

use fastrand::Rng;

use crate::queue::{Queue, Run};

pub(crate) const SECOND: i64 = 1_000_000;

/// Whoever claims; each reports also on what the others have.
const WORKERS: [&str; 4] = ["ada", "bob", "cyd", "dee"];

#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) kind: &'static str,
    pub(crate) input: i64,
    pub(crate) project: Option<&'static str>,
    pub(crate) key: Option<&'static str>,
    pub(crate) priority: i64,
    pub(crate) delay: i64,
    pub(crate) max_attempts: i64,
    pub(crate) timeout: Option<i64>,
    pub(crate) gated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Start,
    Heartbeat,
    Succeed,
    Fail,
    Snooze,
    Ask,
}

#[derive(Debug, Clone)]
pub(crate) enum Report {
    Start,
    Heartbeat(i64),
    Succeed(Option<i64>),
    Fail { retryable: bool, delay: i64 },
    Snooze(i64),
    Ask,
}

impl Report {
    pub(crate) fn verb(&self) -> Verb {
        match self {
            Self::Start => Verb::Start,
            Self::Heartbeat(_) => Verb::Heartbeat,
            Self::Succeed(_) => Verb::Succeed,
            Self::Fail { .. } => Verb::Fail,
            Self::Snooze(_) => Verb::Snooze,
            Self::Ask => Verb::Ask,
        }
    }
}

/// One operation; runs are named by the order in which they came.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Advance(i64),
    Enqueue(Asked),
    Find {
        key: &'static str,
        project: Option<&'static str>,
    },
    Claim {
        worker: &'static str,
        kinds: Option<&'static [&'static str]>,
        project: Option<&'static str>,
        limit: i64,
        lease: i64,
        dispatch: bool,
    },
    Rescue(i64),
    Report(usize, i64, Report),
    /// All successes, or all failures.
    Many(Vec<(usize, i64, Report)>),
    Cancel(usize),
    Retry(usize),
    Decide {
        run: usize,
        gate: bool,
        approve: bool,
    },
}

fn one<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.usize(..of.len())]
}

/// The next step, where the queue stands so.
pub(crate) fn draw(rng: &mut Rng, queue: &Queue) -> Step {
    if queue.runs.is_empty() {
        return Step::Enqueue(asked(rng));
    }
    match rng.u8(..32) {
        0..=4 => Step::Enqueue(asked(rng)),
        5..=11 => claim(rng),
        12..=15 => Step::Advance(one(rng, &[0, 1, SECOND, 5 * SECOND, 15 * SECOND, 40 * SECOND])),
        16..=23 => {
            let (run, lease) = leased(rng, queue);
            Step::Report(run, lease, report(rng))
        }
        24 | 25 => {
            let success = rng.bool();
            let item = |rng: &mut Rng| {
                let (run, lease) = leased(rng, queue);
                (run, lease, if success { succeed(rng) } else { fail(rng) })
            };
            Step::Many((0..rng.usize(..6)).map(|_| item(rng)).collect())
        }
        26 => Step::Cancel(rng.usize(..queue.runs.len())),
        27 => Step::Retry(that(rng, queue, |run| run.state.is_final())),
        28 | 29 => {
            let run = that(rng, queue, |run| run.gate == Some(None) || run.asked == Some(None));
            let gate = if rng.u8(..4) == 0 { rng.bool() } else { queue.runs[run].asked != Some(None) };
            Step::Decide { run, gate, approve: rng.u8(..3) > 0 }
        }
        30 => Step::Rescue(one(rng, &[0, 1, 2, 1000])),
        _ => Step::Find { key: one(rng, &["k1", "k2"]), project: one(rng, &[None, Some("p")]) },
    }
}

fn asked(rng: &mut Rng) -> Asked {
    let rarely = |rng: &mut Rng| rng.u8(..5) == 0;
    Asked {
        kind: one(rng, &["a", "b", "s/x"]),
        input: i64::from(rng.u8(..8) == 0),
        project: one(rng, &[None, None, Some("p"), Some("q")]),
        key: if rarely(rng) { Some(one(rng, &["k1", "k2"])) } else { None },
        priority: one(rng, &[0, 0, 0, 7, -7]),
        delay: if rarely(rng) { 5 * SECOND } else { 0 },
        max_attempts: rng.i64(1..4),
        timeout: if rng.u8(..3) == 0 { Some(15 * SECOND) } else { None },
        gated: rarely(rng),
    }
}

fn claim(rng: &mut Rng) -> Step {
    Step::Claim {
        worker: one(rng, &WORKERS),
        kinds: one(rng, &[None, None, Some(&["a"]), Some(&["b", "s/x"])]),
        project: one(rng, &[None, None, None, Some("p")]),
        limit: rng.i64(0..4),
        lease: one(rng, &[12 * SECOND, 600 * SECOND]),
        dispatch: rng.u8(..5) == 0,
    }
}

fn succeed(rng: &mut Rng) -> Report {
    Report::Succeed(if rng.bool() { Some(rng.i64(0..9)) } else { None })
}

fn fail(rng: &mut Rng) -> Report {
    Report::Fail { retryable: rng.u8(..4) > 0, delay: one(rng, &[0, 0, 5 * SECOND]) }
}

fn report(rng: &mut Rng) -> Report {
    match rng.u8(..8) {
        0 => Report::Start,
        1 => Report::Heartbeat(rng.i64(0..9)),
        2 | 3 => succeed(rng),
        4 | 5 => fail(rng),
        6 => Report::Snooze(one(rng, &[0, 5 * SECOND])),
        _ => Report::Ask,
    }
}

/// Mostly a run that is so.
fn that(rng: &mut Rng, queue: &Queue, so: impl Fn(&Run) -> bool) -> usize {
    let these: Vec<usize> = (0..queue.runs.len()).filter(|at| so(&queue.runs[*at])).collect();
    if these.is_empty() || rng.u8(..5) == 0 { rng.usize(..queue.runs.len()) } else { one(rng, &these) }
}

/// Mostly a run that somebody has, under its present lease.
fn leased(rng: &mut Rng, queue: &Queue) -> (usize, i64) {
    let at = that(rng, queue, Run::leased);
    let lease = queue.runs[at].lease;
    (at, if rng.u8(..6) == 0 { rng.i64(0..lease + 2) } else { lease })
}
