//! Housekeeping that claims do as they go: what has become due is made ready, what was abandoned is rescued. Bounded.

use std::time::{Duration, Instant};

use super::binds::Binds;
use super::change::Change;
use super::lease::{LEASED, by_index, expired, lease_order, ready};
use super::requests::Rescue;
use super::state::{RunState, Step};
use super::{Runs, congestion};
use crate::db::{Dialect, Row};
use crate::error::Result;
use crate::page::{MAX_LIMIT, check_limit};
use crate::scope::Scope;
use crate::session::Work;

/// The most a claim promotes and rescues on its way.
const PROMOTED: i64 = 1_000;
const RESCUED: i64 = 100;

impl Runs<'_> {
    pub(super) fn do_rescue(&self, request: &Rescue) -> Result<i64> {
        self.session.allow(Scope::RunsWrite)?;
        check_limit(request.limit, MAX_LIMIT)?;
        self.rescue_expired(&self.session.who().actor, request.limit, None)
    }

    /// Looks, with one read, whether there is anything to do, and does it. Its failure is no reason not to claim.
    pub(super) fn sweep(&self, worker: &str, lease: Duration) {
        // Watched each for itself: even a read may have waited, where there is one connection.
        let look = congestion::watched(self.session, || self.session.read(|exec| self.looks(exec)));
        let swept = look.and_then(|(due, abandoned)| {
            if due {
                congestion::watched(self.session, || self.session.write_one(|work| self.promote(work)))?;
            }
            if abandoned && !congestion::recent(self.session, lease) {
                congestion::watched(self.session, || self.rescue_expired(worker, RESCUED, Some(lease)))?;
            }
            Ok(())
        });
        if let Err(error) = swept {
            tracing::warn!(code = %error.code(), "due and abandoned runs could not be swept");
        }
    }

    /// Whether something has become due, and whether a lease has run out.
    fn looks(&self, exec: &mut dyn crate::db::Executor) -> Result<(bool, bool)> {
        let dialect = exec.dialect();
        let mut binds = Binds::default();
        let now = binds.now_for(dialect, self.session.options());
        let project = self.project_condition(&mut binds);
        // The first by the index's own order: of EXISTS the planner may think that any row will soon do, and walk.
        let due = format!(
            "(SELECT 1 FROM {} WHERE state = 'queued' AND {} AND run_at <= {now}{project} ORDER BY run_at, id LIMIT 1)",
            by_index(dialect, "later"),
            ready(dialect, false)
        );
        let conditions = expired(&mut binds, dialect, self.session.options());
        let (leased, order) = (by_index(dialect, "leased"), lease_order(dialect));
        let abandoned: Vec<String> = conditions
            .iter()
            .map(|one| format!("(SELECT 1 FROM {leased} WHERE {LEASED} AND {one}{project} ORDER BY {order} LIMIT 1)"))
            .collect();
        let sql = format!("SELECT {due} IS NOT NULL, coalesce({}) IS NOT NULL", abandoned.join(", "));
        let rows = exec.query(&sql, binds.values())?;
        rows.first().map_or(Ok((false, false)), |row| Ok((row.bool(0)?, row.bool(1)?)))
    }

    fn project_condition<'b>(&'b self, binds: &mut Binds<'b>) -> String {
        match self.session.confined() {
            Some(project) => format!(" AND project_id = {}", binds.add(project)),
            None => String::new(),
        }
    }

    fn promote(&self, work: &mut Work<'_>) -> Result<u64> {
        let dialect = work.dialect();
        let mut binds = Binds::default();
        let now = binds.now(work);
        let project = self.project_condition(&mut binds);
        let lock = if dialect == Dialect::Postgres { " FOR UPDATE SKIP LOCKED" } else { "" };
        let due = format!(
            "SELECT id FROM {} WHERE state = 'queued' AND {} AND run_at <= {now}{project} \
             ORDER BY run_at, id LIMIT {PROMOTED}{lock}",
            by_index(dialect, "later"),
            ready(dialect, false)
        );
        let sql = match dialect {
            Dialect::Sqlite => format!("UPDATE sprongus_runs SET ready = TRUE WHERE id IN ({due})"),
            Dialect::Postgres => format!(
                "WITH due AS MATERIALIZED ({due}) UPDATE sprongus_runs SET ready = TRUE \
                 WHERE id = ANY (ARRAY (SELECT id FROM due)) AND state = 'queued'"
            ),
        };
        work.execute(&sql, binds.values())
    }

    /// Rescues up to `limit` runs, each for itself: one that cannot be is left for the next time and holds up none.
    ///
    /// `lease`: a claimer's. Where it waited longer than a heartbeat interval, of its own lease or of the run's, the holder
    /// may have waited as well, and the run is left alone for an interval.
    fn rescue_expired(&self, actor: &str, limit: i64, lease: Option<Duration>) -> Result<i64> {
        self.session.write(|work| {
            let (begun, waited) = (Instant::now(), work.waited());
            let abandoned = self.abandoned(work, limit)?;
            // On PostgreSQL it is the statement that waits, for a lock.
            let waited = waited + begun.elapsed();
            if lease.is_some() {
                congestion::note(self.session, waited);
            }
            let excused = |row: &Row| match lease {
                Some(lease) => Ok(congestion::recent(self.session, lease.min(claimed_for(row)?))),
                None => Ok(false),
            };
            let mut rescued = 0;
            for row in abandoned {
                if !excused(&row)? {
                    rescued += i64::from(self.rescue_one(work, actor, &row)?);
                }
            }
            Ok(rescued)
        })
    }

    fn abandoned(&self, work: &mut Work<'_>, limit: i64) -> Result<Vec<Row>> {
        let dialect = work.dialect();
        let mut binds = Binds::default();
        let conditions = expired(&mut binds, dialect, work.options());
        let project = self.project_condition(&mut binds);
        let limit = binds.add(limit);
        let order = lease_order(dialect);
        let lock = if dialect == Dialect::Postgres { " FOR UPDATE SKIP LOCKED" } else { "" };
        let table = by_index(dialect, "leased");
        let arm = |condition: &String| {
            format!(
                "SELECT id, lease, state, attempt, max_attempts, lease_us FROM {table} WHERE {LEASED} AND {condition}{project} \
                 ORDER BY {order}, id LIMIT {limit}{lock}"
            )
        };
        let sql = match conditions.as_slice() {
            [one] => arm(one),
            many => {
                let arms: Vec<String> = many.iter().map(|one| format!("SELECT * FROM ({})", arm(one))).collect();
                format!("{} LIMIT {limit}", arms.join(" UNION ALL "))
            }
        };
        work.query(&sql, binds.values())
    }

    fn rescue_one(&self, work: &mut Work<'_>, actor: &str, row: &Row) -> Result<bool> {
        let id = row.text(0)?;
        work.exec().batch("SAVEPOINT sprongus_rescue")?;
        let rescued = rescue(work, actor, &id, row);
        let undo = if rescued.is_err() { "ROLLBACK TO SAVEPOINT sprongus_rescue; " } else { "" };
        work.exec().batch(&format!("{undo}RELEASE SAVEPOINT sprongus_rescue"))?;
        rescued.or_else(|error| {
            tracing::warn!(run = %id, code = %error.code(), "an abandoned run could not be rescued");
            Ok(false)
        })
    }
}

/// How long the run was claimed for.
fn claimed_for(row: &Row) -> Result<Duration> {
    Ok(row.opt_int(5)?.map_or(Duration::MAX, |micros| Duration::from_micros(micros.unsigned_abs())))
}

/// Its state, its lease and that it has run out are looked at again in the statement that writes.
fn rescue(work: &mut Work<'_>, actor: &str, id: &str, row: &Row) -> Result<bool> {
    let (lease, state) = (row.int(1)?, RunState::parse(&row.text(2)?)?);
    let again = row.int(3)? < row.int(4)?;
    let step = if again { Step::Rescue } else { Step::Expire };
    let (dialect, options) = (work.dialect(), work.options());
    let mut change = Change::new(work, step, state, id, lease)?;
    let conditions = expired(change.binds(), dialect, options).join(" OR ");
    change.only_if(format!("({conditions})"));
    change.by(actor);
    if again {
        change.set_sql("ready = TRUE");
    } else {
        change.set("error", EXPIRED);
        change.tell("error", EXPIRED);
    }
    Ok(change.apply(work)?.is_some())
}

/// The error of a run whose last lease ran out.
const EXPIRED: &str = "lease expired";
