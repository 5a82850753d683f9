//! Which runs a claim may take: one ordered index range per kind, merged.

use std::time::Duration;

use super::binds::Binds;
use super::claim::Claiming;
use super::lane;
use super::lease::{LEASED, by_index, lease_order, ready};
use crate::db::{Dialect, Value};
use crate::error::{Error, Result};
use crate::options::Options;
use crate::text::check_name;

/// The most kinds of one claim: SQLite merges at most 500 ranges.
const MOST: usize = 200;

/// More candidates than are taken, for rivals may be holding the first ones.
const SPARE: i64 = 64;

const BY_AGE: &str = "priority DESC, run_at, id";
const ORDER: &str = "ORDER BY priority DESC, run_at, id";

/// The kinds of a claim, each once.
pub(super) struct Kinds<'k> {
    exact: Vec<&'k str>,
    /// With the slash at their end.
    prefixes: Vec<&'k str>,
}

impl<'k> Kinds<'k> {
    /// `resize`, or `sync/*` for all that begin with `sync/`.
    pub(super) fn parse(kinds: &'k [String]) -> Result<Self> {
        if kinds.len() > MOST {
            return Err(Error::invalid(format!("a claim names {} kinds; at most {MOST} are taken", kinds.len())));
        }
        let (mut exact, mut prefixes) = (Vec::new(), Vec::new());
        for kind in kinds {
            check_name("the kind", kind)?;
            match kind.strip_suffix('*').filter(|prefix| prefix.ends_with('/')) {
                Some(prefix) => prefixes.push(prefix),
                None => exact.push(kind.as_str()),
            }
        }
        prefixes.sort_unstable();
        prefixes.dedup_by(|longer, shorter| longer.starts_with(*shorter));
        exact.sort_unstable();
        exact.dedup();
        exact.retain(|kind| !prefixes.iter().any(|prefix| kind.starts_with(prefix)));
        Ok(Self { exact, prefixes })
    }

    pub(super) fn len(&self) -> usize {
        self.exact.len() + self.prefixes.len()
    }

    /// A condition for each kind and prefix.
    fn conditions(&self, binds: &mut Binds<'_>) -> Vec<String> {
        let exact = self.exact.iter().map(|kind| format!("kind = {}", binds.add((*kind).to_owned())));
        let mut all: Vec<String> = exact.collect();
        for prefix in &self.prefixes {
            // '0' follows '/', so this is the end of the range of all that begins with the prefix.
            let end = format!("{}0", prefix.strip_suffix('/').unwrap_or(prefix));
            let (low, high) = (binds.add((*prefix).to_owned()), binds.add(end));
            all.push(format!("kind >= {low} AND kind < {high}"));
        }
        all
    }
}

/// The SELECT of the ids to be claimed, in the order of claims; on PostgreSQL they are locked, and locked ones passed over.
///
/// `exact`: of several kinds, each locked for itself, which finds the last run there is, however many rivals hold others.
pub(super) fn candidates(dialect: Dialect, binds: &mut Binds<'_>, claiming: &Claiming<'_>, exact: bool) -> String {
    let limit = claiming.request.limit;
    let mut base = format!("{} AND {}", lane::queued(dialect, false), lane::unlimited(dialect));
    if let Some(projects) = &claiming.projects {
        base.push_str(&format!(" AND project_id IN {}", binds.list(projects.iter().cloned())));
    }
    let arms = claiming.kinds.as_ref().map(|kinds| kinds.conditions(binds)).unwrap_or_default();
    let lock = if dialect == Dialect::Postgres { " FOR UPDATE SKIP LOCKED" } else { "" };
    let take = binds.add(Value::Int(limit));
    let (ready, of_kind) = (by_index(dialect, "ready"), by_index(dialect, "ready_kind"));
    match arms.as_slice() {
        [] => format!("SELECT id FROM {ready} WHERE {base} {ORDER} LIMIT {take}{lock}"),
        [one] => format!("SELECT id FROM {of_kind} WHERE {base} AND {one} {ORDER} LIMIT {take}{lock}"),
        many if exact || dialect == Dialect::Sqlite => {
            format!("SELECT id FROM ({}) AS arms {ORDER} LIMIT {take}", union(dialect, &base, many, &take, lock))
        }
        many => merged(dialect, binds, &base, many, &take, limit),
    }
}

