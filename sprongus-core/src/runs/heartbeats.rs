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
                     AND r.state = 'running' AND (r.id, r.lease) IN \
                     (SELECT * FROM unnest({ids}::text[], {numbers}::bigint[])) FOR UPDATE SKIP LOCKED)) \
                     AND state = 'running'"
                )
            }
        };
        let project = match self.session.confined() {
            Some(project) => format!(" AND project_id = {}", binds.add(project)),
            None => String::new(),
        };
        let now = binds.now(work);
        let until = lease::extended(work, &mut binds, micros);
        let sql =
            format!("UPDATE sprongus_runs SET {until}, updated_at = {now} WHERE {picked}{project} RETURNING id, lease");
        work.query(&sql, binds.values())?.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
    }
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
