//! The leases of many runs, extended in one statement.

use std::collections::HashMap;
use std::time::Duration;

use super::binds::Binds;
use super::state::RunState;
use super::{Runs, congestion, lease};
use crate::db::{Dialect, Executor, Row, Value};
use crate::error::Result;
use crate::scope::Scope;
use crate::session::Work;

/// What became of a lease that was to be extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beat {
    /// It runs for that long from now.
    Extended,
    /// A transaction that has not ended holds the run: nobody else can take it meanwhile. To be tried again soon.
    Locked,
    /// The lease has ended: the run is in that state, or there is no such run.
    Gone(Option<RunState>),
}

impl Runs<'_> {
    /// Extends leases, each an id and a number, to that long from now; the answer is in their order.
    ///
    /// Unlike [`Runs::heartbeat`] it never waits for a run that a transaction holds: the other leases would run out.
    pub(crate) fn heartbeat_many(&self, leases: &[(String, i64)], extend: Duration) -> Result<Vec<Beat>> {
        self.session.allow(Scope::RunsWrite)?;
        let micros = lease::lease_micros("extend", extend)?;
        if leases.is_empty() {
            return Ok(Vec::new());
        }
        congestion::watched(self.session, || {
            let extended = self.session.write_one(|work| self.extend_many(work, leases, micros))?;
            if leases.iter().all(|(id, lease)| extended.get(id) == Some(lease)) {
                return Ok(vec![Beat::Extended; leases.len()]);
            }
            let stored = self.session.read(|exec| stored(exec, leases))?;
            let beat = |(id, lease): &(String, i64)| match stored.get(id) {
                _ if extended.get(id) == Some(lease) => Beat::Extended,
                Some((present, RunState::Running)) if present == lease => Beat::Locked,
                Some((_, state)) => Beat::Gone(Some(*state)),
                None => Beat::Gone(None),
            };
            Ok(leases.iter().map(beat).collect())
        })
    }

    fn extend_many(&self, work: &mut Work<'_>, leases: &[(String, i64)], micros: i64) -> Result<HashMap<String, i64>> {
        let mut binds = Binds::default();
        let sql = extend(work, &mut binds, leases, micros, self.session.confined());
        work.query(&sql, binds.values())?.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
    }
}

/// The UPDATE of those that are still held.
fn extend<'b>(
    work: &Work<'_>,
    binds: &mut Binds<'b>,
    leases: &[(String, i64)],
    micros: i64,
    project: Option<&'b str>,
) -> String {
    // By the ids alone: `+` and `||` keep planners from the indexes on state and project, and from all that is in them.
    let picked = match work.dialect() {
        Dialect::Sqlite => {
            let list = binds.add(serde_json::to_string(leases).unwrap_or_default());
            format!(
                "id IN (SELECT value ->> 0 FROM json_each({list})) AND +state = 'running' \
                 AND (id, lease) IN (SELECT value ->> 0, value ->> 1 FROM json_each({list}))"
            )
        }
        Dialect::Postgres => {
            let ids = binds.add(ids(leases));
            let numbers = binds.add(Value::Array(leases.iter().map(|(_, lease)| Value::Int(*lease)).collect()));
            format!(
                "id = ANY (ARRAY (SELECT r.id FROM sprongus_runs AS r WHERE r.id = ANY ({ids}::text[]) \
                 AND r.state || '' = 'running' AND (r.id, r.lease) IN \
                 (SELECT * FROM unnest({ids}::text[], {numbers}::bigint[])) FOR UPDATE SKIP LOCKED))"
            )
        }
    };
    let of_project = match work.dialect() {
        Dialect::Sqlite => "+project_id",
        Dialect::Postgres => "project_id || ''",
    };
    let project = project.map_or_else(String::new, |project| format!(" AND {of_project} = {}", binds.add(project)));
    let now = binds.now(work);
    let until = lease::extended(work, binds, micros);
    format!("UPDATE sprongus_runs SET {until}, updated_at = {now} WHERE {picked}{project} RETURNING id, lease")
}

/// The present lease and state of each of those runs.
fn stored(exec: &mut dyn Executor, leases: &[(String, i64)]) -> Result<HashMap<String, (i64, RunState)>> {
    let (condition, ids) = match exec.dialect() {
        Dialect::Sqlite => {
            let ids: Vec<&str> = leases.iter().map(|(id, _)| id.as_str()).collect();
            let ids = serde_json::to_string(&ids).unwrap_or_default();
            ("IN (SELECT value FROM json_each($1))", Value::from(ids))
        }
        Dialect::Postgres => ("= ANY ($1::text[])", ids(leases)),
    };
    let rows = exec.query(&format!("SELECT id, lease, state FROM sprongus_runs WHERE id {condition}"), &[ids])?;
    let read = |row: &Row| Ok((row.text(0)?, (row.int(1)?, RunState::parse(&row.text(2)?)?)));
    rows.iter().map(read).collect()
}

fn ids(leases: &[(String, i64)]) -> Value<'static> {
    Value::Array(leases.iter().map(|(id, _)| Value::from(id.clone())).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::json::Json;
    use crate::runs::{Cancel, Claim, Enqueue, EnqueueMany};
    use crate::{Options, Store};

    #[test]
    fn each_lease_is_answered_for_itself() {
        let store = Store::open(":memory:", Options::default()).unwrap();
        let items = (0..3).map(|_| Enqueue::new("a", Json::null())).collect();
        store.runs().enqueue_many(&EnqueueMany::new(items)).unwrap();
        let claim = Claim { limit: 3, lease: Duration::from_secs(1), ..Claim::new("w") };
        let held = store.runs().claim_next(&claim).unwrap();
        store.runs().cancel(&Cancel::new(&held[1].id)).unwrap();
        let lease = |at: usize, lease| (held[at].id.clone(), lease);
        let leases = [lease(0, 1), lease(0, 2), lease(1, 1), lease(2, 1), ("none".to_owned(), 1)];
        let canceled = Beat::Gone(Some(RunState::Canceled));
        let running = Beat::Gone(Some(RunState::Running));
        let beats = store.runs().heartbeat_many(&leases, Duration::from_secs(60)).unwrap();
        assert_eq!(beats, [Beat::Extended, running, canceled, Beat::Extended, Beat::Gone(None)]);
        let until = |at: usize| store.runs().get(&crate::runs::GetRun::new(&held[at].id)).unwrap().lease_until;
        assert!(until(0) > held[0].lease_until && until(2) > held[2].lease_until);
        assert_eq!(store.runs().heartbeat_many(&[], Duration::from_secs(1)).unwrap(), []);
    }

    #[test]
    fn runs_are_found_by_their_ids() {
        let store = Store::open(":memory:", Options::default()).unwrap();
        let leases = [("a".to_owned(), 1)];
        let plan = store.session().write_one(|work| {
            let mut binds = Binds::default();
            let sql = extend(work, &mut binds, &leases, 1, Some("p"));
            work.query(&format!("EXPLAIN QUERY PLAN {sql}"), binds.values())
        });
        let plan: Vec<String> = plan.unwrap().iter().map(|row| row.text(3).unwrap()).collect();
        let runs: Vec<_> = plan.iter().filter(|line| line.contains("sprongus_runs")).collect();
        assert!(runs.len() == 1 && runs[0].contains("sqlite_autoindex_sprongus_runs_1"), "{plan:?}");
    }
}
