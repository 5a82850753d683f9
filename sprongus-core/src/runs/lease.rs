//! How a lease is kept: by the server's clock on PostgreSQL, by the host's monotonic clock and boot id on SQLite.
//!
//! So neither a wall clock that is ahead nor one that is behind steals or freezes a lease (DESIGN.md §3 "Time").

use std::time::Duration;

use super::binds::Binds;
use crate::db::Dialect;
use crate::error::{Error, Result};
use crate::options::Options;
use crate::session::Work;

/// Runs under a lease; the very words of the partial index.
pub(super) const LEASED: &str = "state IN ('dispatching', 'running')";

/// Microseconds of a duration that the caller gave.
pub(super) fn micros(what: &str, time: Duration) -> Result<i64> {
    if time > crate::clock::seconds::LONGEST {
        return Err(Error::invalid(format!("{what} is longer than a hundred years")));
    }
    i64::try_from(time.as_micros()).map_err(|_| Error::invalid(format!("{what} is longer than a hundred years")))
}

/// The same for a lease, which has a length.
pub(super) fn lease_micros(what: &str, lease: Duration) -> Result<i64> {
    match micros(what, lease)? {
        0 => Err(Error::invalid(format!("{what} is longer than 0 seconds"))),
        micros => Ok(micros),
    }
}

/// The assignments that let a lease run from now for so many microseconds.
///
/// On PostgreSQL "now" is when the row is written: a statement that waited for a lock would else give a lease that has run out.
pub(super) fn extended(work: &Work<'_>, binds: &mut Binds<'_>, micros: i64) -> String {
    match work.dialect() {
        Dialect::Postgres => {
            let length = format!("{}::bigint", binds.add(micros));
            extended_by(work, binds, &length)
        }
        Dialect::Sqlite => {
            let clock = &work.options().clock;
            let until = binds.add(clock.now().saturating_add(Duration::from_micros(micros.unsigned_abs())));
            let mono = binds.add(clock.monotonic().saturating_add(micros));
            let boot = binds.add(clock.boot_id().to_string());
            format!("lease_until = {until}, lease_mono = {mono}, lease_boot = {boot}")
        }
    }
}

/// PostgreSQL: the same by an SQL expression of microseconds.
pub(super) fn extended_by(work: &Work<'_>, binds: &mut Binds<'_>, length: &str) -> String {
    let now = binds.add(work.now());
    format!("lease_until = coalesce({now}::timestamptz, clock_timestamp()) + {length} * interval '1 microsecond'")
}

/// The conditions, each served by a range of the index, under which a lease has run out: any of them will do.
pub(super) fn expired(binds: &mut Binds<'_>, dialect: Dialect, options: &Options) -> Vec<String> {
    match dialect {
        Dialect::Postgres => vec![format!("lease_until <= {}", binds.now_for(dialect, options))],
        Dialect::Sqlite => {
            let boot = binds.add(options.clock.boot_id().to_string());
            let mono = binds.add(options.clock.monotonic());
            vec![
                format!("lease_boot = {boot} AND lease_mono <= {mono}"),
                format!("lease_boot < {boot}"),
                format!("lease_boot > {boot}"),
            ]
        }
    }
}

/// The table by way of one of its partial indexes, on SQLite: left to itself the planner takes the index on `state`, and
/// walks over all that is queued.
pub(super) fn by_index(dialect: Dialect, index: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!("sprongus_runs INDEXED BY sprongus_runs_{index}"),
        Dialect::Postgres => "sprongus_runs".to_owned(),
    }
}

/// The order of the index of leases.
pub(super) const fn lease_order(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "lease_boot, lease_mono",
        Dialect::Postgres => "lease_until",
    }
}

/// Whether a run is ready: the very words of the partial index.
pub(super) const fn ready(dialect: Dialect, ready: bool) -> &'static str {
    match (dialect, ready) {
        (Dialect::Sqlite, true) => "ready = 1",
        (Dialect::Sqlite, false) => "ready = 0",
        (Dialect::Postgres, true) => "ready",
        (Dialect::Postgres, false) => "NOT ready",
    }
}
