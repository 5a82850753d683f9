//! The host's own SQL: what is refused before it reaches the database.

use crate::db::Dialect;
use crate::db::words::{contains, is_empty, is_one_of, words};
use crate::error::{Error, ErrorCode, Result};

/// Statements by which a host would end or split our transaction behind our back.
const CONTROL: &[&str] = &[
    "BEGIN",
    "START",
    "COMMIT",
    "END",
    "ROLLBACK",
    "ABORT",
    "SAVEPOINT",
    "RELEASE",
    "PREPARE",
    "ATTACH",
    "DETACH",
    "PRAGMA",
    "VACUUM",
    "DISCARD",
];

/// What may stand before the statement itself. Some PRAGMAs act while they are prepared, explained or not.
const EXPLAIN: &[&str] = &["EXPLAIN", "QUERY", "PLAN", "ANALYZE", "VERBOSE"];

/// Refuses transaction control and what changes the connection itself; `invalid_argument`.
pub(crate) fn check(sql: &str, dialect: Dialect) -> Result<()> {
    if is_empty(sql, dialect) {
        return Err(Error::invalid("the SQL is empty"));
    }
    let word = words(sql, dialect).find(|word| !is_one_of(Some(word), EXPLAIN));
    if is_one_of(word, CONTROL) {
        return Err(Error::invalid(format!(
            "{} is not taken here: transactions are begun and ended by store.transaction() and tx.transaction()",
            word.unwrap_or_default().to_ascii_uppercase()
        )));
    }
    if is_one_of(word, &["COPY"]) && (contains(sql, "stdin") || contains(sql, "stdout")) {
        return Err(Error::invalid("COPY from STDIN or to STDOUT is not taken here: use INSERT and query()"));
    }
    Ok(())
}

/// PostgreSQL's refusal of a write in a read-only transaction, in the words that SQLite's has.
pub(crate) fn only_reads(error: Error) -> Error {
    match sqlstate(&error) {
        Some("25006") => {
            Error::invalid("query() only reads; use execute() or a transaction for a statement that writes")
        }
        _ => error,
    }
}

/// Whether PostgreSQL rolled the work back to let another go on: deadlock or serialization failure.
pub(crate) fn was_victim(error: &Error) -> bool {
    error.code() == ErrorCode::Busy && matches!(sqlstate(error), Some("40001" | "40P01"))
}

fn sqlstate(error: &Error) -> Option<&str> {
    error.details()?.get("sqlstate")?.as_str()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn refuses_what_changes_the_connection() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            for sql in [
                "COMMIT",
                "begin immediate",
                "/* x */ Rollback to a",
                "pragma journal_mode=delete",
                "EXPLAIN PRAGMA ignore_check_constraints=1",
                "explain query plan pragma synchronous=0",
                "COPY t FROM STDIN",
                "copy (select 1) to stdout",
                "",
                "--",
            ] {
                assert_eq!(check(sql, dialect).unwrap_err().code(), ErrorCode::InvalidArgument, "{sql:?}");
            }
            for sql in ["INSERT INTO t VALUES ($1)", "(SELECT 1)", "EXPLAIN SELECT 1", "COPY t FROM '/tmp/t'"] {
                check(sql, dialect).unwrap();
            }
        }
    }
}
