//! The host's own SQL: what is refused before it reaches the database.

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

/// Refuses transaction control and what changes the connection itself; `invalid_argument`.
pub(crate) fn check(sql: &str) -> Result<()> {
    let word = first_word(sql);
    if word.is_empty() {
        return Err(Error::invalid("the SQL is empty"));
    }
    if CONTROL.iter().any(|control| control.eq_ignore_ascii_case(word)) {
        return Err(Error::invalid(format!(
            "{} is not taken here: transactions are begun and ended by store.transaction() and tx.transaction()",
            word.to_ascii_uppercase()
        )));
    }
    Ok(())
}

/// The first word after white space and comments.
fn first_word(sql: &str) -> &str {
    let mut rest = sql.trim_start();
    loop {
        rest = match rest {
            _ if rest.starts_with("--") => rest.split_once('\n').map_or("", |(_, after)| after),
            _ if rest.starts_with("/*") => after_comment(rest),
            _ if rest.starts_with(';') => &rest[1..],
            _ => break,
        }
        .trim_start();
    }
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    &rest[..end]
}

/// What follows a block comment; PostgreSQL nests them, so an inner one is passed over whole.
fn after_comment(sql: &str) -> &str {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(next) = sql.get(at..) {
        if next.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if next.starts_with("*/") {
            depth = depth.saturating_sub(1);
            at += 2;
            if depth == 0 {
                return &sql[at..];
            }
        } else {
            match next.chars().next() {
                Some(c) => at += c.len_utf8(),
                None => break,
            }
        }
    }
    ""
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
    fn finds_the_first_word() {
        for (sql, word) in [
            ("select 1", "select"),
            ("  -- a\n /* b /* c */ d */ commit", "commit"),
            (";;COMMIT;", "COMMIT"),
            ("/* open", ""),
            ("(select 1)", ""),
        ] {
            assert_eq!(first_word(sql), word, "{sql:?}");
        }
    }

    #[test]
    fn refuses_transaction_control() {
        for sql in ["COMMIT", "begin immediate", "/* x */ Rollback to a", "pragma journal_mode=delete", "", "--"] {
            assert_eq!(check(sql).unwrap_err().code(), ErrorCode::InvalidArgument, "{sql:?}");
        }
        check("INSERT INTO t VALUES ($1)").unwrap();
    }
}
