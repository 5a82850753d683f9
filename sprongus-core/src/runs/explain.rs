//! Why a run is not running, in words, and what would change that; the same words on both databases.

use super::Runs;
use super::binds::Binds;
use super::judge::read_visible;
use super::lane::IN_FORCE;
use super::lease::{LEASED, by_index, expired};
use super::model::Run;
use super::record::subject;
use super::requests::ExplainRun;
use super::state::RunState;
use crate::clock::Timestamp;
use crate::db::{Executor, Row};
use crate::error::Result;
use crate::events::{self, Event};
use crate::scope::Scope;
use crate::session::present;
use crate::text::truncate;

/// So many of the newest runs of a kind are asked whether a worker ever claimed one.
const ASKED: i64 = 100;
/// So many runs under way are looked at.
const UNDER_WAY: i64 = 1_000;

impl Runs<'_> {
    pub(super) fn do_explain(&self, request: &ExplainRun) -> Result<String> {
        self.session.allow(Scope::RunsRead)?;
        self.session.read_snapshot(|exec| {
            let run = read_visible(self.session, exec, &request.id)?.run;
            let now = present(exec, self.session.options())?;
            match run.state {
                RunState::AwaitingApproval => awaiting(exec, &run),
                RunState::Queued if run.run_at > now => Ok(not_due(&run)),
                RunState::Queued => match self.limited(exec, &run, now)? {
                    Some(why) => Ok(why),
                    None => self.unclaimed(exec, &run, now),
                },
                RunState::Dispatching | RunState::Running => self.taken_by(exec, &run),
                RunState::Denied => denied(exec, &run),
                _ => ended(exec, &run),
            }
        })
    }

    /// That its kind is at its limit, if it is.
    fn limited(&self, exec: &mut dyn Executor, run: &Run, now: Timestamp) -> Result<Option<String>> {
        let sql = format!(
            "SELECT concurrency, rate, per_us, full_at FROM sprongus_kind_limits WHERE kind = $1 AND {IN_FORCE}"
        );
        let rows = exec.query(&sql, &[run.kind.as_str().into()])?;
        let Some(limit) = rows.first() else { return Ok(None) };
        let kind = &run.kind;
        if let Some(most) = limit.opt_int(0)? {
            let sql = format!(
                "SELECT count(*) FROM (SELECT 1 FROM {} WHERE {LEASED} AND kind = $1 LIMIT $2) AS held",
                by_index(exec.dialect(), "leased_kind")
            );
            let held = exec.query(&sql, &[kind.as_str().into(), most.into()])?;
            if held.first().map_or(Ok(0), |row| row.int(0))? >= most {
                return Ok(Some(format!(
                    "The run is due, but its kind {kind} is at its limit: {} under way, and {most} may be at once. It can be \
                     claimed when one of them ends, or when the limit is raised (runs.limit_kind).",
                    counted(most, "run is", "runs are")
                )));
            }
        }
        Ok(next_token(limit)?.filter(|next| *next > now).map(|next| {
            format!(
                "The run is due, but its kind {kind} is at its rate limit: the bucket has no token before {next}. It can be \
                 claimed then, or when the limit is raised (runs.limit_kind)."
            )
        }))
    }

    /// That it waits for nothing but a worker, and what is known of those.
    fn unclaimed(&self, exec: &mut dyn Executor, run: &Run, now: Timestamp) -> Result<String> {
        let waited = now.since(run.run_at).as_secs();
        let mut why = format!("The run is due since {} ({waited} s), and no worker has claimed it yet.", run.run_at);
        let seen = |project: Option<&str>| self.session.sees(project);
        let sql = format!(
            "SELECT project_id FROM {} WHERE {LEASED} AND kind = $1 LIMIT {UNDER_WAY}",
            by_index(exec.dialect(), "leased_kind")
        );
        let mut busy = 0;
        for row in exec.query(&sql, &[run.kind.as_str().into()])? {
            busy += i64::from(seen(row.opt_text(0)?.as_deref()));
        }
        if busy > 0 {
            let busy = counted(busy, "run of its kind is", "runs of its kind are");
            why.push_str(&format!(
                " {busy} with workers now: it is claimed when one has room, higher priority and older first."
            ));
            return Ok(why);
        }
        let sql = format!(
            "SELECT claimed_at, project_id FROM sprongus_runs WHERE kind = $1 ORDER BY created_at DESC, id DESC \
             LIMIT {ASKED}"
        );
        let mut last: Option<Timestamp> = None;
        for row in exec.query(&sql, &[run.kind.as_str().into()])? {
            if seen(row.opt_text(1)?.as_deref()) {
                last = last.max(row.opt_time(0)?);
            }
        }
        why.push_str(&match last {
            Some(last) => format!(
                " The last claim of one of the newest runs of the kind {} was at {last}: see that its worker runs.",
                run.kind
            ),
            None => format!(
                " None of the newest runs of the kind {} was ever claimed: start a worker that handles it.",
                run.kind
            ),
        });
        Ok(why)
    }

    /// That a worker has it.
    fn taken_by(&self, exec: &mut dyn Executor, run: &Run) -> Result<String> {
        let mut binds = Binds::default();
        let conditions = expired(&mut binds, exec.dialect(), self.session.options()).join(" OR ");
        let sql = format!("SELECT 1 FROM sprongus_runs WHERE id = {} AND ({conditions})", binds.add(&run.id));
        let ran_out = !exec.query(&sql, binds.values())?.is_empty();
        let worker = run.claimed_by.as_deref().unwrap_or("a worker");
        let until = run.lease_until.map_or_else(String::new, |until| format!(" {until}"));
        let (attempt, most, lease) = (run.attempt, run.max_attempts, run.lease);
        let then = if attempt < most {
            "puts it back into the queue"
        } else {
            "ends it as failed, for this attempt is its last"
        };
        if ran_out {
            return Ok(format!(
                "The run is held by {worker} under the lease {lease}, which ran out at{until}: the next claim, or \
                 runs.rescue, {then}. A report of {worker} before that still counts."
            ));
        }
        let doing = match run.state {
            RunState::Dispatching => "claimed the run and has not started it (runs.start)".to_owned(),
            _ => format!("works on the run, attempt {attempt} of {most}"),
        };
        Ok(format!(
            "{worker} {doing}, under the lease {lease} until{until}; heartbeats extend it. Should the worker be gone, a claim \
             after that {then}."
        ))
    }
}

