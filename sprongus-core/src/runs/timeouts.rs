//! Attempts that take too long, counted from their claim; claims and `rescue` end them, no worker needed (DESIGN.md §5, §15).

use super::Runs;
use super::binds::Binds;
use super::judge::Report;
use super::lease::{LEASED, by_index};
use super::model::{COLUMNS, Run, read_run};
use super::outlook::Moment;
use super::sweep::{Chore, Looking, but_for, of_project, one_of_many, up_to};
use super::verdict::Verdict;
use crate::db::{Dialect, Row};
use crate::error::Result;
use crate::options::Options;
use crate::session::Work;

/// The most that a claim times out on its way.
const MOST: i64 = 100;

pub(super) const CHORE: Chore = Chore {
    name: "timing out what takes too long",
    look,
    next,
    work: |runs, claimer| runs.time_out_overdue(claimer.worker, MOST).map(drop),
};

fn look(looking: &mut Looking<'_>) -> String {
    let overdue = overdue(&mut looking.binds, looking.dialect, looking.session.options());
    format!("(SELECT 1 FROM {} LIMIT 1)", ordered(looking.dialect, &overdue, &looking.of_project()))
}

fn next(looking: &mut Looking<'_>) -> Moment {
    let dialect = looking.dialect;
    let runs = |condition: &str, project: &str| ordered(dialect, condition, project);
    match dialect {
        Dialect::Postgres => {
            let runs = runs("timeout_at IS NOT NULL", &looking.of_project());
            Moment::Wall(format!("(SELECT timeout_at FROM {runs} LIMIT 1)"))
        }
        Dialect::Sqlite => {
            let boot = looking.binds.add(looking.session.options().clock.boot_id().to_string());
            let runs = runs(&format!("timeout_mono IS NOT NULL AND lease_boot = {boot}"), &looking.of_project());
            Moment::Monotonic(format!("(SELECT timeout_mono FROM {runs} LIMIT 1)"))
        }
    }
}

/// PostgreSQL: the assignment that lets a claimed run's attempt time out, where the run has a timeout. It counts, as the lease
/// does, from when the row is written.
pub(super) fn from_now(work: &Work<'_>, binds: &mut Binds<'_>) -> String {
    let now = binds.add(work.now());
    format!("timeout_at = coalesce({now}::timestamptz, clock_timestamp()) + timeout_us * interval '1 microsecond'")
}

/// SQLite: the assignment by which an attempt that goes on after a reboot times out by the new boot's clock.
pub(super) fn over_reboot(work: &Work<'_>, binds: &mut Binds<'_>) -> String {
    let clock = &work.options().clock;
    let (boot, mono) = (binds.add(clock.boot_id().to_string()), binds.add(clock.monotonic()));
    format!("timeout_mono = CASE WHEN lease_boot = {boot} THEN timeout_mono ELSE {mono} + timeout_us END")
}

/// The condition under which an attempt has taken too long. That of another boot is abandoned, and left to the rescue.
fn overdue(binds: &mut Binds<'_>, dialect: Dialect, options: &Options) -> String {
    match dialect {
        Dialect::Postgres => format!("timeout_at IS NOT NULL AND timeout_at <= {}", binds.now_for(dialect, options)),
        Dialect::Sqlite => {
            let (boot, mono) = (options.clock.boot_id().to_string(), options.clock.monotonic());
            let (boot, mono) = (binds.add(boot), binds.add(mono));
            format!("timeout_mono IS NOT NULL AND lease_boot = {boot} AND timeout_mono <= {mono}")
        }
    }
}

/// The runs that are overdue, by the index of timeouts and in its order.
fn ordered(dialect: Dialect, overdue: &str, of_project: &str) -> String {
    let order = match dialect {
        Dialect::Sqlite => "lease_boot, timeout_mono",
        Dialect::Postgres => "timeout_at",
    };
    format!("{} WHERE {LEASED} AND {overdue}{of_project} ORDER BY {order}", by_index(dialect, "timeout"))
}

impl Runs<'_> {
    /// Ends up to `limit` attempts that took too long, each for itself; their number.
    pub(super) fn time_out_overdue(&self, actor: &str, limit: i64) -> Result<i64> {
        let find = |work: &mut Work<'_>, passed: &[String], limit| self.overdue(work, passed, limit);
        self.session.write(|work| {
            up_to(work, limit, find, |work, id, row| {
                one_of_many(work, id, CHORE.name, |work| {
                    Ok(time_out(work, &read_run(row.clone())?, actor, true)?.is_some())
                })
            })
        })
    }

    fn overdue(&self, work: &mut Work<'_>, passed: &[String], limit: i64) -> Result<Vec<Row>> {
        let dialect = work.dialect();
        let mut binds = Binds::default();
        let overdue = overdue(&mut binds, dialect, work.options());
        let but_for = but_for(&mut binds, dialect, passed);
        let runs = ordered(dialect, &overdue, &format!("{}{but_for}", of_project(&self.session, &mut binds)));
        let lock = if dialect == Dialect::Postgres { " FOR UPDATE SKIP LOCKED" } else { "" };
        let sql = format!("SELECT {COLUMNS} FROM {runs}, id LIMIT {}{lock}", binds.add(limit));
        work.query(&sql, binds.values())
    }

    /// A worker ends its own attempt that takes too long; where that was done already, the stored outcome.
    ///
    /// Errors: `lease_lost`, `invalid_state`, `not_found`.
    pub(crate) fn time_out(&self, id: &str, lease: i64) -> Result<Run> {
        self.report_on(id, lease, Report::TimeOut, |work, run| {
            let worker = run.claimed_by.as_deref().unwrap_or(&self.session.who().actor);
            time_out(work, run, worker, false)
        })
    }
}

/// `looked`: it was found to be overdue, which is looked at again in the statement that writes.
fn time_out(work: &mut Work<'_>, run: &Run, actor: &str, looked: bool) -> Result<Option<Run>> {
    let verdict = Verdict::of_timeout(work.options(), run);
    let mut change = verdict.change(work, run, Some(actor))?;
    if looked {
        let overdue = overdue(change.binds(), work.dialect(), work.options());
        change.only_if(overdue);
    }
    change.apply(work)
}
