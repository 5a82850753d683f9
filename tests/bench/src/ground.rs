//! The databases a workload is measured on: one for the library and one by hand, in the same state.

use std::path::Path;

use postgres::{Client, NoTls};
use sprongus::{Dialect, Durability, Options, Store, migration_sql};

use crate::by_hand::{self, Hand};
use crate::ours::{self, Ours};
use crate::places::Places;
use crate::state::{self, State};

/// Which database, and what a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    Full,
    Normal,
    Postgres,
}

impl On {
    pub(crate) const ALL: [Self; 3] = [Self::Full, Self::Normal, Self::Postgres];
    /// Each database as it is by default.
    pub(crate) const DEFAULT: [Self; 2] = [Self::Full, Self::Postgres];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Full => "SQLite FULL",
            Self::Normal => "SQLite NORMAL",
            Self::Postgres => "PostgreSQL",
        }
    }

    pub(crate) fn dialect(self) -> Dialect {
        if self == Self::Postgres { Dialect::Postgres } else { Dialect::Sqlite }
    }

    pub(crate) fn open(self, url: &str) -> Store {
        let durability = if self == Self::Normal { Durability::Normal } else { Durability::Full };
        ours::open_as(url, Options { durability, ..Options::default() })
    }

    /// With as many connections as there are callers.
    pub(crate) fn open_wide(self, url: &str, callers: usize) -> Store {
        ours::open_as(url, Options { pool_size: callers as u32, ..Options::default() })
    }

    /// A hand-written connection to a database that has the schema.
    pub(crate) fn connect(self, url: &str) -> Box<dyn Hand> {
        match self {
            Self::Full => Box::new(by_hand::sqlite::Hand::open(url, by_hand::sqlite::FULL)),
            Self::Normal => Box::new(by_hand::sqlite::Hand::open(url, by_hand::sqlite::NORMAL)),
            Self::Postgres => Box::new(by_hand::postgres::Hand::open(url, "")),
        }
    }

    /// An empty database with the schema; its URL.
    pub(crate) fn create(self, places: &Places) -> String {
        let url = self.nowhere(places);
        self.run(&url, &migration_sql(self.dialect()));
        url
    }

    fn nowhere(self, places: &Places) -> String {
        match self {
            Self::Postgres => places.database(),
            _ => places.file("db").to_str().unwrap().to_owned(),
        }
    }

    /// Runs a script.
    pub(crate) fn run(self, url: &str, sql: &str) {
        match self {
            Self::Postgres => Client::connect(url, NoTls).unwrap().batch_execute(sql).unwrap(),
            _ => drop(by_hand::sqlite::open(url, sql)),
        }
    }

    /// A second database like the first, which nobody has open.
    fn copy(self, places: &Places, url: &str) -> String {
        match self {
            Self::Postgres => places.copy_of(url),
            _ => {
                let copy = self.nowhere(places);
                std::fs::copy(Path::new(url), &copy).unwrap();
                copy
            }
        }
    }
}

/// One database for each side.
pub(crate) struct Ground {
    pub(crate) on: On,
    pub(crate) ours: String,
    pub(crate) hand: String,
    /// Sessions whose transactions are held open.
    _old: Vec<Client>,
}

impl Ground {
    pub(crate) fn new(places: &Places, on: On, state: State) -> Self {
        let ours = on.create(places);
        state::fill(on, &ours, state);
        let hand = on.copy(places, &ours);
        let old =
            if state == State::OldTransaction { vec![state::hold(&ours), state::hold(&hand)] } else { Vec::new() };
        let ground = Self { on, ours, hand, _old: old };
        if state == State::OldTransaction {
            let (mut ours, mut hand) = ground.sides();
            state::churn(&mut ours);
            state::churn(&mut *hand);
        }
        ground
    }

    /// The library's queue and the yardstick's.
    pub(crate) fn sides(&self) -> (Ours, Box<dyn Hand>) {
        (Ours(self.on.open(&self.ours)), self.on.connect(&self.hand))
    }
}