/// The question whether anything of a claim's kinds and projects is ready, becomes due by then, or is under a lease.
///
/// Each part is a range of a partial index, so neither history nor what is ready of other kinds costs anything.
pub(super) fn pending(
    dialect: Dialect,
    binds: &mut Binds<'_>,
    claiming: &Claiming<'_>,
    options: &Options,
    micros: i64,
) -> String {
    let projects = match &claiming.projects {
        Some(projects) => format!(" AND project_id IN {}", binds.list(projects.iter().cloned())),
        None => String::new(),
    };
    let kinds = claiming.kinds.as_ref().map(|kinds| kinds.conditions(binds)).unwrap_or_default();
    let of = if kinds.is_empty() { projects.clone() } else { format!("{projects} AND ({})", kinds.join(" OR ")) };
    let until = match dialect {
        Dialect::Sqlite => binds.add(options.clock.now().saturating_add(Duration::from_micros(micros.unsigned_abs()))),
        Dialect::Postgres => {
            let now = binds.now_for(dialect, options);
            format!("{now} + {}::bigint * interval '1 microsecond'", binds.add(micros))
        }
    };
    let mut parts: Vec<(&str, String)> = Vec::new();
    for (limited, of_kind, of_all) in [(false, "ready_kind", "ready"), (true, "ready_limited", "ready_limited")] {
        let base = format!("{}{projects}", lane::queued(dialect, limited));
        parts.extend(kinds.iter().map(|kind| (of_kind, format!("{base} AND {kind} ORDER BY kind, {BY_AGE}"))));
        if kinds.is_empty() {
            let order = if limited { format!("kind, {BY_AGE}") } else { BY_AGE.to_owned() };
            parts.push((of_all, format!("{base} ORDER BY {order}")));
        }
    }
    let later = ready(dialect, false);
    parts.push(("later", format!("state = 'queued' AND {later} AND run_at <= {until}{of} ORDER BY run_at, id")));
    parts.push(("leased", format!("{LEASED}{of} ORDER BY {}", lease_order(dialect))));
    let first = |(index, part)| format!("(SELECT 1 FROM {} WHERE {part} LIMIT 1)", by_index(dialect, index));
    let parts: Vec<String> = parts.into_iter().map(first).collect();
    format!("SELECT coalesce({}) IS NOT NULL", parts.join(", "))
}

/// The first ready runs of each of several kinds.
fn union(dialect: Dialect, base: &str, arms: &[String], each: &str, lock: &str) -> String {
    let of_kind = by_index(dialect, "ready_kind");
    let arm = |arm: &String| {
        format!(
            "SELECT * FROM (SELECT id, priority, run_at FROM {of_kind} WHERE {base} AND {arm} {ORDER} LIMIT {each}{lock}) \
             AS arm"
        )
    };
    arms.iter().map(arm).collect::<Vec<_>>().join(" UNION ALL ")
}

/// PostgreSQL: locked only after the merge, for a lock within the arms holds what is not taken.
fn merged(dialect: Dialect, binds: &mut Binds<'_>, base: &str, arms: &[String], take: &str, limit: i64) -> String {
    let each = binds.add(limit.saturating_mul(4).saturating_add(SPARE));
    let union = union(dialect, base, arms, &each, "");
    format!(
        "SELECT r.id FROM sprongus_runs AS r JOIN ({union} OFFSET 0) AS c ON c.id = r.id \
         WHERE r.state = 'queued' AND r.ready AND NOT r.limited ORDER BY c.priority DESC, c.run_at, c.id LIMIT {take} \
         FOR UPDATE OF r SKIP LOCKED"
    )
}
