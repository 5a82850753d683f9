//! What can be told of a statement from its words, without parsing SQL.

/// The words of a statement that matter here, in capitals, comments left out.
fn words(sql: &str) -> impl Iterator<Item = String> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        rest = skip(rest);
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        rest = tail;
        (!word.is_empty()).then(|| word.to_ascii_uppercase())
    })
}

fn skip(mut sql: &str) -> &str {
    loop {
        sql = sql.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
        let tail = if let Some(line) = sql.strip_prefix("--") {
            line.find('\n').map(|at| &line[at..])
        } else if let Some(block) = sql.strip_prefix("/*") {
            block.find("*/").map(|at| &block[at + 2..])
        } else {
            return sql;
        };
        sql = tail.unwrap_or("");
    }
}

/// Whether it begins or ends a transaction (savepoints do not).
pub(super) fn ends_transaction(sql: &str) -> bool {
    let mut words = words(sql);
    match words.next().as_deref() {
        Some("BEGIN" | "START" | "COMMIT" | "END" | "ABORT") => true,
        Some("ROLLBACK") => !words.any(|word| word == "TO"),
        Some("PREPARE") => words.next().as_deref() == Some("TRANSACTION"),
        _ => false,
    }
}

/// Whether it leaves something in the session that a commit does not end, so that nobody else should get the connection.
pub(super) fn marks_session(sql: &str) -> bool {
    let mut words = words(sql);
    match words.next().as_deref() {
        Some("SET") => !matches!(words.next().as_deref(), Some("LOCAL" | "TRANSACTION" | "CONSTRAINTS")),
        Some("RESET" | "LISTEN" | "LOAD" | "PREPARE" | "DECLARE" | "DISCARD" | "DEALLOCATE") => true,
        Some("CREATE") => {
            words.any(|word| matches!(word.as_str(), "TEMP" | "TEMPORARY")) && !contains(sql, "on commit drop")
        }
        _ => contains(sql, "set_config") || contains(sql, "pg_advisory_lock") || contains(sql, "pg_try_advisory_lock"),
    }
}

/// Whether it sets how long statements may run.
pub(super) fn sets_timeout(sql: &str) -> bool {
    contains(sql, "statement_timeout")
}

/// Whether the needle, in small letters, stands anywhere, in whatever case.
fn contains(sql: &str, needle: &str) -> bool {
    let (sql, needle) = (sql.as_bytes(), needle.as_bytes());
    // Every statement passes here: most places are told by one letter.
    sql.windows(needle.len()).any(|at| at[0].to_ascii_lowercase() == needle[0] && at.eq_ignore_ascii_case(needle))
}
