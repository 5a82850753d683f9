//! Runs that do not move, and why.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Finding;
use crate::clock::Timestamp;
use crate::db::{Dialect, Executor};
use crate::error::{Error, ErrorCode, Result};
use crate::runs::{ExplainRun, Runs};
use crate::session::{Session, present};

/// Rows of each kind of trouble that are looked at.
const LOOKED_AT: i64 = 1_000;
/// Kinds of runs that are explained.
const EXPLAINED: usize = 10;
/// A run that is due for longer is stuck.
const DUE_FOR: Duration = Duration::from_secs(600);
/// A lease that ran out longer ago should have been rescued.
const OVER_FOR: Duration = Duration::from_secs(300);
/// An approval that waits for longer may be forgotten.
const ASKED_FOR: Duration = Duration::from_secs(7 * 86_400);

/// Runs of one kind: how many, and the one that has waited the longest.
type Stuck = BTreeMap<String, (u64, Timestamp, String)>;

pub(super) fn look(session: Session<'_>) -> Result<Vec<Finding>> {
    let (now, due, held, asked) = session.read_snapshot(|exec| {
        let now = present(exec, session.options())?;
        let due = not_claimed(exec, now.saturating_sub(DUE_FOR))?;
        let held = not_rescued(exec, now.saturating_sub(OVER_FOR))?;
        Ok((now, due, held, not_decided(exec, now.saturating_sub(ASKED_FOR))?))
    })?;
    let mut findings = Vec::new();
    let of = "see that a worker handles the kind and runs; runs.explain says it of each run";
    findings.extend(explained(session, now, due, "stuck_runs", "due and not claimed", of)?);
    let fix = "start a worker, or call runs.rescue: a claim of any kind rescues as well";
    findings.extend(explained(session, now, held, "expired_leases", "held under a lease that ran out", fix)?);
    if let Some((count, oldest)) = asked {
        let many = if count == LOOKED_AT { "at least " } else { "" };
        findings.push(Finding::advice(
            "old_approvals",
            format!("{many}{count} approvals wait for longer than {} days, the oldest since {oldest}", days(ASKED_FOR)),
            "approve or deny them (approvals.list with decision \"pending\")",
        ));
    }
    Ok(findings)
}

fn not_claimed(exec: &mut dyn Executor, before: Timestamp) -> Result<Stuck> {
    let (yes, no) = match exec.dialect() {
        Dialect::Sqlite => ("ready = 1 AND limited = 1", "ready = 1 AND limited = 0"),
        Dialect::Postgres => ("ready AND limited", "ready AND NOT limited"),
    };
    let mut stuck = Stuck::new();
    // Each lane in the order of its index.
    for (lane, order) in [(no, "priority DESC, run_at, id"), (yes, "kind, priority DESC, run_at, id")] {
        let sql = format!(
            "SELECT kind, run_at, id FROM sprongus_runs WHERE state = 'queued' AND {lane} ORDER BY {order} LIMIT $1"
        );
        gather(exec, &sql, before, &mut stuck)?;
    }
    Ok(stuck)
}

fn not_rescued(exec: &mut dyn Executor, before: Timestamp) -> Result<Stuck> {
    let sql = "SELECT kind, lease_until, id FROM sprongus_runs WHERE state IN ('dispatching', 'running') LIMIT $1";
    let mut stuck = Stuck::new();
    gather(exec, sql, before, &mut stuck)?;
    Ok(stuck)
}

fn gather(exec: &mut dyn Executor, sql: &str, before: Timestamp, stuck: &mut Stuck) -> Result<()> {
    for row in exec.query(sql, &[LOOKED_AT.into()])? {
        let time = row.opt_time(1).map_err(|error| match row.text(2) {
            Ok(id) if error.code() == ErrorCode::Corrupt => {
                Error::new(ErrorCode::Corrupt, format!("the run {id}: {}", error.message()))
            }
            _ => error,
        })?;
        let Some(since) = time.filter(|since| *since < before) else { continue };
        let (count, oldest, id) = stuck.entry(row.text(0)?).or_insert((0, Timestamp::MAX, String::new()));
        *count += 1;
        if since < *oldest {
            (*oldest, *id) = (since, row.text(2)?);
        }
    }
    Ok(())
}

fn not_decided(exec: &mut dyn Executor, before: Timestamp) -> Result<Option<(i64, Timestamp)>> {
    let sql = "SELECT created_at FROM sprongus_approvals WHERE decision IS NULL ORDER BY created_at, id LIMIT $1";
    let rows = exec.query(sql, &[LOOKED_AT.into()])?;
    let times = rows.iter().map(|row| row.time(0)).collect::<Result<Vec<_>>>()?;
    let old: Vec<Timestamp> = times.into_iter().filter(|asked| *asked < before).collect();
    Ok(old.first().map(|oldest| (old.len() as i64, *oldest)))
}

/// One finding per kind: how many runs, and what is to be said of the one that has waited the longest.
fn explained(
    session: Session<'_>,
    now: Timestamp,
    stuck: Stuck,
    code: &str,
    what: &str,
    fix: &str,
) -> Result<Vec<Finding>> {
    let left = stuck.len().saturating_sub(EXPLAINED);
    let mut findings = Vec::new();
    for (kind, (count, since, id)) in stuck.into_iter().take(EXPLAINED) {
        let why = match Runs::new(session).explain(&ExplainRun::new(&*id)) {
            // It has ended meanwhile, and was pruned.
            Err(error) if error.code() == ErrorCode::NotFound => continue,
            why => why?,
        };
        let waited = now.since(since).as_secs();
        let message = format!("{count} runs of the kind {kind} are {what}, for up to {waited} s. Of {id}: {why}");
        findings.push(Finding::warning(code, message, fix));
    }
    if left > 0 {
        findings.push(Finding::warning(code, format!("runs of {left} more kinds are {what}"), fix));
    }
    Ok(findings)
}

fn days(time: Duration) -> u64 {
    time.as_secs() / 86_400
}
