//! What a worker that found nothing to do looks at before it sleeps: whether there is something after all, and when something
//! of the database will be due by itself. One read.

use std::time::Duration;

use super::claim::Claiming;
use super::pending::is_ready;
use super::requests::Claim;
use super::sweep::{CHORES, Looking};
use super::{Runs, congestion, limits};
use crate::clock::{Clock, Timestamp};
use crate::db::{Dialect, Executor, Row};
use crate::error::Result;
use crate::scope::Scope;

/// SQL of a moment, null where there is none.
pub(super) enum Moment {
    /// A time.
    Wall(String),
    /// SQLite: microseconds of this boot's monotonic clock.
    Monotonic(String),
}

/// What there is to do, and when there will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Outlook {
    /// A run is ready that such a claim may take.
    ready: bool,
    /// A run of a limited kind is ready: the end of another may make room for it.
    pub(crate) limited: bool,
    /// When a run falls due, a schedule has a slot: by the wall clock, which may be set.
    wall: Option<Timestamp>,
    /// When a lease or an attempt runs out, in microseconds of the monotonic clock. On PostgreSQL all moments are here, as
    /// far from now as the server says.
    monotonic: Option<i64>,
}

impl Runs<'_> {
    /// Looks ahead for a worker that claims so.
    pub(crate) fn outlook(&self, request: &Claim) -> Result<Outlook> {
        self.session.allow(Scope::RunsWrite)?;
        let claiming = self.claiming(request)?;
        if claiming.is_empty() {
            return Ok(Outlook::default());
        }
        // Where it waited, so may those whose leases have run out.
        congestion::watched(self.session, || self.session.read(|exec| self.look_ahead(exec, &claiming)))
    }

    fn look_ahead(&self, exec: &mut dyn Executor, claiming: &Claiming<'_>) -> Result<Outlook> {
        let (dialect, options) = (exec.dialect(), self.session.options());
        let mut looking = Looking::new(&self.session, dialect, claiming);
        let mut columns = vec![
            is_ready(dialect, &mut looking.binds, claiming, false),
            is_ready(dialect, &mut looking.binds, claiming, true),
            format!("{} IS NOT NULL", limits::there_is_room(dialect, &mut looking.binds, claiming, options)),
        ];
        let mut moments: Vec<Moment> = CHORES.iter().map(|chore| (chore.next)(&mut looking)).collect();
        moments.push(limits::next_token(&mut looking));
        columns.extend(moments.iter().map(|moment| moment.sql().to_owned()));
        columns.push(looking.now());
        let sql = format!("SELECT {}", columns.join(", "));
        let rows = exec.query(&sql, looking.binds.values())?;
        let Some(row) = rows.first() else { return Ok(Outlook::default()) };
        let (ready, limited, room) = (row.bool(0)?, row.bool(1)?, row.bool(2)?);
        let mut outlook = Outlook { ready: ready || room, limited, ..Outlook::default() };
        for (index, moment) in (3..).zip(&moments) {
            outlook.take(row, index, moment)?;
        }
        if dialect == Dialect::Postgres {
            outlook.by_own_clock(row.time(columns.len() - 1)?, &*options.clock);
        }
        Ok(outlook)
    }
}

impl Moment {
    /// Now, where that SQL is not null.
    pub(super) fn at_once(looking: &mut Looking<'_>, look: &str) -> Self {
        match looking.dialect {
            Dialect::Postgres => Self::Wall(format!("CASE WHEN {look} IS NOT NULL THEN {} END", looking.now())),
            Dialect::Sqlite => Self::Monotonic(format!("CASE WHEN {look} IS NOT NULL THEN 0 END")),
        }
    }

    fn sql(&self) -> &str {
        match self {
            Self::Wall(sql) | Self::Monotonic(sql) => sql,
        }
    }
}

impl Outlook {
    fn take(&mut self, row: &Row, index: usize, moment: &Moment) -> Result<()> {
        match moment {
            Moment::Wall(_) => self.wall = earlier(self.wall, row.opt_time(index)?),
            Moment::Monotonic(_) => self.monotonic = earlier(self.monotonic, row.opt_int(index)?),
        }
        Ok(())
    }

    /// The server's clock may not be ours: what counts is how long it is until then.
    fn by_own_clock(&mut self, now: Timestamp, clock: &dyn Clock) {
        if let Some(at) = self.wall.take() {
            self.monotonic = Some(clock.monotonic().saturating_add(at.as_micros().saturating_sub(now.as_micros())));
        }
    }

    /// Whether there is something to do now.
    pub(crate) fn is_due(&self, clock: &dyn Clock) -> bool {
        self.ready || self.left(clock) == Some(Duration::ZERO)
    }

    /// How long until something is due by itself; none: nothing will be.
    pub(crate) fn left(&self, clock: &dyn Clock) -> Option<Duration> {
        let wall = self.wall.map(|at| at.since(clock.now()));
        let monotonic = self.monotonic.map(|at| micros(at.saturating_sub(clock.monotonic())));
        earlier(wall, monotonic)
    }
}

fn micros(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

fn earlier<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    [one, other].into_iter().flatten().min()
}
