//! Which runs a claim takes: ordered index ranges, one of the open lane per kind asked for, one per limited kind with room,
//! merged.

use super::binds::Binds;
use super::claim::Claiming;
use super::lane;
use super::lease::by_index;
use super::limits::Room;
use crate::db::{Dialect, Value};

/// More candidates than are taken, for rivals may be holding the first ones.
const SPARE: i64 = 64;

const ORDER: &str = "ORDER BY priority DESC, run_at, id";

/// A range of one index.
struct Arm {
    table: String,
    condition: String,
    limited: bool,
    /// Its kind alone, so that the order of the index by kind is the order of claims.
    one_kind: bool,
    /// The most that is taken of it, whatever the claim would like.
    most: i64,
}

/// The SELECT of the ids to be claimed, in the order of claims; on PostgreSQL they are locked, and locked ones passed over.
///
/// `exact`: of several ranges, each locked for itself, which finds the last run there is, however many rivals hold others.
pub(super) fn candidates(
    dialect: Dialect,
    binds: &mut Binds<'_>,
    claiming: &Claiming<'_>,
    rooms: &[Room],
    exact: bool,
) -> String {
    let arms = arms(dialect, binds, claiming, rooms);
    let limit = claiming.request.limit;
    let take = binds.add(Value::Int(limit));
    let lock = if dialect == Dialect::Postgres { " FOR UPDATE SKIP LOCKED" } else { "" };
    match arms.as_slice() {
        [one] => one.select("id", &take, lock),
        many if exact || dialect == Dialect::Sqlite => {
            let union = union(binds, many, limit, lock);
            format!("SELECT id FROM ({union}) AS arms {ORDER} LIMIT {take}")
        }
        many => merged(&union(binds, many, limit.saturating_mul(4).saturating_add(SPARE), ""), &take),
    }
}

fn arms(dialect: Dialect, binds: &mut Binds<'_>, claiming: &Claiming<'_>, rooms: &[Room]) -> Vec<Arm> {
    let projects = claiming.of_projects(binds);
    let open = format!("{} AND {}{projects}", lane::queued(dialect, false), lane::unlimited(dialect));
    let arm = |index, condition, one_kind| {
        let table = by_index(dialect, index);
        Arm { table, condition, limited: false, one_kind, most: i64::MAX }
    };
    let mut arms: Vec<Arm> = match &claiming.kinds {
        None => vec![arm("ready", open, false)],
        Some(kinds) => {
            let (exact, prefixes) = (kinds.exact(dialect, "kind", binds), kinds.prefixed("kind", binds));
            let exact = exact.into_iter().map(|kind| arm("ready_kind", format!("{open} AND {kind}"), true));
            let prefixes = prefixes.into_iter().map(|kind| arm("ready_kind", format!("{open} AND {kind}"), false));
            exact.chain(prefixes).collect()
        }
    };
    for room in rooms.iter().filter(|room| room.most > 0) {
        let kind = lane::exactly(dialect, "kind", &binds.add(room.kind().to_owned()));
        let condition = format!("{} AND {kind}{projects}", lane::queued(dialect, true));
        let table = by_index(dialect, "ready_limited");
        arms.push(Arm { table, condition, limited: true, one_kind: true, most: room.most });
    }
    arms
}

impl Arm {
    fn select(&self, columns: &str, limit: &str, lock: &str) -> String {
        let order = if self.one_kind { "ORDER BY kind, priority DESC, run_at, id" } else { ORDER };
        format!("SELECT {columns} FROM {} WHERE {} {order} LIMIT {limit}{lock}", self.table, self.condition)
    }
}

/// The first runs of each range.
fn union(binds: &mut Binds<'_>, arms: &[Arm], each: i64, lock: &str) -> String {
    let all = binds.add(each);
    let mut selects = Vec::with_capacity(arms.len());
    for arm in arms {
        let limit = if arm.most < each { binds.add(arm.most) } else { all.clone() };
        let columns = format!("id, priority, run_at, {} AS limited", arm.limited);
        selects.push(format!("SELECT * FROM ({}) AS arm", arm.select(&columns, &limit, lock)));
    }
    selects.join(" UNION ALL ")
}

/// PostgreSQL: locked only after the merge, for a lock within the arms holds what is not taken.
fn merged(union: &str, take: &str) -> String {
    format!(
        "SELECT r.id FROM sprongus_runs AS r JOIN ({union} OFFSET 0) AS c ON c.id = r.id \
         WHERE r.state = 'queued' AND r.ready AND r.limited = c.limited ORDER BY c.priority DESC, c.run_at, c.id \
         LIMIT {take} FOR UPDATE OF r SKIP LOCKED"
    )
}
