//! The model: what a queue of runs is, in memory and in few words, by DESIGN.md §5 and §15 and not by the code.

use sprongus::{ErrorCode, RunState};

use crate::steps::{Asked, Report, Step, Verb};

/// An approval: pending, or decided.
pub(crate) type Decision = Option<bool>;

/// Which approval a run waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaits {
    Gate,
    Asked,
}

#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) input: i64,
    pub(crate) project: Option<&'static str>,
    pub(crate) key: Option<&'static str>,
    pub(crate) state: RunState,
    pub(crate) priority: i64,
    pub(crate) run_at: i64,
    pub(crate) attempt: i64,
    pub(crate) max_attempts: i64,
    pub(crate) series: i64,
    pub(crate) lease: i64,
    pub(crate) claimed_by: Option<&'static str>,
    pub(crate) error: Option<String>,
    pub(crate) started: bool,
    pub(crate) lease_until: i64,
    lease_length: i64,
    timeout: Option<i64>,
    timeout_at: i64,
    pub(crate) gate: Option<Decision>,
    pub(crate) asked: Option<Decision>,
    awaits: Option<Awaits>,
    reported: Option<Verb>,
    pub(crate) output: Option<i64>,
    pub(crate) progress: Option<i64>,
    /// One for each transition.
    pub(crate) events: Vec<&'static str>,
}

impl Run {
    pub(crate) fn leased(&self) -> bool {
        matches!(self.state, RunState::Dispatching | RunState::Running)
    }

    fn go(&mut self, to: RunState, event: &'static str) {
        self.state = to;
        self.events.push(event);
        if matches!(to, RunState::Queued | RunState::AwaitingApproval) {
            (self.claimed_by, self.started) = (None, false);
        }
        self.awaits = None;
    }

    fn requeue(&mut self, run_at: i64, event: &'static str) {
        self.go(RunState::Queued, event);
        self.run_at = run_at;
    }

    fn fail(&mut self, error: &str) {
        self.error = Some(error.to_owned());
        self.go(RunState::Failed, "run.failed");
    }

    /// Whether a report is to be acted on; else its answer.
    fn judge(&self, lease: i64, verb: Verb) -> Option<Result<(), ErrorCode>> {
        let answer = match self.state {
            _ if self.lease == 0 => Err(ErrorCode::InvalidState),
            _ if self.lease != lease => Err(ErrorCode::LeaseLost),
            RunState::Canceled if verb == Verb::Heartbeat => Ok(()),
            RunState::Running if verb == Verb::Start => Ok(()),
            RunState::Running => return None,
            RunState::Dispatching if verb == Verb::Start => return None,
            RunState::Dispatching => Err(ErrorCode::InvalidState),
            _ if self.reported == Some(verb) => Ok(()),
            _ => Err(ErrorCode::LeaseLost),
        };
        Some(answer)
    }
}

/// What a step is answered with: the runs it returns, a number, or an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Runs(Vec<usize>),
    /// A new run, which has the next number.
    New,
    Each(Vec<Result<usize, ErrorCode>>),
    Count(i64),
    Nothing,
    Refused(ErrorCode),
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) now: i64,
    pub(crate) runs: Vec<Run>,
}

