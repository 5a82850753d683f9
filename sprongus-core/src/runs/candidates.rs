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

/// In the order of the index by kind; of one kind that is the order of claims.
const BY_KIND: &str = "ORDER BY kind, priority DESC, run_at, id";

/// A range of one index.
struct Arm {
    table: String,
    /// Which runs of the lane.
    condition: String,
    of: Of,
    /// The most that is taken of it, whatever the claim would like.
    most: i64,
}

/// The kinds of an arm.
enum Of {
    All,
    /// One, as a condition.
    Kind(String),
    /// Several, as rows: the kind and NULL, or the bounds of a prefix.
    Kinds(String),
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
        [one] if !matches!(one.of, Of::Kinds(_)) => one.select(dialect, "id", &take, lock),
        many if exact || dialect == Dialect::Sqlite => {
            let union = union(dialect, binds, many, limit, lock);
            format!("SELECT id FROM ({union}) AS arms {ORDER} LIMIT {take}")
        }
        many => {
            let union = union(dialect, binds, many, limit.saturating_mul(4).saturating_add(SPARE), "");
            let kinds = rooms.iter().map(|room| Value::from(room.kind().to_owned())).collect();
            merged(&union, &binds.add(Value::Array(kinds)), &take)
        }
    }
}

fn arms(dialect: Dialect, binds: &mut Binds<'_>, claiming: &Claiming<'_>, rooms: &[Room]) -> Vec<Arm> {
    let projects = claiming.of_projects(binds);
    let open = format!("{} AND {}{projects}", lane::queued(dialect, false), lane::unlimited(dialect));
    let arm = |index, of| Arm { table: by_index(dialect, index), condition: open.clone(), of, most: i64::MAX };
    let mut arms = match &claiming.kinds {
        None => vec![arm("ready", Of::All)],
        Some(kinds) => vec![arm(
            "ready_kind",
            match kinds.single() {
                Some(kind) => Of::Kind(lane::exactly(dialect, "kind", &binds.add(kind.to_owned()))),
                None => Of::Kinds(kinds.rows(binds)),
            },
        )],
    };
    for room in rooms.iter().filter(|room| room.most > 0) {
        let of = Of::Kind(lane::exactly(dialect, "kind", &binds.add(room.kind().to_owned())));
        let condition = format!("{}{projects}", lane::queued(dialect, true));
        arms.push(Arm { table: by_index(dialect, "ready_limited"), condition, of, most: room.most });
    }
    arms
}

impl Arm {
    fn select(&self, dialect: Dialect, columns: &str, limit: &str, lock: &str) -> String {
        let Arm { table, condition, of, .. } = self;
        match of {
            Of::All => format!("SELECT {columns} FROM {table} WHERE {condition} {ORDER} LIMIT {limit}{lock}"),
            Of::Kind(kind) => {
                format!("SELECT {columns} FROM {table} WHERE {condition} AND {kind} {BY_KIND} LIMIT {limit}{lock}")
            }
            Of::Kinds(rows) => self.of_kinds(dialect, rows, limit, lock),
        }
    }

    /// The first runs of each kind. The kinds there are of a prefix are found from one to the next, for the first runs of all
    /// would be found by a look at every run.
    fn of_kinds(&self, dialect: Dialect, rows: &str, limit: &str, lock: &str) -> String {
        let Arm { table, condition, .. } = self;
        let collate = if dialect == Dialect::Postgres { " COLLATE \"C\"" } else { "" };
        let next = |after: &str| {
            format!(
                "(SELECT kind FROM {table} WHERE {condition} AND kind {after} AND kind < high {BY_KIND} LIMIT 1){collate}"
            )
        };
        let (first, next) = (next(">= low"), next("> name"));
        let of_kind = lane::exactly(dialect, "kind", "name");
        let each = |columns: &str| {
            format!("(SELECT {columns} FROM {table} WHERE {condition} AND {of_kind} {BY_KIND} LIMIT {limit}{lock})")
        };
        let runs = match dialect {
            Dialect::Sqlite => format!("CROSS JOIN sprongus_runs AS run ON run.id IN {}", each("id")),
            Dialect::Postgres => format!("CROSS JOIN LATERAL {} AS run", each("id, priority, run_at")),
        };
        format!(
            "WITH RECURSIVE asked (low, high) AS (VALUES {rows}), kinds (name, high) AS (\
             SELECT CASE WHEN high IS NULL THEN low{collate} ELSE {first} END, high{collate} FROM asked UNION ALL \
             SELECT {next}, high FROM kinds WHERE name IS NOT NULL AND high IS NOT NULL) \
             SELECT run.id, run.priority, run.run_at FROM kinds {runs}"
        )
    }
}

/// The first runs of each range.
fn union(dialect: Dialect, binds: &mut Binds<'_>, arms: &[Arm], each: i64, lock: &str) -> String {
    let all = binds.add(each);
    let mut selects = Vec::with_capacity(arms.len());
    for arm in arms {
        let limit = if arm.most < each { binds.add(arm.most) } else { all.clone() };
        let select = arm.select(dialect, "id, priority, run_at", &limit, lock);
        selects.push(format!("SELECT * FROM ({select}) AS arm"));
    }
    selects.join(" UNION ALL ")
}

/// PostgreSQL: locked only after the merge, one by one in its order, for a lock within the arms holds what is not taken.
///
/// What a rival did meanwhile is looked at in words that no index knows: the planner is to find the rows by their ids alone.
fn merged(union: &str, rooms: &str, take: &str) -> String {
    format!(
        "SELECT run.id FROM unnest(ARRAY (SELECT c.id FROM ({union}) AS c {ORDER})) AS c (id) CROSS JOIN LATERAL \
         (SELECT r.id FROM sprongus_runs AS r WHERE r.id = c.id AND r.state || '' = 'queued' \
         AND (NOT r.limited OR r.kind = ANY ({rooms}::text[])) FOR UPDATE SKIP LOCKED) AS run LIMIT {take}"
    )
}
