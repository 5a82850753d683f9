//! The fragments in which the two databases' SQL differs.

use super::Value;
use crate::json::Json;

/// Which database an [`Executor`](super::Executor) talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Dialect {
    /// A document as a parameter: on PostgreSQL with its floats in full, or JSONB would make integers of them (DESIGN.md
    /// §3 "JSON").
    pub fn json(self, document: &Json) -> Value<'_> {
        match self {
            Self::Sqlite => Value::json(document.as_str()),
            Self::Postgres => Value::Json(document.for_jsonb()),
        }
    }

    /// `sqlite` or `postgres`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// What begins the UPDATE of a statement of ours that what it is part of is rolled back with. SQLite keeps a journal of
    /// the pages that it changes, lest it fail in the middle; this one may leave a part done.
    pub(crate) const fn update(self) -> &'static str {
        match self {
            Self::Sqlite => "UPDATE OR FAIL",
            Self::Postgres => "UPDATE",
        }
    }

    /// The same of an INSERT of what a SELECT gives.
    pub(crate) const fn insert(self) -> &'static str {
        match self {
            Self::Sqlite => "INSERT OR FAIL",
            Self::Postgres => "INSERT",
        }
    }

    /// The present as SQL, where `$n` is [`Clock::for_database`](crate::clock::Clock::for_database): PostgreSQL's own clock
    /// unless a test's stands in its place; stable, so an index condition.
    pub fn now(self, n: usize) -> String {
        match self {
            Self::Sqlite => format!("${n}"),
            Self::Postgres => format!("coalesce(${n}::timestamptz, statement_timestamp())"),
        }
    }
}