impl Queue {
    /// Does the step; a new run gets its id from what the store answered.
    pub(crate) fn apply(&mut self, step: &Step) -> Answer {
        match step {
            Step::Advance(micros) => {
                self.now += micros;
                Answer::Nothing
            }
            Step::Enqueue(asked) => self.enqueue(asked),
            Step::Find { key, project } => match self.under(key, *project) {
                Some(found) => Answer::Runs(vec![found]),
                None => Answer::Runs(Vec::new()),
            },
            Step::Claim { worker, kinds, project, limit, lease, dispatch } => {
                self.sweep(i64::MAX);
                let of = |run: &Run| {
                    kinds.is_none_or(|kinds| kinds.contains(&run.kind))
                        && project.is_none_or(|of| run.project == Some(of))
                };
                let mut due: Vec<usize> = (0..self.runs.len()).filter(|at| of(&self.runs[*at])).collect();
                due.retain(|at| self.runs[*at].state == RunState::Queued && self.runs[*at].run_at <= self.now);
                due.sort_by_key(|at| (-self.runs[*at].priority, self.runs[*at].run_at, self.runs[*at].id.clone()));
                due.truncate(usize::try_from(*limit).unwrap());
                due.iter().for_each(|at| self.claim(*at, worker, *lease, *dispatch));
                Answer::Runs(due)
            }
            Step::Rescue(limit) => Answer::Count(self.sweep(*limit)),
            Step::Report(at, lease, report) => match self.report(*at, *lease, report) {
                Ok(()) => Answer::Runs(vec![*at]),
                Err(code) => Answer::Refused(code),
            },
            Step::Many(reports) => {
                let each = reports.iter().map(|(at, lease, report)| self.report(*at, *lease, report).map(|()| *at));
                Answer::Each(each.collect())
            }
            Step::Cancel(at) => self.answer(*at, Self::cancel),
            Step::Retry(at) => self.answer(*at, Self::retry),
            Step::Decide { run, gate, approve } => self
                .answer(*run, |queue, at| queue.decide(at, if *gate { Awaits::Gate } else { Awaits::Asked }, *approve)),
        }
    }

    fn answer(&mut self, at: usize, step: impl FnOnce(&mut Self, usize) -> Result<(), ErrorCode>) -> Answer {
        step(self, at).map_or_else(Answer::Refused, |()| Answer::Runs(vec![at]))
    }

    fn under(&self, key: &str, project: Option<&str>) -> Option<usize> {
        self.runs.iter().position(|run| run.key == Some(key) && run.project == project)
    }

    fn enqueue(&mut self, asked: &Asked) -> Answer {
        if let Some(found) = asked.key.and_then(|key| self.under(key, asked.project)) {
            let run = &self.runs[found];
            let same = (run.kind, run.input) == (asked.kind, asked.input);
            return if same { Answer::Runs(vec![found]) } else { Answer::Refused(ErrorCode::Conflict) };
        }
        self.runs.push(Run {
            id: String::new(),
            kind: asked.kind,
            input: asked.input,
            project: asked.project,
            key: asked.key,
            state: if asked.gated { RunState::AwaitingApproval } else { RunState::Queued },
            priority: asked.priority,
            run_at: self.now + asked.delay,
            attempt: 0,
            max_attempts: asked.max_attempts,
            series: 1,
            lease: 0,
            claimed_by: None,
            error: None,
            started: false,
            lease_until: 0,
            lease_length: 0,
            timeout: asked.timeout,
            timeout_at: i64::MAX,
            gate: asked.gated.then_some(None),
            asked: None,
            awaits: asked.gated.then_some(Awaits::Gate),
            reported: None,
            output: None,
            progress: None,
            events: vec![if asked.gated { "run.approval_requested" } else { "run.enqueued" }],
        });
        Answer::New
    }

    fn claim(&mut self, at: usize, worker: &'static str, lease: i64, dispatch: bool) {
        let run = &mut self.runs[at];
        match dispatch {
            true => run.go(RunState::Dispatching, "run.dispatched"),
            false => run.go(RunState::Running, "run.started"),
        }
        (run.attempt, run.lease, run.started) = (run.attempt + 1, run.lease + 1, !dispatch);
        (run.claimed_by, run.reported) = (Some(worker), None);
        (run.lease_length, run.lease_until) = (lease, self.now + lease);
        run.timeout_at = run.timeout.map_or(i64::MAX, |timeout| self.now + timeout);
    }

    /// Ends what takes too long, then what was abandoned; how many.
    fn sweep(&mut self, limit: i64) -> i64 {
        let now = self.now;
        let mut left = limit;
        let overdue = self.leased_by(now, |run| run.timeout_at);
        for at in overdue.into_iter().take(usize::try_from(left).unwrap()) {
            let run = &mut self.runs[at];
            run.error = run.timeout.map(|timeout| format!("timed out after {} s", timeout / 1_000_000));
            match run.attempt < run.max_attempts {
                true => run.requeue(now, "run.retry_scheduled"),
                false => run.go(RunState::TimedOut, "run.timed_out"),
            }
            left -= 1;
        }
        let abandoned = self.leased_by(now, |run| run.lease_until);
        for at in abandoned.into_iter().take(usize::try_from(left).unwrap()) {
            let run = &mut self.runs[at];
            match run.attempt < run.max_attempts {
                true => run.go(RunState::Queued, "run.rescued"),
                false => run.fail("lease expired"),
            }
            left -= 1;
        }
        limit - left
    }

