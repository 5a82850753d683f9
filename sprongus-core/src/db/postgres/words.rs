//! What a statement does to its session, told from its words.

use crate::db::Dialect::Postgres;
use crate::db::words::{contains, is_one_of, words};

/// Whether it begins or ends a transaction (savepoints do not).
pub(super) fn ends_transaction(sql: &str) -> bool {
    let mut words = words(sql, Postgres);
    let first = words.next();
    if is_one_of(first, &["ROLLBACK"]) {
        return !words.any(|word| word.eq_ignore_ascii_case("TO"));
    }
    is_one_of(first, &["BEGIN", "START", "COMMIT", "END", "ABORT"])
        || is_one_of(first, &["PREPARE"]) && is_one_of(words.next(), &["TRANSACTION"])
}

/// Whether it is a SELECT. One of the host's may call what writes; none of ours does.
pub(super) fn only_reads(sql: &str) -> bool {
    is_one_of(words(sql, Postgres).next(), &["SELECT"])
}

/// Statements that always leave something in the session, or run what may: code blocks and procedures.
const MARKING: &[&str] = &["RESET", "LISTEN", "LOAD", "PREPARE", "DECLARE", "DISCARD", "DEALLOCATE", "DO", "CALL"];

/// What a statement leaves in its session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    /// See [`marks_session`].
    pub(super) session: bool,
    /// See [`sets_timeout`].
    pub(super) timeout: bool,
}

impl Marks {
    pub(super) fn of(sql: &str) -> Self {
        Self { session: marks_session(sql), timeout: sets_timeout(sql) }
    }
}

/// Whether it leaves something in the session that a commit does not end, so that nobody else should get the connection.
/// What a function does inside is not seen.
fn marks_session(sql: &str) -> bool {
    let mut words = words(sql, Postgres);
    let first = words.next();
    if is_one_of(first, &["SET"]) {
        return !is_one_of(words.next(), &["LOCAL", "TRANSACTION", "CONSTRAINTS"]);
    }
    if is_one_of(first, &["CREATE"]) {
        return words.any(|word| is_one_of(Some(word), &["TEMP", "TEMPORARY", "PG_TEMP"]))
            && !contains(sql, "on commit drop");
    }
    is_one_of(first, MARKING)
        || ["set_config", "advisory_lock", " temp ", " temporary "].iter().any(|needle| contains(sql, needle))
}

/// Whether it sets how long statements may run.
fn sets_timeout(sql: &str) -> bool {
    contains(sql, "statement_timeout")
}
