//! Which runs a claim takes: ordered index ranges, one of the open lane per kind asked for, one per limited kind with room,
//! merged.

use super::binds::Binds;
use super::claim::Claiming;
use super::kinds::Kinds;
use super::lane::{self, BY_AGE, BY_KIND};
use super::lease::by_index;
use super::limits::Room;
use super::picked;
use crate::db::{Dialect, Value};

/// More candidates than are taken, for rivals may be holding the first ones.
const SPARE: i64 = 64;

/// A range of one index.
struct Arm {
    table: String,
    /// What it is ordered by before the order of claims, where it is.
    key: &'static str,
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
    /// Several: the tables that end in `asked`, of rows: the key and NULL, or the bounds of a prefix.
    Kinds(String),
}

/// Which lanes a claim looks into, and how.
pub(super) enum Lanes<'r> {
    /// The open one, where no kind has a limit at all.
    Unlimited,
    /// The open one, and as much of each limited kind as there is room for.
    Open(&'r [Room]),
    /// The same of several ranges, each locked for itself, which finds the last run there is, however many rivals hold others.
    Exactly(&'r [Room]),
}

impl<'r> Lanes<'r> {
    fn rooms(&self) -> &'r [Room] {
        match self {
            Self::Unlimited => &[],
            Self::Open(rooms) | Self::Exactly(rooms) => rooms,
        }
    }

    /// The condition on a run of the open lane.
    fn open(&self, dialect: Dialect) -> String {
        let limits = match self {
            Self::Unlimited => lane::NONE_LIMITED.to_owned(),
            Self::Open(_) | Self::Exactly(_) => lane::unlimited(dialect),
        };
        format!("{} AND {limits}", lane::queued(dialect, false))
    }
}

/// The SELECT of the runs to be claimed, of their ids on PostgreSQL, in the order of claims; on PostgreSQL they are locked, and locked ones passed over.
pub(super) fn candidates(
    dialect: Dialect,
    binds: &mut Binds<'_>,
    claiming: &Claiming<'_>,
    lanes: &Lanes<'_>,
) -> String {
    let arms = arms(dialect, binds, claiming, lanes);
    let (rooms, exact) = (lanes.rooms(), matches!(lanes, Lanes::Exactly(_)));
    let limit = claiming.request.limit;
    let lock = if dialect == Dialect::Postgres { " FOR UPDATE SKIP LOCKED" } else { "" };
    if let [one] = arms.as_slice()
        && !matches!(one.of, Of::Kinds(_))
    {
        return one.first(dialect, binds, limit, lock);
    }
    let take = binds.add(Value::Int(limit));
    match arms.as_slice() {
        many if exact || dialect == Dialect::Sqlite => {
            let union = union(dialect, binds, many, limit, lock);
            let ids = format!("SELECT id FROM ({union}) AS arms ORDER BY {BY_AGE} LIMIT {take}");
            match dialect {
                Dialect::Sqlite => format!("SELECT {} FROM sprongus_runs WHERE id IN ({ids})", picked::columns()),
                Dialect::Postgres => ids,
            }
        }
        many => {
            let union = union(dialect, binds, many, limit.saturating_mul(4).saturating_add(SPARE), "");
            let kinds = rooms.iter().map(|room| Value::from(room.kind().to_owned())).collect();
            merged(&union, &binds.add(Value::Array(kinds)), &take)
        }
    }
}

/// SQL: whether a run of that lane is ready which the claim may take of its projects, limits aside.
pub(super) fn is_ready_of(
    dialect: Dialect,
    binds: &mut Binds<'_>,
    claiming: &Claiming<'_>,
    projects: &str,
    limited: bool,
) -> String {
    let of = of_each_project(dialect, projects, &asked(claiming, binds));
    let arm = Arm::of_projects(dialect, limited, lane::of_projects(dialect, limited), of, 1);
    format!("(SELECT 1 FROM ({}) AS arm LIMIT 1) IS NOT NULL", arm.select(dialect, "id", "1", ""))
}

/// Each of these kinds of each of these projects.
fn of_each_project(dialect: Dialect, projects: &str, kinds: &str) -> Of {
    let between = lane::between(dialect);
    Of::Kinds(format!(
        "projects (project) AS (VALUES {projects}), named (low, high) AS (VALUES {kinds}), asked (low, high) AS \
         (SELECT project || {between} || low, project || {between} || high FROM projects CROSS JOIN named)"
    ))
}

/// A row for each kind and prefix that the claim names, or one for all there are.
fn asked(claiming: &Claiming<'_>, binds: &mut Binds<'_>) -> String {
    match &claiming.kinds {
        Some(kinds) => kinds.rows(binds),
        None => Kinds::every(binds),
    }
}

