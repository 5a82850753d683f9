//! Runs whose time has come are made ready for claims.

use super::Runs;
use super::binds::Binds;
use super::lane;
use super::lease::{by_index, ready};
use super::outlook::Moment;
use super::sweep::{Chore, Looking, of_project};
use crate::db::Dialect;
use crate::error::Result;
use crate::session::Work;

/// The most that a claim promotes on its way.
const MOST: i64 = 1_000;

pub(super) const CHORE: Chore = Chore {
    name: "making ready what is due",
    look,
    next,
    work: |runs, _| runs.session.write_one(|work| runs.promote(work)).map(drop),
};

fn look(looking: &mut Looking<'_>) -> String {
    let now = looking.now();
    let due = due(looking.dialect, &now, &looking.of_project());
    format!("(SELECT 1 FROM {due} LIMIT 1)")
}

fn next(looking: &mut Looking<'_>) -> Moment {
    let (later, ready) = (by_index(looking.dialect, "later"), ready(looking.dialect, false));
    let project = looking.of_project();
    Moment::Wall(format!(
        "(SELECT run_at FROM {later} WHERE state = 'queued' AND {ready}{project} ORDER BY run_at, id LIMIT 1)"
    ))
}

/// The runs that have become due, the earliest first.
fn due(dialect: Dialect, now: &str, of_project: &str) -> String {
    let (later, ready) = (by_index(dialect, "later"), ready(dialect, false));
    format!("{later} WHERE state = 'queued' AND {ready} AND run_at <= {now}{of_project} ORDER BY run_at, id")
}

impl Runs<'_> {
    fn promote(&self, work: &mut Work<'_>) -> Result<u64> {
        let dialect = work.dialect();
        let mut binds = Binds::default();
        let now = binds.now(work);
        let due = due(dialect, &now, &of_project(&self.session, &mut binds));
        let lock = if dialect == Dialect::Postgres { " FOR UPDATE SKIP LOCKED" } else { "" };
        let due = format!("SELECT id FROM {due} LIMIT {MOST}{lock}");
        let set = format!("ready = TRUE, limited = {}", lane::is_limited("sprongus_runs.kind"));
        let sql = match dialect {
            Dialect::Sqlite => format!("UPDATE sprongus_runs SET {set} WHERE id IN ({due})"),
            Dialect::Postgres => format!(
                "WITH due AS MATERIALIZED ({due}) UPDATE sprongus_runs SET {set} \
                 WHERE id = ANY (ARRAY (SELECT id FROM due))"
            ),
        };
        work.execute(&sql, binds.values())
    }
}
