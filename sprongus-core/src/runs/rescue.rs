//! Runs whose lease has run out are queued again, or end as failed where no attempt is left. Bounded, each for itself.

use std::time::{Duration, Instant};

use super::binds::Binds;
use super::change::Change;
use super::lease::{LEASED, by_index, expired, lease_order};
use super::outlook::Moment;
use super::requests::Rescue;
use super::state::{RunState, Step};
use super::sweep::{Chore, Looking, but_for, of_project, one_of_many, up_to};
use super::{Runs, congestion};
use crate::db::{Dialect, Row};
use crate::error::Result;
use crate::page::{MAX_LIMIT, check_limit};
use crate::scope::Scope;
use crate::session::Work;

/// The most that a claim rescues on its way.
const MOST: i64 = 100;

pub(super) const CHORE: Chore = Chore {
    name: "rescuing abandoned runs",
    look,
    next,
    work: |runs, claimer| match congestion::recent(runs.session, claimer.lease) {
        true => Ok(()),
        false => runs.rescue_expired(claimer.worker, MOST, Some(claimer.lease)).map(drop),
    },
};

fn look(looking: &mut Looking<'_>) -> String {
    let dialect = looking.dialect;
    let conditions = expired(&mut looking.binds, dialect, looking.session.options());
    let project = looking.of_project();
    let (leased, order) = (by_index(dialect, "leased"), lease_order(dialect));
    let abandoned: Vec<String> = conditions
        .iter()
        .map(|one| format!("(SELECT 1 FROM {leased} WHERE {LEASED} AND {one}{project} ORDER BY {order} LIMIT 1)"))
        .collect();
    format!("coalesce({})", abandoned.join(", "))
}

fn next(looking: &mut Looking<'_>) -> Moment {
    let (dialect, project) = (looking.dialect, looking.of_project());
    let leased = by_index(dialect, "leased");
    let first = |what: &str, condition: &str| {
        let order = lease_order(dialect);
        format!("(SELECT {what} FROM {leased} WHERE {LEASED}{condition}{project} ORDER BY {order} LIMIT 1)")
    };
    match dialect {
        Dialect::Postgres => Moment::Wall(first("lease_until", "")),
        Dialect::Sqlite => {
            let boot = looking.binds.add(looking.session.options().clock.boot_id().to_string());
            // What was claimed in another boot is abandoned: at once.
            let gone = ["<", ">"].map(|than| first("0", &format!(" AND lease_boot {than} {boot}"))).join(", ");
            let held = first("lease_mono", &format!(" AND lease_boot = {boot}"));
            Moment::Monotonic(format!("coalesce({gone}, {held})"))
        }
    }
}

impl Runs<'_> {
    pub(super) fn do_rescue(&self, request: &Rescue) -> Result<i64> {
        self.session.allow(Scope::RunsWrite)?;
        check_limit(request.limit, MAX_LIMIT)?;
        let actor = &self.session.who().actor;
        let timed_out = self.time_out_overdue(actor, request.limit)?;
        Ok(timed_out + self.rescue_expired(actor, request.limit - timed_out, None)?)
    }

    /// Rescues up to `limit` runs, each for itself: one that cannot be is left for the next time, and neither holds up nor hides
    /// another.
    ///
    /// `lease`: a claimer's. Where it waited longer than a heartbeat interval, of its own lease or of the run's, the holder
    /// may have waited as well, and the run is left alone for an interval.
    fn rescue_expired(&self, actor: &str, limit: i64, lease: Option<Duration>) -> Result<i64> {
        self.session.write(|work| {
            let waited = work.waited();
            let find = |work: &mut Work<'_>, passed: &[String], limit| {
                let begun = Instant::now();
                let abandoned = self.abandoned(work, passed, limit);
                if lease.is_some() {
                    // On PostgreSQL it is the statement that waits, for a lock.
                    congestion::note(self.session, waited + begun.elapsed());
                }
                abandoned
            };
            let excused = |row: &Row| match lease {
                Some(lease) => Ok(congestion::recent(self.session, lease.min(claimed_for(row)?))),
                None => Ok(false),
            };
            up_to(work, limit, find, |work, id, row| match excused(row)? {
                true => Ok(false),
                false => one_of_many(work, id, CHORE.name, |work| rescue(work, actor, id, row)),
            })
        })
    }

    fn abandoned(&self, work: &mut Work<'_>, passed: &[String], limit: i64) -> Result<Vec<Row>> {
        let dialect = work.dialect();
        let mut binds = Binds::default();
        let conditions = expired(&mut binds, dialect, work.options());
        let project = of_project(&self.session, &mut binds);
        let others = but_for(&mut binds, dialect, passed);
        let limit = binds.add(limit);
        let order = lease_order(dialect);
        let lock = if dialect == Dialect::Postgres { " FOR UPDATE SKIP LOCKED" } else { "" };
        let table = by_index(dialect, "leased");
        let arm = |condition: &String| {
            format!(
                "SELECT id, lease, state, attempt, max_attempts, lease_us FROM {table} WHERE {LEASED} AND {condition}{project}{others} \
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
