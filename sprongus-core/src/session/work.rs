//! A piece of writing under way, and what it leaves to be done.

use std::sync::Arc;
use std::time::Duration;

use super::{Core, Tallies, Who};
use crate::clock::Timestamp;
use crate::db::{Dialect, Executor, Signals, Value};
use crate::error::{Error, ErrorCode, Result};
use crate::events::{News, Signal, Subscribers};
use crate::options::Options;

/// A piece of writing under way: the executor, and what is done once it is committed.
pub(crate) struct Work<'w> {
    pub(super) exec: &'w mut dyn Executor,
    pub(super) core: &'w Core,
    who: &'w Who,
    waited: Duration,
    pub(crate) after: After,
}

/// What a piece of writing leaves to be done after its commit.
#[derive(Debug, Default)]
pub(crate) struct After {
    /// An event of the work: it is there if, and only if, the work was committed.
    pub(crate) witness: Option<Witness>,
    pub(crate) signals: Vec<Signal>,
    /// Runs that were canceled.
    pub(crate) canceled: Vec<String>,
    /// The events that were written, where somebody listens.
    pub(crate) news: Vec<News>,
    /// What became of the entries of tables.
    pub(crate) tallies: Tallies,
}

impl After {
    /// Takes over what a part of the work left.
    pub(super) fn add(&mut self, part: Self) {
        let Self { witness, signals, canceled, news, tallies } = part;
        self.witness = witness.or_else(|| self.witness.take());
        self.signals.extend(signals);
        self.canceled.extend(canceled);
        self.news.extend(news);
        self.tallies.add_all(tallies);
    }

    /// What those who wait are told.
    pub(crate) fn told(&self) -> Signals {
        let event: &[Signal] = if self.witness.is_some() { &[Signal::Event] } else { &[] };
        Signals::of(&self.signals).with(Signals::of(event))
    }
}

/// The key and the id of an event.
#[derive(Debug, Clone)]
pub(crate) struct Witness {
    pub(crate) subject: String,
    pub(crate) seq: i64,
    pub(crate) id: String,
}

impl<'w> Work<'w> {
    pub(crate) fn new(exec: &'w mut dyn Executor, core: &'w Core, who: &'w Who, waited: Duration) -> Self {
        Self { exec, core, who, waited, after: After::default() }
    }

    pub(crate) fn exec(&mut self) -> &mut dyn Executor {
        self.exec
    }

    pub(crate) fn options(&self) -> &'w Options {
        &self.core.options
    }

    pub(crate) fn who(&self) -> &'w Who {
        self.who
    }

    /// Those in this process who want to know of events.
    pub(crate) fn subscribers(&self) -> &'w Arc<Subscribers> {
        &self.core.subscribers
    }

    /// Whether there are any.
    pub(crate) fn has_listeners(&self) -> bool {
        self.core.subscribers.any()
    }

    /// How long the writer was waited for.
    pub(crate) fn waited(&self) -> Duration {
        self.waited
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.exec.dialect()
    }

    /// The parameter behind [`Dialect::now`]: this process's time on SQLite, NULL on PostgreSQL, whose own clock decides.
    pub(crate) fn now(&self) -> Value<'static> {
        now_param(self.exec.dialect(), self.options())
    }

    pub(crate) fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        self.exec.execute(sql, params)
    }

    pub(crate) fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<crate::db::Row>> {
        self.exec.query(sql, params)
    }
}

/// The present as the database has it: its own clock on PostgreSQL, where a test's does not stand in its place.
pub(crate) fn present(exec: &mut dyn Executor, options: &Options) -> Result<Timestamp> {
    let dialect = exec.dialect();
    if dialect == Dialect::Sqlite {
        return Ok(options.clock.now());
    }
    let rows = exec.query(&format!("SELECT {}", dialect.now(1)), &[now_param(dialect, options)])?;
    rows.first()
        .map_or_else(|| Err(Error::new(ErrorCode::Storage, "the server did not tell its time")), |row| row.time(0))
}

/// See [`Work::now`].
pub(crate) fn now_param(dialect: Dialect, options: &Options) -> Value<'static> {
    let now: Option<Timestamp> = match dialect {
        Dialect::Sqlite => Some(options.clock.now()),
        Dialect::Postgres => options.clock.for_database(),
    };
    now.into()
}