/// When the bucket of a kind has a token again; none where there is no rate limit, or the bucket is full.
fn next_token(limit: &Row) -> Result<Option<Timestamp>> {
    let (Some(rate), Some(full_at)) = (limit.opt_int(1)?, limit.opt_time(3)?) else { return Ok(None) };
    let per = limit.int(2)?;
    // One token is there when all but one are missing.
    let missing = per - per / rate.max(1);
    Ok(Some(Timestamp::from_micros(full_at.as_micros().saturating_sub(missing))))
}

fn awaiting(exec: &mut dyn Executor, run: &Run) -> Result<String> {
    let sql = "SELECT a.scope, a.step, a.created_at FROM sprongus_approvals AS a JOIN sprongus_runs AS r ON r.awaiting = a.id \
               WHERE r.id = $1";
    let rows = exec.query(sql, &[(&run.id).into()])?;
    let (what, since) = match rows.first() {
        Some(row) => {
            let step = row.text(1)?;
            let step = if step.is_empty() { String::new() } else { format!(" in the step {step}") };
            (format!("{}{step}", row.text(0)?), row.time(2)?)
        }
        None => ("run".to_owned(), run.updated_at),
    };
    Ok(format!(
        "The run waits for an approval of the scope {what}, asked for at {since}. Approved (approvals.approve) it is queued, \
         denied (approvals.deny) it ends."
    ))
}

fn not_due(run: &Run) -> String {
    let tried = match run.error {
        Some(_) if run.attempt > 0 => {
            format!(" Attempt {} of {} failed; `error` says why.", run.attempt, run.max_attempts)
        }
        _ => String::new(),
    };
    format!("The run is not due before {}.{tried} Nothing needs to be done: it can be claimed then.", run.run_at)
}

fn denied(exec: &mut dyn Executor, run: &Run) -> Result<String> {
    let event = last_event(exec, run)?;
    let by = event.map_or_else(String::new, |event| format!(" by {}", event.actor));
    Ok(format!("The run was denied{by}{}. A denied run stays so: enqueue another.", at(run)))
}

fn ended(exec: &mut dyn Executor, run: &Run) -> Result<String> {
    let (attempt, most) = (run.attempt, run.max_attempts);
    let what = match run.state {
        RunState::Succeeded => return Ok(format!("The run succeeded{}, in attempt {attempt} of {most}.", at(run))),
        RunState::Canceled => {
            let event = last_event(exec, run)?;
            let by = event.as_ref().map_or_else(String::new, |event| format!(" by {}", event.actor));
            let payload = event.map(|event| event.payload.to_value());
            let reason = payload.as_ref().and_then(|payload| payload["reason"].as_str());
            let reason = reason.map_or_else(String::new, |reason| format!(" ({})", truncate(reason, 200)));
            format!("was canceled{by}{}{reason}", at(run))
        }
        RunState::TimedOut => format!("timed out{}: attempt {attempt} of {most} took longer than its timeout", at(run)),
        _ if attempt >= most => {
            let all =
                if most == 1 { "its only attempt is".to_owned() } else { format!("all of its {most} attempts are") };
            format!("failed{}: {all} used up; `error` says why", at(run))
        }
        _ => format!(
            "failed{}: attempt {attempt} of {most} was reported as not worth a retry; `error` says why",
            at(run)
        ),
    };
    Ok(format!("The run {what}. runs.retry queues it again, from its first attempt."))
}

fn at(run: &Run) -> String {
    run.finished_at.map_or_else(String::new, |time| format!(" at {time}"))
}

fn last_event(exec: &mut dyn Executor, run: &Run) -> Result<Option<Event>> {
    let sql = format!("SELECT {} FROM sprongus_events WHERE subject = $1 AND seq = $2", events::COLUMNS);
    let rows = exec.query(&sql, &[subject(&run.id).into(), run.version.into()])?;
    rows.first().map(events::read_event).transpose()
}

/// `1 run`, `2 runs`.
fn counted(count: i64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
