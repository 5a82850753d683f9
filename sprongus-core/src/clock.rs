//! Time: UTC instants in microseconds, and where the present comes from (DESIGN.md §3 "Time").

pub mod seconds;
mod system;
pub mod testing;
mod timestamp;

use std::fmt;
use std::sync::Arc;

pub use seconds::opt as seconds_opt;
pub use system::SystemClock;
pub use timestamp::Timestamp;

/// Where the present comes from.
///
/// Due times are read off the wall clock. Leases on SQLite are kept on the monotonic clock with the boot id beside it,
/// so that neither a skewed nor a stepped wall clock steals or freezes one.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The wall clock; never earlier than what it gave before in this process, unless it is a clock for tests.
    fn now(&self) -> Timestamp;

    /// Microseconds of `CLOCK_MONOTONIC`: since some moment of this boot, the same for every process on the host.
    fn monotonic(&self) -> i64;

    /// What names this boot; monotonic readings of two boots do not compare.
    fn boot_id(&self) -> Arc<str>;

    /// Whether this clock stands in for the database server's own: true only where a test holds the time.
    fn overrides_database(&self) -> bool {
        false
    }

    /// The parameter for `Dialect`'s idea of now: `None` leaves the time to PostgreSQL's `statement_timestamp()`.
    fn for_database(&self) -> Option<Timestamp> {
        self.overrides_database().then(|| self.now())
    }
}
