//! The two lanes of the queue: ready runs of kinds with a limit stand in one of their own, so that a kind at its limit costs
//! the claims of other kinds nothing.
//!
//! The column `limited` says which; it is set whenever a run becomes queued. Where that raced with a change of the limits, a
//! claim moves the run: none passes by a limit in the meantime, for claims of the open lane look at the limits themselves.

use crate::db::Dialect;

/// A kind with a limit: a row of `sprongus_kind_limits` whose limits were not lifted.
pub(super) const IN_FORCE: &str = "(concurrency IS NOT NULL OR rate IS NOT NULL)";

/// The words of the partial indexes `ready` and `ready_kind` (open), or `ready_limited`.
pub(super) const fn queued(dialect: Dialect, limited: bool) -> &'static str {
    match (dialect, limited) {
        (Dialect::Sqlite, false) => "state = 'queued' AND ready = 1 AND limited = 0",
        (Dialect::Sqlite, true) => "state = 'queued' AND ready = 1 AND limited = 1",
        (Dialect::Postgres, false) => "state = 'queued' AND ready AND NOT limited",
        (Dialect::Postgres, true) => "state = 'queued' AND ready AND limited",
    }
}

/// The index by kind of a lane.
pub(super) const fn by_kind(limited: bool) -> &'static str {
    if limited { "ready_limited" } else { "ready_kind" }
}

/// The index by project of a lane.
pub(super) const fn by_project(limited: bool) -> &'static str {
    if limited { "ready_project_limited" } else { "ready_project" }
}

/// The order of claims.
pub(super) const BY_AGE: &str = "priority DESC, run_at, id";

/// The order of the index by kind; of one kind that is the order of claims.
pub(super) const BY_KIND: &str = "kind, priority DESC, run_at, id";

/// The order of claims of runs of one key: SQLite sorts what is ordered by an expression that is given.
pub(super) fn of_one(dialect: Dialect, key: &str) -> String {
    match dialect {
        Dialect::Sqlite => BY_AGE.to_owned(),
        Dialect::Postgres => format!("{key}, {BY_AGE}"),
    }
}

/// SQL: whether runs of the kind that an expression gives belong to the lane of limited kinds.
pub(super) fn is_limited(kind: &str) -> String {
    format!("EXISTS (SELECT 1 FROM sprongus_kind_limits AS l WHERE l.kind = {kind} AND {IN_FORCE})")
}

/// SQL: that a run of the open lane is of a kind without a limit. Evaluated once a statement, on PostgreSQL by the array.
///
/// `||` there keeps the planner from what it knows of the kinds: of a queue of one kind it would think that nothing is left,
/// and sort the whole queue for the first run.
pub(super) fn unlimited(dialect: Dialect) -> String {
    let kinds = format!("SELECT l.kind FROM sprongus_kind_limits AS l WHERE {IN_FORCE}");
    match dialect {
        Dialect::Sqlite => format!("kind NOT IN ({kinds})"),
        Dialect::Postgres => format!("kind || '' <> ALL (ARRAY ({kinds}))"),
    }
}

/// SQL: that no kind has a limit, nor had one that was lifted. Evaluated once a statement.
pub(super) const NONE_LIMITED: &str = "NOT EXISTS (SELECT 1 FROM sprongus_kind_limits)";

/// SQL: that a run is of just that kind. On PostgreSQL a range, so that its rows come in order of the index by kind alone: for
/// an equality the planner may think the index by priority as good, and walk over all other kinds.
pub(super) fn exactly(dialect: Dialect, column: &str, kind: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!("{column} = {kind}"),
        Dialect::Postgres => format!("{column} >= {kind} AND {column} <= {kind}"),
    }
}

/// SQL: between a project and a kind, where both are one key. Neither holds a control character.
pub(super) const fn between(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "CAST(X'01' AS TEXT)",
        Dialect::Postgres => "E'\\x01'",
    }
}

/// The key of the indexes by project.
pub(super) const fn project_key(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "(project_id || CAST(X'01' AS TEXT) || kind)",
        Dialect::Postgres => "(project_id || E'\\x01' || kind)",
    }
}

/// The words of the partial indexes by project.
pub(super) fn of_projects(dialect: Dialect, limited: bool) -> String {
    format!("{} AND project_id IS NOT NULL", queued(dialect, limited))
}