    /// The leased runs whose moment has come, the earliest first.
    fn leased_by(&self, now: i64, moment: fn(&Run) -> i64) -> Vec<usize> {
        let mut come: Vec<usize> = (0..self.runs.len()).collect();
        come.retain(|at| self.runs[*at].leased() && moment(&self.runs[*at]) <= now);
        come.sort_by_key(|at| (moment(&self.runs[*at]), self.runs[*at].id.clone()));
        come
    }

    fn report(&mut self, at: usize, lease: i64, report: &Report) -> Result<(), ErrorCode> {
        let (now, run) = (self.now, &mut self.runs[at]);
        let verb = report.verb();
        match run.judge(lease, verb) {
            // A request for leave is answered again only while the run waits for it.
            Some(Ok(())) if verb == Verb::Ask && run.awaits != Some(Awaits::Asked) => return Err(ErrorCode::LeaseLost),
            Some(answer) => return answer,
            None => {}
        }
        match report {
            Report::Start => {
                run.go(RunState::Running, "run.started");
                run.started = true;
            }
            Report::Heartbeat(progress) => {
                run.lease_until = now + run.lease_length;
                run.progress = Some(*progress);
            }
            Report::Succeed(output) => {
                run.go(RunState::Succeeded, "run.succeeded");
                (run.error, run.output) = (None, *output);
            }
            Report::Fail { retryable, delay } => match *retryable && run.attempt < run.max_attempts {
                true => {
                    run.error = Some("no luck".to_owned());
                    run.requeue(now + delay, "run.retry_scheduled");
                }
                false => run.fail("no luck"),
            },
            Report::Snooze(delay) => {
                run.requeue(now + delay, "run.snoozed");
                run.attempt -= 1;
            }
            Report::Ask if run.asked == Some(Some(true)) => return Ok(()),
            Report::Ask => {
                run.go(RunState::AwaitingApproval, "run.approval_requested");
                run.attempt -= 1;
                (run.asked, run.awaits) = (Some(None), Some(Awaits::Asked));
            }
        }
        if !run.leased() {
            run.reported = Some(verb);
        }
        Ok(())
    }

    fn cancel(&mut self, at: usize) -> Result<(), ErrorCode> {
        let run = &mut self.runs[at];
        match run.state {
            RunState::Canceled => {}
            state if state.is_final() => return Err(ErrorCode::InvalidState),
            _ => {
                run.go(RunState::Canceled, "run.canceled");
                run.reported = None;
            }
        }
        Ok(())
    }

    fn retry(&mut self, at: usize) -> Result<(), ErrorCode> {
        let (now, run) = (self.now, &mut self.runs[at]);
        if !matches!(run.state, RunState::Failed | RunState::TimedOut | RunState::Canceled) {
            return Err(ErrorCode::InvalidState);
        }
        run.requeue(now, "run.retried");
        (run.attempt, run.series) = (0, run.series + 1);
        if run.gate == Some(None) {
            (run.state, run.awaits) = (RunState::AwaitingApproval, Some(Awaits::Gate));
        }
        Ok(())
    }

    fn decide(&mut self, at: usize, of: Awaits, approve: bool) -> Result<(), ErrorCode> {
        let run = &mut self.runs[at];
        let decision = match of {
            Awaits::Gate => &mut run.gate,
            Awaits::Asked => &mut run.asked,
        };
        match decision {
            None => return Err(ErrorCode::NotFound),
            Some(Some(before)) => return if *before == approve { Ok(()) } else { Err(ErrorCode::InvalidState) },
            Some(None) if run.awaits != Some(of) => return Err(ErrorCode::InvalidState),
            Some(pending) => *pending = Some(approve),
        }
        match approve {
            true => run.go(RunState::Queued, "run.approved"),
            false => run.go(RunState::Denied, "run.denied"),
        }
        Ok(())
    }
}