fn arms(dialect: Dialect, binds: &mut Binds<'_>, claiming: &Claiming<'_>, lanes: &Lanes<'_>) -> Vec<Arm> {
    let open = lanes.open(dialect);
    let rooms = lanes.rooms().iter().filter(|room| room.most > 0);
    if let Some(projects) = claiming.project_rows(binds) {
        let open = format!("{open} AND project_id IS NOT NULL");
        let of = of_each_project(dialect, &projects, &asked(claiming, binds));
        let mut arms = vec![Arm::of_projects(dialect, false, open, of, i64::MAX)];
        for room in rooms {
            let kind = format!("(CAST({} AS TEXT), NULL)", binds.add(room.kind().to_owned()));
            let of = of_each_project(dialect, &projects, &kind);
            arms.push(Arm::of_projects(dialect, true, lane::of_projects(dialect, true), of, room.most));
        }
        return arms;
    }
    let arm =
        |index, of| Arm { table: by_index(dialect, index), key: "kind", condition: open.clone(), of, most: i64::MAX };
    let mut arms = match &claiming.kinds {
        None => vec![arm("ready", Of::All)],
        Some(kinds) => vec![arm(
            lane::by_kind(false),
            match kinds.single() {
                Some(kind) => Of::Kind(lane::exactly(dialect, "kind", &binds.add(kind.to_owned()))),
                None => Of::Kinds(format!("asked (low, high) AS (VALUES {})", kinds.rows(binds))),
            },
        )],
    };
    for room in rooms {
        let of = Of::Kind(lane::exactly(dialect, "kind", &binds.add(room.kind().to_owned())));
        let (table, condition) = (by_index(dialect, lane::by_kind(true)), lane::queued(dialect, true).to_owned());
        arms.push(Arm { table, key: "kind", condition, of, most: room.most });
    }
    arms
}

impl Arm {
    fn of_projects(dialect: Dialect, limited: bool, condition: String, of: Of, most: i64) -> Self {
        let (table, key) = (by_index(dialect, lane::by_project(limited)), lane::project_key(dialect));
        Self { table, key, condition, of, most }
    }

    /// The first so many.
    fn first(&self, dialect: Dialect, binds: &mut Binds<'_>, limit: i64, lock: &str) -> String {
        let bound = bound(limit);
        if dialect == Dialect::Postgres && bound == limit {
            return self.select(dialect, "id", &bound.to_string(), lock);
        }
        let take = binds.add(Value::Int(limit));
        match dialect {
            Dialect::Sqlite => self.select(dialect, &picked::columns(), &take, lock),
            // Rows are locked as they are asked for, so no more than are taken.
            Dialect::Postgres => {
                let first = self.select(dialect, "id", &bound.to_string(), lock);
                format!("SELECT id FROM ({first}) AS first LIMIT {take}")
            }
        }
    }

    fn select(&self, dialect: Dialect, columns: &str, limit: &str, lock: &str) -> String {
        let Arm { table, condition, of, .. } = self;
        match of {
            Of::All => format!("SELECT {columns} FROM {table} WHERE {condition} ORDER BY {BY_AGE} LIMIT {limit}{lock}"),
            Of::Kind(kind) => {
                format!(
                    "SELECT {columns} FROM {table} WHERE {condition} AND {kind} ORDER BY {BY_KIND} LIMIT {limit}{lock}"
                )
            }
            Of::Kinds(asked) => self.of_kinds(dialect, asked, limit, lock),
        }
    }

    /// The first runs of each kind. The kinds there are of a prefix are found from one to the next, for the first runs of all
    /// would be found by a look at every run.
    fn of_kinds(&self, dialect: Dialect, asked: &str, limit: &str, lock: &str) -> String {
        let Arm { table, condition, key, .. } = self;
        let collate = if dialect == Dialect::Postgres { " COLLATE \"C\"" } else { "" };
        let order = format!("{key}, {BY_AGE}");
        let next = |after: &str| {
            format!(
                "(SELECT {key} FROM {table} WHERE {condition} AND {key} {after} AND {key} < high ORDER BY {order} LIMIT 1){collate}"
            )
        };
        let (first, next) = (next(">= low"), next("> name"));
        let of_kind = lane::exactly(dialect, key, "name");
        let each = |columns: &str| {
            let order = lane::of_one(dialect, key);
            format!(
                "(SELECT {columns} FROM {table} WHERE {condition} AND {of_kind} ORDER BY {order} LIMIT {limit}{lock})"
            )
        };
        let runs = match dialect {
            Dialect::Sqlite => format!("CROSS JOIN sprongus_runs AS run ON run.id IN {}", each("id")),
            Dialect::Postgres => format!("CROSS JOIN LATERAL {} AS run", each("id, priority, run_at")),
        };
        format!(
            "WITH RECURSIVE {asked}, kinds (name, high) AS (\
             SELECT CASE WHEN high IS NULL THEN low{collate} ELSE {first} END, high{collate} FROM asked UNION ALL \
             SELECT {next}, high FROM kinds WHERE name IS NOT NULL AND high IS NOT NULL) \
             SELECT run.id, run.priority, run.run_at FROM kinds {runs}"
        )
    }
}

/// A number not far above a limit, to be written out for PostgreSQL's planner: of a limit that is a parameter it thinks that
/// it is a tenth of the queue, and plans the statement anew for each call. The powers of two, so that there are few texts.
fn bound(limit: i64) -> i64 {
    limit.unsigned_abs().checked_next_power_of_two().and_then(|bound| i64::try_from(bound).ok()).unwrap_or(i64::MAX)
}

/// The first runs of each range.
fn union(dialect: Dialect, binds: &mut Binds<'_>, arms: &[Arm], each: i64, lock: &str) -> String {
    let all = match dialect {
        // What is locked here and not taken is kept from rivals.
        Dialect::Postgres if lock.is_empty() => bound(each).to_string(),
        _ => binds.add(each),
    };
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
        "SELECT run.id FROM unnest(ARRAY (SELECT c.id FROM ({union}) AS c ORDER BY {BY_AGE})) AS c (id) CROSS JOIN LATERAL \
         (SELECT r.id FROM sprongus_runs AS r WHERE r.id = c.id AND r.state || '' = 'queued' \
         AND (NOT r.limited OR r.kind = ANY ({rooms}::text[])) FOR UPDATE SKIP LOCKED) AS run LIMIT {take}"
    )
}
