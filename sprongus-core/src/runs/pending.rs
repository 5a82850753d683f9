//! Whether anything is left that a claim may ever take.

use std::time::Duration;

use super::Runs;
use super::binds::Binds;
use super::candidates::is_ready_of;
use super::claim::Claiming;
use super::lane::{self, BY_AGE, BY_KIND};
use super::lease::{LEASED, by_index, lease_order, micros, ready};
use super::requests::Claim;
use crate::db::Dialect;
use crate::error::Result;
use crate::options::Options;
use crate::scope::Scope;

impl Runs<'_> {
    /// Whether something that such a claim may ever take is under way, due, or due within that time.
    pub(crate) fn pending(&self, request: &Claim, within: Duration) -> Result<bool> {
        self.session.allow(Scope::RunsWrite)?;
        let claiming = self.claiming(request)?;
        let until = micros("patience", within)?;
        if claiming.is_empty() {
            return Ok(false);
        }
        self.session.read(|exec| {
            let mut binds = Binds::default();
            let sql = pending(exec.dialect(), &mut binds, &claiming, self.session.options(), until);
            let rows = exec.query(&sql, binds.values())?;
            rows.first().map_or(Ok(false), |row| row.bool(0))
        })
    }
}

/// The question whether anything of a claim's kinds and projects is ready, becomes due by then, or is under a lease.
///
/// Each part is a range of a partial index, so neither history nor what is ready of other kinds costs anything.
fn pending(dialect: Dialect, binds: &mut Binds<'_>, claiming: &Claiming<'_>, options: &Options, micros: i64) -> String {
    let projects = claiming.of_projects(binds);
    let kinds = claiming.kinds.as_ref().map(|kinds| kinds.conditions(dialect, "kind", binds)).unwrap_or_default();
    let of = if kinds.is_empty() { projects.clone() } else { format!("{projects} AND ({})", kinds.join(" OR ")) };
    let until = match dialect {
        Dialect::Sqlite => binds.add(options.clock.now().saturating_add(Duration::from_micros(micros.unsigned_abs()))),
        Dialect::Postgres => {
            let now = binds.now_for(dialect, options);
            format!("{now} + {}::bigint * interval '1 microsecond'", binds.add(micros))
        }
    };
    let ready_now = [false, true].map(|limited| is_ready(dialect, binds, claiming, limited)).join(" OR ");
    let mut parts = Parts::new();
    let later = ready(dialect, false);
    parts.push(("later", format!("state = 'queued' AND {later} AND run_at <= {until}{of} ORDER BY run_at, id")));
    parts.extend(kinds.iter().map(|kind| ("leased_kind", format!("{LEASED}{projects} AND {kind} ORDER BY kind"))));
    if kinds.is_empty() {
        parts.push(("leased", format!("{LEASED}{projects} ORDER BY {}", lease_order(dialect))));
    }
    format!("SELECT ({ready_now} OR {})", any(dialect, parts))
}

/// The condition that a run of that lane is ready which such a claim may take, limits aside.
pub(super) fn is_ready(dialect: Dialect, binds: &mut Binds<'_>, claiming: &Claiming<'_>, limited: bool) -> String {
    if let Some(projects) = claiming.project_rows(binds) {
        return is_ready_of(dialect, binds, claiming, &projects, limited);
    }
    let kinds = claiming.kinds.as_ref().map(|kinds| kinds.conditions(dialect, "kind", binds)).unwrap_or_default();
    any(dialect, ready_parts(dialect, limited, &kinds))
}

/// Ranges of indexes, each by the name of its index.
type Parts = Vec<(&'static str, String)>;

/// What is ready of these kinds in that lane.
fn ready_parts(dialect: Dialect, limited: bool, kinds: &[String]) -> Parts {
    let base = lane::queued(dialect, limited);
    if kinds.is_empty() {
        let (of_all, order) = if limited { (lane::by_kind(true), BY_KIND) } else { ("ready", BY_AGE) };
        return vec![(of_all, format!("{base} ORDER BY {order}"))];
    }
    kinds.iter().map(|kind| (lane::by_kind(limited), format!("{base} AND {kind} ORDER BY {BY_KIND}"))).collect()
}

/// Whether any of these ranges holds a run.
fn any(dialect: Dialect, parts: Parts) -> String {
    let first =
        |(index, part)| format!("(SELECT 1 FROM {} WHERE {part} LIMIT 1) IS NOT NULL", by_index(dialect, index));
    let parts: Vec<String> = parts.into_iter().map(first).collect();
    format!("({})", parts.join(" OR "))
}
